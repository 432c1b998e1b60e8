//! Nothing.

use super::{Deserializer, Presence, SerdeError, Serializer};
use crate::record::Headers;

/// `()` as Kafka's null (Java's `VoidSerializer`), for keys or values that are never there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Unit;

impl Serializer<()> for Unit {
    fn serialize(
        &self,
        _topic: &str,
        _headers: &mut Headers,
        _data: &(),
        _buffer: &mut Vec<u8>,
    ) -> Result<Presence, SerdeError> {
        Ok(Presence::Null)
    }
}

impl Deserializer<()> for Unit {
    fn deserialize(
        &self,
        _topic: &str,
        _headers: &Headers,
        data: Option<&[u8]>,
    ) -> Result<(), SerdeError> {
        match data {
            None => Ok(()),
            Some(bytes) => Err(SerdeError::new(format!(
                "expected null, but there are {} bytes",
                bytes.len()
            ))),
        }
    }
}
