//! Settings as the JVM takes and refuses them.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;
use streams_core::config::StreamsConfig;

/// What the JVM takes and we refuse, because it would be ignored, fail later, or make no sense.
const STRICTER: &[(&str, &str)] = &[
    ("num.stream.threads", "0"),
    ("num.standby.replicas", "-1"),
    ("max.task.idle.ms", "-2"),
    ("application.server", "nowhere"),
    ("default.timestamp.extractor", "java.lang.String"),
    ("errors.dead.letter.queue.topic.name", "no spaces please"),
    ("no.such.setting", "1"),
    ("consumer.auto.offset.reset", "middle"),
    ("consumer.enable.auto.commit", "true"),
];

/// What the JVM refuses and we take with a warning, because it has no meaning here.
const LAXER: &[&str] = &["default.key.serde", "rack.aware.assignment.tags"];

fn captured(kind: &str) -> Vec<Value> {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/conformance/streams/config.jsonl");
    let text = std::fs::read_to_string(path).unwrap();
    let lines = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let lines: Vec<_> = lines.filter(|line| line["type"] == kind).collect();
    assert!(!lines.is_empty());
    lines
}

#[test]
fn what_the_jvm_refuses_is_refused_and_what_it_takes_is_taken() {
    for line in captured("config") {
        let settings: BTreeMap<String, String> =
            serde_json::from_value(line["config"].clone()).unwrap();
        let stricter = STRICTER
            .iter()
            .any(|(key, value)| settings.get(*key).is_some_and(|v| v == value));
        let laxer = LAXER.iter().any(|key| settings.contains_key(*key));
        let taken = line.get("accepted").is_some_and(|taken| taken == true);
        let expected = (taken || laxer) && !stricter;
        let outcome = StreamsConfig::from_map(settings);
        assert_eq!(outcome.is_ok(), expected, "{line}\n{outcome:?}");
    }
}

#[test]
fn every_key_of_the_jvm_is_known_and_takes_its_default() {
    let mut settings = BTreeMap::from([
        ("application.id".to_owned(), "app".to_owned()),
        ("bootstrap.servers".to_owned(), "127.0.0.1:9".to_owned()),
    ]);
    for line in captured("key") {
        let key = line["key"].as_str().unwrap().to_owned();
        if let Some(default) = line["default"]
            .as_str()
            .filter(|default| !default.is_empty())
        {
            settings.insert(key, default.to_owned());
        }
    }
    let given = StreamsConfig::from_map(settings).unwrap();
    let ours = StreamsConfig::from_map([
        ("application.id", "app"),
        ("bootstrap.servers", "127.0.0.1:9"),
    ])
    .unwrap();
    assert_eq!(typed(&given), typed(&ours));
}

/// The settings with a type of their own; the state directory has no default of its own in Java.
fn typed(config: &StreamsConfig) -> String {
    format!(
        "{:?}",
        (
            config.processing_guarantee,
            config.num_stream_threads,
            config.commit_interval_ms,
            config.poll_ms,
            config.max_task_idle_ms,
            config.buffered_records_per_partition,
            config.task_timeout_ms,
            (
                config.replication_factor,
                config.repartition_purge_interval_ms
            ),
            (
                config.state_cleanup_delay_ms,
                config.statestore_cache_max_bytes
            ),
            (
                config.windowstore_changelog_additional_retention_ms,
                config.log_summary_interval_ms
            ),
            (
                &config.topology_optimization,
                config.default_timestamp_extractor
            ),
            (
                config.deserialization_errors,
                config.processing_errors,
                config.production_errors
            ),
        )
    )
}
