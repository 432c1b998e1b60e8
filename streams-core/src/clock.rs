//! The one place that reads the wall clock, and waits.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Tells the time.
pub trait Clock: fmt::Debug + Send + Sync {
    /// The wall clock's time, in milliseconds since the epoch.
    fn now_ms(&self) -> i64;

    /// Returns after `duration`.
    fn sleep(&self, duration: Duration);
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now_ms(&self) -> i64 {
        match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => since.as_millis() as i64,
            Err(before) => -(before.duration().as_millis() as i64),
        }
    }

    fn sleep(&self, duration: Duration) {
        std::thread::sleep(duration);
    }
}

/// A clock that only moves when told to; clones show the same time.
///
/// # Examples
/// ```
/// use streams_core::clock::{Clock, ManualClock};
///
/// let clock = ManualClock::at_ms(1_000);
/// clock.clone().advance_ms(500);
/// assert_eq!(clock.now_ms(), 1_500);
/// ```
#[derive(Debug, Clone, Default)]
pub struct ManualClock(Arc<AtomicI64>);

impl ManualClock {
    /// A clock that shows this time, in milliseconds since the epoch.
    pub fn at_ms(now_ms: i64) -> Self {
        Self(Arc::new(AtomicI64::new(now_ms)))
    }

    /// Moves the clock on, or back if `by_ms` is negative.
    pub fn advance_ms(&self, by_ms: i64) {
        self.0.fetch_add(by_ms, Ordering::SeqCst);
    }

    /// Sets the clock, in milliseconds since the epoch.
    pub fn set_ms(&self, now_ms: i64) {
        self.0.store(now_ms, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }

    /// Moves the clock on and returns at once.
    fn sleep(&self, duration: Duration) {
        self.advance_ms(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX));
    }
}

impl<C: Clock + ?Sized> Clock for Arc<C> {
    fn now_ms(&self) -> i64 {
        (**self).now_ms()
    }

    fn sleep(&self, duration: Duration) {
        (**self).sleep(duration);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_clock_shows_this_century() {
        const YEAR_2020_MS: i64 = 1_577_836_800_000;
        const YEAR_2100_MS: i64 = 4_102_444_800_000;
        assert!((YEAR_2020_MS..YEAR_2100_MS).contains(&SystemClock.now_ms()));
    }

    #[test]
    fn a_manual_clock_moves_only_when_told() {
        let clock: Arc<dyn Clock> = Arc::new(ManualClock::default());
        assert_eq!((clock.now_ms(), clock.now_ms()), (0, 0));
        let manual = ManualClock::at_ms(5);
        manual.set_ms(70);
        manual.advance_ms(-20);
        assert_eq!(Arc::new(manual).now_ms(), 50);
    }
}
