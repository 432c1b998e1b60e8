//! Writes of a store that is restored, gathered until they are a table of their own.

use crate::store::overlay::{Write, number_at};

/// What takes effect in a store together, as it came.
///
/// A changelog's records are not looked at before the last is in. Sorted, they are a table that
/// RocksDB takes over as it is, past its log and its write buffers: half the CPU time.
#[derive(Default)]
pub(crate) struct BulkWrites {
    bytes: Vec<u8>,
    places: Vec<Place>,
}

/// Where a write is in the bytes: the key, and behind it the value. A record has less than 2 GiB,
/// and what is gathered is written long before it has as much.
#[derive(Clone, Copy)]
struct Place {
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
        let place = Place {
            prefix: number_at(key, 0),
            number: length(self.places.len()),
            start: length(self.bytes.len()),
            key_len: length(key.len()),
            value_len: value.map_or(DELETION, |value| length(value.len())),
        };
        self.bytes.extend_from_slice(key);
        self.bytes.extend_from_slice(value.unwrap_or_default());
        self.places.push(place);
    }

    /// The memory that they take, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes.len() + self.places.len() * size_of::<Place>()
    }

    /// Forgets them, and keeps the memory for others.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.places.clear();
    }

    /// The writes in the order in which they came.
    pub(super) fn iter(&self) -> impl Iterator<Item = Write<'_>> {
        self.places.iter().map(|place| self.show(place))
    }

    /// The last write of each key, in the order of the keys.
    pub(super) fn sorted(&mut self) -> impl Iterator<Item = Write<'_>> {
        let Self { bytes, places } = self;
        let key_of = |place: &Place| {
            let start = place.start as usize;
            &bytes[start..start + place.key_len as usize]
        };
        places.sort_unstable_by(|one, other| {
            let keys = || key_of(one).cmp(key_of(other));
            let order = one.prefix.cmp(&other.prefix).then_with(keys);
            order.then(other.number.cmp(&one.number))
        });
        // The first of those that are equal stays.
        places.dedup_by(|one, kept| one.prefix == kept.prefix && key_of(one) == key_of(kept));
        self.iter()
    }

    fn show(&self, place: &Place) -> Write<'_> {
        let from = &self.bytes[place.start as usize..];
        let (key, behind) = from.split_at(place.key_len as usize);
        let value = (place.value_len != DELETION).then(|| &behind[..place.value_len as usize]);
        (key, value)
    }
}

/// A length or number of what is gathered, far below 4 Gi.
fn length(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

#[cfg(test)]
#[path = "bulk_test.rs"]
mod tests;
