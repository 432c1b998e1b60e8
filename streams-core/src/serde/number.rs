//! Numbers and truth values, big-endian as in Java.

use super::{Deserializer, Presence, SerdeError, Serializer, not_null};
use crate::record::Headers;

macro_rules! number {
    ($(#[$doc:meta])* $name:ident, $number:ty) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        pub struct $name;

        impl Serializer<$number> for $name {
            fn serialize(
                &self,
                _topic: &str,
                _headers: &mut Headers,
                data: &$number,
                buffer: &mut Vec<u8>,
            ) -> Result<Presence, SerdeError> {
                buffer.extend_from_slice(&data.to_be_bytes());
                Ok(Presence::Bytes)
            }
        }

        impl Deserializer<$number> for $name {
            fn deserialize(
                &self,
                _topic: &str,
                _headers: &Headers,
                data: Option<&[u8]>,
            ) -> Result<$number, SerdeError> {
                exact(not_null(data)?).map(<$number>::from_be_bytes)
            }
        }
    };
}

number! {
    /// `i16` in 2 bytes (Java's `ShortSerializer`).
    I16, i16
}
number! {
    /// `i32` in 4 bytes (Java's `IntegerSerializer`).
    I32, i32
}
number! {
    /// `i64` in 8 bytes (Java's `LongSerializer`).
    I64, i64
}
number! {
    /// `f32` in 4 bytes of IEEE 754 (Java's `FloatSerializer`).
    F32, f32
}
number! {
    /// `f64` in 8 bytes of IEEE 754 (Java's `DoubleSerializer`).
    F64, f64
}

/// `bool` in one byte, 1 or 0 (Java's `BooleanSerializer`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bool;

impl Serializer<bool> for Bool {
    fn serialize(
        &self,
        _topic: &str,
        _headers: &mut Headers,
        data: &bool,
        buffer: &mut Vec<u8>,
    ) -> Result<Presence, SerdeError> {
        buffer.push(u8::from(*data));
        Ok(Presence::Bytes)
    }
}

impl Deserializer<bool> for Bool {
    fn deserialize(
        &self,
        _topic: &str,
        _headers: &Headers,
        data: Option<&[u8]>,
    ) -> Result<bool, SerdeError> {
        match exact(not_null(data)?)? {
            [0] => Ok(false),
            [1] => Ok(true),
            [other] => Err(SerdeError::new(format!(
                "a truth value is 0 or 1, but this is {other}"
            ))),
        }
    }
}

/// All of the bytes, which must be as many as the type has.
fn exact<const N: usize>(bytes: &[u8]) -> Result<[u8; N], SerdeError> {
    bytes
        .try_into()
        .map_err(|_| SerdeError::new(format!("expected {N} bytes, but there are {}", bytes.len())))
}
