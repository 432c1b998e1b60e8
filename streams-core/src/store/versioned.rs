//! Stores that keep the versions of each key's value for a time.

use std::rc::Rc;

use crate::error::Result;
use crate::store::bytes::ByteStore;
use crate::store::codec::{Codec, Scratch};
use crate::store::segment::Retention;
use crate::store::versions::{self, Version, VersionedPut};

/// What a versioned store needs to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VersionedStoreSettings {
    /// How long old versions can be read after the store's time has passed their end, in
    /// milliseconds, and how late a version may be to be written at all.
    pub history_retention_ms: i64,
    /// How long the pieces are in which old versions are dropped, in milliseconds; `None` for what
    /// the JVM chooses by the retention.
    pub segment_interval_ms: Option<i64>,
}

impl From<i64> for VersionedStoreSettings {
    /// Old versions are kept for so many milliseconds.
    fn from(history_retention_ms: i64) -> Self {
        Self {
            history_retention_ms,
            segment_interval_ms: None,
        }
    }
}

const SECOND_MS: i64 = 1_000;
const MINUTE_MS: i64 = 60 * SECOND_MS;

impl VersionedStoreSettings {
    /// By default as `RocksDbVersionedKeyValueBytesStoreSupplier.defaultSegmentInterval`.
    pub(crate) fn retention(self) -> Retention {
        let retention_ms = self.history_retention_ms;
        let (pieces, shortest_ms) = match retention_ms {
            ..=60_000 => (3, 2 * SECOND_MS),
            60_001..=300_000 => (5, 20 * SECOND_MS),
            300_001..=3_600_000 => (12, MINUTE_MS),
            _ => (24, 5 * MINUTE_MS),
        };
        let by_default = (retention_ms / pieces).max(shortest_ms);
        Retention {
            retention_ms,
            segment_interval_ms: self.segment_interval_ms.unwrap_or(by_default).max(1),
            ..Retention::of(retention_ms)
        }
    }
}

/// A value and when it is valid (`org.apache.kafka.streams.state.VersionedRecord`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct VersionedRecord<V> {
    /// The value.
    pub value: V,
    /// The time from which it is valid, in milliseconds since the epoch.
    pub timestamp_ms: i64,
    /// The time from which it is valid no more; `None` for the latest version.
    pub valid_to_ms: Option<i64>,
}

struct Inner<K, V> {
    bytes: ByteStore,
    codec: Codec<K, V>,
    retention: Retention,
    key: Scratch,
    value: Scratch,
}

/// A store that keeps the versions of each key's value for a time, as its task sees it
/// (`org.apache.kafka.streams.state.VersionedKeyValueStore`, KIP-889).
///
/// Clones are the same store.
pub struct TaskVersionedStore<K, V>(Rc<Inner<K, V>>);

impl<K, V> Clone for TaskVersionedStore<K, V> {
    fn clone(&self) -> Self {
        Self(Rc::clone(&self.0))
    }
}

impl<K: 'static, V: 'static> TaskVersionedStore<K, V> {
    pub(super) fn new(
        bytes: ByteStore,
        codec: Codec<K, V>,
        settings: VersionedStoreSettings,
    ) -> Self {
        Self(Rc::new(Inner {
            bytes,
            codec,
            retention: settings.retention(),
            key: Scratch::default(),
            value: Scratch::default(),
        }))
    }

    pub(super) fn bytes(&self) -> &ByteStore {
        &self.0.bytes
    }

    /// The store's name.
    pub fn name(&self) -> &str {
        self.bytes().name()
    }

    /// Writes a version of a key that is valid from `timestamp_ms`, in milliseconds since the
    /// epoch, until the next; `None`: from then on the key is deleted. A version of the same time
    /// is replaced.
    ///
    /// The changelog gets also what came too late for the store, as on the JVM.
    pub fn put(&self, key: &K, value: Option<&V>, timestamp_ms: i64) -> Result<VersionedPut> {
        self.0.key.with(|key_bytes| {
            self.0.codec.write_key(key, key_bytes)?;
            let Some(value) = value else {
                return self.put_bytes(key_bytes, None, timestamp_ms);
            };
            self.0.value.with(|value_bytes| {
                self.0.codec.write_value(value, value_bytes)?;
                self.put_bytes(key_bytes, Some(value_bytes), timestamp_ms)
            })
        })
    }

    fn put_bytes(
        &self,
        key: &[u8],
        value: Option<&[u8]>,
        timestamp_ms: i64,
    ) -> Result<VersionedPut> {
        let bytes = self.bytes();
        let put = versions::put(bytes, self.0.retention, key, value, timestamp_ms)?;
        bytes.log(key, value, timestamp_ms)?;
        Ok(put)
    }

    /// Deletes a key from `timestamp_ms` on, and returns the version that was valid then. What
    /// comes after the history's retention deletes nothing, and nothing is returned.
    pub fn delete(&self, key: &K, timestamp_ms: i64) -> Result<Option<VersionedRecord<V>>> {
        let oldest_ms = self
            .bytes()
            .observed_time_ms()
            .saturating_sub(self.0.retention.retention_ms);
        let old = match timestamp_ms < oldest_ms {
            true => None,
            false => self.get_as_of(key, timestamp_ms)?,
        };
        self.put(key, None, timestamp_ms)?;
        Ok(old)
    }

    /// The latest version of a key.
    pub fn get(&self, key: &K) -> Result<Option<VersionedRecord<V>>> {
        self.find(key, |key| versions::latest(self.bytes(), key))
    }

    /// The version of a key that was valid at `as_of_ms`, in milliseconds since the epoch, as far
    /// as the history is kept.
    pub fn get_as_of(&self, key: &K, as_of_ms: i64) -> Result<Option<VersionedRecord<V>>> {
        let retention = self.0.retention;
        self.find(key, |key| {
            versions::as_of(self.bytes(), retention, key, as_of_ms)
        })
    }

    fn find(
        &self,
        key: &K,
        find: impl FnOnce(&[u8]) -> Result<Option<Version>>,
    ) -> Result<Option<VersionedRecord<V>>> {
        let Inner { codec, .. } = &*self.0;
        self.0.key.with(|bytes| {
            codec.write_key(key, bytes)?;
            let Some(version) = find(bytes)? else {
                return Ok(None);
            };
            Ok(Some(VersionedRecord {
                value: codec.read_value(&version.value)?,
                timestamp_ms: version.from_ms,
                valid_to_ms: version.to_ms,
            }))
        })
    }
}
