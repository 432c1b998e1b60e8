//! JSON as Kafka Connect writes it, with or without its schema.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::json;
use super::text::text;
use super::{Deserializer, Presence, SerdeError, Serializer, not_null};
use crate::record::Headers;

/// A value of Connect's `JsonConverter`, which remembers whether it came in
/// `{"schema": …, "payload": …}` (`schemas.enable=true`) or bare.
#[derive(Debug, Clone)]
pub struct ConnectValue<T> {
    /// The schema as it was written, `null` among others; `None` if the value came bare.
    pub schema: Option<Arc<RawValue>>,
    /// The value itself.
    pub payload: T,
}

impl<T> ConnectValue<T> {
    /// A value without a schema around it.
    pub const fn bare(payload: T) -> Self {
        Self {
            schema: None,
            payload,
        }
    }

    /// Another payload in the same form. The schema is kept as it is: change it too if the
    /// payload's shape differs and readers rely on the schema.
    pub fn map<U>(self, mapper: impl FnOnce(T) -> U) -> ConnectValue<U> {
        ConnectValue {
            schema: self.schema,
            payload: mapper(self.payload),
        }
    }

    /// Whether the value has a schema around it.
    pub const fn is_wrapped(&self) -> bool {
        self.schema.is_some()
    }
}

/// JSON with or without Connect's wrapper, kept in the form it was read in.
///
/// As in `JsonConverter`, an object with exactly the fields `schema` and `payload` is a wrapper,
/// and anything else is a bare value. A payload that may be null needs an `Option`.
///
/// # Examples
/// ```
/// use streams_core::Headers;
/// use streams_core::serde::{ConnectJson, ConnectValue, Deserializer, Serializer};
///
/// let bytes = br#"{"schema":{"type":"int32"},"payload":7}"#;
/// let value: ConnectValue<i32> =
///     ConnectJson.deserialize("numbers", &Headers::new(), Some(bytes))?;
/// let mut written = Vec::new();
/// ConnectJson.serialize("more", &mut Headers::new(), &value.map(|n| n + 1), &mut written)?;
/// assert_eq!(written, br#"{"schema":{"type":"int32"},"payload":8}"#);
/// # Ok::<(), streams_core::serde::SerdeError>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ConnectJson;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wrapper<'a> {
    #[serde(borrow)]
    schema: &'a RawValue,
    #[serde(borrow)]
    payload: &'a RawValue,
}

impl<T: Serialize> Serializer<ConnectValue<T>> for ConnectJson {
    fn serialize(
        &self,
        _topic: &str,
        _headers: &mut Headers,
        data: &ConnectValue<T>,
        buffer: &mut Vec<u8>,
    ) -> Result<Presence, SerdeError> {
        let Some(schema) = &data.schema else {
            json::write(&data.payload, buffer)?;
            return Ok(Presence::Bytes);
        };
        let start = buffer.len();
        buffer.extend_from_slice(b"{\"schema\":");
        buffer.extend_from_slice(schema.get().as_bytes());
        buffer.extend_from_slice(b",\"payload\":");
        json::write(&data.payload, buffer).inspect_err(|_| buffer.truncate(start))?;
        buffer.push(b'}');
        Ok(Presence::Bytes)
    }
}

impl<T: DeserializeOwned> Deserializer<ConnectValue<T>> for ConnectJson {
    fn deserialize(
        &self,
        _topic: &str,
        _headers: &Headers,
        data: Option<&[u8]>,
    ) -> Result<ConnectValue<T>, SerdeError> {
        let text = text(not_null(data)?)?;
        // A bare value fails here at its first field, before much of it is read.
        match serde_json::from_str::<Wrapper<'_>>(text) {
            Ok(wrapper) => Ok(ConnectValue {
                schema: Some(Arc::from(wrapper.schema.to_owned())),
                payload: json::read(wrapper.payload.get())?,
            }),
            Err(_) => json::read(text).map(ConnectValue::bare),
        }
    }
}
