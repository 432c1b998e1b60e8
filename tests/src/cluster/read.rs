//! Records out.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Headers, Message as _};
use rdkafka::{Offset, TopicPartitionList};

use super::{Cluster, POLL_LIMIT, REQUEST_LIMIT};
use crate::deadline::try_until;
use crate::error::{Error, OrFail};
use crate::message::Message;

impl Cluster {
    /// All that is committed in a topic now, partition by partition in offset order.
    ///
    /// Records behind an open transaction are not in it: see [`Cluster::read_settled`].
    #[track_caller]
    pub fn read_committed(&self, topic: &str) -> Vec<Message> {
        self.read("read_committed", topic, REQUEST_LIMIT, |_| true)
            .or_fail()
    }

    /// All that a topic holds now, records of open and aborted transactions included.
    #[track_caller]
    pub fn read_uncommitted(&self, topic: &str) -> Vec<Message> {
        self.read("read_uncommitted", topic, REQUEST_LIMIT, |_| true)
            .or_fail()
    }

    /// As [`Cluster::read_committed`], once no transaction is open on the topic any more.
    #[track_caller]
    pub fn read_settled(&self, topic: &str, limit: Duration) -> Vec<Message> {
        self.try_read_settled(topic, limit).or_fail()
    }

    /// As [`Cluster::read_settled`].
    ///
    /// # Errors
    ///
    /// [`Error::Deadline`] when a transaction is still open after `limit`.
    pub fn try_read_settled(&self, topic: &str, limit: Duration) -> Result<Vec<Message>, Error> {
        let stable = self.consumer("read_committed", "settled")?;
        let high = self.consumer("read_uncommitted", "settled")?;
        let partitions = self.partitions(topic, limit)?;
        try_until(
            &format!("no transaction was open on topic={topic}"),
            limit,
            || {
                for partition in 0..partitions {
                    let end = |consumer: &BaseConsumer| {
                        consumer
                            .fetch_watermarks(topic, partition, REQUEST_LIMIT)
                            .map(|ends| ends.1)
                    };
                    let ends = end(&stable).and_then(|stable| Ok((stable, end(&high)?)));
                    match ends {
                        Ok((stable, high)) if stable == high => {}
                        Ok(_) => return Ok(None),
                        Err(error) => {
                            return Err(Error::kafka(
                                format!("read the ends of topic={topic}"),
                                error,
                            ));
                        }
                    }
                }
                Ok(Some(()))
            },
        )?;
        self.read("read_committed", topic, limit, |_| true)
    }

    /// Reads committed records until there are `count`, then on to the end of the topic, so that a
    /// surplus shows.
    #[track_caller]
    pub fn read_count(&self, topic: &str, count: usize, limit: Duration) -> Vec<Message> {
        self.read_until(topic, limit, |messages| messages.len() >= count)
    }

    /// Reads committed records until `done` says so of all that were read, then on to the end.
    #[track_caller]
    pub fn read_until(
        &self,
        topic: &str,
        limit: Duration,
        done: impl FnMut(&[Message]) -> bool,
    ) -> Vec<Message> {
        self.try_read_until(topic, limit, done).or_fail()
    }

    /// As [`Cluster::read_until`].
    ///
    /// # Errors
    ///
    /// [`Error::Deadline`] when `done` does not hold within `limit`.
    pub fn try_read_until(
        &self,
        topic: &str,
        limit: Duration,
        done: impl FnMut(&[Message]) -> bool,
    ) -> Result<Vec<Message>, Error> {
        self.read("read_committed", topic, limit, done)
    }

    /// Reads from the beginning until `done` holds and, from then on, every partition's end.
    fn read(
        &self,
        isolation: &str,
        topic: &str,
        limit: Duration,
        mut done: impl FnMut(&[Message]) -> bool,
    ) -> Result<Vec<Message>, Error> {
        let start = Instant::now();
        let partitions = self.partitions(topic, limit)?;
        let consumer = self.consumer(isolation, "read")?;
        let mut list = TopicPartitionList::new();
        list.add_partition_range(topic, 0, partitions - 1);
        let action = || format!("read topic={topic}");
        list.set_all_offsets(Offset::Beginning)
            .map_err(|error| Error::kafka(action(), error))?;
        consumer
            .assign(&list)
            .map_err(|error| Error::kafka(action(), error))?;

        let mut messages = Vec::new();
        let mut at_end = BTreeSet::new();
        loop {
            match consumer.poll(POLL_LIMIT) {
                Some(Ok(message)) => {
                    at_end.remove(&message.partition());
                    messages.push(copy(&message));
                }
                Some(Err(KafkaError::PartitionEOF(partition))) => {
                    at_end.insert(partition);
                }
                // A broker that is down comes back or the deadline ends the wait.
                Some(Err(_)) | None => {}
            }
            if at_end.len() == partitions as usize && done(&messages) {
                messages.sort_by_key(|message| (message.partition, message.offset));
                return Ok(messages);
            }
            if start.elapsed() >= limit {
                return Err(Error::Deadline {
                    what: format!("topic={topic} held what was expected"),
                    waited: limit,
                    last: Some(format!("{} committed records", messages.len())),
                });
            }
        }
    }
}

fn copy(message: &BorrowedMessage<'_>) -> Message {
    let headers = message.headers().map(|headers| {
        let own = |value: &[u8]| value.to_vec();
        headers
            .iter()
            .map(|header| (header.key.to_owned(), header.value.map(own)))
            .collect()
    });
    Message {
        topic: message.topic().to_owned(),
        partition: message.partition(),
        offset: message.offset(),
        timestamp_ms: message.timestamp().to_millis().unwrap_or(-1),
        key: message.key().map(<[u8]>::to_vec),
        value: message.payload().map(<[u8]>::to_vec),
        headers: headers.unwrap_or_default(),
    }
}
