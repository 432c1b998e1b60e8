//! Keys in windows, in the bytes of Java's `TimeWindowedSerializer` and
//! `SessionWindowedSerializer`.

use super::{Deserializer, Presence, SerdeError, Serializer, not_null};
use crate::record::Headers;
use crate::window::{Window, Windowed};

/// A key in a window of a known length: the key's bytes, then the window's start in 8 bytes.
///
/// The end is not written: a reader adds the length, as `TimeWindowedDeserializer` does.
///
/// # Examples
/// ```
/// use streams_core::Headers;
/// use streams_core::serde::{Serializer, TimeWindowed, Utf8};
/// use streams_core::window::{Window, Windowed};
///
/// let key = Windowed::new("a".to_owned(), Window::new(10, 20));
/// let mut bytes = Vec::new();
/// TimeWindowed::new(Utf8, 10).serialize("counts", &mut Headers::new(), &key, &mut bytes)?;
/// assert_eq!(bytes, b"a\0\0\0\0\0\0\0\x0a");
/// # Ok::<(), streams_core::serde::SerdeError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeWindowed<S> {
    key: S,
    window_size_ms: i64,
}

impl<S> TimeWindowed<S> {
    /// Keys by `key`, in windows of this length in milliseconds.
    pub const fn new(key: S, window_size_ms: i64) -> Self {
        Self {
            key,
            window_size_ms,
        }
    }
}

impl<K, S: Serializer<K>> Serializer<Windowed<K>> for TimeWindowed<S> {
    fn serialize(
        &self,
        topic: &str,
        headers: &mut Headers,
        data: &Windowed<K>,
        buffer: &mut Vec<u8>,
    ) -> Result<Presence, SerdeError> {
        write_key(&self.key, topic, headers, &data.key, buffer)?;
        buffer.extend_from_slice(&data.window.start_ms.to_be_bytes());
        Ok(Presence::Bytes)
    }

    fn base_key<'b>(&self, key: &'b [u8]) -> &'b [u8] {
        key.split_last_chunk::<8>().map_or(key, |(key, _)| key)
    }
}

impl<K, S: Deserializer<K>> Deserializer<Windowed<K>> for TimeWindowed<S> {
    fn deserialize(
        &self,
        topic: &str,
        headers: &Headers,
        data: Option<&[u8]>,
    ) -> Result<Windowed<K>, SerdeError> {
        let (key, start) = split_time(not_null(data)?)?;
        let key = self.key.deserialize(topic, headers, Some(key))?;
        // An end beyond all times is the last time.
        let window = Window::new(start, start.saturating_add(self.window_size_ms));
        Ok(Windowed::new(key, window))
    }
}

/// A key in a session: the key's bytes, then the session's end and its start in 8 bytes each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SessionWindowed<S>(pub S);

impl<K, S: Serializer<K>> Serializer<Windowed<K>> for SessionWindowed<S> {
    fn serialize(
        &self,
        topic: &str,
        headers: &mut Headers,
        data: &Windowed<K>,
        buffer: &mut Vec<u8>,
    ) -> Result<Presence, SerdeError> {
        write_key(&self.0, topic, headers, &data.key, buffer)?;
        buffer.extend_from_slice(&data.window.end_ms.to_be_bytes());
        buffer.extend_from_slice(&data.window.start_ms.to_be_bytes());
        Ok(Presence::Bytes)
    }

    fn base_key<'b>(&self, key: &'b [u8]) -> &'b [u8] {
        key.split_last_chunk::<16>().map_or(key, |(key, _)| key)
    }
}

impl<K, S: Deserializer<K>> Deserializer<Windowed<K>> for SessionWindowed<S> {
    fn deserialize(
        &self,
        topic: &str,
        headers: &Headers,
        data: Option<&[u8]>,
    ) -> Result<Windowed<K>, SerdeError> {
        let (rest, start_ms) = split_time(not_null(data)?)?;
        let (key, end_ms) = split_time(rest)?;
        let key = self.0.deserialize(topic, headers, Some(key))?;
        Ok(Windowed::new(key, Window::new(start_ms, end_ms)))
    }
}

fn write_key<K>(
    serde: &impl Serializer<K>,
    topic: &str,
    headers: &mut Headers,
    key: &K,
    buffer: &mut Vec<u8>,
) -> Result<(), SerdeError> {
    match serde.serialize(topic, headers, key, buffer)? {
        Presence::Bytes => Ok(()),
        Presence::Null => Err(SerdeError::new("a key in a window cannot be null")),
    }
}

/// The bytes before the last eight, and those as a time.
fn split_time(bytes: &[u8]) -> Result<(&[u8], i64), SerdeError> {
    match bytes.split_last_chunk::<8>() {
        Some((rest, time)) => Ok((rest, i64::from_be_bytes(*time))),
        None => Err(SerdeError::new("shorter than the time of its window")),
    }
}
