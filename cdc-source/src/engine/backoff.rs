//! How long to wait before the work is begun anew.

use std::time::Duration;

use crate::config::ConnectorConfig;
use crate::{Error, ErrorKind};

/// The first wait; each one after it is twice as long.
const WAIT_MIN: Duration = Duration::from_millis(100);

/// Waits that grow from failure to failure, up to Debezium's settings.
#[derive(Debug)]
pub(super) struct Backoff {
    wait_max: Duration,
    slot_wait_max: Duration,
    slot_retries_max: u32,
    retries_max: Option<u32>,
    /// Failures in a row.
    failures: u32,
    slot_failures: u32,
    retries: u32,
}

impl Backoff {
    pub(super) fn new(config: &ConnectorConfig) -> Self {
        Self {
            wait_max: Duration::from_millis(config.retriable_restart_wait_ms),
            slot_wait_max: Duration::from_millis(config.slot.retry_delay_ms),
            slot_retries_max: config.slot.max_retries,
            retries_max: config.errors_max_retries,
            failures: 0,
            slot_failures: 0,
            retries: 0,
        }
    }

    /// The work is under way again.
    pub(super) fn reset(&mut self) {
        (self.failures, self.slot_failures, self.retries) = (0, 0, 0);
    }

    /// How long to wait after `error`; `None` when it is not to be tried again. A slot in use
    /// counts as one failure of the connector after every `slot.max.retries` tries.
    pub(super) fn after(&mut self, error: &Error) -> Option<Duration> {
        if error.kind() != ErrorKind::Retriable {
            return None;
        }
        let is_slot = matches!(error, Error::SlotInUse { .. });
        if is_slot {
            self.slot_failures += 1;
        }
        if !is_slot || self.slot_failures > self.slot_retries_max {
            self.slot_failures = 0;
            self.retries += 1;
            if self.retries_max.is_some_and(|max| self.retries > max) {
                return None;
            }
        }
        let wait = WAIT_MIN.saturating_mul(1 << self.failures.min(16));
        self.failures += 1;
        Some(wait.min(if is_slot {
            self.slot_wait_max
        } else {
            self.wait_max
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn backoff(retries_max: Option<u32>) -> Backoff {
        Backoff {
            wait_max: Duration::from_secs(10),
            slot_wait_max: Duration::from_secs(1),
            slot_retries_max: 2,
            retries_max,
            failures: 0,
            slot_failures: 0,
            retries: 0,
        }
    }

    fn away() -> Error {
        Error::Postgres {
            doing: "connecting".into(),
            problem: "refused".into(),
        }
    }

    fn in_use() -> Error {
        Error::SlotInUse {
            problem: "active".into(),
        }
    }

    #[test]
    fn waits_double_up_to_the_setting_and_begin_anew_after_success() {
        let mut backoff = backoff(None);
        let waits: Vec<u64> = (0..9)
            .filter_map(|_| backoff.after(&away()))
            .map(|wait| wait.as_millis() as u64)
            .collect();
        assert_eq!(
            waits,
            [100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000]
        );
        backoff.reset();
        assert_eq!(backoff.after(&away()), Some(WAIT_MIN));
    }

    #[test]
    fn retries_end_where_errors_max_retries_says() {
        let mut backoff = backoff(Some(1));
        assert!(backoff.after(&away()).is_some());
        assert!(backoff.after(&away()).is_none());
    }

    #[test]
    fn a_slot_in_use_counts_once_for_all_its_retries() {
        let mut backoff = backoff(Some(0));
        assert!(backoff.after(&in_use()).is_some() && backoff.after(&in_use()).is_some());
        assert!(backoff.after(&in_use()).is_none());
    }

    #[test]
    fn a_mistake_in_the_configuration_is_not_tried_again() {
        let error = Error::Setting {
            setting: "wal_level",
            problem: "replica".into(),
        };
        assert!(backoff(None).after(&error).is_none());
    }
}
