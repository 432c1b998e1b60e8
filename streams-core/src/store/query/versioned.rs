//! Queries of versioned stores.

use crate::error::Result;
use crate::store::codec::Codec;
use crate::store::engine::{Engine, Entry, Span};
use crate::store::kind::StoreKind;
use crate::store::position::ObservedTime;
use crate::store::query::{CommittedStore, scan};
use crate::store::segment::Retention;
use crate::store::versioned::VersionedRecord;
use crate::store::versions::{self, Version, VersionRows};

/// The committed versions of a versioned store, of all tasks of this instance (`VersionedKeyQuery`
/// and `MultiVersionedKeyQuery`, KIP-960 and KIP-968).
pub struct ReadOnlyVersionedKeyValueStore<K, V> {
    parts: Vec<Part<K, V>>,
}

struct Part<K, V> {
    engine: Engine,
    codec: Codec<K, V>,
    retention: Retention,
    observed_time: ObservedTime,
}

impl<K: 'static, V: 'static> ReadOnlyVersionedKeyValueStore<K, V> {
    pub(super) fn new(stores: Vec<CommittedStore>) -> Result<Self> {
        let parts = stores.into_iter().map(|store| {
            let StoreKind::Versioned(settings) = store.kind else {
                return Err(store.is_no("versions of values by key"));
            };
            Ok(Part {
                codec: store.codec()?,
                engine: store.engine,
                retention: settings.retention(),
                observed_time: store.observed_time,
            })
        });
        let parts = parts.collect::<Result<_>>()?;
        Ok(Self { parts })
    }

    /// The latest version of a key.
    ///
    /// # Errors
    /// If the store cannot be read, as for all methods here.
    pub fn get(&self, key: &K) -> Result<Option<VersionedRecord<V>>> {
        self.first(key, versions::latest)
    }

    /// The version of a key that was valid at `as_of_ms`, in milliseconds since the epoch, as far
    /// as the history is kept.
    pub fn get_as_of(&self, key: &K, as_of_ms: i64) -> Result<Option<VersionedRecord<V>>> {
        self.first(key, |part, key| {
            versions::as_of(part, part.retention, key, as_of_ms)
        })
    }

    /// The versions of a key that were valid at some time between two, both included, in
    /// milliseconds since the epoch, the oldest first.
    pub fn get_between(
        &self,
        key: &K,
        from_ms: i64,
        to_ms: i64,
    ) -> Result<Vec<VersionedRecord<V>>> {
        for part in &self.parts {
            let key = part.key(key)?;
            let found = versions::between(part, part.retention, &key, (from_ms, to_ms))?;
            if !found.is_empty() {
                let found = found.into_iter();
                return found.map(|version| part.read(&version)).collect();
            }
        }
        Ok(Vec::new())
    }

    fn first(
        &self,
        key: &K,
        find: impl Fn(&Part<K, V>, &[u8]) -> Result<Option<Version>>,
    ) -> Result<Option<VersionedRecord<V>>> {
        for part in &self.parts {
            if let Some(version) = find(part, &part.key(key)?)? {
                return part.read(&version).map(Some);
            }
        }
        Ok(None)
    }
}

impl<K, V> Part<K, V> {
    fn key(&self, key: &K) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.codec.write_key(key, &mut bytes)?;
        Ok(bytes)
    }

    fn read(&self, version: &Version) -> Result<VersionedRecord<V>> {
        Ok(VersionedRecord {
            value: self.codec.read_value(&version.value)?,
            timestamp_ms: version.from_ms,
            valid_to_ms: version.to_ms,
        })
    }
}

impl<K, V> VersionRows for Part<K, V> {
    fn row<R>(&self, key: &[u8], read: impl FnOnce(Option<&[u8]>) -> R) -> Result<R> {
        self.engine.get(key, read)
    }

    fn rows(&self, span: Span<'_>, limit: usize) -> Result<Vec<Entry>> {
        scan(&self.engine, span, limit)
    }

    fn observed_ms(&self) -> i64 {
        self.observed_time.get_ms()
    }
}
