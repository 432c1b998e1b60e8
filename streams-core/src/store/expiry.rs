//! Entries that are gone some time after they were written.

use std::cell::RefCell;
use std::ops::Bound;

use crate::error::Result;
use crate::store::bytes::ByteStore;
use crate::store::engine::Span;
use crate::store::overlay::Overlay;

/// How long the entries of a store live, and how far the search for those that are gone has come.
///
/// Their values begin with the time at which they were written. Nothing finds them by that time: a
/// search goes round and round through what is committed, a piece with each commit that is longer
/// the more is written, so that what is gone never takes more room than what is not.
pub(super) struct Expiry {
    ttl_ms: i64,
    /// The search goes on behind this key; `None` for the beginning.
    searched: RefCell<Option<Box<[u8]>>>,
}

/// The entries that are looked at with a commit: so many for each that was written, at least, and
/// at most.
const SEARCHED_PER_WRITE: usize = 2;
const SEARCHED_MIN: usize = 256;
const SEARCHED_MAX: usize = 20_000;

impl Expiry {
    /// Entries live for `ttl_ms` milliseconds.
    pub(super) fn new(ttl_ms: i64) -> Self {
        Self {
            ttl_ms,
            searched: RefCell::default(),
        }
    }

    /// Whether an entry of a time is still there when the store's time is `observed_ms`.
    pub(super) fn is_alive(&self, timestamp_ms: i64, observed_ms: i64) -> bool {
        is_alive(self.ttl_ms, timestamp_ms, observed_ms)
    }

    /// Searches the next piece of what is committed for entries that are gone and have not been
    /// written since.
    pub(super) fn search(&self, store: &ByteStore, overlay: &Overlay) -> Result<Vec<Box<[u8]>>> {
        let searched_max = overlay.len().saturating_mul(SEARCHED_PER_WRITE);
        let searched_max = searched_max.clamp(SEARCHED_MIN, SEARCHED_MAX);
        let observed_ms = store.observed_time_ms();
        let (mut gone, mut count, mut last) = (Vec::new(), 0, None);
        let from = self.searched.take();
        let span = Span {
            lower: from.as_deref().map_or(Bound::Unbounded, Bound::Excluded),
            upper: Bound::Unbounded,
            is_reverse: false,
        };
        store.engine().scan(span, |key, value| {
            let timestamp = value.first_chunk().map(|time| i64::from_be_bytes(*time));
            let is_gone = timestamp.is_some_and(|time| !self.is_alive(time, observed_ms));
            if is_gone && !overlay.is_written(key) {
                gone.push(Box::from(key));
            }
            count += 1;
            if count == searched_max {
                last = Some(Box::from(key));
            }
            count < searched_max
        })?;
        self.searched.replace(last);
        Ok(gone)
    }
}

/// Whether an entry of a time, which lives for `ttl_ms`, is still there at `observed_ms`.
pub(super) fn is_alive(ttl_ms: i64, timestamp_ms: i64, observed_ms: i64) -> bool {
    observed_ms <= timestamp_ms.saturating_add(ttl_ms)
}
