//! The stores of tables, as a plan defines them.

use std::sync::Arc;
use std::time::Duration;

use streams_core::Result;
use streams_core::serde::SharedSerde;
use streams_core::store::{StoreAccess, StoreBuilder};

use crate::operator::{TableResults, TableStore};
use crate::option::Materialized;
use crate::plan::Lowering;

/// A store that was asked for: one without a name has a number of its own, and is not made.
pub(crate) struct AskedStore {
    pub(crate) name: Option<Arc<str>>,
}

impl AskedStore {
    pub(crate) fn of<K, V>(materialized: &Materialized<K, V>) -> Self {
        Self {
            name: materialized.name.clone(),
        }
    }
}

/// What a table's store is made of, but for its name.
pub(crate) struct StoreDefinition<K, V> {
    pub(crate) materialized: Materialized<K, V>,
    pub(crate) key: Option<SharedSerde<K>>,
    pub(crate) value: Option<SharedSerde<V>>,
}

impl<K: 'static, V: 'static> StoreDefinition<K, V> {
    /// A store with the serdes that `materialized` has, else these.
    pub(crate) fn new(
        materialized: Materialized<K, V>,
        key: Option<SharedSerde<K>>,
        value: Option<SharedSerde<V>>,
    ) -> Self {
        Self {
            key: materialized.key.clone().or(key),
            value: materialized.value.clone().or(value),
            materialized,
        }
    }

    /// Both serdes.
    ///
    /// # Errors
    /// If one is not known, with the operator's name.
    pub(crate) fn serdes(
        &self,
        lowering: &Lowering<'_>,
    ) -> Result<(SharedSerde<K>, SharedSerde<V>)> {
        let missing = |what| lowering.invalid(&format!("keeps a table, but has no {what} serde"));
        let key = self.key.as_ref().ok_or_else(|| missing("key"))?;
        let value = self.value.as_ref().ok_or_else(|| missing("value"))?;
        Ok((Arc::clone(key), Arc::clone(value)))
    }

    /// The store, as one of a table without windows.
    ///
    /// # Errors
    /// If a serde is not known.
    pub(crate) fn key_value(
        &self,
        lowering: &Lowering<'_>,
        name: &Arc<str>,
    ) -> Result<StoreBuilder> {
        let (key, value) = self.serdes(lowering)?;
        let name = Arc::clone(name);
        let store = match self.materialized.history_retention {
            None => StoreBuilder::timestamped_key_value(name, key, value),
            Some(history) => StoreBuilder::versioned(name, key, value, millis(history)),
        };
        Ok(self.materialized.finish(store))
    }
}

impl<K, V> StoreDefinition<K, V> {
    /// How long windows or sessions are kept, in milliseconds: as asked for, else at least this
    /// long, which is until they close.
    ///
    /// # Errors
    /// If they are to go earlier, or if something is asked for that only tables without windows
    /// have.
    pub(crate) fn retention_ms(&self, lowering: &Lowering<'_>, least_ms: i64) -> Result<i64> {
        let Materialized {
            name,
            history_retention,
            ttl,
            retention,
            ..
        } = &self.materialized;
        let store = name.as_ref().map_or("", |name| name);
        let refused =
            |what: &str| lowering.invalid(&format!("keeps windows in store={store}, {what}"));
        if history_retention.is_some() {
            return Err(refused("of which there are no versions"));
        }
        if ttl.is_some() {
            return Err(refused(
                "which go by their retention, not by a time to live",
            ));
        }
        let retention_ms = retention.map_or(least_ms, millis);
        if retention_ms < least_ms {
            let what = format!(
                "which has a retention of {retention_ms} ms, but must keep them for at least \
                 {least_ms} ms, until they close"
            );
            return Err(refused(&what));
        }
        Ok(retention_ms)
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// The results of a table in one task, which are kept in the store of this name, if there is one.
pub(crate) fn find_results<K: 'static, V: 'static>(
    access: &StoreAccess<'_>,
    store: Option<&Arc<str>>,
    is_versioned: bool,
    sends_old_values: bool,
) -> Result<Option<TableResults<K, V>>> {
    let Some(name) = store else { return Ok(None) };
    let store = TableStore::find(access, name, is_versioned)?;
    Ok(Some(TableResults::new(store, sends_old_values)))
}
