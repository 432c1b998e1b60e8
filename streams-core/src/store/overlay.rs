//! What a task has written and not yet committed, and what it need not look up again.

use std::collections::BTreeMap;
use std::ops::{Bound, RangeBounds};
use std::sync::Arc;

use crate::store::engine::Span;
use crate::store::entry_table::{EntryTable, TableEntry};
use crate::store::key_table::range_of;
use crate::store::recent::RecentMemory;
use crate::store::seen_keys::PartsOf;
use crate::store::write_index::WriteIndex;

/// A key and its new value; `None` deletes.
pub(super) type Write<'a> = (&'a [u8], Option<&'a [u8]>);

/// Uncommitted writes of one store, read through by the task and unseen by everybody else, and
/// beside them committed entries that were read or written lately.
///
/// A write that is committed stays where it is, as a recent entry, until there are too many of
/// them. What a read or a write costs does not grow with their number, but for the logarithm of a
/// range's; a commit that deletes ranges looks at every entry once.
pub(super) struct Overlay {
    table: EntryTable,
    /// Commits so far: an entry that was written for this one is a write.
    epoch: u32,
    /// The numbers of the writes, in no order.
    dirty: Vec<u32>,
    /// No write has a key that begins with a smaller number ([`number_at`]); 0 if one is shorter.
    lowest: u64,
    /// The writes in the order of their keys, from a commit's first range on.
    ordered: Option<BTreeMap<Box<[u8]>, u32>>,
    /// The writes by what their keys are of, from the first look-up on, until one is taken back.
    index: Option<WriteIndex>,
    /// The numbers of the writes that the last look-up has found.
    found: Vec<u32>,
    /// Ranges `[from, to)` whose committed entries are deleted.
    deleted: Vec<KeyRange>,
    /// What the writes take.
    bytes: usize,
    /// What the recent entries take.
    recent_bytes: usize,
    /// What they may take; `None` for nothing.
    recent: Option<Arc<RecentMemory>>,
    /// Whether single keys are read at all: else no recent entries are of use, and no part of their
    /// memory is taken.
    is_read: bool,
    /// Where the look for recent entries to forget goes on.
    hand: u32,
    /// What keys are of, if they have parts.
    parts_of: Option<PartsOf>,
    /// The time that is part of a key, if keys have times.
    time_of: Option<TimeOf>,
    /// The largest time of what was committed and forgotten.
    forgotten_until_ms: i64,
}

/// Tells the time that is part of a key, in milliseconds since the epoch.
pub(super) type TimeOf = fn(&[u8]) -> i64;

/// From a key to another, which is excluded.
type KeyRange = (Box<[u8]>, Box<[u8]>);

/// So many bytes of a key are a number.
const BEGIN_BYTES: usize = size_of::<u64>();
/// What an entry costs besides its bytes.
pub(super) const ENTRY_OVERHEAD_BYTES: usize = 64;
/// The epoch of entries that have been looked up; no commit has it.
const READ_EPOCH: u32 = 0;
/// More writes are put in order before a range of them is deleted, so that deleting range after
/// range does not walk them all each time.
const UNORDERED_WALK_MAX: usize = 1024;
/// A value that takes more than this part of the memory of recent entries is none.
const RECENT_VALUE_PART: usize = 8;

/// What is known of a key.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found<'a> {
    /// It is written, or deleted; or the committed entry, or that there is none, is known.
    Written(Option<&'a [u8]>),
    /// The committed entry stands.
    Untouched,
}

impl Overlay {
    /// An overlay without writes, which may keep recent entries.
    pub(super) fn new(recent: Option<Arc<RecentMemory>>) -> Self {
        Self {
            table: EntryTable::default(),
            epoch: READ_EPOCH + 1,
            dirty: Vec::new(),
            lowest: u64::MAX,
            ordered: None,
            index: None,
            found: Vec::new(),
            deleted: Vec::new(),
            bytes: 0,
            recent_bytes: 0,
            recent,
            is_read: false,
            hand: 0,
            parts_of: None,
            time_of: None,
            forgotten_until_ms: i64::MAX,
        }
    }

    /// From now on it is noted up to which time committed entries are forgotten; those until
    /// `committed_ms` are not known.
    pub(super) fn note_times(&mut self, time_of: TimeOf, committed_ms: i64) {
        if self.recent.is_some() {
            self.time_of = Some(time_of);
            self.forgotten_until_ms = committed_ms;
        }
    }

    /// Keys have these parts, so that [`Self::find_writes`] finds some.
    pub(super) fn note_parts(&mut self, parts_of: PartsOf) {
        self.parts_of = Some(parts_of);
    }

    /// Whether every committed entry of this time is known, so that an unknown key has none.
    #[inline]
    pub(super) fn knows_time(&self, time_ms: i64) -> bool {
        time_ms > self.forgotten_until_ms
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0 && self.deleted.is_empty()
    }

    /// The number of keys written.
    pub(super) fn len(&self) -> usize {
        self.dirty.len()
    }

    /// The memory that the writes take, about.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// What is known of a key.
    #[inline]
    pub(super) fn get(&mut self, key: &[u8]) -> Found<'_> {
        if !std::mem::replace(&mut self.is_read, true)
            && let Some(recent) = &self.recent
        {
            recent.enter();
        }
        let is_deleted = self.is_deleted(key);
        let (number, epoch) = (self.table.find(key), self.epoch);
        match number.and_then(|number| self.table.entry_mut(number)) {
            Some(entry) if entry.epoch == epoch || !is_deleted => {
                entry.is_used = true;
                Found::Written(entry.value())
            }
            _ if is_deleted => Found::Written(None),
            _ => Found::Untouched,
        }
    }

    /// Whether a key is written, or deleted with its range.
    pub(super) fn is_written(&self, key: &[u8]) -> bool {
        let number = self.table.find(key);
        let entry = number.and_then(|number| self.table.entry(number));
        entry.is_some_and(|entry| entry.epoch == self.epoch) || self.is_deleted(key)
    }

    /// Whether the committed entry of this key is deleted with its range.
    #[inline]
    pub(super) fn is_deleted(&self, key: &[u8]) -> bool {
        self.deleted
            .iter()
            .any(|(from, to)| &**from <= key && key < &**to)
    }

    pub(super) fn put(&mut self, key: &[u8], value: Option<&[u8]>) {
        let size = key.len() + value.map_or(0, <[u8]>::len) + ENTRY_OVERHEAD_BYTES;
        let epoch = self.epoch;
        let Some(number) = self.table.find(key) else {
            self.bytes += size;
            let number = self.table.insert(TableEntry::new(key, value, epoch, true));
            return self.note_write(number);
        };
        let Some(entry) = self.table.entry_mut(number) else {
            return;
        };
        let before = entry.len() + ENTRY_OVERHEAD_BYTES;
        entry.set(value);
        entry.is_used = true;
        if entry.epoch == epoch {
            self.bytes = self.bytes + size - before;
        } else {
            self.bytes += size;
            self.recent_bytes -= before;
            self.note_write(number);
        }
    }

    fn note_write(&mut self, number: u32) {
        let Some(entry) = self.table.entry_mut(number) else {
            return;
        };
        entry.epoch = self.epoch;
        entry.place = self.dirty.len() as u32;
        self.dirty.push(number);
        let begin = number_at(entry.key(), 0);
        let is_short = entry.key().len() < BEGIN_BYTES;
        self.lowest = self.lowest.min(if is_short { 0 } else { begin });
        if let Some(ordered) = &mut self.ordered {
            ordered.insert(Box::from(entry.key()), number);
        }
        if let (Some(index), Some(parts_of)) = (&mut self.index, self.parts_of) {
            index.add(part_of(parts_of, entry.key()));
        }
    }

    /// Notes a committed entry that has been looked up.
    pub(super) fn note_read(&mut self, key: &[u8], value: &[u8]) {
        let size = key.len() + value.len() + ENTRY_OVERHEAD_BYTES;
        let recent = self.recent.as_ref();
        if recent.is_none_or(|recent| size > recent.part() / RECENT_VALUE_PART) {
            return;
        }
        self.recent_bytes += size;
        // What is read once is forgotten first.
        let entry = TableEntry::new(key, Some(value), READ_EPOCH, false);
        self.table.insert(entry);
        self.forget_recent();
    }

    /// Deletes all entries in `[from, to)`, those of the overlay and those committed.
    pub(super) fn delete_range(&mut self, from: &[u8], to: &[u8]) {
        if from >= to {
            return;
        }
        if !self.is_before_writes(to) {
            if self.dirty.len() > UNORDERED_WALK_MAX {
                self.order();
            }
            for number in self.dirty_in(from, to) {
                self.forget_write(number);
            }
        }
        // Segments are dropped one after the other, and so is their index: each one range.
        let mut last = self.deleted.iter_mut().rev().take(2);
        match last.find(|(_, end)| **end == *from) {
            Some((_, end)) => *end = Box::from(to),
            None => self.deleted.push((Box::from(from), Box::from(to))),
        }
    }

    /// Whether it is seen at a glance that no key before `to` is written: where a segment is
    /// dropped, the writes are of later ones as a rule.
    fn is_before_writes(&self, to: &[u8]) -> bool {
        let end = number_at(to, 0);
        end < self.lowest || (end == self.lowest && end > 0 && to.len() == BEGIN_BYTES)
    }

    /// The numbers of the writes to keys in `[from, to)`.
    fn dirty_in(&self, from: &[u8], to: &[u8]) -> Vec<u32> {
        if let Some(ordered) = &self.ordered {
            let range = ordered.range::<[u8], _>((Bound::Included(from), Bound::Excluded(to)));
            return range.map(|(_, number)| *number).collect();
        }
        let is_in = |number: &u32| {
            let entry = self.table.entry(*number);
            entry.is_some_and(|entry| from <= entry.key() && entry.key() < to)
        };
        self.dirty.iter().copied().filter(is_in).collect()
    }

    /// Forgets a write as if it had not been made.
    fn forget_write(&mut self, number: u32) {
        let Some(entry) = self.table.remove(number) else {
            return;
        };
        self.bytes -= entry.len() + ENTRY_OVERHEAD_BYTES;
        if let Some(ordered) = &mut self.ordered {
            ordered.remove(entry.key());
        }
        // Places change, which happens where a whole segment is dropped.
        self.index = None;
        let place = entry.place as usize;
        self.dirty.swap_remove(place);
        // The last one has taken its place.
        let moved = self.dirty.get(place);
        if let Some(moved) = moved.and_then(|number| self.table.entry_mut(*number)) {
            moved.place = entry.place;
        }
    }

    /// Puts the writes in order, so that ranges of them can be read.
    pub(super) fn order(&mut self) {
        if self.ordered.is_some() {
            return;
        }
        let writes = self.dirty.iter().filter_map(|number| {
            let entry = self.table.entry(*number)?;
            Some((Box::from(entry.key()), *number))
        });
        self.ordered = Some(writes.collect());
    }

    /// The writes of a span in its order; [`Self::order`] must have been called.
    pub(super) fn range(&self, span: Span<'_>) -> impl Iterator<Item = Write<'_>> {
        debug_assert!(self.ordered.is_some(), "ranges are read of ordered writes");
        let ordered = self.ordered.as_ref();
        let range = ordered.map(|ordered| range_of(ordered, span));
        let range = range.into_iter().flatten();
        range.filter_map(|(key, number)| {
            let entry = self.table.entry(*number)?;
            Some((key, entry.value()))
        })
    }

    /// Looks for the writes of a span that ascends which are of one key; returns whether it was
    /// done. It is not where keys have no parts, or many of the writes are of this one.
    pub(super) fn find_writes(&mut self, key: &[u8], span: Span<'_>) -> bool {
        debug_assert!(!span.is_reverse, "what is found ascends");
        let Some(parts_of) = self.parts_of else {
            return false;
        };
        let (table, dirty) = (&self.table, &self.dirty);
        let key_at = |number: u32| table.entry(number).map_or(&[][..], |entry| entry.key());
        let index = self.index.get_or_insert_with(|| {
            let mut index = WriteIndex::default();
            for number in dirty {
                index.add(part_of(parts_of, key_at(*number)));
            }
            index
        });
        let Some(places) = index.find(key) else {
            return false;
        };
        let numbers = places.filter_map(|place| dirty.get(place as usize).copied());
        self.found.clear();
        self.found.extend(numbers.filter(|number| {
            let bounds = (span.lower, span.upper);
            RangeBounds::<[u8]>::contains(&bounds, key_at(*number))
        }));
        self.found.sort_unstable_by_key(|number| key_at(*number));
        true
    }

    /// What was found, in the order of the keys.
    pub(super) fn found_writes(&self) -> impl Iterator<Item = Write<'_>> {
        let entries = self.found.iter();
        let entries = entries.filter_map(|number| self.table.entry(*number));
        entries.map(|entry| (entry.key(), entry.value()))
    }

    /// The ranges whose committed entries are deleted.
    pub(super) fn deleted_ranges(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.deleted.iter().map(|(from, to)| (&**from, &**to))
    }

    /// Every write, in no order. Those that stand in a deleted range were made after the deletion.
    pub(super) fn writes(&self) -> impl Iterator<Item = Write<'_>> {
        let entries = self.dirty.iter();
        let entries = entries.filter_map(|number| self.table.entry(*number));
        entries.map(|entry| (entry.key(), entry.value()))
    }

    /// Every write, in the order of the keys.
    pub(super) fn sorted_writes(&self) -> impl Iterator<Item = Write<'_>> {
        let shared = shared_prefix(self.writes());
        // Most keys differ in the eight bytes behind what they share.
        let writes = self
            .writes()
            .map(|write| (number_at(write.0, shared), write));
        let mut writes: Vec<(u64, Write<'_>)> = writes.collect();
        writes.sort_unstable_by(|(one, (one_key, _)), (other, (other_key, _))| {
            one.cmp(other).then_with(|| one_key.cmp(other_key))
        });
        writes.into_iter().map(|(_, write)| write)
    }

    /// The writes are committed.
    pub(super) fn committed(&mut self) {
        let is_last_epoch = self.epoch == u32::MAX;
        if self.recent.is_none() || !self.is_read || is_last_epoch {
            return self.clear();
        }
        if !self.deleted.is_empty() {
            for number in self.table.numbers() {
                let entry = self.table.entry(number);
                let is_gone = entry
                    .is_some_and(|entry| entry.epoch != self.epoch && self.is_deleted(entry.key()));
                if is_gone && let Some(entry) = self.table.remove(number) {
                    self.recent_bytes -= entry.len() + ENTRY_OVERHEAD_BYTES;
                }
            }
        }
        self.recent_bytes += self.bytes;
        self.forget_writes();
        self.forget_recent();
        // No write knows its entry by its number any more.
        self.table.give_back_room();
    }

    /// Forgets everything.
    fn clear(&mut self) {
        if !self.table.is_empty() {
            self.forgotten_until_ms = i64::MAX;
        }
        self.table.clear();
        self.recent_bytes = 0;
        self.forget_writes();
    }

    /// What is written now are recent entries, if anything.
    fn forget_writes(&mut self) {
        self.dirty.clear();
        self.lowest = u64::MAX;
        self.ordered = None;
        self.index = self.index.take().and_then(WriteIndex::cleared);
        self.deleted.clear();
        self.bytes = 0;
        // After the last epoch there are no entries that could be taken for the first one's.
        self.epoch = self.epoch.checked_add(1).unwrap_or(READ_EPOCH + 1);
    }

    /// Forgets recent entries while there are too many, first those that were not used since the
    /// hand was there the last time.
    fn forget_recent(&mut self) {
        let Some(recent) = &self.recent else { return };
        let (bytes_max, epoch) = (recent.part(), self.epoch);
        // Once round to mark, once to forget: then nothing is left but writes.
        let mut steps = u64::from(self.table.numbers_end()) * 2;
        while self.recent_bytes > bytes_max && steps > 0 {
            steps -= 1;
            self.hand = (self.hand + 1) % self.table.numbers_end().max(1);
            let Some(entry) = self.table.entry_mut(self.hand) else {
                continue;
            };
            if entry.epoch != epoch
                && !std::mem::take(&mut entry.is_used)
                && let Some(entry) = self.table.remove(self.hand)
            {
                self.recent_bytes -= entry.len() + ENTRY_OVERHEAD_BYTES;
                if let Some(time_of) = self.time_of {
                    let time_ms = time_of(entry.key());
                    self.forgotten_until_ms = self.forgotten_until_ms.max(time_ms);
                }
            }
        }
    }
}

impl Drop for Overlay {
    fn drop(&mut self) {
        if let Some(recent) = self.recent.as_ref().filter(|_| self.is_read) {
            recent.leave();
        }
    }
}

/// What a key is of; nothing if it is no such key, which no look-up asks for.
fn part_of(parts_of: PartsOf, key: &[u8]) -> &[u8] {
    parts_of(key).map_or(&[], |(part, _)| part)
}

/// How many bytes the keys have in common at their beginning.
fn shared_prefix<'a>(mut writes: impl Iterator<Item = Write<'a>>) -> usize {
    let Some((first, _)) = writes.next() else {
        return 0;
    };
    writes.fold(first.len(), |shared, (key, _)| {
        let pairs = first.iter().zip(key).take(shared);
        pairs.take_while(|(one, other)| one == other).count()
    })
}

/// The eight bytes of a key from an index on, as a number that is ordered as they are.
pub(super) fn number_at(key: &[u8], index: usize) -> u64 {
    let mut bytes = [0; 8];
    let rest = key.get(index..).unwrap_or_default();
    bytes
        .iter_mut()
        .zip(rest)
        .for_each(|(to, from)| *to = *from);
    u64::from_be_bytes(bytes)
}

#[cfg(test)]
#[path = "overlay_test.rs"]
mod tests;
