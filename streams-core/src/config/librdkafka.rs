//! The settings of librdkafka that can be passed through, with the values each can have.
//!
//! The rows follow librdkafka 2.12's `CONFIGURATION.md`, without the callbacks and other settings
//! that only a program can give, and without those of features this build leaves out (Kerberos,
//! OAUTHBEARER, plugins).

use super::client::{ALL, CONSUMER, PRODUCER, Scope};

/// The values a setting can have.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    /// Any text.
    Text,
    /// `true` or `false`, in any case.
    Flag,
    /// A whole number within these bounds, both included.
    Whole(i64, i64),
    /// One of these words.
    Choice(&'static [&'static str]),
}

use Kind::{Choice, Flag, Text, Whole};

impl Kind {
    /// What is wrong with this value, if anything.
    pub(super) fn complaint(self, value: &str) -> Option<String> {
        match self {
            Text => None,
            Flag if value.eq_ignore_ascii_case("true") => None,
            Flag if value.eq_ignore_ascii_case("false") => None,
            Flag => Some("must be true or false".to_owned()),
            Whole(min, max) => match value.parse::<i64>() {
                Ok(number) if (min..=max).contains(&number) => None,
                _ => Some(format!("must be a whole number from {min} to {max}")),
            },
            Choice(words) if words.contains(&value) => None,
            Choice(words) => Some(format!("must be one of {}", words.join(", "))),
        }
    }
}

/// The setting's clients and values, if librdkafka has it.
pub(super) fn setting(name: &str) -> Option<(Scope, Kind)> {
    SETTINGS
        .iter()
        .find(|(known, _, _)| *known == name)
        .map(|(_, scope, kind)| (*scope, *kind))
}

/// The settings' names and the clients that take them.
pub(super) fn names() -> impl Iterator<Item = (&'static str, Scope)> {
    SETTINGS.iter().map(|(name, scope, _)| (*name, *scope))
}

/// librdkafka's second names for a setting, replaced so that a setting is never given twice.
pub(super) const ALIASES: &[(&str, &str)] = &[
    ("compression.codec", "compression.type"),
    ("fetch.message.max.bytes", "max.partition.fetch.bytes"),
    ("max.in.flight", "max.in.flight.requests.per.connection"),
    ("message.send.max.retries", "retries"),
    ("message.timeout.ms", "delivery.timeout.ms"),
    ("metadata.broker.list", "bootstrap.servers"),
    ("queue.buffering.max.ms", "linger.ms"),
    ("request.required.acks", "acks"),
    ("sasl.mechanisms", "sasl.mechanism"),
];

const OFFSET_RESETS: &[&str] = &[
    "smallest",
    "earliest",
    "beginning",
    "largest",
    "latest",
    "end",
    "error",
];
const DNS_LOOKUPS: &[&str] = &[
    "use_all_dns_ips",
    "resolve_canonical_bootstrap_servers_only",
];

#[rustfmt::skip]
const SETTINGS: &[(&str, Scope, Kind)] = &[
    ("acks", PRODUCER, Text),
    ("allow.auto.create.topics", CONSUMER, Flag),
    ("api.version.fallback.ms", ALL, Whole(0, 604_800_000)),
    ("api.version.request", ALL, Flag),
    ("api.version.request.timeout.ms", ALL, Whole(1, 300_000)),
    ("auto.commit.interval.ms", CONSUMER, Whole(0, 86_400_000)),
    ("auto.offset.reset", CONSUMER, Choice(OFFSET_RESETS)),
    ("batch.num.messages", PRODUCER, Whole(1, 1_000_000)),
    ("batch.size", PRODUCER, Whole(1, 2_147_483_647)),
    ("bootstrap.servers", ALL, Text),
    ("broker.address.family", ALL, Choice(&["any", "v4", "v6"])),
    ("broker.address.ttl", ALL, Whole(0, 86_400_000)),
    ("broker.version.fallback", ALL, Text),
    ("check.crcs", CONSUMER, Flag),
    ("client.dns.lookup", ALL, Choice(DNS_LOOKUPS)),
    ("client.id", ALL, Text),
    ("client.rack", CONSUMER, Text),
    ("compression.level", PRODUCER, Whole(-1, 12)),
    ("compression.type", PRODUCER, Choice(&["none", "gzip", "snappy", "lz4", "zstd"])),
    ("connections.max.idle.ms", ALL, Whole(0, 2_147_483_647)),
    ("coordinator.query.interval.ms", CONSUMER, Whole(1, 3_600_000)),
    ("debug", ALL, Text),
    ("delivery.report.only.error", PRODUCER, Flag),
    ("delivery.timeout.ms", PRODUCER, Whole(0, 2_147_483_647)),
    ("enable.auto.commit", CONSUMER, Flag),
    ("enable.auto.offset.store", CONSUMER, Flag),
    ("enable.idempotence", PRODUCER, Flag),
    ("enable.metrics.push", ALL, Flag),
    ("enable.partition.eof", CONSUMER, Flag),
    ("enable.random.seed", ALL, Flag),
    ("enable.ssl.certificate.verification", ALL, Flag),
    ("fetch.error.backoff.ms", CONSUMER, Whole(0, 300_000)),
    ("fetch.max.bytes", CONSUMER, Whole(0, 2_147_483_135)),
    ("fetch.min.bytes", CONSUMER, Whole(1, 100_000_000)),
    ("fetch.queue.backoff.ms", CONSUMER, Whole(0, 300_000)),
    ("fetch.wait.max.ms", CONSUMER, Whole(0, 300_000)),
    ("group.id", CONSUMER, Text),
    ("group.instance.id", CONSUMER, Text),
    ("group.protocol", CONSUMER, Choice(&["classic", "consumer"])),
    ("group.remote.assignor", CONSUMER, Text),
    ("heartbeat.interval.ms", CONSUMER, Whole(1, 3_600_000)),
    ("isolation.level", CONSUMER, Choice(&["read_uncommitted", "read_committed"])),
    ("linger.ms", PRODUCER, Whole(0, 900_000)),
    ("log.connection.close", ALL, Flag),
    ("log.thread.name", ALL, Flag),
    ("log_level", ALL, Whole(0, 7)),
    ("max.in.flight.requests.per.connection", ALL, Whole(1, 1_000_000)),
    ("max.partition.fetch.bytes", CONSUMER, Whole(1, 1_000_000_000)),
    ("max.poll.interval.ms", CONSUMER, Whole(1, 86_400_000)),
    ("message.copy.max.bytes", ALL, Whole(0, 1_000_000_000)),
    ("message.max.bytes", ALL, Whole(1_000, 1_000_000_000)),
    ("metadata.max.age.ms", ALL, Whole(1, 86_400_000)),
    ("metadata.recovery.rebootstrap.trigger.ms", ALL, Whole(0, 2_147_483_647)),
    ("metadata.recovery.strategy", ALL, Choice(&["none", "rebootstrap"])),
    ("partition.assignment.strategy", CONSUMER, Text),
    ("partitioner", PRODUCER, Text),
    ("queue.buffering.backpressure.threshold", PRODUCER, Whole(1, 1_000_000)),
    ("queue.buffering.max.kbytes", PRODUCER, Whole(1, 2_147_483_647)),
    ("queue.buffering.max.messages", PRODUCER, Whole(0, 2_147_483_647)),
    ("queued.max.messages.kbytes", CONSUMER, Whole(1, 2_097_151)),
    ("queued.min.messages", CONSUMER, Whole(1, 10_000_000)),
    ("receive.message.max.bytes", ALL, Whole(1_000, 2_147_483_647)),
    ("reconnect.backoff.jitter.ms", ALL, Whole(0, 3_600_000)),
    ("reconnect.backoff.max.ms", ALL, Whole(0, 3_600_000)),
    ("reconnect.backoff.ms", ALL, Whole(0, 3_600_000)),
    ("request.timeout.ms", PRODUCER, Whole(1, 900_000)),
    ("retries", PRODUCER, Whole(0, 2_147_483_647)),
    ("retry.backoff.max.ms", ALL, Whole(1, 300_000)),
    ("retry.backoff.ms", ALL, Whole(1, 300_000)),
    ("sasl.mechanism", ALL, Text),
    ("sasl.password", ALL, Text),
    ("sasl.username", ALL, Text),
    ("security.protocol", ALL, Choice(&["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"])),
    ("session.timeout.ms", CONSUMER, Whole(1, 3_600_000)),
    ("socket.blocking.max.ms", ALL, Whole(1, 60_000)),
    ("socket.connection.setup.timeout.ms", ALL, Whole(1_000, 2_147_483_647)),
    ("socket.keepalive.enable", ALL, Flag),
    ("socket.max.fails", ALL, Whole(0, 1_000_000)),
    ("socket.nagle.disable", ALL, Flag),
    ("socket.receive.buffer.bytes", ALL, Whole(0, 100_000_000)),
    ("socket.send.buffer.bytes", ALL, Whole(0, 100_000_000)),
    ("socket.timeout.ms", ALL, Whole(10, 300_000)),
    ("ssl.ca.certificate.stores", ALL, Text),
    ("ssl.ca.location", ALL, Text),
    ("ssl.ca.pem", ALL, Text),
    ("ssl.certificate.location", ALL, Text),
    ("ssl.certificate.pem", ALL, Text),
    ("ssl.cipher.suites", ALL, Text),
    ("ssl.crl.location", ALL, Text),
    ("ssl.curves.list", ALL, Text),
    ("ssl.endpoint.identification.algorithm", ALL, Choice(&["none", "https"])),
    ("ssl.engine.id", ALL, Text),
    ("ssl.engine.location", ALL, Text),
    ("ssl.key.location", ALL, Text),
    ("ssl.key.password", ALL, Text),
    ("ssl.key.pem", ALL, Text),
    ("ssl.keystore.location", ALL, Text),
    ("ssl.keystore.password", ALL, Text),
    ("ssl.providers", ALL, Text),
    ("ssl.sigalgs.list", ALL, Text),
    ("statistics.interval.ms", ALL, Whole(0, 86_400_000)),
    ("sticky.partitioning.linger.ms", PRODUCER, Whole(0, 900_000)),
    ("topic.blacklist", ALL, Text),
    ("topic.metadata.propagation.max.ms", ALL, Whole(0, 3_600_000)),
    ("topic.metadata.refresh.fast.cnt", ALL, Whole(0, 1_000)),
    ("topic.metadata.refresh.fast.interval.ms", ALL, Whole(1, 60_000)),
    ("topic.metadata.refresh.interval.ms", ALL, Whole(-1, 3_600_000)),
    ("topic.metadata.refresh.sparse", ALL, Flag),
    ("transaction.timeout.ms", PRODUCER, Whole(1_000, 2_147_483_647)),
    ("transactional.id", PRODUCER, Text),
];
