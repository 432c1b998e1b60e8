//! Which keys a store may hold entries of, of the times that are read.

use std::collections::VecDeque;
use std::hash::BuildHasher;

use foldhash::fast::RandomState;

use crate::store::overlay::Write;

/// Takes a key as it stands on disk apart into what it is of and its time, in milliseconds since
/// the epoch; `None` if it is no such key.
pub(super) type PartsOf = fn(&[u8]) -> Option<(&[u8], i64)>;

/// Remembers the keys of what was committed lately, so that RocksDB need not be asked for most of
/// those that it holds nothing of.
///
/// A join looks for each record among the other side's, and the first of two finds nothing: such a
/// look-up would read a block of every file.
#[derive(Debug)]
pub(super) struct SeenKeys {
    hasher: RandomState,
    parts_of: PartsOf,
    /// The newest last.
    filters: VecDeque<Filter>,
    filters_max: usize,
    filter_keys_max: usize,
    /// The largest time of what was committed and is in no filter.
    unknown_until_ms: i64,
}

/// A Bloom filter of keys.
#[derive(Debug)]
struct Filter {
    bits: Box<[u64; FILTER_WORDS]>,
    keys: usize,
    /// The times of its keys' entries.
    times_ms: (i64, i64),
}

const FILTER_WORDS: usize = 1024;
/// Ten bits a key: of a hundred that are not there, a full filter takes one for one that is. Every
/// filter with entries of the times that are read is asked, so all of them together take one of
/// seven.
const FILTER_KEYS_MAX: usize = FILTER_WORDS * 64 / 10;
const PROBES: u64 = 5;
/// 128 KiB a store at most. A window with more keys than these hold is looked for in RocksDB.
const FILTERS_MAX: usize = 16;
/// The times of no entry.
const NO_TIMES: (i64, i64) = (i64::MAX, i64::MIN);

impl SeenKeys {
    /// Nothing is known of what was committed up to `committed_ms`.
    pub(super) fn new(committed_ms: i64, parts_of: PartsOf) -> Self {
        Self {
            hasher: RandomState::default(),
            parts_of,
            filters: VecDeque::new(),
            filters_max: FILTERS_MAX,
            filter_keys_max: FILTER_KEYS_MAX,
            unknown_until_ms: committed_ms,
        }
    }

    /// These writes are committed.
    pub(super) fn committed<'w>(&mut self, writes: impl Iterator<Item = Write<'w>>) {
        let parts_of = self.parts_of;
        for (key, time_ms) in writes.filter_map(|(key, _)| parts_of(key)) {
            let hash = self.hasher.hash_one(key);
            self.newest().add(hash, time_ms);
        }
    }

    /// The filter that has room for another key.
    fn newest(&mut self) -> &mut Filter {
        let is_full = |filter: &Filter| filter.keys >= self.filter_keys_max;
        if self.filters.back().is_none_or(is_full) {
            if self.filters.len() < self.filters_max {
                self.filters.push_back(Filter::default());
            } else {
                // The oldest becomes the newest.
                self.filters.rotate_left(1);
                if let Some(oldest) = self.filters.back_mut() {
                    self.unknown_until_ms = self.unknown_until_ms.max(oldest.times_ms.1);
                    oldest.clear();
                }
            }
        }
        let last = self.filters.len() - 1;
        &mut self.filters[last]
    }

    /// Whether there may be committed entries of a key between two times, both included.
    pub(super) fn may_hold(&self, key: &[u8], from_ms: i64, to_ms: i64) -> bool {
        if from_ms <= self.unknown_until_ms {
            return true;
        }
        let hash = self.hasher.hash_one(key);
        let mut filters = self.filters.iter().rev();
        filters.any(|filter| {
            let (first_ms, last_ms) = filter.times_ms;
            first_ms <= to_ms && from_ms <= last_ms && filter.may_hold(hash)
        })
    }
}

impl Filter {
    fn add(&mut self, hash: u64, time_ms: i64) {
        let mut is_new = false;
        for (word, bit) in probes(hash) {
            is_new |= self.bits[word] & bit == 0;
            self.bits[word] |= bit;
        }
        self.keys += usize::from(is_new);
        let (first_ms, last_ms) = self.times_ms;
        self.times_ms = (first_ms.min(time_ms), last_ms.max(time_ms));
    }

    fn may_hold(&self, hash: u64) -> bool {
        probes(hash).all(|(word, bit)| self.bits[word] & bit != 0)
    }

    fn clear(&mut self) {
        self.bits.fill(0);
        self.keys = 0;
        self.times_ms = NO_TIMES;
    }
}

impl Default for Filter {
    fn default() -> Self {
        Self {
            bits: Box::new([0; FILTER_WORDS]),
            keys: 0,
            times_ms: NO_TIMES,
        }
    }
}

/// The bits of a hash: the word's index, and the bit in it.
fn probes(hash: u64) -> impl Iterator<Item = (usize, u64)> {
    // Two halves of a hash serve for as many as are wanted (Kirsch and Mitzenmacher).
    let (first, step) = (hash & u64::from(u32::MAX), (hash >> 32) | 1);
    (0..PROBES).map(move |probe| {
        let bit = first.wrapping_add(probe.wrapping_mul(step)) % (FILTER_WORDS as u64 * 64);
        ((bit / 64) as usize, 1 << (bit % 64))
    })
}

#[cfg(test)]
#[path = "seen_keys_test.rs"]
mod tests;
