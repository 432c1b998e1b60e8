//! UUIDs.

use uuid::Uuid;
use uuid::fmt::Hyphenated;

use super::text::text;
use super::{Deserializer, Presence, SerdeError, Serializer, not_null};
use crate::record::Headers;

/// `Uuid` as its 36 characters (Java's `UUIDSerializer`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct UuidSerde;

impl Serializer<Uuid> for UuidSerde {
    fn serialize(
        &self,
        _topic: &str,
        _headers: &mut Headers,
        data: &Uuid,
        buffer: &mut Vec<u8>,
    ) -> Result<Presence, SerdeError> {
        let mut characters = [0; Hyphenated::LENGTH];
        buffer.extend_from_slice(data.hyphenated().encode_lower(&mut characters).as_bytes());
        Ok(Presence::Bytes)
    }
}

impl Deserializer<Uuid> for UuidSerde {
    fn deserialize(
        &self,
        _topic: &str,
        _headers: &Headers,
        data: Option<&[u8]>,
    ) -> Result<Uuid, SerdeError> {
        let text = text(not_null(data)?)?;
        // The parser takes other spellings too, none of which has this length.
        let parsed = (text.len() == Hyphenated::LENGTH).then(|| Uuid::try_parse(text).ok());
        parsed
            .flatten()
            .or_else(|| parse_short(text))
            .ok_or_else(|| {
                SerdeError::new("not a UUID: expected five groups of hexadecimal digits")
            })
    }
}

/// Groups without their leading zeros, which Java's `UUID.fromString` takes.
fn parse_short(text: &str) -> Option<Uuid> {
    if text.len() > Hyphenated::LENGTH {
        return None;
    }
    let mut groups = text.split('-');
    let mut value: u128 = 0;
    for bits in [32, 16, 16, 16, 48] {
        let group = groups.next().filter(|group| !group.starts_with('+'))?;
        // Java cuts longer groups to their last digits, unless they exceed a positive `long`.
        let number = i64::from_str_radix(group, 16).ok()? as u128;
        value = (value << bits) | (number & ((1 << bits) - 1));
    }
    groups.next().is_none().then(|| Uuid::from_u128(value))
}
