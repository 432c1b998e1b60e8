//! Writes of a store that is restored, gathered until they are a table of their own.

/// What takes effect in a store together, as it came.
///
/// A changelog's records are not looked at before the last is in. Sorted, they are a table that
/// RocksDB takes over as it is, past its log and its write buffers: half the CPU time.
#[derive(Default)]
pub(crate) struct BulkWrites {
    bytes: Vec<u8>,
    writes: Vec<Write>,
}

/// Where a write is in the bytes: the key, and behind it the value. A record has less than 2 GiB,
/// and what is gathered is written long before it has as much.
#[derive(Clone, Copy)]
struct Write {
    /// The first bytes of the key, which most often tell it from others.
    prefix: u64,
    /// Of two writes of a key, the one that came later has the larger number.
    number: u32,
    start: u32,
    key_len: u32,
    /// The value's length, or [`DELETION`].
    value_len: u32,
}

/// No value is as long.
const DELETION: u32 = u32::MAX;

impl BulkWrites {
    /// Adds a write; `None` deletes.
    #[inline]
    pub(super) fn add(&mut self, key: &[u8], value: Option<&[u8]>) {
        let write = Write {
            prefix: prefix_of(key),
            number: length(self.writes.len()),
            start: length(self.bytes.len()),
            key_len: length(key.len()),
            value_len: value.map_or(DELETION, |value| length(value.len())),
        };
        self.bytes.extend_from_slice(key);
        self.bytes.extend_from_slice(value.unwrap_or_default());
        self.writes.push(write);
    }

    /// The memory that they take, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes.len() + self.writes.len() * size_of::<Write>()
    }

    /// Forgets them, and keeps the memory for others.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.writes.clear();
    }

    /// The writes in the order in which they came.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
        self.writes.iter().map(|write| self.show(write))
    }

    /// The last write of each key, in the order of the keys.
    pub(super) fn sorted(&mut self) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
        let Self { bytes, writes } = self;
        let key_of = |write: &Write| {
            let start = write.start as usize;
            &bytes[start..start + write.key_len as usize]
        };
        writes.sort_unstable_by(|one, other| {
            let keys = || key_of(one).cmp(key_of(other));
            let order = one.prefix.cmp(&other.prefix).then_with(keys);
            order.then(other.number.cmp(&one.number))
        });
        // The first of those that are equal stays.
        writes.dedup_by(|one, kept| one.prefix == kept.prefix && key_of(one) == key_of(kept));
        self.iter()
    }

    fn show(&self, write: &Write) -> (&[u8], Option<&[u8]>) {
        let from = &self.bytes[write.start as usize..];
        let (key, behind) = from.split_at(write.key_len as usize);
        let value = (write.value_len != DELETION).then(|| &behind[..write.value_len as usize]);
        (key, value)
    }
}

/// A length or number of what is gathered, far below 4 Gi.
fn length(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// The first eight bytes of a key, as a number of the same order.
fn prefix_of(key: &[u8]) -> u64 {
    let mut prefix = [0; 8];
    let length = key.len().min(8);
    prefix[..length].copy_from_slice(&key[..length]);
    u64::from_be_bytes(prefix)
}

#[cfg(test)]
#[path = "bulk_test.rs"]
mod tests;
