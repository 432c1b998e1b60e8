//! From the JSON document to the typed settings.

use super::connector::{
    ColumnConfig, ConnectorConfig, ConverterConfig, DatabaseConfig, HeartbeatConfig,
    PublicationConfig, QueueConfig, SlotConfig, SnapshotConfig, ValueConfig,
};
use super::filter::{ColumnFilter, KeyPattern, TableFilter};
use super::option::{
    BinaryHandling, ConversionFailure, DecimalFormat, DecimalHandling, ProcessingFailure,
    PublicationAutocreate, SkippedOperations, SnapshotIsolation, SnapshotMode, SslMode,
    TimePrecision,
};
use super::settings::Settings;
use super::{ConfigError, document, pattern, support, transform};

const CONNECTOR_CLASSES: [&str; 3] = [
    "io.debezium.connector.postgresql.PostgresConnector",
    "PostgresConnector",
    "Postgres",
];

const JSON_CONVERTERS: [&str; 2] = [
    "org.apache.kafka.connect.json.JsonConverter",
    "JsonConverter",
];

impl ConnectorConfig {
    /// Reads a connector's JSON: `{"name": …, "config": {…}}`, or the bare map of settings.
    ///
    /// # Errors
    /// All mistakes in one [`ConfigError`], each naming its key.
    pub fn from_json(text: &str) -> Result<Self, ConfigError> {
        let values = document::settings(text).map_err(|mistakes| ConfigError { mistakes })?;
        let mut settings = Settings::new(values);
        let mut config = read(&mut settings);
        support::check_rest(&mut settings);
        config.warnings = settings
            .finish()
            .map_err(|mistakes| ConfigError { mistakes })?;
        Ok(config)
    }
}

fn read(settings: &mut Settings) -> ConnectorConfig {
    let name = settings.required("name");
    let class = settings.required("connector.class");
    if !class.is_empty() && !CONNECTOR_CLASSES.contains(&class.as_str()) {
        settings.mistake(format!(
            "`connector.class` is `{class}`, which is not supported ({} is)",
            CONNECTOR_CLASSES[0]
        ));
    }
    let plugin = settings.text_or("plugin.name", "pgoutput");
    if !plugin.eq_ignore_ascii_case("pgoutput") {
        settings.mistake(format!(
            "`plugin.name` is `{plugin}`, which is not supported (pgoutput is)"
        ));
    }
    let topic_prefix = read_topic_prefix(settings);
    let max_retries: i64 = settings.number("errors.max.retries", -1, -1..=i64::from(u32::MAX));
    ConnectorConfig {
        name,
        topic_delimiter: settings.text_or("topic.delimiter", "."),
        database: read_database(settings),
        slot: read_slot(settings),
        publication: read_publication(settings),
        snapshot: read_snapshot(settings),
        tables: read_tables(settings),
        columns: read_columns(settings),
        values: read_values(settings),
        tombstones_on_delete: settings.boolean("tombstones.on.delete", true),
        skipped_operations: read_skipped_operations(settings),
        skip_messages_without_change: settings.boolean("skip.messages.without.change", false),
        heartbeat: read_heartbeat(settings, &topic_prefix),
        queue: read_queue(settings),
        errors_max_retries: u32::try_from(max_retries).ok(),
        retriable_restart_wait_ms: settings.number(
            "retriable.restart.connector.wait.ms",
            10_000,
            ..,
        ),
        processing_failure: settings.choice(
            "event.processing.failure.handling.mode",
            ProcessingFailure::default(),
            &[
                ("fail", ProcessingFailure::Fail),
                ("warn", ProcessingFailure::Warn),
                ("skip", ProcessingFailure::Skip),
                ("ignore", ProcessingFailure::Skip),
            ],
        ),
        status_update_interval_ms: settings.number("status.update.interval.ms", 10_000, 1..),
        extended_headers: settings.boolean("extended.headers.enabled", true),
        key_converter: read_converter(settings, "key.converter"),
        value_converter: read_converter(settings, "value.converter"),
        transforms: transform::read(settings),
        producer_overrides: settings
            .with_prefix("producer.override.")
            .into_iter()
            .map(|(key, value)| (key.replacen("producer.override.", "", 1), value))
            .collect(),
        topic_prefix,
        warnings: Vec::new(),
    }
}

fn read_topic_prefix(settings: &mut Settings) -> String {
    let old = settings.text("database.server.name");
    let prefix = match (settings.text("topic.prefix"), old) {
        (Some(prefix), None) => prefix,
        (Some(prefix), Some(_)) => {
            settings.warn("`database.server.name` is ignored, since `topic.prefix` is there");
            prefix
        }
        (None, Some(prefix)) => {
            settings.warn("`database.server.name` is the old name of `topic.prefix`");
            prefix
        }
        (None, None) => {
            settings.mistake("`topic.prefix` is missing");
            return String::new();
        }
    };
    let is_legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if !prefix.chars().all(is_legal) {
        settings.mistake(format!(
            "`topic.prefix` is `{prefix}` but may hold only letters, digits, `.`, `_` and `-`"
        ));
    }
    prefix
}

fn read_database(settings: &mut Settings) -> DatabaseConfig {
    DatabaseConfig {
        hostname: settings.required("database.hostname"),
        port: settings.number("database.port", 5432, 1..),
        user: settings.required("database.user"),
        password: settings.text("database.password"),
        name: settings.required("database.dbname"),
        ssl_mode: settings.choice(
            "database.sslmode",
            SslMode::default(),
            &[
                ("disable", SslMode::Disable),
                ("allow", SslMode::Allow),
                ("prefer", SslMode::Prefer),
                ("require", SslMode::Require),
                ("required", SslMode::Require),
                ("verify-ca", SslMode::VerifyCa),
                ("verify-full", SslMode::VerifyFull),
            ],
        ),
        ssl_root_cert: settings.text("database.sslrootcert"),
        ssl_cert: settings.text("database.sslcert"),
        ssl_key: settings.text("database.sslkey"),
        tcp_keep_alive: settings.boolean("database.tcpKeepAlive", true),
        initial_statements: settings
            .text("database.initial.statements")
            .map(|list| split_statements(&list))
            .unwrap_or_default(),
        query_timeout_ms: settings.number("database.query.timeout.ms", 600_000, ..),
    }
}

/// Splits at single semicolons; a doubled one is a semicolon within a statement.
fn split_statements(list: &str) -> Vec<String> {
    list.split(";;")
        .map(|part| part.split(';').map(str::to_owned).collect::<Vec<_>>())
        .reduce(|mut statements, part| {
            let mut part = part.into_iter();
            if let (Some(last), Some(first)) = (statements.last_mut(), part.next()) {
                last.push(';');
                last.push_str(&first);
            }
            statements.extend(part);
            statements
        })
        .unwrap_or_default()
        .into_iter()
        .map(|statement| statement.trim().to_owned())
        .filter(|statement| !statement.is_empty())
        .collect()
}

fn read_slot(settings: &mut Settings) -> SlotConfig {
    const NAME_LENGTH_MAX: usize = 63;
    let name = settings.text_or("slot.name", "debezium");
    let is_legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if name.len() > NAME_LENGTH_MAX || !name.chars().all(is_legal) {
        settings.mistake(format!(
            "`slot.name` is `{name}` but may hold only lower-case letters, digits and `_`, \
             {NAME_LENGTH_MAX} at most"
        ));
    }
    let mut stream_params = Vec::new();
    for parameter in settings.text_or("slot.stream.params", "").split(';') {
        match parameter.trim().split_once('=') {
            Some((key, value)) => {
                stream_params.push((key.trim().to_owned(), value.trim().to_owned()));
            }
            None if parameter.trim().is_empty() => {}
            None => settings.mistake(format!(
                "`slot.stream.params` holds `{parameter}` but has to be `key=value;key=value`"
            )),
        }
    }
    SlotConfig {
        name,
        drop_on_stop: settings.boolean("slot.drop.on.stop", false),
        failover: settings.boolean("slot.failover", false),
        max_retries: settings.number("slot.max.retries", 6, ..),
        retry_delay_ms: settings.number("slot.retry.delay.ms", 10_000, ..),
        stream_params,
    }
}

fn read_publication(settings: &mut Settings) -> PublicationConfig {
    PublicationConfig {
        name: settings.text_or("publication.name", "dbz_publication"),
        autocreate: settings.choice(
            "publication.autocreate.mode",
            PublicationAutocreate::default(),
            &[
                ("all_tables", PublicationAutocreate::AllTables),
                ("filtered", PublicationAutocreate::Filtered),
                ("disabled", PublicationAutocreate::Disabled),
                ("no_tables", PublicationAutocreate::NoTables),
            ],
        ),
        via_partition_root: settings.boolean("publish.via.partition.root", false),
    }
}

fn read_snapshot(settings: &mut Settings) -> SnapshotConfig {
    let include = settings.patterns("snapshot.include.collection.list");
    if settings
        .text("snapshot.mode")
        .is_some_and(|mode| mode.eq_ignore_ascii_case("never"))
    {
        settings.warn("`snapshot.mode`: `never` is the old name of `no_data`");
    }
    SnapshotConfig {
        mode: settings.choice(
            "snapshot.mode",
            SnapshotMode::default(),
            &[
                ("initial", SnapshotMode::Initial),
                ("always", SnapshotMode::Always),
                ("initial_only", SnapshotMode::InitialOnly),
                ("no_data", SnapshotMode::NoData),
                ("never", SnapshotMode::NoData),
                ("when_needed", SnapshotMode::WhenNeeded),
            ],
        ),
        isolation: settings.choice(
            "snapshot.isolation.mode",
            SnapshotIsolation::default(),
            &[
                ("serializable", SnapshotIsolation::Serializable),
                ("repeatable_read", SnapshotIsolation::RepeatableRead),
                ("read_committed", SnapshotIsolation::ReadCommitted),
                ("read_uncommitted", SnapshotIsolation::ReadUncommitted),
            ],
        ),
        delay_ms: settings.number("snapshot.delay.ms", 0, ..),
        streaming_delay_ms: settings.number("streaming.delay.ms", 0, ..),
        max_threads: settings.number("snapshot.max.threads", 1, 1..),
        fetch_size: settings.number("snapshot.fetch.size", 10_240, 1..),
        lock_timeout_ms: settings.number("snapshot.lock.timeout.ms", 10_000, ..),
        include: TableFilter {
            is_restricted: !include.is_empty(),
            table_include: include,
            ..TableFilter::default()
        },
    }
}

fn read_tables(settings: &mut Settings) -> TableFilter {
    let (schema_include, schema_exclude) = settings.include_or_exclude("schema");
    let (table_include, table_exclude) = settings.include_or_exclude("table");
    let is_restricted = [
        &schema_include,
        &schema_exclude,
        &table_include,
        &table_exclude,
    ]
    .iter()
    .any(|list| !list.is_empty());
    TableFilter {
        schema_include,
        schema_exclude,
        table_include,
        table_exclude,
        is_restricted,
    }
}

fn read_columns(settings: &mut Settings) -> ColumnConfig {
    let (include, exclude) = settings.include_or_exclude("column");
    let mut keys = Vec::new();
    let list = settings.text_or("message.key.columns", "");
    for entry in list
        .split(';')
        .map(str::trim)
        .filter(|entry| !entry.is_empty())
    {
        let Some((table, columns)) = entry.split_once(':') else {
            settings.mistake(format!(
                "`message.key.columns` holds `{entry}` but has to be \
                 `schema.table:column,column;…`"
            ));
            continue;
        };
        for column in columns.split(',').map(str::trim) {
            let expression = format!("{}.{column}", table.trim());
            match pattern::whole_match(&expression, true) {
                Ok(column) => keys.push(KeyPattern { column }),
                Err(problem) => {
                    settings.mistake(format!("`message.key.columns`: `{expression}` {problem}"));
                }
            }
        }
    }
    ColumnConfig {
        filter: ColumnFilter { include, exclude },
        keys,
    }
}

fn read_values(settings: &mut Settings) -> ValueConfig {
    ValueConfig {
        decimal: settings.choice(
            "decimal.handling.mode",
            DecimalHandling::default(),
            &[
                ("precise", DecimalHandling::Precise),
                ("double", DecimalHandling::Double),
                ("string", DecimalHandling::String),
            ],
        ),
        time: settings.choice(
            "time.precision.mode",
            TimePrecision::default(),
            &[
                ("adaptive", TimePrecision::Adaptive),
                (
                    "adaptive_time_microseconds",
                    TimePrecision::AdaptiveTimeMicroseconds,
                ),
                ("connect", TimePrecision::Connect),
                ("isostring", TimePrecision::IsoString),
                ("microseconds", TimePrecision::Microseconds),
                ("nanoseconds", TimePrecision::Nanoseconds),
            ],
        ),
        binary: settings.choice(
            "binary.handling.mode",
            BinaryHandling::default(),
            &[
                ("bytes", BinaryHandling::Bytes),
                ("base64", BinaryHandling::Base64),
                ("base64-url-safe", BinaryHandling::Base64UrlSafe),
                ("hex", BinaryHandling::Hex),
            ],
        ),
        unavailable_placeholder: read_placeholder(settings),
        conversion_failure: settings.choice(
            "event.converting.failure.handling.mode",
            ConversionFailure::default(),
            &[
                ("warn", ConversionFailure::Warn),
                ("skip", ConversionFailure::Skip),
                ("fail", ConversionFailure::Fail),
            ],
        ),
    }
}

/// The placeholder's bytes: the text itself, or with `hex:` before it, its digits.
fn read_placeholder(settings: &mut Settings) -> Vec<u8> {
    let key = "unavailable.value.placeholder";
    let text = settings.text_or(key, "__debezium_unavailable_value");
    let Some(hex) = text.strip_prefix("hex:") else {
        return text.into_bytes();
    };
    let digits: Option<Vec<u8>> = hex
        .chars()
        .map(|c| c.to_digit(16).map(|digit| digit as u8))
        .collect();
    match digits {
        Some(digits) if digits.len().is_multiple_of(2) => digits
            .chunks(2)
            .map(|pair| pair.iter().fold(0, |sum, digit| sum << 4 | digit))
            .collect(),
        _ => {
            settings.mistake(format!("`{key}` has no hexadecimal digits behind `hex:`"));
            Vec::new()
        }
    }
}

fn read_skipped_operations(settings: &mut Settings) -> SkippedOperations {
    let Some(list) = settings.text("skipped.operations") else {
        return SkippedOperations::default();
    };
    let mut skipped = SkippedOperations::NONE;
    for operation in list.split(',').map(str::trim) {
        match operation {
            "c" => skipped.create = true,
            "u" => skipped.update = true,
            "d" => skipped.delete = true,
            "t" => skipped.truncate = true,
            "none" if list == "none" => {}
            _ => settings.mistake(format!(
                "`skipped.operations` holds `{operation}` but has to be none, or some of c, u, d, t"
            )),
        }
    }
    skipped
}

fn read_heartbeat(settings: &mut Settings, topic_prefix: &str) -> HeartbeatConfig {
    let delimiter = settings.text_or("topic.delimiter", ".");
    let old_prefix = settings.text_or("heartbeat.topics.prefix", "__debezium-heartbeat");
    let prefix = settings.text_or("topic.heartbeat.prefix", &old_prefix);
    let default_topic = format!("{prefix}{delimiter}{topic_prefix}");
    HeartbeatConfig {
        interval_ms: settings.number("heartbeat.interval.ms", 0, ..),
        action_query: settings.text("heartbeat.action.query"),
        topic: settings.text_or("topic.heartbeat.name", &default_topic),
    }
}

fn read_queue(settings: &mut Settings) -> QueueConfig {
    let queue = QueueConfig {
        max_queue_size: settings.number("max.queue.size", 8192, 1..),
        max_batch_size: settings.number("max.batch.size", 2048, 1..),
        max_queue_bytes: settings.number("max.queue.size.in.bytes", 0, ..),
        poll_interval_ms: settings.number("poll.interval.ms", 500, 1..),
    };
    if queue.max_queue_size <= queue.max_batch_size {
        settings.mistake("`max.queue.size` has to be larger than `max.batch.size`");
    }
    queue
}

fn read_converter(settings: &mut Settings, key: &str) -> ConverterConfig {
    let class = settings.text_or(key, JSON_CONVERTERS[0]);
    if !JSON_CONVERTERS.contains(&class.as_str()) {
        settings.mistake(format!(
            "`{key}` is `{class}`, which is not supported ({} is)",
            JSON_CONVERTERS[0]
        ));
    }
    settings.text(&format!("{key}.schemas.cache.size"));
    settings.text(&format!("{key}.converter.type"));
    ConverterConfig {
        schemas_enable: settings.boolean(&format!("{key}.schemas.enable"), true),
        decimal_format: settings.choice(
            &format!("{key}.decimal.format"),
            DecimalFormat::default(),
            &[
                ("base64", DecimalFormat::Base64),
                ("numeric", DecimalFormat::Numeric),
            ],
        ),
        replace_null_with_default: settings
            .boolean(&format!("{key}.replace.null.with.default"), true),
    }
}
