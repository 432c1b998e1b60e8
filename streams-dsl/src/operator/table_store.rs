//! The store of a table, and how its changes go on.

use streams_core::processor::{ProcessorContext, ProcessorError};
use streams_core::store::{
    KeyValueStore, StoreAccess, TaskTimestampedKeyValueStore, TaskVersionedStore,
    ValueAndTimestamp, VersionedKeyValueStore, VersionedPut, VersionedRecord,
};
use streams_core::{Record, Result};

use crate::operator::Change;

/// Where a table is kept (`KeyValueStoreWrapper`).
pub(crate) enum TableStore<K, V> {
    /// The latest value of each key.
    Latest(TaskTimestampedKeyValueStore<K, V>),
    /// Several versions of each key's value.
    Versioned(TaskVersionedStore<K, V>),
}

impl<K: 'static, V: 'static> TableStore<K, V> {
    /// Finds the store of this name.
    pub(crate) fn find(access: &StoreAccess<'_>, name: &str, is_versioned: bool) -> Result<Self> {
        if is_versioned {
            let name = VersionedKeyValueStore::new(name);
            return Ok(Self::Versioned(access.versioned(&name)?));
        }
        let name = KeyValueStore::new(name);
        Ok(Self::Latest(access.timestamped_key_value(&name)?))
    }

    /// The latest value of a key.
    pub(crate) fn get(&self, key: &K) -> Result<Option<ValueAndTimestamp<V>>> {
        match self {
            Self::Latest(store) => store.get(key),
            Self::Versioned(store) => Ok(store.get(key)?.map(without_end)),
        }
    }

    /// The value of a key as of a time, in milliseconds since the epoch; the latest where only that
    /// is kept.
    pub(crate) fn get_as_of(&self, key: &K, as_of_ms: i64) -> Result<Option<ValueAndTimestamp<V>>> {
        match self {
            Self::Latest(store) => store.get(key),
            Self::Versioned(store) => Ok(store.get_as_of(key, as_of_ms)?.map(without_end)),
        }
    }

    /// Whether several versions are kept.
    pub(crate) fn is_versioned(&self) -> bool {
        matches!(self, Self::Versioned(_))
    }

    /// Whether writes are kept back, to be forwarded when they are flushed.
    fn is_cached(&self) -> bool {
        matches!(self, Self::Latest(store) if store.is_cached())
    }

    /// Writes a value, and returns whether it is the latest of its key; `None` if it was too old to
    /// be written.
    fn put(&self, key: &K, value: Option<&V>, timestamp_ms: i64) -> Result<Option<bool>> {
        match self {
            Self::Latest(store) => {
                store.put(key, value, timestamp_ms)?;
                Ok(Some(true))
            }
            Self::Versioned(store) => Ok(match store.put(key, value, timestamp_ms)? {
                VersionedPut::Latest => Some(true),
                VersionedPut::ValidTo(_) => Some(false),
                VersionedPut::NotPut => None,
            }),
        }
    }
}

fn without_end<V>(version: VersionedRecord<V>) -> ValueAndTimestamp<V> {
    ValueAndTimestamp::new(version.value, version.timestamp_ms)
}

/// The store of a table and its way out (`TimestampedTupleForwarder`).
pub(crate) struct TableResults<K, V> {
    store: TableStore<K, V>,
    sends_old_values: bool,
}

type Context<'a, K, V> = ProcessorContext<'a, K, Change<V>>;

impl<K: 'static, V: 'static> TableResults<K, V> {
    pub(crate) fn new(store: TableStore<K, V>, sends_old_values: bool) -> Self {
        Self {
            store,
            sends_old_values,
        }
    }

    /// What is kept.
    pub(crate) fn store(&self) -> &TableStore<K, V> {
        &self.store
    }

    /// Whether changes are to carry the values that they replace.
    pub(crate) fn sends_old_values(&self) -> bool {
        self.sends_old_values
    }

    /// Writes what is new and forwards the change, or keeps both back.
    pub(crate) fn put(
        &self,
        context: &mut Context<'_, K, V>,
        record: Record<K, Change<V>>,
    ) -> Result<(), ProcessorError> {
        let Record {
            key,
            value,
            timestamp_ms,
            headers,
        } = record;
        let Some(is_latest) = self.store.put(&key, value.new.as_ref(), timestamp_ms)? else {
            return Ok(());
        };
        if !self.store.is_cached() {
            let change = Change {
                new: value.new,
                old: value.old.filter(|_| self.sends_old_values),
                is_latest,
            };
            let record = Record::new(key, change, timestamp_ms).with_headers(headers);
            context.forward(record);
            return Ok(());
        }
        match &self.store {
            TableStore::Latest(store) if store.is_cache_full() => self.flush(context),
            _ => Ok(()),
        }
    }

    /// Forwards what the store has kept back.
    pub(crate) fn flush(&self, context: &mut Context<'_, K, V>) -> Result<(), ProcessorError> {
        let TableStore::Latest(store) = &self.store else {
            return Ok(());
        };
        if !store.is_cached() {
            return Ok(());
        }
        store.flush_cache(self.sends_old_values, |entry| {
            let change = Change::new(entry.new_value, entry.old_value);
            let record = Record::new(entry.key, change, entry.timestamp_ms);
            context.forward(record.with_headers(entry.headers));
        })?;
        Ok(())
    }
}
