//! Stores of values by key, plain and with the values' times.

use std::rc::Rc;

use crate::error::Result;
use crate::record::Headers;
use crate::serde::Serializer;
use crate::store::bytes::ByteStore;
use crate::store::codec::{Codec, Scratch, ValueAndTimestamp};
use crate::store::entries::{OwnedSpan, StoreIterator};

struct Inner<K, V> {
    bytes: ByteStore,
    codec: Codec<K, V>,
    key: Scratch,
    value: Scratch,
}

impl<K, V> Inner<K, V> {
    fn new(bytes: ByteStore, codec: Codec<K, V>) -> Rc<Self> {
        Rc::new(Self {
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
    ($name:ident, $entry:ty, $read:ident) => {
        impl<K, V> Clone for $name<K, V> {
            fn clone(&self) -> Self {
                Self(Rc::clone(&self.0))
            }
        }

        impl<K: 'static, V: 'static> $name<K, V> {
            pub(super) fn new(bytes: ByteStore, codec: Codec<K, V>) -> Self {
                Self(Inner::new(bytes, codec))
            }

            pub(super) fn bytes(&self) -> &ByteStore {
                &self.0.bytes
            }

            /// The store's name.
            pub fn name(&self) -> &str {
                self.0.bytes.name()
            }

            /// The value of a key.
            pub fn get(&self, key: &K) -> Result<Option<$entry>> {
                let Inner { bytes, codec, .. } = &*self.0;
                self.0.with_key(key, |key| {
                    bytes.read(key, |value| {
                        value.map(|value| codec.$read(value)).transpose()
                    })?
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
                let (store, codec) = (Rc::clone(&self.0), self.0.codec.clone());
                StoreIterator::new(
                    [span],
                    is_reverse,
                    move |span, limit| store.bytes.scan(span, limit),
                    move |key, value| Ok(Some((codec.read_key(key)?, codec.$read(value)?))),
                )
            }
        }
    };
}

shared_methods!(TaskKeyValueStore, V, read_value);
shared_methods!(
    TaskTimestampedKeyValueStore,
    ValueAndTimestamp<V>,
    read_timestamped
);

impl<K: 'static, V: 'static> TaskKeyValueStore<K, V> {
    /// Writes a value; `None` deletes. The changelog gets it with the time of the record at hand.
    pub fn put(&self, key: &K, value: Option<&V>) -> Result<()> {
        let Some(value) = value else {
            return self.write_null(key);
        };
        let Inner { bytes, codec, .. } = &*self.0;
        self.0.with_key(key, |key| {
            self.0.value.with(|buffer| {
                codec.write_value(value, buffer)?;
                bytes.put(key, Some(buffer));
                bytes.log(key, Some(buffer), bytes.record_timestamp_ms())
            })
        })
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
        let bytes = &self.0.bytes;
        self.0.with_key(key, |key| {
            bytes.put(key, None);
            bytes.log(key, None, bytes.record_timestamp_ms())
        })
    }
}

impl<K: 'static, V: 'static> TaskTimestampedKeyValueStore<K, V> {
    /// Writes a value as of `timestamp_ms`, in milliseconds since the epoch; `None` deletes.
    pub fn put(&self, key: &K, value: Option<&V>, timestamp_ms: i64) -> Result<()> {
        let Inner { bytes, codec, .. } = &*self.0;
        self.0.with_key(key, |key| {
            let Some(value) = value else {
                bytes.put(key, None);
                return bytes.log(key, None, timestamp_ms);
            };
            self.0.value.with(|buffer| {
                codec.write_timestamped(value, timestamp_ms, buffer)?;
                bytes.put(key, Some(buffer));
                let (_, plain) = codec.split_timestamp(buffer)?;
                bytes.log(key, Some(plain), timestamp_ms)
            })
        })
    }

    fn write_null(&self, key: &K) -> Result<()> {
        self.put(key, None, self.0.bytes.record_timestamp_ms())
    }
}
