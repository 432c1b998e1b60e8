//! Queries of window stores.

use crate::error::Result;
use crate::store::codec::{Codec, ValueAndTimestamp};
use crate::store::engine::Engine;
use crate::store::entries::{OwnedSpan, StoreIterator};
use crate::store::kind::StoreKind;
use crate::store::position::ObservedTime;
use crate::store::query::{CommittedStore, InParts, scan};
use crate::store::segment::{StoreTime, segment_prefix};
use crate::store::window::{KeyRange, Times, WindowKey, WindowStoreSettings, push_suffix};
use crate::window::Windowed;

/// The committed values of a window store, of all tasks of this instance (`ReadOnlyWindowStore`).
///
/// Windows past their retention are not seen.
pub struct ReadOnlyWindowStore<K, V> {
    parts: Vec<Part<K, V>>,
}

struct Part<K, V> {
    engine: Engine,
    codec: Codec<K, V>,
    settings: WindowStoreSettings,
    is_timestamped: bool,
    observed_time: ObservedTime,
}

/// What windows are asked for.
struct Wanted {
    lower: Option<Vec<u8>>,
    upper: Option<Vec<u8>>,
    times: Times,
    first_visible_ms: i64,
}

impl Wanted {
    fn keys(&self) -> KeyRange<'_> {
        match (&self.lower, &self.upper) {
            (Some(lower), Some(upper)) if lower == upper => KeyRange::One(lower),
            (lower, upper) => KeyRange::Between(lower.as_deref(), upper.as_deref()),
        }
    }

    fn contains(&self, entry: &WindowKey<'_>) -> bool {
        self.keys().contains(entry, self.times) && entry.start_ms >= self.first_visible_ms
    }
}

type Found<K, V> = (Windowed<K>, V);

impl<K: 'static, V: 'static> ReadOnlyWindowStore<K, V> {
    pub(super) fn new(stores: Vec<CommittedStore>) -> Result<Self> {
        let parts = stores.into_iter().map(|store| {
            let (settings, is_timestamped) = match store.kind {
                StoreKind::Window(settings) => (settings, false),
                StoreKind::TimestampedWindow(settings) => (settings, true),
                _ => return Err(store.is_no("windows")),
            };
            Ok(Part {
                codec: store.codec()?,
                engine: store.engine,
                settings,
                is_timestamped,
                observed_time: store.observed_time,
            })
        });
        let parts = parts.collect::<Result<_>>()?;
        Ok(Self { parts })
    }

    /// The value of a key in the window that begins at `start_ms`, in milliseconds since the epoch.
    ///
    /// # Errors
    /// If the store cannot be read, as for all methods here.
    pub fn fetch(&self, key: &K, start_ms: i64) -> Result<Option<V>> {
        for part in &self.parts {
            let retention = part.settings.retention();
            if start_ms < retention.first_visible_ms(part.observed_time.get_ms()) {
                continue;
            }
            let mut bytes = segment_prefix(retention.segment(start_ms)).to_vec();
            part.codec.write_key(key, &mut bytes)?;
            push_suffix(&mut bytes, start_ms, 0);
            let found = part.engine.get(&bytes, |value| {
                value.map(|value| part.read(value)).transpose()
            })??;
            if let Some(found) = found {
                return Ok(Some(found.value));
            }
        }
        Ok(None)
    }

    /// The windows of a key that begin between two times, both included, in milliseconds since the
    /// epoch; the oldest first.
    pub fn fetch_range(
        &self,
        key: &K,
        from_ms: i64,
        to_ms: i64,
    ) -> Result<impl Iterator<Item = Result<(i64, V)>> + use<K, V>> {
        let found = self.windows(Some(key), Some(key), (from_ms, to_ms), false)?;
        Ok(found.map(|found| found.map(|(key, value)| (key.window.start_ms, value))))
    }

    /// As [`Self::fetch_range`], the youngest first.
    pub fn backward_fetch_range(
        &self,
        key: &K,
        from_ms: i64,
        to_ms: i64,
    ) -> Result<impl Iterator<Item = Result<(i64, V)>> + use<K, V>> {
        let found = self.windows(Some(key), Some(key), (from_ms, to_ms), true)?;
        Ok(found.map(|found| found.map(|(key, value)| (key.window.start_ms, value))))
    }

    /// The windows of the keys from one to another, both included (`None` for no bound), that begin
    /// between two times, both included.
    pub fn fetch_keys(
        &self,
        lower: Option<&K>,
        upper: Option<&K>,
        from_ms: i64,
        to_ms: i64,
    ) -> Result<impl Iterator<Item = Result<Found<K, V>>> + use<K, V>> {
        self.windows(lower, upper, (from_ms, to_ms), false)
    }

    /// All windows that begin between two times, both included.
    pub fn fetch_all(
        &self,
        from_ms: i64,
        to_ms: i64,
    ) -> Result<impl Iterator<Item = Result<Found<K, V>>> + use<K, V>> {
        self.windows(None, None, (from_ms, to_ms), false)
    }

    /// All windows that are kept.
    pub fn all(&self) -> Result<impl Iterator<Item = Result<Found<K, V>>> + use<K, V>> {
        self.windows(None, None, (0, i64::MAX), false)
    }

    /// All windows that are kept, from the last to the first in each partition.
    pub fn backward_all(&self) -> Result<impl Iterator<Item = Result<Found<K, V>>> + use<K, V>> {
        self.windows(None, None, (0, i64::MAX), true)
    }

    fn windows(
        &self,
        lower: Option<&K>,
        upper: Option<&K>,
        times: Times,
        is_reverse: bool,
    ) -> Result<InParts<Found<K, V>>> {
        let parts = self.parts.iter().map(|part| {
            let wanted = part.wanted(lower, upper, times)?;
            let spans = part.spans(&wanted, is_reverse);
            let (engine, reader) = (part.engine.clone(), part.clone());
            Ok(StoreIterator::new(
                spans,
                is_reverse,
                move |span, limit| scan(&engine, span, limit),
                move |key, value| reader.decode(&wanted, key, value),
            ))
        });
        let parts = parts.collect::<Result<Vec<_>>>()?;
        Ok(parts.into_iter().flatten())
    }
}

impl<K, V> Part<K, V> {
    fn wanted(&self, lower: Option<&K>, upper: Option<&K>, times: Times) -> Result<Wanted> {
        let written = |key: Option<&K>| {
            let Some(key) = key else { return Ok(None) };
            let mut bytes = Vec::new();
            self.codec.write_key(key, &mut bytes).map(|()| Some(bytes))
        };
        let observed_ms = self.observed_time.get_ms();
        Ok(Wanted {
            lower: written(lower)?,
            upper: written(upper)?,
            times,
            first_visible_ms: self.settings.retention().first_visible_ms(observed_ms),
        })
    }

    fn spans(&self, wanted: &Wanted, is_reverse: bool) -> Vec<OwnedSpan> {
        let (retention, observed_ms) = (self.settings.retention(), self.observed_time.get_ms());
        wanted.keys().spans(
            retention,
            StoreTime::of(observed_ms),
            wanted.times,
            is_reverse,
        )
    }

    fn decode(&self, wanted: &Wanted, key: &[u8], value: &[u8]) -> Result<Option<Found<K, V>>> {
        let entry = WindowKey::of_disk(key)
            .ok_or_else(|| self.codec.damaged("a key is shorter than its window"))?;
        if !wanted.contains(&entry) {
            return Ok(None);
        }
        let window = self.settings.window(entry.start_ms);
        let key = Windowed::new(self.codec.read_key(entry.key)?, window);
        Ok(Some((key, self.read(value)?.value)))
    }

    fn read(&self, bytes: &[u8]) -> Result<ValueAndTimestamp<V>> {
        if self.is_timestamped {
            return self.codec.read_timestamped(bytes);
        }
        let value = self.codec.read_value(bytes)?;
        Ok(ValueAndTimestamp::new(value, -1))
    }
}

impl<K, V> Clone for Part<K, V> {
    fn clone(&self) -> Self {
        Self {
            engine: self.engine.clone(),
            codec: self.codec.clone(),
            settings: self.settings,
            is_timestamped: self.is_timestamped,
            observed_time: self.observed_time.clone(),
        }
    }
}
