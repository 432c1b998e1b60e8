//! The metadata of an offset commit, in the JVM's bytes (`TopicPartitionMetadata`): the partition's
//! time, and what processors keep, travel with the offset from owner to owner.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::processor::ProcessorMetadata;

const MAGIC: u8 = 2;
/// The version that had no processor metadata.
const MAGIC_BEFORE: u8 = 1;

/// What stands in the metadata of a partition's commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CommitMetadata {
    /// The largest timestamp of the partition, in milliseconds since the epoch; -1 if none.
    pub(crate) partition_time_ms: i64,
    /// What the task's processors keep.
    pub(crate) processors: ProcessorMetadata,
}

/// The partition's time and what the task's processors keep, as commit metadata.
pub(crate) fn encode(partition_time_ms: i64, processors: &ProcessorMetadata) -> String {
    let mut bytes = vec![MAGIC];
    bytes.extend_from_slice(&partition_time_ms.to_be_bytes());
    if !processors.is_empty() {
        push_length(&mut bytes, processors.len());
        for (name, number) in processors.iter() {
            push_length(&mut bytes, name.len());
            bytes.extend_from_slice(name.as_bytes());
            bytes.extend_from_slice(&number.to_be_bytes());
        }
    }
    STANDARD.encode(bytes)
}

fn push_length(bytes: &mut Vec<u8>, length: usize) {
    // A topology's names are far from 2 GiB.
    bytes.extend_from_slice(&(length as i32).to_be_bytes());
}

/// What commit metadata holds; `None` if it holds nothing that can be read.
pub(crate) fn decode(metadata: &str) -> Option<CommitMetadata> {
    let bytes = STANDARD.decode(metadata).ok()?;
    let (magic, rest) = bytes.split_first()?;
    let (time, rest) = rest.split_first_chunk::<8>()?;
    let processors = match *magic {
        MAGIC_BEFORE => ProcessorMetadata::default(),
        MAGIC => decode_processors(rest)?,
        _ => return None,
    };
    Some(CommitMetadata {
        partition_time_ms: i64::from_be_bytes(*time),
        processors,
    })
}

fn decode_processors(mut bytes: &[u8]) -> Option<ProcessorMetadata> {
    if bytes.is_empty() {
        return Some(ProcessorMetadata::default());
    }
    let count = take_length(&mut bytes)?;
    let entries = (0..count).map(|_| {
        let length = take_length(&mut bytes)?;
        let (name, rest) = bytes.split_at_checked(length)?;
        let (number, rest) = rest.split_first_chunk::<8>()?;
        bytes = rest;
        let name: Arc<str> = std::str::from_utf8(name).ok()?.into();
        Some((name, i64::from_be_bytes(*number)))
    });
    entries.collect()
}

fn take_length(bytes: &mut &[u8]) -> Option<usize> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    *bytes = rest;
    usize::try_from(i32::from_be_bytes(*length)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time_of(metadata: &str) -> Option<i64> {
        decode(metadata).map(|metadata| metadata.partition_time_ms)
    }

    fn kept(entries: &[(&str, i64)]) -> ProcessorMetadata {
        let entries = entries.iter();
        entries
            .map(|(name, number)| (Arc::from(*name), *number))
            .collect()
    }

    #[test]
    fn the_partition_time_and_what_processors_keep_come_back() {
        for processors in [kept(&[]), kept(&[("counts", 15), ("visits", -1)])] {
            for partition_time_ms in [1_700_000_000_123, -1] {
                let expected = CommitMetadata {
                    partition_time_ms,
                    processors: processors.clone(),
                };
                let text = encode(partition_time_ms, &processors);
                assert_eq!(decode(&text), Some(expected));
            }
        }
    }

    #[test]
    fn the_jvm_text_is_read() {
        // new TopicPartitionMetadata(100L, new ProcessorMetadata()).encode()
        assert_eq!(encode(100, &kept(&[])), "AgAAAAAAAABk");
        assert_eq!(time_of("AQAAAAAAAABk"), Some(100));
        // new TopicPartitionMetadata(100L, new ProcessorMetadata(Map.of("counts", 15L))).encode()
        let text = "AgAAAAAAAABkAAAAAQAAAAZjb3VudHMAAAAAAAAADw==";
        assert_eq!(encode(100, &kept(&[("counts", 15)])), text);
        let processors = decode(text).map(|metadata| metadata.processors);
        assert_eq!(processors, Some(kept(&[("counts", 15)])));
    }

    #[test]
    fn metadata_of_others_is_left_alone() {
        assert_eq!(decode(""), None);
        assert_eq!(decode("not base64!"), None);
        assert_eq!(decode("AwAAAAAAAABk"), None);
        assert_eq!(decode("AgAAAAAAAABkAAAAAQAAAAZj"), None);
    }

    #[test]
    fn of_two_partitions_the_larger_number_holds() {
        let mut processors = kept(&[("counts", 15), ("visits", 7)]);
        processors.update(&kept(&[("counts", 10), ("visits", 9), ("texts", 1)]));
        assert_eq!(
            processors,
            kept(&[("counts", 15), ("visits", 9), ("texts", 1)])
        );
    }
}
