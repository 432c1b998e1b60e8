//! Entries by key, each with a number that stays its own.

use std::hash::BuildHasher as _;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

/// A key and its value.
pub(super) struct TableEntry {
    /// The key's bytes and the value's: one allocation, since there are many small entries.
    bytes: Box<[u8]>,
    key_len: u32,
    /// Its place among the writes of `epoch`.
    pub(super) place: u32,
    /// The commit that it was last written for; earlier ones are over.
    pub(super) epoch: u32,
    /// Not set for what is deleted, or known not to be there.
    has_value: bool,
    /// Whether it was used since the last look for entries to forget.
    pub(super) is_used: bool,
}

impl TableEntry {
    /// An entry; without a value its key is known not to be there.
    #[inline]
    pub(super) fn new(key: &[u8], value: Option<&[u8]>, epoch: u32, is_used: bool) -> Self {
        Self {
            bytes: joined(key, value),
            // Keys are records' keys, whose length Kafka counts with 32 bits.
            key_len: key.len() as u32,
            place: 0,
            epoch,
            has_value: value.is_some(),
            is_used,
        }
    }

    #[inline]
    pub(super) fn key(&self) -> &[u8] {
        self.bytes.split_at(self.key_len as usize).0
    }

    /// `None` for what is deleted, or known not to be there.
    #[inline]
    pub(super) fn value(&self) -> Option<&[u8]> {
        let (_, value) = self.bytes.split_at(self.key_len as usize);
        self.has_value.then_some(value)
    }

    /// The bytes of the key and the value.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Sets the value, in its place if it has the same length as the one before.
    #[inline]
    pub(super) fn set(&mut self, value: Option<&[u8]>) {
        let (_, place) = self.bytes.split_at_mut(self.key_len as usize);
        match value {
            Some(value) if place.len() == value.len() => place.copy_from_slice(value),
            None if place.is_empty() => {}
            value => self.bytes = joined(self.key(), value),
        }
        self.has_value = value.is_some();
    }
}

fn joined(key: &[u8], value: Option<&[u8]>) -> Box<[u8]> {
    let value = value.unwrap_or_default();
    let mut bytes = Vec::with_capacity(key.len() + value.len());
    bytes.extend_from_slice(key);
    bytes.extend_from_slice(value);
    bytes.into_boxed_slice()
}

/// The room for the numbers of more entries than these is given back.
const ENTRIES_KEPT_MAX: usize = 64 * 1024;
/// Entries are kept in pieces of so many, none of which is ever moved.
const PIECE_LEN: usize = 256;

/// Entries that are found by key, in one step, and by number.
#[derive(Default)]
pub(super) struct EntryTable {
    numbers: HashTable<u32>,
    /// By number, in pieces; `None` for one that is free.
    entries: Vec<Vec<Option<TableEntry>>>,
    numbers_end: u32,
    free: Vec<u32>,
    hasher: RandomState,
}

impl EntryTable {
    /// The number of a key's entry.
    #[inline]
    pub(super) fn find(&self, key: &[u8]) -> Option<u32> {
        let is_it = |number: &u32| self.entry(*number).is_some_and(|entry| entry.key() == key);
        self.numbers.find(self.hasher.hash_one(key), is_it).copied()
    }

    #[inline]
    pub(super) fn entry(&self, number: u32) -> Option<&TableEntry> {
        entry_of(&self.entries, number)
    }

    #[inline]
    pub(super) fn entry_mut(&mut self, number: u32) -> Option<&mut TableEntry> {
        self.place_mut(number)?.as_mut()
    }

    #[inline]
    fn place_mut(&mut self, number: u32) -> Option<&mut Option<TableEntry>> {
        let (piece, index) = place_of(number);
        self.entries.get_mut(piece)?.get_mut(index)
    }

    /// Adds an entry whose key has none, and returns its number.
    pub(super) fn insert(&mut self, entry: TableEntry) -> u32 {
        let hash = self.hasher.hash_one(entry.key());
        let number = self.free.pop().unwrap_or_else(|| self.add_number());
        if let Some(place) = self.place_mut(number) {
            *place = Some(entry);
        }
        let (entries, hasher) = (&self.entries, &self.hasher);
        self.numbers.insert_unique(hash, number, |number| {
            let entry = entry_of(entries, *number);
            hasher.hash_one(entry.map_or(&[][..], TableEntry::key))
        });
        number
    }

    fn add_number(&mut self) -> u32 {
        // Four billion entries do not fit memory.
        let number = self.numbers_end;
        self.numbers_end += 1;
        match self.entries.last_mut() {
            Some(piece) if piece.len() < PIECE_LEN => piece.push(None),
            _ => {
                let mut piece = Vec::with_capacity(PIECE_LEN);
                piece.push(None);
                self.entries.push(piece);
            }
        }
        number
    }

    /// Takes an entry out.
    pub(super) fn remove(&mut self, number: u32) -> Option<TableEntry> {
        let entry = self.place_mut(number)?.take()?;
        let hash = self.hasher.hash_one(entry.key());
        if let Ok(found) = self.numbers.find_entry(hash, |other| *other == number) {
            found.remove();
        }
        self.free.push(number);
        Some(entry)
    }

    /// One more than the largest number there has been.
    pub(super) fn numbers_end(&self) -> u32 {
        self.numbers_end
    }

    /// Every number that has an entry.
    pub(super) fn numbers(&self) -> Vec<u32> {
        self.numbers.iter().copied().collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }

    /// Gives back the room of the entries that are gone, if it is most of a lot: what many of them
    /// took would stay taken for good. The numbers of the others change.
    pub(super) fn give_back_room(&mut self) {
        let kept = self.numbers_end as usize - self.free.len();
        if self.free.len() > ENTRIES_KEPT_MAX.max(4 * kept) {
            let entries = std::mem::take(&mut self.entries);
            self.clear();
            for entry in entries.into_iter().flatten().flatten() {
                self.insert(entry);
            }
        }
    }

    pub(super) fn clear(&mut self) {
        self.free = Vec::new();
        self.entries.clear();
        self.numbers_end = 0;
        if self.numbers.capacity() > ENTRIES_KEPT_MAX {
            self.numbers = HashTable::new();
        }
        self.numbers.clear();
    }
}

#[inline]
fn place_of(number: u32) -> (usize, usize) {
    (number as usize / PIECE_LEN, number as usize % PIECE_LEN)
}

#[inline]
fn entry_of(entries: &[Vec<Option<TableEntry>>], number: u32) -> Option<&TableEntry> {
    let (piece, index) = place_of(number);
    entries.get(piece)?.get(index)?.as_ref()
}
