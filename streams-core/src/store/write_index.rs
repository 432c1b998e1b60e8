//! Uncommitted writes by what their keys are of.

use std::hash::BuildHasher as _;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

/// Finds the places of writes by a part of their keys, where few writes have it in common.
///
/// A join mostly reads the few windows of one key: an ordered map of all writes would compare a
/// dozen keys for each look-up and each write.
#[derive(Default)]
pub(super) struct WriteIndex {
    hasher: RandomState,
    /// Whether it was asked since it was cleared the last time.
    is_used: bool,
    /// For each part, the last write of it.
    last: HashTable<Chain>,
    /// For each write by its place, the one before of the same part; or [`NO_PLACE`].
    before: Vec<u32>,
}

/// The writes of one part; parts with the same hash share it.
struct Chain {
    hash: u64,
    /// The last one's place.
    place: u32,
    len: u32,
}

const NO_PLACE: u32 = u32::MAX;
/// More writes of a part are not walked through: a few of them are found faster in their order.
const CHAIN_LEN_MAX: u32 = 64;
/// The room for more parts than these is given back.
const PARTS_KEPT_MAX: usize = 16 * 1024;

impl WriteIndex {
    /// Adds the write of the next place.
    pub(super) fn add(&mut self, part: &[u8]) {
        let hash = self.hasher.hash_one(part);
        // Places are numbers of entries at most, which are as long.
        let place = self.before.len() as u32;
        let before = match self.last.find_mut(hash, |chain| chain.hash == hash) {
            Some(chain) => {
                chain.len += 1;
                std::mem::replace(&mut chain.place, place)
            }
            None => {
                let len = 1;
                let chain = Chain { hash, place, len };
                self.last.insert_unique(hash, chain, |chain| chain.hash);
                NO_PLACE
            }
        };
        self.before.push(before);
    }

    /// The places of the writes of a part, the last one first, and perhaps some of other parts;
    /// `None` if there are many.
    pub(super) fn find(&mut self, part: &[u8]) -> Option<impl Iterator<Item = u32>> {
        self.is_used = true;
        let hash = self.hasher.hash_one(part);
        let chain = self.last.find(hash, |chain| chain.hash == hash);
        if chain.is_some_and(|chain| chain.len > CHAIN_LEN_MAX) {
            return None;
        }
        let is_place = |place: &u32| *place != NO_PLACE;
        let last = chain.map(|chain| chain.place);
        let places = std::iter::successors(last, |place| self.before.get(*place as usize).copied());
        Some(places.take_while(is_place))
    }

    /// The index without writes; `None` if it was not asked since this was done before.
    pub(super) fn cleared(mut self) -> Option<Self> {
        if !std::mem::take(&mut self.is_used) {
            return None;
        }
        self.before.clear();
        if self.last.capacity() > PARTS_KEPT_MAX {
            self.last = HashTable::new();
        }
        self.last.clear();
        Some(self)
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
        let find = |index: &mut WriteIndex, part: &[u8]| {
            let places = index.find(part);
            places.map(Iterator::collect::<Vec<_>>)
        };
        assert_eq!(find(&mut index, b"a"), Some(vec![4, 2, 0]));
        assert_eq!(find(&mut index, b"b"), Some(vec![1]));
        assert_eq!(find(&mut index, b""), Some(vec![3]));
        assert_eq!(find(&mut index, b"c"), Some(vec![]));
        let mut index = index.cleared().unwrap();
        assert_eq!(find(&mut index, b"a"), Some(vec![]));
        index.add(b"a");
        assert_eq!(find(&mut index, b"a"), Some(vec![0]));
    }

    #[test]
    fn many_writes_of_a_part_are_not_walked_through() {
        let mut index = WriteIndex::default();
        for _ in 0..CHAIN_LEN_MAX {
            index.add(b"a");
        }
        let count = index.find(b"a").map(Iterator::count);
        assert_eq!(count, Some(CHAIN_LEN_MAX as usize));
        index.add(b"a");
        assert!(index.find(b"a").is_none());
        assert!(index.find(b"b").is_some());
    }

    #[test]
    fn an_index_that_nobody_asks_is_given_up() {
        let mut index = WriteIndex::default();
        index.add(b"a");
        index.find(b"a");
        let mut index = index.cleared().unwrap();
        index.add(b"a");
        assert!(index.cleared().is_none());
    }
}
