//! Reading a table's values by key.

use std::sync::Arc;

use streams_core::Result;
use streams_core::store::{StoreAccess, ValueAndTimestamp};

use crate::operator::TableStore;
use crate::plan::Lowering;

/// A table's values as a task reads them (`KTableValueGetter`).
pub(crate) trait TableValues<K, V> {
    /// The latest value of a key.
    fn get(&self, key: &K) -> Result<Option<ValueAndTimestamp<V>>>;

    /// The value of a key as of a time, in milliseconds since the epoch; the latest where only that
    /// is known.
    fn get_as_of(&self, key: &K, as_of_ms: i64) -> Result<Option<ValueAndTimestamp<V>>>;

    /// Whether several versions of a value are known.
    fn is_versioned(&self) -> bool;
}

/// A table's values, whatever they come from.
pub(crate) type Values<K, V> = Box<dyn TableValues<K, V>>;

type MakeValues<K, V> = dyn Fn(&StoreAccess<'_>) -> Result<Values<K, V>> + Send + Sync;

/// Makes a table's values readable in a task (`KTableValueGetterSupplier`).
pub(crate) struct ValuesSupplier<K, V> {
    /// The stores that a processor which reads them must be connected to.
    pub(crate) stores: Vec<Arc<str>>,
    make: Arc<MakeValues<K, V>>,
}

impl<K, V> ValuesSupplier<K, V> {
    /// Values that `make` finds in these stores.
    pub(crate) fn new(
        stores: Vec<Arc<str>>,
        make: impl Fn(&StoreAccess<'_>) -> Result<Values<K, V>> + Send + Sync + 'static,
    ) -> Self {
        Self {
            stores,
            make: Arc::new(make),
        }
    }

    /// The values in one task.
    pub(crate) fn make(&self, access: &StoreAccess<'_>) -> Result<Values<K, V>> {
        (self.make)(access)
    }
}

impl<K: 'static, V: 'static> ValuesSupplier<K, V> {
    /// The values of a store.
    pub(crate) fn of_store(name: Arc<str>, is_versioned: bool) -> Self {
        Self::new(vec![Arc::clone(&name)], move |access| {
            let store = TableStore::<K, V>::find(access, &name, is_versioned)?;
            Ok(Box::new(store))
        })
    }
}

/// How the values of a table will be readable, known once names are.
pub(crate) type Getter<K, V> =
    Arc<dyn Fn(&Lowering<'_>) -> Result<ValuesSupplier<K, V>> + Send + Sync>;

impl<K: 'static, V: 'static> TableValues<K, V> for TableStore<K, V> {
    fn get(&self, key: &K) -> Result<Option<ValueAndTimestamp<V>>> {
        Self::get(self, key)
    }

    fn get_as_of(&self, key: &K, as_of_ms: i64) -> Result<Option<ValueAndTimestamp<V>>> {
        Self::get_as_of(self, key, as_of_ms)
    }

    fn is_versioned(&self) -> bool {
        Self::is_versioned(self)
    }
}

/// The values of another table, each mapped, or left out by `None`.
pub(crate) struct MappedValues<K, V, F> {
    pub(crate) parent: Values<K, V>,
    pub(crate) map: F,
}

impl<K, V, F> MappedValues<K, V, F> {
    fn mapped<V2>(
        &self,
        key: &K,
        found: Option<ValueAndTimestamp<V>>,
    ) -> Option<ValueAndTimestamp<V2>>
    where
        F: Fn(&K, V) -> Option<V2>,
    {
        let ValueAndTimestamp {
            value,
            timestamp_ms,
        } = found?;
        let value = (self.map)(key, value)?;
        Some(ValueAndTimestamp::new(value, timestamp_ms))
    }
}

impl<K, V, V2, F: Fn(&K, V) -> Option<V2>> TableValues<K, V2> for MappedValues<K, V, F> {
    fn get(&self, key: &K) -> Result<Option<ValueAndTimestamp<V2>>> {
        Ok(self.mapped(key, self.parent.get(key)?))
    }

    fn get_as_of(&self, key: &K, as_of_ms: i64) -> Result<Option<ValueAndTimestamp<V2>>> {
        Ok(self.mapped(key, self.parent.get_as_of(key, as_of_ms)?))
    }

    fn is_versioned(&self) -> bool {
        self.parent.is_versioned()
    }
}
