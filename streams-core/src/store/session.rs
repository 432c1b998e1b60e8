//! Stores of values by key and session.

use std::rc::Rc;

use crate::error::Result;
use crate::store::bytes::ByteStore;
use crate::store::cache::DirtyEntry;
use crate::store::codec::{Codec, Scratch};
use crate::store::entries::{OwnedSpan, StoreIterator};
use crate::store::segment::{
    self, Retention, SEGMENT_BYTES, SegmentedBytes, StoreTime, key_span, segment_prefix, spans,
};
use crate::window::{Window, Windowed};

/// What a session store needs to know of its sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionStoreSettings {
    /// How long sessions are kept after their end, in milliseconds of the store's time.
    pub retention_ms: i64,
    /// Whether sessions are emitted when they close: then they can be read in the order of their
    /// ends.
    pub emits_on_close: bool,
}

impl SessionStoreSettings {
    /// Sessions that are kept for `retention_ms` after their end.
    pub fn new(retention_ms: i64) -> Self {
        Self {
            retention_ms,
            emits_on_close: false,
        }
    }

    pub(crate) fn retention(&self) -> Retention {
        let mut retention = Retention::of(self.retention_ms);
        retention.indexed_window_bytes = self.emits_on_close.then_some(SUFFIX_BYTES);
        retention
    }
}

impl From<i64> for SessionStoreSettings {
    fn from(retention_ms: i64) -> Self {
        Self::new(retention_ms)
    }
}

/// The bytes behind the key: the session's end and its start.
const SUFFIX_BYTES: usize = 16;

/// Appends a session's end and start (`SessionKeySchema.toBinary`).
fn push_suffix(buffer: &mut Vec<u8>, window: Window) {
    buffer.extend_from_slice(&window.end_ms.to_be_bytes());
    buffer.extend_from_slice(&window.start_ms.to_be_bytes());
}

/// A key on disk, taken apart.
pub(super) struct SessionKey<'a> {
    pub(super) key: &'a [u8],
    pub(super) window: Window,
}

impl<'a> SessionKey<'a> {
    /// Takes apart a key of the changelog; `None` if it is too short for one.
    pub(super) fn of_changelog(bytes: &'a [u8]) -> Option<Self> {
        let (key, suffix) = bytes.split_at_checked(bytes.len().checked_sub(SUFFIX_BYTES)?)?;
        let (end, start) = suffix.split_first_chunk::<8>()?;
        let window = Window {
            start_ms: i64::from_be_bytes(start.try_into().ok()?),
            end_ms: i64::from_be_bytes(*end),
        };
        Some(Self { key, window })
    }

    /// Takes apart a key as it stands on disk.
    pub(super) fn of_disk(bytes: &'a [u8]) -> Option<Self> {
        Self::of_changelog(bytes.get(SEGMENT_BYTES..)?)
    }
}

/// Writes what a changelog record says, when a store is restored; what is no such record is
/// returned as `None`.
pub(super) fn restore(
    store: &ByteStore,
    retention: Retention,
    key: &[u8],
    value: Option<&[u8]>,
) -> Option<()> {
    let parts = SessionKey::of_changelog(key)?;
    segment::restore(store, retention, key, value, parts.window.end_ms);
    Some(())
}

/// The sessions that are asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sessions {
    /// They end at this time or later, in milliseconds since the epoch.
    pub(super) earliest_end_ms: i64,
    /// They begin at this time or earlier, in milliseconds since the epoch.
    pub(super) latest_start_ms: i64,
}

impl Sessions {
    /// All of them.
    pub(super) const ALL: Self = Self {
        earliest_end_ms: 0,
        latest_start_ms: i64::MAX,
    };

    pub(super) fn contains(self, window: Window) -> bool {
        window.end_ms >= self.earliest_end_ms && window.start_ms <= self.latest_start_ms
    }

    /// Where such sessions are, of the keys between two.
    pub(super) fn spans(
        self,
        (lower, upper): (Option<&[u8]>, Option<&[u8]>),
        retention: Retention,
        time: StoreTime,
        is_reverse: bool,
    ) -> Vec<OwnedSpan> {
        let times = (self.earliest_end_ms.max(0), i64::MAX);
        spans(retention, time, times, is_reverse, |prefix| {
            if lower.is_none() || lower != upper {
                return key_span(prefix, lower, upper);
            }
            let key = lower.unwrap_or_default();
            let mut first = [prefix, key].concat();
            let mut last = first.clone();
            push_suffix(&mut first, Window::new(0, times.0));
            push_suffix(&mut last, Window::new(i64::MAX, i64::MAX));
            OwnedSpan::inclusive(&first, &last)
        })
    }
}

struct Inner<K, V> {
    segmented: SegmentedBytes,
    codec: Codec<K, V>,
    key: Scratch,
    value: Scratch,
}

impl<K, V> Inner<K, V> {
    fn parse<'k>(&self, key: &'k [u8]) -> Result<SessionKey<'k>> {
        let parsed = SessionKey::of_disk(key);
        parsed.ok_or_else(|| self.codec.damaged("a key is shorter than its session"))
    }
}

/// A store of values by key and session, as its task sees it
/// (`org.apache.kafka.streams.state.SessionStore`).
pub struct TaskSessionStore<K, V>(Rc<Inner<K, V>>);

impl<K, V> Clone for TaskSessionStore<K, V> {
    fn clone(&self) -> Self {
        Self(Rc::clone(&self.0))
    }
}

impl<K: 'static, V: 'static> TaskSessionStore<K, V> {
    pub(super) fn new(
        bytes: ByteStore,
        codec: Codec<K, V>,
        settings: SessionStoreSettings,
    ) -> Self {
        Self(Rc::new(Inner {
            segmented: SegmentedBytes::new(bytes, settings.retention()),
            codec,
            key: Scratch::default(),
            value: Scratch::default(),
        }))
    }

    pub(super) fn bytes(&self) -> &ByteStore {
        &self.0.segmented.bytes
    }

    /// The store's name.
    pub fn name(&self) -> &str {
        self.bytes().name()
    }

    /// Writes the value of a session; `None` deletes. A session that is past its retention is not
    /// written.
    pub fn put(&self, session: &Windowed<K>, value: Option<&V>) -> Result<()> {
        let Some(value) = value else {
            return self.put_bytes(session, None);
        };
        self.0.value.with(|buffer| {
            self.0.codec.write_value(value, buffer)?;
            self.put_bytes(session, Some(buffer))
        })
    }

    /// Deletes a session.
    pub fn remove(&self, session: &Windowed<K>) -> Result<()> {
        self.put_bytes(session, None)
    }

    fn put_bytes(&self, session: &Windowed<K>, value: Option<&[u8]>) -> Result<()> {
        let timestamp_ms = self.bytes().record_timestamp_ms();
        let end_ms = session.window.end_ms;
        self.with_key(&session.key, session.window, |key| {
            if self.bytes().keep_back(key, value, end_ms, timestamp_ms) {
                return Ok(());
            }
            self.write_through(key, value, end_ms, timestamp_ms)
        })
    }

    fn write_through(
        &self,
        key: &[u8],
        value: Option<&[u8]>,
        end_ms: i64,
        timestamp_ms: i64,
    ) -> Result<()> {
        self.0
            .segmented
            .write_through(key, value, value, end_ms, timestamp_ms)
    }

    /// Whether writes are kept back: then they are forwarded by [`Self::flush_cache`], and not when
    /// they are made.
    pub fn is_cached(&self) -> bool {
        self.bytes().is_cached()
    }

    /// Whether more is kept back than the cache is to hold: time to flush it.
    pub fn is_cache_full(&self) -> bool {
        self.bytes().is_cache_full()
    }

    /// Writes what is kept back to the store and its changelog and shows each change to `forward`,
    /// in the order of the sessions' last writes (`CachingSessionStore.putAndMaybeForward`). What
    /// was written and deleted again since the last time is left out.
    ///
    /// `needs_old` says whether changes are to hold the old values, each of which is read.
    pub fn flush_cache(
        &self,
        needs_old: bool,
        mut forward: impl FnMut(DirtyEntry<Windowed<K>, V>),
    ) -> Result<()> {
        let Inner {
            segmented, codec, ..
        } = &*self.0;
        let read = |value: Option<&[u8]>| value.map(|value| codec.read_value(value)).transpose();
        segmented.bytes.flush_cache(|(key, value, record)| {
            let SessionKey { key: user, window } = self.0.parse(&key)?;
            let old = match value.is_none() || needs_old {
                true => segmented.get_below_cache(&key, window.end_ms)?,
                false => None,
            };
            if value.is_none() && old.is_none() {
                return Ok(());
            }
            self.write_through(&key, value.as_deref(), window.end_ms, record.timestamp_ms)?;
            let entry = DirtyEntry {
                key: Windowed::new(codec.read_key(user)?, window),
                new_value: read(value.as_deref())?,
                old_value: match needs_old {
                    true => read(old.as_deref())?,
                    false => None,
                },
                timestamp_ms: record.timestamp_ms,
                headers: record.headers.clone(),
            };
            segmented.bytes.with_kept_back(record, || forward(entry));
            Ok(())
        })
    }

    /// Lets go on what is kept back where nobody forwards it.
    pub(super) fn drain_cache(&self) -> Result<()> {
        self.bytes().flush_cache(|(key, value, record)| {
            let end_ms = self.0.parse(&key)?.window.end_ms;
            self.write_through(&key, value.as_deref(), end_ms, record.timestamp_ms)
        })
    }

    fn with_key<R>(
        &self,
        key: &K,
        window: Window,
        then: impl FnOnce(&[u8]) -> Result<R>,
    ) -> Result<R> {
        let segment = self.0.segmented.retention.segment(window.end_ms);
        self.0.key.with(|buffer| {
            buffer.extend_from_slice(&segment_prefix(segment));
            self.0.codec.write_key(key, buffer)?;
            push_suffix(buffer, window);
            then(buffer)
        })
    }

    /// The value of the session of a key from `start_ms` to `end_ms`.
    pub fn fetch_session(&self, key: &K, start_ms: i64, end_ms: i64) -> Result<Option<V>> {
        let Inner {
            segmented, codec, ..
        } = &*self.0;
        self.with_key(key, Window::new(start_ms, end_ms), |key| {
            segmented.read(key, end_ms, |value| {
                value.map(|value| codec.read_value(value)).transpose()
            })
        })
    }

    /// All sessions of a key, by their ends.
    pub fn fetch(&self, key: &K) -> Result<StoreIterator<'static, (Windowed<K>, V)>> {
        self.sessions(Some(key), Some(key), Sessions::ALL, false)
    }

    /// The sessions of a key that end at `earliest_end_ms` or later and begin at `latest_start_ms`
    /// or earlier, in milliseconds since the epoch, by their ends.
    pub fn find_sessions(
        &self,
        key: &K,
        earliest_end_ms: i64,
        latest_start_ms: i64,
    ) -> Result<StoreIterator<'static, (Windowed<K>, V)>> {
        let sessions = Sessions {
            earliest_end_ms,
            latest_start_ms,
        };
        self.sessions(Some(key), Some(key), sessions, false)
    }

    /// As [`Self::find_sessions`], the last end first.
    pub fn backward_find_sessions(
        &self,
        key: &K,
        earliest_end_ms: i64,
        latest_start_ms: i64,
    ) -> Result<StoreIterator<'static, (Windowed<K>, V)>> {
        let sessions = Sessions {
            earliest_end_ms,
            latest_start_ms,
        };
        self.sessions(Some(key), Some(key), sessions, true)
    }

    /// The sessions of all keys that end between two times, both included, in milliseconds since
    /// the epoch (`SessionStore.findSessions(long, long)`).
    pub fn find_sessions_by_end(
        &self,
        earliest_end_ms: i64,
        latest_end_ms: i64,
    ) -> Result<impl Iterator<Item = Result<(Windowed<K>, V)>> + use<K, V>> {
        let sessions = Sessions {
            earliest_end_ms,
            ..Sessions::ALL
        };
        let found = self.sessions(None, None, sessions, false)?;
        Ok(found.filter(move |found| {
            found
                .as_ref()
                .map_or(true, |(session, _)| session.window.end_ms <= latest_end_ms)
        }))
    }

    /// Sessions that end between two times, both included, by their ends, then their beginnings and
    /// keys, of a store whose sessions are emitted when they close; of others there are none. What
    /// is kept back is written first.
    ///
    /// Sessions past their retention are found too as long as others of their time are kept, as on
    /// the JVM: a leap of stream time closes them and expires them at once.
    pub fn closed(
        &self,
        earliest_end_ms: i64,
        latest_end_ms: i64,
    ) -> Result<StoreIterator<'static, (Windowed<K>, V)>> {
        self.drain_cache()?;
        let spans = self.0.segmented.index_span(earliest_end_ms, latest_end_ms);
        let (store, reader) = (Rc::clone(&self.0), Rc::clone(&self.0));
        Ok(StoreIterator::new(
            spans,
            false,
            move |span, limit| store.segmented.bytes.scan(span, limit),
            move |index, _| {
                reader.segmented.read_indexed(index, |key, value| {
                    let entry = reader.parse(key)?;
                    let session = Windowed::new(reader.codec.read_key(entry.key)?, entry.window);
                    Ok((session, reader.codec.read_value(value)?))
                })
            },
        ))
    }

    /// All sessions that are kept, of the keys from one to another, both included; `None` for no
    /// bound.
    pub fn fetch_keys(
        &self,
        lower: Option<&K>,
        upper: Option<&K>,
    ) -> Result<StoreIterator<'static, (Windowed<K>, V)>> {
        self.sessions(lower, upper, Sessions::ALL, false)
    }

    fn sessions(
        &self,
        lower: Option<&K>,
        upper: Option<&K>,
        sessions: Sessions,
        is_reverse: bool,
    ) -> Result<StoreIterator<'static, (Windowed<K>, V)>> {
        let written = |key: Option<&K>| {
            let Some(key) = key else { return Ok(None) };
            let mut bytes = Vec::new();
            self.0.codec.write_key(key, &mut bytes)?;
            Ok(Some(bytes))
        };
        let (lower, upper) = (written(lower)?, written(upper)?);
        let segmented = &self.0.segmented;
        let keys = (lower.as_deref(), upper.as_deref());
        let spans = sessions.spans(keys, segmented.retention, segmented.time(), is_reverse);
        let first_visible_ms = self.0.segmented.first_visible_ms();
        let (store, reader) = (Rc::clone(&self.0), Rc::clone(&self.0));
        Ok(StoreIterator::new(
            spans,
            is_reverse,
            move |span, limit| store.segmented.bytes.scan(span, limit),
            move |entry, value| {
                let entry = reader.parse(entry)?;
                let is_key = lower.as_deref().is_none_or(|lower| lower <= entry.key)
                    && upper.as_deref().is_none_or(|upper| entry.key <= upper);
                let is_visible = entry.window.end_ms >= first_visible_ms;
                if !is_key || !is_visible || !sessions.contains(entry.window) {
                    return Ok(None);
                }
                let session = Windowed::new(reader.codec.read_key(entry.key)?, entry.window);
                Ok(Some((session, reader.codec.read_value(value)?)))
            },
        ))
    }
}
