//! The first and the last offsets of many partitions, in one question.

use std::ffi::CString;
use std::ptr::NonNull;
use std::time::Duration;

use rdkafka::bindings as sys;
use rdkafka::client::{Client, ClientContext};
use rdkafka::error::RDKafkaErrorCode;

use super::{Event, topic_partition};
use crate::id::TopicPartition;

/// A question for the first or the last offsets of partitions, on its way.
pub(crate) struct OffsetQuery(NonNull<sys::rd_kafka_queue_t>);

// SAFETY: librdkafka's queues are locked inside and may be used from any thread.
unsafe impl Send for OffsetQuery {}

/// Which offsets are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OffsetEnd {
    First,
    /// Behind the last record, whether or not its transaction is committed.
    Last,
}

type OffsetAnswer = Result<Vec<(TopicPartition, Result<i64, RDKafkaErrorCode>)>, RDKafkaErrorCode>;

impl OffsetQuery {
    /// Asks; the answer comes within `timeout`, or an error in its place.
    pub(crate) fn ask<C: ClientContext>(
        client: &Client<C>,
        partitions: &[TopicPartition],
        end: OffsetEnd,
        timeout: Duration,
    ) -> Option<Self> {
        let client = client.native_ptr();
        let timeout_ms = i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX);
        let offset = match end {
            OffsetEnd::First => sys::rd_kafka_OffsetSpec_t::RD_KAFKA_OFFSET_SPEC_EARLIEST,
            OffsetEnd::Last => sys::rd_kafka_OffsetSpec_t::RD_KAFKA_OFFSET_SPEC_LATEST,
        };
        // SAFETY: the client is live; list and options are destroyed here, the queue on drop.
        unsafe {
            let queue = NonNull::new(sys::rd_kafka_queue_new(client)).map(Self)?;
            let list = sys::rd_kafka_topic_partition_list_new(
                i32::try_from(partitions.len()).unwrap_or(i32::MAX),
            );
            for TopicPartition { topic, partition } in partitions {
                let Ok(topic) = CString::new(&**topic) else {
                    continue;
                };
                let place =
                    sys::rd_kafka_topic_partition_list_add(list, topic.as_ptr(), *partition);
                if let Some(place) = place.as_mut() {
                    place.offset = offset as i64;
                }
            }
            let operation = sys::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_LISTOFFSETS;
            let options = sys::rd_kafka_AdminOptions_new(client, operation);
            sys::rd_kafka_AdminOptions_set_request_timeout(
                options,
                timeout_ms,
                std::ptr::null_mut(),
                0,
            );
            sys::rd_kafka_ListOffsets(client, list, options, queue.0.as_ptr());
            sys::rd_kafka_AdminOptions_destroy(options);
            sys::rd_kafka_topic_partition_list_destroy(list);
            Some(queue)
        }
    }

    /// The answer, if it comes within `timeout`.
    pub(crate) fn answer(&self, timeout: Duration) -> Option<OffsetAnswer> {
        let timeout_ms = i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX);
        // SAFETY: the queue is live; the event is destroyed by `Event`, which owns the answer.
        unsafe {
            let event = sys::rd_kafka_queue_poll(self.0.as_ptr(), timeout_ms);
            let event = NonNull::new(event).map(Event)?;
            let error = sys::rd_kafka_event_error(event.0.as_ptr());
            if error != sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
                return Some(Err(error.into()));
            }
            let result = sys::rd_kafka_event_ListOffsets_result(event.0.as_ptr());
            if result.is_null() {
                return None;
            }
            let mut count = 0;
            let infos = sys::rd_kafka_ListOffsets_result_infos(result, &raw mut count);
            if infos.is_null() {
                return Some(Ok(Vec::new()));
            }
            let infos = std::slice::from_raw_parts(infos, count).iter();
            let offsets = infos.filter_map(|info| {
                let place = sys::rd_kafka_ListOffsetsResultInfo_topic_partition(*info);
                let place = place.as_ref()?;
                let offset = match place.err {
                    sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR => Ok(place.offset),
                    error => Err(error.into()),
                };
                Some((topic_partition(place), offset))
            });
            Some(Ok(offsets.collect()))
        }
    }
}

impl Drop for OffsetQuery {
    fn drop(&mut self) {
        // SAFETY: this gives back what `ask` has taken.
        unsafe { sys::rd_kafka_queue_destroy(self.0.as_ptr()) }
    }
}
