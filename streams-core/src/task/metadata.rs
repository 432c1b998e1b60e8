//! The metadata of an offset commit, in the JVM's bytes (`TopicPartitionMetadata`): the partition's
//! time travels with its offset from owner to owner.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

const MAGIC: u8 = 2;
/// The version that had no processor metadata.
const MAGIC_BEFORE: u8 = 1;

/// The partition time as commit metadata.
pub(crate) fn encode(partition_time_ms: i64) -> String {
    let mut bytes = vec![MAGIC];
    bytes.extend_from_slice(&partition_time_ms.to_be_bytes());
    STANDARD.encode(bytes)
}

/// The partition time in commit metadata; `None` if it holds none that can be read.
pub(crate) fn decode(metadata: &str) -> Option<i64> {
    let bytes = STANDARD.decode(metadata).ok()?;
    let (magic, rest) = bytes.split_first()?;
    let time = rest.first_chunk::<8>()?;
    (*magic == MAGIC || *magic == MAGIC_BEFORE).then(|| i64::from_be_bytes(*time))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_partition_time_comes_back() {
        assert_eq!(decode(&encode(1_700_000_000_123)), Some(1_700_000_000_123));
        assert_eq!(decode(&encode(-1)), Some(-1));
    }

    #[test]
    fn the_jvm_text_is_read() {
        // new TopicPartitionMetadata(100L, new ProcessorMetadata()).encode()
        assert_eq!(encode(100), "AgAAAAAAAABk");
        assert_eq!(decode("AQAAAAAAAABk"), Some(100));
    }

    #[test]
    fn metadata_of_others_is_left_alone() {
        assert_eq!(decode(""), None);
        assert_eq!(decode("not base64!"), None);
        assert_eq!(decode("AwAAAAAAAABk"), None);
    }
}
