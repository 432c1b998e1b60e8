//! The buffer of a join with grace: every record, until its time has come.

use std::cell::Cell;
use std::ops::Bound;
use std::rc::Rc;

use crate::error::Result;
use crate::record::Headers;
use crate::store::buffer::value::BufferValue;
use crate::store::buffer::{Eviction, NO_TIMESTAMP};
use crate::store::bytes::ByteStore;
use crate::store::codec::{Codec, Scratch};
use crate::store::engine::{Entry, Span};

struct Inner<K, V> {
    bytes: ByteStore,
    codec: Codec<K, V>,
    grace_ms: i64,
    key: Scratch,
    value: Scratch,
    /// No record waits with a time below this.
    first_ms: Cell<i64>,
}

/// The buffer in which a join with grace keeps records back until the table has had time for its
/// changes, as its task sees it (`RocksDBTimeOrderedKeyValueBuffer`).
pub struct TaskTimeOrderedBuffer<K, V>(Rc<Inner<K, V>>);

impl<K, V> Clone for TaskTimeOrderedBuffer<K, V> {
    fn clone(&self) -> Self {
        Self(Rc::clone(&self.0))
    }
}

/// What a key begins with (`PrefixedWindowKeySchemas.TimeFirstWindowKeySchema`).
const TIME_FIRST: u8 = 0;
/// The records that are taken from the store at a time.
const CHUNK_LENGTH: usize = 64;

/// The bytes in front of the user's key, and behind it.
const PREFIX_BYTES: usize = 9;
const SEQUENCE_BYTES: usize = 4;

/// A key, taken apart.
struct BufferKey<'a> {
    time_ms: i64,
    key: &'a [u8],
    sequence: u32,
}

impl<'a> BufferKey<'a> {
    /// `None` if it is too short for one, or another.
    fn of(bytes: &'a [u8]) -> Option<Self> {
        let (prefix, rest) = bytes.split_first_chunk::<PREFIX_BYTES>()?;
        let (key, sequence) = rest.split_last_chunk::<SEQUENCE_BYTES>()?;
        let (kind, time) = prefix.split_first()?;
        Some(Self {
            time_ms: i64::from_be_bytes(time.try_into().ok()?),
            key,
            sequence: u32::from_be_bytes(*sequence),
        })
        .filter(|_| *kind == TIME_FIRST)
    }
}

fn time_prefix(time_ms: i64) -> [u8; PREFIX_BYTES] {
    let mut prefix = [TIME_FIRST; PREFIX_BYTES];
    if let Some((_, time)) = prefix.split_first_mut() {
        time.copy_from_slice(&time_ms.to_be_bytes());
    }
    prefix
}

/// Writes what a changelog record says, when a store is restored; what is no such record is
/// returned as `None`.
pub(in crate::store) fn restore(bytes: &ByteStore, key: &[u8], value: Option<&[u8]>) -> Option<()> {
    let parts = BufferKey::of(key)?;
    if let Some(value) = value {
        BufferValue::decode(value)?;
    }
    bytes.observe_time(parts.time_ms);
    bytes.observe_sequence(parts.sequence);
    bytes.put(key, value);
    Some(())
}

impl<K: 'static, V: 'static> TaskTimeOrderedBuffer<K, V> {
    pub(in crate::store) fn new(bytes: ByteStore, codec: Codec<K, V>, grace_ms: i64) -> Self {
        Self(Rc::new(Inner {
            bytes,
            codec,
            grace_ms,
            key: Scratch::default(),
            value: Scratch::default(),
            first_ms: Cell::new(0),
        }))
    }

    pub(in crate::store) fn bytes(&self) -> &ByteStore {
        &self.0.bytes
    }

    /// The store's name.
    pub fn name(&self) -> &str {
        self.bytes().name()
    }

    /// Keeps the record at hand back, unless its grace is over; returns whether it was.
    ///
    /// # Errors
    /// If key or value cannot be written, or the store cannot be read, as for all methods here.
    pub fn put(&self, key: &K, value: &V) -> Result<bool> {
        let Inner {
            bytes,
            codec,
            first_ms,
            ..
        } = &*self.0;
        let time_ms = bytes.record_timestamp_ms();
        if time_ms < self.last_due_ms() {
            return Ok(false);
        }
        self.0.key.with(|key_bytes| {
            key_bytes.extend_from_slice(&time_prefix(time_ms));
            codec.write_key(key, key_bytes)?;
            key_bytes.extend_from_slice(&bytes.next_sequence().to_be_bytes());
            self.0.value.with(|value_bytes| {
                codec.write_value(value, value_bytes)?;
                let value = BufferValue {
                    prior: None,
                    old: None,
                    new: Some(Box::from(&**value_bytes)),
                    record: bytes.record_at_hand(),
                };
                // The time behind it stands in the key already.
                self.write(key_bytes, Some(&value.encode(0)))
            })
        })?;
        bytes.observe_time(time_ms);
        first_ms.set(first_ms.get().min(time_ms));
        Ok(true)
    }

    /// Lets the records go whose grace is over, in the order of their times.
    pub fn evict(&self, mut forward: impl FnMut(Eviction<K, V>)) -> Result<()> {
        let last_due_ms = self.last_due_ms();
        if self.0.first_ms.get() > last_due_ms {
            return Ok(());
        }
        loop {
            let entries = self.due(last_due_ms)?;
            for (key, value) in &entries {
                self.let_go(key, value, &mut forward)?;
            }
            if entries.len() < CHUNK_LENGTH {
                break;
            }
        }
        self.0.first_ms.set(last_due_ms.saturating_add(1));
        Ok(())
    }

    /// The largest time whose grace is over.
    fn last_due_ms(&self) -> i64 {
        self.bytes()
            .observed_time_ms()
            .saturating_sub(self.0.grace_ms)
    }

    fn due(&self, last_due_ms: i64) -> Result<Vec<Entry>> {
        let span = Span {
            lower: Bound::Included(&time_prefix(self.0.first_ms.get())),
            upper: Bound::Excluded(&time_prefix(last_due_ms.saturating_add(1))),
            is_reverse: false,
        };
        self.bytes().scan(span, CHUNK_LENGTH)
    }

    fn let_go(
        &self,
        key: &[u8],
        value: &[u8],
        forward: &mut impl FnMut(Eviction<K, V>),
    ) -> Result<()> {
        let codec = &self.0.codec;
        let damaged = || codec.damaged("an entry is no record that waits");
        let parts = BufferKey::of(key).ok_or_else(damaged)?;
        let (BufferValue { new, record, .. }, _) =
            BufferValue::decode(value).ok_or_else(damaged)?;
        let eviction = Eviction {
            key: codec.read_key(parts.key)?,
            value: codec.read_value(&new.ok_or_else(damaged)?)?,
            timestamp_ms: record.timestamp_ms,
            headers: record.headers.clone(),
        };
        self.bytes().with_kept_back(record, || forward(eviction));
        self.write(key, None)
    }

    fn write(&self, key: &[u8], value: Option<&[u8]>) -> Result<()> {
        self.bytes().put(key, value);
        self.bytes()
            .log_with_headers(key, value, NO_TIMESTAMP, &Headers::new())
    }
}
