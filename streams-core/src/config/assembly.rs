//! The complete settings of each client: our defaults, the user's settings over them, and what
//! the run time depends on.

use std::collections::BTreeMap;

use super::ProcessingGuarantee;
use super::client::{CLIENTS, Client, Given, gather};
use super::reader::Reader;
use super::translate::{Translated, translate};

/// The settings of every client, without those that differ from thread to thread.
#[derive(Clone, Default)]
pub(super) struct ClientSettings {
    pub(super) main_consumer: BTreeMap<String, String>,
    pub(super) restore_consumer: BTreeMap<String, String>,
    pub(super) global_consumer: BTreeMap<String, String>,
    pub(super) producer: BTreeMap<String, String>,
    pub(super) admin: BTreeMap<String, String>,
}

/// What the clients' settings depend on.
#[derive(Clone, Copy)]
pub(super) struct Basis<'a> {
    pub(super) bootstrap_servers: &'a str,
    pub(super) guarantee: ProcessingGuarantee,
    pub(super) commit_interval_ms: u64,
}

/// Java's `DEFAULT_TRANSACTION_TIMEOUT` of Kafka Streams, in milliseconds.
const TRANSACTION_TIMEOUT_MS: u64 = 10_000;

/// As the Java client's defaults or Kafka Streams' overrides of them, unless a comment says why.
const COMMON: &[(&str, &str)] = &[
    // Brokers drop idle connections after ten minutes; closing first saves an error.
    ("connections.max.idle.ms", "540000"),
    ("log.connection.close", "false"),
    ("metadata.max.age.ms", "900000"),
    ("reconnect.backoff.max.ms", "1000"),
    ("reconnect.backoff.ms", "50"),
    ("socket.connection.setup.timeout.ms", "10000"),
    ("socket.nagle.disable", "true"),
    ("topic.metadata.refresh.interval.ms", "300000"),
];

const CONSUMERS: &[(&str, &str)] = &[
    ("allow.auto.create.topics", "false"),
    ("auto.offset.reset", "earliest"),
    ("check.crcs", "true"),
    ("enable.auto.commit", "false"),
    // Offsets are committed by the task that has processed the records.
    ("enable.auto.offset.store", "false"),
    // The end of a partition tells a task that waiting for it has no use (KIP-695).
    ("enable.partition.eof", "true"),
    // A full queue is looked at again after this; librdkafka's default of a second stalls a busy
    // consumer for that long again and again (500,000 records in 18 s instead of 1.2 s).
    // 10 left a consumer with a short queue without records now and then.
    ("fetch.queue.backoff.ms", "2"),
    // librdkafka has one fetch in flight per broker: a partition that is assigned or resumed
    // waits for it, so it must not last.
    ("fetch.wait.max.ms", "100"),
    ("heartbeat.interval.ms", "3000"),
    ("max.poll.interval.ms", "300000"),
    ("partition.assignment.strategy", "range"),
    // Both bound the memory of records that wait to be polled, and of those that wait in each
    // paused partition; a record costs 400 bytes beside its own. More of them made nothing faster,
    // but the processor's caches colder.
    ("queued.max.messages.kbytes", "1024"),
    ("queued.min.messages", "1000"),
    // A response can overshoot the queue by this much.
    ("fetch.max.bytes", "1048576"),
    // This much measured best: 256 KiB saved 2 to 3 MiB of memory, and cost a third of the
    // records/s (docs/benchmarks/notes.md).
    ("max.partition.fetch.bytes", "524288"),
    ("session.timeout.ms", "45000"),
];

/// For the consumer that restores, over those of all consumers.
const RESTORE_CONSUMER: &[(&str, &str)] = &[("fetch.wait.max.ms", "10")];

const PRODUCER: &[(&str, &str)] = &[
    ("compression.type", "none"),
    ("enable.idempotence", "true"),
    // Kafka Streams has 100, which under exactly-once the commit cuts short anyway.
    ("linger.ms", "10"),
    ("message.max.bytes", "1048576"),
    ("partitioner", "murmur2_random"),
    // Bounds the memory of records on their way to the broker.
    ("queue.buffering.max.kbytes", "8192"),
    ("queue.buffering.max.messages", "10000"),
];

/// What no one can change, because the run time depends on it.
const FIXED: &[(&str, &str)] = &[
    ("allow.auto.create.topics", "false"),
    ("delivery.report.only.error", "true"),
    ("enable.auto.commit", "false"),
    ("enable.auto.offset.store", "false"),
    ("enable.partition.eof", "true"),
    ("partition.assignment.strategy", "range"),
];

/// What no one can change under exactly-once (`StreamsConfig.NON_CONFIGURABLE_*_EOS_CONFIGS`).
const FIXED_EXACTLY_ONCE: &[(&str, &str)] = &[
    ("acks", "-1"),
    ("enable.idempotence", "true"),
    ("isolation.level", "read_committed"),
];

/// Puts the settings of every client together; mistakes and warnings go to the reader.
pub(super) fn assemble(reader: &mut Reader<'_>, basis: Basis<'_>) -> ClientSettings {
    let mut settings = ClientSettings::default();
    let mut session_timeout_ms = 0;
    for client in CLIENTS {
        let gathered = gather(*client, reader);
        let mut given = translate(client.scope(), &gathered, reader);
        refuse_fixed(reader, &given, basis.guarantee);
        let complete = match client {
            Client::Admin => complete(&[], basis, given),
            Client::Producer => {
                check_idempotence(reader, &mut given, basis.guarantee);
                let mut producer = complete(PRODUCER, basis, given.clone());
                // The largest record must fit the queue.
                let record_kbytes = number(&producer, "message.max.bytes").div_ceil(1024);
                let queue = "queue.buffering.max.kbytes";
                raise(&mut producer, &given, queue, record_kbytes * 2);
                if basis.guarantee.is_exactly_once() {
                    add_transactions(reader, &mut producer, &given, basis, session_timeout_ms);
                }
                producer
            }
            _ => {
                let isolation = basis.guarantee.isolation_level();
                let mut consumer = complete(CONSUMERS, basis, given.clone());
                consumer
                    .entry("isolation.level".to_owned())
                    .or_insert(isolation.to_owned());
                // librdkafka refuses to fetch less than the largest record.
                let record_bytes = number(&consumer, "message.max.bytes");
                raise(&mut consumer, &given, "fetch.max.bytes", record_bytes);
                check_group_times(reader, &consumer, &given);
                if *client == Client::RestoreConsumer {
                    // What is restored is there already; only at its end there is a wait.
                    add_defaults(&mut consumer, &given, RESTORE_CONSUMER);
                }
                consumer
            }
        };
        match client {
            Client::MainConsumer => {
                session_timeout_ms = number(&complete, "session.timeout.ms");
                settings.main_consumer = complete;
            }
            Client::RestoreConsumer => settings.restore_consumer = complete,
            Client::GlobalConsumer => settings.global_consumer = complete,
            Client::Producer => settings.producer = complete,
            Client::Admin => settings.admin = complete,
        }
    }
    settings
}

fn complete(
    defaults: &[(&str, &str)],
    basis: Basis<'_>,
    given: Translated,
) -> BTreeMap<String, String> {
    let defaults = COMMON.iter().chain(defaults);
    let mut complete: BTreeMap<String, String> = defaults
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    complete.insert(
        "bootstrap.servers".to_owned(),
        basis.bootstrap_servers.to_owned(),
    );
    complete.extend(given.into_iter().map(|(name, given)| (name, given.value)));
    complete
}

/// Raises a default to what is needed at least.
fn raise(settings: &mut BTreeMap<String, String>, given: &Translated, name: &str, least: u64) {
    if !given.contains_key(name) && number(settings, name) < least {
        settings.insert(name.to_owned(), least.to_string());
    }
}

/// Gives what the user has not given.
fn add_defaults(
    settings: &mut BTreeMap<String, String>,
    given: &Translated,
    defaults: &[(&str, &str)],
) {
    for (name, value) in defaults {
        if !given.contains_key(*name) {
            settings.insert((*name).to_owned(), (*value).to_owned());
        }
    }
}

fn refuse_fixed(reader: &mut Reader<'_>, given: &Translated, guarantee: ProcessingGuarantee) {
    let exactly_once = guarantee.is_exactly_once();
    for (name, value) in FIXED {
        refuse_other(reader, given, name, value, "can only be");
    }
    if exactly_once {
        for (name, value) in FIXED_EXACTLY_ONCE {
            let complaint = "under processing.guarantee=exactly_once_v2 can only be";
            refuse_other(reader, given, name, value, complaint);
        }
    }
    if let Some(given) = given.get("transactional.id") {
        let complaint = if exactly_once {
            "cannot be given: it is <application.id>-<process id>-<thread>"
        } else {
            "cannot be given: transactions need processing.guarantee=exactly_once_v2"
        };
        reader.problems.key(&given.key, complaint);
    }
}

fn refuse_other(
    reader: &mut Reader<'_>,
    given: &Translated,
    name: &str,
    value: &str,
    complaint: &str,
) {
    if let Some(other) = given.get(name).filter(|given| given.value != value) {
        let value = if name == "acks" { "all" } else { value };
        reader
            .problems
            .value(&other.key, &other.value, &format!("{complaint} {value}"));
    }
}

/// An idempotent producer needs every acknowledgement and few requests in flight. The Java
/// producer is idempotent unless `acks` or `retries` say otherwise; so is this one.
fn check_idempotence(
    reader: &mut Reader<'_>,
    given: &mut Translated,
    guarantee: ProcessingGuarantee,
) {
    let weak_acks = given.get("acks").is_some_and(|given| given.value != "-1");
    let no_retries = given.get("retries").is_some_and(|given| given.value == "0");
    let explicit = given
        .get("enable.idempotence")
        .map(|given| given.value == "true");
    let in_flight = given.get("max.in.flight.requests.per.connection");
    let many = in_flight.filter(|given| given.value.parse().is_ok_and(|number: i64| number > 5));
    let idempotent = explicit.unwrap_or(!weak_acks && !no_retries);
    if let Some(many) = many.filter(|_| idempotent) {
        let complaint = "must be at most 5 while enable.idempotence=true";
        reader.problems.value(&many.key, &many.value, complaint);
    }
    if guarantee.is_exactly_once() || explicit == Some(true) {
        let named = [
            ("acks", weak_acks, "must be all"),
            ("retries", no_retries, "cannot be 0"),
        ];
        for (name, _, complaint) in named.iter().filter(|(_, wrong, _)| *wrong) {
            // Under exactly-once the fixed settings have refused `acks` already.
            if let Some(given) = given.get(*name)
                && !(guarantee.is_exactly_once() && *name == "acks")
            {
                let complaint = format!("{complaint} while enable.idempotence=true");
                reader.problems.value(&given.key, &given.value, &complaint);
            }
        }
    } else if explicit.is_none() && !idempotent {
        let value = Given {
            key: "enable.idempotence".to_owned(),
            value: "false".to_owned(),
        };
        given.insert("enable.idempotence".to_owned(), value);
    }
}

/// The transaction's time-out and what must not exceed it.
fn add_transactions(
    reader: &mut Reader<'_>,
    producer: &mut BTreeMap<String, String>,
    given: &Translated,
    basis: Basis<'_>,
    session_timeout_ms: u64,
) {
    let chosen = given.get("transaction.timeout.ms");
    let timeout_ms = match chosen {
        Some(chosen) => chosen.value.parse().unwrap_or(TRANSACTION_TIMEOUT_MS),
        // A member that takes over waits for the dead one's open transaction; it should not wait
        // longer for that than it took to see that the member is dead.
        None => TRANSACTION_TIMEOUT_MS
            .min(session_timeout_ms * 2 / 3)
            .max(basis.commit_interval_ms.min(TRANSACTION_TIMEOUT_MS))
            .max(1_000),
    };
    if timeout_ms < basis.commit_interval_ms {
        let value = basis.commit_interval_ms.to_string();
        let complaint = format!(
            "must be at most producer.transaction.timeout.ms ({timeout_ms}), \
             or every transaction times out"
        );
        reader
            .problems
            .value("commit.interval.ms", &value, &complaint);
    }
    if let Some(chosen) = chosen.filter(|_| timeout_ms > session_timeout_ms) {
        let remark = "is longer than session.timeout.ms: taking over after a crash waits for it";
        reader.warn(&chosen.key, remark);
    }
    producer.insert("transaction.timeout.ms".to_owned(), timeout_ms.to_string());
    // librdkafka refuses to start with longer ones; Java's default delivery time-out under
    // exactly-once is endless, which amounts to the same.
    shorten(producer, "delivery.timeout.ms", timeout_ms);
    shorten(producer, "socket.timeout.ms", timeout_ms);
}

fn shorten(settings: &mut BTreeMap<String, String>, name: &str, most: u64) {
    if let Some(value) = settings.get_mut(name)
        && value
            .parse()
            .is_ok_and(|number: u64| number == 0 || number > most)
    {
        *value = most.to_string();
    }
}

/// What brokers and librdkafka demand of the group's times.
fn check_group_times(
    reader: &mut Reader<'_>,
    consumer: &BTreeMap<String, String>,
    given: &Translated,
) {
    let pairs = [
        ("heartbeat.interval.ms", "session.timeout.ms"),
        ("session.timeout.ms", "max.poll.interval.ms"),
    ];
    for (shorter, longer) in pairs {
        let (short, long) = (number(consumer, shorter), number(consumer, longer));
        if short <= long {
            continue;
        }
        let complaint = format!("must be at most {longer} ({long})");
        let key = given
            .get(shorter)
            .or(given.get(longer))
            .map_or(shorter, |given| &given.key);
        if key.ends_with(shorter) {
            reader.problems.value(key, &short.to_string(), &complaint);
        } else {
            let complaint = format!("must be at least {shorter} ({short})");
            reader.problems.value(key, &long.to_string(), &complaint);
        }
    }
}

fn number(settings: &BTreeMap<String, String>, name: &str) -> u64 {
    settings
        .get(name)
        .and_then(|value| value.parse().ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::librdkafka::ALIASES;

    /// A user's setting comes under the first of its names, so it would stand beside a default
    /// under the second, and librdkafka would take either.
    #[test]
    fn no_default_goes_by_a_second_name() {
        let tables = [
            COMMON,
            CONSUMERS,
            RESTORE_CONSUMER,
            PRODUCER,
            FIXED,
            FIXED_EXACTLY_ONCE,
        ];
        for (name, _) in tables.into_iter().flatten() {
            let alias = ALIASES.iter().find(|(alias, _)| alias == name);
            assert_eq!(alias, None);
        }
    }
}
