//! Which partition a key goes to, by the Java client's default.

/// The partition of a record with this key, of a topic with so many partitions
/// (`BuiltInPartitioner.partitionForKey`): murmur2 of its bytes. The producer's own choice is the
/// same.
///
/// # Examples
/// ```
/// assert_eq!(streams_core::broker::partition_for_key(b"abc", 16), 11);
/// ```
pub fn partition_for_key(key: &[u8], partitions: i32) -> i32 {
    let positive = murmur2(key) & i32::MAX as u32;
    // A topic has at least one partition.
    i32::try_from(positive % partitions.max(1).cast_unsigned()).unwrap_or(0)
}

const SEED: u32 = 0x9747_b28c;
const MULTIPLIER: u32 = 0x5bd1_e995;
const SHIFT: u32 = 24;

/// 32-bit murmur2 as Kafka computes it (`Utils.murmur2`).
fn murmur2(data: &[u8]) -> u32 {
    let (words, tail) = data.as_chunks::<4>();
    let mut hash = SEED ^ data.len() as u32;
    for word in words {
        let mut word = u32::from_le_bytes(*word).wrapping_mul(MULTIPLIER);
        word = (word ^ (word >> SHIFT)).wrapping_mul(MULTIPLIER);
        hash = hash.wrapping_mul(MULTIPLIER) ^ word;
    }
    if !tail.is_empty() {
        let rest = tail.iter().rev();
        hash ^= rest.fold(0, |rest, byte| (rest << 8) | u32::from(*byte));
        hash = hash.wrapping_mul(MULTIPLIER);
    }
    hash = (hash ^ (hash >> 13)).wrapping_mul(MULTIPLIER);
    hash ^ (hash >> 15)
}
