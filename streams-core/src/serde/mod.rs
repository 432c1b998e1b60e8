//! Serdes: from a record's bytes to typed keys and values and back.
//!
//! The traits follow Kafka's `Serializer` and `Deserializer`: both are given the topic and the
//! headers. Kafka's null is `None` in the bytes; a serde of a plain type refuses it, and
//! [`Nullable`] maps it to `Option::None`.

mod bytes;
mod connect_json;
mod json;
mod list;
mod nullable;
mod number;
mod text;
mod unit;
mod uuid;
mod windowed;

use std::any::Any;
use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use crate::record::Headers;

pub use bytes::{BoxedByteSerde, ByteSerde};
pub use connect_json::{ConnectJson, ConnectValue};
pub use json::Json;
pub use list::{List, ListElement};
pub use nullable::{Nullable, non_null};
pub use number::{Bool, F32, F64, I16, I32, I64};
pub use text::{SharedUtf8, Utf8, Utf8Lossy};
pub use unit::Unit;
pub use uuid::UuidSerde;
pub use windowed::{SessionWindowed, TimeWindowed};

/// Why bytes could not be read, or a value not be written.
#[derive(Debug)]
pub struct SerdeError {
    message: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl SerdeError {
    /// A failure without a cause.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            source: None,
        }
    }

    /// A failure with its cause.
    pub fn with_source(
        message: impl Into<String>,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        Self {
            message: message.into(),
            source: Some(source.into()),
        }
    }
}

impl fmt::Display for SerdeError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)?;
        if let Some(source) = &self.source {
            write!(formatter, ": {source}")?;
        }
        Ok(())
    }
}

impl StdError for SerdeError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

/// Whether a serialized key or value has bytes, or is Kafka's null.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// Kafka's null: nothing was written.
    Null,
    /// What was appended to the buffer, possibly nothing (an empty key is not a null key).
    Bytes,
}

/// Writes a `T` as the bytes of a record's key or value.
pub trait Serializer<T>: Send + Sync {
    /// Appends the bytes of `data` to `buffer`. May add headers to the record.
    ///
    /// # Errors
    /// If `data` has no representation in this format.
    fn serialize(
        &self,
        topic: &str,
        headers: &mut Headers,
        data: &T,
        buffer: &mut Vec<u8>,
    ) -> Result<Presence, SerdeError>;

    /// Of a key's bytes, those that choose its partition; all of them unless the serde says
    /// otherwise.
    ///
    /// A key in a window goes where the key itself goes (`WindowedSerializer.serializeBaseKey`).
    fn base_key<'b>(&self, key: &'b [u8]) -> &'b [u8] {
        key
    }

    /// For a serde of `Option<U>`: the `SharedSerde<U>` for what is never null, in a box.
    ///
    /// Only [`Nullable`] has one; [`non_null`] asks for it.
    fn inner_non_null(self: Arc<Self>) -> Option<Box<dyn Any>> {
        None
    }
}

/// Reads a `T` from the bytes of a record's key or value.
pub trait Deserializer<T>: Send + Sync {
    /// Reads `data`; `None` is Kafka's null.
    ///
    /// # Errors
    /// If the bytes are not of this format, or are null where `T` cannot be.
    fn deserialize(
        &self,
        topic: &str,
        headers: &Headers,
        data: Option<&[u8]>,
    ) -> Result<T, SerdeError>;
}

/// Reads and writes a `T`.
pub trait Serde<T>: Serializer<T> + Deserializer<T> {}

impl<T, S: Serializer<T> + Deserializer<T> + ?Sized> Serde<T> for S {}

/// A serde whose format is known only at run time; shared by all that use the same topic.
pub type SharedSerde<T> = Arc<dyn Serde<T>>;

impl<T, S: Serializer<T> + ?Sized> Serializer<T> for Arc<S> {
    fn serialize(
        &self,
        topic: &str,
        headers: &mut Headers,
        data: &T,
        buffer: &mut Vec<u8>,
    ) -> Result<Presence, SerdeError> {
        (**self).serialize(topic, headers, data, buffer)
    }

    fn base_key<'b>(&self, key: &'b [u8]) -> &'b [u8] {
        (**self).base_key(key)
    }

    fn inner_non_null(self: Arc<Self>) -> Option<Box<dyn Any>> {
        Arc::clone(&*self).inner_non_null()
    }
}

impl<T, S: Deserializer<T> + ?Sized> Deserializer<T> for Arc<S> {
    fn deserialize(
        &self,
        topic: &str,
        headers: &Headers,
        data: Option<&[u8]>,
    ) -> Result<T, SerdeError> {
        (**self).deserialize(topic, headers, data)
    }
}

/// The bytes, which must not be null.
fn not_null(data: Option<&[u8]>) -> Result<&[u8], SerdeError> {
    data.ok_or_else(|| SerdeError::new("null where there must be a value"))
}
