//! One store of one task, in bytes: committed entries, uncommitted writes over them, and the
//! changelog that both come from.

use std::cell::{Cell, RefCell};
use std::iter::Peekable;
use std::rc::Rc;
use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};
use crate::record::{Headers, OutgoingRecord};
use crate::store::context::StoreContext;
use crate::store::database::DatabaseBatch;
use crate::store::engine::{Engine, Entry, Span};
use crate::store::overlay::{Found, Overlay, Write};
use crate::store::position::{ObservedTime, StorePosition};

/// A store of bytes that its task reads and writes.
pub(crate) struct ByteStore {
    name: Arc<str>,
    engine: Engine,
    overlay: RefCell<Overlay>,
    /// The topic that changes are written to.
    changelog: Option<Arc<str>>,
    /// Whether it is another task's, of which only what is committed is seen.
    is_read_only: bool,
    context: Rc<StoreContext>,
    observed_time_ms: Cell<i64>,
    committed_time: ObservedTime,
    sequence: Cell<u32>,
    expired: Cell<u64>,
}

const NO_HEADERS: &Headers = &Headers::new();

impl ByteStore {
    pub(crate) fn new(
        name: Arc<str>,
        engine: Engine,
        changelog: Option<Arc<str>>,
        context: Rc<StoreContext>,
        position: StorePosition,
    ) -> Self {
        Self {
            name,
            engine,
            overlay: RefCell::new(Overlay::new()),
            changelog,
            is_read_only: false,
            context,
            observed_time_ms: Cell::new(position.observed_time_ms),
            committed_time: ObservedTime::new(position.observed_time_ms),
            sequence: Cell::new(position.sequence),
            expired: Cell::new(0),
        }
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
        self.context.record_timestamp_ms.get()
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
        let overlay = self.overlay.borrow();
        match overlay.get(key) {
            Found::Written(value) => Ok(read(value)),
            Found::Untouched => self.engine.get(key, read),
        }
    }

    /// The value of a key.
    pub(crate) fn get(&self, key: &[u8]) -> Result<Option<Box<[u8]>>> {
        self.read(key, |value| value.map(Box::from))
    }

    /// Writes a value, or deletes it.
    #[inline]
    pub(crate) fn put(&self, key: &[u8], value: Option<&[u8]>) {
        if self.is_read_only {
            // The change is refused when it is to be logged.
            return;
        }
        let mut overlay = self.overlay.borrow_mut();
        let before = overlay.bytes();
        overlay.put(key, value);
        self.context.wrote(before, overlay.bytes());
    }

    /// Deletes every entry in `[from, to)`.
    pub(crate) fn delete_range(&self, from: &[u8], to: &[u8]) {
        let mut overlay = self.overlay.borrow_mut();
        let before = overlay.bytes();
        overlay.delete_range(from, to);
        self.context.wrote(before, overlay.bytes());
    }

    /// Up to `limit` entries of a span, uncommitted ones included.
    pub(crate) fn scan(&self, span: Span<'_>, limit: usize) -> Result<Vec<Entry>> {
        let mut overlay = self.overlay.borrow_mut();
        overlay.order();
        let mut merge = Merge {
            overlay: &overlay,
            writes: overlay.range(span).peekable(),
            is_reverse: span.is_reverse,
            limit,
            entries: Vec::new(),
        };
        self.engine.scan(span, |key, value| merge.add(key, value))?;
        Ok(merge.finish())
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
        batch.put(column, overlay.writes())?;
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
        overlay.clear();
        self.committed_time.set_ms(self.observed_time_ms.get());
    }

    /// The store's time as of its last commit.
    pub(crate) fn committed_time(&self) -> &ObservedTime {
        &self.committed_time
    }
}

/// Merges what is committed with the writes over it, in the order of a span.
struct Merge<'a, W: Iterator<Item = Write<'a>>> {
    overlay: &'a Overlay,
    writes: Peekable<W>,
    is_reverse: bool,
    limit: usize,
    entries: Vec<Entry>,
}

impl<'a, W: Iterator<Item = Write<'a>>> Merge<'a, W> {
    /// Takes the next committed entry, after the writes that come before it; returns whether there
    /// is room for more.
    fn add(&mut self, key: &[u8], value: &[u8]) -> bool {
        let is_reverse = self.is_reverse;
        let is_due = |write: &Write<'a>| match is_reverse {
            false => write.0 <= key,
            true => write.0 >= key,
        };
        while self.entries.len() < self.limit
            && let Some((written, change)) = self.writes.next_if(is_due)
        {
            if let Some(change) = change {
                self.entries.push((Box::from(written), Box::from(change)));
            }
            if written == key {
                return self.entries.len() < self.limit;
            }
        }
        if self.entries.len() < self.limit && !self.overlay.is_deleted(key) {
            self.entries.push((Box::from(key), Box::from(value)));
        }
        self.entries.len() < self.limit
    }

    /// Takes the writes after the last committed entry.
    fn finish(mut self) -> Vec<Entry> {
        while self.entries.len() < self.limit
            && let Some((written, change)) = self.writes.next()
        {
            if let Some(change) = change {
                self.entries.push((Box::from(written), Box::from(change)));
            }
        }
        self.entries
    }
}
