//! Stores of values by key and the start of a window, plain and with the values' times.

use std::rc::Rc;

use crate::error::{Error, Result};
use crate::record::Headers;
use crate::store::bytes::ByteStore;
use crate::store::cache::DirtyEntry;
use crate::store::codec::{Codec, Scratch, ValueAndTimestamp};
use crate::store::entries::{OwnedSpan, StoreIterator};
use crate::store::key_windows::{KeyWindows, parts_of};
use crate::store::segment::{
    self, Retention, SEGMENT_BYTES, SegmentedBytes, StoreTime, key_span, segment_prefix, spans,
};
use crate::window::{Window, Windowed};

/// What a window store needs to know of its windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowStoreSettings {
    /// How long windows are kept after their start, in milliseconds of the store's time.
    pub retention_ms: i64,
    /// The windows' length, in milliseconds.
    pub window_size_ms: i64,
    /// How long the pieces are in which windows are dropped, in milliseconds; `None` for half the
    /// retention, and at least a minute.
    pub segment_interval_ms: Option<i64>,
    /// Whether values of one key and start are all kept, as joins of streams need it.
    pub retain_duplicates: bool,
    /// Whether windows are emitted when they close: then they can be read in the order of their
    /// times, and are seen until the store's time is past their retention, not only until it has
    /// reached it, for that is when the last of them closes
    /// (`AbstractDualSchemaRocksDBSegmentedBytesStore.getActualFrom`).
    pub emits_on_close: bool,
}

impl WindowStoreSettings {
    /// Windows of `window_size_ms`, kept for `retention_ms` after their start.
    pub fn new(retention_ms: i64, window_size_ms: i64) -> Self {
        Self {
            retention_ms,
            window_size_ms,
            segment_interval_ms: None,
            retain_duplicates: false,
            emits_on_close: false,
        }
    }

    pub(crate) fn retention(&self) -> Retention {
        let mut retention = Retention::of(self.retention_ms);
        if let Some(interval_ms) = self.segment_interval_ms {
            retention.segment_interval_ms = interval_ms.max(1);
        }
        retention.indexed_window_bytes = self.emits_on_close.then_some(SUFFIX_BYTES);
        retention.shows_just_expired = self.emits_on_close;
        retention
    }

    /// The window that begins at `start_ms`.
    pub(crate) fn window(&self, start_ms: i64) -> Window {
        // As TimeWindowedDeserializer: an end beyond all times is the last time.
        Window::new(start_ms, start_ms.saturating_add(self.window_size_ms))
    }
}

/// The bytes behind the key: the window's start, and a number.
const SUFFIX_BYTES: usize = 12;

/// Appends a window's start and number (`WindowKeySchema.toStoreKeyBinary`).
pub(super) fn push_suffix(buffer: &mut Vec<u8>, start_ms: i64, sequence: u32) {
    buffer.extend_from_slice(&start_ms.to_be_bytes());
    buffer.extend_from_slice(&sequence.to_be_bytes());
}

/// A key on disk, taken apart.
pub(super) struct WindowKey<'a> {
    pub(super) key: &'a [u8],
    pub(super) start_ms: i64,
    pub(super) sequence: u32,
}

impl<'a> WindowKey<'a> {
    /// Takes apart a key of the changelog; `None` if it is too short for one.
    pub(super) fn of_changelog(bytes: &'a [u8]) -> Option<Self> {
        let (key, suffix) = bytes.split_at_checked(bytes.len().checked_sub(SUFFIX_BYTES)?)?;
        let (start, sequence) = suffix.split_first_chunk::<8>()?;
        Some(Self {
            key,
            start_ms: i64::from_be_bytes(*start),
            sequence: u32::from_be_bytes(sequence.try_into().ok()?),
        })
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
    let parts = WindowKey::of_changelog(key)?;
    store.observe_sequence(parts.sequence);
    segment::restore(store, retention, key, value, parts.start_ms);
    Some(())
}

struct Inner<K, V> {
    segmented: SegmentedBytes,
    settings: WindowStoreSettings,
    codec: Codec<K, V>,
    /// Whether values stand behind their times.
    is_timestamped: bool,
    key: Scratch,
    value: Scratch,
    found: KeyWindows<V>,
}

impl<K, V> Inner<K, V> {
    fn new(
        bytes: ByteStore,
        codec: Codec<K, V>,
        settings: WindowStoreSettings,
        is_timestamped: bool,
    ) -> Rc<Self> {
        // What is too short to have a time is nobody's key.
        let time_of = |key: &[u8]| WindowKey::of_disk(key).map_or(i64::MIN, |key| key.start_ms);
        let bytes = bytes.notes_times(time_of).notes_keys(parts_of);
        Rc::new(Self {
            is_timestamped,
            segmented: SegmentedBytes::new(bytes, settings.retention()),
            settings,
            codec,
            key: Scratch::default(),
            value: Scratch::default(),
            found: KeyWindows::default(),
        })
    }

    /// Lends the key of a window as it stands on disk.
    fn with_key<R>(
        &self,
        key: &K,
        start_ms: i64,
        sequence: u32,
        then: impl FnOnce(&[u8]) -> Result<R>,
    ) -> Result<R> {
        let segment = self.segmented.retention.segment(start_ms);
        self.key.with(|buffer| {
            buffer.extend_from_slice(&segment_prefix(segment));
            self.codec.write_key(key, buffer)?;
            push_suffix(buffer, start_ms, sequence);
            then(buffer)
        })
    }

    /// Writes bytes as of a time, now or when they leave the cache.
    fn put(&self, key: &K, value: Option<&[u8]>, start_ms: i64, timestamp_ms: i64) -> Result<()> {
        let bytes = &self.segmented.bytes;
        let sequence = match (self.settings.retain_duplicates, value) {
            // There is no telling which of the duplicates is meant.
            (true, None) => return Ok(()),
            (true, Some(_)) => bytes.next_sequence(),
            (false, _) => 0,
        };
        self.with_key(key, start_ms, sequence, |key| {
            if bytes.keep_back(key, value, start_ms, timestamp_ms) {
                return Ok(());
            }
            self.write_through(key, value, start_ms, timestamp_ms)
        })
    }

    fn write_through(
        &self,
        key: &[u8],
        value: Option<&[u8]>,
        start_ms: i64,
        timestamp_ms: i64,
    ) -> Result<()> {
        let logged = match value {
            Some(value) if self.is_timestamped => Some(self.codec.split_timestamp(value)?.1),
            value => value,
        };
        self.segmented
            .write_through(key, value, logged, start_ms, timestamp_ms)
    }

    fn read_plain(&self, value: Option<&[u8]>) -> Result<Option<V>> {
        let Some(value) = value else { return Ok(None) };
        let plain = match self.is_timestamped {
            true => self.codec.split_timestamp(value)?.1,
            false => value,
        };
        self.codec.read_value(plain).map(Some)
    }

    fn parse<'k>(&self, key: &'k [u8]) -> Result<WindowKey<'k>> {
        let parsed = WindowKey::of_disk(key);
        parsed.ok_or_else(|| self.codec.damaged("a key is shorter than its window"))
    }

    /// As `CachingWindowStore.putAndMaybeForward`.
    fn flush_cache(
        &self,
        needs_old: bool,
        mut forward: impl FnMut(DirtyEntry<Windowed<K>, V>),
    ) -> Result<()> {
        let bytes = &self.segmented.bytes;
        bytes.flush_cache(|(key, value, record)| {
            let WindowKey {
                key: user,
                start_ms,
                ..
            } = self.parse(&key)?;
            let old = match value.is_none() || needs_old {
                true => self.segmented.get_below_cache(&key, start_ms)?,
                false => None,
            };
            if value.is_none() && old.is_none() {
                return Ok(());
            }
            self.write_through(&key, value.as_deref(), start_ms, record.timestamp_ms)?;
            let window = self.settings.window(start_ms);
            let entry = DirtyEntry {
                key: Windowed::new(self.codec.read_key(user)?, window),
                new_value: self.read_plain(value.as_deref())?,
                old_value: match needs_old {
                    true => self.read_plain(old.as_deref())?,
                    false => None,
                },
                timestamp_ms: record.timestamp_ms,
                headers: record.headers.clone(),
            };
            bytes.with_kept_back(record, || forward(entry));
            Ok(())
        })
    }

    /// Lets go on what is kept back where nobody forwards it.
    fn drain_cache(&self) -> Result<()> {
        self.segmented.bytes.flush_cache(|(key, value, record)| {
            let start_ms = self.parse(&key)?.start_ms;
            self.write_through(&key, value.as_deref(), start_ms, record.timestamp_ms)
        })
    }

    fn key_bytes(&self, key: Option<&K>) -> Result<Option<Vec<u8>>> {
        let Some(key) = key else { return Ok(None) };
        let mut bytes = Vec::new();
        self.codec.write_key(key, &mut bytes)?;
        Ok(Some(bytes))
    }

    fn spans(&self, keys: KeyRange<'_>, times: Times, is_reverse: bool) -> Vec<OwnedSpan> {
        let retention = self.segmented.retention;
        keys.spans(retention, self.segmented.time(), times, is_reverse)
    }
}

/// The first and the last time that are asked for, in milliseconds since the epoch.
pub(super) type Times = (i64, i64);

/// The keys that are asked for, in bytes.
#[derive(Clone, Copy)]
pub(super) enum KeyRange<'a> {
    One(&'a [u8]),
    Between(Option<&'a [u8]>, Option<&'a [u8]>),
}

impl KeyRange<'_> {
    /// Where entries of these keys and times are.
    pub(super) fn spans(
        self,
        retention: Retention,
        time: StoreTime,
        (from_ms, to_ms): Times,
        is_reverse: bool,
    ) -> Vec<OwnedSpan> {
        let times = (from_ms.max(0), to_ms);
        spans(retention, time, times, is_reverse, |prefix| match self {
            Self::One(key) => {
                let mut lower = [prefix, key].concat();
                let mut upper = lower.clone();
                push_suffix(&mut lower, times.0, 0);
                push_suffix(&mut upper, times.1, i32::MAX as u32);
                OwnedSpan::inclusive(&lower, &upper)
            }
            Self::Between(lower, upper) => key_span(prefix, lower, upper),
        })
    }

    /// Whether an entry that a span holds is one that is asked for.
    pub(super) fn contains(self, entry: &WindowKey<'_>, (from_ms, to_ms): Times) -> bool {
        let is_key = match self {
            Self::One(key) => entry.key == key,
            Self::Between(lower, upper) => {
                lower.is_none_or(|lower| lower <= entry.key)
                    && upper.is_none_or(|upper| entry.key <= upper)
            }
        };
        is_key && (from_ms..=to_ms).contains(&entry.start_ms)
    }
}

/// A store of values by key and window, as its task sees it
/// (`org.apache.kafka.streams.state.WindowStore`).
pub struct TaskWindowStore<K, V>(Rc<Inner<K, V>>);

/// A store of values and their times by key and window, as its task sees it
/// (`TimestampedWindowStore`); windowed aggregations are kept in such stores.
pub struct TaskTimestampedWindowStore<K, V>(Rc<Inner<K, V>>);

macro_rules! shared_methods {
    ($name:ident, $entry:ty, $read:ident, $is_timestamped:literal) => {
        impl<K, V> Clone for $name<K, V> {
            fn clone(&self) -> Self {
                Self(Rc::clone(&self.0))
            }
        }

        impl<K: 'static, V: 'static> $name<K, V> {
            pub(super) fn new(
                bytes: ByteStore,
                codec: Codec<K, V>,
                settings: WindowStoreSettings,
            ) -> Self {
                Self(Inner::new(bytes, codec, settings, $is_timestamped))
            }

            pub(super) fn bytes(&self) -> &ByteStore {
                &self.0.segmented.bytes
            }

            pub(super) fn drain_cache(&self) -> Result<()> {
                self.0.drain_cache()
            }

            /// The store's name.
            pub fn name(&self) -> &str {
                self.bytes().name()
            }

            /// Whether writes are kept back: then they are forwarded by [`Self::flush_cache`], and
            /// not when they are made.
            pub fn is_cached(&self) -> bool {
                self.bytes().is_cached()
            }

            /// Whether more is kept back than the cache is to hold: time to flush it.
            pub fn is_cache_full(&self) -> bool {
                self.bytes().is_cache_full()
            }

            /// Writes what is kept back to the store and its changelog and shows each change to
            /// `forward`, in the order of the windows' last writes. What was written and deleted
            /// again since the last time is left out.
            ///
            /// `needs_old` says whether changes are to hold the old values, each of which is read.
            pub fn flush_cache(
                &self,
                needs_old: bool,
                forward: impl FnMut(DirtyEntry<Windowed<K>, V>),
            ) -> Result<()> {
                self.0.flush_cache(needs_old, forward)
            }

            /// The value of a key in the window that begins at `start_ms`.
            pub fn fetch(&self, key: &K, start_ms: i64) -> Result<Option<$entry>> {
                let Inner {
                    segmented, codec, ..
                } = &*self.0;
                self.0.with_key(key, start_ms, 0, |key| {
                    segmented.read(key, start_ms, |value| {
                        value.map(|value| codec.$read(value)).transpose()
                    })
                })
            }

            /// The windows of a key that begin between two times, both included, in milliseconds
            /// since the epoch; the oldest first.
            pub fn fetch_range(
                &self,
                key: &K,
                from_ms: i64,
                to_ms: i64,
            ) -> Result<StoreIterator<'static, (i64, $entry)>> {
                self.of_key(key, (from_ms, to_ms), false)
            }

            /// As [`Self::fetch_range`], the youngest first.
            pub fn backward_fetch_range(
                &self,
                key: &K,
                from_ms: i64,
                to_ms: i64,
            ) -> Result<StoreIterator<'static, (i64, $entry)>> {
                self.of_key(key, (from_ms, to_ms), true)
            }

            /// The windows of the keys from one to another, both included (`None` for no bound),
            /// that begin between two times, both included.
            pub fn fetch_keys(
                &self,
                lower: Option<&K>,
                upper: Option<&K>,
                from_ms: i64,
                to_ms: i64,
            ) -> Result<StoreIterator<'static, (Windowed<K>, $entry)>> {
                self.between(lower, upper, (from_ms, to_ms), false)
            }

            /// As [`Self::fetch_keys`], from the last to the first.
            pub fn backward_fetch_keys(
                &self,
                lower: Option<&K>,
                upper: Option<&K>,
                from_ms: i64,
                to_ms: i64,
            ) -> Result<StoreIterator<'static, (Windowed<K>, $entry)>> {
                self.between(lower, upper, (from_ms, to_ms), true)
            }

            /// All windows that begin between two times, both included.
            pub fn fetch_all(
                &self,
                from_ms: i64,
                to_ms: i64,
            ) -> Result<StoreIterator<'static, (Windowed<K>, $entry)>> {
                self.between(None, None, (from_ms, to_ms), false)
            }

            /// Windows that begin between two times, both included, by their beginnings and then
            /// their keys, of a store whose windows are emitted when they close; of others there
            /// are none. What is kept back is written first.
            pub fn closed(
                &self,
                from_ms: i64,
                to_ms: i64,
            ) -> Result<StoreIterator<'static, (Windowed<K>, $entry)>> {
                self.drain_cache()?;
                let segmented = &self.0.segmented;
                let from_ms = from_ms.max(segmented.first_visible_ms());
                let spans = segmented.index_span(from_ms, to_ms);
                let (store, reader) = (Rc::clone(&self.0), Rc::clone(&self.0));
                Ok(StoreIterator::new(
                    spans,
                    false,
                    move |span, limit| store.segmented.bytes.scan(span, limit),
                    move |index, _| {
                        reader.segmented.read_indexed(index, |key, value| {
                            let entry = reader.parse(key)?;
                            let window = reader.settings.window(entry.start_ms);
                            let key = Windowed::new(reader.codec.read_key(entry.key)?, window);
                            Ok((key, reader.codec.$read(value)?))
                        })
                    },
                ))
            }

            /// All windows that are kept.
            pub fn all(&self) -> Result<StoreIterator<'static, (Windowed<K>, $entry)>> {
                self.fetch_all(0, i64::MAX)
            }

            /// All windows that are kept, from the last to the first.
            pub fn backward_all(&self) -> Result<StoreIterator<'static, (Windowed<K>, $entry)>> {
                self.between(None, None, (0, i64::MAX), true)
            }

            fn of_key(
                &self,
                key: &K,
                times: Times,
                is_reverse: bool,
            ) -> Result<StoreIterator<'static, (i64, $entry)>> {
                let key = self.0.key_bytes(Some(key))?.unwrap_or_default();
                let spans = self.0.spans(KeyRange::One(&key), times, is_reverse);
                let (store, reader) = (Rc::clone(&self.0), Rc::clone(&self.0));
                let first_visible_ms = self.0.segmented.first_visible_ms();
                Ok(StoreIterator::new(
                    spans,
                    is_reverse,
                    move |span, limit| store.segmented.bytes.scan(span, limit),
                    move |entry, value| {
                        let entry = reader.parse(entry)?;
                        let is_wanted = KeyRange::One(&key).contains(&entry, times)
                            && entry.start_ms >= first_visible_ms;
                        is_wanted
                            .then(|| Ok((entry.start_ms, reader.codec.$read(value)?)))
                            .transpose()
                    },
                ))
            }

            fn between(
                &self,
                lower: Option<&K>,
                upper: Option<&K>,
                times: Times,
                is_reverse: bool,
            ) -> Result<StoreIterator<'static, (Windowed<K>, $entry)>> {
                let (lower, upper) = (self.0.key_bytes(lower)?, self.0.key_bytes(upper)?);
                let keys = KeyRange::Between(lower.as_deref(), upper.as_deref());
                let spans = self.0.spans(keys, times, is_reverse);
                let (store, reader) = (Rc::clone(&self.0), Rc::clone(&self.0));
                let (settings, first_visible_ms) =
                    (self.0.settings, self.0.segmented.first_visible_ms());
                Ok(StoreIterator::new(
                    spans,
                    is_reverse,
                    move |span, limit| store.segmented.bytes.scan(span, limit),
                    move |entry, value| {
                        let entry = reader.parse(entry)?;
                        let keys = KeyRange::Between(lower.as_deref(), upper.as_deref());
                        if !keys.contains(&entry, times) || entry.start_ms < first_visible_ms {
                            return Ok(None);
                        }
                        let window = settings.window(entry.start_ms);
                        let key = Windowed::new(reader.codec.read_key(entry.key)?, window);
                        Ok(Some((key, reader.codec.$read(value)?)))
                    },
                ))
            }
        }
    };
}

shared_methods!(TaskWindowStore, V, read_value, false);
shared_methods!(
    TaskTimestampedWindowStore,
    ValueAndTimestamp<V>,
    read_timestamped,
    true
);

impl<K: 'static, V: 'static> TaskWindowStore<K, V> {
    /// Writes the value of a key in the window that begins at `start_ms`, in milliseconds since the
    /// epoch; `None` deletes. Where duplicates are retained it is one value more, and `None` does
    /// nothing.
    ///
    /// A window that is past its retention is not written.
    pub fn put(&self, key: &K, value: Option<&V>, start_ms: i64) -> Result<()> {
        let timestamp_ms = self.bytes().record_timestamp_ms();
        let Some(value) = value else {
            return self.0.put(key, None, start_ms, timestamp_ms);
        };
        self.0.value.with(|buffer| {
            self.0.codec.write_value(value, buffer)?;
            self.0.put(key, Some(buffer), start_ms, timestamp_ms)
        })
    }
}

impl<K: 'static, V: 'static> TaskWindowStore<K, V> {
    /// Shows `visit` what [`Self::fetch_range`] gives, some of it read ahead, at less cost.
    ///
    /// # Errors
    /// If the store cannot be read, and those of `visit`, after which it is not called again.
    pub fn visit_range<E: From<Error>>(
        &self,
        key: &K,
        from_ms: i64,
        to_ms: i64,
        visit: impl FnMut(i64, V) -> Result<(), E>,
    ) -> Result<(), E> {
        let Inner {
            segmented,
            codec,
            found,
            ..
        } = &*self.0;
        found.visit(segmented, codec, (key, (from_ms, to_ms)), visit)
    }

    /// As [`Self::put`] where duplicates are retained, with headers for the changelog: those of the
    /// record, as joins of streams have them on the JVM.
    pub fn put_with_headers(
        &self,
        key: &K,
        value: &V,
        start_ms: i64,
        headers: &Headers,
    ) -> Result<()> {
        let Inner {
            segmented, codec, ..
        } = &*self.0;
        let timestamp_ms = self.bytes().record_timestamp_ms();
        let sequence = segmented.bytes.next_sequence();
        self.0.value.with(|value_bytes| {
            codec.write_value(value, value_bytes)?;
            let value = Some(&**value_bytes);
            self.0.with_key(key, start_ms, sequence, |key| {
                let values = (value, value);
                segmented.write_with_headers(key, values, start_ms, timestamp_ms, headers)
            })
        })
    }
}

impl<K: 'static, V: 'static> TaskTimestampedWindowStore<K, V> {
    /// Writes the value of a key in the window that begins at `start_ms`, as of `timestamp_ms`, in
    /// milliseconds since the epoch; `None` deletes.
    ///
    /// A window that is past its retention is not written.
    pub fn put(&self, key: &K, value: Option<&V>, start_ms: i64, timestamp_ms: i64) -> Result<()> {
        let Some(value) = value else {
            return self.0.put(key, None, start_ms, timestamp_ms);
        };
        self.0.value.with(|buffer| {
            self.0
                .codec
                .write_timestamped(value, timestamp_ms, buffer)?;
            self.0.put(key, Some(buffer), start_ms, timestamp_ms)
        })
    }
}
