//! What is read of an event's text.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::Operation;

/// The top level: a wrapper around the change, or the change itself.
#[derive(Debug)]
pub(super) struct Wire<'a> {
    wrapped: bool,
    change: Change<'a>,
    stamped: Stamped<'a>,
}

/// The change: Debezium's envelope.
#[derive(Debug, Default)]
pub(super) struct Change<'a> {
    pub(super) operation: Option<Code>,
    pub(super) before: Option<&'a RawValue>,
    pub(super) after: Option<&'a RawValue>,
    pub(super) source: Option<Source<'a>>,
}

/// The fields that a stamp writes, where an earlier processor has left them.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Stamped<'a> {
    pub(super) processed_at: Option<&'a RawValue>,
    pub(super) event_type: Option<&'a RawValue>,
    pub(super) processor: Option<&'a RawValue>,
}

/// Where the change came from.
#[derive(Debug, Deserialize)]
pub(super) struct Source<'a> {
    #[serde(borrow, default)]
    pub(super) table: Option<Text<'a>>,
}

/// Text that is borrowed unless it has escapes.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(super) struct Text<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

/// The value of `op`, whatever it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Code {
    Known(Operation),
    Unknown,
}

impl Code {
    pub(super) fn known(self) -> Option<Operation> {
        match self {
            Self::Known(operation) => Some(operation),
            Self::Unknown => None,
        }
    }
}

impl<'a> Wire<'a> {
    pub(super) fn is_wrapped(&self) -> bool {
        self.wrapped
    }

    pub(super) fn operation(&self) -> Option<Code> {
        self.change.operation
    }

    pub(super) fn change(&self) -> &Change<'a> {
        &self.change
    }

    pub(super) fn stamped(&self) -> Stamped<'a> {
        self.stamped
    }
}

/// The keys that are looked at; all others are passed over.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum Key {
    Payload,
    Op,
    Before,
    After,
    Source,
    ProcessedAt,
    EventType,
    Processor,
    #[serde(other)]
    Other,
}

impl<'a> Change<'a> {
    /// Takes the value of `key` if it is part of an envelope; of a repeated key the last one, as
    /// Jackson does. Returns whether it was.
    fn take<M: MapAccess<'a>>(&mut self, key: Key, map: &mut M) -> Result<bool, M::Error> {
        match key {
            Key::Op => self.operation = map.next_value()?,
            Key::Before => self.before = map.next_value()?,
            Key::After => self.after = map.next_value()?,
            Key::Source => self.source = map.next_value()?,
            _ => return Ok(false),
        }
        Ok(true)
    }
}

impl<'de> Deserialize<'de> for Wire<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(WireVisitor)
    }
}

struct WireVisitor;

impl<'de> Visitor<'de> for WireVisitor {
    type Value = Wire<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a change event")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        let (mut bare, mut payload) = (Change::default(), None);
        let (mut wrapped, mut stamped) = (false, Stamped::default());
        while let Some(key) = map.next_key()? {
            match key {
                Key::Payload => {
                    wrapped = true;
                    payload = map.next_value::<Option<Payload<'de>>>()?;
                }
                Key::ProcessedAt => stamped.processed_at = Some(map.next_value()?),
                Key::EventType => stamped.event_type = Some(map.next_value()?),
                Key::Processor => stamped.processor = Some(map.next_value()?),
                other => {
                    if !bare.take(other, &mut map)? {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
            }
        }
        let payload = payload.map(|payload| payload.0);
        let change = if wrapped {
            payload.unwrap_or_default()
        } else {
            bare
        };
        Ok(Wire {
            wrapped,
            change,
            stamped,
        })
    }
}

/// A change inside the wrapper.
struct Payload<'a>(Change<'a>);

impl<'de> Deserialize<'de> for Payload<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(PayloadVisitor)
    }
}

struct PayloadVisitor;

impl<'de> Visitor<'de> for PayloadVisitor {
    type Value = Payload<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the payload of a change event")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        let mut change = Change::default();
        while let Some(key) = map.next_key()? {
            if !change.take(key, &mut map)? {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(Payload(change))
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(CodeVisitor)
    }
}

/// Takes any JSON, so that a wrong `op` is told from a wrong document.
struct CodeVisitor;

impl<'de> Visitor<'de> for CodeVisitor {
    type Value = Code;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an operation")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Code, E> {
        Ok(match text {
            "c" => Code::Known(Operation::Create),
            "u" => Code::Known(Operation::Update),
            "d" => Code::Known(Operation::Delete),
            "r" => Code::Known(Operation::Read),
            _ => Code::Unknown,
        })
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<Code, E> {
        Ok(Code::Unknown)
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<Code, E> {
        Ok(Code::Unknown)
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<Code, E> {
        Ok(Code::Unknown)
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<Code, E> {
        Ok(Code::Unknown)
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut seq: S) -> Result<Code, S::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Code::Unknown)
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Code, M::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Code::Unknown)
    }
}
