//! Records handed to a producer by its own handles of topics, which are found faster than by
//! librdkafka, and without a copy of the name.

use std::collections::HashMap;
use std::ffi::{CString, c_char, c_void};
use std::ptr::NonNull;
use std::sync::{Arc, Mutex, PoisonError};

use rdkafka::bindings as sys;
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::producer::{BaseProducer, Producer as _, ProducerContext};

use super::TopicHandle;
use sys::rd_kafka_vtype_t as Kind;

/// A record to send; the bytes are copied.
#[derive(Clone, Copy)]
pub(crate) struct NativeOutgoing<'a> {
    pub(crate) topic: &'a str,
    /// `None` lets the producer choose.
    pub(crate) partition: Option<i32>,
    pub(crate) key: Option<&'a [u8]>,
    pub(crate) value: Option<&'a [u8]>,
    /// In milliseconds since the epoch; 0 is the time of sending.
    pub(crate) timestamp_ms: i64,
}

/// The topics that a producer has sent to. They go before it.
pub(crate) struct ProducerTopics<C: ProducerContext> {
    producer: Arc<BaseProducer<C>>,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    handles: HashMap<Arc<str>, TopicHandle>,
    /// What the last records went to: a table's change and its output alternate.
    recent: [Option<(Arc<str>, TopicHandle)>; 2],
}

// SAFETY: librdkafka's topics are locked inside and may be used from any thread.
unsafe impl Send for Known {}

impl<C: ProducerContext> ProducerTopics<C> {
    /// No topic of this producer yet.
    pub(crate) fn of(producer: Arc<BaseProducer<C>>) -> Self {
        Self {
            producer,
            known: Mutex::default(),
        }
    }

    fn client(&self) -> *mut sys::rd_kafka_t {
        self.producer.client().native_ptr()
    }

    /// Gives a record to the producer, and its headers if it takes it.
    ///
    /// # Errors
    /// If the producer does not take it: among others `QueueFull`.
    pub(crate) fn produce(
        &self,
        record: NativeOutgoing<'_>,
        headers: &mut Option<NativeHeaders>,
    ) -> Result<(), RDKafkaErrorCode> {
        let topic = self.topic(record.topic)?;
        let list = headers
            .as_ref()
            .map_or(std::ptr::null_mut(), |headers| headers.0.as_ptr());
        let parts = [
            part(
                Kind::RD_KAFKA_VTYPE_RKT,
                Union {
                    rkt: topic.0.as_ptr(),
                },
            ),
            part(
                Kind::RD_KAFKA_VTYPE_PARTITION,
                Union {
                    i32_: record.partition.unwrap_or(PARTITION_UNASSIGNED),
                },
            ),
            part(
                Kind::RD_KAFKA_VTYPE_MSGFLAGS,
                Union {
                    i: sys::RD_KAFKA_MSG_F_COPY,
                },
            ),
            part(Kind::RD_KAFKA_VTYPE_KEY, memory(record.key)),
            part(Kind::RD_KAFKA_VTYPE_VALUE, memory(record.value)),
            part(
                Kind::RD_KAFKA_VTYPE_TIMESTAMP,
                Union {
                    i64_: record.timestamp_ms,
                },
            ),
            part(Kind::RD_KAFKA_VTYPE_HEADERS, Union { headers: list }),
        ];
        // Without headers their part is left out.
        let count = parts.len() - usize::from(list.is_null());
        // SAFETY: the client and the topic are live, and every part is of the kind it says.
        unsafe {
            let error = sys::rd_kafka_produceva(self.client(), parts.as_ptr(), count);
            if !error.is_null() {
                let code = sys::rd_kafka_error_code(error);
                sys::rd_kafka_error_destroy(error);
                return Err(code.into());
            }
        }
        // They are the producer's now.
        std::mem::forget(headers.take());
        Ok(())
    }

    fn topic(&self, name: &str) -> Result<TopicHandle, RDKafkaErrorCode> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let recent = known.recent.iter().flatten();
        for (recent, handle) in recent {
            if **recent == *name {
                return Ok(*handle);
            }
        }
        let (name, handle) = match known.handles.get_key_value(name) {
            Some((name, handle)) => (Arc::clone(name), *handle),
            None => {
                let (name, handle) = (Arc::from(name), self.open(name)?);
                known.handles.insert(Arc::clone(&name), handle);
                (name, handle)
            }
        };
        known.recent.swap(0, 1);
        known.recent[0] = Some((name, handle));
        Ok(handle)
    }

    fn open(&self, name: &str) -> Result<TopicHandle, RDKafkaErrorCode> {
        let name = CString::new(name).map_err(|_| RDKafkaErrorCode::InvalidTopic)?;
        // SAFETY: the client is live; the topic is given back on drop.
        let topic =
            unsafe { sys::rd_kafka_topic_new(self.client(), name.as_ptr(), std::ptr::null_mut()) };
        match NonNull::new(topic) {
            Some(topic) => Ok(TopicHandle(topic)),
            // SAFETY: this reads what the last call on this thread has left.
            None => Err(unsafe { sys::rd_kafka_last_error() }.into()),
        }
    }
}

impl<C: ProducerContext> Drop for ProducerTopics<C> {
    fn drop(&mut self) {
        let known = self.known.get_mut().unwrap_or_else(PoisonError::into_inner);
        for topic in known.handles.values() {
            // SAFETY: this gives back what `open` has taken, while the producer lives.
            unsafe { sys::rd_kafka_topic_destroy(topic.0.as_ptr()) }
        }
    }
}

/// What lets the producer choose (`RD_KAFKA_PARTITION_UA`).
const PARTITION_UNASSIGNED: i32 = -1;

type Union = sys::rd_kafka_vu_s__bindgen_ty_1;

fn part(kind: Kind, value: Union) -> sys::rd_kafka_vu_t {
    sys::rd_kafka_vu_t {
        vtype: kind,
        u: value,
    }
}

/// Bytes, or null.
fn memory(bytes: Option<&[u8]>) -> Union {
    let (start, size) = match bytes {
        Some(bytes) => (bytes.as_ptr(), bytes.len()),
        None => (std::ptr::null(), 0),
    };
    // They are only read, although C does not say so.
    let ptr = start.cast_mut().cast::<c_void>();
    let mem = sys::rd_kafka_vu_s__bindgen_ty_1__bindgen_ty_1 { ptr, size };
    Union { mem }
}

/// Headers in the client's own form.
#[derive(Debug)]
pub(crate) struct NativeHeaders(NonNull<sys::rd_kafka_headers_t>);

// SAFETY: a list of headers is plain memory.
unsafe impl Send for NativeHeaders {}
// SAFETY: it is not changed once it is made.
unsafe impl Sync for NativeHeaders {}

impl NativeHeaders {
    /// These headers, in order.
    pub(crate) fn new<'a>(
        headers: impl ExactSizeIterator<Item = (&'a str, Option<&'a [u8]>)>,
    ) -> Self {
        // SAFETY: the list is ours, and each header's bytes are copied.
        let list = Self::own(unsafe { sys::rd_kafka_headers_new(headers.len()) });
        for (name, value) in headers {
            let (start, size) = match value {
                Some(value) => (value.as_ptr(), value.len()),
                None => (std::ptr::null(), 0),
            };
            // SAFETY: as above; the lengths are those of the bytes.
            unsafe {
                sys::rd_kafka_header_add(
                    list.0.as_ptr(),
                    name.as_ptr().cast::<c_char>(),
                    name.len() as isize,
                    start.cast::<c_void>(),
                    size as isize,
                );
            }
        }
        list
    }

    /// A copy.
    pub(crate) fn copy(&self) -> Self {
        // SAFETY: the list is live, and the copy ours.
        Self::own(unsafe { sys::rd_kafka_headers_copy(self.0.as_ptr()) })
    }

    /// A list that was just made. librdkafka ends the process when memory is short, so there is
    /// always one.
    fn own(list: *mut sys::rd_kafka_headers_t) -> Self {
        match NonNull::new(list) {
            Some(list) => Self(list),
            None => unreachable!("librdkafka has made no list of headers"),
        }
    }
}

impl Drop for NativeHeaders {
    fn drop(&mut self) {
        // SAFETY: the list is ours; a producer's was forgotten.
        unsafe { sys::rd_kafka_headers_destroy(self.0.as_ptr()) }
    }
}
