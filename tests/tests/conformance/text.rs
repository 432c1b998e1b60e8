//! Text that may be null, as the Java programs read and write it.

use streams_core::Headers;
use streams_core::serde::{Deserializer, Presence, SerdeError, Serializer};

/// Nullable text; like Java's, it reads any bytes.
#[derive(Clone, Copy)]
pub(crate) struct Text;

impl Serializer<Option<String>> for Text {
    fn serialize(
        &self,
        _topic: &str,
        _headers: &mut Headers,
        data: &Option<String>,
        buffer: &mut Vec<u8>,
    ) -> Result<Presence, SerdeError> {
        let Some(text) = data else {
            return Ok(Presence::Null);
        };
        buffer.extend_from_slice(text.as_bytes());
        Ok(Presence::Bytes)
    }
}

impl Deserializer<Option<String>> for Text {
    fn deserialize(
        &self,
        _topic: &str,
        _headers: &Headers,
        data: Option<&[u8]>,
    ) -> Result<Option<String>, SerdeError> {
        Ok(data.map(|bytes| String::from_utf8_lossy(bytes).into_owned()))
    }
}

/// The text, or "null" where Java would write that.
pub(crate) fn or_null(text: &Option<String>) -> &str {
    text.as_deref().unwrap_or("null")
}
