//! Tumbling and hopping windows.

use std::time::Duration;

use streams_core::window::Window;

use super::{FixedWindows, duration, millis};

/// Windows of one length that begin at fixed intervals, from time 0 on
/// (`org.apache.kafka.streams.kstream.TimeWindows`).
///
/// Where the interval is the length they are *tumbling*: each record is in one window. Where it is
/// shorter they are *hopping*: windows overlap, and a record is in several. A window's first
/// instant belongs to it, its end does not. Lengths are whole milliseconds; fractions are cut off.
///
/// A window closes when stream time has passed its end by the grace period; records that come for
/// it later are left out and counted as dropped.
///
/// What makes no windows (a length of 0, an interval of 0 or above the length) is told by
/// [`StreamsBuilder::build`](crate::StreamsBuilder::build).
///
/// ```
/// use std::time::Duration;
///
/// use streams_dsl::{TimeWindows, Window};
///
/// let minutes = TimeWindows::tumbling(Duration::from_secs(60));
/// assert_eq!(minutes.windows_for(61_000).collect::<Vec<_>>(), [Window::new(60_000, 120_000)]);
///
/// let hopping = minutes.advance_by(Duration::from_secs(30));
/// let windows: Vec<_> = hopping.windows_for(61_000).collect();
/// assert_eq!(windows, [Window::new(30_000, 90_000), Window::new(60_000, 120_000)]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeWindows {
    size_ms: i64,
    advance_ms: i64,
    grace_ms: i64,
}

impl TimeWindows {
    /// Tumbling windows that close at their end: the short form of
    /// [`TimeWindows::of_size_with_no_grace`].
    pub fn tumbling(size: Duration) -> Self {
        Self::of_size_with_no_grace(size)
    }

    /// Tumbling windows of this length that close at their end: records that are older than stream
    /// time are left out unless their window is still open.
    pub fn of_size_with_no_grace(size: Duration) -> Self {
        Self::of_size_and_grace(size, Duration::ZERO)
    }

    /// Tumbling windows of this length that close `after_window_end`.
    pub fn of_size_and_grace(size: Duration, after_window_end: Duration) -> Self {
        let size_ms = millis(size);
        Self {
            size_ms,
            advance_ms: size_ms,
            grace_ms: millis(after_window_end),
        }
    }

    /// The same windows, one beginning after each such interval: hopping windows, if it is shorter
    /// than the length.
    #[must_use]
    pub fn advance_by(mut self, advance: Duration) -> Self {
        self.advance_ms = millis(advance);
        self
    }

    /// How long a window is.
    pub fn size(&self) -> Duration {
        duration(self.size_ms)
    }

    /// The time between the beginnings of two windows.
    pub fn advance(&self) -> Duration {
        duration(self.advance_ms)
    }

    /// How long after its end a window closes.
    pub fn grace(&self) -> Duration {
        duration(self.grace_ms)
    }

    /// The windows that a record of this time, in milliseconds since the epoch, belongs to, by
    /// their beginnings. There is none before time 0.
    pub fn windows_for(&self, timestamp_ms: i64) -> impl Iterator<Item = Window> + use<> {
        // Impossible intervals are refused when the topology is built.
        let advance_ms = self.advance_ms.max(1);
        let size_ms = self.size_ms;
        let first_ms = timestamp_ms.saturating_sub(size_ms);
        let first_ms = first_ms.saturating_add(advance_ms).max(0) / advance_ms * advance_ms;
        let starts = std::iter::successors(Some(first_ms), move |start_ms: &i64| {
            start_ms.checked_add(advance_ms)
        });
        starts
            .take_while(move |start_ms| *start_ms <= timestamp_ms)
            .map(move |start_ms| Window::new(start_ms, start_ms.saturating_add(size_ms)))
    }

    /// What keeps these from being windows.
    pub(crate) fn mistake(&self) -> Option<String> {
        let Self {
            size_ms,
            advance_ms,
            ..
        } = self;
        if *size_ms < 1 {
            return Some("has windows of 0 ms; they must be longer".to_owned());
        }
        let is_possible = (1..=*size_ms).contains(advance_ms);
        (!is_possible).then(|| {
            format!(
                "has windows that advance by {advance_ms} ms; that must be more than 0 and at most \
                 the windows' size, which is {size_ms} ms"
            )
        })
    }
}

impl FixedWindows for TimeWindows {
    fn windows_for(&self, timestamp_ms: i64) -> impl Iterator<Item = Window> + use<> {
        self.windows_for(timestamp_ms)
    }

    fn size_ms(&self) -> i64 {
        self.size_ms
    }

    fn grace_ms(&self) -> i64 {
        self.grace_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn starts(windows: TimeWindows, timestamp_ms: i64) -> Vec<i64> {
        let windows = windows.windows_for(timestamp_ms);
        windows.map(|window| window.start_ms).collect()
    }

    #[test]
    fn a_record_is_in_every_window_that_holds_its_time() {
        // KStreamWindowAggregateTest and TimeWindowsTest of the JVM.
        let hopping = TimeWindows::of_size_with_no_grace(ms(12)).advance_by(ms(5));
        assert_eq!(starts(hopping, 21), [10, 15, 20]);
        let tumbling = TimeWindows::of_size_with_no_grace(ms(12));
        assert_eq!(starts(tumbling, 21), [12]);
        let half_overlapping = TimeWindows::of_size_with_no_grace(ms(10)).advance_by(ms(5));
        assert_eq!(starts(half_overlapping, 4), [0]);
        assert_eq!(starts(half_overlapping, -1), [0_i64; 0]);
    }

    #[test]
    fn windows_are_those_that_a_search_finds() {
        for (size, advance) in [(10, 10), (10, 3), (10, 1), (7, 5), (1, 1)] {
            let windows = TimeWindows::of_size_with_no_grace(ms(size)).advance_by(ms(advance));
            for timestamp_ms in 0..60 {
                let all = (0..=timestamp_ms).filter(|start| start % advance as i64 == 0);
                let expected: Vec<i64> = all
                    .filter(|start| timestamp_ms < start + size as i64)
                    .collect();
                assert_eq!(starts(windows, timestamp_ms), expected, "{windows:?}");
            }
        }
    }

    #[test]
    fn times_at_the_end_of_all_times_do_not_overflow() {
        let windows = TimeWindows::of_size_with_no_grace(ms(10)).advance_by(ms(3));
        assert_eq!(windows.windows_for(i64::MAX).count(), 3);
        let endless = TimeWindows::of_size_with_no_grace(Duration::MAX);
        assert_eq!(starts(endless, 5), [0]);
    }

    #[test]
    fn impossible_windows_are_mistakes() {
        let mistake = |size, advance| {
            let windows = TimeWindows::of_size_with_no_grace(ms(size));
            windows.advance_by(ms(advance)).mistake()
        };
        assert_eq!(mistake(10, 10), None);
        assert_eq!(mistake(10, 1), None);
        for (size, advance) in [(0, 0), (10, 0), (10, 11)] {
            assert!(mistake(size, advance).is_some(), "{size} {advance}");
        }
        let tiny = TimeWindows::tumbling(Duration::from_nanos(10));
        assert!(tiny.mistake().is_some());
    }
}
