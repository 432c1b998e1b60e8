//! Text.

use std::sync::Arc;

use super::{Deserializer, Presence, SerdeError, Serializer, not_null};
use crate::record::Headers;

/// `String` as UTF-8 (Java's `StringSerializer`).
///
/// Bytes that are not UTF-8 are refused, so that they can go to the dead-letter topic as they came.
/// Java's `StringDeserializer` replaces them; [`Utf8Lossy`] does the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Utf8;

impl Serializer<String> for Utf8 {
    fn serialize(
        &self,
        _topic: &str,
        _headers: &mut Headers,
        data: &String,
        buffer: &mut Vec<u8>,
    ) -> Result<Presence, SerdeError> {
        buffer.extend_from_slice(data.as_bytes());
        Ok(Presence::Bytes)
    }
}

impl Deserializer<String> for Utf8 {
    fn deserialize(
        &self,
        _topic: &str,
        _headers: &Headers,
        data: Option<&[u8]>,
    ) -> Result<String, SerdeError> {
        text(not_null(data)?).map(str::to_owned)
    }
}

/// `Arc<str>` as UTF-8: like [`Utf8`], with text that is cheap to clone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SharedUtf8;

impl Serializer<Arc<str>> for SharedUtf8 {
    fn serialize(
        &self,
        _topic: &str,
        _headers: &mut Headers,
        data: &Arc<str>,
        buffer: &mut Vec<u8>,
    ) -> Result<Presence, SerdeError> {
        buffer.extend_from_slice(data.as_bytes());
        Ok(Presence::Bytes)
    }
}

impl Deserializer<Arc<str>> for SharedUtf8 {
    fn deserialize(
        &self,
        _topic: &str,
        _headers: &Headers,
        data: Option<&[u8]>,
    ) -> Result<Arc<str>, SerdeError> {
        text(not_null(data)?).map(Arc::from)
    }
}

/// `String` as UTF-8, where bytes that are not UTF-8 are read as U+FFFD (Java's
/// `StringDeserializer`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Utf8Lossy;

impl Serializer<String> for Utf8Lossy {
    fn serialize(
        &self,
        topic: &str,
        headers: &mut Headers,
        data: &String,
        buffer: &mut Vec<u8>,
    ) -> Result<Presence, SerdeError> {
        Utf8.serialize(topic, headers, data, buffer)
    }
}

impl Deserializer<String> for Utf8Lossy {
    fn deserialize(
        &self,
        _topic: &str,
        _headers: &Headers,
        data: Option<&[u8]>,
    ) -> Result<String, SerdeError> {
        not_null(data).map(|bytes| String::from_utf8_lossy(bytes).into_owned())
    }
}

/// The bytes as text, with the place of the first that is none.
pub(super) fn text(bytes: &[u8]) -> Result<&str, SerdeError> {
    std::str::from_utf8(bytes).map_err(|error| {
        SerdeError::new(format!(
            "not UTF-8: byte {} is invalid",
            error.valid_up_to()
        ))
    })
}
