//! One store of one task, in bytes: committed entries, uncommitted writes over them, a cache of
//! writes that are kept back over these, and the changelog that all come from.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};
use crate::record::{Headers, OutgoingRecord};
use crate::store::cache::{Cache, Dirty};
use crate::store::context::{RecordView, StoreContext};
use crate::store::database::DatabaseBatch;
use crate::store::engine::{Engine, Entry, Span};
use crate::store::expiry::Expiry;
use crate::store::merge::{Layered, Merge};
use crate::store::overlay::{Found, Overlay, TimeOf, Write};
use crate::store::position::{ObservedTime, StorePosition};
use crate::store::reader::Reader;
use crate::store::seen_keys::{PartsOf, SeenKeys};

/// A store of bytes that its task reads and writes.
pub(crate) struct ByteStore {
    name: Arc<str>,
    engine: Engine,
    overlay: RefCell<Overlay>,
    /// Reads short spans of RocksDB.
    reader: RefCell<Reader>,
    /// The keys that RocksDB may hold, once they are asked for.
    seen: RefCell<Option<SeenKeys>>,
    /// What keys are of; `None` if it is not noted which are committed.
    parts_of: Option<PartsOf>,
    /// How long entries live; `None` for ever.
    expiry: Option<Expiry>,
    /// How many entries there may be; `None` for any number.
    entries_max: Option<usize>,
    /// Writes that are kept back; `None` without caching.
    cache: Option<RefCell<Cache>>,
    /// The topic that changes are written to.
    changelog: Option<Arc<str>>,
    /// Whether it is another task's, of which only what is committed is seen.
    is_read_only: bool,
    context: Rc<StoreContext>,
    observed_time_ms: Cell<i64>,
    /// The largest time in the cache, which counts once it leaves it.
    cached_time_ms: Cell<i64>,
    committed_time: ObservedTime,
    sequence: Cell<u32>,
    expired: Cell<u64>,
}

/// How a read gets at what is committed.
#[derive(Clone, Copy)]
enum Committed {
    /// With an iterator of its own.
    Scanned,
    /// With the iterator that is kept.
    Kept,
    /// Not at all: there is nothing.
    Unread,
}

pub(super) const NO_HEADERS: &Headers = &Headers::new();

impl ByteStore {
    pub(crate) fn new(
        name: Arc<str>,
        engine: Engine,
        changelog: Option<Arc<str>>,
        context: Rc<StoreContext>,
        position: StorePosition,
    ) -> Self {
        let recent = match &engine {
            Engine::RocksDb(database, _) => Some(Arc::clone(database.recent())),
            Engine::Memory(_) => None,
        };
        Self {
            name,
            engine,
            overlay: RefCell::new(Overlay::new(recent)),
            reader: RefCell::default(),
            seen: RefCell::default(),
            parts_of: None,
            expiry: None,
            entries_max: None,
            cache: None,
            changelog,
            is_read_only: false,
            context,
            observed_time_ms: Cell::new(position.observed_time_ms),
            cached_time_ms: Cell::new(position.observed_time_ms),
            committed_time: ObservedTime::new(position.observed_time_ms),
            sequence: Cell::new(position.sequence),
            expired: Cell::new(0),
        }
    }

    /// Values begin with the time at which they were written, and are gone so many milliseconds
    /// later.
    pub(super) fn with_ttl(mut self, ttl_ms: i64) -> Self {
        self.expiry = Some(Expiry::new(ttl_ms));
        self
    }

    /// Holds so many entries, if it is in memory, and gives up those that are not used.
    pub(super) fn with_entries_max(mut self, entries_max: usize) -> Self {
        if let Engine::Memory(table) = &self.engine {
            table.reset_recency();
            self.entries_max = Some(entries_max);
        }
        self
    }

    /// Keys have times, none larger than the store's: an entry that is not known, of a time of
    /// which nothing has been forgotten, is not there and need not be looked for.
    pub(super) fn notes_times(self, time_of: TimeOf) -> Self {
        let committed_ms = self.observed_time_ms.get();
        self.overlay.borrow_mut().note_times(time_of, committed_ms);
        self
    }

    /// Keys have parts: from the first [`Self::visit_times`] on it is noted which are committed.
    pub(super) fn notes_keys(mut self, parts_of: PartsOf) -> Self {
        self.parts_of = Some(parts_of);
        self.overlay.get_mut().note_parts(parts_of);
        self
    }

    /// Keeps writes back, up to this many bytes of them.
    pub(super) fn with_cache(mut self, bytes_max: usize) -> Self {
        self.cache = Some(RefCell::new(Cache::new(bytes_max)));
        self
    }

    /// What a task sees of a store that another task writes, whose time is `committed_time`.
    pub(crate) fn read_only(
        name: Arc<str>,
        engine: Engine,
        context: Rc<StoreContext>,
        committed_time: ObservedTime,
    ) -> Self {
        Self {
            is_read_only: true,
            // Another thread commits what it sees, so nothing is known of it.
            overlay: RefCell::new(Overlay::new(None)),
            committed_time,
            ..Self::new(name, engine, None, context, StorePosition::EMPTY)
        }
    }

    pub(crate) fn name(&self) -> &Arc<str> {
        &self.name
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    pub(crate) fn changelog(&self) -> Option<&Arc<str>> {
        self.changelog.as_ref()
    }

    /// The time of the record that the task has at hand, in milliseconds since the epoch.
    pub(crate) fn record_timestamp_ms(&self) -> i64 {
        self.context.record_timestamp_ms()
    }

    /// The record that the task has at hand, if the store's kind asks for it.
    pub(super) fn record_at_hand(&self) -> RecordView {
        self.context.record(self.context.record_timestamp_ms())
    }

    /// The largest time that was written, in milliseconds since the epoch; -1 before the first.
    pub(crate) fn observed_time_ms(&self) -> i64 {
        match self.is_read_only {
            false => self.observed_time_ms.get(),
            true => self.committed_time.get_ms(),
        }
    }

    /// Moves the store's time on; it never goes back.
    pub(crate) fn observe_time(&self, time_ms: i64) {
        self.observed_time_ms
            .set(self.observed_time_ms.get().max(time_ms));
    }

    /// The largest time that can be read, writes that are kept back included.
    pub(crate) fn newest_time_ms(&self) -> i64 {
        self.observed_time_ms().max(self.cached_time_ms.get())
    }

    /// The next number that tells values of one key and time apart.
    pub(crate) fn next_sequence(&self) -> u32 {
        let next = self.sequence.get().wrapping_add(1) & i32::MAX as u32;
        self.sequence.set(next);
        next
    }

    /// A number that was given before is not given again.
    pub(crate) fn observe_sequence(&self, sequence: u32) {
        self.sequence.set(self.sequence.get().max(sequence));
    }

    /// Counts a write that came after its retention (`expired-window-record-drop`).
    pub(crate) fn count_expired(&self) {
        self.expired.set(self.expired.get() + 1);
    }

    /// The writes that came after their retention, since this was last asked.
    pub(crate) fn take_expired(&self) -> u64 {
        self.expired.take()
    }

    /// Shows `read` the value of a key.
    #[inline]
    pub(crate) fn read<R>(&self, key: &[u8], read: impl FnOnce(Option<&[u8]>) -> R) -> Result<R> {
        if let Some(cache) = &self.cache
            && let Found::Written(kept) = cache.borrow().get(key)
        {
            return Ok(read(kept));
        }
        self.read_below_cache(key, read)
    }

    /// As [`Self::read`], of a key with a time in a store that [`Self::notes_times`].
    #[inline]
    pub(super) fn read_of_time<R>(
        &self,
        key: &[u8],
        time_ms: i64,
        read: impl FnOnce(Option<&[u8]>) -> R,
    ) -> Result<R> {
        if self.cache.is_none() {
            let mut overlay = self.overlay.borrow_mut();
            if overlay.knows_time(time_ms) {
                return Ok(match overlay.get(key) {
                    Found::Written(value) => read(value),
                    Found::Untouched => read(None),
                });
            }
        }
        self.read(key, read)
    }

    fn read_below_cache<R>(&self, key: &[u8], read: impl FnOnce(Option<&[u8]>) -> R) -> Result<R> {
        if self.entries_max.is_some()
            && let Engine::Memory(table) = &self.engine
        {
            table.recency().touch(key);
        }
        let mut overlay = self.overlay.borrow_mut();
        if let Found::Written(value) = overlay.get(key) {
            return Ok(read(value));
        }
        self.engine.get(key, |value| {
            if let Some(value) = value {
                overlay.note_read(key, value);
            }
            read(value)
        })
    }

    /// The value of a key as it is without the writes that are kept back.
    pub(super) fn get_below_cache(&self, key: &[u8]) -> Result<Option<Box<[u8]>>> {
        self.read_below_cache(key, |value| value.map(Box::from))
    }

    /// Writes a value, or deletes it.
    #[inline]
    pub(crate) fn put(&self, key: &[u8], value: Option<&[u8]>) {
        self.put_evicting(key, value);
    }

    /// As [`Self::put`]; returns the key of the entry that had to go, if there were too many.
    #[inline]
    pub(super) fn put_evicting(&self, key: &[u8], value: Option<&[u8]>) -> Option<Arc<[u8]>> {
        if self.is_read_only {
            // The change is refused when it is to be logged.
            return None;
        }
        let mut overlay = self.overlay.borrow_mut();
        let before = overlay.bytes();
        overlay.put(key, value);
        let evicted = self
            .entries_max
            .and_then(|entries_max| self.use_entry(key, value.is_some(), entries_max));
        if let Some(evicted) = &evicted {
            overlay.put(evicted, None);
        }
        self.context.wrote(before, overlay.bytes());
        evicted
    }

    fn use_entry(&self, key: &[u8], is_there: bool, entries_max: usize) -> Option<Arc<[u8]>> {
        let Engine::Memory(table) = &self.engine else {
            return None;
        };
        let mut recency = table.recency();
        if is_there {
            return recency.insert(key, entries_max);
        }
        recency.remove(key);
        None
    }

    /// Whether values begin with the time at which they were written, since they do not live for
    /// ever.
    pub(super) fn has_ttl(&self) -> bool {
        self.expiry.is_some()
    }

    /// Whether an entry that was written with this time is still there.
    #[inline]
    pub(super) fn is_alive(&self, timestamp_ms: i64) -> bool {
        let expiry = self.expiry.as_ref();
        expiry.is_none_or(|expiry| expiry.is_alive(timestamp_ms, self.observed_time_ms()))
    }

    /// Deletes some entries that are gone, and tells the changelog.
    pub(super) fn delete_expired(&self) -> Result<()> {
        let Some(expiry) = &self.expiry else {
            return Ok(());
        };
        if !self.is_dirty() {
            return Ok(());
        }
        let gone = expiry.search(self, &self.overlay.borrow())?;
        for key in gone {
            self.put(&key, None);
            self.log(&key, None, self.observed_time_ms())?;
        }
        Ok(())
    }

    /// Deletes every entry in `[from, to)`.
    pub(crate) fn delete_range(&self, from: &[u8], to: &[u8]) {
        let mut overlay = self.overlay.borrow_mut();
        let before = overlay.bytes();
        overlay.delete_range(from, to);
        self.context.wrote(before, overlay.bytes());
    }

    /// Whether writes are kept back.
    #[inline]
    pub(super) fn is_cached(&self) -> bool {
        self.cache.is_some()
    }

    /// Whether more is kept back than the cache is to hold.
    pub(super) fn is_cache_full(&self) -> bool {
        let cache = self.cache.as_ref();
        cache.is_some_and(|cache| cache.borrow().is_full())
    }

    /// Keeps a write back, made for `time_ms` with the record at hand as of `timestamp_ms`; returns
    /// whether there is a cache to do so.
    #[inline]
    pub(super) fn keep_back(
        &self,
        key: &[u8],
        value: Option<&[u8]>,
        time_ms: i64,
        timestamp_ms: i64,
    ) -> bool {
        let Some(cache) = &self.cache else {
            return false;
        };
        let mut cache = cache.borrow_mut();
        let before = cache.bytes();
        cache.put(key, value, self.context.record(timestamp_ms));
        self.context.holds(before, cache.bytes());
        self.cached_time_ms
            .set(self.cached_time_ms.get().max(time_ms));
        true
    }

    /// Lets everything go on that is kept back, in the order of the last writes: `each` writes it
    /// below the cache and forwards it.
    pub(super) fn flush_cache(&self, mut each: impl FnMut(Dirty) -> Result<()>) -> Result<()> {
        let Some(cache) = &self.cache else {
            return Ok(());
        };
        if cache.borrow().is_empty() {
            return Ok(());
        }
        // Not borrowed meanwhile: what is forwarded may come back and read.
        let dirty = cache.borrow_mut().take_dirty();
        for entry in dirty {
            each(entry)?;
        }
        let mut cache = cache.borrow_mut();
        let before = cache.bytes();
        cache.forget_clean();
        self.context.holds(before, cache.bytes());
        Ok(())
    }

    /// Calls `forward` with the record at hand that has made a write which was kept back.
    pub(super) fn with_kept_back<R>(&self, record: RecordView, forward: impl FnOnce() -> R) -> R {
        self.context.with_kept_back(record, forward)
    }

    /// Up to `limit` entries of a span, uncommitted ones and those kept back included.
    pub(crate) fn scan(&self, span: Span<'_>, limit: usize) -> Result<Vec<Entry>> {
        let mut entries = Vec::new();
        self.merge(span, Committed::Scanned, |key, value| {
            entries.push((Box::from(key), Box::from(value)));
            entries.len() < limit
        })?;
        Ok(entries)
    }

    /// Shows `visit` the entries of a span that ascends, uncommitted ones and those kept back
    /// included, until it returns false; `visit` must not use the store.
    ///
    /// For the entries of `key` between two times, in stores that delete whole ranges only: so
    /// short reads are cheap. Entries of the span that are of other keys may be left out, or shown
    /// as they were at the last commit; committed ones of other times may be left out.
    pub(super) fn visit_times(
        &self,
        span: Span<'_>,
        (key, from_ms, to_ms): (&[u8], i64, i64),
        visit: impl FnMut(&[u8], &[u8]) -> bool,
    ) -> Result<()> {
        let committed_ms = self.committed_time.get_ms();
        // No entry is younger than the store was at its last commit.
        let committed = if from_ms > committed_ms {
            Committed::Unread
        } else if self.is_read_only || matches!(self.engine, Engine::Memory(_)) {
            Committed::Scanned
        } else if self.may_hold(key, from_ms, to_ms) {
            Committed::Kept
        } else {
            Committed::Unread
        };
        if self.cache.is_none() {
            let mut overlay = self.overlay.borrow_mut();
            if overlay.find_writes(key, span) {
                let found = overlay.found_writes();
                return self.merge_writes(&overlay, found, (span, committed), visit);
            }
        }
        self.merge(span, committed, visit)
    }

    /// Whether there may be committed entries of a key between two times.
    fn may_hold(&self, key: &[u8], from_ms: i64, to_ms: i64) -> bool {
        let Some(parts_of) = self.parts_of else {
            return true;
        };
        let mut seen = self.seen.borrow_mut();
        let seen =
            seen.get_or_insert_with(|| SeenKeys::new(self.committed_time.get_ms(), parts_of));
        seen.may_hold(key, from_ms, to_ms)
    }

    fn merge(
        &self,
        span: Span<'_>,
        committed: Committed,
        show: impl FnMut(&[u8], &[u8]) -> bool,
    ) -> Result<()> {
        let mut overlay = self.overlay.borrow_mut();
        overlay.order();
        let Some(cache) = &self.cache else {
            return self.merge_writes(&overlay, overlay.range(span), (span, committed), show);
        };
        let mut cache = cache.borrow_mut();
        cache.order();
        let writes = Layered::new(cache.range(span), overlay.range(span), span.is_reverse);
        self.merge_writes(&overlay, writes, (span, committed), show)
    }

    fn merge_writes<'w>(
        &self,
        overlay: &Overlay,
        writes: impl Iterator<Item = Write<'w>>,
        (span, committed): (Span<'_>, Committed),
        show: impl FnMut(&[u8], &[u8]) -> bool,
    ) -> Result<()> {
        let mut merge = Merge::new(writes, span.is_reverse, show);
        let add =
            |key: &[u8], value: &[u8]| merge.add(key, (!overlay.is_deleted(key)).then_some(value));
        match (committed, &self.engine) {
            (Committed::Unread, _) => {}
            (Committed::Kept, Engine::RocksDb(database, column)) => {
                let mut reader = self.reader.borrow_mut();
                reader.visit(database, column, span, add)?;
            }
            (_, engine) => engine.scan(span, add)?,
        }
        merge.finish();
        Ok(())
    }

    /// Gives up what is kept to read faster and holds on to files.
    pub(super) fn release_reader(&self) {
        self.reader.borrow_mut().release();
    }

    /// Whether RocksDB was read with the kept iterator since it was given back.
    #[cfg(test)]
    pub(super) fn has_reader(&self) -> bool {
        self.reader.borrow().is_open()
    }

    /// Writes a change to the changelog, if there is one.
    ///
    /// # Errors
    /// If the producer does not take it.
    #[inline]
    pub(crate) fn log(&self, key: &[u8], value: Option<&[u8]>, timestamp_ms: i64) -> Result<()> {
        self.log_with_headers(key, value, timestamp_ms, NO_HEADERS)
    }

    /// As [`Self::log`], with headers.
    pub(crate) fn log_with_headers(
        &self,
        key: &[u8],
        value: Option<&[u8]>,
        timestamp_ms: i64,
        headers: &Headers,
    ) -> Result<()> {
        let Some(topic) = &self.changelog else {
            return self.check_writable();
        };
        self.context.collector.send(&OutgoingRecord {
            topic,
            partition: Some(self.context.partition),
            key: Some(key),
            value,
            timestamp_ms,
            headers,
        })
    }

    fn check_writable(&self) -> Result<()> {
        if !self.is_read_only {
            return Ok(());
        }
        let name = &self.name;
        let message = format!("store={name} is global: tasks may read it and not write to it");
        Err(Error::new(ErrorKind::Topology, message))
    }

    /// About how many entries there are, uncommitted ones included.
    pub(crate) fn approximate_count(&self) -> Result<u64> {
        let committed = self.engine.approximate_count()?;
        Ok(committed.saturating_add(self.overlay.borrow().len() as u64))
    }

    /// Whether there are writes to commit.
    pub(crate) fn is_dirty(&self) -> bool {
        !self.overlay.borrow().is_empty()
    }

    /// Where the store stands once its writes are committed.
    pub(crate) fn position(&self, changelog_offset: Option<i64>) -> StorePosition {
        StorePosition {
            changelog_offset,
            observed_time_ms: self.observed_time_ms.get(),
            sequence: self.sequence.get(),
        }
    }

    /// Makes the writes part of a batch, with where the store stands then, if it is on disk.
    pub(crate) fn add_to(
        &self,
        batch: &mut DatabaseBatch<'_>,
        changelog_offset: Option<i64>,
    ) -> Result<()> {
        let Engine::RocksDb(_, column) = &self.engine else {
            return Ok(());
        };
        let overlay = self.overlay.borrow();
        for (from, to) in overlay.deleted_ranges() {
            batch.delete_range(column, from, to)?;
        }
        // In order, since RocksDB finds neighbours fast from each other.
        batch.put(column, overlay.sorted_writes())?;
        batch.set_position(&self.name, self.position(changelog_offset));
        Ok(())
    }

    /// The writes are committed: those of a store in memory are moved to its entries, others have
    /// been written in a batch.
    pub(crate) fn committed(&self) {
        let mut overlay = self.overlay.borrow_mut();
        if let Engine::Memory(table) = &self.engine {
            table.apply(overlay.deleted_ranges(), overlay.writes());
        }
        if let Some(seen) = &mut *self.seen.borrow_mut() {
            seen.committed(overlay.writes());
        }
        overlay.committed();
        self.committed_time.set_ms(self.observed_time_ms.get());
    }

    /// The store's time as of its last commit.
    pub(crate) fn committed_time(&self) -> &ObservedTime {
        &self.committed_time
    }
}
