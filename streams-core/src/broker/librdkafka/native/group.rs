//! What a member of a consumer group reads: its events one by one, its records many at a time.
//!
//! Left alone, librdkafka sends the records of a member's partitions to the queue of the group,
//! which hands out single events. Here each assigned partition's queue is forwarded to a queue of
//! our own instead, from which many messages can be taken with one call. Forwarding it before the
//! assignment makes librdkafka leave it alone when the fetching begins. When a fetching ends,
//! librdkafka takes the forwarding away, hence [`GroupQueue::renew`].
//!
//! A partition whose queue is not forwarded is paused: what has been fetched waits in it, and no
//! more is fetched once it holds as much as `queued.max.messages.kbytes` allows. librdkafka's own
//! pause would go on where it thinks the application is, and takes the end of a partition for a
//! record: it goes on one record too late, or from the beginning when there is no such record.

use std::ffi::{CString, c_void};
use std::ops::Range;
use std::ptr::NonNull;
use std::time::{Duration, Instant};

use rdkafka::bindings as sys;
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext};

use super::partition::Message;
use super::{Event, NativeEvent, NativeRecord, TopicHandle, text, topic_name};
use crate::id::TopicPartition;

/// The events and the records of a member of a group.
pub(crate) struct GroupQueue {
    client: NonNull<sys::rd_kafka_t>,
    /// Rebalances, errors and logs.
    events: NonNull<sys::rd_kafka_queue_t>,
    /// Records and the ends of partitions.
    records: NonNull<sys::rd_kafka_queue_t>,
    /// Room for the messages of one call.
    messages: Vec<*mut sys::rd_kafka_message_t>,
    /// Which of the messages have not been handed out yet; they are ours to destroy.
    waiting: Range<usize>,
    partitions: Vec<PartitionRecords>,
}

/// The queue of an assigned partition.
struct PartitionRecords {
    partition: TopicPartition,
    queue: NonNull<sys::rd_kafka_queue_t>,
    /// Whether its records come to the queue of all.
    is_forwarded: bool,
}

/// How many messages one call takes at most.
const MESSAGES_READ_MAX: usize = 1024;

// SAFETY: librdkafka's queues are locked inside and may be used from any thread; the messages
// belong to the queue alone.
unsafe impl Send for GroupQueue {}

impl GroupQueue {
    /// The queue of a consumer with a group. The consumer must outlive it, and must not be polled
    /// by other means.
    pub(crate) fn of<C: ConsumerContext>(consumer: &BaseConsumer<C>) -> Option<Self> {
        let client = NonNull::new(consumer.client().native_ptr())?;
        // SAFETY: the client is live; both queues are given back on drop.
        let (events, records) = unsafe {
            let events = NonNull::new(sys::rd_kafka_queue_get_consumer(client.as_ptr()))?;
            let records = sys::rd_kafka_queue_new(client.as_ptr());
            (events, NonNull::new(records))
        };
        let Some(records) = records else {
            // SAFETY: the reference has been taken above, and nobody else has it.
            unsafe { sys::rd_kafka_queue_destroy(events.as_ptr()) };
            return None;
        };
        // SAFETY: both queues are live. The callback uses `events`, and is taken away before
        // `events` is destroyed.
        unsafe {
            let opaque = events.as_ptr().cast();
            sys::rd_kafka_queue_cb_event_enable(records.as_ptr(), Some(records_came), opaque);
        }
        Some(Self {
            client,
            events,
            records,
            messages: vec![std::ptr::null_mut(); MESSAGES_READ_MAX],
            waiting: 0..0,
            partitions: Vec::new(),
        })
    }

    /// The next event, waiting for it no longer than `timeout`. Events of the group come only when
    /// no record that has been taken from librdkafka waits, and no more than `records_max` are
    /// taken at a time.
    #[inline]
    pub(crate) fn poll(&mut self, timeout: Duration, records_max: usize) -> Option<NativeEvent> {
        match self.next_waiting() {
            Some(event) => Some(event),
            None => self.poll_queues(timeout, records_max),
        }
    }

    fn poll_queues(&mut self, timeout: Duration, records_max: usize) -> Option<NativeEvent> {
        let begun = Instant::now();
        // The first round does not wait, as there may be records already; they end a wait for an
        // event only when they come into an empty queue.
        let mut wait_ms = 0;
        loop {
            if let Some(event) = self.poll_event(wait_ms) {
                return Some(event);
            }
            self.take_records(records_max);
            if let Some(event) = self.next_waiting() {
                return Some(event);
            }
            let left = timeout.saturating_sub(begun.elapsed());
            wait_ms = i32::try_from(left.as_millis()).unwrap_or(i32::MAX);
            if wait_ms == 0 {
                return None;
            }
        }
    }

    /// An event of the group. It is also what tells librdkafka that this member is alive.
    fn poll_event(&self, timeout_ms: i32) -> Option<NativeEvent> {
        // SAFETY: the queue is live; the event is ours, and destroyed by `Event`.
        let event = unsafe { sys::rd_kafka_queue_poll(self.events.as_ptr(), timeout_ms) };
        NonNull::new(event).map(|event| Event(event).read())
    }

    /// Takes what there is; nothing may be waiting.
    fn take_records(&mut self, records_max: usize) {
        let size = self.messages.len().min(records_max.max(1));
        // SAFETY: the queue is live, and there is room for as many messages as are asked for.
        let count = unsafe {
            let (queue, room) = (self.records.as_ptr(), self.messages.as_mut_ptr());
            sys::rd_kafka_consume_batch_queue(queue, 0, room, size)
        };
        self.waiting = 0..usize::try_from(count).unwrap_or(0);
    }

    #[inline]
    fn next_waiting(&mut self) -> Option<NativeEvent> {
        let message = self.messages.get(self.waiting.next()?)?;
        let message = NonNull::new(*message).map(Message);
        Some(message.map_or(NativeEvent::Other, |message| message.read()))
    }

    /// Forgets the records that have been taken from librdkafka and not been handed out.
    pub(crate) fn forget_records(&mut self) {
        while self.next_waiting().is_some() {}
    }

    /// Makes the records of these partitions come here, of those that are not paused, and of no
    /// others. It must be done before the partitions are assigned, and renewed after. Returns
    /// whether all could be found.
    pub(crate) fn set_partitions<'p>(
        &mut self,
        partitions: impl Iterator<Item = (&'p TopicPartition, bool)>,
    ) -> bool {
        self.forget_partitions();
        for (partition, is_paused) in partitions {
            let Ok(topic) = CString::new(&*partition.topic) else {
                return false;
            };
            // SAFETY: the client is live; the queue is given back in `forget_partitions`.
            let queue = unsafe {
                let (client, number) = (self.client.as_ptr(), partition.partition);
                sys::rd_kafka_queue_get_partition(client, topic.as_ptr(), number)
            };
            let Some(queue) = NonNull::new(queue) else {
                return false;
            };
            self.partitions.push(PartitionRecords {
                partition: partition.clone(),
                queue,
                is_forwarded: !is_paused,
            });
        }
        self.renew();
        true
    }

    /// Forwards again. What has come in between comes as well, in its order.
    pub(crate) fn renew(&self) {
        let partitions = self.partitions.iter();
        partitions.for_each(|one| one.forward(self.records));
    }

    /// Lets a partition's records come here, or wait where they are.
    pub(crate) fn set_forwarded(&mut self, partition: &TopicPartition, is_forwarded: bool) {
        let mut partitions = self.partitions.iter_mut();
        if let Some(one) = partitions.find(|one| one.partition == *partition) {
            one.is_forwarded = is_forwarded;
            one.forward(self.records);
        }
    }

    /// Gives up the queues of the partitions, which are not assigned any more.
    pub(crate) fn forget_partitions(&mut self) {
        for one in self.partitions.drain(..) {
            // SAFETY: this gives back the reference taken in `set_partitions`.
            unsafe { sys::rd_kafka_queue_destroy(one.queue.as_ptr()) }
        }
    }
}

impl PartitionRecords {
    /// Sends its records to the queue of all, or leaves them where they are.
    fn forward(&self, records: NonNull<sys::rd_kafka_queue_t>) {
        let target = match self.is_forwarded {
            true => records.as_ptr(),
            false => std::ptr::null_mut(),
        };
        // SAFETY: both queues are live; librdkafka keeps the target for as long as it needs it.
        unsafe { sys::rd_kafka_queue_forward(self.queue.as_ptr(), target) }
    }
}

impl Drop for GroupQueue {
    fn drop(&mut self) {
        self.forget_records();
        self.forget_partitions();
        // SAFETY: this gives back what `of` has taken. librdkafka calls the callback with the
        // queue locked, so that it does not run any more once it has been taken away.
        unsafe {
            let (events, records) = (self.events.as_ptr(), self.records.as_ptr());
            sys::rd_kafka_queue_cb_event_enable(records, None, std::ptr::null_mut());
            sys::rd_kafka_queue_destroy(records);
            sys::rd_kafka_queue_destroy(events);
        }
    }
}

/// Ends a wait for an event, or the next one if there is none now.
unsafe extern "C" fn records_came(_client: *mut sys::rd_kafka_t, events: *mut c_void) {
    // SAFETY: the callback is registered with the queue of events, which is live for as long.
    unsafe { sys::rd_kafka_queue_yield(events.cast()) }
}

impl Message {
    #[inline]
    fn read(&self) -> NativeEvent {
        let message = self.get();
        let topic = NonNull::new(message.rkt).map(TopicHandle);
        match (message.err, topic) {
            (sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR, Some(topic)) => {
                NativeEvent::Record(NativeRecord {
                    topic,
                    partition: message.partition,
                    raw: self.record().to_raw(),
                })
            }
            (sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR, None) => NativeEvent::Other,
            (sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR__PARTITION_EOF, Some(topic)) => {
                NativeEvent::End {
                    partition: TopicPartition {
                        topic: topic_name(topic).into(),
                        partition: message.partition,
                    },
                    offset: message.offset,
                }
            }
            (error, _) => NativeEvent::Error {
                code: error.into(),
                // SAFETY: the message lends the text of its error.
                message: unsafe { text(sys::rd_kafka_message_errstr(message)) },
                // Those go to the queue of the group.
                is_fatal: false,
            },
        }
    }
}
