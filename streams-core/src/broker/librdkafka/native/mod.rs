//! The calls to librdkafka that its Rust binding does not offer; the only unsafe code.
//!
//! - Events of a consumer with all they carry: the binding reduces the end of a partition to a
//!   number without topic and offset, and runs rebalances inside the poll, where the tasks that
//!   must commit first cannot be reached.
//! - A flush that waits for what is in flight and no longer: the binding waits in slices of 100 ms.
//! - Reading partitions without a group, many records at a time and without copies.
//! - The ends of many partitions in one question.
//! - Waiting for a connection with a question that is small.
//! - Sending by handles of topics rather than by their names.
#![allow(unsafe_code, reason = "the one module that calls librdkafka directly")]

mod group;
mod offset;
mod partition;
mod produce;

use std::ffi::{CStr, c_char, c_void};
use std::ptr::NonNull;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::bindings as sys;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::producer::{BaseProducer, Producer as _, ProducerContext};

use crate::id::TopicPartition;
use crate::record::{Header, Headers, RawRecord};

pub(crate) use group::GroupQueue;
pub(crate) use offset::{OffsetEnd, OffsetQuery};
pub(crate) use partition::{PartitionEvent, PartitionQueue};
pub(crate) use produce::{NativeHeaders, NativeOutgoing, ProducerTopics};

/// What a consumer's queue can hold.
pub(crate) enum NativeEvent {
    /// A record of a partition.
    Record(NativeRecord),
    /// The end of a partition.
    End {
        partition: TopicPartition,
        offset: i64,
    },
    /// The group gives these partitions; they are to be assigned.
    Assign(Vec<TopicPartition>),
    /// The group takes these partitions; they are to be unassigned.
    Revoke(Vec<TopicPartition>),
    /// Something failed.
    Error {
        code: RDKafkaErrorCode,
        message: String,
        is_fatal: bool,
    },
    /// A line of librdkafka's log.
    Log {
        level: RDKafkaLogLevel,
        facility: String,
        message: String,
    },
    /// An event of no interest.
    Other,
}

/// A record and where it came from.
pub(crate) struct NativeRecord {
    pub(crate) topic: TopicHandle,
    pub(crate) partition: i32,
    pub(crate) raw: RawRecord,
}

/// librdkafka's own handle of a topic: two records with equal handles are of one topic, as long as
/// the assignment does not change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TopicHandle(NonNull<sys::rd_kafka_topic_t>);

struct Event(NonNull<sys::rd_kafka_event_t>);

impl Event {
    fn read(&self) -> NativeEvent {
        // SAFETY: the event is live until `self` is dropped, and every pointer that it lends is
        // read before.
        unsafe {
            match sys::rd_kafka_event_type(self.0.as_ptr()) {
                sys::RD_KAFKA_EVENT_ERROR => self.read_error(),
                sys::RD_KAFKA_EVENT_REBALANCE => self.read_rebalance(),
                sys::RD_KAFKA_EVENT_LOG => self.read_log(),
                _ => NativeEvent::Other,
            }
        }
    }

    unsafe fn read_error(&self) -> NativeEvent {
        // SAFETY: the caller holds the event, which owns the text.
        unsafe {
            let event = self.0.as_ptr();
            let error = sys::rd_kafka_event_error(event);
            NativeEvent::Error {
                code: error.into(),
                message: text(sys::rd_kafka_event_error_string(event)),
                is_fatal: sys::rd_kafka_event_error_is_fatal(event) != 0,
            }
        }
    }

    unsafe fn read_rebalance(&self) -> NativeEvent {
        // SAFETY: the caller holds the event, which owns the list.
        unsafe {
            let event = self.0.as_ptr();
            let error = sys::rd_kafka_event_error(event);
            let list = sys::rd_kafka_event_topic_partition_list(event);
            let partitions = partitions(list);
            match error {
                sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => {
                    NativeEvent::Assign(partitions)
                }
                _ => NativeEvent::Revoke(partitions),
            }
        }
    }

    unsafe fn read_log(&self) -> NativeEvent {
        let (mut facility, mut message) = (std::ptr::null(), std::ptr::null());
        let mut level = 0;
        // SAFETY: the caller holds the event, which owns the strings.
        unsafe {
            let event = self.0.as_ptr();
            let failed =
                sys::rd_kafka_event_log(event, &raw mut facility, &raw mut message, &raw mut level);
            if failed != 0 {
                return NativeEvent::Other;
            }
            let (facility, message) = (text(facility), text(message));
            NativeEvent::Log {
                level: log_level(level),
                facility,
                message,
            }
        }
    }
}

impl Drop for Event {
    fn drop(&mut self) {
        // SAFETY: the event was given to us by the queue, and is destroyed once.
        unsafe { sys::rd_kafka_event_destroy(self.0.as_ptr()) }
    }
}

/// librdkafka's levels are syslog's.
fn log_level(level: i32) -> RDKafkaLogLevel {
    match level {
        0 => RDKafkaLogLevel::Emerg,
        1 => RDKafkaLogLevel::Alert,
        2 => RDKafkaLogLevel::Critical,
        3 => RDKafkaLogLevel::Error,
        4 => RDKafkaLogLevel::Warning,
        5 => RDKafkaLogLevel::Notice,
        6 => RDKafkaLogLevel::Info,
        _ => RDKafkaLogLevel::Debug,
    }
}

unsafe fn bytes<'a>(start: *const c_void, length: usize) -> Option<&'a [u8]> {
    // SAFETY: the caller names memory of this length that lives while the slice is used.
    (!start.is_null()).then(|| unsafe { std::slice::from_raw_parts(start.cast::<u8>(), length) })
}

unsafe fn text(start: *const c_char) -> String {
    if start.is_null() {
        return String::new();
    }
    // SAFETY: librdkafka's strings end with a zero.
    unsafe { CStr::from_ptr(start) }
        .to_string_lossy()
        .into_owned()
}

unsafe fn topic_partition(place: &sys::rd_kafka_topic_partition_t) -> TopicPartition {
    // SAFETY: a partition's topic is a string that ends with a zero.
    let topic = unsafe { text(place.topic) };
    TopicPartition {
        topic: Arc::from(topic),
        partition: place.partition,
    }
}

unsafe fn partitions(list: *const sys::rd_kafka_topic_partition_list_t) -> Vec<TopicPartition> {
    // SAFETY: a list has `cnt` elements.
    unsafe {
        let Some(list) = list.as_ref() else {
            return Vec::new();
        };
        let count = usize::try_from(list.cnt).unwrap_or(0);
        if list.elems.is_null() {
            return Vec::new();
        }
        let elements = std::slice::from_raw_parts(list.elems, count);
        elements
            .iter()
            .map(|place| topic_partition(place))
            .collect()
    }
}

unsafe fn headers(message: &sys::rd_kafka_message_t) -> Headers {
    let mut list = std::ptr::null_mut();
    // SAFETY: the message is live, and owns its headers.
    unsafe {
        let error = sys::rd_kafka_message_headers(message, &raw mut list);
        if error != sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR || list.is_null() {
            return Headers::new();
        }
        (0..sys::rd_kafka_header_cnt(list))
            .filter_map(|index| header(list, index))
            .collect()
    }
}

unsafe fn header(list: *const sys::rd_kafka_headers_t, index: usize) -> Option<Header> {
    let (mut name, mut value, mut size) = (std::ptr::null(), std::ptr::null(), 0);
    // SAFETY: the index is below the list's count, and the list lives while this runs.
    unsafe {
        let error =
            sys::rd_kafka_header_get_all(list, index, &raw mut name, &raw mut value, &raw mut size);
        if error != sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
            return None;
        }
        let value = bytes(value, size).map(Box::from);
        Some(Header {
            key: text(name).into_boxed_str(),
            value,
        })
    }
}

/// A record in librdkafka's memory.
#[derive(Clone, Copy)]
pub struct BorrowedRecord<'a>(&'a sys::rd_kafka_message_t);

impl<'a> BorrowedRecord<'a> {
    /// The record's offset.
    pub fn offset(self) -> i64 {
        self.0.offset
    }

    /// The key's bytes.
    pub fn key(self) -> Option<&'a [u8]> {
        // SAFETY: the message owns its key.
        unsafe { bytes(self.0.key, self.0.key_len) }
    }

    /// The value's bytes.
    pub fn value(self) -> Option<&'a [u8]> {
        // SAFETY: the message owns its payload.
        unsafe { bytes(self.0.payload, self.0.len) }
    }

    /// The timestamp, in milliseconds since the epoch; -1 if there is none.
    pub fn timestamp_ms(self) -> i64 {
        let mut kind = sys::rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
        // SAFETY: the message is live.
        unsafe { sys::rd_kafka_message_timestamp(self.0, &raw mut kind) }
    }

    /// A copy.
    pub fn to_raw(self) -> RawRecord {
        // SAFETY: the message is live.
        let headers = unsafe { headers(self.0) };
        let (key, value) = (self.key(), self.value());
        RawRecord::new(key, value, self.offset(), self.timestamp_ms(), headers)
    }
}

/// The name of a topic whose record has just been read.
pub(crate) fn topic_name(topic: TopicHandle) -> String {
    // SAFETY: a handle is used only while its partition is assigned, which keeps the topic alive.
    unsafe { text(sys::rd_kafka_topic_name(topic.0.as_ptr())) }
}

/// Sends what waits and returns when the broker has answered for all of it, or after `timeout`;
/// returns whether nothing is left. The lingering of batches ends at once.
pub(crate) fn flush<C: ProducerContext>(producer: &BaseProducer<C>, timeout: Duration) -> bool {
    let timeout_ms = i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX);
    // SAFETY: the pointer is that of a live producer.
    let result = unsafe { sys::rd_kafka_flush(producer.client().native_ptr(), timeout_ms) };
    result == sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR
}

/// The topic whose leaders are the coordinators of transactions.
const TRANSACTION_STATE: &CStr = c"__transaction_state";

/// Waits until a producer has a connection that stays, but no longer than `timeout`.
///
/// librdkafka connects when it is asked something that needs a broker, or else at the next turn of
/// a clock that turns once a second. Its first connection is given up as soon as that has told the
/// brokers by name: whoever looks for one then finds none. So a second answer is waited for.
pub(crate) fn connect<C: ProducerContext>(producer: &BaseProducer<C>, timeout: Duration) {
    let deadline = Instant::now() + timeout;
    // It comes with the brokers' names.
    let knows_brokers = producer.client().fetch_cluster_id(Duration::ZERO).is_some();
    if !knows_brokers {
        ask(producer, timeout);
    }
    ask(producer, deadline.saturating_duration_since(Instant::now()));
}

/// Asks a broker for one topic, since without any librdkafka asks for all, and waits for an answer.
fn ask<C: ProducerContext>(producer: &BaseProducer<C>, timeout: Duration) {
    let timeout_ms = i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX);
    let mut answer = std::ptr::null();
    // SAFETY: the pointer is that of a live producer, the topic's is given back after its only
    // use, and the answer is written only if there is one, which is then ours to give back.
    unsafe {
        let client = producer.client().native_ptr();
        let settings = std::ptr::null_mut();
        let topic = sys::rd_kafka_topic_new(client, TRANSACTION_STATE.as_ptr(), settings);
        if topic.is_null() {
            return;
        }
        // Whatever it answers, it is there.
        sys::rd_kafka_metadata(client, 0, topic, &raw mut answer, timeout_ms);
        if !answer.is_null() {
            sys::rd_kafka_metadata_destroy(answer);
        }
        sys::rd_kafka_topic_destroy(topic);
    }
}

/// Lets a producer fail for good with this code, as an answer that cannot be right does.
#[cfg(test)]
pub(crate) fn raise_fatal_error<C: ProducerContext>(
    producer: &BaseProducer<C>,
    code: sys::rd_kafka_resp_err_t,
) {
    // SAFETY: the pointers are those of a live producer and of a text with its end.
    unsafe {
        sys::rd_kafka_test_fatal_error(producer.client().native_ptr(), code, c"a test".as_ptr());
    }
}
