//! The producer's transactions, and reading a topic to its end.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use rdkafka::{ClientConfig, Message as _, Offset, TopicPartitionList};
use streams_core::StreamsConfig;

use crate::Result;

const WAIT: Duration = Duration::from_secs(30);
/// How long one look for room or for the last answer waits. The binding's own waits run in a circle
/// in their last millisecond, and its flush looks every 100 ms.
const SLICE: Duration = Duration::from_millis(1);
const POLL: Duration = Duration::from_millis(50);

/// A client's settings.
pub(super) fn config(settings: &BTreeMap<String, String>) -> ClientConfig {
    settings.clone().into_iter().collect()
}

/// A transactional producer.
pub(super) struct Transactions {
    producer: BaseProducer,
    is_open: bool,
}

impl Transactions {
    pub(super) fn new(config: &StreamsConfig) -> Result<Self> {
        let settings = config.producer_config("limit", 1);
        let producer: BaseProducer = self::config(&settings).create()?;
        producer.init_transactions(WAIT)?;
        Ok(Self {
            producer,
            is_open: false,
        })
    }

    /// Opens a transaction unless one is open.
    pub(super) fn begin(&mut self) -> Result<()> {
        if !self.is_open {
            self.producer.begin_transaction()?;
            self.is_open = true;
        }
        Ok(())
    }

    /// Sends a record; waits while the queue is full.
    pub(super) fn send(&self, record: BaseRecord<'_, [u8], [u8]>) -> Result<()> {
        let mut record = record;
        loop {
            match self.producer.send(record) {
                Ok(()) => return Ok(()),
                Err((error, back)) if is_full(&error) => {
                    self.wait_a_slice();
                    record = back;
                }
                Err((error, _)) => return Err(error.into()),
            }
        }
    }

    fn wait_a_slice(&self) {
        std::thread::sleep(SLICE);
        self.producer.poll(Duration::ZERO);
    }

    /// Commits what was sent, and the offsets of what was read.
    pub(super) fn commit(
        &mut self,
        consumer: &BaseConsumer,
        topic: &str,
        offsets: &BTreeMap<i32, i64>,
    ) -> Result<()> {
        let mut list = TopicPartitionList::new();
        for (partition, offset) in offsets {
            list.add_partition_offset(topic, *partition, Offset::Offset(*offset))?;
        }
        let group = consumer
            .group_metadata()
            .ok_or("the consumer has no group")?;
        let begun = Instant::now();
        while self.producer.in_flight_count() > 0 && begun.elapsed() < WAIT {
            self.wait_a_slice();
        }
        // Nothing is left, or the broker is gone.
        self.producer.flush(SLICE)?;
        self.producer
            .send_offsets_to_transaction(&list, &group, WAIT)?;
        self.producer.commit_transaction(WAIT)?;
        self.is_open = false;
        Ok(())
    }
}

fn is_full(error: &KafkaError) -> bool {
    error.rdkafka_error_code() == Some(RDKafkaErrorCode::QueueFull)
}

/// Hands all that a topic holds to `each`.
pub(super) fn read_to_end(
    config: &StreamsConfig,
    topic: &str,
    partitions: i32,
    mut each: impl FnMut(&[u8], &[u8]),
) -> Result<()> {
    let mut settings = config.restore_consumer_config("limit", 1);
    // Of a group that nobody joins: the client assigns no partitions without.
    settings.insert("group.id".to_owned(), "limit-restore".to_owned());
    let reader: BaseConsumer = self::config(&settings).create()?;
    let mut list = TopicPartitionList::new();
    list.add_partition_range(topic, 0, partitions - 1);
    list.set_all_offsets(Offset::Beginning)?;
    reader.assign(&list)?;
    let mut left = partitions;
    while left > 0 {
        match reader.poll(POLL) {
            Some(Ok(record)) => {
                each(
                    record.key().unwrap_or_default(),
                    record.payload().unwrap_or_default(),
                );
            }
            Some(Err(KafkaError::PartitionEOF(_))) => left -= 1,
            Some(Err(error)) => return Err(error.into()),
            None => {}
        }
    }
    Ok(())
}
