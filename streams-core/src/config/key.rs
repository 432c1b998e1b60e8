//! The keys of Kafka Streams' settings, and of ours beside them.

use super::librdkafka::Kind::{self, Choice, Flag, Text, Whole};

macro_rules! keys {
    ($($(#[$doc:meta])* $name:ident = $key:literal;)*) => {
        $($(#[$doc])* pub const $name: &str = $key;)*
    };
}

keys! {
    /// Names the group, the internal topics and the transactions. No default.
    APPLICATION_ID = "application.id";
    /// The `host:port` that other instances reach this one by.
    APPLICATION_SERVER = "application.server";
    /// The brokers to start from, `host:port` with commas between. No default.
    BOOTSTRAP_SERVERS = "bootstrap.servers";
    /// How many records of a partition wait in a task before the partition is paused.
    BUFFERED_RECORDS_PER_PARTITION = "buffered.records.per.partition";
    /// What the names of the clients begin with.
    CLIENT_ID = "client.id";
    /// The time between commits, in milliseconds.
    COMMIT_INTERVAL_MS = "commit.interval.ms";
    /// Where stores are kept that do not say so themselves: `rocksDB` or `in_memory` (KIP-591).
    DEFAULT_DSL_STORE = "default.dsl.store";
    /// What to do with bytes a deserializer refuses.
    DESERIALIZATION_EXCEPTION_HANDLER = "deserialization.exception.handler";
    /// Where the timestamp of a source record comes from.
    DEFAULT_TIMESTAMP_EXTRACTOR = "default.timestamp.extractor";
    /// How often, at most, left and outer joins of streams look for results that wait for their
    /// window to close, in milliseconds. Internal to Kafka Streams.
    EMIT_INTERVAL_MS_OUTER_JOIN = "__emit.interval.ms.kstreams.outer.join.spurious.results.fix__";
    /// How often, at most, windowed aggregations look for windows that have closed, in
    /// milliseconds. Internal to Kafka Streams.
    EMIT_INTERVAL_MS_WINDOWED_AGGREGATION = "__emit.interval.ms.kstreams.windowed.aggregation__";
    /// Refuses internal topics and stores with generated names (KIP-1111).
    ENSURE_EXPLICIT_INTERNAL_RESOURCE_NAMING = "ensure.explicit.internal.resource.naming";
    /// The topic for records that failed (KIP-1034).
    ERRORS_DEAD_LETTER_QUEUE_TOPIC_NAME = "errors.dead.letter.queue.topic.name";
    /// Makes a restarted instance the same member (KIP-345).
    GROUP_INSTANCE_ID = "group.instance.id";
    /// The rebalance protocol: `classic`.
    GROUP_PROTOCOL = "group.protocol";
    /// The time between summaries in the log, in milliseconds.
    LOG_SUMMARY_INTERVAL_MS = "log.summary.interval.ms";
    /// The most records that one poll takes.
    MAX_POLL_RECORDS = "max.poll.records";
    /// How long a task waits for an empty partition, in milliseconds (KIP-695).
    MAX_TASK_IDLE_MS = "max.task.idle.ms";
    /// How detailed the metrics are: `INFO`, `DEBUG` or `TRACE`.
    METRICS_RECORDING_LEVEL = "metrics.recording.level";
    /// Hot copies of each store; only 0 so far.
    NUM_STANDBY_REPLICAS = "num.standby.replicas";
    /// The number of threads that process.
    NUM_STREAM_THREADS = "num.stream.threads";
    /// The longest a poll waits for records, in milliseconds.
    POLL_MS = "poll.ms";
    /// What to do with a record a processor fails on.
    PROCESSING_EXCEPTION_HANDLER = "processing.exception.handler";
    /// `at_least_once` or `exactly_once_v2`.
    PROCESSING_GUARANTEE = "processing.guarantee";
    /// What to do with a record that cannot be produced.
    PRODUCTION_EXCEPTION_HANDLER = "production.exception.handler";
    /// The time between purges of repartition topics, in milliseconds.
    REPARTITION_PURGE_INTERVAL_MS = "repartition.purge.interval.ms";
    /// The replication factor of internal topics; -1 leaves it to the broker.
    REPLICATION_FACTOR = "replication.factor";
    /// When the state of a task that has moved away is deleted, in milliseconds.
    STATE_CLEANUP_DELAY_MS = "state.cleanup.delay.ms";
    /// The directory for stores and the process's identity.
    STATE_DIR = "state.dir";
    /// The memory for record caches, in bytes.
    STATESTORE_CACHE_MAX_BYTES = "statestore.cache.max.bytes";
    /// The memory that all stores of the process share for blocks and write buffers, in bytes; a
    /// key of ours.
    STATESTORE_MEMORY_MAX_BYTES = "statestore.memory.max.bytes";
    /// How large uncommitted writes to stores may grow before they are committed early, in bytes
    /// (KIP-892).
    STATESTORE_UNCOMMITTED_MAX_BYTES = "statestore.uncommitted.max.bytes";
    /// How long a task retries what a broker does not answer, in milliseconds (KIP-572).
    TASK_TIMEOUT_MS = "task.timeout.ms";
    /// `none`, `all`, or optimisations with commas between.
    TOPOLOGY_OPTIMIZATION = "topology.optimization";
    /// The release that a rolling upgrade comes from.
    UPGRADE_FROM = "upgrade.from";
    /// What window changelogs keep beyond the window, in milliseconds.
    WINDOWSTORE_CHANGELOG_ADDITIONAL_RETENTION_MS = "windowstore.changelog.additional.retention.ms";
}

/// The keys that are read.
#[rustfmt::skip]
pub(super) const READ: &[&str] = &[
    APPLICATION_ID, APPLICATION_SERVER, BOOTSTRAP_SERVERS, BUFFERED_RECORDS_PER_PARTITION,
    CLIENT_ID, COMMIT_INTERVAL_MS, DEFAULT_DSL_STORE, DEFAULT_TIMESTAMP_EXTRACTOR,
    DESERIALIZATION_EXCEPTION_HANDLER,
    EMIT_INTERVAL_MS_OUTER_JOIN, EMIT_INTERVAL_MS_WINDOWED_AGGREGATION,
    ENSURE_EXPLICIT_INTERNAL_RESOURCE_NAMING, ERRORS_DEAD_LETTER_QUEUE_TOPIC_NAME,
    GROUP_INSTANCE_ID, GROUP_PROTOCOL, LOG_SUMMARY_INTERVAL_MS, MAX_POLL_RECORDS, MAX_TASK_IDLE_MS,
    METRICS_RECORDING_LEVEL, NUM_STANDBY_REPLICAS, NUM_STREAM_THREADS, POLL_MS,
    PROCESSING_EXCEPTION_HANDLER, PROCESSING_GUARANTEE, PRODUCTION_EXCEPTION_HANDLER,
    REPARTITION_PURGE_INTERVAL_MS, REPLICATION_FACTOR, STATE_CLEANUP_DELAY_MS, STATE_DIR,
    STATESTORE_CACHE_MAX_BYTES, STATESTORE_MEMORY_MAX_BYTES, STATESTORE_UNCOMMITTED_MAX_BYTES,
    TASK_TIMEOUT_MS, TOPOLOGY_OPTIMIZATION, UPGRADE_FROM,
    WINDOWSTORE_CHANGELOG_ADDITIONAL_RETENTION_MS,
    "cache.max.bytes.buffering", "default.deserialization.exception.handler",
    "default.production.exception.handler",
    "deserialization.exception.handler.retries",
    "deserialization.exception.handler.retry.backoff.ms",
    "deserialization.exception.handler.retry.backoff.max.ms",
    "processing.exception.handler.retries", "processing.exception.handler.retry.backoff.ms",
    "processing.exception.handler.retry.backoff.max.ms",
    "production.exception.handler.retries", "production.exception.handler.retry.backoff.ms",
    "production.exception.handler.retry.backoff.max.ms",
];

const SERDE: &str = "is ignored: serdes are given in the topology, with their types";
const ASSIGNOR: &str = "is ignored: the group assigns by range, without warm-up or rack awareness";
const STORE: &str = "is ignored: stores are chosen in the topology";
const INT_MAX: i64 = i32::MAX as i64;
const GLOBAL: &str = "is ignored: the handler covers global tables too";
const RACK_STRATEGIES: &[&str] = &["none", "min_traffic", "balance_subtopology"];
const NO_WIPE: &str = "is ignored: no state is wiped at start";
const REGISTRY: &str = "is ignored: registry serdes take their settings where they are made";

/// Keys that are accepted without effect, the values they can have, and what the user is told.
#[rustfmt::skip]
pub(super) const IGNORED: &[(&str, Kind, &str)] = &[
    ("acceptable.recovery.lag", Whole(0, i64::MAX), ASSIGNOR),
    ("allow.os.group.write.access", Flag, "is ignored: the umask of the process holds"),
    ("auto.register.schemas", Text, REGISTRY),
    ("basic.auth.credentials.source", Text, REGISTRY),
    ("basic.auth.user.info", Text, REGISTRY),
    ("built.in.metrics.version", Choice(&["latest"]), "is ignored: metrics are for Prometheus"),
    ("default.key.serde", Text, SERDE),
    ("default.list.key.serde.inner", Text, SERDE),
    ("default.list.key.serde.type", Text, SERDE),
    ("default.list.value.serde.inner", Text, SERDE),
    ("default.list.value.serde.type", Text, SERDE),
    ("default.value.serde", Text, SERDE),
    ("dsl.store.format", Choice(&["DEFAULT", "HEADERS", "default", "headers"]), STORE),
    ("dsl.store.suppliers.class", Text, STORE),
    ("max.warmup.replicas", Whole(1, INT_MAX), ASSIGNOR),
    ("probing.rebalance.interval.ms", Whole(60_000, i64::MAX), ASSIGNOR),
    ("processing.exception.handler.global.enabled", Flag, GLOBAL),
    ("rack.aware.assignment.non_overlap_cost", Whole(0, INT_MAX), ASSIGNOR),
    ("rack.aware.assignment.strategy", Choice(RACK_STRATEGIES), ASSIGNOR),
    ("rack.aware.assignment.tags", Text, ASSIGNOR),
    ("rack.aware.assignment.traffic_cost", Whole(0, INT_MAX), ASSIGNOR),
    ("schema.registry.url", Text, REGISTRY),
    ("specific.avro.reader", Text, REGISTRY),
    ("state.cleanup.dir.max.age.ms", Whole(-1, i64::MAX), NO_WIPE),
    ("use.latest.version", Text, REGISTRY),
    ("window.size.ms", Whole(0, i64::MAX), SERDE),
    ("windowed.inner.class.serde", Text, SERDE),
];

/// Keys that would change what the program does, and the one value that does not: Kafka's default.
pub(super) const REFUSED: &[(&str, &str)] = &[
    (
        "default.client.supplier",
        "org.apache.kafka.streams.processor.internals.DefaultKafkaClientSupplier",
    ),
    (
        "processor.wrapper.class",
        "org.apache.kafka.streams.processor.internals.NoOpProcessorWrapper",
    ),
    ("rocksdb.config.setter", ""),
    ("task.assignor.class", ""),
];

/// Settings of topics, for `topic.` (`TopicConfig`).
#[rustfmt::skip]
pub(super) const TOPIC: &[&str] = &[
    "cleanup.policy", "compression.gzip.level", "compression.lz4.level", "compression.type",
    "compression.zstd.level", "delete.retention.ms", "file.delete.delay.ms", "flush.messages",
    "flush.ms", "index.interval.bytes", "local.retention.bytes", "local.retention.ms",
    "max.compaction.lag.ms", "max.message.bytes", "message.downconversion.enable",
    "message.timestamp.after.max.ms", "message.timestamp.before.max.ms", "message.timestamp.type",
    "min.cleanable.dirty.ratio", "min.compaction.lag.ms", "min.insync.replicas", "preallocate",
    "remote.log.copy.disable", "remote.log.delete.on.disable", "remote.storage.enable",
    "retention.bytes", "retention.ms", "segment.bytes", "segment.index.bytes", "segment.jitter.ms",
    "segment.ms", "unclean.leader.election.enable",
];
