//! The connector's metrics, under the names that Debezium's have on people's dashboards.
//!
//! Debezium publishes JMX beans; the usual rules of the JMX exporter turn them into
//! `debezium_metrics_<Attribute>{context, name, plugin}`.

use prometheus::{IntCounter, IntGauge, IntGaugeVec, Opts, Registry};

/// Metrics of one name have to have one help text.
const EVENTS_SEEN: &str = "Changes and rows that were read";

/// The metrics of one connector.
#[derive(Debug, Clone)]
pub struct Metrics {
    /// The initial snapshot.
    pub snapshot: SnapshotMetrics,
    /// The stream.
    pub streaming: StreamingMetrics,
}

/// `context="snapshot"`.
#[derive(Debug, Clone)]
pub struct SnapshotMetrics {
    /// `TotalTableCount`.
    pub total_table_count: IntGauge,
    /// `RemainingTableCount`.
    pub remaining_table_count: IntGauge,
    /// `SnapshotRunning`: 1 or 0.
    pub running: IntGauge,
    /// `SnapshotCompleted`: 1 or 0.
    pub completed: IntGauge,
    /// `SnapshotAborted`: 1 or 0.
    pub aborted: IntGauge,
    /// `SnapshotDurationInSeconds`.
    pub duration_seconds: IntGauge,
    /// `TotalNumberOfEventsSeen`.
    pub events_seen: IntCounter,
    /// `RowsScanned`, by table.
    pub rows_scanned: IntGaugeVec,
}

/// `context="streaming"`.
#[derive(Debug, Clone)]
pub struct StreamingMetrics {
    /// `Connected`: 1 or 0.
    pub connected: IntGauge,
    /// `MilliSecondsBehindSource`.
    pub behind_source_ms: IntGauge,
    /// `MilliSecondsSinceLastEvent`; −1 before the first.
    pub since_last_event_ms: IntGauge,
    /// `NumberOfCommittedTransactions`: those of the database.
    pub committed_transactions: IntCounter,
    /// `TotalNumberOfEventsSeen`.
    pub events_seen: IntCounter,
    /// `TotalNumberOfCreateEventsSeen`.
    pub create_events: IntCounter,
    /// `TotalNumberOfUpdateEventsSeen`.
    pub update_events: IntCounter,
    /// `TotalNumberOfDeleteEventsSeen`.
    pub delete_events: IntCounter,
    /// `NumberOfEventsFiltered`.
    pub events_filtered: IntCounter,
    /// Records written to Kafka; ours.
    pub records_written: IntCounter,
    /// Transactions committed to Kafka; ours.
    pub kafka_commits: IntCounter,
    /// How often the work was begun anew after an error; ours.
    pub restarts: IntCounter,
}

impl Metrics {
    /// Makes the metrics of the connector with the given `topic.prefix` and registers them.
    ///
    /// # Errors
    /// When the registry has metrics of these names already.
    pub fn register(registry: &Registry, topic_prefix: &str) -> Result<Self, prometheus::Error> {
        let snapshot = Context {
            registry,
            name: "snapshot",
            topic_prefix,
        };
        let streaming = Context {
            registry,
            name: "streaming",
            topic_prefix,
        };
        let rows = snapshot.options("RowsScanned", "Rows that the snapshot read, by table");
        let rows_scanned = IntGaugeVec::new(rows, &["table"])?;
        registry.register(Box::new(rows_scanned.clone()))?;
        Ok(Self {
            snapshot: SnapshotMetrics {
                total_table_count: snapshot.gauge("TotalTableCount", "Tables of the snapshot")?,
                remaining_table_count: snapshot.gauge(
                    "RemainingTableCount",
                    "Tables that the snapshot has yet to read",
                )?,
                running: snapshot.gauge("SnapshotRunning", "Whether the snapshot is running")?,
                completed: snapshot.gauge("SnapshotCompleted", "Whether the snapshot is done")?,
                aborted: snapshot.gauge("SnapshotAborted", "Whether the snapshot broke off")?,
                duration_seconds: snapshot.gauge(
                    "SnapshotDurationInSeconds",
                    "How long the snapshot has taken, s",
                )?,
                events_seen: snapshot.counter("TotalNumberOfEventsSeen", EVENTS_SEEN)?,
                rows_scanned,
            },
            streaming: StreamingMetrics {
                connected: streaming.gauge("Connected", "Whether the stream is connected")?,
                behind_source_ms: streaming.gauge(
                    "MilliSecondsBehindSource",
                    "Time between the last event's commit in the database and its record, ms",
                )?,
                since_last_event_ms: streaming.gauge(
                    "MilliSecondsSinceLastEvent",
                    "Time since the last event, ms",
                )?,
                committed_transactions: streaming.counter(
                    "NumberOfCommittedTransactions",
                    "Transactions of the database that were read",
                )?,
                events_seen: streaming.counter("TotalNumberOfEventsSeen", EVENTS_SEEN)?,
                create_events: streaming
                    .counter("TotalNumberOfCreateEventsSeen", "Inserts read")?,
                update_events: streaming
                    .counter("TotalNumberOfUpdateEventsSeen", "Updates read")?,
                delete_events: streaming
                    .counter("TotalNumberOfDeleteEventsSeen", "Deletes read")?,
                events_filtered: streaming
                    .counter("NumberOfEventsFiltered", "Changes that left no record")?,
                records_written: streaming.counter("RecordsWritten", "Records written to Kafka")?,
                kafka_commits: streaming.counter(
                    "KafkaTransactionsCommitted",
                    "Transactions committed to Kafka",
                )?,
                restarts: streaming.counter(
                    "Restarts",
                    "How often the work was begun anew after an error",
                )?,
            },
        })
    }
}

struct Context<'a> {
    registry: &'a Registry,
    name: &'static str,
    topic_prefix: &'a str,
}

impl Context<'_> {
    fn options(&self, attribute: &str, help: &str) -> Opts {
        Opts::new(format!("debezium_metrics_{attribute}"), help)
            .const_label("context", self.name)
            .const_label("name", self.topic_prefix)
            .const_label("plugin", "postgres")
    }

    fn gauge(&self, attribute: &str, help: &str) -> Result<IntGauge, prometheus::Error> {
        let gauge = IntGauge::with_opts(self.options(attribute, help))?;
        self.registry.register(Box::new(gauge.clone()))?;
        Ok(gauge)
    }

    fn counter(&self, attribute: &str, help: &str) -> Result<IntCounter, prometheus::Error> {
        let counter = IntCounter::with_opts(self.options(attribute, help))?;
        self.registry.register(Box::new(counter.clone()))?;
        Ok(counter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_metrics_have_the_names_of_debezium() {
        let registry = Registry::new();
        let metrics = Metrics::register(&registry, "shop").unwrap();
        metrics.streaming.events_seen.inc();
        let text = prometheus::TextEncoder::new()
            .encode_to_string(&registry.gather())
            .unwrap();
        let line = "debezium_metrics_TotalNumberOfEventsSeen\
            {context=\"streaming\",name=\"shop\",plugin=\"postgres\"} 1";
        assert!(text.contains(line), "{text}");
    }
}
