//! An index of a store's entries by their times, for stores whose windows are emitted when they
//! close (`RocksDBTimeOrderedWindowStore` and `RocksDBTimeOrderedSessionStore`, KIP-825).
//!
//! An entry's key on disk is its segment, the user's key, and its window. For each entry that is
//! kept there is one of the index behind all segments: its key holds the same parts with the
//! window first, its value is empty. So what has closed between two times is one range, in the
//! JVM's order, however much else is kept.

use std::ops::Bound;

use crate::error::Result;
use crate::store::bytes::ByteStore;
use crate::store::entries::OwnedSpan;
use crate::store::segment::{Retention, SEGMENT_BYTES, SegmentedBytes, segment_prefix};

/// What keys of the index begin with: it is behind the segments of all times that occur.
const INDEX: u8 = u8::MAX;

/// A key of the index, of one on disk that ends with so many bytes for its window.
fn index_key(key: &[u8], window_bytes: usize) -> Option<Vec<u8>> {
    let (segment, rest) = key.split_at_checked(SEGMENT_BYTES)?;
    let (key, window) = rest.split_at_checked(rest.len().checked_sub(window_bytes)?)?;
    Some([&[INDEX], segment, window, key].concat())
}

/// The key on disk that a key of the index stands for.
fn disk_key(index: &[u8], window_bytes: usize) -> Option<Vec<u8>> {
    let (segment, rest) = index.get(1..)?.split_at_checked(SEGMENT_BYTES)?;
    let (window, key) = rest.split_at_checked(window_bytes)?;
    Some([segment, key, window].concat())
}

/// Writes an entry, whose key is as it stands on disk, and its place in the index if there is one.
pub(super) fn put(store: &ByteStore, retention: Retention, key: &[u8], value: Option<&[u8]>) {
    let window_bytes = retention.indexed_window_bytes;
    if let Some(index) = window_bytes.and_then(|window_bytes| index_key(key, window_bytes)) {
        store.put(&index, value.map(|_| &[][..]));
    }
    store.put(key, value);
}

/// Drops the index of the segments from one to before another.
pub(super) fn drop_segments(store: &ByteStore, from: i64, first_live: i64) {
    let place = |segment| [&[INDEX], &segment_prefix(segment)[..]].concat();
    store.delete_range(&place(from), &place(first_live));
}

impl SegmentedBytes {
    /// Where the index has the entries of the times between two, both included.
    pub(super) fn index_span(&self, from_ms: i64, to_ms: i64) -> Option<OwnedSpan> {
        let place = |time_ms: i64| {
            let segment = segment_prefix(self.retention.segment(time_ms));
            [&[INDEX], &segment[..], &time_ms.to_be_bytes()].concat()
        };
        let from_ms = from_ms.max(0);
        let after_ms = to_ms.checked_add(1)?;
        (from_ms < after_ms).then(|| OwnedSpan {
            lower: Bound::Included(place(from_ms).into_boxed_slice()),
            upper: Bound::Excluded(place(after_ms).into_boxed_slice()),
        })
    }

    /// Shows `read` the entry that a key of the index stands for.
    pub(super) fn read_indexed<R>(
        &self,
        index: &[u8],
        read: impl FnOnce(&[u8], &[u8]) -> Result<R>,
    ) -> Result<Option<R>> {
        let window_bytes = self.retention.indexed_window_bytes.unwrap_or_default();
        let Some(key) = disk_key(index, window_bytes) else {
            return Ok(None);
        };
        self.bytes.read(&key, |value| {
            value.map(|value| read(&key, value)).transpose()
        })?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_index_is_behind_all_segments_in_the_order_of_times() {
        let retention = Retention::of(60_000);
        let key = |user: &[u8], time_ms: i64| {
            let segment = segment_prefix(retention.segment(time_ms));
            [&segment[..], user, &time_ms.to_be_bytes(), &[0; 4]].concat()
        };
        let times = [0, 5, 59_999, 60_000, 61_000, i64::from(u32::MAX)];
        let keys: Vec<_> = times
            .iter()
            .flat_map(|time_ms| [key(b"a", *time_ms), key(b"b", *time_ms)])
            .collect();
        let indexed: Vec<_> = keys.iter().map(|key| index_key(key, 12).unwrap()).collect();
        assert!(indexed.is_sorted());
        assert!(keys.iter().max() < indexed.first());
        let back = indexed.iter().map(|index| disk_key(index, 12).unwrap());
        assert_eq!(back.collect::<Vec<_>>(), keys);
    }
}
