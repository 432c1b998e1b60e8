//! A change event, as Debezium writes it and as it is passed on.
//!
//! Only what decides is read from the text; what is added is spliced into it. So the order of the
//! keys, the digits of the numbers and all that is not known here stay as they came, and a record
//! costs one pass over its bytes.

mod row;
mod splice;
mod wire;

use std::borrow::Cow;
use std::str;

use serde_json::error::Category;
use serde_json::value::RawValue;
use thiserror::Error;

pub use row::{Column, Row};
pub use splice::Stamp;

use wire::Wire;

/// What happened to a row (`op` of Debezium's envelope).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// `c`: it was inserted.
    Create,
    /// `u`: it was updated.
    Update,
    /// `d`: it was deleted.
    Delete,
    /// `r`: a snapshot has read it.
    Read,
}

/// Why a record is no change event. Holds nothing of the record's content.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EventError {
    /// The key is there and is not text.
    #[error("the key is not UTF-8: byte {at} is invalid")]
    KeyNotText {
        /// The place of the first wrong byte.
        at: usize,
    },
    /// There is no value: a tombstone.
    #[error("the value is null")]
    NullValue,
    /// The value leaves no room for what is added, within what brokers take.
    #[error("the value has {bytes} bytes, and at most {bytes_max} are taken (--value-bytes-max)")]
    TooLarge {
        /// The size of the value, in bytes.
        bytes: usize,
        /// The largest that is taken, in bytes.
        bytes_max: usize,
    },
    /// The value is not text.
    #[error("the value is not UTF-8: byte {at} is invalid")]
    NotText {
        /// The place of the first wrong byte.
        at: usize,
    },
    /// The value is not JSON.
    #[error("the value is not JSON: {reason}")]
    NotJson {
        /// What the parser says, with the place.
        reason: String,
    },
    /// The value is JSON of another shape.
    #[error(
        "the value is no change event: an object was expected near line {line} column {column}"
    )]
    OtherShape {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// The envelope does not say what happened.
    #[error("payload.op is missing")]
    OperationMissing,
    /// There is no envelope: the connector may have unwrapped the row.
    #[error("payload.op is missing, and so is op: the value is no envelope")]
    EnvelopeMissing,
    /// The envelope says something unknown.
    #[error("payload.op is none of c, u, d and r")]
    OperationUnknown,
}

/// A change event whose text has been looked through once; it borrows from the text.
#[derive(Debug)]
pub struct ChangeEvent<'a> {
    key: Option<&'a str>,
    text: &'a str,
    operation: Operation,
    wire: Wire<'a>,
}

impl<'a> ChangeEvent<'a> {
    /// Reads a record's key and value, with or without Connect's `{"schema", "payload"}` wrapper.
    ///
    /// # Errors
    /// If the record is no change event, or its value has more than `value_bytes_max` bytes.
    pub fn read(
        key: Option<&'a [u8]>,
        value: Option<&'a [u8]>,
        value_bytes_max: usize,
    ) -> Result<Self, EventError> {
        let key = key.map(str::from_utf8).transpose();
        let key = key.map_err(|error| EventError::KeyNotText {
            at: error.valid_up_to(),
        })?;
        let value = value.ok_or(EventError::NullValue)?;
        if value.len() > value_bytes_max {
            return Err(EventError::TooLarge {
                bytes: value.len(),
                bytes_max: value_bytes_max,
            });
        }
        let text = str::from_utf8(value).map_err(|error| EventError::NotText {
            at: error.valid_up_to(),
        })?;
        let wire: Wire<'a> = serde_json::from_str(text).map_err(|error| not_an_event(&error))?;
        let operation = match wire.operation() {
            Some(code) => code.known().ok_or(EventError::OperationUnknown)?,
            None if wire.is_wrapped() => return Err(EventError::OperationMissing),
            None => return Err(EventError::EnvelopeMissing),
        };
        Ok(Self {
            key,
            text,
            operation,
            wire,
        })
    }

    /// What happened.
    pub fn operation(&self) -> Operation {
        self.operation
    }

    /// The record's key, as text.
    pub fn key(&self) -> Option<&'a str> {
        self.key
    }

    /// Whether the event came in Connect's `{"schema", "payload"}` wrapper.
    pub fn is_wrapped(&self) -> bool {
        self.wire.is_wrapped()
    }

    /// The row before the change, as JSON; `None` if it is null or not there.
    pub fn before(&self) -> Option<&'a RawValue> {
        self.wire.change().before
    }

    /// The row after the change, as JSON; `None` if it is null or not there.
    pub fn after(&self) -> Option<&'a RawValue> {
        self.wire.change().after
    }

    /// The columns of the row after the change; `None` if there is none.
    ///
    /// # Errors
    /// If it is not an object.
    pub fn row(&self) -> Result<Option<Row<'a>>, EventError> {
        self.after().map(Row::read).transpose()
    }

    /// The table that `source` names.
    pub fn table(&self) -> Option<&str> {
        let source = self.wire.change().source.as_ref()?;
        source.table.as_ref().map(|table| match &table.0 {
            Cow::Borrowed(name) => name,
            Cow::Owned(name) => name.as_str(),
        })
    }

    /// The text with these fields at its top level: beside `payload` in the wrapped form, beside
    /// `op` in the other. A field that is there already is replaced, others go to the end, as
    /// Jackson's `ObjectNode.put` does.
    pub fn stamped(&self, stamp: &Stamp<'_>) -> Vec<u8> {
        splice::splice(self.text, self.wire.stamped(), stamp)
    }
}

fn not_an_event(error: &serde_json::Error) -> EventError {
    match error.classify() {
        // The parser's own words for these would quote the record.
        Category::Data => EventError::OtherShape {
            line: error.line(),
            column: error.column(),
        },
        Category::Syntax | Category::Eof | Category::Io => EventError::NotJson {
            reason: error.to_string(),
        },
    }
}

#[cfg(test)]
#[path = "event_test.rs"]
mod tests;
