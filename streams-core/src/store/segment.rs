//! Entries that expire: keys with a time, kept in segments of time that are dropped as a whole.
//!
//! On disk a key begins with the number of its segment, so that a scan meets entries in the JVM's
//! order (segment by segment), and a segment is dropped by one deletion of a range. What follows is
//! the key as it stands in the changelog.

use std::ops::Bound;

use crate::error::Result;
use crate::record::Headers;
use crate::store::bytes::{ByteStore, NO_HEADERS};
use crate::store::entries::{OwnedSpan, after_prefix};
use crate::store::time_index;

/// How long entries are kept, and in how large pieces they are dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Retention {
    /// Entries are seen until the store's time is this much past theirs, in milliseconds.
    pub(crate) retention_ms: i64,
    /// The length of a segment, in milliseconds.
    pub(crate) segment_interval_ms: i64,
    /// Set if there is an index by time: how many bytes at the end of a key are its window.
    pub(crate) indexed_window_bytes: Option<usize>,
    /// Whether entries are seen for one millisecond more.
    pub(crate) shows_just_expired: bool,
}

impl Retention {
    /// The shortest segment that a store has unless told otherwise (`Stores`).
    const SEGMENT_INTERVAL_MS_MIN: i64 = 60_000;

    /// Segments of half the retention, as on the JVM.
    pub(crate) fn of(retention_ms: i64) -> Self {
        Self {
            retention_ms,
            segment_interval_ms: (retention_ms / 2).max(Self::SEGMENT_INTERVAL_MS_MIN),
            indexed_window_bytes: None,
            shows_just_expired: false,
        }
    }

    pub(super) fn segment(&self, time_ms: i64) -> i64 {
        time_ms.div_euclid(self.segment_interval_ms.max(1))
    }

    /// The first time that can still be seen when the store's time is `observed_ms`.
    pub(super) fn first_visible_ms(&self, observed_ms: i64) -> i64 {
        observed_ms
            .saturating_sub(self.retention_ms)
            .saturating_add(i64::from(!self.shows_just_expired))
    }

    fn first_live_segment(&self, observed_ms: i64) -> i64 {
        self.segment(observed_ms.saturating_sub(self.retention_ms))
    }
}

/// The bytes of a segment's number, in the order of the numbers.
pub(super) fn segment_prefix(segment: i64) -> [u8; SEGMENT_BYTES] {
    (segment ^ i64::MIN).to_be_bytes()
}

/// The bytes that a key on disk has before the key of the changelog.
pub(super) const SEGMENT_BYTES: usize = 8;

/// Moves a store's time on to `time_ms` and drops the segments that this ends, whose keys begin
/// with `space` and their number; returns whether that of `time_ms` is still kept.
///
/// Every segment below has been dropped when the store's time was moved past it, in the same
/// commit.
pub(super) fn advance(bytes: &ByteStore, retention: Retention, space: &[u8], time_ms: i64) -> bool {
    let before = retention.first_live_segment(bytes.observed_time_ms());
    bytes.observe_time(time_ms);
    let first_live = retention.first_live_segment(bytes.observed_time_ms());
    if first_live > before && first_live > 0 {
        let key = |segment| [space, &segment_prefix(segment)].concat();
        bytes.delete_range(&key(before), &key(first_live));
        if retention.indexed_window_bytes.is_some() {
            time_index::drop_segments(bytes, before, first_live);
        }
    }
    retention.segment(time_ms) >= first_live
}

/// Writes what a changelog record says of a key and a time, when a store is restored.
pub(super) fn restore(
    bytes: &ByteStore,
    retention: Retention,
    key: &[u8],
    value: Option<&[u8]>,
    time_ms: i64,
) {
    if advance(bytes, retention, &[], time_ms) {
        let disk_key = [&segment_prefix(retention.segment(time_ms)), key].concat();
        time_index::put(bytes, retention, &disk_key, value);
    }
}

/// A store whose keys have times.
pub(super) struct SegmentedBytes {
    pub(super) bytes: ByteStore,
    pub(super) retention: Retention,
}

impl SegmentedBytes {
    pub(super) fn new(bytes: ByteStore, retention: Retention) -> Self {
        Self { bytes, retention }
    }

    /// Writes a key, which begins with its segment, and `logged` to the changelog, which also gets
    /// what is past its retention, as on the JVM.
    pub(super) fn write_through(
        &self,
        key: &[u8],
        value: Option<&[u8]>,
        logged: Option<&[u8]>,
        time_ms: i64,
        timestamp_ms: i64,
    ) -> Result<()> {
        self.write_with_headers(key, (value, logged), time_ms, timestamp_ms, NO_HEADERS)
    }

    /// As [`Self::write_through`], of a value and what is logged of it, with headers.
    pub(super) fn write_with_headers(
        &self,
        key: &[u8],
        (value, logged): (Option<&[u8]>, Option<&[u8]>),
        time_ms: i64,
        timestamp_ms: i64,
        headers: &Headers,
    ) -> Result<()> {
        if advance(&self.bytes, self.retention, &[], time_ms) {
            time_index::put(&self.bytes, self.retention, key, value);
        } else {
            self.bytes.count_expired();
        }
        let changelog_key = key.get(SEGMENT_BYTES..).unwrap_or_default();
        self.bytes
            .log_with_headers(changelog_key, logged, timestamp_ms, headers)
    }

    /// The value of a key as it is without the writes that are kept back.
    pub(super) fn get_below_cache(&self, key: &[u8], time_ms: i64) -> Result<Option<Box<[u8]>>> {
        if time_ms < self.first_visible_ms() {
            return Ok(None);
        }
        self.bytes.get_below_cache(key)
    }

    /// Where the store's time stands.
    pub(super) fn time(&self) -> StoreTime {
        StoreTime {
            observed_ms: self.bytes.observed_time_ms(),
            newest_ms: self.bytes.newest_time_ms(),
        }
    }

    /// The first time that can be seen.
    pub(super) fn first_visible_ms(&self) -> i64 {
        self.retention
            .first_visible_ms(self.bytes.observed_time_ms())
    }

    /// Shows `read` the value of a key that begins with its segment.
    pub(super) fn read<R>(
        &self,
        key: &[u8],
        time_ms: i64,
        read: impl FnOnce(Option<&[u8]>) -> Result<R>,
    ) -> Result<R> {
        if time_ms < self.first_visible_ms() {
            return read(None);
        }
        self.bytes.read_of_time(key, time_ms, read)?
    }
}

/// Where a store's time stands, in milliseconds since the epoch.
#[derive(Debug, Clone, Copy)]
pub(super) struct StoreTime {
    /// The largest time that was written, by which entries expire.
    pub(super) observed_ms: i64,
    /// The largest time there is, writes that are kept back included.
    pub(super) newest_ms: i64,
}

impl StoreTime {
    /// That of a store in which nothing is kept back.
    pub(super) fn of(observed_ms: i64) -> Self {
        Self {
            observed_ms,
            newest_ms: observed_ms,
        }
    }
}

/// More segments than these are read as one span.
const SPANS_MAX: i64 = 64;

/// One span for each segment that may hold entries of these times, in order, as far as they can
/// still be seen; `span` makes a segment's from its prefix.
///
/// A time far ahead of the others, as one record may have it, would make any number of segments;
/// then there is one span over all of them. It holds other keys too: whoever reads it looks at
/// each.
pub(super) fn spans(
    retention: Retention,
    time: StoreTime,
    (from_ms, to_ms): (i64, i64),
    is_reverse: bool,
    span: impl Fn(&[u8]) -> OwnedSpan,
) -> Vec<OwnedSpan> {
    let from_ms = from_ms.max(retention.first_visible_ms(time.observed_ms));
    let to_ms = to_ms.min(time.newest_ms);
    if from_ms > to_ms {
        return Vec::new();
    }
    let (first, last) = (retention.segment(from_ms), retention.segment(to_ms));
    if last.saturating_sub(first) >= SPANS_MAX {
        let upper = after_prefix(&segment_prefix(last));
        return vec![OwnedSpan {
            lower: Bound::Included(Box::from(segment_prefix(first))),
            upper: upper.map_or(Bound::Unbounded, Bound::Excluded),
        }];
    }
    let segments = first..=last;
    let span = |segment: i64| span(&segment_prefix(segment));
    if is_reverse {
        segments.rev().map(span).collect()
    } else {
        segments.map(span).collect()
    }
}

/// The keys of a segment between two of the user's, given as bytes; `None` for no bound. It may
/// hold others too: only whole keys tell, since what follows a key blurs the order.
pub(super) fn key_span(prefix: &[u8], lower: Option<&[u8]>, upper: Option<&[u8]>) -> OwnedSpan {
    let lower = [prefix, lower.unwrap_or_default()].concat();
    // A key that is the beginning of `upper` is followed by its time, which may be above the rest.
    let first = upper.and_then(<[u8]>::first).map(std::slice::from_ref);
    let upper = [prefix, first.unwrap_or_default()].concat();
    OwnedSpan {
        lower: Bound::Included(lower.into_boxed_slice()),
        upper: after_prefix(&upper).map_or(Bound::Unbounded, Bound::Excluded),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans_up_to(newest_ms: i64) -> Vec<OwnedSpan> {
        let retention = Retention::of(60_000);
        let time = StoreTime {
            observed_ms: -1,
            newest_ms,
        };
        spans(retention, time, (0, i64::MAX), false, OwnedSpan::prefix)
    }

    /// One record with its time in microseconds must not make a span for each segment until then.
    #[test]
    fn times_far_apart_are_read_as_one_span_over_all_segments() {
        let near = spans_up_to(64 * 60_000 - 1);
        assert_eq!(near.len(), 64);
        let far = spans_up_to(1_700_000_000_000_000);
        let [all] = far.as_slice() else {
            panic!("{far:?}")
        };
        assert_eq!(Some(&all.lower), near.first().map(|span| &span.lower));
        let last = segment_prefix(1_700_000_000_000_000 / 60_000);
        assert_eq!(all.upper, OwnedSpan::prefix(&last).upper);
    }
}
