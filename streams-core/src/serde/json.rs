//! JSON, typed by serde.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use super::text::text;
use super::{Deserializer, Presence, SerdeError, Serializer, not_null};
use crate::record::Headers;

/// Any type of serde's as JSON without spaces; `serde_json::Value` for JSON of any shape.
///
/// Errors tell the place and what was expected, never the values.
///
/// # Examples
/// ```
/// use serde::{Deserialize, Serialize};
/// use streams_core::Headers;
/// use streams_core::serde::{Deserializer, Json};
///
/// #[derive(Serialize, Deserialize)]
/// struct User {
///     age: u32,
/// }
///
/// let user: User = Json.deserialize("users", &Headers::new(), Some(br#"{"age": 36}"#))?;
/// assert_eq!(user.age, 36);
/// # Ok::<(), streams_core::serde::SerdeError>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Json;

impl<T: Serialize> Serializer<T> for Json {
    fn serialize(
        &self,
        _topic: &str,
        _headers: &mut Headers,
        data: &T,
        buffer: &mut Vec<u8>,
    ) -> Result<Presence, SerdeError> {
        write(data, buffer)?;
        Ok(Presence::Bytes)
    }
}

impl<T: DeserializeOwned> Deserializer<T> for Json {
    fn deserialize(
        &self,
        _topic: &str,
        _headers: &Headers,
        data: Option<&[u8]>,
    ) -> Result<T, SerdeError> {
        read(text(not_null(data)?)?)
    }
}

/// Appends the JSON of `data`; leaves nothing behind if it has none.
pub(super) fn write<T: Serialize>(data: &T, buffer: &mut Vec<u8>) -> Result<(), SerdeError> {
    let start = buffer.len();
    serde_json::to_writer(&mut *buffer, data).map_err(|error| {
        buffer.truncate(start);
        SerdeError::new(format!(
            "cannot be written as JSON: {}",
            without_values(&error)
        ))
    })
}

/// Reads the whole text.
pub(super) fn read<T: DeserializeOwned>(text: &str) -> Result<T, SerdeError> {
    serde_json::from_str(text).map_err(|error| {
        let what = match error.classify() {
            Category::Data => "JSON of another shape",
            Category::Syntax | Category::Eof | Category::Io => "not JSON",
        };
        SerdeError::new(format!("{what}: {}", without_values(&error)))
    })
}

/// The error's text without the values it shows, which may be what no log should have.
fn without_values(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let Some((problem, expected)) = text.rsplit_once(", expected ") else {
        return text;
    };
    // `invalid type: string "…", expected u32 at line 1 column 9`
    for prefix in ["invalid type: ", "invalid value: ", "unknown variant "] {
        if let Some(value) = problem.strip_prefix(prefix) {
            let kind = value
                .split(['"', '`'])
                .next()
                .unwrap_or_default()
                .trim_end();
            return format!("{prefix}{kind}, expected {expected}").replace(" ,", ",");
        }
    }
    text
}
