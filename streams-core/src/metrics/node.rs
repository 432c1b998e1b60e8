//! The metrics of a task's nodes and topics.

use std::time::Instant;

use prometheus::IntCounterVec;

use super::family::Families;
use super::series::{Count, Series, Spread};
use crate::config::RecordingLevel;

/// The metrics of a node (`stream-processor-node-metrics`).
pub struct NodeMetrics {
    start: Instant,
    process: Option<Count>,
    e2e_latency: Option<Spread>,
    _series: Series,
}

impl NodeMetrics {
    pub(super) fn new(
        families: &Families,
        level: RecordingLevel,
        labels: [&str; 3],
        terminal: bool,
    ) -> Self {
        let f = families;
        let mut series = Series::new(&labels);
        let debug = level >= RecordingLevel::Debug;
        let process = debug.then(|| series.count(&f.node_process));
        let e2e_latency = terminal.then(|| {
            series.full_spread(&f.e2e_latency_min, &f.e2e_latency_avg, &f.e2e_latency_max)
        });
        Self {
            start: Instant::now(),
            process,
            e2e_latency,
            _series: series,
        }
    }

    /// A record was processed; counted from the debug level on.
    pub fn processed(&mut self) {
        if let Some(process) = &mut self.process {
            process.add(1);
        }
    }

    /// This time, in milliseconds, lies between a record's timestamp and now (KIP-613); kept for
    /// terminal nodes only.
    pub fn end_to_end(&mut self, latency_ms: i64) {
        if let Some(latency) = &mut self.e2e_latency {
            latency.record(latency_ms as f64);
        }
    }

    /// Brings out what was counted since the last time.
    pub fn flush(&mut self) {
        if let Some(process) = &mut self.process {
            process.flush();
        }
        if let Some(latency) = &mut self.e2e_latency {
            latency.flush(self.start.elapsed().as_millis() as u64);
        }
    }
}

/// What a node has read from a topic or written to it (`stream-topic-metrics`, KIP-846).
pub struct TopicMetrics {
    records: Count,
    bytes: Count,
    _series: Series,
}

impl TopicMetrics {
    pub(super) fn new(records: &IntCounterVec, bytes: &IntCounterVec, labels: [&str; 4]) -> Self {
        let mut series = Series::new(&labels);
        Self {
            records: series.count(records),
            bytes: series.count(bytes),
            _series: series,
        }
    }

    /// A record of this many bytes: key, value and headers, as KIP-846 counts them.
    pub fn record(&mut self, bytes: usize) {
        self.records.add(1);
        self.bytes.add(bytes as u64);
    }

    /// Brings out what was counted since the last time.
    pub fn flush(&mut self) {
        self.records.flush();
        self.bytes.flush();
    }
}
