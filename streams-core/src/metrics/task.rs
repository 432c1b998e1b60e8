//! The metrics of a task.

use std::sync::Arc;
use std::time::Instant;

use prometheus::IntGauge;

use super::family::Families;
use super::node::{NodeMetrics, TopicMetrics};
use super::series::{Count, Series, Spread};
use crate::config::RecordingLevel;

/// The metrics of a task (`stream-task-metrics`), and the way to those of its nodes and topics.
pub struct TaskMetrics {
    families: Arc<Families>,
    level: RecordingLevel,
    start: Instant,
    thread_id: String,
    task_id: String,
    process: Count,
    dropped: Count,
    enforced: Count,
    lateness: Spread,
    buffered_records: IntGauge,
    buffered_bytes: IntGauge,
    _series: Series,
}

impl TaskMetrics {
    pub(super) fn new(
        families: Arc<Families>,
        level: RecordingLevel,
        thread_id: &str,
        task_id: &str,
    ) -> Self {
        let f = &families;
        let mut series = Series::new(&[thread_id, task_id]);
        Self {
            level,
            start: Instant::now(),
            thread_id: thread_id.to_owned(),
            task_id: task_id.to_owned(),
            process: series.count(&f.task_process),
            dropped: series.count(&f.dropped_records),
            enforced: series.count(&f.enforced_processing),
            lateness: series.spread(&f.record_lateness_avg, &f.record_lateness_max),
            buffered_records: series.int_gauge(&f.active_buffer_count),
            buffered_bytes: series.int_gauge(&f.input_buffer_bytes),
            _series: series,
            families,
        }
    }

    /// Records were processed; together and at most they were this far behind stream time, in
    /// milliseconds.
    pub fn processed(&mut self, records: u64, lateness_sum_ms: i64, lateness_max_ms: i64) {
        self.process.add(records);
        self.lateness
            .record_many(records, lateness_sum_ms as f64, lateness_max_ms as f64);
    }

    /// Records were dropped: by a handler, for a null key, or for being late.
    pub fn dropped(&mut self, records: u64) {
        self.dropped.add(records);
    }

    /// Records were processed though another partition of the task had none.
    pub fn enforced_processing(&mut self, records: u64) {
        self.enforced.add(records);
    }

    /// What waits in the task's queues.
    pub fn set_buffered(&self, records: usize, bytes: usize) {
        self.buffered_records.set(records as i64);
        self.buffered_bytes.set(bytes as i64);
    }

    /// The metrics of one of the task's nodes.
    pub fn node(&self, node: &str) -> NodeMetrics {
        let labels = [&self.thread_id, &self.task_id, node];
        NodeMetrics::new(&self.families, self.level, labels, false)
    }

    /// The metrics of a node that records enter or leave by, with their end-to-end latency.
    pub fn terminal_node(&self, node: &str) -> NodeMetrics {
        let labels = [&self.thread_id, &self.task_id, node];
        NodeMetrics::new(&self.families, self.level, labels, true)
    }

    /// The metrics of a topic that a source node reads.
    pub fn consumed(&self, node: &str, topic: &str) -> TopicMetrics {
        let f = &self.families;
        let labels = [&self.thread_id, &self.task_id, node, topic];
        TopicMetrics::new(&f.records_consumed, &f.bytes_consumed, labels)
    }

    /// The metrics of a topic that a sink node writes.
    pub fn produced(&self, node: &str, topic: &str) -> TopicMetrics {
        let f = &self.families;
        let labels = [&self.thread_id, &self.task_id, node, topic];
        TopicMetrics::new(&f.records_produced, &f.bytes_produced, labels)
    }

    /// Brings out what was counted since the last time.
    pub fn flush(&mut self) {
        for count in [&mut self.process, &mut self.dropped, &mut self.enforced] {
            count.flush();
        }
        self.lateness.flush(self.start.elapsed().as_millis() as u64);
    }
}
