//! Where a store stands: how far of its changelog it holds, and its own time.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// What a store remembers beside its entries, in the same write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StorePosition {
    /// The offset in the changelog of the next record that the store does not hold; `None` without
    /// a changelog.
    pub(crate) changelog_offset: Option<i64>,
    /// The largest time that was written to the store, in milliseconds since the epoch; -1 before
    /// the first. Windows and versions expire by it.
    pub(crate) observed_time_ms: i64,
    /// The last number given to one of several values with the same key and time.
    pub(crate) sequence: u32,
}

/// The time of a store as of its last commit, for those who read what is committed.
#[derive(Debug, Clone)]
pub(crate) struct ObservedTime(Arc<AtomicI64>);

impl ObservedTime {
    pub(crate) fn new(time_ms: i64) -> Self {
        Self(Arc::new(AtomicI64::new(time_ms)))
    }

    /// In milliseconds since the epoch; -1 before the first.
    pub(crate) fn get_ms(&self) -> i64 {
        self.0.load(Ordering::Acquire)
    }

    pub(crate) fn set_ms(&self, time_ms: i64) {
        self.0.store(time_ms, Ordering::Release);
    }
}

impl Default for StorePosition {
    fn default() -> Self {
        Self::EMPTY
    }
}

const NO_OFFSET: i64 = -1;

impl StorePosition {
    /// A store that is empty.
    pub(crate) const EMPTY: Self = Self {
        changelog_offset: None,
        observed_time_ms: -1,
        sequence: 0,
    };

    pub(crate) fn encode(self) -> [u8; 20] {
        let mut bytes = [0; 20];
        let offset = self.changelog_offset.unwrap_or(NO_OFFSET);
        let parts = offset
            .to_be_bytes()
            .into_iter()
            .chain(self.observed_time_ms.to_be_bytes())
            .chain(self.sequence.to_be_bytes());
        bytes
            .iter_mut()
            .zip(parts)
            .for_each(|(place, byte)| *place = byte);
        bytes
    }

    /// `None` if these are no such bytes.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let (offset, rest) = bytes.split_first_chunk::<8>()?;
        let (time, rest) = rest.split_first_chunk::<8>()?;
        let sequence: [u8; 4] = rest.try_into().ok()?;
        let offset = i64::from_be_bytes(*offset);
        Some(Self {
            changelog_offset: (offset >= 0).then_some(offset),
            observed_time_ms: i64::from_be_bytes(*time),
            sequence: u32::from_be_bytes(sequence),
        })
    }
}
