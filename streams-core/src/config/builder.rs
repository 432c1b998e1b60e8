//! From pairs of keys and values to a checked configuration.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use super::assembly::{Basis, ClientSettings, assemble};
use super::choice::{
    DslStore, ProcessingGuarantee, RecordingLevel, TimestampExtraction, TopologyOptimization,
};
use super::client::{ALL, is_taken_by, names, split_prefix};
use super::handler::{ErrorAction, ErrorHandling, Kind};
use super::reader::Reader;
use super::{StreamsConfig, key};
use crate::error::{Error, ErrorKind, Result};

/// Gathers settings; the last value given for a key holds.
#[derive(Clone, Default)]
pub struct StreamsConfigBuilder {
    settings: BTreeMap<String, String>,
}

const DAY_MS: u64 = 24 * 60 * 60 * 1000;
const MINUTE_MS: u64 = 60 * 1000;
const MEBIBYTE: u64 = 1024 * 1024;
const UPGRADES_FROM: &[&str] = &[
    "2.4", "2.5", "2.6", "2.7", "2.8", "3.0", "3.1", "3.2", "3.3", "3.4", "3.5", "3.6", "3.7",
    "3.8", "3.9", "4.0", "4.1", "4.2",
];

impl StreamsConfigBuilder {
    /// Gives one setting.
    #[must_use]
    pub fn set(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.settings
            .insert(key.into().trim().to_owned(), value.into());
        self
    }

    /// Gives several settings.
    #[must_use]
    pub fn set_all<K, V>(mut self, settings: impl IntoIterator<Item = (K, V)>) -> Self
    where
        K: Into<String>,
        V: Into<String>,
    {
        for (key, value) in settings {
            self = self.set(key, value);
        }
        self
    }

    /// Gives a setting unless it is there already.
    #[must_use]
    pub fn set_default(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.settings
            .entry(key.into())
            .or_insert_with(|| value.into());
        self
    }

    /// Gives the settings of a Java properties file.
    ///
    /// # Errors
    /// If the file cannot be read or is not a properties file.
    pub fn properties_file(self, path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let failed = |what: &str, source: Box<dyn std::error::Error + Send + Sync>| {
            let message = format!("cannot {what} the properties file `{}`", path.display());
            Error::with_source(ErrorKind::Config, message, source)
        };
        let file = File::open(path).map_err(|error| failed("open", error.into()))?;
        let settings = java_properties::read(BufReader::new(file))
            .map_err(|error| failed("read", error.to_string().into()))?;
        Ok(self.set_all(settings))
    }

    /// Checks the settings and completes them with the defaults.
    ///
    /// # Errors
    /// If any setting is wrong, with every mistake in the message.
    pub fn build(self) -> Result<StreamsConfig> {
        let mut reader = Reader::new(&self.settings);
        check_keys(&mut reader);
        let mut config = read(&mut reader);
        check_together(&mut reader, &config);
        config.clients = assemble(
            &mut reader,
            Basis {
                bootstrap_servers: &config.bootstrap_servers,
                guarantee: config.processing_guarantee,
                commit_interval_ms: config.commit_interval_ms,
            },
        );
        let number = |settings: &BTreeMap<String, String>, name| {
            settings
                .get(name)
                .and_then(|value: &String| value.parse().ok())
                .unwrap_or_default()
        };
        config.max_poll_interval_ms = number(&config.clients.main_consumer, "max.poll.interval.ms");
        config.transaction_timeout_ms = number(&config.clients.producer, "transaction.timeout.ms");
        check_waits(&mut reader, &config);
        if let Some(error) = reader.problems.into_error() {
            return Err(error);
        }
        for warning in &reader.warnings {
            tracing::warn!("setting {warning}");
        }
        config.warnings = reader.warnings;
        Ok(config)
    }
}

/// Every key must be known to Kafka Streams, to a client, or to topics.
fn check_keys(reader: &mut Reader<'_>) {
    for (given, value) in reader.all() {
        if key::READ.contains(&given) || is_taken_by(given, ALL) {
            continue;
        }
        let ignored = key::IGNORED.iter().find(|(known, _, _)| *known == given);
        let refused = key::REFUSED.iter().find(|(known, _)| *known == given);
        if let Some((_, kind, remark)) = ignored {
            match kind.complaint(value) {
                Some(complaint) => reader.problems.value(given, value, &complaint),
                None => reader.warn(given, remark),
            }
        } else if let Some((_, default)) = refused {
            if value != *default && !value.is_empty() {
                reader
                    .problems
                    .value(given, value, "is not supported: it names a Java class");
            }
        } else if let Some(tag) = given.strip_prefix("client.tag.") {
            if tag.is_empty() || value.is_empty() {
                reader.problems.key(given, "must have a tag and a value");
            }
            reader.warn(given, "is ignored: there are no standby tasks to place");
        } else {
            check_prefixed(reader, given);
        }
    }
}

/// A key with a prefix must be known to those the prefix is for.
fn check_prefixed(reader: &mut Reader<'_>, given: &str) {
    if let Some(topic) = given.strip_prefix("topic.") {
        if !key::TOPIC.contains(&topic) {
            let known: Vec<_> = key::TOPIC
                .iter()
                .map(|name| format!("topic.{name}"))
                .collect();
            reader
                .problems
                .unknown(given, known.iter().map(String::as_str));
        }
    } else if let Some((prefix, name, scope)) = split_prefix(given) {
        if !is_taken_by(name, scope) {
            let known: Vec<_> = names(scope).map(|name| format!("{prefix}{name}")).collect();
            reader
                .problems
                .unknown(given, known.iter().map(String::as_str));
        }
    } else {
        let ignored = key::IGNORED.iter().map(|(name, _, _)| *name);
        let known = key::READ.iter().copied().chain(ignored).chain(names(ALL));
        reader.problems.unknown(given, known);
    }
}

fn read(reader: &mut Reader<'_>) -> StreamsConfig {
    let guarantee = ProcessingGuarantee::read(reader);
    let commit_default_ms = if guarantee.is_exactly_once() {
        100
    } else {
        30_000
    };
    check_unsupported(reader);
    StreamsConfig {
        application_id: application_id(reader),
        bootstrap_servers: bootstrap_servers(reader),
        processing_guarantee: guarantee,
        num_stream_threads: reader.number(key::NUM_STREAM_THREADS, 1, 1, 1024),
        state_dir: state_dir(reader),
        client_id: reader.non_empty(key::CLIENT_ID).map(str::to_owned),
        group_instance_id: group_instance_id(reader),
        application_server: application_server(reader),
        commit_interval_ms: reader.millis(key::COMMIT_INTERVAL_MS, commit_default_ms),
        poll_ms: reader.millis(key::POLL_MS, 100),
        max_poll_records: max_poll_records(reader),
        buffered_records_per_partition: reader.number(
            key::BUFFERED_RECORDS_PER_PARTITION,
            1000,
            1,
            i32::MAX as usize,
        ),
        max_task_idle_ms: reader.number(key::MAX_TASK_IDLE_MS, 0, -1, i64::MAX),
        task_timeout_ms: reader.millis(key::TASK_TIMEOUT_MS, 5 * MINUTE_MS),
        max_poll_interval_ms: 0,
        transaction_timeout_ms: 0,
        replication_factor: replication_factor(reader),
        repartition_purge_interval_ms: reader.millis(key::REPARTITION_PURGE_INTERVAL_MS, 30_000),
        state_cleanup_delay_ms: reader.millis(key::STATE_CLEANUP_DELAY_MS, 10 * MINUTE_MS),
        statestore_cache_max_bytes: cache_bytes(reader),
        statestore_memory_max_bytes: store_bytes(reader, key::STATESTORE_MEMORY_MAX_BYTES, 256),
        statestore_uncommitted_max_bytes: store_bytes(
            reader,
            key::STATESTORE_UNCOMMITTED_MAX_BYTES,
            64,
        ),
        default_dsl_store: dsl_store(reader),
        windowstore_changelog_additional_retention_ms: reader
            .millis(key::WINDOWSTORE_CHANGELOG_ADDITIONAL_RETENTION_MS, DAY_MS),
        windowed_aggregation_emit_interval_ms: reader
            .millis(key::EMIT_INTERVAL_MS_WINDOWED_AGGREGATION, 1000),
        outer_join_emit_interval_ms: reader.millis(key::EMIT_INTERVAL_MS_OUTER_JOIN, 1000),
        log_summary_interval_ms: log_summary_interval_ms(reader),
        topology_optimization: TopologyOptimization::read(reader),
        ensure_explicit_internal_resource_naming: reader
            .flag(key::ENSURE_EXPLICIT_INTERNAL_RESOURCE_NAMING, false),
        default_timestamp_extractor: timestamp_extractor(reader),
        metrics_recording_level: recording_level(reader),
        dead_letter_topic: dead_letter_topic(reader),
        deserialization_errors: ErrorHandling::read(
            reader,
            Kind::Deserialization,
            Some("default.deserialization.exception.handler"),
        ),
        processing_errors: ErrorHandling::read(reader, Kind::Processing, None),
        production_errors: ErrorHandling::read(
            reader,
            Kind::Production,
            Some("default.production.exception.handler"),
        ),
        clients: ClientSettings::default(),
        topic: topic(reader),
        warnings: Vec::new(),
    }
}

/// A negative interval turns the summary off.
fn log_summary_interval_ms(reader: &mut Reader<'_>) -> Option<u64> {
    let default = 2 * MINUTE_MS as i64;
    let interval = reader.number(key::LOG_SUMMARY_INTERVAL_MS, default, -1, i64::MAX);
    u64::try_from(interval).ok()
}

/// What Kafka Streams has and this run time does not have yet.
fn check_unsupported(reader: &mut Reader<'_>) {
    if reader.number(key::NUM_STANDBY_REPLICAS, 0_i64, 0, i64::from(i32::MAX)) > 0 {
        let value = reader.text(key::NUM_STANDBY_REPLICAS).unwrap_or_default();
        let complaint = "can only be 0: standby replicas are not supported yet";
        reader
            .problems
            .value(key::NUM_STANDBY_REPLICAS, value, complaint);
    }
    let protocols = [
        key::GROUP_PROTOCOL,
        "consumer.group.protocol",
        "main.consumer.group.protocol",
    ];
    for protocol in protocols {
        let Some(value) = reader.text(protocol) else {
            continue;
        };
        if !value.eq_ignore_ascii_case("classic") {
            let complaint = "can only be classic: other protocols are not supported yet";
            reader.problems.value(protocol, value, complaint);
        }
    }
    if let Some(from) = reader.non_empty(key::UPGRADE_FROM) {
        if UPGRADES_FROM.contains(&from) {
            reader.warn(
                key::UPGRADE_FROM,
                "is ignored: its range assignment needs no upgrade",
            );
        } else {
            let complaint = format!("must be one of {}", UPGRADES_FROM.join(", "));
            reader.problems.value(key::UPGRADE_FROM, from, &complaint);
        }
    }
}

fn application_id(reader: &mut Reader<'_>) -> String {
    let id = reader.required(key::APPLICATION_ID);
    // The id is a directory under state.dir.
    if id.contains(['/', '\0']) || id == "." || id == ".." {
        reader.problems.value(
            key::APPLICATION_ID,
            id,
            "must be usable as a directory's name",
        );
    }
    id.to_owned()
}

fn bootstrap_servers(reader: &mut Reader<'_>) -> String {
    let servers = reader.required(key::BOOTSTRAP_SERVERS);
    let list: Vec<_> = servers.split(',').map(str::trim).collect();
    for server in list.iter().filter(|_| !servers.is_empty()) {
        if !is_host_and_port(server) {
            let complaint = "must be host:port, with commas between several";
            reader
                .problems
                .value(key::BOOTSTRAP_SERVERS, servers, complaint);
            break;
        }
    }
    list.join(",")
}

/// `host:port`, `[ipv6]:port`, either after `protocol://`.
fn is_host_and_port(server: &str) -> bool {
    let server = server.split_once("://").map_or(server, |(_, rest)| rest);
    let Some((host, port)) = server.rsplit_once(':') else {
        return false;
    };
    let bracketed = host.starts_with('[') && host.ends_with(']');
    let plausible = bracketed || !host.contains([':', '/', ' ']);
    !host.is_empty() && plausible && port.parse::<u16>().is_ok_and(|port| port > 0)
}

fn application_server(reader: &mut Reader<'_>) -> Option<String> {
    let server = reader.non_empty(key::APPLICATION_SERVER)?;
    if !is_host_and_port(server) {
        reader
            .problems
            .value(key::APPLICATION_SERVER, server, "must be host:port");
    }
    Some(server.to_owned())
}

fn state_dir(reader: &mut Reader<'_>) -> PathBuf {
    match reader.text(key::STATE_DIR) {
        Some("") => {
            reader.problems.key(key::STATE_DIR, "is empty");
            PathBuf::new()
        }
        Some(path) => PathBuf::from(path),
        None => std::env::temp_dir().join("kafka-streams"),
    }
}

/// The value of a consumer's key: `main.consumer.` wins over `consumer.`, and that over the bare.
fn consumer_text<'a>(reader: &Reader<'a>, name: &str) -> Option<(String, &'a str)> {
    ["main.consumer.", "consumer.", ""]
        .into_iter()
        .find_map(|prefix| {
            let key = format!("{prefix}{name}");
            reader.text(&key).map(|value| (key, value))
        })
}

fn group_instance_id(reader: &mut Reader<'_>) -> Option<String> {
    let (key, id) = consumer_text(reader, key::GROUP_INSTANCE_ID)?;
    // Brokers check it like a topic's name.
    if !is_topic_name(id) {
        reader.problems.value(
            &key,
            id,
            "must be letters, digits, dots, dashes and underscores",
        );
    }
    Some(id.to_owned())
}

fn max_poll_records(reader: &mut Reader<'_>) -> usize {
    match consumer_text(reader, key::MAX_POLL_RECORDS) {
        Some((key, _)) => reader.number(&key, 1000, 1, i32::MAX as usize),
        None => 1000,
    }
}

fn replication_factor(reader: &mut Reader<'_>) -> Option<i32> {
    let factor = reader.number(key::REPLICATION_FACTOR, -1, -1, i32::from(i16::MAX));
    if factor == 0 {
        reader
            .problems
            .value(key::REPLICATION_FACTOR, "0", "must be -1 or at least 1");
    }
    (factor > 0).then_some(factor)
}

fn cache_bytes(reader: &mut Reader<'_>) -> u64 {
    const OLD: &str = "cache.max.bytes.buffering";
    const DEFAULT: u64 = 10 * 1024 * 1024;
    let old = reader.number(OLD, DEFAULT, 0, i64::MAX as u64);
    if reader.text(OLD).is_some() {
        reader.warn(
            OLD,
            &format!("is deprecated, use `{}`", key::STATESTORE_CACHE_MAX_BYTES),
        );
    }
    reader.number(key::STATESTORE_CACHE_MAX_BYTES, old, 0, i64::MAX as u64)
}

/// A bound of the stores' memory, in bytes; its default in mebibytes.
fn store_bytes(reader: &mut Reader<'_>, key: &str, default_mebibytes: u64) -> u64 {
    let default = default_mebibytes * MEBIBYTE;
    reader.number(key, default, MEBIBYTE, i64::MAX as u64)
}

fn timestamp_extractor(reader: &mut Reader<'_>) -> TimestampExtraction {
    reader.choice(
        key::DEFAULT_TIMESTAMP_EXTRACTOR,
        TimestampExtraction::Fail,
        TimestampExtraction::CHOICES,
    )
}

fn recording_level(reader: &mut Reader<'_>) -> RecordingLevel {
    reader.choice(
        key::METRICS_RECORDING_LEVEL,
        RecordingLevel::Info,
        RecordingLevel::CHOICES,
    )
}

fn dsl_store(reader: &mut Reader<'_>) -> DslStore {
    reader.choice(key::DEFAULT_DSL_STORE, DslStore::RocksDb, DslStore::CHOICES)
}

fn dead_letter_topic(reader: &mut Reader<'_>) -> Option<String> {
    let topic = reader.non_empty(key::ERRORS_DEAD_LETTER_QUEUE_TOPIC_NAME)?;
    if !is_topic_name(topic) {
        let key = key::ERRORS_DEAD_LETTER_QUEUE_TOPIC_NAME;
        reader.problems.value(key, topic, "must be a topic's name");
    }
    Some(topic.to_owned())
}

/// Kafka's rule for the names of topics.
fn is_topic_name(name: &str) -> bool {
    let legal = |character: char| character.is_ascii_alphanumeric() || "._-".contains(character);
    (1..=249).contains(&name.len()) && name != "." && name != ".." && name.chars().all(legal)
}

fn topic(reader: &Reader<'_>) -> BTreeMap<String, String> {
    reader
        .all()
        .filter_map(|(key, value)| key.strip_prefix("topic.").map(|name| (name, value)))
        .filter(|(name, _)| key::TOPIC.contains(name))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// What only shows in two settings at once.
fn check_together(reader: &mut Reader<'_>, config: &StreamsConfig) {
    let handlers = [
        (Kind::Deserialization, &config.deserialization_errors),
        (Kind::Processing, &config.processing_errors),
        (Kind::Production, &config.production_errors),
    ];
    for (kind, handling) in handlers {
        if handling.action == ErrorAction::DeadLetter && config.dead_letter_topic.is_none() {
            let complaint = format!("needs `{}`", key::ERRORS_DEAD_LETTER_QUEUE_TOPIC_NAME);
            reader.problems.value(kind.key(), "dead-letter", &complaint);
        }
    }
}

/// Retries hold the thread up, which must not lose it its transaction or its membership.
fn check_waits(reader: &mut Reader<'_>, config: &StreamsConfig) {
    let handlers = [
        (Kind::Deserialization, &config.deserialization_errors),
        (Kind::Processing, &config.processing_errors),
        (Kind::Production, &config.production_errors),
    ];
    let (limit, limit_key) = if config.processing_guarantee.is_exactly_once() {
        (
            config.transaction_timeout_ms,
            "producer.transaction.timeout.ms",
        )
    } else {
        (config.max_poll_interval_ms, "max.poll.interval.ms")
    };
    for (kind, handling) in handlers {
        let total = handling.backoff_total_ms();
        if total > limit {
            let key = format!("{}.retries", kind.key());
            let complaint = format!(
                "makes one record wait {total} ms in all, longer than {limit_key} ({limit})"
            );
            reader
                .problems
                .value(&key, &handling.retries.to_string(), &complaint);
        }
    }
}
