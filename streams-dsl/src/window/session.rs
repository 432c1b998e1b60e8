//! Windows that last as long as records keep coming.

use std::time::Duration;

use super::{duration, millis};

/// Sessions: windows that go on as long as records of a key follow each other closely
/// (`org.apache.kafka.streams.kstream.SessionWindows`).
///
/// A record begins a session of its own, from its time to its time, unless there are sessions
/// within
/// the inactivity gap before or after it: then it becomes one with all of them, so that a late
/// record
/// can join two sessions to one. Both ends of a session belong to it, and so do records that are
/// exactly the gap away.
///
/// A session closes when stream time has passed its end by more than the gap and the grace period.
///
/// ```
/// use std::time::Duration;
///
/// use streams_dsl::SessionWindows;
///
/// let visits = SessionWindows::of_inactivity_gap_with_no_grace(Duration::from_secs(1800));
/// assert_eq!(visits.inactivity_gap(), Duration::from_secs(1800));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionWindows {
    gap_ms: i64,
    grace_ms: i64,
}

impl SessionWindows {
    /// Sessions that end after this time without a record, and close then.
    pub fn of_inactivity_gap_with_no_grace(inactivity_gap: Duration) -> Self {
        Self::of_inactivity_gap_and_grace(inactivity_gap, Duration::ZERO)
    }

    /// Sessions that end after this time without a record, and close `after_window_end`.
    pub fn of_inactivity_gap_and_grace(
        inactivity_gap: Duration,
        after_window_end: Duration,
    ) -> Self {
        Self {
            gap_ms: millis(inactivity_gap),
            grace_ms: millis(after_window_end),
        }
    }

    /// The time without a record that ends a session.
    pub fn inactivity_gap(&self) -> Duration {
        duration(self.gap_ms)
    }

    /// How long after its end and the gap a session closes.
    pub fn grace(&self) -> Duration {
        duration(self.grace_ms)
    }

    pub(crate) fn gap_ms(&self) -> i64 {
        self.gap_ms
    }

    pub(crate) fn grace_ms(&self) -> i64 {
        self.grace_ms
    }
}
