//! Puts fields into the text of an object, and leaves all else as it is.

use std::io::Write as _;
use std::ops::Range;

use serde_json::value::RawValue;

use super::wire::Stamped;

/// The fields that a processor adds to an event.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stamp<'a> {
    /// `processed_at`: when it was processed, in milliseconds since the epoch.
    pub processed_at_ms: i64,
    /// `processor`: what has processed it.
    pub processor: Option<&'a str>,
    /// `event_type`, such as `user_created`.
    pub event_type: Option<&'a str>,
}

/// Room for the names and values that are usually added.
const ADDED_BYTES: usize = 128;

/// The text of an object with the fields of a stamp. `stamped` are parts of `text`.
pub(super) fn splice(text: &str, stamped: Stamped<'_>, stamp: &Stamp<'_>) -> Vec<u8> {
    let processed_at = Some(Value::Number(stamp.processed_at_ms));
    let processor = stamp.processor.map(Value::Text);
    let event_type = stamp.event_type.map(Value::Text);
    let fields = [
        Field::new("processed_at", stamped.processed_at, processed_at),
        Field::new("processor", stamped.processor, processor),
        Field::new("event_type", stamped.event_type, event_type),
    ];
    let text = text.trim_ascii_end();
    let end = text.len().saturating_sub("}".len());
    let mut output = Vec::with_capacity(text.len() + ADDED_BYTES);
    let mut present: Vec<(Range<usize>, Value<'_>)> = Vec::new();
    for field in &fields {
        if let (Some(old), Some(value)) = (field.old, field.value) {
            present.push((place(text, old), value));
        }
    }
    present.sort_by_key(|(range, _)| range.start);
    let mut copied = 0;
    for (range, value) in present {
        output.extend_from_slice(text.get(copied..range.start).unwrap_or_default().as_bytes());
        value.write(&mut output);
        copied = range.end;
    }
    output.extend_from_slice(text.get(copied..end).unwrap_or_default().as_bytes());
    for field in fields.iter().filter(|field| field.old.is_none()) {
        if let Some(value) = field.value {
            // An event has `payload` or `op`: something stands before what is added.
            output.extend_from_slice(b",\"");
            output.extend_from_slice(field.name.as_bytes());
            output.extend_from_slice(b"\":");
            value.write(&mut output);
        }
    }
    output.push(b'}');
    output
}

struct Field<'a> {
    name: &'static str,
    old: Option<&'a RawValue>,
    value: Option<Value<'a>>,
}

impl<'a> Field<'a> {
    fn new(name: &'static str, old: Option<&'a RawValue>, value: Option<Value<'a>>) -> Self {
        Self { name, old, value }
    }
}

#[derive(Clone, Copy)]
enum Value<'a> {
    Number(i64),
    Text(&'a str),
}

impl Value<'_> {
    fn write(self, output: &mut Vec<u8>) {
        // Writing into memory does not fail.
        let _ = match self {
            Self::Number(number) => write!(output, "{number}"),
            Self::Text(text) => serde_json::to_writer(output, text).map_err(Into::into),
        };
    }
}

/// Where a part of a text stands in it.
fn place(text: &str, part: &RawValue) -> Range<usize> {
    let start = (part.get().as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
    debug_assert!(start + part.get().len() <= text.len(), "a part of the text");
    start..start + part.get().len()
}
