//! The settings of an application: Kafka Streams' own keys, checked all at once.
//!
//! Keys, defaults and limits are those of `StreamsConfig` in Apache Kafka 4.3. Keys with the
//! prefixes `consumer.`, `main.consumer.`, `restore.consumer.`, `global.consumer.`, `producer.`
//! and `admin.` reach the client of that name, and bare client keys reach every client that takes
//! them; the Java clients' names are translated to librdkafka's, and librdkafka's own names pass
//! through. `topic.` settings are for the internal topics.
//!
//! A key that nothing knows, a value that is impossible, and a setting that the run time depends
//! on and would have to overrule are refused, all in one message. What has no meaning here, such
//! as a serde's Java class, is accepted with a warning in the log, so that a JVM application's
//! properties can be taken as they are.

pub mod key;

mod assembly;
mod builder;
mod choice;
mod client;
mod handler;
mod identity;
mod java;
mod librdkafka;
mod problem;
mod reader;
mod security;
mod translate;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use assembly::ClientSettings;

pub(crate) use identity::SERVER_MARK;

pub use builder::StreamsConfigBuilder;
pub use choice::{
    DslStore, Optimization, ProcessingGuarantee, RecordingLevel, TimestampExtraction,
    TopologyOptimization,
};
pub use handler::{ErrorAction, ErrorHandling};

/// The settings of an application, complete and checked.
///
/// # Examples
/// ```
/// use streams_core::config::{ProcessingGuarantee, StreamsConfig};
///
/// let config = StreamsConfig::builder()
///     .set("application.id", "signups")
///     .set("bootstrap.servers", "127.0.0.1:9092")
///     .set("processing.guarantee", "exactly_once_v2")
///     .set("consumer.session.timeout.ms", "10000")
///     .build()?;
/// assert_eq!(config.processing_guarantee, ProcessingGuarantee::ExactlyOnceV2);
/// assert_eq!(config.commit_interval_ms, 100);
/// # Ok::<(), streams_core::Error>(())
/// ```
///
/// Every mistake is in the message:
/// ```
/// use streams_core::config::StreamsConfig;
///
/// let error = StreamsConfig::builder()
///     .set("aplication.id", "signups")
///     .set("commit.interval.ms", "soon")
///     .build()
///     .unwrap_err()
///     .to_string();
/// assert!(error.contains("`aplication.id` is unknown, did you mean `application.id`?"));
/// assert!(error.contains("`commit.interval.ms` must be a whole number of at least 0"));
/// assert!(error.contains("`bootstrap.servers` is missing"));
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct StreamsConfig {
    /// `application.id`: names the group, the internal topics and the transactions.
    pub application_id: String,
    /// `bootstrap.servers`: `host:port`, with commas between.
    pub bootstrap_servers: String,
    /// `processing.guarantee`, at least once by default.
    pub processing_guarantee: ProcessingGuarantee,
    /// `num.stream.threads`, 1 by default.
    pub num_stream_threads: usize,
    /// `state.dir`, `kafka-streams` in the directory for temporary files by default.
    pub state_dir: PathBuf,
    /// `client.id`, if it is set.
    pub client_id: Option<String>,
    /// `group.instance.id`, if it is set; each thread adds its number.
    pub group_instance_id: Option<String>,
    /// `application.server`, if it is set.
    pub application_server: Option<String>,
    /// `commit.interval.ms`: 30000 by default, 100 under exactly-once.
    pub commit_interval_ms: u64,
    /// `poll.ms`, 100 by default.
    pub poll_ms: u64,
    /// `max.poll.records`, 1000 by default.
    pub max_poll_records: usize,
    /// `buffered.records.per.partition`, 1000 by default.
    pub buffered_records_per_partition: usize,
    /// `max.task.idle.ms`: 0 by default (wait only while the broker has more), -1 never waits.
    pub max_task_idle_ms: i64,
    /// `task.timeout.ms`, 5 minutes by default.
    pub task_timeout_ms: u64,
    /// `max.poll.interval.ms` of the main consumer, 5 minutes by default.
    pub max_poll_interval_ms: u64,
    /// `transaction.timeout.ms` of the producer under exactly-once, else 0.
    pub transaction_timeout_ms: u64,
    /// `replication.factor` of internal topics; `None` (-1, the default) leaves it to the broker.
    pub replication_factor: Option<i32>,
    /// `repartition.purge.interval.ms`, 30000 by default.
    pub repartition_purge_interval_ms: u64,
    /// `state.cleanup.delay.ms`, 10 minutes by default.
    pub state_cleanup_delay_ms: u64,
    /// `statestore.cache.max.bytes`, 10 MiB by default.
    pub statestore_cache_max_bytes: u64,
    /// `statestore.memory.max.bytes`, 256 MiB by default: the blocks, write buffers and
    /// recent entries of all RocksDB stores of the process together.
    pub statestore_memory_max_bytes: u64,
    /// `statestore.uncommitted.max.bytes`, 64 MiB by default: more than this in the uncommitted
    /// writes of all tasks together brings a commit forward.
    pub statestore_uncommitted_max_bytes: u64,
    /// `default.dsl.store`, RocksDB by default.
    pub default_dsl_store: DslStore,
    /// `windowstore.changelog.additional.retention.ms`, one day by default.
    pub windowstore_changelog_additional_retention_ms: u64,
    /// `__emit.interval.ms.kstreams.windowed.aggregation__`, 1000 by default.
    pub windowed_aggregation_emit_interval_ms: u64,
    /// `__emit.interval.ms.kstreams.outer.join.spurious.results.fix__`, 1000 by default.
    pub outer_join_emit_interval_ms: u64,
    /// `log.summary.interval.ms`: 2 minutes by default, `None` (-1) for no summaries.
    pub log_summary_interval_ms: Option<u64>,
    /// `topology.optimization`, none by default.
    pub topology_optimization: TopologyOptimization,
    /// `ensure.explicit.internal.resource.naming`, off by default.
    pub ensure_explicit_internal_resource_naming: bool,
    /// `default.timestamp.extractor`, fail on a negative timestamp by default.
    pub default_timestamp_extractor: TimestampExtraction,
    /// `metrics.recording.level`, info by default.
    pub metrics_recording_level: RecordingLevel,
    /// `errors.dead.letter.queue.topic.name`, if it is set.
    pub dead_letter_topic: Option<String>,
    /// `deserialization.exception.handler` and the settings under it.
    pub deserialization_errors: ErrorHandling,
    /// `processing.exception.handler` and the settings under it.
    pub processing_errors: ErrorHandling,
    /// `production.exception.handler` and the settings under it.
    pub production_errors: ErrorHandling,
    clients: ClientSettings,
    topic: BTreeMap<String, String>,
    warnings: Vec<String>,
}

impl StreamsConfig {
    /// An empty set of settings to fill.
    pub fn builder() -> StreamsConfigBuilder {
        StreamsConfigBuilder::default()
    }

    /// Settings from pairs of keys and values.
    ///
    /// # Errors
    /// If any setting is wrong, with every mistake in the message.
    pub fn from_map<K, V>(settings: impl IntoIterator<Item = (K, V)>) -> crate::Result<Self>
    where
        K: Into<String>,
        V: Into<String>,
    {
        Self::builder().set_all(settings).build()
    }

    /// Settings from a Java properties file.
    ///
    /// # Errors
    /// If the file cannot be read, or any setting is wrong.
    pub fn from_properties_file(path: impl AsRef<std::path::Path>) -> crate::Result<Self> {
        Self::builder().properties_file(path)?.build()
    }

    /// Settings for a test without a broker.
    #[expect(
        clippy::expect_used,
        clippy::missing_panics_doc,
        reason = "both are constants"
    )]
    pub fn for_test() -> Self {
        let settings = [
            (key::APPLICATION_ID, "test"),
            (key::BOOTSTRAP_SERVERS, "127.0.0.1:9"),
        ];
        Self::from_map(settings).expect("two settings are enough")
    }

    /// The settings of internal topics, as given with `topic.`.
    pub fn topic_config(&self) -> &BTreeMap<String, String> {
        &self.topic
    }

    /// What was accepted without effect; building the configuration has logged it.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }
}

impl fmt::Debug for StreamsConfig {
    /// Leaves the clients' settings out, for they may hold secrets.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("StreamsConfig")
            .field("application_id", &self.application_id)
            .field("bootstrap_servers", &self.bootstrap_servers)
            .field("processing_guarantee", &self.processing_guarantee)
            .field("num_stream_threads", &self.num_stream_threads)
            .field("commit_interval_ms", &self.commit_interval_ms)
            .field("state_dir", &self.state_dir)
            .finish_non_exhaustive()
    }
}
