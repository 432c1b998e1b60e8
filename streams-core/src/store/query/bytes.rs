//! The entries of a store whatever its types, in bytes.

use std::ops::Bound;

use crate::error::Result;
use crate::store::engine::{Entry, Span};
use crate::store::expiry::is_alive;
use crate::store::kind::StoreKind;
use crate::store::query::CommittedStore;
use crate::store::segment::{Retention, StoreTime, key_span, spans};
use crate::store::session::SessionKey;
use crate::store::window::WindowKey;
use crate::window::Window;

/// An entry of a store, in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreEntry {
    /// The key's bytes.
    pub key: Vec<u8>,
    /// The window or session, where the store has those.
    pub window: Option<Window>,
    /// The value's bytes.
    pub value: Vec<u8>,
    /// The value's time in milliseconds since the epoch, where the store keeps it.
    pub timestamp_ms: Option<i64>,
}

impl CommittedStore {
    /// The entries that can be seen, in the store's order; none of a versioned store, and `None`
    /// of a buffer.
    pub(crate) fn entries(&self) -> Result<Option<Vec<StoreEntry>>> {
        let has_times = self.ttl_ms.is_some()
            || matches!(
                self.kind,
                StoreKind::TimestampedKeyValue | StoreKind::TimestampedWindow(_)
            );
        let found = match self.kind {
            StoreKind::KeyValue | StoreKind::TimestampedKeyValue | StoreKind::List => {
                let all = self.read(Bound::Unbounded, Bound::Unbounded)?.into_iter();
                all.map(|(key, value)| (key.into_vec(), None, value))
                    .collect()
            }
            StoreKind::Window(settings) | StoreKind::TimestampedWindow(settings) => {
                let decode = |key: &[u8]| {
                    let entry = WindowKey::of_disk(key)?;
                    let window = settings.window(entry.start_ms);
                    Some((entry.key.to_vec(), window, entry.start_ms))
                };
                self.read_segments(settings.retention(), decode)?
            }
            StoreKind::Session(settings) => {
                let decode = |key: &[u8]| {
                    let entry = SessionKey::of_disk(key)?;
                    Some((entry.key.to_vec(), entry.window, entry.window.end_ms))
                };
                self.read_segments(settings.retention(), decode)?
            }
            StoreKind::Versioned(_) => Vec::new(),
            StoreKind::ChangeBuffer | StoreKind::TimeOrderedBuffer => return Ok(None),
        };
        let entries = found.into_iter().map(|(key, window, value): Parts| {
            let stamped = value.split_first_chunk::<8>().filter(|_| has_times);
            StoreEntry {
                key,
                window,
                timestamp_ms: stamped.map(|(time, _)| i64::from_be_bytes(*time)),
                value: stamped.map_or(&*value, |(_, value)| value).to_vec(),
            }
        });
        let observed_ms = self.observed_time.get_ms();
        let is_alive = |entry: &StoreEntry| match (self.ttl_ms, entry.timestamp_ms) {
            (Some(ttl_ms), Some(timestamp_ms)) => is_alive(ttl_ms, timestamp_ms, observed_ms),
            _ => true,
        };
        Ok(Some(entries.filter(is_alive).collect()))
    }

    fn read_segments(
        &self,
        retention: Retention,
        decode: impl Fn(&[u8]) -> Option<(Vec<u8>, Window, i64)>,
    ) -> Result<Vec<Parts>> {
        let observed_ms = self.observed_time.get_ms();
        let first_visible_ms = retention.first_visible_ms(observed_ms);
        let times = (0, i64::MAX);
        let time = StoreTime::of(observed_ms);
        let mut found = Vec::new();
        for span in spans(retention, time, times, false, |prefix| {
            key_span(prefix, None, None)
        }) {
            let span = span.borrowed(false);
            for (key, value) in self.read(span.lower, span.upper)? {
                if let Some((key, window, time_ms)) = decode(&key)
                    && time_ms >= first_visible_ms
                {
                    found.push((key, Some(window), value));
                }
            }
        }
        Ok(found)
    }

    fn read(&self, lower: Bound<&[u8]>, upper: Bound<&[u8]>) -> Result<Vec<Entry>> {
        let span = Span {
            lower,
            upper,
            is_reverse: false,
        };
        super::scan(&self.engine, span, usize::MAX)
    }
}

/// A key, its window, and its value as it stands on disk.
type Parts = (Vec<u8>, Option<Window>, Box<[u8]>);
