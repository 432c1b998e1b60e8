//! The settings of the Kafka clients.

use std::collections::BTreeMap;
use std::time::Duration;

use streams_core::broker::TransactionalProducer;

use crate::{Error, Result};

/// Which part of the connector's life a producer serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// A transaction holds whole tables and may last long.
    Snapshot,
    /// A transaction lasts milliseconds.
    Stream,
}

/// How long a snapshot's transaction may last, in ms: what brokers allow unless told otherwise
/// (`transaction.max.timeout.ms`).
const SNAPSHOT_TRANSACTION_TIMEOUT_MS: u32 = 900_000;
/// How long a stream's transaction may last, in ms: the Java producer's default.
const STREAM_TRANSACTION_TIMEOUT_MS: u32 = 60_000;

/// librdkafka's settings by name.
type ClientSettings = BTreeMap<String, String>;

/// Where Kafka is and how the connector is known there.
#[derive(Debug, Clone)]
pub struct KafkaSettings {
    /// `bootstrap.servers`.
    pub bootstrap_servers: String,
    /// The connector's name.
    pub connector: String,
    /// `topic.prefix`.
    pub topic_prefix: String,
    /// The compacted topic of the offsets, as in Kafka Connect's `offset.storage.topic`.
    pub offset_topic: String,
    /// Settings of librdkafka that the user gave; they win over ours.
    pub overrides: BTreeMap<String, String>,
}

impl KafkaSettings {
    /// The producer's transactional id. It is stable, so that a new instance fences an old one.
    pub fn transactional_id(&self) -> String {
        self.overrides
            .get("transactional.id")
            .cloned()
            .unwrap_or_else(|| format!("cdc-source-{}-0", self.connector))
    }

    /// The settings that the admin and consumer clients share with the producer: addresses and
    /// whatever it takes to get in.
    pub(super) fn client(&self) -> ClientSettings {
        let client_id = format!("cdc-source-{}", self.connector);
        // A broker that is back is found within a second, not ten.
        let mut client = settings([
            ("client.id", &*client_id),
            ("reconnect.backoff.max.ms", "1000"),
        ]);
        for (key, value) in &self.overrides {
            let is_shared = [
                "reconnect.",
                "client.",
                "ssl.",
                "sasl.",
                "security.",
                "socket.",
                "broker.",
            ];
            if is_shared.iter().any(|prefix| key.starts_with(prefix)) {
                client.insert(key.clone(), value.clone());
            }
        }
        client.extend(settings([("bootstrap.servers", &*self.bootstrap_servers)]));
        client
    }

    /// The settings of the consumer that reads the offsets back.
    pub(crate) fn consumer(&self) -> ClientSettings {
        let mut consumer = self.client();
        let group = format!("cdc-source-{}-offsets", self.connector);
        consumer.extend(settings([
            ("group.id", &*group),
            ("isolation.level", "read_committed"),
            ("enable.auto.commit", "false"),
            ("enable.partition.eof", "true"),
            ("auto.offset.reset", "earliest"),
            ("fetch.wait.max.ms", "10"),
        ]));
        consumer
    }

    /// How long a transaction of the phase may last before the broker aborts it.
    pub fn transaction_timeout(&self, phase: Phase) -> Duration {
        let producer = self.producer(phase);
        let given = producer
            .get("transaction.timeout.ms")
            .and_then(|text| text.parse().ok());
        Duration::from_millis(given.unwrap_or(u64::from(STREAM_TRANSACTION_TIMEOUT_MS)))
    }

    pub(super) fn producer(&self, phase: Phase) -> ClientSettings {
        let timeout_ms = match phase {
            Phase::Snapshot => SNAPSHOT_TRANSACTION_TIMEOUT_MS,
            Phase::Stream => STREAM_TRANSACTION_TIMEOUT_MS,
        };
        let mut producer = self.client();
        producer.extend(settings([
            ("transactional.id", &*self.transactional_id()),
            ("transaction.timeout.ms", &*timeout_ms.to_string()),
            // The Java producer's choice of partition, so that keys stay where they are.
            ("partitioner", "murmur2_random"),
            ("message.max.bytes", "1048576"),
            ("linger.ms", "1"),
            ("queue.buffering.max.kbytes", "32768"),
        ]));
        producer.extend(self.overrides.clone());
        producer.extend(settings([("bootstrap.servers", &*self.bootstrap_servers)]));
        producer
    }

    /// Refuses settings that librdkafka does not know or that are not possible together.
    ///
    /// # Errors
    /// [`Error::Setting`] with librdkafka's reason.
    pub fn check(&self) -> Result<()> {
        let made = TransactionalProducer::new(&self.producer(Phase::Stream));
        made.map(drop).map_err(|error| Error::Setting {
            setting: "producer.override.* or -X",
            problem: error.to_string(),
        })
    }
}

fn settings<const N: usize>(pairs: [(&str, &str); N]) -> ClientSettings {
    let pairs = pairs.map(|(key, value)| (key.to_owned(), value.to_owned()));
    pairs.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    fn kafka(overrides: &[(&str, &str)]) -> KafkaSettings {
        KafkaSettings {
            bootstrap_servers: "127.0.0.1:1".into(),
            connector: "users-connector".into(),
            topic_prefix: "shop".into(),
            offset_topic: "connect-offsets".into(),
            overrides: overrides
                .iter()
                .map(|(k, v)| ((*k).into(), (*v).into()))
                .collect(),
        }
    }

    #[test]
    fn a_setting_of_the_user_wins_over_ours() {
        let config = kafka(&[("linger.ms", "20")]).producer(Phase::Stream);
        assert_eq!(config["linger.ms"], "20");
        let config = kafka(&[("transactional.id", "mine")]).producer(Phase::Snapshot);
        assert_eq!(config["transactional.id"], "mine");
    }

    #[test]
    fn an_unknown_producer_setting_is_a_mistake_in_the_configuration() {
        kafka(&[("compression.type", "lz4")]).check().unwrap();
        let error = kafka(&[("no.such.setting", "1")]).check().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(error.to_string().contains("no.such.setting"), "{error}");
    }

    #[test]
    fn a_consumer_takes_over_how_to_get_in_and_nothing_else() {
        let given = [("security.protocol", "plaintext"), ("linger.ms", "20")];
        let config = kafka(&given).consumer();
        assert_eq!(config["security.protocol"], "plaintext");
        assert_eq!(config.get("linger.ms"), None);
    }
}
