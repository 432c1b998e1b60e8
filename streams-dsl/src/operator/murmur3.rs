//! The hash of values in foreign-key joins (`org.apache.kafka.streams.state.internals.Murmur3`).

use crate::operator::ValueHash;

const SEED: u64 = 104_729;
const FIRST: u64 = 0x87c3_7b91_1142_53d5;
const SECOND: u64 = 0x4cf5_ad43_2745_937f;

/// The 128-bit hash for 64-bit machines, as the JVM writes it: both halves in network order.
pub(crate) fn hash128(data: &[u8]) -> ValueHash {
    let (mut high, mut low) = (SEED, SEED);
    let (blocks, tail) = data.as_chunks::<16>();
    for block in blocks {
        let [first, second] = halves(*block);
        high ^= mix_first(first);
        high = high.rotate_left(27).wrapping_add(low);
        high = high.wrapping_mul(5).wrapping_add(0x52dc_e729);
        low ^= mix_second(second);
        low = low.rotate_left(31).wrapping_add(high);
        low = low.wrapping_mul(5).wrapping_add(0x3849_5ab5);
    }
    let mut last = [0; 16];
    for (place, byte) in last.iter_mut().zip(tail) {
        *place = *byte;
    }
    // Zeros change nothing, so that a tail may be taken as a whole block.
    let [first, second] = halves(last);
    high ^= mix_first(first);
    low ^= mix_second(second);
    let length = data.len() as u64;
    high ^= length;
    low ^= length;
    high = high.wrapping_add(low);
    low = low.wrapping_add(high);
    high = finish(high);
    low = finish(low);
    high = high.wrapping_add(low);
    low = low.wrapping_add(high);
    ((u128::from(high) << 64) | u128::from(low)).to_be_bytes()
}

/// Both halves of a block, the first of which has the lower bytes.
fn halves(block: [u8; 16]) -> [u64; 2] {
    let block = u128::from_le_bytes(block);
    [block as u64, (block >> 64) as u64]
}

fn mix_first(part: u64) -> u64 {
    part.wrapping_mul(FIRST)
        .rotate_left(31)
        .wrapping_mul(SECOND)
}

fn mix_second(part: u64) -> u64 {
    part.wrapping_mul(SECOND)
        .rotate_left(33)
        .wrapping_mul(FIRST)
}

fn finish(mut hash: u64) -> u64 {
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_that_the_jvm_has_written() {
        // tests/conformance/streams/scenario/foreign-key-left-join.jsonl: the hash of "u1/5".
        let expected = [
            0x36, 0xd4, 0xc7, 0x41, 0xe8, 0xfd, 0xc4, 0x38, 0x76, 0xf8, 0xcf, 0x50, 0x8c, 0x08,
            0xd4, 0xaa,
        ];
        assert_eq!(hash128(b"u1/5"), expected);
    }
}
