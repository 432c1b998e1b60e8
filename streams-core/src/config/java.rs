//! The Java clients' settings and what becomes of each in librdkafka.
//!
//! Names as in `ConsumerConfig`, `ProducerConfig` and `AdminClientConfig` of Kafka 4.3.

use super::client::{ADMIN, ALL, CONSUMER, PRODUCER, Scope};

/// What becomes of a setting of the Java clients.
#[derive(Debug, Clone, Copy)]
pub(super) enum Rule {
    /// librdkafka has it under the same name.
    Same,
    /// librdkafka has it under another name.
    Renamed(&'static str),
    /// librdkafka has it under this name with narrower bounds; beyond them the nearest is taken.
    Within(&'static str, i64, i64),
    /// The same, where Java's -1 leaves it to the system and librdkafka's 0 does.
    WithinOrDefault(&'static str, i64),
    /// librdkafka has it under this name, in kilobytes rather than bytes.
    Kilobytes(&'static str),
    /// The run time reads it, no client does.
    Ours,
    /// It is about the inside of the Java client: dropped without a word.
    Silent,
    /// Dropped with a warning that says why.
    Ignored(&'static str),
    /// Leaving it out would change what the program does: refused.
    Refused(&'static str),
    /// Depends on the value or on other settings: see `translate`.
    Special,
}

use Rule::{
    Ignored, Kilobytes, Ours, Refused, Renamed, Same, Silent, Special, Within, WithinOrDefault,
};

/// The clients that take the setting and its rule, if the Java clients have it.
pub(super) fn rule(name: &str) -> Option<(Scope, Rule)> {
    RULES
        .iter()
        .find(|(known, _, _)| *known == name)
        .map(|(_, scope, rule)| (*scope, *rule))
}

/// The settings' names and the clients that take them.
pub(super) fn names() -> impl Iterator<Item = (&'static str, Scope)> {
    RULES.iter().map(|(name, scope, _)| (*name, *scope))
}

const INT_MAX: i64 = i32::MAX as i64;
const PRODUCER_AND_ADMIN: Scope = PRODUCER.and(ADMIN);

const REBOOTSTRAP: &str = "metadata.recovery.rebootstrap.trigger.ms";
const SETUP_TIMEOUT: &str = "socket.connection.setup.timeout.ms";

const ASSIGNMENT: &str = "is ignored: tasks need co-partitioned range assignment";
const COMMIT: &str = "is ignored: commit.interval.ms says when to commit";
const SERDE: &str = "is ignored: serdes are given in the topology, with their types";
const KERBEROS: &str = "is ignored: this build has no Kerberos";
const OAUTH: &str = "is not supported: this build has no OAUTHBEARER";
const CLASS: &str = "is not supported: it names a Java class";
const TLS: &str = "is ignored: it is about Java's own TLS";
const TIMEOUT: &str = "is ignored: task.timeout.ms bounds every blocking call";

#[rustfmt::skip]
const RULES: &[(&str, Scope, Rule)] = &[
    // Every client.
    ("bootstrap.controllers", ADMIN, Refused("is not supported: give bootstrap.servers")),
    ("bootstrap.servers", ALL, Special),
    ("client.dns.lookup", ALL, Same),
    ("client.id", ALL, Special),
    ("config.providers", ALL, Special),
    ("connections.max.idle.ms", ALL, WithinOrDefault("connections.max.idle.ms", INT_MAX)),
    ("default.api.timeout.ms", CONSUMER.and(ADMIN), Ignored(TIMEOUT)),
    ("enable.metrics.push", ALL, Same),
    ("interceptor.classes", CONSUMER.and(PRODUCER), Special),
    ("metadata.max.age.ms", ALL, Special),
    ("metadata.recovery.rebootstrap.trigger.ms", ALL, Within(REBOOTSTRAP, 0, INT_MAX)),
    ("metadata.recovery.strategy", ALL, Special),
    ("metric.reporters", ALL, Silent),
    ("metrics.num.samples", ALL, Silent),
    ("metrics.recording.level", ALL, Silent),
    ("metrics.sample.window.ms", ALL, Silent),
    ("auto.include.jmx.reporter", ALL, Silent),
    ("receive.buffer.bytes", ALL, WithinOrDefault("socket.receive.buffer.bytes", 100_000_000)),
    ("reconnect.backoff.max.ms", ALL, Within("reconnect.backoff.max.ms", 0, 3_600_000)),
    ("reconnect.backoff.ms", ALL, Within("reconnect.backoff.ms", 0, 3_600_000)),
    ("request.timeout.ms", ALL, Within("socket.timeout.ms", 10, 300_000)),
    ("retry.backoff.max.ms", ALL, Within("retry.backoff.max.ms", 1, 300_000)),
    ("retry.backoff.ms", ALL, Within("retry.backoff.ms", 1, 300_000)),
    ("send.buffer.bytes", ALL, WithinOrDefault("socket.send.buffer.bytes", 100_000_000)),
    ("socket.connection.setup.timeout.max.ms", ALL, Silent),
    ("socket.connection.setup.timeout.ms", ALL, Within(SETUP_TIMEOUT, 1_000, INT_MAX)),
    // The consumers.
    ("allow.auto.create.topics", CONSUMER, Same),
    ("auto.commit.interval.ms", CONSUMER, Ignored(COMMIT)),
    ("auto.offset.reset", CONSUMER, Special),
    ("check.crcs", CONSUMER, Same),
    ("client.rack", CONSUMER, Same),
    ("enable.auto.commit", CONSUMER, Same),
    ("exclude.internal.topics", CONSUMER, Silent),
    ("fetch.max.bytes", CONSUMER, Within("fetch.max.bytes", 0, 2_147_483_135)),
    ("fetch.max.wait.ms", CONSUMER, Within("fetch.wait.max.ms", 0, 300_000)),
    ("fetch.min.bytes", CONSUMER, Within("fetch.min.bytes", 1, 100_000_000)),
    ("group.id", CONSUMER, Special),
    ("group.instance.id", CONSUMER, Ours),
    ("group.protocol", CONSUMER, Ours),
    ("group.remote.assignor", CONSUMER, Ignored("is ignored: it is for group.protocol=consumer")),
    ("heartbeat.interval.ms", CONSUMER, Same),
    ("isolation.level", CONSUMER, Special),
    ("key.deserializer", CONSUMER, Ignored(SERDE)),
    ("max.partition.fetch.bytes", CONSUMER, Within("max.partition.fetch.bytes", 1, 1_000_000_000)),
    ("max.poll.interval.ms", CONSUMER, Within("max.poll.interval.ms", 1, 86_400_000)),
    ("max.poll.records", CONSUMER, Ours),
    ("partition.assignment.strategy", CONSUMER, Ignored(ASSIGNMENT)),
    ("session.timeout.ms", CONSUMER, Same),
    ("share.acknowledgement.mode", CONSUMER, Silent),
    ("share.acquire.mode", CONSUMER, Silent),
    ("value.deserializer", CONSUMER, Ignored(SERDE)),
    // The producers.
    ("acks", PRODUCER, Special),
    ("batch.size", PRODUCER, Within("batch.size", 1, INT_MAX)),
    ("buffer.memory", PRODUCER, Kilobytes("queue.buffering.max.kbytes")),
    ("compression.gzip.level", PRODUCER, Special),
    ("compression.lz4.level", PRODUCER, Special),
    ("compression.type", PRODUCER, Special),
    ("compression.zstd.level", PRODUCER, Special),
    ("delivery.timeout.ms", PRODUCER, Same),
    ("enable.idempotence", PRODUCER, Same),
    ("key.serializer", PRODUCER, Ignored(SERDE)),
    ("linger.ms", PRODUCER, Within("linger.ms", 0, 900_000)),
    ("max.block.ms", PRODUCER, Ignored(TIMEOUT)),
    ("max.in.flight.requests.per.connection", PRODUCER, Same),
    ("max.request.size", PRODUCER, Within("message.max.bytes", 1_000, 1_000_000_000)),
    ("metadata.max.idle.ms", PRODUCER, Silent),
    ("partitioner.adaptive.partitioning.enable", PRODUCER, Silent),
    ("partitioner.availability.timeout.ms", PRODUCER, Silent),
    ("partitioner.class", PRODUCER, Special),
    ("partitioner.ignore.keys", PRODUCER, Special),
    ("retries", PRODUCER_AND_ADMIN, Special),
    ("transaction.timeout.ms", PRODUCER, Same),
    ("transaction.two.phase.commit.enable", PRODUCER, Special),
    ("transactional.id", PRODUCER, Same),
    ("value.serializer", PRODUCER, Ignored(SERDE)),
    // Security.
    ("sasl.client.callback.handler.class", ALL, Refused(CLASS)),
    ("sasl.jaas.config", ALL, Special),
    ("sasl.kerberos.kinit.cmd", ALL, Ignored(KERBEROS)),
    ("sasl.kerberos.min.time.before.relogin", ALL, Ignored(KERBEROS)),
    ("sasl.kerberos.service.name", ALL, Ignored(KERBEROS)),
    ("sasl.kerberos.ticket.renew.jitter", ALL, Ignored(KERBEROS)),
    ("sasl.kerberos.ticket.renew.window.factor", ALL, Ignored(KERBEROS)),
    ("sasl.login.callback.handler.class", ALL, Refused(CLASS)),
    ("sasl.login.class", ALL, Refused(CLASS)),
    ("sasl.login.connect.timeout.ms", ALL, Silent),
    ("sasl.login.read.timeout.ms", ALL, Silent),
    ("sasl.login.refresh.buffer.seconds", ALL, Silent),
    ("sasl.login.refresh.min.period.seconds", ALL, Silent),
    ("sasl.login.refresh.window.factor", ALL, Silent),
    ("sasl.login.refresh.window.jitter", ALL, Silent),
    ("sasl.login.retry.backoff.max.ms", ALL, Silent),
    ("sasl.login.retry.backoff.ms", ALL, Silent),
    ("sasl.mechanism", ALL, Special),
    ("sasl.oauthbearer.client.credentials.client.id", ALL, Refused(OAUTH)),
    ("sasl.oauthbearer.client.credentials.client.secret", ALL, Refused(OAUTH)),
    ("sasl.oauthbearer.jwks.endpoint.url", ALL, Refused(OAUTH)),
    ("sasl.oauthbearer.token.endpoint.url", ALL, Refused(OAUTH)),
    ("security.protocol", ALL, Special),
    ("security.providers", ALL, Refused(CLASS)),
    ("ssl.cipher.suites", ALL, Special),
    ("ssl.enabled.protocols", ALL, Ignored(TLS)),
    ("ssl.endpoint.identification.algorithm", ALL, Special),
    ("ssl.engine.factory.class", ALL, Refused(CLASS)),
    ("ssl.key.password", ALL, Same),
    ("ssl.keymanager.algorithm", ALL, Ignored(TLS)),
    ("ssl.keystore.certificate.chain", ALL, Renamed("ssl.certificate.pem")),
    ("ssl.keystore.key", ALL, Renamed("ssl.key.pem")),
    ("ssl.keystore.location", ALL, Special),
    ("ssl.keystore.password", ALL, Special),
    ("ssl.keystore.type", ALL, Special),
    ("ssl.protocol", ALL, Ignored(TLS)),
    ("ssl.provider", ALL, Ignored(TLS)),
    ("ssl.secure.random.implementation", ALL, Ignored(TLS)),
    ("ssl.trustmanager.algorithm", ALL, Ignored(TLS)),
    ("ssl.truststore.certificates", ALL, Renamed("ssl.ca.pem")),
    ("ssl.truststore.location", ALL, Special),
    ("ssl.truststore.password", ALL, Silent),
    ("ssl.truststore.type", ALL, Special),
];
