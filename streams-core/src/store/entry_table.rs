//! Entries by key, each with a number that stays its own.

use std::hash::BuildHasher as _;
use std::rc::Rc;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

/// A key and its value.
pub(super) struct TableEntry {
    pub(super) key: Rc<[u8]>,
    /// `None` for what is deleted, or known not to be there.
    pub(super) value: Option<Box<[u8]>>,
    /// Its place among the writes that are not committed yet; `None` for what is committed.
    pub(super) dirty: Option<u32>,
    /// Whether it was used since the last look for entries to forget.
    pub(super) is_used: bool,
}

impl TableEntry {
    /// The bytes of the key and the value.
    pub(super) fn len(&self) -> usize {
        self.key.len() + self.value.as_ref().map_or(0, |value| value.len())
    }

    /// Sets the value, in its place if it has the same length as the one before.
    #[inline]
    pub(super) fn set(&mut self, value: Option<&[u8]>) {
        match (&mut self.value, value) {
            (Some(place), Some(value)) if place.len() == value.len() => {
                place.copy_from_slice(value);
            }
            (place, value) => *place = value.map(Box::from),
        }
    }
}

/// The room for more entries than these is given back.
const ENTRIES_KEPT_MAX: usize = 64 * 1024;

/// Entries that are found by key, in one step, and by number.
#[derive(Default)]
pub(super) struct EntryTable {
    numbers: HashTable<u32>,
    /// By number; `None` for one that is free.
    entries: Vec<Option<TableEntry>>,
    free: Vec<u32>,
    hasher: RandomState,
}

impl EntryTable {
    /// The number of a key's entry.
    #[inline]
    pub(super) fn find(&self, key: &[u8]) -> Option<u32> {
        let is_it = |number: &u32| self.entry(*number).is_some_and(|entry| *entry.key == *key);
        self.numbers.find(self.hasher.hash_one(key), is_it).copied()
    }

    #[inline]
    pub(super) fn entry(&self, number: u32) -> Option<&TableEntry> {
        self.entries.get(number as usize)?.as_ref()
    }

    #[inline]
    pub(super) fn entry_mut(&mut self, number: u32) -> Option<&mut TableEntry> {
        self.entries.get_mut(number as usize)?.as_mut()
    }

    /// Adds an entry whose key has none, and returns its number.
    pub(super) fn insert(&mut self, entry: TableEntry) -> u32 {
        let hash = self.hasher.hash_one(&*entry.key);
        let number = match self.free.pop() {
            Some(number) => number,
            None => {
                self.entries.push(None);
                // Four billion entries do not fit memory.
                (self.entries.len() - 1) as u32
            }
        };
        if let Some(place) = self.entries.get_mut(number as usize) {
            *place = Some(entry);
        }
        let (entries, hasher) = (&self.entries, &self.hasher);
        self.numbers.insert_unique(hash, number, |number| {
            let entry = entries.get(*number as usize).and_then(Option::as_ref);
            hasher.hash_one(entry.map_or(&[][..], |entry| &entry.key))
        });
        number
    }

    /// Takes an entry out.
    pub(super) fn remove(&mut self, number: u32) -> Option<TableEntry> {
        let entry = self.entries.get_mut(number as usize)?.take()?;
        let hash = self.hasher.hash_one(&*entry.key);
        if let Ok(found) = self.numbers.find_entry(hash, |other| *other == number) {
            found.remove();
        }
        self.free.push(number);
        Some(entry)
    }

    /// One more than the largest number there has been.
    pub(super) fn numbers_end(&self) -> u32 {
        self.entries.len() as u32
    }

    /// Every number that has an entry.
    pub(super) fn numbers(&self) -> Vec<u32> {
        self.numbers.iter().copied().collect()
    }

    pub(super) fn clear(&mut self) {
        self.free.clear();
        if self.entries.capacity() > ENTRIES_KEPT_MAX {
            (self.numbers, self.entries) = (HashTable::new(), Vec::new());
            return;
        }
        self.numbers.clear();
        self.entries.clear();
    }
}
