//! The connector's settings, checked and typed.

use std::collections::BTreeMap;
use std::fmt;

use super::{
    BinaryHandling, ColumnFilter, ConversionFailure, DecimalFormat, DecimalHandling, KeyPattern,
    ProcessingFailure, PublicationAutocreate, SkippedOperations, SnapshotIsolation, SnapshotMode,
    SslMode, TableFilter, TimePrecision, TransformConfig,
};

/// A connector's whole configuration. Durations end in their unit; a key's Debezium name is in the
/// field's comment.
#[derive(Debug, Clone)]
pub struct ConnectorConfig {
    /// `name`: the connector's.
    pub name: String,
    /// `topic.prefix`, or the older `database.server.name`.
    pub topic_prefix: String,
    /// `topic.delimiter` between the parts of a topic's name.
    pub topic_delimiter: String,
    /// `database.*`.
    pub database: DatabaseConfig,
    /// `slot.*`.
    pub slot: SlotConfig,
    /// `publication.*`.
    pub publication: PublicationConfig,
    /// `snapshot.*`.
    pub snapshot: SnapshotConfig,
    /// Which tables are captured.
    pub tables: TableFilter,
    /// Which columns are captured and which of them are keys.
    pub columns: ColumnConfig,
    /// How values are represented.
    pub values: ValueConfig,
    /// `tombstones.on.delete`.
    pub tombstones_on_delete: bool,
    /// `skipped.operations`.
    pub skipped_operations: SkippedOperations,
    /// `skip.messages.without.change`: updates that change no captured column leave no record.
    pub skip_messages_without_change: bool,
    /// `heartbeat.*` and `topic.heartbeat.*`.
    pub heartbeat: HeartbeatConfig,
    /// `max.queue.size`, `max.batch.size`, `poll.interval.ms`.
    pub queue: QueueConfig,
    /// `errors.max.retries`; `None` (−1) retries without end.
    pub errors_max_retries: Option<u32>,
    /// `retriable.restart.connector.wait.ms`.
    pub retriable_restart_wait_ms: u64,
    /// `event.processing.failure.handling.mode`.
    pub processing_failure: ProcessingFailure,
    /// `status.update.interval.ms`.
    pub status_update_interval_ms: u64,
    /// `extended.headers.enabled`.
    pub extended_headers: bool,
    /// `key.converter*`.
    pub key_converter: ConverterConfig,
    /// `value.converter*`.
    pub value_converter: ConverterConfig,
    /// `transforms`, in order.
    pub transforms: Vec<TransformConfig>,
    /// `producer.override.*` without the prefix, for librdkafka.
    pub producer_overrides: BTreeMap<String, String>,
    /// What the user should be told once: unknown keys, old names, settings without effect here.
    pub warnings: Vec<String>,
}

/// `database.*`: where the database is and how to get in.
#[derive(Clone)]
pub struct DatabaseConfig {
    /// `database.hostname`.
    pub hostname: String,
    /// `database.port`, 5432 unless set.
    pub port: u16,
    /// `database.user`.
    pub user: String,
    /// `database.password`; never printed.
    pub password: Option<String>,
    /// `database.dbname`.
    pub name: String,
    /// `database.sslmode`.
    pub ssl_mode: SslMode,
    /// `database.sslrootcert`: PEM file of the trusted roots.
    pub ssl_root_cert: Option<String>,
    /// `database.sslcert`: PEM file of the client's certificate.
    pub ssl_cert: Option<String>,
    /// `database.sslkey`: file of the client's key.
    pub ssl_key: Option<String>,
    /// `database.tcpKeepAlive`.
    pub tcp_keep_alive: bool,
    /// `database.initial.statements`, split at single semicolons.
    pub initial_statements: Vec<String>,
    /// `database.query.timeout.ms`; 0 waits without end.
    pub query_timeout_ms: u64,
}

impl fmt::Debug for DatabaseConfig {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("DatabaseConfig")
            .field("hostname", &self.hostname)
            .field("port", &self.port)
            .field("user", &self.user)
            .field("name", &self.name)
            .field("ssl_mode", &self.ssl_mode)
            .finish_non_exhaustive()
    }
}

/// `slot.*`.
#[derive(Debug, Clone)]
pub struct SlotConfig {
    /// `slot.name`.
    pub name: String,
    /// `slot.drop.on.stop`.
    pub drop_on_stop: bool,
    /// `slot.failover` (Postgres 17 and later).
    pub failover: bool,
    /// `slot.max.retries`.
    pub max_retries: u32,
    /// `slot.retry.delay.ms`.
    pub retry_delay_ms: u64,
    /// `slot.stream.params` (`k=v;k=v`), added to pgoutput's options.
    pub stream_params: Vec<(String, String)>,
}

/// `publication.*`.
#[derive(Debug, Clone)]
pub struct PublicationConfig {
    /// `publication.name`.
    pub name: String,
    /// `publication.autocreate.mode`.
    pub autocreate: PublicationAutocreate,
    /// `publish.via.partition.root`.
    pub via_partition_root: bool,
}

/// `snapshot.*`.
#[derive(Debug, Clone)]
pub struct SnapshotConfig {
    /// `snapshot.mode`.
    pub mode: SnapshotMode,
    /// `snapshot.isolation.mode`.
    pub isolation: SnapshotIsolation,
    /// `snapshot.delay.ms`.
    pub delay_ms: u64,
    /// `streaming.delay.ms`.
    pub streaming_delay_ms: u64,
    /// `snapshot.max.threads`.
    pub max_threads: u16,
    /// `snapshot.fetch.size`, in rows.
    pub fetch_size: u32,
    /// `snapshot.lock.timeout.ms`.
    pub lock_timeout_ms: u64,
    /// `snapshot.include.collection.list`: of the captured tables, those to snapshot.
    pub include: TableFilter,
}

/// Which columns are captured, and which are keys.
#[derive(Debug, Clone, Default)]
pub struct ColumnConfig {
    /// `column.include.list`, `column.exclude.list`.
    pub filter: ColumnFilter,
    /// `message.key.columns`.
    pub keys: Vec<KeyPattern>,
}

/// How values are represented.
#[derive(Debug, Clone)]
pub struct ValueConfig {
    /// `decimal.handling.mode`.
    pub decimal: DecimalHandling,
    /// `time.precision.mode`.
    pub time: TimePrecision,
    /// `binary.handling.mode`.
    pub binary: BinaryHandling,
    /// `unavailable.value.placeholder`.
    pub unavailable_placeholder: Vec<u8>,
    /// `event.converting.failure.handling.mode`.
    pub conversion_failure: ConversionFailure,
}

/// `heartbeat.*`.
#[derive(Debug, Clone)]
pub struct HeartbeatConfig {
    /// `heartbeat.interval.ms`; 0 is off.
    pub interval_ms: u64,
    /// `heartbeat.action.query`, run at every heartbeat.
    pub action_query: Option<String>,
    /// The topic, before transforms: `<topic.heartbeat.prefix>.<topic.prefix>` or
    /// `topic.heartbeat.name`.
    pub topic: String,
}

/// Batching, in Debezium's terms.
#[derive(Debug, Clone)]
pub struct QueueConfig {
    /// `max.queue.size`, in events.
    pub max_queue_size: usize,
    /// `max.batch.size`, in events.
    pub max_batch_size: usize,
    /// `max.queue.size.in.bytes`; 0 is unlimited.
    pub max_queue_bytes: usize,
    /// `poll.interval.ms`.
    pub poll_interval_ms: u64,
}

/// `key.converter*` or `value.converter*`; the converter is Connect's `JsonConverter`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConverterConfig {
    /// `schemas.enable`.
    pub schemas_enable: bool,
    /// `decimal.format`.
    pub decimal_format: DecimalFormat,
    /// `replace.null.with.default`.
    pub replace_null_with_default: bool,
}
