//! When and how often a step is tried again.

use std::time::Duration;

/// Tells failures that may pass from those that will not.
pub trait Retryable {
    /// Whether the same call may succeed later: a service that is down, a time-out. What is wrong
    /// with the record itself is not temporary.
    fn is_temporary(&self) -> bool;
}

/// How often a step is tried again after a temporary failure, and how long it waits before each
/// try.
///
/// The waits double. They block the task's thread, and under exactly-once its open transaction:
/// their sum must stay well below `transaction.timeout.ms` and `max.poll.interval.ms`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    retries_max: u32,
    first_wait: Duration,
    wait_max: Duration,
}

impl RetryPolicy {
    /// The longest single wait, unless set.
    pub const WAIT_MAX: Duration = Duration::from_secs(10);

    /// Tries at most `retries_max` times more, first after `first_wait`.
    pub const fn new(retries_max: u32, first_wait: Duration) -> Self {
        Self {
            retries_max,
            first_wait,
            wait_max: Self::WAIT_MAX,
        }
    }

    /// Waits no longer than this before one try.
    #[must_use]
    pub const fn with_wait_max(mut self, wait_max: Duration) -> Self {
        self.wait_max = wait_max;
        self
    }

    /// The wait after so many retries that failed; `None` if there is to be no other.
    pub(crate) fn wait_after(&self, retries: u32) -> Option<Duration> {
        if retries >= self.retries_max {
            return None;
        }
        let factor = 2_u32.saturating_pow(retries);
        Some(self.first_wait.saturating_mul(factor).min(self.wait_max))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_longest_one() {
        let policy = RetryPolicy::new(4, Duration::from_millis(100))
            .with_wait_max(Duration::from_millis(350));
        let waits = (0..6).map(|retries| policy.wait_after(retries));
        let waits: Vec<_> = waits
            .map(|wait| wait.map(|wait| wait.as_millis()))
            .collect();
        assert_eq!(
            waits,
            [Some(100), Some(200), Some(350), Some(350), None, None]
        );
    }
}
