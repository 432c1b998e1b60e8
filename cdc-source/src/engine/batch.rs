//! What was written and is not committed yet, and when it should be.

use std::time::{Duration, Instant};

use crate::envelope::{Operation, OutgoingRecord};
use crate::metrics::StreamingMetrics;

/// The pause between two commits while there is little to do. A commit costs the broker the same
/// whatever it holds.
const PAUSE_MIN: Duration = Duration::from_millis(10);
/// How old a batch may become at the end of a transaction.
const AGE_MAX: Duration = Duration::from_millis(100);
/// How large a batch may become at the end of a transaction, in bytes.
const BYTES_MAX: usize = 8 << 20;
/// How old a batch may become within a transaction of the database.
const OPEN_AGE_MAX: Duration = Duration::from_secs(1);
/// How large a batch may become within a transaction of the database, in bytes.
const OPEN_BYTES_MAX: usize = 32 << 20;
/// From this lag on, in µs, changes come from a backlog. Nobody waits for them in particular, so
/// their batches may be as large and as old as those within a transaction.
const BACKLOG_LAG_US: i64 = 1_000_000;
/// The pause between two commits of a backlog.
const BACKLOG_PAUSE: Duration = AGE_MAX;

/// The batch that is being written.
#[derive(Debug, Default)]
pub(super) struct Batch {
    records: u64,
    bytes: usize,
    /// When its first record was written.
    since: Option<Instant>,
    /// When the batch before it was committed.
    last_commit: Option<Instant>,
    created: u64,
    updated: u64,
    deleted: u64,
    events: u64,
    behind_us: i64,
    last_event_us: i64,
    /// How long after its commit the last change was sent, by the server's clock alone.
    lag_us: i64,
}

impl Batch {
    /// Whether nothing was written since the last commit.
    pub(super) fn is_empty(&self) -> bool {
        self.records == 0
    }

    /// When a batch that nothing is being added to should be committed.
    pub(super) fn due(&self, is_in_transaction: bool) -> Option<Instant> {
        let since = self.since?;
        if is_in_transaction {
            return Some(since + OPEN_AGE_MAX);
        }
        let pause = if self.is_backlog() {
            BACKLOG_PAUSE
        } else {
            PAUSE_MIN
        };
        Some(
            self.last_commit
                .map_or(since, |last| since.max(last + pause)),
        )
    }

    /// When a batch has to be committed that is complete so far: until then it makes no difference
    /// when what follows is taken in.
    pub(super) fn rest_until(&self, is_in_transaction: bool, now: Instant) -> Option<Instant> {
        let due = self.due(false).filter(|_| !is_in_transaction)?;
        (due <= now + PAUSE_MIN).then_some(due)
    }

    fn is_backlog(&self) -> bool {
        self.lag_us >= BACKLOG_LAG_US
    }

    /// Whether the batch should be committed although more is coming.
    pub(super) fn is_full(&self, is_in_transaction: bool) -> bool {
        let (age_max, bytes_max) = if is_in_transaction || self.is_backlog() {
            (OPEN_AGE_MAX, OPEN_BYTES_MAX)
        } else {
            (AGE_MAX, BYTES_MAX)
        };
        self.bytes >= bytes_max || self.since.is_some_and(|since| since.elapsed() >= age_max)
    }

    /// A record was written.
    pub(super) fn add(&mut self, record: &OutgoingRecord) {
        let length = |part: &Option<Vec<u8>>| part.as_ref().map_or(0, Vec::len);
        self.records += 1;
        self.bytes += length(&record.key) + length(&record.value);
        if self.since.is_none() {
            self.since = Some(Instant::now());
        }
    }

    /// A change was taken in, whether or not it becomes a record.
    pub(super) fn count(&mut self, operation: Operation, commit_us: i64, now_us: i64) {
        self.events += 1;
        match operation {
            Operation::Create => self.created += 1,
            Operation::Update => self.updated += 1,
            Operation::Delete => self.deleted += 1,
            Operation::Read | Operation::Truncate => {}
        }
        self.behind_us = now_us - commit_us;
        self.last_event_us = now_us;
    }

    /// A change was sent this long after its commit.
    pub(super) fn set_lag(&mut self, lag_us: i64) {
        self.lag_us = lag_us;
    }

    /// When the last change was taken in, µs since 1970; 0 before the first.
    pub(super) fn last_event_us(&self) -> i64 {
        self.last_event_us
    }

    /// Adds the batch to the metrics.
    pub(super) fn report(&self, metrics: &StreamingMetrics) {
        metrics.events_seen.inc_by(self.events);
        metrics.create_events.inc_by(self.created);
        metrics.update_events.inc_by(self.updated);
        metrics.delete_events.inc_by(self.deleted);
        metrics.records_written.inc_by(self.records);
        metrics.kafka_commits.inc();
        if self.events > 0 {
            metrics.behind_source_ms.set(self.behind_us / 1_000);
        }
    }

    /// Begins the next batch.
    pub(super) fn clear(&mut self, now: Instant) {
        *self = Self {
            last_commit: Some(now),
            last_event_us: self.last_event_us,
            lag_us: self.lag_us,
            ..Self::default()
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(bytes: usize) -> OutgoingRecord {
        OutgoingRecord {
            topic: "t".into(),
            key: None,
            value: Some(vec![0; bytes]),
            headers: [].into(),
            timestamp_ms: None,
        }
    }

    #[test]
    fn a_first_change_after_a_quiet_time_is_committed_at_once() {
        let mut batch = Batch::default();
        assert_eq!(batch.due(false), None);
        batch.add(&record(1));
        assert!(batch.due(false).is_some_and(|due| due <= Instant::now()));
    }

    #[test]
    fn commits_keep_a_pause_under_steady_traffic() {
        let mut batch = Batch::default();
        let committed = Instant::now();
        batch.clear(committed);
        batch.add(&record(1));
        assert_eq!(batch.due(false), Some(committed + PAUSE_MIN));
    }

    #[test]
    fn a_batch_is_waited_for_only_between_transactions() {
        let (mut batch, now) = (Batch::default(), Instant::now());
        batch.clear(now);
        assert_eq!(batch.rest_until(false, now), None);
        batch.add(&record(1));
        assert_eq!(batch.rest_until(false, now), batch.due(false));
        assert_eq!(batch.rest_until(true, now), None);
    }

    #[test]
    fn a_backlog_is_committed_in_larger_batches_until_it_is_done() {
        let (mut batch, committed) = (Batch::default(), Instant::now());
        batch.clear(committed);
        batch.set_lag(BACKLOG_LAG_US);
        batch.add(&record(BYTES_MAX));
        assert!(!batch.is_full(false));
        assert!(batch.due(false) >= Some(committed + BACKLOG_PAUSE));
        batch.set_lag(BACKLOG_LAG_US - 1);
        assert!(batch.is_full(false));
    }

    #[test]
    fn a_transaction_of_the_database_is_split_only_when_it_is_large() {
        let mut batch = Batch::default();
        batch.add(&record(BYTES_MAX));
        assert!(batch.is_full(false) && !batch.is_full(true));
        batch.add(&record(OPEN_BYTES_MAX));
        assert!(batch.is_full(true));
    }
}
