//! How far apart in time records of two streams may be to be joined.

use std::time::Duration;

use super::{duration, millis};

/// How far apart in time records of two streams may be to be joined
/// (`org.apache.kafka.streams.kstream.JoinWindows`).
///
/// A record of the right stream joins one of the left if its time is at most [`before`] the other's
/// and at most [`after`] it; both ends belong to the window. Lengths are whole milliseconds.
///
/// A window closes when stream time has passed its end by the grace period; that is when left and
/// outer joins tell of records without a partner.
///
/// ```
/// use std::time::Duration;
///
/// use streams_dsl::JoinWindows;
///
/// let either_way = JoinWindows::of_time_difference_with_no_grace(Duration::from_secs(10));
/// // Payments that come within an hour after their orders, which are on the left.
/// let hour = Duration::from_secs(3_600);
/// let paid = JoinWindows::of_time_difference_and_grace(Duration::ZERO, hour).after(hour);
/// assert_eq!(paid.size(), hour);
/// ```
///
/// [`before`]: JoinWindows::before
/// [`after`]: JoinWindows::after
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JoinWindows {
    pub(crate) before_ms: i64,
    pub(crate) after_ms: i64,
    pub(crate) grace_ms: i64,
}

impl JoinWindows {
    /// Records whose times differ by no more than this, until stream time has passed that.
    pub fn of_time_difference_with_no_grace(time_difference: Duration) -> Self {
        Self::of_time_difference_and_grace(time_difference, Duration::ZERO)
    }

    /// Records whose times differ by no more than this, also if they come so much later.
    pub fn of_time_difference_and_grace(
        time_difference: Duration,
        after_window_end: Duration,
    ) -> Self {
        let difference_ms = millis(time_difference);
        Self {
            before_ms: difference_ms,
            after_ms: difference_ms,
            grace_ms: millis(after_window_end),
        }
    }

    /// Lets records of the right stream be this much older than those of the left.
    #[must_use]
    pub fn before(self, time_difference: Duration) -> Self {
        self.before_ms(millis(time_difference))
    }

    /// Lets records of the right stream be this much younger than those of the left.
    #[must_use]
    pub fn after(self, time_difference: Duration) -> Self {
        self.after_ms(millis(time_difference))
    }

    /// As [`JoinWindows::before`], in milliseconds; where they are below 0 records of the right
    /// stream must be that much younger.
    #[must_use]
    pub fn before_ms(mut self, time_difference_ms: i64) -> Self {
        self.before_ms = time_difference_ms;
        self
    }

    /// As [`JoinWindows::after`], in milliseconds; where they are below 0 records of the right
    /// stream must be that much older.
    #[must_use]
    pub fn after_ms(mut self, time_difference_ms: i64) -> Self {
        self.after_ms = time_difference_ms;
        self
    }

    /// From the earliest to the latest time that joins.
    pub fn size(&self) -> Duration {
        duration(self.size_ms())
    }

    /// How long after its end a window closes.
    pub fn grace(&self) -> Duration {
        duration(self.grace_ms)
    }

    pub(crate) fn size_ms(&self) -> i64 {
        self.before_ms.saturating_add(self.after_ms)
    }

    /// What keeps these from being windows.
    pub(crate) fn mistake(&self) -> Option<String> {
        (self.size_ms() < 0).then(|| {
            let Self {
                before_ms,
                after_ms,
                ..
            } = self;
            format!(
                "joins within a window from {before_ms} ms before to {after_ms} ms after, which \
                 ends before it begins"
            )
        })
    }
}
