//! What all stores of one task share.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use crate::broker::Collector;
use crate::record::Headers;

/// Where the source record at hand came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RecordOrigin {
    pub(crate) topic: Arc<str>,
    pub(crate) partition: i32,
    pub(crate) offset: i64,
}

/// The record that a processor has at hand, as far as its stores see it
/// (`ProcessorRecordContext`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct RecordView {
    /// Its time, in milliseconds since the epoch; plain stores write it to their changelogs.
    pub(crate) timestamp_ms: i64,
    /// Its headers; kept only where a store asks for them.
    pub(crate) headers: Headers,
    /// Where it came from; kept only where a store asks for it.
    pub(crate) origin: Option<RecordOrigin>,
}

/// Shared by the stores of one task, and by the nodes that move their records' time along.
pub(crate) struct StoreContext {
    pub(crate) partition: i32,
    pub(crate) collector: Rc<dyn Collector>,
    record: RefCell<RecordView>,
    /// The time of the record at hand, apart from the rest since every stateful node sets it.
    timestamp_ms: Cell<i64>,
    /// Whether a store asks for more of the record at hand than its time.
    keeps_records: Cell<bool>,
    /// Whether what is at hand was kept back in a store, which knows where it came from.
    is_kept_back: Cell<bool>,
    cache_bytes_max: usize,
    /// The memory that uncommitted writes take.
    uncommitted_bytes: Cell<usize>,
    is_dirty: Cell<bool>,
}

impl StoreContext {
    pub(crate) fn new(partition: i32, collector: Rc<dyn Collector>) -> Self {
        Self {
            partition,
            collector,
            record: RefCell::default(),
            timestamp_ms: Cell::new(0),
            keeps_records: Cell::new(false),
            is_kept_back: Cell::new(false),
            cache_bytes_max: 0,
            uncommitted_bytes: Cell::new(0),
            is_dirty: Cell::new(false),
        }
    }

    /// Gives the task's stores this much memory for their caches, together; 0 turns caching off,
    /// as it is without this.
    pub(crate) fn with_cache_bytes_max(mut self, bytes_max: usize) -> Self {
        self.cache_bytes_max = bytes_max;
        self
    }

    pub(super) fn cache_bytes_max(&self) -> usize {
        self.cache_bytes_max
    }

    /// A store of the task asks for more of the record at hand than its time.
    pub(super) fn keep_records(&self) {
        self.keeps_records.set(true);
    }

    /// A node takes up a record; returns what was at hand, for [`Self::leave`].
    #[inline]
    pub(crate) fn enter(
        &self,
        timestamp_ms: i64,
        headers: &Headers,
        origin: impl FnOnce() -> Option<RecordOrigin>,
    ) -> Left {
        let before_ms = self.timestamp_ms.replace(timestamp_ms);
        if !self.keeps_records.get() {
            return Left {
                timestamp_ms: before_ms,
                record: None,
            };
        }
        let mut record = self.record.borrow_mut();
        let origin = match self.is_kept_back.get() {
            true => record.origin.clone(),
            false => origin(),
        };
        let entered = RecordView {
            timestamp_ms,
            headers: headers.clone(),
            origin,
        };
        Left {
            timestamp_ms: before_ms,
            record: Some(std::mem::replace(&mut record, entered)),
        }
    }

    /// The node is done with its record, and what was at hand before is again.
    #[inline]
    pub(crate) fn leave(&self, before: Left) {
        self.timestamp_ms.set(before.timestamp_ms);
        if let Some(record) = before.record {
            self.record.replace(record);
        }
    }

    /// Calls `forward` with a record at hand that a store has kept back.
    pub(super) fn with_kept_back<R>(&self, record: RecordView, forward: impl FnOnce() -> R) -> R {
        let before_ms = self.timestamp_ms.replace(record.timestamp_ms);
        let before = self.record.replace(record);
        let was_kept_back = self.is_kept_back.replace(true);
        let result = forward();
        self.is_kept_back.set(was_kept_back);
        self.record.replace(before);
        self.timestamp_ms.set(before_ms);
        result
    }

    /// There is another time at hand, that of a punctuation.
    pub(crate) fn set_timestamp_ms(&self, timestamp_ms: i64) {
        self.timestamp_ms.set(timestamp_ms);
    }

    /// The time of the record at hand, in milliseconds since the epoch.
    #[inline]
    pub(super) fn record_timestamp_ms(&self) -> i64 {
        self.timestamp_ms.get()
    }

    /// The record at hand, as far as the task's stores have asked for it, but with this time.
    pub(super) fn record(&self, timestamp_ms: i64) -> RecordView {
        RecordView {
            timestamp_ms,
            ..self.record.borrow().clone()
        }
    }

    /// A store has been written to, and its writes take so many bytes more (or fewer).
    #[inline]
    pub(super) fn wrote(&self, bytes_before: usize, bytes_after: usize) {
        self.is_dirty.set(true);
        self.holds(bytes_before, bytes_after);
    }

    /// What a store keeps back takes so many bytes more (or fewer).
    #[inline]
    pub(super) fn holds(&self, bytes_before: usize, bytes_after: usize) {
        let bytes = self.uncommitted_bytes.get() + bytes_after;
        self.uncommitted_bytes
            .set(bytes.saturating_sub(bytes_before));
    }

    /// The memory that the task's uncommitted writes take, about.
    pub(crate) fn uncommitted_bytes(&self) -> usize {
        self.uncommitted_bytes.get()
    }

    /// Whether any store has writes that are not committed.
    pub(crate) fn is_dirty(&self) -> bool {
        self.is_dirty.get()
    }

    /// All writes are committed.
    pub(super) fn committed(&self) {
        self.is_dirty.set(false);
        self.uncommitted_bytes.set(0);
    }
}

/// What was at hand before a node took up a record.
pub(crate) struct Left {
    timestamp_ms: i64,
    record: Option<RecordView>,
}
