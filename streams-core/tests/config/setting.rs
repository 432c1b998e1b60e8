//! Settings: what they become, and what is said of wrong ones.

use std::io::Write;
use std::path::Path;

use streams_core::ErrorKind;
use streams_core::config::{
    DslStore, ErrorAction, Optimization, ProcessingGuarantee, RecordingLevel, StreamsConfig,
    TimestampExtraction,
};

type Setting<'a> = (&'a str, &'a str);

const REQUIRED: [Setting<'_>; 2] = [
    ("application.id", "app"),
    ("bootstrap.servers", "127.0.0.1:9092"),
];
const EXACTLY_ONCE: Setting<'_> = ("processing.guarantee", "exactly_once_v2");

fn config(settings: &[Setting<'_>]) -> StreamsConfig {
    StreamsConfig::builder()
        .set_all(REQUIRED)
        .set_all(settings.iter().copied())
        .build()
        .unwrap()
}

/// What is said of these settings beside the required ones.
fn mistake(settings: &[Setting<'_>]) -> String {
    let builder = StreamsConfig::builder()
        .set_all(REQUIRED)
        .set_all(settings.iter().copied());
    let error = builder.build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    let message = error.to_string();
    message
        .strip_prefix("wrong configuration: ")
        .unwrap()
        .to_owned()
}

#[test]
fn defaults_are_kafkas() {
    let config = config(&[]);
    assert_eq!(
        config.processing_guarantee,
        ProcessingGuarantee::AtLeastOnce
    );
    assert_eq!(config.commit_interval_ms, 30_000);
    assert_eq!(config.num_stream_threads, 1);
    assert_eq!(config.poll_ms, 100);
    assert_eq!(config.max_poll_records, 1_000);
    assert_eq!(config.buffered_records_per_partition, 1_000);
    assert_eq!(config.max_task_idle_ms, 0);
    assert_eq!(config.task_timeout_ms, 300_000);
    assert_eq!(config.replication_factor, None);
    assert_eq!(config.repartition_purge_interval_ms, 30_000);
    assert_eq!(config.state_cleanup_delay_ms, 600_000);
    assert_eq!(config.statestore_cache_max_bytes, 10 * 1024 * 1024);
    assert_eq!(config.statestore_memory_max_bytes, 256 * 1024 * 1024);
    assert_eq!(config.statestore_uncommitted_max_bytes, 64 * 1024 * 1024);
    assert_eq!(config.default_dsl_store, DslStore::RocksDb);
    assert_eq!(
        config.windowstore_changelog_additional_retention_ms,
        86_400_000
    );
    assert_eq!(config.log_summary_interval_ms, Some(120_000));
    assert_eq!(config.metrics_recording_level, RecordingLevel::Info);
    assert_eq!(
        config.default_timestamp_extractor,
        TimestampExtraction::Fail
    );
    assert!(config.state_dir.ends_with("kafka-streams"));
    assert_eq!(config.dead_letter_topic, None);
    for handling in [
        config.deserialization_errors,
        config.processing_errors,
        config.production_errors,
    ] {
        assert_eq!((handling.action, handling.retries), (ErrorAction::Fail, 0));
    }
    assert_eq!(config.warnings(), [] as [String; 0]);
}

#[test]
fn exactly_once_commits_ten_times_a_second_unless_told_otherwise() {
    assert_eq!(config(&[EXACTLY_ONCE]).commit_interval_ms, 100);
    assert_eq!(
        config(&[EXACTLY_ONCE, ("commit.interval.ms", "250")]).commit_interval_ms,
        250
    );
}

#[test]
fn values_may_have_spaces_around_them() {
    let config = config(&[("num.stream.threads", " 3 "), ("application.id", " app ")]);
    assert_eq!(
        (config.num_stream_threads, config.application_id.as_str()),
        (3, "app")
    );
}

#[test]
fn what_is_missing_is_named() {
    let error = StreamsConfig::from_map([] as [(&str, &str); 0])
        .unwrap_err()
        .to_string();
    let expected = "wrong configuration: 2 mistakes\n  \
                    `application.id` is missing: it has no default\n  \
                    `bootstrap.servers` is missing: it has no default";
    assert_eq!(error, expected);
}

#[test]
fn all_mistakes_come_in_one_message() {
    let message = mistake(&[
        ("num.stream.treads", "2"),
        ("commit.interval.ms", "soon"),
        ("consumer.session.timeout.ms", "0"),
        ("topic.retention.millis", "1"),
    ]);
    assert!(message.starts_with("4 mistakes\n"), "{message}");
    for line in [
        "`num.stream.treads` is unknown, did you mean `num.stream.threads`?",
        "`commit.interval.ms` must be a whole number of at least 0, but is `soon`",
        "`consumer.session.timeout.ms` must be a whole number from 1 to 3600000, but is `0`",
        "`topic.retention.millis` is unknown, did you mean `topic.retention.ms`?",
    ] {
        assert!(message.contains(line), "{message}");
    }
}

#[test]
fn an_unknown_key_is_told_its_nearest_neighbour_within_its_prefix() {
    let cases = [
        (
            "aplication.id",
            "`aplication.id` is unknown, did you mean `application.id`?",
        ),
        (
            "consumer.sesion.timeout.ms",
            "did you mean `consumer.session.timeout.ms`?",
        ),
        ("producer.lingr.ms", "did you mean `producer.linger.ms`?"),
        (
            "producer.max.poll.records",
            "`producer.max.poll.records` is unknown",
        ),
        ("admin.acks", "`admin.acks` is unknown"),
        ("colour", "`colour` is unknown"),
    ];
    for (key, expected) in cases {
        let message = mistake(&[(key, "1")]);
        assert!(message.contains(expected), "{message}");
    }
    assert_eq!(mistake(&[("colour", "1")]), "`colour` is unknown");
}

#[test]
fn every_wrong_value_is_told_what_it_should_be() {
    let optimizations = "must be none, all, or a list of reuse.ktable.source.topics, \
                         merge.repartition.topics, single.store.self.join";
    let upgrades = "must be one of 2.4, 2.5, 2.6, 2.7, 2.8, 3.0, 3.1, 3.2, 3.3, 3.4, 3.5, 3.6, \
                    3.7, 3.8, 3.9, 4.0, 4.1, 4.2";
    let guarantee = "must be exactly_once_v2, which replaced the older guarantees";
    let member = "must be letters, digits, dots, dashes and underscores";
    let dead_letter = "needs `errors.dead.letter.queue.topic.name`";
    let lag = "must be a whole number from 0 to 9223372036854775807";
    #[rustfmt::skip]
    let cases = [
        ("num.stream.threads", "0", "must be at least 1"),
        ("num.stream.threads", "9999", "must be at most 1024"),
        ("commit.interval.ms", "-1", "must be a whole number of at least 0"),
        ("max.task.idle.ms", "-2", "must be at least -1"),
        ("replication.factor", "0", "must be -1 or at least 1"),
        ("num.standby.replicas", "1", "can only be 0: standby replicas are not supported yet"),
        ("group.protocol", "streams", "can only be classic: other protocols are not supported yet"),
        ("processing.guarantee", "exactly_once", guarantee),
        ("processing.guarantee", "twice", "must be one of at_least_once, exactly_once_v2"),
        ("metrics.recording.level", "LOUD", "must be one of INFO, DEBUG, TRACE"),
        ("ensure.explicit.internal.resource.naming", "maybe", "must be true or false"),
        ("application.id", "a/b", "must be usable as a directory's name"),
        ("bootstrap.servers", "localhost", "must be host:port, with commas between several"),
        ("bootstrap.servers", "a:1,,b:2", "must be host:port, with commas between several"),
        ("application.server", "here", "must be host:port"),
        ("group.instance.id", "a b", member),
        ("errors.dead.letter.queue.topic.name", "a b", "must be a topic's name"),
        ("processing.exception.handler", "dead-letter", dead_letter),
        ("topology.optimization", "some", optimizations),
        ("upgrade.from", "1.0", upgrades),
        ("processor.wrapper.class", "my.Wrapper", "is not supported: it names a Java class"),
        ("acceptable.recovery.lag", "-1", lag),
    ];
    for (key, value, complaint) in cases {
        let expected = format!("`{key}` {complaint}, but is `{value}`");
        assert_eq!(mistake(&[(key, value)]), expected);
    }
    assert_eq!(mistake(&[("state.dir", "")]), "`state.dir` is empty");
    let tag = mistake(&[("client.tag.zone", "")]);
    assert_eq!(tag, "`client.tag.zone` must have a tag and a value");
}

#[test]
fn handlers_are_named_as_in_kafka_or_in_short() {
    let handlers = [
        ("fail", ErrorAction::Fail, 0),
        ("continue", ErrorAction::Continue, 0),
        ("dead-letter", ErrorAction::DeadLetter, 0),
        ("retry", ErrorAction::Fail, 5),
        (
            "LogAndContinueProcessingExceptionHandler",
            ErrorAction::Continue,
            0,
        ),
        (
            "org.apache.kafka.streams.errors.LogAndFailProcessingExceptionHandler",
            ErrorAction::Fail,
            0,
        ),
    ];
    for (name, action, retries) in handlers {
        let config = config(&[
            ("processing.exception.handler", name),
            ("errors.dead.letter.queue.topic.name", "dlq"),
        ]);
        let handling = config.processing_errors;
        assert_eq!(
            (handling.action, handling.retries),
            (action, retries),
            "{name}"
        );
        assert_eq!(config.dead_letter_topic.as_deref(), Some("dlq"));
    }
    let message = mistake(&[("production.exception.handler", "my.Handler")]);
    let expected = "`production.exception.handler` must be one of fail, continue, dead-letter, \
                    retry, DefaultProductionExceptionHandler, \
                    org.apache.kafka.streams.errors.DefaultProductionExceptionHandler, but is \
                    `my.Handler`";
    assert_eq!(message, expected);
}

#[test]
fn retries_wait_twice_as_long_each_time_up_to_a_bound() {
    let handling = config(&[
        ("processing.exception.handler", "continue"),
        ("processing.exception.handler.retries", "4"),
        ("processing.exception.handler.retry.backoff.ms", "300"),
        ("processing.exception.handler.retry.backoff.max.ms", "1000"),
    ])
    .processing_errors;
    assert_eq!(handling.action, ErrorAction::Continue);
    let waits: Vec<_> = (0..4).map(|retry| handling.backoff_ms(retry)).collect();
    assert_eq!(waits, [300, 600, 1000, 1000]);
    assert_eq!(handling.backoff_total_ms(), 2_900);
    assert_eq!(handling.backoff_ms(u32::MAX), 1000);
}

#[test]
fn retries_may_not_outlast_the_transaction_or_the_membership() {
    let retries = ("processing.exception.handler.retries", "100");
    let message = mistake(&[retries]);
    assert!(
        message.contains("longer than max.poll.interval.ms (300000), but is `100`"),
        "{message}"
    );
    let message = mistake(&[EXACTLY_ONCE, ("processing.exception.handler.retries", "8")]);
    assert!(
        message.contains("longer than producer.transaction.timeout.ms"),
        "{message}"
    );
    let backoff = ("processing.exception.handler.retry.backoff.ms", "500");
    let bound = ("processing.exception.handler.retry.backoff.max.ms", "400");
    let expected = "`processing.exception.handler.retry.backoff.max.ms` must be at least 500, but \
                    is `400`";
    assert_eq!(mistake(&[backoff, bound]), expected);
}

#[test]
fn deprecated_keys_still_hold_with_a_warning() {
    let config = config(&[
        (
            "default.deserialization.exception.handler",
            "LogAndContinueExceptionHandler",
        ),
        ("cache.max.bytes.buffering", "5"),
    ]);
    assert_eq!(config.deserialization_errors.action, ErrorAction::Continue);
    assert_eq!(config.statestore_cache_max_bytes, 5);
    let warnings = config.warnings().join("\n");
    assert!(
        warnings.contains("use `deserialization.exception.handler`"),
        "{warnings}"
    );
    assert!(
        warnings.contains("use `statestore.cache.max.bytes`"),
        "{warnings}"
    );
}

#[test]
fn what_has_no_meaning_here_is_accepted_with_a_warning() {
    let warnings = config(&[
        (
            "default.key.serde",
            "org.apache.kafka.common.serialization.Serdes$StringSerde",
        ),
        (
            "consumer.key.deserializer",
            "org.apache.kafka.common.serialization.StringDeserializer",
        ),
        ("partition.assignment.strategy", "my.Assignor"),
        ("upgrade.from", "3.9"),
        ("client.tag.zone", "a"),
        ("consumer.client.id", "me"),
        ("group.id", "other"),
    ])
    .warnings()
    .join("\n");
    for expected in [
        "`default.key.serde` is ignored: serdes are given in the topology",
        "`consumer.key.deserializer` is ignored: serdes",
        "`partition.assignment.strategy` is ignored",
        "`upgrade.from` is ignored",
        "`client.tag.zone` is ignored",
        "`consumer.client.id` is ignored: client.id is the same for all clients",
        "`group.id` is ignored: application.id is the group",
    ] {
        assert!(warnings.contains(expected), "{warnings}");
    }
}

#[test]
fn optimizations_are_listed_or_all() {
    let listed = config(&[("topology.optimization", "merge.repartition.topics")]);
    assert!(
        listed
            .topology_optimization
            .contains(Optimization::MergeRepartitionTopics)
    );
    assert!(
        !listed
            .topology_optimization
            .contains(Optimization::SingleStoreSelfJoin)
    );
    let all = config(&[("topology.optimization", "all")]);
    assert!(
        all.topology_optimization
            .contains(Optimization::ReuseKTableSourceTopics)
    );
    assert!(
        !config(&[])
            .topology_optimization
            .contains(Optimization::MergeRepartitionTopics)
    );
}

#[test]
fn a_properties_file_is_read_as_java_reads_it() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    writeln!(
        file,
        "# comment\napplication.id = app\nbootstrap.servers: a:1,\\\n    b:2"
    )
    .unwrap();
    writeln!(file, "state.dir=/data/\\u00fc").unwrap();
    let config = StreamsConfig::from_properties_file(file.path()).unwrap();
    assert_eq!(config.bootstrap_servers, "a:1,b:2");
    assert_eq!(config.state_dir, Path::new("/data/ü"));
    let over = StreamsConfig::builder()
        .properties_file(file.path())
        .unwrap()
        .set("application.id", "other")
        .set_default("state.dir", "/elsewhere")
        .build()
        .unwrap();
    assert_eq!(
        (over.application_id.as_str(), over.state_dir),
        ("other", config.state_dir)
    );
}

#[test]
fn a_properties_file_that_is_not_there_is_named() {
    let error = StreamsConfig::from_properties_file("/no/such/file").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    let expected = "cannot open the properties file `/no/such/file`: ";
    assert!(error.to_string().starts_with(expected), "{error}");
}

#[test]
fn brokers_may_be_written_in_every_usual_form() {
    for servers in [
        "broker:9092",
        "a:1, b:2",
        "[::1]:9092",
        "SASL_SSL://broker.example.org:9093",
    ] {
        assert_eq!(
            config(&[("bootstrap.servers", servers)]).bootstrap_servers,
            servers.replace(' ', "")
        );
    }
    for servers in ["a:0", "a:65536", ":9092", "::1:9092", "http://a/b:1"] {
        assert!(
            mistake(&[("bootstrap.servers", servers)]).contains("must be host:port"),
            "{servers}"
        );
    }
}

#[test]
fn secrets_are_in_no_message() {
    let secret = "hunter2";
    let message = mistake(&[
        ("sasl.jaas.config", secret),
        ("consumer.ssl.key.password", secret),
        ("ssl.truststore.location", "trust.jks"),
        ("ssl.truststore.password", secret),
    ]);
    assert!(
        message.contains("`sasl.jaas.config` must have the form"),
        "{message}"
    );
    assert!(!message.contains(secret), "{message}");
    let config = config(&[("sasl.password", secret)]);
    assert!(!format!("{config:?}").contains(secret));
}
