//! What the harness asks the broker while a contender runs, at little cost, and what it reads
//! after.

use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::KafkaError;
use rdkafka::message::BorrowedMessage;
use rdkafka::{ClientConfig, Message as _, Offset, TopicPartitionList};

use super::input::PARTITIONS;
use crate::Result;

const REQUEST_LIMIT: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(50);
/// The last transaction's markers reach its topics a moment after the commit.
const SETTLE_LIMIT: Duration = Duration::from_secs(60);
/// Reading a whole output.
const READ_LIMIT: Duration = Duration::from_secs(300);

/// Connections of the harness to the broker: one for the offsets of a group, two for the ends of
/// topics.
pub(super) struct Broker {
    bootstrap: String,
    stable: BaseConsumer,
    high: BaseConsumer,
}

impl Broker {
    pub(super) fn new(bootstrap: &str) -> Result<Self> {
        Ok(Self {
            bootstrap: bootstrap.to_owned(),
            stable: consumer(bootstrap, "bench-stable", "read_committed")?,
            high: consumer(bootstrap, "bench-high", "read_uncommitted")?,
        })
    }

    /// A connection that asks for a group's offsets.
    pub(super) fn group(&self, group: &str) -> Result<Group> {
        // Offsets of a transaction that is still open are not waited for.
        let consumer = consumer(&self.bootstrap, group, "read_uncommitted")?;
        Ok(Group { consumer })
    }

    /// Whether something is committed in a topic.
    pub(super) fn has_output(&self, topic: &str) -> Result<bool> {
        for partition in 0..PARTITIONS {
            if end(&self.stable, topic, partition)? > 0 {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// A reader of what is committed after all that the topic holds now.
    pub(super) fn tail(&self, topic: &str) -> Result<BaseConsumer> {
        let mut list = TopicPartitionList::new();
        for partition in 0..PARTITIONS {
            let offset = Offset::Offset(end(&self.high, topic, partition)?);
            list.add_partition_offset(topic, partition, offset)?;
        }
        let reader = consumer(&self.bootstrap, "bench-tail", "read_committed")?;
        reader.assign(&list)?;
        Ok(reader)
    }

    /// Hands every committed record of a topic to `each`, once no transaction is open on it.
    pub(super) fn read(&self, topic: &str, mut each: impl FnMut(&[u8], &[u8])) -> Result<()> {
        self.settle(topic)?;
        let reader = consumer(&self.bootstrap, "bench-read", "read_committed")?;
        let mut list = TopicPartitionList::new();
        list.add_partition_range(topic, 0, PARTITIONS - 1);
        list.set_all_offsets(Offset::Beginning)?;
        reader.assign(&list)?;
        let start = Instant::now();
        let mut left = PARTITIONS;
        while left > 0 {
            match reader.poll(POLL) {
                Some(Ok(message)) => {
                    each(
                        message.key().unwrap_or_default(),
                        message.payload().unwrap_or_default(),
                    );
                }
                Some(Err(KafkaError::PartitionEOF(_))) => left -= 1,
                Some(Err(error)) => return Err(error.into()),
                None if start.elapsed() > READ_LIMIT => {
                    return Err(format!("topic={topic} could not be read to its end").into());
                }
                None => {}
            }
        }
        Ok(())
    }

    /// Waits until no transaction is open on a topic.
    fn settle(&self, topic: &str) -> Result<()> {
        let start = Instant::now();
        for partition in 0..PARTITIONS {
            while end(&self.stable, topic, partition)? < end(&self.high, topic, partition)? {
                if start.elapsed() > SETTLE_LIMIT {
                    return Err(format!("a transaction stayed open on topic={topic}").into());
                }
                std::thread::sleep(POLL);
            }
        }
        Ok(())
    }
}

/// A group whose offsets are asked for again and again.
pub(super) struct Group {
    consumer: BaseConsumer,
}

impl Group {
    /// How many records of these topics the group has committed.
    pub(super) fn committed(&self, topics: &[String]) -> Result<usize> {
        let mut list = TopicPartitionList::new();
        for topic in topics {
            list.add_partition_range(topic, 0, PARTITIONS - 1);
        }
        let committed = self.consumer.committed_offsets(list, REQUEST_LIMIT)?;
        let offsets = committed
            .elements()
            .into_iter()
            .map(|element| match element.offset() {
                Offset::Offset(offset) => usize::try_from(offset).unwrap_or(0),
                _ => 0,
            });
        Ok(offsets.sum())
    }
}

/// Whether a reader has got a record, waiting for it no longer than `wait`.
pub(super) fn has_record(reader: &BaseConsumer, wait: Duration) -> Result<bool> {
    match reader.poll(wait) {
        Some(Ok(record)) => Ok(is_data(&record)),
        Some(Err(KafkaError::PartitionEOF(_))) | None => Ok(false),
        Some(Err(error)) => Err(error.into()),
    }
}

fn is_data(record: &BorrowedMessage<'_>) -> bool {
    record.key().is_some()
}

fn end(consumer: &BaseConsumer, topic: &str, partition: i32) -> Result<i64> {
    Ok(consumer
        .fetch_watermarks(topic, partition, REQUEST_LIMIT)?
        .1)
}

fn consumer(bootstrap: &str, group: &str, isolation: &str) -> Result<BaseConsumer> {
    Ok(ClientConfig::new()
        .set("bootstrap.servers", bootstrap)
        .set("group.id", group)
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "true")
        .set("isolation.level", isolation)
        .set("fetch.wait.max.ms", "20")
        .set("fetch.queue.backoff.ms", "10")
        .create()?)
}
