//! Windows that are made of records that are near each other.

use std::time::Duration;

use super::{duration, millis};

/// Windows that hold all records of a key that differ in time by no more than a limit
/// (`org.apache.kafka.streams.kstream.SlidingWindows`, KIP-450).
///
/// Each record makes two windows: one that ends with it, and one that begins right after it, if
/// anything is in that. Both their ends belong to them, so a window is as long as the time
/// difference and one millisecond. The first records, with times below the difference, share the
/// window that begins at 0. There are as many windows as there are different sets of near records;
/// hopping windows of 1 ms would say the same in many more.
///
/// A window closes when stream time has passed its end by the grace period.
///
/// ```
/// use std::time::Duration;
///
/// use streams_dsl::SlidingWindows;
///
/// let windows = SlidingWindows::of_time_difference_with_no_grace(Duration::from_secs(5));
/// assert_eq!(windows.time_difference(), Duration::from_secs(5));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SlidingWindows {
    time_difference_ms: i64,
    grace_ms: i64,
}

impl SlidingWindows {
    /// Windows of records that differ by no more than this, which close at their end.
    pub fn of_time_difference_with_no_grace(time_difference: Duration) -> Self {
        Self::of_time_difference_and_grace(time_difference, Duration::ZERO)
    }

    /// Windows of records that differ by no more than this, which close `after_window_end`.
    pub fn of_time_difference_and_grace(
        time_difference: Duration,
        after_window_end: Duration,
    ) -> Self {
        Self {
            time_difference_ms: millis(time_difference),
            grace_ms: millis(after_window_end),
        }
    }

    /// The most that records of one window differ in time.
    pub fn time_difference(&self) -> Duration {
        duration(self.time_difference_ms)
    }

    /// How long after its end a window closes.
    pub fn grace(&self) -> Duration {
        duration(self.grace_ms)
    }

    /// What keeps these from being windows.
    pub(crate) fn mistake(&self) -> Option<String> {
        // The JVM's windows of this kind have a length, and fail with the first record.
        let is_possible = self.time_difference_ms > 0;
        let mistake = "has sliding windows of a time difference of 0 ms; it must be longer";
        (!is_possible).then(|| mistake.to_owned())
    }

    pub(crate) fn time_difference_ms(&self) -> i64 {
        self.time_difference_ms
    }

    pub(crate) fn grace_ms(&self) -> i64 {
        self.grace_ms
    }
}
