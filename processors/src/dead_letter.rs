//! The dead letters of `processors events`: a JSON document about the event that failed.
//!
//! | field | what it is |
//! |---|---|
//! | `original_event` | the event: as it is if it is JSON, else as text, else its bytes in base64 |
//! | `original_encoding` | `json`, `text`, `base64`, or `null` for a null value |
//! | `error` | why it failed |
//! | `error_type` | `permanent` or `temporary` |
//! | `timestamp` | when it failed, in milliseconds since the epoch |
//! | `retry_count` | how often it was tried again |
//! | `source_topic`, `source_partition`, `source_offset` | where it came from |
//!
//! The record has the original key and headers, and KIP-1034's headers. A document that would be
//! larger than brokers take is not made: then the value is the original bytes. The header
//! `dead_letter.format` tells `document` from `original`.

use std::io::Write as _;
use std::str;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::IgnoredAny;
use streams_core::clock::Clock;
use streams_dsl::{
    FixedKeyProcessor, FixedKeyProcessorContext, FixedKeyRecord, ProcessorError, RecordMetadata,
    Rejected,
};

use crate::failure::ProcessingError;
use crate::settings::Bytes;

/// The header that tells whether the value is a document.
pub const FORMAT_HEADER: &str = "dead_letter.format";

/// The largest document, in bytes: of the 1 MiB that brokers take, the rest is for key and headers.
pub const DOCUMENT_BYTES_MAX: usize = 1_000_000;

/// Puts the document about a rejected value in its place.
pub struct Document {
    clock: Arc<dyn Clock>,
}

type Failed = Rejected<Bytes, ProcessingError>;

impl Document {
    /// Documents with times of this clock.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock }
    }
}

impl FixedKeyProcessor<Bytes, Failed, Failed> for Document {
    fn process(
        &mut self,
        context: &mut FixedKeyProcessorContext<'_, Bytes, Failed>,
        mut record: FixedKeyRecord<Bytes, Failed>,
    ) -> Result<(), ProcessorError> {
        let now_ms = self.clock.now_ms();
        let document = document(record.value(), now_ms, context.record_metadata());
        let format = match document {
            Some(_) => "document",
            None => "original",
        };
        record.headers_mut().add(FORMAT_HEADER, format.as_bytes());
        context.forward(record.map_value(|_, failed| match document {
            Some(document) => Rejected {
                value: Some(document),
                ..failed
            },
            None => failed,
        }));
        Ok(())
    }
}

/// The document; `None` if it would be too large.
fn document(failed: &Failed, now_ms: i64, from: Option<RecordMetadata<'_>>) -> Option<Vec<u8>> {
    let value = failed.value.as_deref();
    if value.is_some_and(|value| value.len() > DOCUMENT_BYTES_MAX) {
        return None;
    }
    let mut output = Vec::with_capacity(value.map_or(0, <[u8]>::len) + 256);
    output.extend_from_slice(br#"{"original_event":"#);
    let encoding = write_original(value, &mut output)?;
    let error = serde_json::to_string(&failed.error.to_string()).ok()?;
    let (kind, retries) = (failed.error.kind(), failed.retries);
    write!(
        output,
        r#","original_encoding":"{encoding}","error":{error},"error_type":"{kind}""#
    )
    .ok()?;
    write!(output, r#","timestamp":{now_ms},"retry_count":{retries}"#).ok()?;
    if let Some(from) = from {
        let (topic, partition, offset) = (from.topic, from.partition, from.offset);
        // Kafka allows no character in a topic's name that JSON escapes.
        write!(
            output,
            r#","source_topic":"{topic}","source_partition":{partition},"source_offset":{offset}"#
        )
        .ok()?;
    }
    output.push(b'}');
    (output.len() <= DOCUMENT_BYTES_MAX).then_some(output)
}

/// Writes the original as JSON, and returns how it can be read back.
fn write_original(value: Option<&[u8]>, output: &mut Vec<u8>) -> Option<&'static str> {
    let Some(value) = value else {
        output.extend_from_slice(b"null");
        return Some("null");
    };
    match str::from_utf8(value) {
        Ok(text) if is_json(text) => {
            output.extend_from_slice(value);
            Some("json")
        }
        Ok(text) => {
            serde_json::to_writer(&mut *output, text).ok()?;
            Some("text")
        }
        Err(_) => {
            write!(output, "\"{}\"", STANDARD.encode(value)).ok()?;
            Some("base64")
        }
    }
}

/// Whether a text is JSON without space around it, which a reader of the document would lose.
fn is_json(text: &str) -> bool {
    text.trim_ascii().len() == text.len() && serde_json::from_str::<IgnoredAny>(text).is_ok()
}
