//! Changes of a table in a repartition topic (`ChangedSerializer`, `ChangedDeserializer`).
//!
//! The last byte says what is before it: 0 the old value, 1 the new one, 2 both, the new one first
//! with its length before it (KIP-904). From 3 on the byte before it says whether the change is to
//! the latest value; such bytes are read, and as in the JVM not written.

use streams_core::Headers;
use streams_core::serde::{Deserializer, Presence, SerdeError, Serializer, SharedSerde};

use crate::operator::Change;

const OLD: u8 = 0;
const NEW: u8 = 1;
const BOTH: u8 = 2;
/// What is added to the above if it is said whether the change is to the latest value.
const WITH_IS_LATEST: u8 = 3;

/// Writes and reads changes of a table by the serde of its values.
pub(crate) struct ChangedSerde<V>(pub(crate) SharedSerde<V>);

impl<V> Serializer<Change<V>> for ChangedSerde<V> {
    fn serialize(
        &self,
        topic: &str,
        headers: &mut Headers,
        data: &Change<V>,
        buffer: &mut Vec<u8>,
    ) -> Result<Presence, SerdeError> {
        let mut write = |value: &V, buffer: &mut Vec<u8>| match self
            .0
            .serialize(topic, headers, value, buffer)?
        {
            Presence::Bytes => Ok(()),
            Presence::Null => Err(SerdeError::new("a value of a table is written as null")),
        };
        let kind = match (&data.new, &data.old) {
            (Some(new), Some(old)) => {
                let mut bytes = Vec::new();
                write(new, &mut bytes)?;
                write_varint(bytes.len(), buffer)?;
                buffer.append(&mut bytes);
                write(old, buffer)?;
                BOTH
            }
            (Some(new), None) => {
                write(new, buffer)?;
                NEW
            }
            (None, Some(old)) => {
                write(old, buffer)?;
                OLD
            }
            (None, None) => {
                return Err(SerdeError::new(
                    "a change has neither an old value nor a new one",
                ));
            }
        };
        buffer.push(kind);
        Ok(Presence::Bytes)
    }
}

impl<V> Deserializer<Change<V>> for ChangedSerde<V> {
    fn deserialize(
        &self,
        topic: &str,
        headers: &Headers,
        data: Option<&[u8]>,
    ) -> Result<Change<V>, SerdeError> {
        let read = |bytes| self.0.deserialize(topic, headers, Some(bytes));
        let cut = || SerdeError::new("the bytes of a change are cut off");
        let (kind, mut bytes) = data.and_then(<[u8]>::split_last).ok_or_else(cut)?;
        let mut kind = *kind;
        let mut is_latest = true;
        if kind >= WITH_IS_LATEST {
            let (flag, rest) = bytes.split_last().ok_or_else(cut)?;
            is_latest = match flag {
                0 => false,
                1 => true,
                flag => {
                    let message = format!("{flag} does not say whether a change is to the latest");
                    return Err(SerdeError::new(message));
                }
            };
            bytes = rest;
            kind -= WITH_IS_LATEST;
        }
        let (new, old) = match kind {
            OLD => (None, Some(read(bytes)?)),
            NEW => (Some(read(bytes)?), None),
            BOTH => {
                let (length, rest) = read_varint(bytes).ok_or_else(cut)?;
                let (new, old) = rest.split_at_checked(length).ok_or_else(cut)?;
                (Some(read(new)?), Some(read(old)?))
            }
            kind => {
                let message = format!("{kind} is no kind of change of a table");
                return Err(SerdeError::new(message));
            }
        };
        Ok(Change {
            new,
            old,
            is_latest,
        })
    }
}

/// A length as Kafka's `ByteUtils.writeVarint` writes it: in zigzag, seven bits a byte, the lowest
/// first.
fn write_varint(length: usize, buffer: &mut Vec<u8>) -> Result<(), SerdeError> {
    let too_long = |_| SerdeError::new(format!("a value of {length} bytes is too long"));
    let length = i32::try_from(length).map_err(too_long)?;
    let mut rest = length.unsigned_abs() << 1;
    while rest >= 0x80 {
        buffer.push((rest & 0x7f) as u8 | 0x80);
        rest >>= 7;
    }
    buffer.push(rest as u8);
    Ok(())
}

fn read_varint(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value: u64 = 0;
    for (index, byte) in bytes.iter().take(5).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            let is_negative = value & 1 == 1;
            let length = usize::try_from(value >> 1).ok().filter(|_| !is_negative)?;
            return Some((length, bytes.get(index + 1..)?));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use streams_core::serde::Utf8;

    use super::*;

    fn read(bytes: &[u8]) -> Result<Change<String>, SerdeError> {
        ChangedSerde(Arc::new(Utf8)).deserialize("t", &Headers::new(), Some(bytes))
    }

    fn change(new: Option<&str>, old: Option<&str>, is_latest: bool) -> Change<String> {
        Change {
            new: new.map(str::to_owned),
            old: old.map(str::to_owned),
            is_latest,
        }
    }

    #[test]
    fn all_kinds_of_changes_of_the_jvm_are_read() {
        assert_eq!(read(b"ada\x00").unwrap(), change(None, Some("ada"), true));
        assert_eq!(read(b"ada\x01").unwrap(), change(Some("ada"), None, true));
        let both = change(Some("ada"), Some("bob"), true);
        assert_eq!(read(b"\x06adabob\x02").unwrap(), both);
        assert_eq!(
            read(b"ada\x01\x03").unwrap(),
            change(None, Some("ada"), true)
        );
        assert_eq!(
            read(b"ada\x00\x04").unwrap(),
            change(Some("ada"), None, false)
        );
        let both = change(Some("ada"), Some("bob"), false);
        assert_eq!(read(b"\x06adabob\x00\x05").unwrap(), both);
        for wrong in [
            &b""[..],
            b"\x06",
            b"ada\x02\x03",
            b"\x06ad\x02",
            b"\xff\x02",
        ] {
            assert!(read(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn lengths_take_as_many_bytes_as_they_need() {
        for length in [0, 1, 63, 64, 8_191, 8_192, 2_000_000] {
            let mut bytes = Vec::new();
            write_varint(length, &mut bytes).unwrap();
            assert_eq!(read_varint(&bytes), Some((length, &[][..])));
        }
        let mut bytes = Vec::new();
        write_varint(64, &mut bytes).unwrap();
        assert_eq!(bytes, [0x80, 0x01]);
    }
}
