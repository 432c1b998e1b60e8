//! Keys that have changed, in the order in which the JVM's buffer writes them to its changelog.

use std::collections::HashSet;

/// A set of keys that gives them in the order of `java.util.HashSet<Bytes>`, so that what a buffer
/// logs can be compared with what was captured from the JVM.
pub(super) struct DirtyKeys {
    keys: Vec<Box<[u8]>>,
    known: HashSet<Box<[u8]>>,
    /// The length of the table of Java's `HashMap`, which grows and never shrinks.
    table_length: usize,
}

/// As a `HashMap` of Java begins.
const TABLE_LENGTH: usize = 16;

impl DirtyKeys {
    pub(super) fn new() -> Self {
        Self {
            keys: Vec::new(),
            known: HashSet::new(),
            table_length: TABLE_LENGTH,
        }
    }

    pub(super) fn insert(&mut self, key: &[u8]) {
        if self.known.contains(key) {
            return;
        }
        self.known.insert(Box::from(key));
        self.keys.push(Box::from(key));
        // The load factor is 0.75.
        if self.keys.len() * 4 > self.table_length * 3 {
            self.table_length *= 2;
        }
    }

    /// All keys, which are forgotten. Within one place of the table the first comes first.
    pub(super) fn take(&mut self) -> Vec<Box<[u8]>> {
        self.known.clear();
        let mut keys = std::mem::take(&mut self.keys);
        let places = self.table_length - 1;
        keys.sort_by_key(|key| spread_hash(key) as usize & places);
        keys
    }
}

/// `HashMap.hash` of `Arrays.hashCode` of the bytes, which are signed.
fn spread_hash(key: &[u8]) -> u32 {
    let hash = key.iter().fold(1_u32, |hash, byte| {
        let byte = i32::from(*byte as i8) as u32;
        hash.wrapping_mul(31).wrapping_add(byte)
    });
    hash ^ (hash >> 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hash_is_that_of_java() {
        // `Arrays.hashCode` of {} is 1, of {1} is 32, of {-1} is 30.
        assert_eq!(spread_hash(b""), 1);
        assert_eq!(spread_hash(&[1]), 32);
        assert_eq!(spread_hash(&[0xff]), 30);
    }

    #[test]
    fn key_is_given_once() {
        let mut keys = DirtyKeys::new();
        for key in [b"b", b"a", b"b"] {
            keys.insert(key);
        }
        assert_eq!(keys.take(), [Box::from(&b"a"[..]), Box::from(&b"b"[..])]);
        assert!(keys.take().is_empty());
    }
}
