//! The windows of one key of a plain window store, read at little cost.

use std::cell::Cell;
use std::ops::Bound;

use crate::error::{Error, Result};
use crate::store::codec::Codec;
use crate::store::engine::Span;
use crate::store::segment::{SEGMENT_BYTES, SegmentedBytes, segment_prefix};
use crate::store::window::{Times, WindowKey, push_suffix};

/// Reads windows of keys with buffers that are used again and again.
pub(super) struct KeyWindows<V>(Cell<Buffers<V>>);

struct Buffers<V> {
    /// The first key to read.
    lower: Vec<u8>,
    /// The last key of the segment.
    upper: Vec<u8>,
    /// Windows to show, by their beginnings.
    found: Vec<(i64, V)>,
}

/// So many windows are read before they are shown.
const FOUND_MAX: usize = 256;

impl<V> Default for Buffers<V> {
    fn default() -> Self {
        Self {
            lower: Vec::new(),
            upper: Vec::new(),
            found: Vec::new(),
        }
    }
}

impl<V> Default for KeyWindows<V> {
    fn default() -> Self {
        Self(Cell::default())
    }
}

impl<V> KeyWindows<V> {
    /// Shows `visit` the windows of a key that begin between two times, both included, the oldest
    /// first. It may use the store: what is written behind those read ahead is seen.
    pub(super) fn visit<K, E: From<Error>>(
        &self,
        segmented: &SegmentedBytes,
        codec: &Codec<K, V>,
        (key, (from_ms, to_ms)): (&K, Times),
        mut visit: impl FnMut(i64, V) -> Result<(), E>,
    ) -> Result<(), E> {
        let from_ms = from_ms.max(0).max(segmented.first_visible_ms());
        let to_ms = to_ms.min(segmented.bytes.newest_time_ms());
        if from_ms > to_ms {
            return Ok(());
        }
        // Not borrowed: `visit` may read other keys. After an error they are made anew.
        let mut buffers = self.0.take();
        buffers.start(codec, key, to_ms)?;
        let retention = segmented.retention;
        for segment in retention.segment(from_ms)..=retention.segment(to_ms) {
            buffers.enter(segment, from_ms);
            let mut goes_on = Some(Bound::Included(()));
            while let Some(bound) = goes_on {
                let read = buffers.read(segmented, codec, (from_ms, to_ms), bound);
                // What was found before an entry that is damaged is shown first.
                for (start_ms, value) in buffers.found.drain(..) {
                    visit(start_ms, value)?;
                }
                goes_on = read?.then_some(Bound::Excluded(()));
            }
        }
        self.0.set(buffers);
        Ok(())
    }
}

impl<V> Buffers<V> {
    fn start<K>(&mut self, codec: &Codec<K, V>, key: &K, to_ms: i64) -> Result<()> {
        self.upper.clear();
        self.upper.extend_from_slice(&[0; SEGMENT_BYTES]);
        codec.write_key(key, &mut self.upper)?;
        push_suffix(&mut self.upper, to_ms, i32::MAX as u32);
        Ok(())
    }

    /// Goes to the beginning of a segment.
    fn enter(&mut self, segment: i64, from_ms: i64) {
        let (prefix, rest) = self.upper.split_at_mut(SEGMENT_BYTES);
        prefix.copy_from_slice(&segment_prefix(segment));
        let key = WindowKey::of_changelog(rest).map_or(&[][..], |last| last.key);
        self.lower.clear();
        self.lower.extend_from_slice(prefix);
        self.lower.extend_from_slice(key);
        push_suffix(&mut self.lower, from_ms, 0);
    }

    /// Reads what comes next in the segment, from the first key on or behind it; returns whether
    /// there may be more, behind what is the first key then.
    fn read<K>(
        &mut self,
        segmented: &SegmentedBytes,
        codec: &Codec<K, V>,
        (from_ms, to_ms): Times,
        bound: Bound<()>,
    ) -> Result<bool> {
        let Self {
            lower,
            upper,
            found,
        } = self;
        let key = WindowKey::of_disk(upper).map_or(&[][..], |last| last.key);
        let span = Span {
            lower: bound.map(|()| &lower[..]),
            upper: Bound::Included(&upper[..]),
            is_reverse: false,
        };
        let mut last = None;
        let mut read = |entry: &[u8], value: &[u8]| {
            let Some(window) = WindowKey::of_disk(entry) else {
                return Err(codec.damaged("a key is shorter than its window"));
            };
            // Between a key's windows there may be those of a longer key.
            if window.key == key && (from_ms..=to_ms).contains(&window.start_ms) {
                found.push((window.start_ms, codec.read_value(value)?));
                if found.len() == FOUND_MAX {
                    last = Some(entry.to_vec());
                    return Ok(false);
                }
            }
            Ok(true)
        };
        let mut failed = None;
        let times = (key, from_ms, to_ms);
        let bytes = &segmented.bytes;
        bytes.visit_times(span, times, |entry, value| {
            read(entry, value).unwrap_or_else(|error| {
                failed = Some(error);
                false
            })
        })?;
        if let Some(error) = failed {
            return Err(error);
        }
        let goes_on = last.is_some();
        if let Some(last) = last {
            *lower = last;
        }
        Ok(goes_on)
    }
}

/// What a window is of, and when it begins.
pub(super) fn parts_of(entry: &[u8]) -> Option<(&[u8], i64)> {
    let window = WindowKey::of_disk(entry)?;
    Some((window.key, window.start_ms))
}
