//! What a task has written and not yet committed.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;

use crate::store::engine::Span;

/// A key and its new value; `None` deletes.
pub(super) type Write<'a> = (&'a [u8], Option<&'a [u8]>);

/// Uncommitted writes of one store, read through by the task and unseen by everybody else.
///
/// A hash table as long as the task asks for single keys only; from the first range on an ordered
/// map, so that no cost grows with the number of writes but a lookup's logarithm.
pub(super) struct Overlay {
    hashed: HashMap<Box<[u8]>, Option<Box<[u8]>>>,
    ordered: BTreeMap<Box<[u8]>, Option<Box<[u8]>>>,
    /// Which of the two holds the entries.
    is_ordered: bool,
    /// Ranges `[from, to)` whose committed entries are deleted.
    deleted: Vec<KeyRange>,
    bytes: usize,
}

/// From a key to another, which is excluded.
type KeyRange = (Box<[u8]>, Box<[u8]>);

/// What an entry costs besides its bytes.
const ENTRY_OVERHEAD_BYTES: usize = 64;

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
            hashed: HashMap::new(),
            ordered: BTreeMap::new(),
            is_ordered: false,
            deleted: Vec::new(),
            bytes: 0,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0 && self.deleted.is_empty()
    }

    /// The number of keys written.
    pub(super) fn len(&self) -> usize {
        self.hashed.len() + self.ordered.len()
    }

    /// The memory that the writes take, about.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn get(&self, key: &[u8]) -> Found<'_> {
        let entry = if self.is_ordered {
            self.ordered.get(key)
        } else {
            self.hashed.get(key)
        };
        match entry {
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
        let place = if self.is_ordered {
            self.ordered.get_mut(key)
        } else {
            self.hashed.get_mut(key)
        };
        if let Some(place) = place {
            self.bytes = self.bytes + size - place.as_ref().map_or(0, |old| old.len());
            *place = value;
            return;
        }
        self.bytes += key.len() + size + ENTRY_OVERHEAD_BYTES;
        if self.is_ordered {
            self.ordered.insert(Box::from(key), value);
        } else {
            self.hashed.insert(Box::from(key), value);
        }
    }

    /// Deletes all entries in `[from, to)`, those of the overlay and those committed.
    pub(super) fn delete_range(&mut self, from: &[u8], to: &[u8]) {
        if from >= to {
            return;
        }
        self.order();
        let span = Span {
            lower: Bound::Included(from),
            upper: Bound::Excluded(to),
            is_reverse: false,
        };
        let keys: Vec<Box<[u8]>> = self.range(span).map(|(key, _)| Box::from(key)).collect();
        for key in keys {
            let removed = self.ordered.remove(&key).flatten();
            let size = key.len() + removed.map_or(0, |value| value.len());
            self.bytes -= size + ENTRY_OVERHEAD_BYTES;
        }
        self.deleted.push((Box::from(from), Box::from(to)));
    }

    /// Puts the entries in order, so that ranges of them can be read.
    pub(super) fn order(&mut self) {
        if !self.is_ordered {
            self.ordered = std::mem::take(&mut self.hashed).into_iter().collect();
            self.is_ordered = true;
        }
    }

    /// The writes of a span in its order; [`Self::order`] must have been called.
    pub(super) fn range(&self, span: Span<'_>) -> Box<dyn Iterator<Item = Write<'_>> + '_> {
        debug_assert!(self.is_ordered, "ranges are read of ordered entries");
        if is_empty_range(span.lower, span.upper) {
            return Box::new(std::iter::empty());
        }
        let range = self.ordered.range::<[u8], _>((span.lower, span.upper));
        let range = range.map(|(key, value)| (&**key, value.as_deref()));
        if span.is_reverse {
            Box::new(range.rev())
        } else {
            Box::new(range)
        }
    }

    /// The ranges whose committed entries are deleted.
    pub(super) fn deleted_ranges(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.deleted.iter().map(|(from, to)| (&**from, &**to))
    }

    /// Every write, in no order. Those that stand in a deleted range were made after the deletion.
    pub(super) fn writes(&self) -> impl Iterator<Item = Write<'_>> {
        let writes = self.hashed.iter().chain(&self.ordered);
        writes.map(|(key, value)| (&**key, value.as_deref()))
    }

    /// Forgets everything: it is committed, or given up.
    pub(super) fn clear(&mut self) {
        self.hashed.clear();
        self.ordered.clear();
        self.deleted.clear();
        self.bytes = 0;
    }
}

/// Whether nothing lies between two bounds; `BTreeMap::range` panics on some of these.
pub(super) fn is_empty_range(lower: Bound<&[u8]>, upper: Bound<&[u8]>) -> bool {
    match (lower, upper) {
        (Bound::Unbounded, _) | (_, Bound::Unbounded) => false,
        (Bound::Included(lower), Bound::Included(upper)) => lower > upper,
        (Bound::Included(lower) | Bound::Excluded(lower), Bound::Excluded(upper))
        | (Bound::Excluded(lower), Bound::Included(upper)) => lower >= upper,
    }
}
