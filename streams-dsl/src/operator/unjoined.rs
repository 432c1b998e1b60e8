//! Records of joined streams that have no partner yet
//! (`ListValueStore<TimestampedKeyAndJoinSide, LeftOrRightValue>`).

use std::cell::Cell;

use streams_core::serde::{Deserializer, Presence, SerdeError, Serializer, SharedSerde};
use streams_core::store::TaskListStore;
use streams_core::{Error, ErrorKind, Headers, Result};

/// The key of a record without a partner: ordered by time, then side, then key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SideKey<K> {
    pub(crate) timestamp_ms: i64,
    pub(crate) is_left: bool,
    pub(crate) key: K,
}

/// A value as it is kept: its side and its bytes.
pub(crate) type SideValue = Vec<u8>;

/// Where records without a partner are kept.
pub(crate) type SideStore<K> = TaskListStore<SideKey<K>, SideValue>;

/// Writes the time and the side before the key (`TimestampedKeyAndJoinSideSerializer`).
pub(crate) struct SideKeySerde<K>(pub(crate) SharedSerde<K>);

const TIME_BYTES: usize = 8;

impl<K> Serializer<SideKey<K>> for SideKeySerde<K> {
    fn serialize(
        &self,
        topic: &str,
        headers: &mut Headers,
        data: &SideKey<K>,
        buffer: &mut Vec<u8>,
    ) -> std::result::Result<Presence, SerdeError> {
        buffer.extend_from_slice(&data.timestamp_ms.to_be_bytes());
        buffer.push(u8::from(data.is_left));
        self.0.serialize(topic, headers, &data.key, buffer)
    }
}

impl<K> Deserializer<SideKey<K>> for SideKeySerde<K> {
    fn deserialize(
        &self,
        topic: &str,
        headers: &Headers,
        data: Option<&[u8]>,
    ) -> std::result::Result<SideKey<K>, SerdeError> {
        let parts = data.and_then(|data| {
            let (time, rest) = data.split_first_chunk::<TIME_BYTES>()?;
            let (side, key) = rest.split_first()?;
            Some((i64::from_be_bytes(*time), *side != 0, key))
        });
        let Some((timestamp_ms, is_left, key)) = parts else {
            return Err(SerdeError::new("a key is shorter than its time and side"));
        };
        Ok(SideKey {
            timestamp_ms,
            is_left,
            key: self.0.deserialize(topic, headers, Some(key))?,
        })
    }
}

/// The time that both sides of a join have in common (`KStreamImplJoin.TimeTracker`).
pub(crate) struct JoinTime {
    /// The largest time of the records so far, in milliseconds since the epoch.
    pub(crate) stream_ms: Cell<i64>,
    /// No record without a partner is older than this; unknown at first, since the store may have
    /// been restored.
    pub(crate) oldest_ms: Cell<i64>,
    /// The wall clock's time from which the next look is due.
    pub(crate) next_look_ms: Cell<i64>,
}

impl Default for JoinTime {
    fn default() -> Self {
        Self {
            stream_ms: Cell::new(-1),
            oldest_ms: Cell::new(0),
            next_look_ms: Cell::new(i64::MIN),
        }
    }
}

/// Records without a partner, as one side of the join sees them.
pub(crate) struct Unjoined<K, V, V2> {
    pub(crate) store: SideStore<K>,
    pub(crate) key: SharedSerde<K>,
    pub(crate) this: SharedSerde<V>,
    pub(crate) other: SharedSerde<V2>,
}

/// A value of one side or the other.
pub(crate) enum Side<V, V2> {
    This(V),
    Other(V2),
}

impl<K: Clone + 'static, V: 'static, V2: 'static> Unjoined<K, V, V2> {
    /// Keeps a record of this side.
    pub(crate) fn keep(&self, key: &SideKey<K>, value: &V) -> Result<()> {
        let mut written = vec![u8::from(key.is_left)];
        let store = self.store.name();
        self.this
            .serialize(store, &mut Headers::new(), value, &mut written)
            .map_err(|error| self.damaged(&error))?;
        self.store.append(key, &written)
    }

    /// Whether two keys are the same.
    pub(crate) fn are_same(&self, one: &SideKey<K>, other: &SideKey<K>) -> Result<bool> {
        if (one.timestamp_ms, one.is_left) != (other.timestamp_ms, other.is_left) {
            return Ok(false);
        }
        let (mut bytes, mut other_bytes) = (Vec::new(), Vec::new());
        for (key, bytes) in [(one, &mut bytes), (other, &mut other_bytes)] {
            self.key
                .serialize(self.store.name(), &mut Headers::new(), &key.key, bytes)
                .map_err(|error| self.damaged(&error))?;
        }
        Ok(bytes == other_bytes)
    }

    /// Forgets the records of a key that have found a partner.
    pub(crate) fn forget(&self, key: &SideKey<K>) -> Result<()> {
        self.store.delete_if_present(key).map(|_| ())
    }

    /// Reads a value that has been kept.
    pub(crate) fn read(&self, value: &[u8], is_left: bool) -> Result<Side<V, V2>> {
        let Some((side, bytes)) = value.split_first() else {
            return Err(self.damaged(&SerdeError::new("a value has no side")));
        };
        let (store, headers) = (self.store.name(), &Headers::new());
        let read = if (*side != 0) == is_left {
            let value = self.this.deserialize(store, headers, Some(bytes));
            value.map(Side::This)
        } else {
            let value = self.other.deserialize(store, headers, Some(bytes));
            value.map(Side::Other)
        };
        read.map_err(|error| self.damaged(&error))
    }

    fn damaged(&self, error: &SerdeError) -> Error {
        let store = self.store.name();
        Error::new(ErrorKind::Serde, format!("store={store}: {error}"))
    }
}
