//! Uncommitted writes by what their keys are of.

use std::hash::BuildHasher as _;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

/// Finds the places of writes by a part of their keys, in one step.
///
/// A join reads the few windows of one key: an ordered map of all writes would compare a dozen keys
/// for each look-up and each write.
#[derive(Default)]
pub(super) struct WriteIndex {
    hasher: RandomState,
    /// For each part, the last write of it.
    last: HashTable<Chain>,
    /// For each write by its place, the one before of the same part; or [`NO_PLACE`].
    before: Vec<u32>,
}

/// The writes of one part; parts with the same hash share it.
struct Chain {
    hash: u64,
    place: u32,
}

const NO_PLACE: u32 = u32::MAX;
/// The room for more parts than these is given back.
const PARTS_KEPT_MAX: usize = 16 * 1024;

impl WriteIndex {
    /// Adds the write of the next place.
    pub(super) fn add(&mut self, part: &[u8]) {
        let hash = self.hasher.hash_one(part);
        // Places are numbers of entries at most, which are as long.
        let place = self.before.len() as u32;
        let before = match self.last.find_mut(hash, |chain| chain.hash == hash) {
            Some(chain) => std::mem::replace(&mut chain.place, place),
            None => {
                let chain = Chain { hash, place };
                self.last.insert_unique(hash, chain, |chain| chain.hash);
                NO_PLACE
            }
        };
        self.before.push(before);
    }

    /// The places of the writes of a part, the last one first, and perhaps some of other parts.
    pub(super) fn find(&self, part: &[u8]) -> impl Iterator<Item = u32> {
        let hash = self.hasher.hash_one(part);
        let chain = self.last.find(hash, |chain| chain.hash == hash);
        let is_place = |place: &u32| *place != NO_PLACE;
        let last = chain.map(|chain| chain.place);
        std::iter::successors(last, |place| self.before.get(*place as usize).copied())
            .take_while(is_place)
    }

    /// Forgets every write.
    pub(super) fn clear(&mut self) {
        self.before.clear();
        if self.last.capacity() > PARTS_KEPT_MAX {
            self.last = HashTable::new();
            self.before = Vec::new();
        }
        self.last.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_of_a_part_are_found_from_the_last_to_the_first() {
        let mut index = WriteIndex::default();
        for part in [&b"a"[..], b"b", b"a", b"", b"a"] {
            index.add(part);
        }
        let find = |index: &WriteIndex, part: &[u8]| index.find(part).collect::<Vec<_>>();
        assert_eq!(find(&index, b"a"), [4, 2, 0]);
        assert_eq!(find(&index, b"b"), [1]);
        assert_eq!(find(&index, b""), [3]);
        assert!(find(&index, b"c").is_empty());
        index.clear();
        assert!(find(&index, b"a").is_empty());
        index.add(b"a");
        assert_eq!(find(&index, b"a"), [0]);
    }
}
