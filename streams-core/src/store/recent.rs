//! What all stores of a process may keep of entries that were read or written lately.

use std::sync::atomic::{AtomicUsize, Ordering};

/// The memory of the recent entries of all stores of a process, in equal parts.
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

    /// One store more has a part.
    pub(super) fn enter(&self) {
        self.stores.fetch_add(1, Ordering::Relaxed);
    }

    /// One store less has a part.
    pub(super) fn leave(&self) {
        self.stores.fetch_sub(1, Ordering::Relaxed);
    }

    /// What one store may take, in bytes.
    pub(super) fn part(&self) -> usize {
        self.bytes_max / self.stores.load(Ordering::Relaxed).max(1)
    }
}
