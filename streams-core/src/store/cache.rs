//! The record cache of a store: writes that are kept back, so that of several to one key only the
//! last goes on.

use crate::record::Headers;
use crate::store::context::RecordView;
use crate::store::engine::Span;
use crate::store::key_table::KeyTable;
use crate::store::overlay::{ENTRY_OVERHEAD_BYTES, Found, Write};

/// A change that the cache of a store has kept back, for whoever forwards it now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirtyEntry<K, V> {
    /// The key.
    pub key: K,
    /// The value now; `None` if the key was deleted.
    pub new_value: Option<V>,
    /// The value below the cache, that is, as it was when the key last left the cache; `None`
    /// where it was not asked for.
    pub old_value: Option<V>,
    /// The time of the change, in milliseconds since the epoch.
    pub timestamp_ms: i64,
    /// The headers of the record that made the last change.
    pub headers: Headers,
}

/// One write that is kept back.
struct Kept {
    value: Option<Box<[u8]>>,
    record: RecordView,
    /// Its place in the order of last writes; `None` once it has gone on.
    write: Option<u64>,
}

/// The writes that one store keeps back (`NamedCache`).
pub(super) struct Cache {
    entries: KeyTable<Kept>,
    bytes: usize,
    bytes_max: usize,
    next_write: u64,
}

/// A write that goes on: its key, its value, and the record that it was made with.
pub(super) type Dirty = (Box<[u8]>, Option<Box<[u8]>>, RecordView);

impl Cache {
    /// A cache that is full with more than `bytes_max` bytes.
    pub(super) fn new(bytes_max: usize) -> Self {
        Self {
            entries: KeyTable::new(),
            bytes: 0,
            bytes_max,
            next_write: 0,
        }
    }

    /// The memory that is taken, about.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn is_full(&self) -> bool {
        self.bytes > self.bytes_max
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.len() == 0
    }

    /// What the cache has of a key.
    pub(super) fn get(&self, key: &[u8]) -> Found<'_> {
        match self.entries.get(key) {
            Some(kept) => Found::Written(kept.value.as_deref()),
            None => Found::Untouched,
        }
    }

    /// Keeps a write back, which goes behind all others in order.
    pub(super) fn put(&mut self, key: &[u8], value: Option<&[u8]>, record: RecordView) {
        let kept = Kept {
            value: value.map(Box::from),
            record,
            write: Some(self.next_write),
        };
        self.next_write += 1;
        self.bytes += kept.bytes();
        if let Some(place) = self.entries.get_mut(key) {
            self.bytes -= place.bytes();
            *place = kept;
        } else {
            self.bytes += key.len();
            self.entries.insert(key, kept);
        }
    }

    /// The writes that are to go on, in the order in which they were last made. They can still be
    /// read, until [`Self::forget_clean`].
    pub(super) fn take_dirty(&mut self) -> Vec<Dirty> {
        let keys = self.entries.iter();
        let mut keys: Vec<(u64, Box<[u8]>)> = keys
            .filter_map(|(key, kept)| Some((kept.write?, Box::from(key))))
            .collect();
        keys.sort_unstable_by_key(|(write, _)| *write);
        let dirty = keys.into_iter().filter_map(|(_, key)| {
            let kept = self.entries.get_mut(&key)?;
            kept.write = None;
            let record = std::mem::take(&mut kept.record);
            Some((key, kept.value.clone(), record))
        });
        dirty.collect()
    }

    /// Forgets the writes that have gone on.
    pub(super) fn forget_clean(&mut self) {
        self.entries.retain(|_, kept| kept.write.is_some());
        let entries = self.entries.iter();
        self.bytes = entries.map(|(key, kept)| key.len() + kept.bytes()).sum();
    }

    /// Puts the entries in order, so that ranges of them can be read.
    pub(super) fn order(&mut self) {
        self.entries.order();
    }

    /// The writes of a span in its order; [`Self::order`] must have been called.
    pub(super) fn range(&self, span: Span<'_>) -> impl Iterator<Item = Write<'_>> {
        let range = self.entries.range(span);
        range.map(|(key, kept)| (key, kept.value.as_deref()))
    }
}

impl Kept {
    fn bytes(&self) -> usize {
        let headers = self.record.headers.iter();
        let headers = headers
            .map(|header| header.key.len() + header.value.as_ref().map_or(0, |value| value.len()));
        let value = self.value.as_ref().map_or(0, |value| value.len());
        value + headers.sum::<usize>() + ENTRY_OVERHEAD_BYTES
    }
}
