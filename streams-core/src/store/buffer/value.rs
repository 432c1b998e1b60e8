//! What stands in a buffer, in the bytes of its changelog (`BufferValue`, version 3).

use crate::record::{Header, Headers};
use crate::store::context::{RecordOrigin, RecordView};

/// Values that wait in a buffer, with the record that brought the last of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store) struct BufferValue {
    /// The value that those downstream have seen last.
    pub(super) prior: Option<Box<[u8]>>,
    pub(super) old: Option<Box<[u8]>>,
    pub(super) new: Option<Box<[u8]>>,
    pub(super) record: RecordView,
}

/// The length that stands for null.
const NULL: i32 = -1;
/// The length of an old value that says that it is the prior one.
const AS_PRIOR: i32 = -2;

impl BufferValue {
    /// The bytes, and behind them a time (`BufferValue.serialize` with its end padding).
    pub(in crate::store) fn encode(&self, time_ms: i64) -> Vec<u8> {
        let mut bytes = Vec::new();
        push_record(&mut bytes, &self.record);
        push_bytes(&mut bytes, self.prior.as_deref());
        match &self.old {
            Some(_) if self.old == self.prior => push_i32(&mut bytes, AS_PRIOR),
            old => push_bytes(&mut bytes, old.as_deref()),
        }
        push_bytes(&mut bytes, self.new.as_deref());
        bytes.extend_from_slice(&time_ms.to_be_bytes());
        bytes
    }

    /// Reads what [`Self::encode`] has written; `None` if it is something else.
    pub(in crate::store) fn decode(bytes: &[u8]) -> Option<(Self, i64)> {
        let mut reader = Reader(bytes);
        let read = reader.value().ok()?;
        reader.0.is_empty().then_some(read)
    }

    #[cfg(test)]
    pub(in crate::store) fn set_partition(&mut self, partition: i32) {
        if let Some(origin) = &mut self.record.origin {
            origin.partition = partition;
        }
    }

    #[cfg(test)]
    pub(in crate::store) fn set_topic(&mut self, topic: &str) {
        if let Some(origin) = &mut self.record.origin {
            origin.topic = topic.into();
        }
    }

    /// The memory that it takes by the JVM's estimate, by which the bounds of buffers are meant.
    pub(super) fn size(&self) -> usize {
        let length = |value: &Option<Box<[u8]>>| value.as_ref().map_or(0, |value| value.len());
        let old = match self.old == self.prior {
            true => 0,
            false => length(&self.old),
        };
        length(&self.prior) + old + length(&self.new) + record_size(&self.record)
    }
}

/// `ProcessorRecordContext.residentMemorySizeEstimate`: text counts in UTF-16 units.
fn record_size(record: &RecordView) -> usize {
    let chars = |text: &str| text.encode_utf16().count();
    let topic = record.origin.as_ref().map_or(0, |it| chars(&it.topic));
    let headers = record
        .headers
        .iter()
        .map(|header| chars(&header.key) + header.value.as_ref().map_or(0, |value| value.len()));
    8 + 8 + topic + 4 + headers.sum::<usize>()
}

/// `ProcessorRecordContext.serialize`.
fn push_record(bytes: &mut Vec<u8>, record: &RecordView) {
    let origin = record.origin.as_ref();
    let (topic, partition, offset) = match origin {
        Some(origin) => (&*origin.topic, origin.partition, origin.offset),
        None => ("", -1, -1),
    };
    bytes.extend_from_slice(&record.timestamp_ms.to_be_bytes());
    bytes.extend_from_slice(&offset.to_be_bytes());
    push_bytes(bytes, Some(topic.as_bytes()));
    push_i32(bytes, partition);
    push_i32(bytes, record.headers.len() as i32);
    for header in &record.headers {
        push_bytes(bytes, Some(header.key.as_bytes()));
        push_bytes(bytes, header.value.as_deref());
    }
}

fn push_i32(bytes: &mut Vec<u8>, number: i32) {
    bytes.extend_from_slice(&number.to_be_bytes());
}

fn push_bytes(bytes: &mut Vec<u8>, value: Option<&[u8]>) {
    push_i32(bytes, value.map_or(NULL, |value| value.len() as i32));
    bytes.extend_from_slice(value.unwrap_or_default());
}

/// Bytes that nobody has written here.
struct Malformed;

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn i32(&mut self) -> Result<i32, Malformed> {
        let (number, rest) = self.0.split_first_chunk().ok_or(Malformed)?;
        self.0 = rest;
        Ok(i32::from_be_bytes(*number))
    }

    fn i64(&mut self) -> Result<i64, Malformed> {
        let (number, rest) = self.0.split_first_chunk().ok_or(Malformed)?;
        self.0 = rest;
        Ok(i64::from_be_bytes(*number))
    }

    /// Bytes behind their length, or null.
    fn bytes(&mut self) -> Result<Option<&'a [u8]>, Malformed> {
        let length = self.i32()?;
        self.sized(length)
    }

    fn sized(&mut self, length: i32) -> Result<Option<&'a [u8]>, Malformed> {
        if length == NULL {
            return Ok(None);
        }
        let length = usize::try_from(length).map_err(|_| Malformed)?;
        let (bytes, rest) = self.0.split_at_checked(length).ok_or(Malformed)?;
        self.0 = rest;
        Ok(Some(bytes))
    }

    fn text(&mut self) -> Result<&'a str, Malformed> {
        let bytes = self.bytes()?.ok_or(Malformed)?;
        std::str::from_utf8(bytes).map_err(|_| Malformed)
    }

    fn value(&mut self) -> Result<(BufferValue, i64), Malformed> {
        let record = self.record()?;
        let prior = self.bytes()?.map(Box::from);
        let old = match self.i32()? {
            AS_PRIOR => prior.clone(),
            length => self.sized(length)?.map(Box::from),
        };
        let new = self.bytes()?.map(Box::from);
        let value = BufferValue {
            prior,
            old,
            new,
            record,
        };
        Ok((value, self.i64()?))
    }

    fn record(&mut self) -> Result<RecordView, Malformed> {
        let timestamp_ms = self.i64()?;
        let offset = self.i64()?;
        let topic = self.text()?.into();
        let partition = self.i32()?;
        // -1 stands for none (`ProcessorRecordContext.deserialize`).
        let headers = (0..self.i32()?).map(|_| {
            Ok(Header {
                key: self.text()?.into(),
                value: self.bytes()?.map(Box::from),
            })
        });
        let headers = headers.collect::<Result<Headers, Malformed>>()?;
        let origin = RecordOrigin {
            topic,
            partition,
            offset,
        };
        Ok(RecordView {
            timestamp_ms,
            headers,
            origin: Some(origin),
        })
    }
}
