//! The settings the clients get, and that librdkafka takes them.

use std::collections::BTreeMap;

use rdkafka::ClientConfig;
use rdkafka::consumer::BaseConsumer;
use rdkafka::producer::{BaseProducer, DefaultProducerContext};
use streams_core::config::StreamsConfig;

pub(crate) type Setting<'a> = (&'a str, &'a str);

pub(crate) const PROCESS: &str = "5f0c";
pub(crate) const EXACTLY_ONCE: Setting<'_> = ("processing.guarantee", "exactly_once_v2");

fn build(settings: &[Setting<'_>]) -> Result<StreamsConfig, String> {
    StreamsConfig::builder()
        .set("application.id", "app")
        .set("bootstrap.servers", "127.0.0.1:9")
        .set_all(settings.iter().copied())
        .build()
        .map_err(|error| error.to_string())
}

pub(crate) fn config(settings: &[Setting<'_>]) -> StreamsConfig {
    build(settings).unwrap()
}

pub(crate) fn mistake(settings: &[Setting<'_>]) -> String {
    let message = build(settings).unwrap_err();
    message
        .strip_prefix("wrong configuration: ")
        .unwrap()
        .to_owned()
}

#[track_caller]
pub(crate) fn assert_has(settings: &BTreeMap<String, String>, expected: &[Setting<'_>]) {
    for (name, value) in expected {
        assert_eq!(
            settings.get(*name).map(String::as_str),
            Some(*value),
            "{name}"
        );
    }
}

/// Makes every client from its settings, which librdkafka checks without a broker.
fn create_clients(config: &StreamsConfig) {
    let client = |settings: BTreeMap<String, String>| ClientConfig::from_iter(settings);
    for consumer in [
        config.consumer_config(PROCESS, 1),
        config.restore_consumer_config(PROCESS, 1),
        config.global_consumer_config(PROCESS),
    ] {
        client(consumer).create::<BaseConsumer>().unwrap();
    }
    for producer in [
        config.producer_config(PROCESS, 1),
        config.admin_config(PROCESS),
    ] {
        client(producer)
            .create::<BaseProducer<DefaultProducerContext>>()
            .unwrap();
    }
}

#[test]
fn librdkafka_takes_the_defaults_of_both_guarantees() {
    create_clients(&config(&[]));
    create_clients(&config(&[EXACTLY_ONCE]));
    create_clients(&config(&[EXACTLY_ONCE, ("commit.interval.ms", "10000")]));
    create_clients(&config(&[
        EXACTLY_ONCE,
        ("consumer.session.timeout.ms", "6000"),
    ]));
}

#[test]
fn librdkafka_takes_what_the_java_clients_settings_become() {
    create_clients(&config(&[
        EXACTLY_ONCE,
        ("security.protocol", "SASL_PLAINTEXT"),
        ("sasl.mechanism", "SCRAM-SHA-512"),
        (
            "sasl.jaas.config",
            "ScramLoginModule required username=\"a\" password=\"b\";",
        ),
        ("request.timeout.ms", "40000"),
        ("connections.max.idle.ms", "-1"),
        ("receive.buffer.bytes", "-1"),
        ("send.buffer.bytes", "131072"),
        ("metadata.max.age.ms", "300000"),
        ("metadata.recovery.strategy", "REBOOTSTRAP"),
        ("retries", "2147483647"),
        ("retry.backoff.ms", "0"),
        ("client.dns.lookup", "use_all_dns_ips"),
        ("enable.metrics.push", "FALSE"),
        ("auto.offset.reset", "none"),
        ("fetch.max.bytes", "2147483647"),
        ("fetch.max.wait.ms", "50"),
        ("max.partition.fetch.bytes", "1048576"),
        ("group.instance.id", "member"),
        ("acks", "all"),
        ("batch.size", "0"),
        ("buffer.memory", "33554432"),
        ("compression.type", "zstd"),
        ("producer.compression.zstd.level", "5"),
        ("delivery.timeout.ms", "2147483647"),
        ("linger.ms", "100"),
        ("max.in.flight.requests.per.connection", "5"),
        ("max.request.size", "2097152"),
        ("statistics.interval.ms", "1000"),
        ("queued.min.messages", "20"),
    ]));
}

#[test]
fn clients_go_by_the_jvms_names() {
    let config = config(&[EXACTLY_ONCE]);
    assert_has(
        &config.consumer_config(PROCESS, 2),
        &[
            ("client.id", "app-5f0c-StreamThread-2-consumer"),
            ("group.id", "app"),
        ],
    );
    assert_has(
        &config.producer_config(PROCESS, 2),
        &[
            ("client.id", "app-5f0c-StreamThread-2-producer"),
            ("transactional.id", "app-5f0c-2"),
        ],
    );
    let restore = config.restore_consumer_config(PROCESS, 2);
    assert_has(
        &restore,
        &[("client.id", "app-5f0c-StreamThread-2-restore-consumer")],
    );
    assert!(!restore.contains_key("group.id"));
    assert_has(
        &config.admin_config(PROCESS),
        &[("client.id", "app-5f0c-admin")],
    );
    let named = self::config(&[("client.id", "mine"), ("group.instance.id", "pod-0")]);
    assert_has(
        &named.consumer_config(PROCESS, 1),
        &[
            ("client.id", "mine-StreamThread-1-consumer"),
            ("group.instance.id", "pod-0-1"),
        ],
    );
    assert!(
        !named
            .producer_config(PROCESS, 1)
            .contains_key("transactional.id")
    );
}

#[test]
fn the_isolation_follows_the_guarantee() {
    assert_has(
        &config(&[]).consumer_config(PROCESS, 1),
        &[("isolation.level", "read_uncommitted")],
    );
    let exactly_once = config(&[EXACTLY_ONCE]);
    let committed: &[_] = &[("isolation.level", "read_committed")];
    assert_has(&exactly_once.consumer_config(PROCESS, 1), committed);
    assert_has(&exactly_once.restore_consumer_config(PROCESS, 1), committed);
}

#[test]
fn a_prefix_wins_over_a_bare_key_and_the_main_consumers_over_all_consumers() {
    let config = config(&[
        ("main.consumer.fetch.min.bytes", "3"),
        ("consumer.fetch.min.bytes", "2"),
        ("fetch.min.bytes", "1"),
        ("producer.reconnect.backoff.ms", "70"),
        ("reconnect.backoff.ms", "60"),
        ("consumer.max.poll.records", "7"),
        ("max.poll.records", "5"),
    ]);
    assert_has(
        &config.consumer_config(PROCESS, 1),
        &[("fetch.min.bytes", "3")],
    );
    assert_has(
        &config.restore_consumer_config(PROCESS, 1),
        &[("fetch.min.bytes", "2")],
    );
    assert_has(
        &config.producer_config(PROCESS, 1),
        &[("reconnect.backoff.ms", "70")],
    );
    assert_has(
        &config.admin_config(PROCESS),
        &[("reconnect.backoff.ms", "60")],
    );
    assert_eq!(config.max_poll_records, 7);
}

#[test]
fn bare_client_keys_reach_only_the_clients_that_take_them() {
    let config = config(&[("session.timeout.ms", "20000"), ("linger.ms", "9")]);
    assert_has(
        &config.consumer_config(PROCESS, 1),
        &[("session.timeout.ms", "20000")],
    );
    assert!(!config.consumer_config(PROCESS, 1).contains_key("linger.ms"));
    assert_has(&config.producer_config(PROCESS, 1), &[("linger.ms", "9")]);
    assert!(
        !config
            .producer_config(PROCESS, 1)
            .contains_key("session.timeout.ms")
    );
    assert!(!config.admin_config(PROCESS).contains_key("linger.ms"));
}

#[test]
fn a_setting_of_two_names_is_given_once_whichever_the_user_takes() {
    let names = ["fetch.message.max.bytes", "max.partition.fetch.bytes"];
    let given = |settings: BTreeMap<String, String>| {
        let given = names.iter().filter_map(|name| settings.get(*name).cloned());
        given.collect::<Vec<_>>()
    };
    let prefixed = names.map(|name| format!("consumer.{name}"));
    let prefixed = prefixed.iter().map(String::as_str);
    for name in names.into_iter().chain(prefixed) {
        let config = config(&[(name, "65536")]);
        assert_eq!(given(config.consumer_config(PROCESS, 1)), ["65536"]);
        assert_eq!(given(config.restore_consumer_config(PROCESS, 1)), ["65536"]);
        assert_eq!(given(config.global_consumer_config(PROCESS)), ["65536"]);
    }
    let config = config(&[]);
    assert_eq!(given(config.consumer_config(PROCESS, 1)), ["524288"]);
}

#[test]
fn java_names_become_librdkafkas() {
    let config = config(&[
        ("fetch.max.wait.ms", "77"),
        ("request.timeout.ms", "5000"),
        ("metadata.max.age.ms", "60000"),
        ("buffer.memory", "2048000"),
        ("max.request.size", "5000000"),
        ("acks", "all"),
        ("compression.type", "gzip"),
        ("compression.gzip.level", "4"),
        ("compression.zstd.level", "5"),
        ("auto.offset.reset", "LATEST"),
    ]);
    let consumer = config.consumer_config(PROCESS, 1);
    assert_has(
        &consumer,
        &[("fetch.wait.max.ms", "77"), ("socket.timeout.ms", "5000")],
    );
    assert_has(
        &consumer,
        &[("topic.metadata.refresh.interval.ms", "60000")],
    );
    assert_has(
        &consumer,
        &[
            ("metadata.max.age.ms", "180000"),
            ("auto.offset.reset", "latest"),
        ],
    );
    let producer = config.producer_config(PROCESS, 1);
    assert_has(&producer, &[("queue.buffering.max.kbytes", "2000")]);
    assert_has(
        &producer,
        &[("message.max.bytes", "5000000"), ("acks", "-1")],
    );
    assert_has(
        &producer,
        &[("compression.type", "gzip"), ("compression.level", "4")],
    );
}

#[test]
fn librdkafkas_second_names_do_not_give_a_setting_twice() {
    let config = config(&[("producer.queue.buffering.max.ms", "7"), ("linger.ms", "9")]);
    let producer = config.producer_config(PROCESS, 1);
    assert_has(&producer, &[("linger.ms", "7")]);
    assert!(!producer.contains_key("queue.buffering.max.ms"));
}

#[test]
fn what_the_run_time_depends_on_cannot_be_changed() {
    let cases = [
        (
            "consumer.enable.auto.commit",
            "true",
            "can only be false, but is `true`",
        ),
        (
            "allow.auto.create.topics",
            "true",
            "can only be false, but is `true`",
        ),
        (
            "enable.partition.eof",
            "false",
            "can only be true, but is `false`",
        ),
        (
            "producer.transactional.id",
            "x",
            "cannot be given: transactions need",
        ),
        (
            "partitioner.class",
            "my.Partitioner",
            "give the sink a partitioner in the topology",
        ),
        (
            "interceptor.classes",
            "my.Interceptor",
            "it names Java classes",
        ),
        ("config.providers", "file", "it names Java classes"),
        (
            "ssl.engine.factory.class",
            "my.Factory",
            "it names a Java class",
        ),
        ("partitioner.ignore.keys", "true", "can only be false"),
        ("bootstrap.controllers", "a:1", "give bootstrap.servers"),
    ];
    for (key, value, expected) in cases {
        let message = mistake(&[(key, value)]);
        assert!(message.starts_with(&format!("`{key}` ")), "{message}");
        assert!(message.contains(expected), "{message}");
    }
    config(&[("enable.auto.commit", "False"), ("interceptor.classes", "")]);
}

#[test]
fn exactly_once_cannot_be_weakened() {
    let cases = [
        (
            "enable.idempotence",
            "false",
            "under processing.guarantee=exactly_once_v2 can only be true",
        ),
        (
            "consumer.isolation.level",
            "read_uncommitted",
            "can only be read_committed",
        ),
        ("producer.acks", "1", "can only be all, but is `1`"),
        (
            "transactional.id",
            "x",
            "it is <application.id>-<process id>-<thread>",
        ),
        (
            "max.in.flight.requests.per.connection",
            "6",
            "must be at most 5 while",
        ),
        ("retries", "0", "cannot be 0 while enable.idempotence=true"),
        (
            "commit.interval.ms",
            "20000",
            "must be at most producer.transaction.timeout.ms (10000)",
        ),
    ];
    for (key, value, expected) in cases {
        let message = mistake(&[EXACTLY_ONCE, (key, value)]);
        assert!(message.starts_with(&format!("`{key}` ")), "{message}");
        assert!(message.contains(expected), "{message}");
    }
    let longer = [
        ("commit.interval.ms", "20000"),
        ("producer.transaction.timeout.ms", "30000"),
    ];
    assert_eq!(
        config(&[&[EXACTLY_ONCE][..], &longer].concat()).transaction_timeout_ms,
        30_000
    );
}

#[test]
fn the_producer_is_idempotent_unless_that_is_given_up_as_in_java() {
    let idempotence = |settings: &[Setting<'_>]| {
        config(settings)
            .producer_config(PROCESS, 1)
            .get("enable.idempotence")
            .cloned()
            .unwrap()
    };
    assert_eq!(idempotence(&[]), "true");
    assert_eq!(idempotence(&[("acks", "1")]), "false");
    assert_eq!(idempotence(&[("retries", "0")]), "false");
    assert_eq!(idempotence(&[("enable.idempotence", "false")]), "false");
    let message = mistake(&[("acks", "1"), ("enable.idempotence", "true")]);
    assert_eq!(
        message,
        "`acks` must be all while enable.idempotence=true, but is `1`"
    );
}

#[test]
fn a_transaction_ends_before_the_group_misses_its_member() {
    let timeout = |settings: &[Setting<'_>]| {
        config(&[&[EXACTLY_ONCE][..], settings].concat()).transaction_timeout_ms
    };
    assert_eq!(timeout(&[]), 10_000);
    assert!(timeout(&[("session.timeout.ms", "6000")]) < 6_000);
    let longer = config(&[EXACTLY_ONCE, ("producer.transaction.timeout.ms", "60000")]);
    assert!(
        longer
            .warnings()
            .join("\n")
            .contains("is longer than session.timeout.ms")
    );
    assert_eq!(config(&[]).transaction_timeout_ms, 0);
}

#[test]
fn times_of_the_group_must_fit_together() {
    let message = mistake(&[("session.timeout.ms", "2000")]);
    let expected =
        "`session.timeout.ms` must be at least heartbeat.interval.ms (3000), but is `2000`";
    assert_eq!(message, expected);
    let message = mistake(&[("consumer.heartbeat.interval.ms", "50000")]);
    let expected = "`consumer.heartbeat.interval.ms` must be at most session.timeout.ms (45000), \
                    but is `50000`";
    assert_eq!(message, expected);
    assert!(mistake(&[("max.poll.interval.ms", "40000")]).contains("must be at least"));
}

/// librdkafka refuses to fetch less than the largest record, and never takes a record that its
/// queue is too small for.
#[test]
fn queues_have_room_for_the_largest_record() {
    let config = config(&[("message.max.bytes", "50000000")]);
    assert_has(
        &config.consumer_config(PROCESS, 1),
        &[("fetch.max.bytes", "50000000")],
    );
    assert_has(
        &config.producer_config(PROCESS, 1),
        &[("queue.buffering.max.kbytes", "97658")],
    );
}
