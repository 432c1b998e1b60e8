//! Queries of key-value stores.

use std::ops::Bound;

use crate::error::Result;
use crate::record::Headers;
use crate::serde::Serializer;
use crate::store::codec::{Codec, ValueAndTimestamp};
use crate::store::engine::Engine;
use crate::store::entries::{OwnedSpan, StoreIterator};
use crate::store::expiry::is_alive;
use crate::store::kind::StoreKind;
use crate::store::position::ObservedTime;
use crate::store::query::{CommittedStore, InParts, scan};

/// The committed values of a key-value store, of all tasks of this instance
/// (`ReadOnlyKeyValueStore`).
pub struct ReadOnlyKeyValueStore<K, V> {
    parts: Vec<Part<K, V>>,
}

struct Part<K, V> {
    engine: Engine,
    codec: Codec<K, V>,
    /// Whether values stand behind their times.
    has_times: bool,
    ttl_ms: Option<i64>,
    observed_time: ObservedTime,
}

/// The time of a value in a plain store, which keeps none (`ConsumerRecord.NO_TIMESTAMP`).
const NO_TIMESTAMP: i64 = -1;

impl<K: 'static, V: 'static> ReadOnlyKeyValueStore<K, V> {
    pub(super) fn new(stores: Vec<CommittedStore>) -> Result<Self> {
        let parts = stores.into_iter().map(|store| {
            let is_timestamped = match store.kind {
                StoreKind::KeyValue => false,
                StoreKind::TimestampedKeyValue => true,
                _ => return Err(store.is_no("values by key")),
            };
            Ok(Part {
                codec: store.codec()?,
                engine: store.engine,
                has_times: is_timestamped || store.ttl_ms.is_some(),
                ttl_ms: store.ttl_ms,
                observed_time: store.observed_time,
            })
        });
        let parts = parts.collect::<Result<_>>()?;
        Ok(Self { parts })
    }

    /// The value of a key.
    ///
    /// # Errors
    /// If the store cannot be read, as for all methods here.
    pub fn get(&self, key: &K) -> Result<Option<V>> {
        Ok(self.get_with_timestamp(key)?.map(|found| found.value))
    }

    /// The value of a key and its time; -1 where the store keeps none.
    pub fn get_with_timestamp(&self, key: &K) -> Result<Option<ValueAndTimestamp<V>>> {
        let mut bytes = Vec::new();
        for part in &self.parts {
            bytes.clear();
            part.codec.write_key(key, &mut bytes)?;
            let found = part.engine.get(&bytes, |value| {
                value.map_or(Ok(None), |value| part.read(value))
            })??;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// The entries from one key to another, both included, in the order of their bytes within each
    /// partition; `None` for no bound.
    pub fn range(
        &self,
        lower: Option<&K>,
        upper: Option<&K>,
    ) -> Result<impl Iterator<Item = Result<(K, V)>> + use<K, V>> {
        self.between(lower, upper, false)
    }

    /// As [`Self::range`], from the last to the first.
    pub fn reverse_range(
        &self,
        lower: Option<&K>,
        upper: Option<&K>,
    ) -> Result<impl Iterator<Item = Result<(K, V)>> + use<K, V>> {
        self.between(lower, upper, true)
    }

    /// The entries whose keys begin with the bytes of `prefix`.
    pub fn prefix_scan<P>(
        &self,
        prefix: &P,
        serializer: &dyn Serializer<P>,
    ) -> Result<impl Iterator<Item = Result<(K, V)>> + use<K, V, P>> {
        let mut bytes = Vec::new();
        let topic = self.parts.first().map_or("", |part| &part.codec.topic);
        serializer
            .serialize(topic, &mut Headers::new(), prefix, &mut bytes)
            .map_err(|error| {
                let kind = crate::error::ErrorKind::Serde;
                crate::error::Error::with_source(kind, "cannot write a prefix of keys", error)
            })?;
        let span = OwnedSpan::prefix(&bytes);
        self.entries(|_| Ok(span.clone()), false)
    }

    /// All entries.
    pub fn all(&self) -> Result<impl Iterator<Item = Result<(K, V)>> + use<K, V>> {
        self.between(None, None, false)
    }

    /// All entries, each partition's from the last to the first.
    pub fn reverse_all(&self) -> Result<impl Iterator<Item = Result<(K, V)>> + use<K, V>> {
        self.between(None, None, true)
    }

    /// About how many entries there are.
    pub fn approximate_num_entries(&self) -> Result<u64> {
        let counts = self
            .parts
            .iter()
            .map(|part| part.engine.approximate_count());
        counts.sum()
    }

    fn between(
        &self,
        lower: Option<&K>,
        upper: Option<&K>,
        is_reverse: bool,
    ) -> Result<InParts<(K, V)>> {
        let bound = |codec: &Codec<K, V>, key: Option<&K>| match key {
            None => Ok(Bound::Unbounded),
            Some(key) => {
                let mut bytes = Vec::new();
                codec.write_key(key, &mut bytes)?;
                Ok(Bound::Included(bytes.into_boxed_slice()))
            }
        };
        let span = |codec: &Codec<K, V>| {
            Ok(OwnedSpan {
                lower: bound(codec, lower)?,
                upper: bound(codec, upper)?,
            })
        };
        self.entries(span, is_reverse)
    }

    fn entries(
        &self,
        span: impl Fn(&Codec<K, V>) -> Result<OwnedSpan>,
        is_reverse: bool,
    ) -> Result<InParts<(K, V)>> {
        let parts = self.parts.iter().map(|part| {
            let (engine, reader) = (part.engine.clone(), part.clone());
            Ok(StoreIterator::new(
                [span(&part.codec)?],
                is_reverse,
                move |span, limit| scan(&engine, span, limit),
                move |key, value| {
                    let Some(found) = reader.read(value)? else {
                        return Ok(None);
                    };
                    Ok(Some((reader.codec.read_key(key)?, found.value)))
                },
            ))
        });
        let parts = parts.collect::<Result<Vec<_>>>()?;
        Ok(parts.into_iter().flatten())
    }
}

impl<K, V> Part<K, V> {
    /// The value, unless its time is over.
    fn read(&self, bytes: &[u8]) -> Result<Option<ValueAndTimestamp<V>>> {
        if !self.has_times {
            let value = self.codec.read_value(bytes)?;
            return Ok(Some(ValueAndTimestamp::new(value, NO_TIMESTAMP)));
        }
        let (timestamp_ms, value) = self.codec.split_timestamp(bytes)?;
        let observed_ms = self.observed_time.get_ms();
        match self.ttl_ms {
            Some(ttl_ms) if !is_alive(ttl_ms, timestamp_ms, observed_ms) => Ok(None),
            _ => {
                let value = self.codec.read_value(value)?;
                Ok(Some(ValueAndTimestamp::new(value, timestamp_ms)))
            }
        }
    }
}

impl<K, V> Clone for Part<K, V> {
    fn clone(&self) -> Self {
        Self {
            engine: self.engine.clone(),
            codec: self.codec.clone(),
            has_times: self.has_times,
            ttl_ms: self.ttl_ms,
            observed_time: self.observed_time.clone(),
        }
    }
}
