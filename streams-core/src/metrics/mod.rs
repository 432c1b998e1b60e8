//! Kafka Streams' headline metrics, for Prometheus.
//!
//! The names are those that the JMX exporter commonly gives the JVM's `MBean`s:
//! `kafka_streams_<type>_<attribute>` with the `MBean`'s tags as labels, so that a dashboard keeps
//! its queries. Averages and maxima are over the last minute and in milliseconds, as in the JVM;
//! rates are left to Prometheus' `rate()` over the totals.
//!
//! A thread counts in plain integers of its own and brings them out with `flush`, once per turn of
//! its loop. Dropping a handle takes its series out of the registry.
//!
//! - `stream_metrics`: `client_state`, `alive_stream_threads`, `failed_stream_threads`
//! - `stream_thread_metrics`: `thread_state`, `process_total`, `poll_total`, `poll_records_total`,
//!   `commit_total`, `punctuate_total`, `task_created_total`, `task_closed_total`,
//!   `poll_records_{avg,max}`, `{process,poll,commit,punctuate}_latency_{avg,max}`
//! - `stream_task_metrics`: `process_total`, `dropped_records_total`, `active_buffer_count`,
//!   `enforced_processing_total`, `input_buffer_bytes_total`, `record_lateness_{avg,max}`,
//!   `restore_total`, `restore_remaining_records_total`
//! - `stream_state_metrics`: `block_cache_usage`, of the whole process
//! - `stream_topic_metrics`: `{records,bytes}_{consumed,produced}_total`
//! - `stream_processor_node_metrics`: `process_total` (from the debug level on),
//!   `record_e2e_latency_{min,avg,max}`

mod client;
mod family;
mod node;
mod restore;
mod sample;
mod series;
mod task;
mod thread;

use std::sync::Arc;

use prometheus::Registry;

use crate::config::RecordingLevel;
use crate::error::{Error, ErrorKind, Result};
use family::Families;

pub use client::ClientMetrics;
pub use node::{NodeMetrics, TopicMetrics};
pub use restore::RestoreMetrics;
pub use task::TaskMetrics;
pub use thread::ThreadMetrics;

/// The metrics of an application; clones write to the same registry.
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use streams_core::config::RecordingLevel;
/// use streams_core::metrics::StreamsMetrics;
///
/// let registry = prometheus::Registry::new();
/// let metrics = StreamsMetrics::new(&registry, RecordingLevel::Info)?;
/// let mut thread = metrics.thread("signups-StreamThread-1");
/// thread.polled(500, Duration::from_millis(2));
/// thread.flush();
/// let text = prometheus::TextEncoder::new().encode_to_string(&registry.gather())?;
/// let series = r#"poll_records_total{thread_id="signups-StreamThread-1"} 500"#;
/// assert!(text.contains(series));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct StreamsMetrics {
    families: Arc<Families>,
    level: RecordingLevel,
}

impl StreamsMetrics {
    /// Metrics in this registry. A registry takes the metrics of one application; several in one
    /// process share a clone.
    ///
    /// # Errors
    /// If the registry has metrics of these names.
    pub fn new(registry: &Registry, level: RecordingLevel) -> Result<Self> {
        let families = Families::register(registry).map_err(|error| {
            let message = "cannot register the metrics of Kafka Streams";
            Error::with_source(ErrorKind::Config, message, error)
        })?;
        Ok(Self {
            families: Arc::new(families),
            level,
        })
    }

    /// Metrics that nobody reads, for tests.
    #[expect(
        clippy::expect_used,
        clippy::missing_panics_doc,
        reason = "the registry is new"
    )]
    pub fn disabled() -> Self {
        Self::new(&Registry::new(), RecordingLevel::Info).expect("the registry is new")
    }

    /// The metrics of the whole instance.
    pub fn client(&self, client_id: &str) -> ClientMetrics {
        ClientMetrics::new(&self.families, client_id)
    }

    /// The metrics of a stream thread.
    pub fn thread(&self, thread_id: &str) -> ThreadMetrics {
        ThreadMetrics::new(&self.families, thread_id)
    }

    /// The metrics of the restore of a task's stores.
    pub fn restore(&self, thread_id: &str, task_id: &str) -> RestoreMetrics {
        RestoreMetrics::new(&self.families, thread_id, task_id)
    }

    /// The metrics of a task.
    pub fn task(&self, thread_id: &str, task_id: &str) -> TaskMetrics {
        TaskMetrics::new(self.families.clone(), self.level, thread_id, task_id)
    }
}

impl std::fmt::Debug for StreamsMetrics {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("StreamsMetrics")
            .field("level", &self.level)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use prometheus::TextEncoder;

    use super::*;

    fn text(registry: &Registry) -> String {
        TextEncoder::new()
            .encode_to_string(&registry.gather())
            .unwrap()
    }

    #[test]
    fn what_a_thread_counts_comes_out_when_it_flushes() {
        let registry = Registry::new();
        let metrics = StreamsMetrics::new(&registry, RecordingLevel::Info).unwrap();
        let mut thread = metrics.thread("t-1");
        let total = "kafka_streams_stream_thread_metrics_process_total{thread_id=\"t-1\"}";
        thread.processed(3, Duration::from_millis(6));
        assert!(text(&registry).contains(&format!("{total} 0\n")));
        thread.flush();
        thread.flush();
        let shown = text(&registry);
        assert!(shown.contains(&format!("{total} 3\n")), "{shown}");
        let average = "stream_thread_metrics_process_latency_avg{thread_id=\"t-1\"} 2\n";
        assert!(shown.contains(average), "{shown}");
    }

    #[test]
    fn the_series_of_a_closed_task_are_gone_and_those_of_others_stay() {
        let registry = Registry::new();
        let metrics = StreamsMetrics::new(&registry, RecordingLevel::Info).unwrap();
        let kept = metrics.task("t-1", "0_0");
        let mut closed = metrics.task("t-1", "0_1");
        let mut topic = closed.consumed("KSTREAM-SOURCE-0000000000", "users");
        topic.record(200);
        topic.flush();
        closed.processed(1, 5, 5);
        closed.flush();
        let shown = text(&registry);
        assert!(
            shown.contains("processor_node_id=\"KSTREAM-SOURCE-0000000000\""),
            "{shown}"
        );
        assert!(shown.contains("topic_name=\"users\"} 200\n"), "{shown}");
        assert!(shown.contains("record_lateness_max{task_id=\"0_1\",thread_id=\"t-1\"} 5\n"));
        drop((topic, closed));
        let shown = text(&registry);
        assert!(!shown.contains("0_1"), "{shown}");
        assert!(shown.contains("task_id=\"0_0\""), "{shown}");
        drop(kept);
    }

    #[test]
    fn nodes_count_records_from_the_debug_level_on() {
        for (level, counted) in [(RecordingLevel::Info, false), (RecordingLevel::Debug, true)] {
            let registry = Registry::new();
            let metrics = StreamsMetrics::new(&registry, level).unwrap();
            let mut node = metrics.task("t-1", "0_0").terminal_node("SINK");
            node.processed();
            node.end_to_end(12);
            node.flush();
            let shown = text(&registry);
            assert_eq!(
                shown.contains("stream_processor_node_metrics_process_total{"),
                counted
            );
            assert!(shown.contains("record_e2e_latency_min{processor_node_id=\"SINK\""));
        }
    }

    #[test]
    fn a_registry_takes_the_metrics_of_one_application() {
        let registry = Registry::new();
        let first = StreamsMetrics::new(&registry, RecordingLevel::Info).unwrap();
        first.client("signups").set_state(2);
        let error = StreamsMetrics::new(&registry, RecordingLevel::Info).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
    }
}
