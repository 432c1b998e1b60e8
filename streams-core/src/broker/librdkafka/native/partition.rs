//! Records of partitions that are read without a group, in librdkafka's memory.

use std::ffi::CString;
use std::ptr::NonNull;
use std::time::Duration;

use rdkafka::bindings as sys;
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext};
use rdkafka::error::RDKafkaErrorCode;

use super::{BorrowedRecord, TopicHandle, text};

/// The records of several partitions that are read without a group.
pub(crate) struct PartitionQueue {
    client: NonNull<sys::rd_kafka_t>,
    queue: NonNull<sys::rd_kafka_queue_t>,
    topics: Vec<NonNull<sys::rd_kafka_topic_t>>,
    messages: Vec<*mut sys::rd_kafka_message_t>,
}

/// What comes out of a [`PartitionQueue`].
pub(crate) enum PartitionEvent<'a> {
    Record(BorrowedRecord<'a>),
    /// There is nothing more for now, up to this offset.
    End(i64),
    /// The partition cannot be read.
    Failed(RDKafkaErrorCode, String),
}

// SAFETY: librdkafka's queues and topics are locked inside and may be used from any thread.
unsafe impl Send for PartitionQueue {}

impl PartitionQueue {
    /// A queue of a consumer, which must outlive it.
    pub(crate) fn of<C: ConsumerContext>(consumer: &BaseConsumer<C>) -> Option<Self> {
        let client = consumer.client().native_ptr();
        // SAFETY: the pointer is that of a live consumer; the queue is given back on drop.
        let queue = unsafe { sys::rd_kafka_queue_new(client) };
        Some(Self {
            client: NonNull::new(client)?,
            queue: NonNull::new(queue)?,
            topics: Vec::new(),
            messages: vec![std::ptr::null_mut(); MESSAGES_READ_MAX],
        })
    }

    /// A topic to read; valid as long as the queue is.
    pub(crate) fn topic(&mut self, name: &str) -> Option<TopicHandle> {
        let name = CString::new(name).ok()?;
        // SAFETY: the client is live; the topic is given back on drop.
        let topic = unsafe {
            sys::rd_kafka_topic_new(self.client.as_ptr(), name.as_ptr(), std::ptr::null_mut())
        };
        let topic = NonNull::new(topic)?;
        self.topics.push(topic);
        Some(TopicHandle(topic))
    }

    /// Begins to read a partition of a topic of this queue.
    pub(crate) fn start(
        &self,
        topic: TopicHandle,
        partition: i32,
        offset: i64,
    ) -> Result<(), RDKafkaErrorCode> {
        // SAFETY: topic and queue are live.
        unsafe {
            let queue = self.queue.as_ptr();
            match sys::rd_kafka_consume_start_queue(topic.0.as_ptr(), partition, offset, queue) {
                0 => Ok(()),
                _ => Err(sys::rd_kafka_last_error().into()),
            }
        }
    }

    /// Ends the reading of a partition; none of its records come any more.
    pub(crate) fn stop(topic: TopicHandle, partition: i32) {
        // SAFETY: the topic is live. An error says that the partition is not being read.
        unsafe { sys::rd_kafka_consume_stop(topic.0.as_ptr(), partition) };
    }

    /// Shows `visit` what there is, many records at most, after waiting up to `timeout` for the
    /// first.
    pub(crate) fn read(
        &mut self,
        timeout: Duration,
        mut visit: impl FnMut(TopicHandle, i32, PartitionEvent<'_>),
    ) {
        let timeout_ms = i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX);
        let queue = self.queue.as_ptr();
        // SAFETY: the queue is live, and there is room for as many messages as are asked for; each
        // message is ours, and destroyed once by `Message`.
        let count = unsafe {
            let first = sys::rd_kafka_consume_queue(queue, timeout_ms);
            let Some(first) = NonNull::new(first).map(Message) else {
                return;
            };
            first.show(&mut visit);
            let (room, size) = (self.messages.as_mut_ptr(), self.messages.len());
            sys::rd_kafka_consume_batch_queue(queue, 0, room, size)
        };
        let count = usize::try_from(count).unwrap_or(0);
        for message in self.messages.iter().take(count) {
            if let Some(message) = NonNull::new(*message).map(Message) {
                message.show(&mut visit);
            }
        }
    }
}

/// How many records one call takes at most.
const MESSAGES_READ_MAX: usize = 8192;

impl Drop for PartitionQueue {
    fn drop(&mut self) {
        // SAFETY: this gives back what `of` and `topic` have taken.
        unsafe {
            for topic in &self.topics {
                sys::rd_kafka_topic_destroy(topic.as_ptr());
            }
            sys::rd_kafka_queue_destroy(self.queue.as_ptr());
        }
    }
}

/// A message that has been taken from a queue; it is destroyed with this.
pub(super) struct Message(pub(super) NonNull<sys::rd_kafka_message_t>);

impl Message {
    pub(super) fn get(&self) -> &sys::rd_kafka_message_t {
        // SAFETY: the message is live until `self` is dropped.
        unsafe { self.0.as_ref() }
    }

    pub(super) fn record(&self) -> BorrowedRecord<'_> {
        BorrowedRecord(self.get())
    }

    fn show(&self, visit: &mut impl FnMut(TopicHandle, i32, PartitionEvent<'_>)) {
        let message = self.get();
        let Some(topic) = NonNull::new(message.rkt).map(TopicHandle) else {
            return;
        };
        let event = match message.err {
            sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR => {
                PartitionEvent::Record(self.record())
            }
            sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR__PARTITION_EOF => {
                PartitionEvent::End(message.offset)
            }
            error => {
                // SAFETY: the message lends the text of its error.
                let text = unsafe { text(sys::rd_kafka_message_errstr(message)) };
                PartitionEvent::Failed(error.into(), text)
            }
        };
        visit(topic, message.partition, event);
    }
}

impl Drop for Message {
    fn drop(&mut self) {
        // SAFETY: the message was given to us by the queue, and is destroyed once.
        unsafe { sys::rd_kafka_message_destroy(self.0.as_ptr()) }
    }
}
