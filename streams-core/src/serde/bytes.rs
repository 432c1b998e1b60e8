//! Bytes as they are.

use super::{Deserializer, Presence, SerdeError, Serializer, not_null};
use crate::record::Headers;

/// `Vec<u8>` as it is (Java's `ByteArraySerializer`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ByteSerde;

impl Serializer<Vec<u8>> for ByteSerde {
    fn serialize(
        &self,
        _topic: &str,
        _headers: &mut Headers,
        data: &Vec<u8>,
        buffer: &mut Vec<u8>,
    ) -> Result<Presence, SerdeError> {
        buffer.extend_from_slice(data);
        Ok(Presence::Bytes)
    }
}

impl Deserializer<Vec<u8>> for ByteSerde {
    fn deserialize(
        &self,
        _topic: &str,
        _headers: &Headers,
        data: Option<&[u8]>,
    ) -> Result<Vec<u8>, SerdeError> {
        not_null(data).map(<[u8]>::to_vec)
    }
}

/// `Box<[u8]>` as it is: like [`ByteSerde`], a word smaller.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BoxedByteSerde;

impl Serializer<Box<[u8]>> for BoxedByteSerde {
    fn serialize(
        &self,
        _topic: &str,
        _headers: &mut Headers,
        data: &Box<[u8]>,
        buffer: &mut Vec<u8>,
    ) -> Result<Presence, SerdeError> {
        buffer.extend_from_slice(data);
        Ok(Presence::Bytes)
    }
}

impl Deserializer<Box<[u8]>> for BoxedByteSerde {
    fn deserialize(
        &self,
        _topic: &str,
        _headers: &Headers,
        data: Option<&[u8]>,
    ) -> Result<Box<[u8]>, SerdeError> {
        not_null(data).map(Into::into)
    }
}
