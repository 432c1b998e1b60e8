//! Between a store's types and its bytes.

use std::cell::Cell;
use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};
use crate::record::Headers;
use crate::serde::{Presence, SerdeError, SharedSerde};

/// A value and its time (`org.apache.kafka.streams.state.ValueAndTimestamp`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ValueAndTimestamp<V> {
    /// The value.
    pub value: V,
    /// The time of the record that it comes from, in milliseconds since the epoch.
    pub timestamp_ms: i64,
}

impl<V> ValueAndTimestamp<V> {
    /// A value as of `timestamp_ms`, in milliseconds since the epoch.
    pub const fn new(value: V, timestamp_ms: i64) -> Self {
        Self {
            value,
            timestamp_ms,
        }
    }
}

/// The serdes of a store.
pub(super) struct Codec<K, V> {
    pub(super) store: Arc<str>,
    /// What the serdes are told as the topic: the changelog, as on the JVM.
    pub(super) topic: Arc<str>,
    pub(super) key: SharedSerde<K>,
    pub(super) value: SharedSerde<V>,
}

impl<K, V> Clone for Codec<K, V> {
    fn clone(&self) -> Self {
        Self {
            store: Arc::clone(&self.store),
            topic: Arc::clone(&self.topic),
            key: Arc::clone(&self.key),
            value: Arc::clone(&self.value),
        }
    }
}

impl<K, V> Codec<K, V> {
    /// Appends the key's bytes.
    pub(super) fn write_key(&self, key: &K, buffer: &mut Vec<u8>) -> Result<()> {
        let written = self
            .key
            .serialize(&self.topic, &mut Headers::new(), key, buffer);
        self.present(written, "write a key")
    }

    /// Appends the value's bytes.
    pub(super) fn write_value(&self, value: &V, buffer: &mut Vec<u8>) -> Result<()> {
        let written = self
            .value
            .serialize(&self.topic, &mut Headers::new(), value, buffer);
        self.present(written, "write a value")
    }

    pub(super) fn read_key(&self, bytes: &[u8]) -> Result<K> {
        let read = self
            .key
            .deserialize(&self.topic, &Headers::new(), Some(bytes));
        read.map_err(|error| self.failed("read a key", error))
    }

    pub(super) fn read_value(&self, bytes: &[u8]) -> Result<V> {
        let read = self
            .value
            .deserialize(&self.topic, &Headers::new(), Some(bytes));
        read.map_err(|error| self.failed("read a value", error))
    }

    /// Reads a time and a value, as [`Self::write_timestamped`] has written them.
    pub(super) fn read_timestamped(&self, bytes: &[u8]) -> Result<ValueAndTimestamp<V>> {
        let (timestamp_ms, value) = self.split_timestamp(bytes)?;
        let value = self.read_value(value)?;
        Ok(ValueAndTimestamp {
            value,
            timestamp_ms,
        })
    }

    /// Appends a time and a value.
    pub(super) fn write_timestamped(
        &self,
        value: &V,
        timestamp_ms: i64,
        buffer: &mut Vec<u8>,
    ) -> Result<()> {
        buffer.extend_from_slice(&timestamp_ms.to_be_bytes());
        self.write_value(value, buffer)
    }

    /// A time and the bytes behind it.
    pub(super) fn split_timestamp<'b>(&self, bytes: &'b [u8]) -> Result<(i64, &'b [u8])> {
        match bytes.split_first_chunk::<8>() {
            Some((time, value)) => Ok((i64::from_be_bytes(*time), value)),
            None => Err(self.damaged("an entry is shorter than its timestamp")),
        }
    }

    fn present(&self, written: Result<Presence, SerdeError>, doing: &str) -> Result<()> {
        match written {
            Ok(Presence::Bytes) => Ok(()),
            Ok(Presence::Null) => {
                let error = SerdeError::new("null cannot be kept in a store");
                Err(self.failed(doing, error))
            }
            Err(error) => Err(self.failed(doing, error)),
        }
    }

    fn failed(&self, doing: &str, error: SerdeError) -> Error {
        let message = format!("cannot {doing} of store={}", self.store);
        Error::with_source(ErrorKind::Serde, message, error)
    }

    /// An entry is not as this store writes it.
    pub(super) fn damaged(&self, what: &str) -> Error {
        let message = format!("store={} is damaged: {what}", self.store);
        Error::new(ErrorKind::Io, message)
    }
}

/// A buffer that is used again and again.
#[derive(Default)]
pub(super) struct Scratch(Cell<Vec<u8>>);

/// A buffer above this is given back, so that one large value does not stay for ever.
const BUFFER_KEPT_BYTES_MAX: usize = 64 * 1024;

impl Scratch {
    /// Lends the buffer, empty.
    #[inline]
    pub(super) fn with<R>(&self, lend: impl FnOnce(&mut Vec<u8>) -> R) -> R {
        let mut buffer = self.0.take();
        buffer.clear();
        let result = lend(&mut buffer);
        if buffer.capacity() <= BUFFER_KEPT_BYTES_MAX {
            self.0.set(buffer);
        }
        result
    }
}
