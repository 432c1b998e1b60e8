//! What the two sides of a foreign-key join send each other (`SubscriptionWrapper`,
//! `SubscriptionResponseWrapper`).

use std::rc::Rc;

use streams_core::Headers;
use streams_core::serde::{Deserializer, Presence, SerdeError, Serializer, SharedSerde};

/// A hash of a row's value: whether a response is still to the row as it is.
pub(crate) type ValueHash = [u8; 16];

/// What is to become of a subscription, and what the subscriber wants to hear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Instruction {
    /// Delete it; nothing is to be sent.
    DeleteKeyNoPropagate,
    /// Delete it, and send that there is nothing.
    DeleteKeyAndPropagate,
    /// Keep it, and send the row, or that there is none.
    PropagateNullIfNoFkValAvailable,
    /// Keep it, and send the row if there is one.
    PropagateOnlyIfFkValAvailable,
}

impl Instruction {
    const ALL: [Self; 4] = [
        Self::DeleteKeyNoPropagate,
        Self::DeleteKeyAndPropagate,
        Self::PropagateNullIfNoFkValAvailable,
        Self::PropagateOnlyIfFkValAvailable,
    ];

    fn of_byte(byte: u8) -> Option<Self> {
        Self::ALL.get(usize::from(byte)).copied()
    }

    fn byte(self) -> u8 {
        match self {
            Self::DeleteKeyNoPropagate => 0,
            Self::DeleteKeyAndPropagate => 1,
            Self::PropagateNullIfNoFkValAvailable => 2,
            Self::PropagateOnlyIfFkValAvailable => 3,
        }
    }
}

/// A row of the left table asks for one of the right table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Subscription<K> {
    /// Of the row's value; none if it has been deleted.
    pub(crate) hash: Option<ValueHash>,
    pub(crate) instruction: Instruction,
    pub(crate) primary_key: K,
    /// The partition of the left table's task; older versions do not tell.
    pub(crate) primary_partition: Option<i32>,
}

/// The answer to a [`Subscription`].
#[derive(Debug)]
pub(crate) struct SubscriptionResponse<V> {
    pub(crate) hash: Option<ValueHash>,
    pub(crate) value: Option<Rc<V>>,
    /// Where the answer goes; not written.
    pub(crate) primary_partition: Option<i32>,
}

impl<V> Clone for SubscriptionResponse<V> {
    fn clone(&self) -> Self {
        Self {
            hash: self.hash,
            value: self.value.clone(),
            primary_partition: self.primary_partition,
        }
    }
}

/// Set in the first byte where there is no hash.
const NO_HASH: u8 = 0x80;

const SUBSCRIPTION_VERSION: u8 = 1;
const RESPONSE_VERSION: u8 = 0;
const PARTITION_BYTES: usize = 4;

/// Writes the version and the hash.
fn push_head(version: u8, hash: Option<&ValueHash>, buffer: &mut Vec<u8>) {
    buffer.push(match hash {
        Some(_) => version,
        None => version | NO_HASH,
    });
}

/// Takes the hash off, if the first byte says that there is one.
fn split_hash(head: u8, rest: &[u8]) -> Option<(Option<ValueHash>, &[u8])> {
    if head & NO_HASH != 0 {
        return Some((None, rest));
    }
    let (hash, rest) = rest.split_first_chunk()?;
    Some((Some(*hash), rest))
}

fn checked_version(head: u8, known: u8) -> Result<u8, SerdeError> {
    let version = head & !NO_HASH;
    if version > known {
        let message = format!("version {version} is not known, only versions up to {known}");
        return Err(SerdeError::new(message));
    }
    Ok(version)
}

fn too_short() -> SerdeError {
    SerdeError::new("is too short for a message between the tables of a foreign-key join")
}

/// Reads and writes subscriptions (`SubscriptionWrapperSerde`).
pub(crate) struct SubscriptionSerde<K>(pub(crate) SharedSerde<K>);

impl<K> Serializer<Subscription<K>> for SubscriptionSerde<K> {
    fn serialize(
        &self,
        topic: &str,
        headers: &mut Headers,
        data: &Subscription<K>,
        buffer: &mut Vec<u8>,
    ) -> Result<Presence, SerdeError> {
        push_head(SUBSCRIPTION_VERSION, data.hash.as_ref(), buffer);
        buffer.push(data.instruction.byte());
        buffer.extend(data.hash.iter().flatten());
        self.0
            .serialize(topic, headers, &data.primary_key, buffer)?;
        let partition = data.primary_partition.unwrap_or_default();
        buffer.extend_from_slice(&partition.to_be_bytes());
        Ok(Presence::Bytes)
    }
}

impl<K> Deserializer<Subscription<K>> for SubscriptionSerde<K> {
    fn deserialize(
        &self,
        topic: &str,
        headers: &Headers,
        data: Option<&[u8]>,
    ) -> Result<Subscription<K>, SerdeError> {
        let (head, rest) = data.and_then(<[u8]>::split_first).ok_or_else(too_short)?;
        let version = checked_version(*head, SUBSCRIPTION_VERSION)?;
        let (instruction, rest) = rest.split_first().ok_or_else(too_short)?;
        let instruction = Instruction::of_byte(*instruction)
            .ok_or_else(|| SerdeError::new(format!("instruction {instruction} is not known")))?;
        let (hash, mut rest) = split_hash(*head, rest).ok_or_else(too_short)?;
        let mut primary_partition = None;
        if version > 0 {
            let (key, partition) = rest
                .split_last_chunk::<PARTITION_BYTES>()
                .ok_or_else(too_short)?;
            primary_partition = Some(i32::from_be_bytes(*partition));
            rest = key;
        }
        Ok(Subscription {
            hash,
            instruction,
            primary_key: self.0.deserialize(topic, headers, Some(rest))?,
            primary_partition,
        })
    }
}

/// Reads and writes responses (`SubscriptionResponseWrapperSerde`).
pub(crate) struct SubscriptionResponseSerde<V>(pub(crate) SharedSerde<V>);

impl<V> Serializer<SubscriptionResponse<V>> for SubscriptionResponseSerde<V> {
    fn serialize(
        &self,
        topic: &str,
        headers: &mut Headers,
        data: &SubscriptionResponse<V>,
        buffer: &mut Vec<u8>,
    ) -> Result<Presence, SerdeError> {
        push_head(RESPONSE_VERSION, data.hash.as_ref(), buffer);
        buffer.extend(data.hash.iter().flatten());
        if let Some(value) = &data.value {
            self.0.serialize(topic, headers, value, buffer)?;
        }
        Ok(Presence::Bytes)
    }
}

impl<V> Deserializer<SubscriptionResponse<V>> for SubscriptionResponseSerde<V> {
    fn deserialize(
        &self,
        topic: &str,
        headers: &Headers,
        data: Option<&[u8]>,
    ) -> Result<SubscriptionResponse<V>, SerdeError> {
        let (head, rest) = data.and_then(<[u8]>::split_first).ok_or_else(too_short)?;
        checked_version(*head, RESPONSE_VERSION)?;
        let (hash, rest) = split_hash(*head, rest).ok_or_else(too_short)?;
        // As on the JVM an empty value cannot be told from none.
        let value = match rest {
            [] => None,
            rest => Some(Rc::new(self.0.deserialize(topic, headers, Some(rest))?)),
        };
        Ok(SubscriptionResponse {
            hash,
            value,
            primary_partition: None,
        })
    }
}
