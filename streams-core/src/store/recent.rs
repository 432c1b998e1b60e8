//! Committed entries that were read or written lately, so that reading them again costs no look-up
//! in RocksDB.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use foldhash::fast::RandomState;

use crate::store::overlay::{ENTRY_OVERHEAD_BYTES, Overlay};

/// The memory that the recent entries of all stores of a process may take together, in equal parts.
#[derive(Debug)]
pub(super) struct RecentMemory {
    bytes_max: usize,
    stores: AtomicUsize,
}

impl RecentMemory {
    pub(super) fn new(bytes_max: usize) -> Self {
        Self {
            bytes_max,
            stores: AtomicUsize::new(0),
        }
    }

    /// What one store may take.
    fn part(&self) -> usize {
        self.bytes_max / self.stores.load(Ordering::Relaxed).max(1)
    }
}

/// Values by key, `None` for what is known not to be there.
type Entries = HashMap<Box<[u8]>, Option<Box<[u8]>>, RandomState>;

/// The recent entries of one store, as they are committed.
///
/// Two generations: what is used goes to the young one, and when that has half of the memory the old
/// one is dropped and the young one takes its place. What is used all the time stays.
pub(super) struct Recent {
    young: Entries,
    old: Entries,
    young_bytes: usize,
    /// Whether single keys are read at all: else what is committed need not be kept.
    is_read: bool,
    memory: Arc<RecentMemory>,
}

impl Recent {
    pub(super) fn new(memory: &Arc<RecentMemory>) -> Self {
        memory.stores.fetch_add(1, Ordering::Relaxed);
        Self {
            young: Entries::default(),
            old: Entries::default(),
            young_bytes: 0,
            is_read: false,
            memory: Arc::clone(memory),
        }
    }

    /// The committed value of a key, if it is known.
    pub(super) fn get(&mut self, key: &[u8]) -> Option<Option<&[u8]>> {
        self.is_read = true;
        if !self.young.contains_key(key) {
            let (key, value) = self.old.remove_entry(key)?;
            self.insert(key, value);
        }
        self.young.get(key).map(Option::as_deref)
    }

    /// Notes what has been read.
    pub(super) fn note(&mut self, key: &[u8], value: &[u8]) {
        self.insert(Box::from(key), Some(Box::from(value)));
    }

    /// Takes over what is being committed.
    pub(super) fn commit(&mut self, overlay: &mut Overlay) {
        let is_deleted = |key: &[u8]| overlay.is_deleted(key);
        if overlay.deleted_ranges().next().is_some() {
            self.young.retain(|key, _| !is_deleted(key));
            self.old.retain(|key, _| !is_deleted(key));
        }
        if !self.is_read {
            overlay.clear();
            return;
        }
        for (key, value) in overlay.take_writes() {
            self.old.remove(&key);
            self.insert(key, value);
        }
    }

    fn insert(&mut self, key: Box<[u8]>, value: Option<Box<[u8]>>) {
        let bytes = |value: &Option<Box<[u8]>>| value.as_ref().map_or(0, |value| value.len());
        let (key_bytes, value_bytes) = (key.len(), bytes(&value));
        match self.young.insert(key, value) {
            Some(before) => {
                self.young_bytes = (self.young_bytes + value_bytes).saturating_sub(bytes(&before));
            }
            None => self.young_bytes += key_bytes + value_bytes + ENTRY_OVERHEAD_BYTES,
        }
        if self.young_bytes > self.memory.part() / 2 {
            // The table is kept, so that it need not grow anew.
            std::mem::swap(&mut self.young, &mut self.old);
            self.young.clear();
            self.young_bytes = 0;
        }
    }
}

impl Drop for Recent {
    fn drop(&mut self) {
        self.memory.stores.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn committed(recent: &mut Recent, writes: &[(&[u8], Option<&[u8]>)]) {
        let mut overlay = Overlay::new();
        for (key, value) in writes {
            overlay.put(key, *value);
        }
        recent.commit(&mut overlay);
        assert!(overlay.is_empty());
    }

    #[test]
    fn what_is_committed_is_known_once_anything_is_read() {
        let mut recent = Recent::new(&Arc::new(RecentMemory::new(1 << 20)));
        committed(&mut recent, &[(b"a", Some(b"1"))]);
        assert_eq!(recent.get(b"a"), None);
        committed(&mut recent, &[(b"a", Some(b"2")), (b"b", None)]);
        assert_eq!(recent.get(b"a"), Some(Some(&b"2"[..])));
        assert_eq!(recent.get(b"b"), Some(None));
        assert_eq!(recent.get(b"c"), None);
    }

    #[test]
    fn a_deleted_range_is_forgotten_but_for_what_was_written_after() {
        let mut recent = Recent::new(&Arc::new(RecentMemory::new(1 << 20)));
        recent.note(b"a", b"1");
        recent.note(b"b", b"1");
        recent.note(b"d", b"1");
        assert!(recent.get(b"a").is_some());
        let mut overlay = Overlay::new();
        overlay.delete_range(b"a", b"c");
        overlay.put(b"b", Some(b"2"));
        recent.commit(&mut overlay);
        assert_eq!(recent.get(b"a"), None);
        assert_eq!(recent.get(b"b"), Some(Some(&b"2"[..])));
        assert_eq!(recent.get(b"d"), Some(Some(&b"1"[..])));
    }

    #[test]
    fn what_is_used_stays_within_the_bound_and_the_rest_goes() {
        let memory = Arc::new(RecentMemory::new(20 * (ENTRY_OVERHEAD_BYTES + 3)));
        let mut recent = Recent::new(&memory);
        for number in 0..1_000_u16 {
            recent.note(&number.to_be_bytes(), b"x");
            recent.note(b"hh", b"x");
            assert!(recent.young.len() + recent.old.len() <= 21);
            assert!(recent.get(b"hh").is_some());
        }
        assert_eq!(recent.get(&1_u16.to_be_bytes()), None);
        let other = Recent::new(&memory);
        assert_eq!(memory.part(), 10 * (ENTRY_OVERHEAD_BYTES + 3));
        drop(other);
        assert_eq!(memory.part(), 20 * (ENTRY_OVERHEAD_BYTES + 3));
    }

    #[test]
    fn an_old_value_never_comes_back() {
        let mut recent = Recent::new(&Arc::new(RecentMemory::new(1 << 20)));
        recent.note(b"a", b"1");
        std::mem::swap(&mut recent.young, &mut recent.old);
        assert!(recent.get(b"z").is_none());
        committed(&mut recent, &[(b"a", Some(b"2"))]);
        std::mem::swap(&mut recent.young, &mut recent.old);
        assert_eq!(recent.get(b"a"), Some(Some(&b"2"[..])));
    }
}
