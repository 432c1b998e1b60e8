//! Which entries of a bounded store were used last.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// The keys of a store that holds so many entries only, in the order in which they were last read
/// or written (`MemoryLRUCache`, whose map is in access order).
#[derive(Default)]
pub(super) struct Recency {
    uses: BTreeMap<u64, Arc<[u8]>>,
    places: HashMap<Arc<[u8]>, u64>,
    next_use: u64,
}

impl Recency {
    /// A key has been used, if it is known.
    pub(super) fn touch(&mut self, key: &[u8]) {
        let Some(place) = self.places.get_mut(key) else {
            return;
        };
        if let Some(key) = self.uses.remove(place) {
            *place = self.next_use;
            self.uses.insert(self.next_use, key);
            self.next_use += 1;
        }
    }

    /// A key has been written; returns the key that was not used for longest, which is known no
    /// more, if there are more than `entries_max`.
    pub(super) fn insert(&mut self, key: &[u8], entries_max: usize) -> Option<Arc<[u8]>> {
        if self.places.contains_key(key) {
            self.touch(key);
            return None;
        }
        let key: Arc<[u8]> = key.into();
        self.places.insert(Arc::clone(&key), self.next_use);
        self.uses.insert(self.next_use, key);
        self.next_use += 1;
        if self.places.len() <= entries_max {
            return None;
        }
        let (_, eldest) = self.uses.pop_first()?;
        self.places.remove(&eldest);
        Some(eldest)
    }

    /// A key has been deleted.
    pub(super) fn remove(&mut self, key: &[u8]) {
        if let Some(place) = self.places.remove(key) {
            self.uses.remove(&place);
        }
    }

    /// Knows exactly these keys, of which those that it has not known are the eldest.
    pub(super) fn reset(&mut self, keys: &[&[u8]]) {
        let known = std::mem::take(self);
        let uses = |key: &[u8]| known.places.get(key).copied();
        let mut keys: Vec<_> = keys.iter().map(|key| (uses(key), *key)).collect();
        keys.sort_unstable();
        for (_, key) in keys {
            self.insert(key, usize::MAX);
        }
    }
}
