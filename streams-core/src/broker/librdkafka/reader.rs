//! Reading partitions without a group, and where they begin and end.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::client::{Client, ClientContext};
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use crate::broker::librdkafka::consumer::StartAt;
use crate::broker::librdkafka::failure::{broker_error, is_unreadable_code};
use crate::broker::librdkafka::native::{
    BorrowedRecord, OffsetEnd, OffsetQuery, PartitionEvent, PartitionQueue, TopicHandle,
};
use crate::broker::librdkafka::{LogContext, client_config, log_error};
use crate::error::{Error, ErrorKind, Result};
use crate::id::TopicPartition;

/// Reads the partitions that it is told to, on one thread.
pub struct PartitionReader {
    // The queue goes before its consumer.
    queue: PartitionQueue,
    consumer: BaseConsumer<LogContext>,
    topics: BTreeMap<Arc<str>, TopicHandle>,
    places: HashMap<(TopicHandle, i32), (usize, TopicPartition)>,
}

/// What reading brings.
pub enum ReadEvent<'a> {
    /// A record.
    Record(BorrowedRecord<'a>),
    /// There are no more records for now, up to this offset.
    End(i64),
    /// What was to be read is not there: it has been deleted, or never was.
    OutOfRange,
}

/// Where a partition begins and ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OffsetRange {
    /// The offset of the first record.
    pub begin: i64,
    /// The offset behind the last record, whether or not its transaction is committed.
    pub end: i64,
}

impl PartitionReader {
    /// Makes a reader from librdkafka's settings.
    ///
    /// # Errors
    /// If a setting is refused.
    pub fn new(settings: &BTreeMap<String, String>) -> Result<Self> {
        let consumer: BaseConsumer<LogContext> = client_config(settings)
            .create_with_context(LogContext)
            .map_err(|error| broker_error("cannot create the consumer", error))?;
        let queue = PartitionQueue::of(&consumer)
            .ok_or_else(|| Error::new(ErrorKind::Broker, "cannot create the consumer: no queue"))?;
        Ok(Self {
            queue,
            consumer,
            topics: BTreeMap::new(),
            places: HashMap::new(),
        })
    }

    /// Begins to read a partition, or begins anew; what comes of it bears this number.
    ///
    /// # Errors
    /// If the client refuses.
    pub fn start(
        &mut self,
        partition: &TopicPartition,
        start: StartAt,
        number: usize,
    ) -> Result<()> {
        let failed = |code: RDKafkaErrorCode| {
            let error = KafkaError::MessageConsumption(code);
            broker_error(format!("cannot read {partition}"), error)
        };
        self.stop(partition);
        let topic = match self.topics.get(&partition.topic) {
            Some(topic) => *topic,
            None => {
                let topic = self.queue.topic(&partition.topic);
                let topic = topic.ok_or_else(|| failed(RDKafkaErrorCode::InvalidTopic))?;
                self.topics.insert(Arc::clone(&partition.topic), topic);
                topic
            }
        };
        let offset = match start {
            StartAt::Offset(offset) => offset,
            StartAt::Earliest => rdkafka::bindings::RD_KAFKA_OFFSET_BEGINNING.into(),
            StartAt::Latest | StartAt::Reset => rdkafka::bindings::RD_KAFKA_OFFSET_END.into(),
        };
        self.queue
            .start(topic, partition.partition, offset)
            .map_err(failed)?;
        self.places
            .insert((topic, partition.partition), (number, partition.clone()));
        Ok(())
    }

    /// Makes what has been started begin at once: where a topic is known already, librdkafka gives
    /// a partition to the thread that fetches before it starts it, and does not tell it again. The
    /// thread may then sleep for a second.
    pub fn wake(&self, partitions: &[TopicPartition]) {
        EndOffsets::wake(self.consumer.client(), partitions);
    }

    /// Ends the reading of a partition.
    pub fn stop(&mut self, partition: &TopicPartition) {
        if let Some(topic) = self.topics.get(&partition.topic)
            && self.places.remove(&(*topic, partition.partition)).is_some()
        {
            PartitionQueue::stop(*topic, partition.partition);
        }
    }

    /// Shows `visit` what there is, with the numbers of the partitions, many records at most, after
    /// waiting up to `timeout` for the first.
    ///
    /// # Errors
    /// If a partition may not or cannot be read: of what comes behind, nothing is shown. What
    /// passes by itself is only logged.
    pub fn read(
        &mut self,
        timeout: Duration,
        mut visit: impl FnMut(usize, ReadEvent<'_>),
    ) -> Result<()> {
        // Serves the log.
        if let Some(Err(error)) = self.consumer.poll(Duration::ZERO) {
            log_error(&error, "while reading partitions");
        }
        let places = &self.places;
        let mut failure = None;
        let mut last: Option<((TopicHandle, i32), usize)> = None;
        self.queue.read(timeout, |topic, partition, event| {
            // What comes behind what cannot be read would hide it.
            if failure.is_some() {
                return;
            }
            let key = (topic, partition);
            let number = match last {
                Some((known, number)) if known == key => number,
                _ => match places.get(&key) {
                    Some((number, _)) => *number,
                    None => return,
                },
            };
            last = Some((key, number));
            match event {
                PartitionEvent::Record(record) => visit(number, ReadEvent::Record(record)),
                PartitionEvent::End(offset) => visit(number, ReadEvent::End(offset)),
                PartitionEvent::Failed(code, text) => match code {
                    RDKafkaErrorCode::AutoOffsetReset | RDKafkaErrorCode::OffsetOutOfRange => {
                        visit(number, ReadEvent::OutOfRange);
                    }
                    RDKafkaErrorCode::TopicAuthorizationFailed => {
                        failure = Some((ErrorKind::Config, key, text));
                    }
                    code if is_unreadable_code(code) => {
                        failure = Some((ErrorKind::Serde, key, text));
                    }
                    code => log_error(&KafkaError::MessageConsumption(code), &text),
                },
            }
        });
        let Some((kind, key, text)) = failure else {
            return Ok(());
        };
        let place = places.get(&key).map(|(_, place)| place.to_string());
        let message = format!("cannot read {}: {text}", place.unwrap_or_default());
        Err(Error::new(kind, message))
    }

    /// Where these partitions begin and end.
    ///
    /// # Errors
    /// If a broker does not answer within `timeout`, or a partition does not exist.
    pub fn ranges(
        &self,
        partitions: &[TopicPartition],
        timeout: Duration,
    ) -> Result<BTreeMap<TopicPartition, OffsetRange>> {
        if partitions.is_empty() {
            return Ok(BTreeMap::new());
        }
        let client = self.consumer.client();
        let first = EndOffsets::ask(client, partitions, OffsetEnd::First, timeout);
        let last = EndOffsets::ask(client, partitions, OffsetEnd::Last, timeout);
        let (first, last) = (first.wait(timeout)?, last.wait(timeout)?);
        let ranges = first.into_iter().filter_map(|(partition, begin)| {
            let end = *last.get(&partition)?;
            Some((partition, OffsetRange { begin, end }))
        });
        Ok(ranges.collect())
    }

    /// The number of partitions of a topic; `None` if it does not exist or may not be seen.
    ///
    /// # Errors
    /// If no broker answers within `timeout`.
    pub fn partition_count(&self, topic: &str, timeout: Duration) -> Result<Option<i32>> {
        crate::broker::librdkafka::partition_count(self.consumer.client(), topic, timeout)
    }
}

/// How long the question that wakes a fetch may take.
const WAKING_WAIT: Duration = Duration::from_secs(1);

/// A question for the ends of partitions, on its way.
pub struct EndOffsets {
    query: Option<OffsetQuery>,
    until: Instant,
}

impl EndOffsets {
    pub(super) fn ask<C: ClientContext>(
        client: &Client<C>,
        partitions: &[TopicPartition],
        end: OffsetEnd,
        timeout: Duration,
    ) -> Self {
        Self {
            query: OffsetQuery::ask(client, partitions, end, timeout),
            until: Instant::now() + timeout,
        }
    }

    /// Wakes the threads that fetch from the leaders of partitions, with a question whose answer
    /// nobody waits for. It comes behind what the client was told before.
    pub(super) fn wake<C: ClientContext>(client: &Client<C>, partitions: &[TopicPartition]) {
        if !partitions.is_empty() {
            drop(Self::ask(client, partitions, OffsetEnd::Last, WAKING_WAIT));
        }
    }

    /// Waits for the answer.
    ///
    /// # Errors
    /// If a broker does not answer, or a partition does not exist.
    pub fn wait(self, timeout: Duration) -> Result<BTreeMap<TopicPartition, i64>> {
        let failed = |code: RDKafkaErrorCode, of: &str| {
            let error = KafkaError::OffsetFetch(code);
            broker_error(format!("cannot read the offsets of {of}"), error)
        };
        let left = self.until.saturating_duration_since(Instant::now());
        let answer = self.query.and_then(|query| query.answer(left.min(timeout)));
        let answer = answer.unwrap_or(Err(RDKafkaErrorCode::OperationTimedOut));
        let offsets = answer.map_err(|code| failed(code, "partitions"))?;
        let offsets = offsets.into_iter().map(|(partition, offset)| {
            let offset = offset.map_err(|code| failed(code, &partition.to_string()))?;
            Ok((partition, offset))
        });
        offsets.collect()
    }
}
