//! The versions of keys, in bytes (`RocksDBVersionedStore`).
//!
//! A key's latest value stands under the key alone; what it has replaced is its history: rows, each
//! valid from one time to another, in segments by the time at which they ended, so that a segment
//! is dropped as a whole when it is past the history's retention. A latest value is replaced
//! without reading any history.

use std::ops::Bound;

use crate::error::Result;
use crate::store::bytes::ByteStore;
use crate::store::engine::{Entry, Span};
use crate::store::segment::{Retention, advance, segment_prefix};

/// What [`put`](crate::store::TaskVersionedStore::put) has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VersionedPut {
    /// The version is the latest of its key (`PUT_RETURN_CODE_VALID_TO_UNDEFINED`).
    Latest,
    /// There is a later version, which ends this one.
    ValidTo(i64),
    /// It came after the history's retention, and is not in the store (`PUT_RETURN_CODE_NOT_PUT`).
    NotPut,
}

/// A value and when it is valid, in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Version {
    pub(super) from_ms: i64,
    /// The time from which it is valid no more; `None` for the latest.
    pub(super) to_ms: Option<i64>,
    pub(super) value: Box<[u8]>,
}

/// What versions are read from: a task's store, or what is committed of it.
pub(super) trait VersionRows {
    fn row<R>(&self, key: &[u8], read: impl FnOnce(Option<&[u8]>) -> R) -> Result<R>;
    fn rows(&self, span: Span<'_>, limit: usize) -> Result<Vec<Entry>>;
    /// The largest time that was written.
    fn observed_ms(&self) -> i64;
}

impl VersionRows for ByteStore {
    fn row<R>(&self, key: &[u8], read: impl FnOnce(Option<&[u8]>) -> R) -> Result<R> {
        self.read(key, read)
    }

    fn rows(&self, span: Span<'_>, limit: usize) -> Result<Vec<Entry>> {
        self.scan(span, limit)
    }

    fn observed_ms(&self) -> i64 {
        self.observed_time_ms()
    }
}

/// What a key on disk begins with: first latest values, then history.
const LATEST: u8 = 0;
const HISTORY: u8 = 1;
/// What stands before a value that is there, and alone for one that is deleted.
const VALUE: u8 = 1;
const DELETED: u8 = 0;

fn latest_key(key: &[u8]) -> Vec<u8> {
    [&[LATEST], key].concat()
}

/// The rows of a key in a segment begin with this. The length keeps apart keys that begin alike.
fn history_prefix(segment: i64, key: &[u8]) -> Vec<u8> {
    let length = (key.len() as u32).to_be_bytes();
    [&[HISTORY], &segment_prefix(segment)[..], &length, key].concat()
}

/// Later times come first, so that the row valid at a time is the first at or behind it.
fn inverted(time_ms: i64) -> [u8; 8] {
    (!(time_ms ^ i64::MIN)).to_be_bytes()
}

/// A row of a key's history.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    from_ms: i64,
    to_ms: i64,
    /// `None` if the key was deleted then.
    value: Option<Box<[u8]>>,
}

impl Row {
    fn of((key, value): &Entry) -> Option<Self> {
        let from: &[u8; 8] = key.last_chunk()?;
        let (to, value) = value.split_first_chunk::<8>()?;
        let value = match value.split_first()? {
            (&VALUE, value) => Some(Box::from(value)),
            _ => None,
        };
        Some(Self {
            from_ms: !i64::from_be_bytes(*from) ^ i64::MIN,
            to_ms: i64::from_be_bytes(*to),
            value,
        })
    }
}

/// The latest value of a key, taken apart: its time and its bytes.
pub(super) fn split_latest(row: &[u8]) -> Option<(i64, &[u8])> {
    let (time, value) = row.split_first_chunk::<8>()?;
    Some((i64::from_be_bytes(*time), value))
}

/// The version that was valid at a time, as far as the history is kept.
pub(super) fn as_of(
    rows: &impl VersionRows,
    retention: Retention,
    key: &[u8],
    time_ms: i64,
) -> Result<Option<Version>> {
    if let Some(latest) = latest(rows, key)?
        && latest.from_ms <= time_ms
    {
        return Ok(Some(latest));
    }
    let observed_ms = rows.observed_ms();
    if time_ms < observed_ms.saturating_sub(retention.retention_ms) {
        return Ok(None);
    }
    for segment in retention.segment(time_ms)..=retention.segment(observed_ms) {
        if let Some(row) = row_at(rows, segment, key, time_ms)? {
            return Ok(row.value.map(|value| Version {
                from_ms: row.from_ms,
                to_ms: Some(row.to_ms),
                value,
            }));
        }
    }
    Ok(None)
}

/// The latest version of a key.
pub(super) fn latest(rows: &impl VersionRows, key: &[u8]) -> Result<Option<Version>> {
    rows.row(&latest_key(key), |row| {
        let (from_ms, value) = split_latest(row?)?;
        Some(Version {
            from_ms,
            to_ms: None,
            value: Box::from(value),
        })
    })
}

/// The versions that were valid at some time between two, both included, the oldest first.
pub(super) fn between(
    rows: &impl VersionRows,
    retention: Retention,
    key: &[u8],
    (from_ms, to_ms): (i64, i64),
) -> Result<Vec<Version>> {
    let mut versions = Vec::new();
    let observed_ms = rows.observed_ms();
    let first_ms = from_ms.max(observed_ms.saturating_sub(retention.retention_ms));
    for segment in retention.segment(first_ms)..=retention.segment(observed_ms) {
        let prefix = history_prefix(segment, key);
        let span = Span {
            lower: Bound::Included(&[&prefix[..], &inverted(to_ms)].concat()),
            upper: Bound::Included(&[&prefix[..], &inverted(i64::MIN)].concat()),
            is_reverse: true,
        };
        for row in rows.rows(span, usize::MAX)?.iter().filter_map(Row::of) {
            if row.to_ms <= first_ms {
                continue;
            }
            versions.extend(row.value.map(|value| Version {
                from_ms: row.from_ms,
                to_ms: Some(row.to_ms),
                value,
            }));
        }
    }
    versions.extend(latest(rows, key)?.filter(|latest| latest.from_ms <= to_ms));
    Ok(versions)
}

/// The row of a segment that was valid at a time.
fn row_at(rows: &impl VersionRows, segment: i64, key: &[u8], time_ms: i64) -> Result<Option<Row>> {
    let prefix = history_prefix(segment, key);
    let span = Span {
        lower: Bound::Included(&[&prefix[..], &inverted(time_ms)].concat()),
        upper: Bound::Included(&[&prefix[..], &inverted(i64::MIN)].concat()),
        is_reverse: false,
    };
    let first = rows.rows(span, 1)?.first().and_then(Row::of);
    Ok(first.filter(|row| row.to_ms > time_ms))
}

/// The first row of a segment that begins after a time.
fn row_after(
    rows: &impl VersionRows,
    segment: i64,
    key: &[u8],
    time_ms: i64,
) -> Result<Option<Row>> {
    let prefix = history_prefix(segment, key);
    let span = Span {
        lower: Bound::Included(&[&prefix[..], &inverted(i64::MAX)].concat()),
        upper: Bound::Excluded(&[&prefix[..], &inverted(time_ms)].concat()),
        is_reverse: true,
    };
    Ok(rows.rows(span, 1)?.first().and_then(Row::of))
}

/// Writes a version, or that the key is deleted from a time on; both as the JVM does, where the
/// time from which a key is deleted is known only if a version ends there or no version was known
/// when it was deleted.
pub(super) fn put(
    bytes: &ByteStore,
    retention: Retention,
    key: &[u8],
    value: Option<&[u8]>,
    time_ms: i64,
) -> Result<VersionedPut> {
    let oldest_ms = bytes
        .observed_time_ms()
        .saturating_sub(retention.retention_ms);
    if time_ms < oldest_ms {
        bytes.count_expired();
        return Ok(VersionedPut::NotPut);
    }
    advance(bytes, retention, &[HISTORY], time_ms);
    let latest_key = latest_key(key);
    let latest_ms = bytes.read(&latest_key, |row| {
        let (latest_ms, value) = split_latest(row?)?;
        // The row that it becomes must be made while its bytes are at hand.
        let row = (latest_ms < time_ms).then(|| row_bytes(time_ms, Some(value)));
        Some((latest_ms, row))
    })?;
    match latest_ms {
        Some((latest_ms, replaced)) if latest_ms <= time_ms => {
            if let Some(replaced) = replaced {
                let row_key = row_key(retention, key, latest_ms, time_ms);
                bytes.put(&row_key, Some(&replaced));
            }
            put_latest(bytes, &latest_key, value, time_ms);
            Ok(VersionedPut::Latest)
        }
        latest => {
            let latest_ms = latest.map(|(latest_ms, _)| latest_ms);
            let writer = HistoryWriter {
                bytes,
                retention,
                key,
            };
            writer.put(&latest_key, value, time_ms, latest_ms)
        }
    }
}

fn put_latest(bytes: &ByteStore, latest_key: &[u8], value: Option<&[u8]>, time_ms: i64) {
    let row = value.map(|value| [&time_ms.to_be_bytes(), value].concat());
    bytes.put(latest_key, row.as_deref());
}

fn row_key(retention: Retention, key: &[u8], from_ms: i64, to_ms: i64) -> Vec<u8> {
    let mut row_key = history_prefix(retention.segment(to_ms), key);
    row_key.extend_from_slice(&inverted(from_ms));
    row_key
}

fn row_bytes(to_ms: i64, value: Option<&[u8]>) -> Vec<u8> {
    let tag = [value.map_or(DELETED, |_| VALUE)];
    [&to_ms.to_be_bytes(), &tag[..], value.unwrap_or_default()].concat()
}

/// Writes versions of a key that has no latest value, or a later one.
struct HistoryWriter<'a> {
    bytes: &'a ByteStore,
    retention: Retention,
    key: &'a [u8],
}

impl HistoryWriter<'_> {
    fn put(
        &self,
        latest_key: &[u8],
        value: Option<&[u8]>,
        time_ms: i64,
        latest_ms: Option<i64>,
    ) -> Result<VersionedPut> {
        let mut next_ms = latest_ms;
        let observed_ms = self.bytes.observed_time_ms();
        for segment in self.retention.segment(time_ms)..=self.retention.segment(observed_ms) {
            if let Some(row) = row_at(self.bytes, segment, self.key, time_ms)? {
                return Ok(self.split(&row, value, time_ms));
            }
            if let Some(row) = row_after(self.bytes, segment, self.key, time_ms)? {
                next_ms = Some(row.from_ms);
                break;
            }
        }
        match (next_ms, value) {
            (Some(next_ms), value) => {
                self.put_row(time_ms, next_ms, value);
                return Ok(VersionedPut::ValidTo(next_ms));
            }
            (None, Some(_)) => put_latest(self.bytes, latest_key, value, time_ms),
            // A row that is valid at no time, but tells from when on the key is deleted.
            (None, None) => {
                if !self.ends_at(time_ms)? {
                    self.put_row(time_ms, time_ms, None);
                }
            }
        }
        Ok(VersionedPut::Latest)
    }

    /// Writes a version into the time of another, which ends where it begins.
    fn split(&self, row: &Row, value: Option<&[u8]>, time_ms: i64) -> VersionedPut {
        if row.from_ms != time_ms {
            let old_key = row_key(self.retention, self.key, row.from_ms, row.to_ms);
            self.bytes.put(&old_key, None);
            self.put_row(row.from_ms, time_ms, row.value.as_deref());
        }
        self.put_row(time_ms, row.to_ms, value);
        VersionedPut::ValidTo(row.to_ms)
    }

    fn put_row(&self, from_ms: i64, to_ms: i64, value: Option<&[u8]>) {
        let key = row_key(self.retention, self.key, from_ms, to_ms);
        self.bytes.put(&key, Some(&row_bytes(to_ms, value)));
    }

    /// Whether the last row up to a time ends there.
    fn ends_at(&self, time_ms: i64) -> Result<bool> {
        let prefix = history_prefix(self.retention.segment(time_ms), self.key);
        let span = Span {
            lower: Bound::Included(&[&prefix[..], &inverted(time_ms)].concat()),
            upper: Bound::Included(&[&prefix[..], &inverted(i64::MIN)].concat()),
            is_reverse: false,
        };
        let last = self.bytes.scan(span, 1)?;
        let last = last.first().and_then(Row::of);
        Ok(last.is_some_and(|row| row.to_ms == time_ms))
    }
}
