//! The metrics of a stream thread.

use std::time::{Duration, Instant};

use prometheus::IntGauge;

use super::family::Families;
use super::series::{Count, Series, Spread};

/// The metrics of a stream thread (`stream-thread-metrics`).
pub struct ThreadMetrics {
    start: Instant,
    state: IntGauge,
    process: Count,
    process_latency: Spread,
    poll: Count,
    poll_latency: Spread,
    poll_records: Count,
    poll_records_spread: Spread,
    commit: Count,
    commit_latency: Spread,
    punctuate: Count,
    punctuate_latency: Spread,
    task_created: Count,
    task_closed: Count,
    _series: Series,
}

impl ThreadMetrics {
    pub(super) fn new(families: &Families, thread_id: &str) -> Self {
        let f = families;
        let mut series = Series::new(&[thread_id]);
        let mut spread = |avg, max| series.spread(avg, max);
        let process_latency = spread(&f.thread_process_latency_avg, &f.thread_process_latency_max);
        let poll_latency = spread(&f.thread_poll_latency_avg, &f.thread_poll_latency_max);
        let poll_records_spread = spread(&f.thread_poll_records_avg, &f.thread_poll_records_max);
        let commit_latency = spread(&f.thread_commit_latency_avg, &f.thread_commit_latency_max);
        let punctuate_latency = spread(
            &f.thread_punctuate_latency_avg,
            &f.thread_punctuate_latency_max,
        );
        Self {
            start: Instant::now(),
            state: series.int_gauge(&f.thread_state),
            process: series.count(&f.thread_process),
            process_latency,
            poll: series.count(&f.thread_poll),
            poll_latency,
            poll_records: series.count(&f.thread_poll_records),
            poll_records_spread,
            commit: series.count(&f.thread_commit),
            commit_latency,
            punctuate: series.count(&f.thread_punctuate),
            punctuate_latency,
            task_created: series.count(&f.task_created),
            task_closed: series.count(&f.task_closed),
            _series: series,
        }
    }

    /// The state's ordinal in `StreamThread.State` (KIP-1076).
    pub fn set_state(&self, ordinal: i64) {
        self.state.set(ordinal);
    }

    /// A poll of the consumer gave this many records in this time.
    pub fn polled(&mut self, records: usize, took: Duration) {
        self.poll.add(1);
        self.poll_latency.record(millis(took));
        self.poll_records.add(records as u64);
        self.poll_records_spread.record(records as f64);
    }

    /// This many records were processed in this time; their mean is what is recorded.
    pub fn processed(&mut self, records: usize, took: Duration) {
        if records > 0 {
            self.process.add(records as u64);
            self.process_latency.record(millis(took) / records as f64);
        }
    }

    /// A commit took this time.
    pub fn committed(&mut self, took: Duration) {
        self.commit.add(1);
        self.commit_latency.record(millis(took));
    }

    /// This many punctuators were called in this time; their mean is what is recorded.
    pub fn punctuated(&mut self, calls: usize, took: Duration) {
        if calls > 0 {
            self.punctuate.add(calls as u64);
            self.punctuate_latency.record(millis(took) / calls as f64);
        }
    }

    /// A task was created.
    pub fn task_created(&mut self) {
        self.task_created.add(1);
    }

    /// A task was closed.
    pub fn task_closed(&mut self) {
        self.task_closed.add(1);
    }

    /// Brings out what was counted since the last time.
    pub fn flush(&mut self) {
        let now_ms = self.start.elapsed().as_millis() as u64;
        for count in [
            &mut self.process,
            &mut self.poll,
            &mut self.poll_records,
            &mut self.commit,
            &mut self.punctuate,
            &mut self.task_created,
            &mut self.task_closed,
        ] {
            count.flush();
        }
        for spread in [
            &mut self.process_latency,
            &mut self.poll_latency,
            &mut self.poll_records_spread,
            &mut self.commit_latency,
            &mut self.punctuate_latency,
        ] {
            spread.flush(now_ms);
        }
    }
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}
