//! A map by key that is put in order only when somebody asks for a range of it.

use std::borrow::Borrow;
use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;

use foldhash::fast::RandomState;

use crate::store::engine::Span;

/// Values by key: a hash table as long as single keys are asked for only, and an ordered map from
/// the first range on.
pub(super) struct KeyTable<V> {
    hashed: HashMap<Box<[u8]>, V, RandomState>,
    ordered: BTreeMap<Box<[u8]>, V>,
    /// Which of the two holds the entries.
    is_ordered: bool,
}

impl<V> KeyTable<V> {
    pub(super) fn new() -> Self {
        Self {
            hashed: HashMap::default(),
            ordered: BTreeMap::new(),
            is_ordered: false,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.hashed.len() + self.ordered.len()
    }

    pub(super) fn get(&self, key: &[u8]) -> Option<&V> {
        if self.is_ordered {
            self.ordered.get(key)
        } else {
            self.hashed.get(key)
        }
    }

    pub(super) fn get_mut(&mut self, key: &[u8]) -> Option<&mut V> {
        if self.is_ordered {
            self.ordered.get_mut(key)
        } else {
            self.hashed.get_mut(key)
        }
    }

    pub(super) fn insert(&mut self, key: &[u8], value: V) {
        if self.is_ordered {
            self.ordered.insert(Box::from(key), value);
        } else {
            self.hashed.insert(Box::from(key), value);
        }
    }

    /// Puts the entries in order, so that ranges of them can be read.
    pub(super) fn order(&mut self) {
        if !self.is_ordered {
            self.ordered = std::mem::take(&mut self.hashed).into_iter().collect();
            self.is_ordered = true;
        }
    }

    /// The entries of a span in its order; [`Self::order`] must have been called.
    pub(super) fn range(&self, span: Span<'_>) -> Box<dyn Iterator<Item = (&[u8], &V)> + '_> {
        debug_assert!(self.is_ordered, "ranges are read of ordered entries");
        range_of(&self.ordered, span)
    }

    /// Every entry, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&[u8], &V)> {
        let entries = self.hashed.iter().chain(&self.ordered);
        entries.map(|(key, value)| (&**key, value))
    }

    /// Removes the entries that `keep` says no to.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(&[u8], &V) -> bool) {
        self.hashed.retain(|key, value| keep(key, value));
        self.ordered.retain(|key, value| keep(key, value));
    }
}

/// The entries of a span of an ordered map, in the span's order.
pub(super) fn range_of<'a, K, V>(
    entries: &'a BTreeMap<K, V>,
    span: Span<'_>,
) -> Box<dyn Iterator<Item = (&'a [u8], &'a V)> + 'a>
where
    K: Borrow<[u8]> + Ord,
{
    if is_empty_range(span.lower, span.upper) {
        return Box::new(std::iter::empty());
    }
    let range = entries.range::<[u8], _>((span.lower, span.upper));
    let range = range.map(|(key, value)| (key.borrow(), value));
    if span.is_reverse {
        Box::new(range.rev())
    } else {
        Box::new(range)
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
