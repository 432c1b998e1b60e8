//! What a task has written and not yet committed.

use crate::store::engine::Span;
use crate::store::key_table::KeyTable;

/// A key and its new value; `None` deletes.
pub(super) type Write<'a> = (&'a [u8], Option<&'a [u8]>);

/// Uncommitted writes of one store, read through by the task and unseen by everybody else.
///
/// No cost grows with the number of writes but a lookup's logarithm.
pub(super) struct Overlay {
    writes: KeyTable<Option<Box<[u8]>>>,
    /// Ranges `[from, to)` whose committed entries are deleted.
    deleted: Vec<KeyRange>,
    bytes: usize,
}

/// From a key to another, which is excluded.
type KeyRange = (Box<[u8]>, Box<[u8]>);

/// What an entry costs besides its bytes.
pub(super) const ENTRY_OVERHEAD_BYTES: usize = 64;

/// What the overlay says about a key.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found<'a> {
    /// It is written, or deleted.
    Written(Option<&'a [u8]>),
    /// The committed entry stands.
    Untouched,
}

impl Overlay {
    pub(super) fn new() -> Self {
        Self {
            writes: KeyTable::new(),
            deleted: Vec::new(),
            bytes: 0,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0 && self.deleted.is_empty()
    }

    /// The number of keys written.
    pub(super) fn len(&self) -> usize {
        self.writes.len()
    }

    /// The memory that the writes take, about.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn get(&self, key: &[u8]) -> Found<'_> {
        match self.writes.get(key) {
            Some(value) => Found::Written(value.as_deref()),
            None if self.is_deleted(key) => Found::Written(None),
            None => Found::Untouched,
        }
    }

    /// Whether the committed entry of this key is deleted with its range.
    pub(super) fn is_deleted(&self, key: &[u8]) -> bool {
        self.deleted
            .iter()
            .any(|(from, to)| &**from <= key && key < &**to)
    }

    pub(super) fn put(&mut self, key: &[u8], value: Option<&[u8]>) {
        let size = value.map_or(0, <[u8]>::len);
        let value = value.map(Box::from);
        if let Some(place) = self.writes.get_mut(key) {
            self.bytes = self.bytes + size - place.as_ref().map_or(0, |old| old.len());
            *place = value;
            return;
        }
        self.bytes += key.len() + size + ENTRY_OVERHEAD_BYTES;
        self.writes.insert(key, value);
    }

    /// Deletes all entries in `[from, to)`, those of the overlay and those committed.
    pub(super) fn delete_range(&mut self, from: &[u8], to: &[u8]) {
        if from >= to {
            return;
        }
        let bytes = &mut self.bytes;
        self.writes.remove_range(from, to, |key, value| {
            let size = key.len() + value.map_or(0, |value| value.len());
            *bytes -= size + ENTRY_OVERHEAD_BYTES;
        });
        // Segments are dropped one after the other, and so is their index: each one range.
        let mut last = self.deleted.iter_mut().rev().take(2);
        match last.find(|(_, end)| **end == *from) {
            Some((_, end)) => *end = Box::from(to),
            None => self.deleted.push((Box::from(from), Box::from(to))),
        }
    }

    /// Puts the entries in order, so that ranges of them can be read.
    pub(super) fn order(&mut self) {
        self.writes.order();
    }

    /// The writes of a span in its order; [`Self::order`] must have been called.
    pub(super) fn range(&self, span: Span<'_>) -> impl Iterator<Item = Write<'_>> {
        let range = self.writes.range(span);
        range.map(|(key, value)| (key, value.as_deref()))
    }

    /// The ranges whose committed entries are deleted.
    pub(super) fn deleted_ranges(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.deleted.iter().map(|(from, to)| (&**from, &**to))
    }

    /// Every write, in no order. Those that stand in a deleted range were made after the deletion.
    pub(super) fn writes(&self) -> impl Iterator<Item = Write<'_>> {
        let writes = self.writes.iter();
        writes.map(|(key, value)| (key, value.as_deref()))
    }

    /// Every write, in no order, to whom it may serve further; nothing is left.
    pub(super) fn take_writes(
        &mut self,
    ) -> impl Iterator<Item = (Box<[u8]>, Option<Box<[u8]>>)> + '_ {
        self.deleted.clear();
        self.bytes = 0;
        self.writes.drain()
    }

    /// Forgets everything: it is committed, or given up.
    pub(super) fn clear(&mut self) {
        self.writes.clear();
        self.deleted.clear();
        self.bytes = 0;
    }
}
