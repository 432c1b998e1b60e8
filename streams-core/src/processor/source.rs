//! Sources: where bytes become keys and values.

use std::rc::Rc;
use std::sync::Arc;

use crate::config::TimestampExtraction;
use crate::id::TopicPartition;
use crate::processor::handler::FailureOrigin;
use crate::processor::port::Fanout;
use crate::processor::task_context::{CurrentRecord, TaskContext, Tries};
use crate::record::{RawRecord, Record};
use crate::serde::{Deserializer, SerdeError};

/// Gives a record its event time (`org.apache.kafka.streams.processor.TimestampExtractor`).
pub trait TimestampExtractor<K, V>: Send + Sync {
    /// The event time in milliseconds since the epoch; a negative one leaves the record out.
    ///
    /// `partition_time_ms` is the largest time so far in the record's partition, -1 before the
    /// first. The record's own timestamp is negative if it carries none.
    ///
    /// # Errors
    /// An error goes to the deserialization handler, as in Kafka Streams.
    fn extract(&self, record: &Record<K, V>, partition_time_ms: i64) -> Result<i64, SerdeError>;
}

/// Takes the record's timestamp and fails if it has none; the default, as in Kafka Streams.
#[derive(Debug, Clone, Copy, Default)]
pub struct FailOnInvalidTimestamp;

impl<K, V> TimestampExtractor<K, V> for FailOnInvalidTimestamp {
    fn extract(&self, record: &Record<K, V>, _partition_time_ms: i64) -> Result<i64, SerdeError> {
        match record.timestamp_ms {
            negative if negative < 0 => Err(no_timestamp()),
            timestamp_ms => Ok(timestamp_ms),
        }
    }
}

fn no_timestamp() -> SerdeError {
    SerdeError::new("the record has no timestamp; use another timestamp extractor to go on")
}

/// Takes the record's timestamp and leaves the record out if it has none.
#[derive(Debug, Clone, Copy, Default)]
pub struct LogAndSkipOnInvalidTimestamp;

impl<K, V> TimestampExtractor<K, V> for LogAndSkipOnInvalidTimestamp {
    fn extract(&self, record: &Record<K, V>, _partition_time_ms: i64) -> Result<i64, SerdeError> {
        Ok(record.timestamp_ms)
    }
}

/// Takes the record's timestamp, or the partition's time if it has none.
#[derive(Debug, Clone, Copy, Default)]
pub struct UsePartitionTimeOnInvalidTimestamp;

impl<K, V> TimestampExtractor<K, V> for UsePartitionTimeOnInvalidTimestamp {
    fn extract(&self, record: &Record<K, V>, partition_time_ms: i64) -> Result<i64, SerdeError> {
        match (record.timestamp_ms, partition_time_ms) {
            (timestamp_ms, _) if timestamp_ms >= 0 => Ok(timestamp_ms),
            (_, partition_time_ms) if partition_time_ms >= 0 => Ok(partition_time_ms),
            _ => Err(no_timestamp()),
        }
    }
}

/// Takes the time at which the record is read.
#[derive(Debug, Clone, Copy, Default)]
pub struct WallclockTimestampExtractor;

impl<K, V> TimestampExtractor<K, V> for WallclockTimestampExtractor {
    fn extract(&self, _record: &Record<K, V>, _partition_time_ms: i64) -> Result<i64, SerdeError> {
        use crate::clock::Clock as _;
        Ok(crate::clock::SystemClock.now_ms())
    }
}

/// What becomes of the record at the head of a partition's queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Staged {
    /// It has this event time and waits for its turn.
    Ready(i64),
    /// A handler has dealt with it, or its time is negative; the next one takes its place.
    Dropped,
}

/// A source as its task sees it, whatever its types.
///
/// A record is staged when it becomes the head of its queue, since its event time decides which
/// queue is next (`RecordQueue.updateHead`), and pushed when its turn comes.
pub(crate) trait SourcePort {
    /// Reads the head of queue `queue`, a partition of this source, and returns its event time.
    fn stage(
        &mut self,
        task: &mut TaskContext,
        queue: usize,
        from: &TopicPartition,
        raw: RawRecord,
        partition_time_ms: i64,
    ) -> Staged;

    /// Sends the staged record of `queue` through the task.
    fn push(&mut self, task: &mut TaskContext, queue: usize, from: &TopicPartition);
}

type StagedRecord<K, V> = (RawRecord, Record<K, V>);

/// A source and its children.
pub(crate) struct SourceNode<K, V> {
    name: Rc<str>,
    key: Arc<dyn Deserializer<K>>,
    value: Arc<dyn Deserializer<V>>,
    timestamp: Option<Arc<dyn TimestampExtractor<K, V>>>,
    default_timestamp: TimestampExtraction,
    children: Fanout<K, V>,
    staged: Vec<Option<StagedRecord<K, V>>>,
}

impl<K, V> SourceNode<K, V> {
    pub(crate) fn new(
        name: Rc<str>,
        key: Arc<dyn Deserializer<K>>,
        value: Arc<dyn Deserializer<V>>,
        timestamp: Option<Arc<dyn TimestampExtractor<K, V>>>,
        default_timestamp: TimestampExtraction,
        children: Fanout<K, V>,
    ) -> Self {
        Self {
            name,
            key,
            value,
            timestamp,
            default_timestamp,
            children,
            staged: Vec::new(),
        }
    }

    fn read(
        &self,
        topic: &str,
        raw: &RawRecord,
        partition_time_ms: i64,
    ) -> Result<Record<K, V>, SerdeError> {
        let key = self.key.deserialize(topic, &raw.headers, raw.key());
        let key = key.map_err(|error| SerdeError::with_source("cannot read the key", error))?;
        let value = self.value.deserialize(topic, &raw.headers, raw.value());
        let value =
            value.map_err(|error| SerdeError::with_source("cannot read the value", error))?;
        let headers = raw.headers.clone();
        let record = Record {
            key,
            value,
            timestamp_ms: raw.timestamp_ms,
            headers,
        };
        let timestamp_ms = match (&self.timestamp, self.default_timestamp) {
            (Some(extractor), _) => extractor.extract(&record, partition_time_ms)?,
            (None, TimestampExtraction::Fail) => {
                FailOnInvalidTimestamp.extract(&record, partition_time_ms)?
            }
            (None, TimestampExtraction::Skip) => {
                LogAndSkipOnInvalidTimestamp.extract(&record, partition_time_ms)?
            }
            (None, TimestampExtraction::UsePartitionTime) => {
                UsePartitionTimeOnInvalidTimestamp.extract(&record, partition_time_ms)?
            }
            (None, TimestampExtraction::WallClock) => {
                WallclockTimestampExtractor.extract(&record, partition_time_ms)?
            }
        };
        Ok(record.with_timestamp_ms(timestamp_ms))
    }

    /// Reads the bytes again for each child but the last, where records are not `Clone`: the
    /// streams of a topic that a program reads twice.
    fn push_read_again(&self, task: &mut TaskContext, topic: &str, record: Record<K, V>) {
        let last = self.children.len().saturating_sub(1);
        for child in 0..last {
            let Some(current) = &task.current else { return };
            match self.read(topic, &current.raw, record.timestamp_ms) {
                Ok(copy) => {
                    let copy = copy.with_timestamp_ms(record.timestamp_ms);
                    self.children.push_to(child, task, copy);
                }
                Err(error) => {
                    let origin = FailureOrigin::Deserialization;
                    task.handle_failure(origin, &self.name, &error, Tries::ONCE);
                }
            }
            if task.has_failed() {
                return;
            }
        }
        self.children.push_to(last, task, record);
    }

    /// Asks the deserialization handler, as often as it wants to try again.
    #[cold]
    fn failed(
        &self,
        task: &mut TaskContext,
        from: &TopicPartition,
        raw: RawRecord,
        partition_time_ms: i64,
        error: SerdeError,
    ) -> Option<StagedRecord<K, V>> {
        let mut error = error;
        task.current = Some(CurrentRecord::new(from, raw.timestamp_ms, raw));
        let mut read = None;
        for retries in 0.. {
            let (origin, tries) = (FailureOrigin::Deserialization, Tries::repeatable(retries));
            let Some(wait) = task.handle_failure(origin, &self.name, &error, tries) else {
                break;
            };
            task.environment.clock.sleep(wait);
            let Some(current) = &task.current else { break };
            match self.read(&from.topic, &current.raw, partition_time_ms) {
                Ok(record) => {
                    read = Some(record);
                    break;
                }
                Err(next) => error = next,
            }
        }
        let raw = task.current.take()?.raw;
        read.map(|record| (raw, record))
    }
}

impl<K, V> SourcePort for SourceNode<K, V> {
    fn stage(
        &mut self,
        task: &mut TaskContext,
        queue: usize,
        from: &TopicPartition,
        raw: RawRecord,
        partition_time_ms: i64,
    ) -> Staged {
        let read = match self.read(&from.topic, &raw, partition_time_ms) {
            Ok(record) => Some((raw, record)),
            Err(error) => self.failed(task, from, raw, partition_time_ms, error),
        };
        let Some((raw, record)) = read else {
            return Staged::Dropped;
        };
        let timestamp_ms = record.timestamp_ms;
        if timestamp_ms < 0 {
            tracing::warn!(
                topic = &*from.topic,
                partition = from.partition,
                offset = raw.offset,
                "leaving out a record without a timestamp"
            );
            task.counts.dropped += 1;
            return Staged::Dropped;
        }
        if self.staged.len() <= queue {
            self.staged.resize_with(queue + 1, || None);
        }
        if let Some(place) = self.staged.get_mut(queue) {
            debug_assert!(place.is_none(), "a queue has one head");
            *place = Some((raw, record));
        }
        Staged::Ready(timestamp_ms)
    }

    fn push(&mut self, task: &mut TaskContext, queue: usize, from: &TopicPartition) {
        let Some((raw, record)) = self.staged.get_mut(queue).and_then(Option::take) else {
            return;
        };
        task.current = Some(CurrentRecord::new(from, record.timestamp_ms, raw));
        if self.children.lacks_copies() {
            self.push_read_again(task, &from.topic, record);
        } else {
            self.children.push(task, record);
        }
        task.current = None;
    }
}
