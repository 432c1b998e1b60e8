//! Sinks: where keys and values become bytes and leave the task.

use std::marker::PhantomData;
use std::rc::Rc;
use std::sync::Arc;

use crate::broker::partition_for_key;
use crate::error::ErrorKind;
use crate::processor::handler::FailureOrigin;
use crate::processor::port::Push;
use crate::processor::task_context::{TaskContext, Tries};
use crate::record::{OutgoingRecord, Record, RecordMetadata};
use crate::serde::{Presence, SerdeError, Serializer};

/// Chooses the partitions of a record (`StreamPartitioner`, KIP-873).
pub trait StreamPartitioner<K, V>: Send + Sync {
    /// The partitions that get the record: `None` for the producer's own choice, none at all to
    /// leave the record out, several to send it to each.
    fn partitions(&self, topic: &str, key: &K, value: &V, partition_count: i32)
    -> Option<Vec<i32>>;
}

impl<K, V, F> StreamPartitioner<K, V> for F
where
    F: Fn(&str, &K, &V, i32) -> Option<Vec<i32>> + Send + Sync,
{
    fn partitions(&self, topic: &str, key: &K, value: &V, count: i32) -> Option<Vec<i32>> {
        self(topic, key, value, count)
    }
}

/// Chooses a record's topic (`TopicNameExtractor`); the topic must exist.
pub type TopicNameExtractor<K, V> =
    dyn Fn(&Record<K, V>, Option<RecordMetadata<'_>>) -> Arc<str> + Send + Sync;

/// Where a sink sends its records.
pub enum SinkTopic<K, V> {
    /// One topic.
    Fixed(Arc<str>),
    /// A topic for each record.
    Extracted(Arc<TopicNameExtractor<K, V>>),
}

impl<K, V> Clone for SinkTopic<K, V> {
    fn clone(&self) -> Self {
        match self {
            Self::Fixed(topic) => Self::Fixed(Arc::clone(topic)),
            Self::Extracted(extractor) => Self::Extracted(Arc::clone(extractor)),
        }
    }
}

/// A sink in its place in a task.
pub(crate) struct SinkNode<K, V> {
    name: Rc<str>,
    topic: SinkTopic<K, V>,
    key: Arc<dyn Serializer<K>>,
    value: Arc<dyn Serializer<V>>,
    partitioner: Option<Arc<dyn StreamPartitioner<K, V>>>,
    pub(crate) skips_null_keys: bool,
    /// Whether the partition is chosen by the part of the key that the serde names.
    pub(crate) partitions_by_base_key: bool,
    key_buffer: Vec<u8>,
    value_buffer: Vec<u8>,
    input: PhantomData<fn(K, V)>,
}

/// A buffer above this is given back after use, so that one large record does not stay for ever.
const BUFFER_KEPT_BYTES_MAX: usize = 64 * 1024;

impl<K, V> SinkNode<K, V> {
    pub(crate) fn new(
        name: Rc<str>,
        topic: SinkTopic<K, V>,
        key: Arc<dyn Serializer<K>>,
        value: Arc<dyn Serializer<V>>,
        partitioner: Option<Arc<dyn StreamPartitioner<K, V>>>,
    ) -> Self {
        let (key_buffer, value_buffer) = (Vec::new(), Vec::new());
        Self {
            name,
            topic,
            key,
            value,
            partitioner,
            skips_null_keys: false,
            partitions_by_base_key: false,
            key_buffer,
            value_buffer,
            input: PhantomData,
        }
    }

    /// Serializes into the node's buffers.
    fn write(
        &mut self,
        topic: &str,
        record: &mut Record<K, V>,
    ) -> Result<(Presence, Presence), SerdeError> {
        self.key_buffer.clear();
        self.value_buffer.clear();
        let Record {
            key,
            value,
            headers,
            ..
        } = record;
        let key = self
            .key
            .serialize(topic, headers, key, &mut self.key_buffer);
        let key = key.map_err(|error| SerdeError::with_source("cannot write the key", error))?;
        let value = self
            .value
            .serialize(topic, headers, value, &mut self.value_buffer);
        let value =
            value.map_err(|error| SerdeError::with_source("cannot write the value", error))?;
        Ok((key, value))
    }

    /// The part of the key's bytes that chooses the partition, if that is not all of them.
    fn base_key<'b>(&self, key: Option<&'b [u8]>) -> Option<&'b [u8]> {
        let key = key.filter(|_| self.partitions_by_base_key)?;
        let base = self.key.base_key(key);
        (base.len() != key.len()).then_some(base)
    }

    fn send(&mut self, task: &mut TaskContext, topic: &str, mut record: Record<K, V>) {
        let (key, value) = match self.write(topic, &mut record) {
            Ok(presence) => presence,
            Err(error) => {
                let origin = FailureOrigin::Serialization;
                task.handle_failure(origin, &self.name, &error, Tries::ONCE);
                return;
            }
        };
        if self.skips_null_keys && key == Presence::Null {
            task.counts.dropped += 1;
            return;
        }
        let mut outgoing = OutgoingRecord {
            topic,
            partition: None,
            key: (key == Presence::Bytes).then_some(&*self.key_buffer),
            value: (value == Presence::Bytes).then_some(&*self.value_buffer),
            timestamp_ms: record.timestamp_ms,
            headers: &record.headers,
        };
        let collector = Rc::clone(&task.environment.collector);
        let sent = match (&self.partitioner, self.base_key(outgoing.key)) {
            (None, None) => collector.send(&outgoing),
            (None, Some(base_key)) => collector.partition_count(topic).and_then(|count| {
                outgoing.partition = Some(partition_for_key(base_key, count));
                collector.send(&outgoing)
            }),
            (Some(partitioner), _) => collector.partition_count(topic).and_then(|count| {
                match partitioner.partitions(topic, &record.key, &record.value, count) {
                    None => collector.send(&outgoing),
                    Some(partitions) => {
                        task.counts.dropped += u64::from(partitions.is_empty());
                        partitions.into_iter().try_for_each(|partition| {
                            outgoing.partition = Some(partition);
                            collector.send(&outgoing)
                        })
                    }
                }
            }),
        };
        if let Err(error) = sent {
            // What is no fault of the record is nothing to ask its handler about.
            if matches!(error.kind(), ErrorKind::Fenced | ErrorKind::Broker) {
                task.fail(error);
                return;
            }
            task.handle_failure(FailureOrigin::Production, &self.name, &error, Tries::ONCE);
        }
        self.key_buffer.shrink_to(BUFFER_KEPT_BYTES_MAX);
        self.value_buffer.shrink_to(BUFFER_KEPT_BYTES_MAX);
    }
}

impl<K, V> Push<K, V> for SinkNode<K, V> {
    fn push(&mut self, task: &mut TaskContext, record: Record<K, V>) {
        let topic = match &self.topic {
            SinkTopic::Fixed(topic) => Arc::clone(topic),
            SinkTopic::Extracted(extract) => extract(&record, task.record_metadata()),
        };
        self.send(task, &topic, record);
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;
    use crate::broker::Collector;
    use crate::clock::ManualClock;
    use crate::error::Error;
    use crate::id::TaskId;
    use crate::processor::{ContinueOnError, EmitIntervals, StreamsHandlers, TaskEnvironment};
    use crate::serde::{I64, SessionWindowed, TimeWindowed, Utf8};
    use crate::window::{Window, Windowed};

    const PARTITIONS: i32 = 16;

    /// Notes the partitions of what is sent.
    #[derive(Default)]
    struct Partitions(RefCell<Vec<Option<i32>>>);

    impl Collector for Partitions {
        fn send(&self, record: &OutgoingRecord<'_>) -> crate::Result<()> {
            self.0.borrow_mut().push(record.partition);
            Ok(())
        }

        fn partition_count(&self, _: &str) -> crate::Result<i32> {
            Ok(PARTITIONS)
        }
    }

    fn task_with(collector: Rc<dyn Collector>, handlers: StreamsHandlers) -> TaskContext {
        let environment = TaskEnvironment {
            application_id: "app".into(),
            handlers,
            clock: Arc::new(ManualClock::default()),
            collector,
            emit_intervals: EmitIntervals::NONE,
        };
        let id = TaskId {
            subtopology: 0,
            partition: 0,
        };
        TaskContext::new(id, environment)
    }

    fn sink_of<K>(serde: impl Serializer<K> + 'static) -> SinkNode<K, i64> {
        let topic = SinkTopic::Fixed("counts".into());
        SinkNode::new("sink".into(), topic, Arc::new(serde), Arc::new(I64), None)
    }

    fn partition_of<K>(key: K, serde: impl Serializer<K> + 'static, by_base_key: bool) -> i32 {
        let collector = Rc::new(Partitions::default());
        let mut task = task_with(Rc::clone(&collector) as _, StreamsHandlers::default());
        let mut sink = sink_of(serde);
        sink.partitions_by_base_key = by_base_key;
        sink.push(&mut task, Record::new(key, 1, 0));
        let partitions = collector.0.borrow();
        // The producer chooses where the sink does not.
        partitions.first().copied().flatten().unwrap_or(-1)
    }

    #[test]
    fn a_key_in_a_window_goes_where_the_key_goes() {
        let expected = partition_for_key(b"abc", PARTITIONS);
        for start_ms in [0, 1, 60_000] {
            let key = Windowed::new("abc".to_owned(), Window::new(start_ms, start_ms + 10));
            let (time, session) = (TimeWindowed::new(Utf8, 10), SessionWindowed(Utf8));
            assert_eq!(partition_of(key.clone(), time, true), expected);
            assert_eq!(partition_of(key.clone(), session, true), expected);
            assert_eq!(partition_of(key, time, false), -1);
        }
        assert_eq!(partition_of("abc".to_owned(), Utf8, true), -1);
    }

    /// Takes nothing.
    struct Refusal(ErrorKind);

    impl Collector for Refusal {
        fn send(&self, _: &OutgoingRecord<'_>) -> crate::Result<()> {
            Err(Error::new(self.0, "refused"))
        }

        fn partition_count(&self, _: &str) -> crate::Result<i32> {
            Ok(PARTITIONS)
        }
    }

    #[test]
    fn the_handler_leaves_out_what_is_the_records_fault_and_nothing_else() {
        let push = |kind| {
            let handlers = StreamsHandlers {
                production: Arc::new(ContinueOnError),
                ..StreamsHandlers::default()
            };
            let mut task = task_with(Rc::new(Refusal(kind)), handlers);
            sink_of(Utf8).push(&mut task, Record::new("abc".to_owned(), 1, 0));
            let failure = task.take_failure().map(|error| error.kind());
            (failure, task.counts.dropped)
        };
        assert_eq!(push(ErrorKind::Production), (None, 1));
        for kind in [ErrorKind::Broker, ErrorKind::Fenced] {
            assert_eq!(push(kind), (Some(kind), 0));
        }
    }
}
