//! What all stores of one task share.

use std::cell::Cell;
use std::rc::Rc;

use crate::broker::Collector;

/// Shared by the stores of one task, and by the task that moves its records' time along.
pub(crate) struct StoreContext {
    pub(crate) partition: i32,
    pub(crate) collector: Rc<dyn Collector>,
    /// The time of the record at hand, which plain stores write to their changelogs.
    pub(crate) record_timestamp_ms: Cell<i64>,
    /// The memory that uncommitted writes take.
    uncommitted_bytes: Cell<usize>,
    is_dirty: Cell<bool>,
}

impl StoreContext {
    pub(crate) fn new(partition: i32, collector: Rc<dyn Collector>) -> Self {
        Self {
            partition,
            collector,
            record_timestamp_ms: Cell::new(0),
            uncommitted_bytes: Cell::new(0),
            is_dirty: Cell::new(false),
        }
    }

    /// A store has been written to, and its writes take so many bytes more (or fewer).
    #[inline]
    pub(super) fn wrote(&self, bytes_before: usize, bytes_after: usize) {
        self.is_dirty.set(true);
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
