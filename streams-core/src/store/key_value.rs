//! Stores of values by key, plain and with the values' times.

use std::rc::Rc;

use crate::error::Result;
use crate::record::Headers;
use crate::serde::Serializer;
use crate::store::bytes::ByteStore;
use crate::store::cache::DirtyEntry;
use crate::store::codec::{Codec, Scratch, ValueAndTimestamp};
use crate::store::entries::{OwnedSpan, StoreIterator};

struct Inner<K, V> {
    bytes: ByteStore,
    codec: Codec<K, V>,
    /// Whether values stand behind their times.
    has_times: bool,
    /// Whether they do so for the store's users too.
    is_timestamped: bool,
    key: Scratch,
    value: Scratch,
}

impl<K, V> Inner<K, V> {
    fn new(bytes: ByteStore, codec: Codec<K, V>, is_timestamped: bool) -> Rc<Self> {
        Rc::new(Self {
            has_times: is_timestamped || bytes.has_ttl(),
            is_timestamped,
            bytes,
            codec,
            key: Scratch::default(),
            value: Scratch::default(),
        })
    }

    fn with_key<R>(&self, key: &K, then: impl FnOnce(&[u8]) -> Result<R>) -> Result<R> {
        self.key.with(|buffer| {
            self.codec.write_key(key, buffer)?;
            then(buffer)
        })
    }

    /// Writes a value as of a time, now or when it leaves the cache.
    fn put(&self, key: &K, value: Option<&V>, timestamp_ms: i64) -> Result<()> {
        if self.bytes.has_ttl() {
            self.bytes.observe_time(timestamp_ms);
        }
        self.with_key(key, |key| {
            let Some(value) = value else {
                return self.write(key, None, timestamp_ms);
            };
            self.value.with(|buffer| {
                match self.has_times {
                    true => self.codec.write_timestamped(value, timestamp_ms, buffer)?,
                    false => self.codec.write_value(value, buffer)?,
                }
                self.write(key, Some(buffer), timestamp_ms)
            })
        })
    }

    fn write(&self, key: &[u8], value: Option<&[u8]>, timestamp_ms: i64) -> Result<()> {
        if self.bytes.keep_back(key, value, timestamp_ms, timestamp_ms) {
            return Ok(());
        }
        self.write_through(key, value, timestamp_ms)
    }

    fn write_through(&self, key: &[u8], value: Option<&[u8]>, timestamp_ms: i64) -> Result<()> {
        let evicted = self.bytes.put_evicting(key, value);
        // The JVM's tables do not log what they give up: their stores wrap what would do it.
        if let Some(evicted) = evicted
            && !self.is_timestamped
        {
            self.bytes.log(&evicted, None, timestamp_ms)?;
        }
        let logged = match value {
            Some(value) if self.has_times => Some(self.codec.split_timestamp(value)?.1),
            value => value,
        };
        self.bytes.log(key, logged, timestamp_ms)
    }

    /// Whether an entry is there for those who read it: its time is not over.
    #[inline]
    fn is_alive(&self, value: &[u8]) -> Result<bool> {
        if !self.bytes.has_ttl() {
            return Ok(true);
        }
        let (timestamp_ms, _) = self.codec.split_timestamp(value)?;
        Ok(self.bytes.is_alive(timestamp_ms))
    }

    fn plain(&self, value: &[u8]) -> Result<V> {
        let plain = match self.has_times {
            true => self.codec.split_timestamp(value)?.1,
            false => value,
        };
        self.codec.read_value(plain)
    }

    fn timestamped(&self, value: &[u8]) -> Result<ValueAndTimestamp<V>> {
        self.codec.read_timestamped(value)
    }

    fn read<R>(
        &self,
        value: Option<&[u8]>,
        read: impl FnOnce(&Self, &[u8]) -> Result<R>,
    ) -> Result<Option<R>> {
        match value {
            Some(value) if self.is_alive(value)? => read(self, value).map(Some),
            _ => Ok(None),
        }
    }

    /// As `CachingKeyValueStore.putAndMaybeForward`.
    fn flush_cache(
        &self,
        needs_old: bool,
        mut forward: impl FnMut(DirtyEntry<K, V>),
    ) -> Result<()> {
        self.bytes.flush_cache(|(key, value, record)| {
            let old = match value.is_none() || needs_old {
                true => self.bytes.get_below_cache(&key)?,
                false => None,
            };
            let old = match old {
                Some(old) if self.is_alive(&old)? => Some(old),
                _ => None,
            };
            if value.is_none() && old.is_none() {
                return Ok(());
            }
            self.write_through(&key, value.as_deref(), record.timestamp_ms)?;
            let entry = DirtyEntry {
                key: self.codec.read_key(&key)?,
                new_value: value.map(|value| self.plain(&value)).transpose()?,
                old_value: match old {
                    Some(old) if needs_old => Some(self.plain(&old)?),
                    _ => None,
                },
                timestamp_ms: record.timestamp_ms,
                headers: record.headers.clone(),
            };
            self.bytes.with_kept_back(record, || forward(entry));
            Ok(())
        })
    }

    /// Lets go on what is kept back where nobody forwards it.
    fn drain_cache(&self) -> Result<()> {
        self.bytes.flush_cache(|(key, value, record)| {
            self.write_through(&key, value.as_deref(), record.timestamp_ms)
        })
    }

    /// The span between two keys, both included.
    fn span(&self, lower: Option<&K>, upper: Option<&K>) -> Result<OwnedSpan> {
        use std::ops::Bound;
        let bound = |key: Option<&K>| match key {
            None => Ok(Bound::Unbounded),
            Some(key) => self.with_key(key, |bytes| Ok(Bound::Included(Box::from(bytes)))),
        };
        Ok(OwnedSpan {
            lower: bound(lower)?,
            upper: bound(upper)?,
        })
    }
}

/// A store of values by key, as its task sees it (`org.apache.kafka.streams.state.KeyValueStore`).
///
/// Clones are the same store. Writes are seen at once by the task, and by others once they are
/// committed.
pub struct TaskKeyValueStore<K, V>(Rc<Inner<K, V>>);

/// A store of values and their times by key, as its task sees it (`TimestampedKeyValueStore`,
/// KIP-258); the tables of the DSL are kept in such stores.
pub struct TaskTimestampedKeyValueStore<K, V>(Rc<Inner<K, V>>);

macro_rules! shared_methods {
    ($name:ident, $entry:ty, $read:ident, $is_timestamped:literal) => {
        impl<K, V> Clone for $name<K, V> {
            fn clone(&self) -> Self {
                Self(Rc::clone(&self.0))
            }
        }

        impl<K: 'static, V: 'static> $name<K, V> {
            pub(super) fn new(bytes: ByteStore, codec: Codec<K, V>) -> Self {
                Self(Inner::new(bytes, codec, $is_timestamped))
            }

            pub(super) fn bytes(&self) -> &ByteStore {
                &self.0.bytes
            }

            pub(super) fn drain_cache(&self) -> Result<()> {
                self.0.drain_cache()
            }

            /// The store's name.
            pub fn name(&self) -> &str {
                self.0.bytes.name()
            }

            /// Whether writes are kept back: then they are forwarded by [`Self::flush_cache`], and
            /// not when they are made.
            pub fn is_cached(&self) -> bool {
                self.0.bytes.is_cached()
            }

            /// Whether more is kept back than the cache is to hold: time to flush it.
            pub fn is_cache_full(&self) -> bool {
                self.0.bytes.is_cache_full()
            }

            /// Writes what is kept back to the store and its changelog and shows each change to
            /// `forward`, in the order of the keys' last writes. What was written and deleted
            /// again since the last time is left out.
            ///
            /// `needs_old` says whether changes are to hold the old values, each of which is read.
            pub fn flush_cache(
                &self,
                needs_old: bool,
                forward: impl FnMut(DirtyEntry<K, V>),
            ) -> Result<()> {
                self.0.flush_cache(needs_old, forward)
            }

            /// The value of a key.
            pub fn get(&self, key: &K) -> Result<Option<$entry>> {
                let store = &*self.0;
                store.with_key(key, |key| {
                    store
                        .bytes
                        .read(key, |value| store.read(value, Inner::$read))?
                })
            }

            /// Deletes a key, and returns its value.
            pub fn delete(&self, key: &K) -> Result<Option<$entry>> {
                let old = self.get(key)?;
                self.write_null(key)?;
                Ok(old)
            }

            /// The entries from one key to another, both included, in the order of their bytes;
            /// `None` for no bound.
            pub fn range(
                &self,
                lower: Option<&K>,
                upper: Option<&K>,
            ) -> Result<StoreIterator<'static, (K, $entry)>> {
                Ok(self.entries(self.0.span(lower, upper)?, false))
            }

            /// As [`Self::range`], from the last to the first.
            pub fn reverse_range(
                &self,
                lower: Option<&K>,
                upper: Option<&K>,
            ) -> Result<StoreIterator<'static, (K, $entry)>> {
                Ok(self.entries(self.0.span(lower, upper)?, true))
            }

            /// The entries whose keys begin with the bytes of `prefix` (KIP-614).
            pub fn prefix_scan<P>(
                &self,
                prefix: &P,
                serializer: &dyn Serializer<P>,
            ) -> Result<StoreIterator<'static, (K, $entry)>> {
                let mut bytes = Vec::new();
                let topic = &self.0.codec.topic;
                let written = serializer.serialize(topic, &mut Headers::new(), prefix, &mut bytes);
                written.map_err(|error| {
                    let name = self.name();
                    let message = format!("cannot write a prefix of keys of store={name}");
                    let kind = crate::error::ErrorKind::Serde;
                    crate::error::Error::with_source(kind, message, error)
                })?;
                Ok(self.entries(OwnedSpan::prefix(&bytes), false))
            }

            /// All entries, in the order of their keys' bytes.
            pub fn all(&self) -> StoreIterator<'static, (K, $entry)> {
                self.entries(OwnedSpan::ALL, false)
            }

            /// All entries, from the last to the first.
            pub fn reverse_all(&self) -> StoreIterator<'static, (K, $entry)> {
                self.entries(OwnedSpan::ALL, true)
            }

            /// About how many entries there are.
            pub fn approximate_num_entries(&self) -> Result<u64> {
                self.0.bytes.approximate_count()
            }

            fn entries(
                &self,
                span: OwnedSpan,
                is_reverse: bool,
            ) -> StoreIterator<'static, (K, $entry)> {
                let (store, reader) = (Rc::clone(&self.0), Rc::clone(&self.0));
                StoreIterator::new(
                    [span],
                    is_reverse,
                    move |span, limit| store.bytes.scan(span, limit),
                    move |key, value| {
                        let Some(value) = reader.read(Some(value), Inner::$read)? else {
                            return Ok(None);
                        };
                        Ok(Some((reader.codec.read_key(key)?, value)))
                    },
                )
            }
        }
    };
}

shared_methods!(TaskKeyValueStore, V, plain, false);
shared_methods!(
    TaskTimestampedKeyValueStore,
    ValueAndTimestamp<V>,
    timestamped,
    true
);

impl<K: 'static, V: 'static> TaskKeyValueStore<K, V> {
    /// Writes a value; `None` deletes. The changelog gets it with the time of the record at hand.
    pub fn put(&self, key: &K, value: Option<&V>) -> Result<()> {
        self.0.put(key, value, self.0.bytes.record_timestamp_ms())
    }

    /// Writes a value if the key has none, and returns the value that it had.
    pub fn put_if_absent(&self, key: &K, value: &V) -> Result<Option<V>> {
        let old = self.get(key)?;
        if old.is_none() {
            self.put(key, Some(value))?;
        }
        Ok(old)
    }

    fn write_null(&self, key: &K) -> Result<()> {
        self.put(key, None)
    }
}

impl<K: 'static, V: 'static> TaskTimestampedKeyValueStore<K, V> {
    /// The value of a key, even if its time is over, as long as it has not been deleted: for those
    /// who keep a time of their own, which after a crash may be behind the store's.
    pub fn get_with_expired(&self, key: &K) -> Result<Option<ValueAndTimestamp<V>>> {
        let store = &*self.0;
        store.with_key(key, |key| {
            store.bytes.read(key, |value| {
                value.map(|value| store.timestamped(value)).transpose()
            })?
        })
    }

    /// Writes a value as of `timestamp_ms`, in milliseconds since the epoch; `None` deletes.
    pub fn put(&self, key: &K, value: Option<&V>, timestamp_ms: i64) -> Result<()> {
        self.0.put(key, value, timestamp_ms)
    }

    /// As [`Self::put`] of a store without a cache, with headers for the changelog: those of the
    /// record, as the subscriptions of foreign-key joins have them on the JVM.
    pub fn put_with_headers(
        &self,
        key: &K,
        value: Option<&V>,
        timestamp_ms: i64,
        headers: &Headers,
    ) -> Result<()> {
        let Inner { bytes, codec, .. } = &*self.0;
        self.0.with_key(key, |key| {
            let Some(value) = value else {
                bytes.put(key, None);
                return bytes.log_with_headers(key, None, timestamp_ms, headers);
            };
            self.0.value.with(|buffer| {
                codec.write_timestamped(value, timestamp_ms, buffer)?;
                bytes.put(key, Some(buffer));
                let logged = codec.split_timestamp(buffer)?.1;
                bytes.log_with_headers(key, Some(logged), timestamp_ms, headers)
            })
        })
    }

    fn write_null(&self, key: &K) -> Result<()> {
        self.put(key, None, self.0.bytes.record_timestamp_ms())
    }
}
