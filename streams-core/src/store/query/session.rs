//! Queries of session stores.

use crate::error::Result;
use crate::store::codec::Codec;
use crate::store::engine::Engine;
use crate::store::entries::StoreIterator;
use crate::store::kind::StoreKind;
use crate::store::position::ObservedTime;
use crate::store::query::{CommittedStore, InParts, scan};
use crate::store::segment::{Retention, StoreTime};
use crate::store::session::{SessionKey, Sessions};
use crate::window::Windowed;

/// The committed values of a session store, of all tasks of this instance
/// (`ReadOnlySessionStore`).
///
/// Sessions past their retention are not seen.
pub struct ReadOnlySessionStore<K, V> {
    parts: Vec<Part<K, V>>,
}

struct Part<K, V> {
    engine: Engine,
    codec: Codec<K, V>,
    retention: Retention,
    observed_time: ObservedTime,
}

type Found<K, V> = (Windowed<K>, V);

impl<K: 'static, V: 'static> ReadOnlySessionStore<K, V> {
    pub(super) fn new(stores: Vec<CommittedStore>) -> Result<Self> {
        let parts = stores.into_iter().map(|store| {
            let StoreKind::Session(settings) = store.kind else {
                return Err(store.is_no("sessions"));
            };
            Ok(Part {
                codec: store.codec()?,
                engine: store.engine,
                retention: settings.retention(),
                observed_time: store.observed_time,
            })
        });
        let parts = parts.collect::<Result<_>>()?;
        Ok(Self { parts })
    }

    /// All sessions of a key, by their ends.
    ///
    /// # Errors
    /// If the store cannot be read, as for all methods here.
    pub fn fetch(&self, key: &K) -> Result<impl Iterator<Item = Result<Found<K, V>>> + use<K, V>> {
        self.sessions(Some(key), Some(key), Sessions::ALL)
    }

    /// The value of the session of a key from `start_ms` to `end_ms`.
    pub fn fetch_session(&self, key: &K, start_ms: i64, end_ms: i64) -> Result<Option<V>> {
        let mut found = self.find_sessions(key, end_ms, start_ms)?;
        let found = found.find_map(|found| match found {
            Ok((session, value)) => {
                let is_it = session.window.start_ms == start_ms && session.window.end_ms == end_ms;
                is_it.then_some(Ok(value))
            }
            Err(error) => Some(Err(error)),
        });
        found.transpose()
    }

    /// The sessions of a key that end at `earliest_end_ms` or later and begin at `latest_start_ms`
    /// or earlier, in milliseconds since the epoch, by their ends.
    pub fn find_sessions(
        &self,
        key: &K,
        earliest_end_ms: i64,
        latest_start_ms: i64,
    ) -> Result<impl Iterator<Item = Result<Found<K, V>>> + use<K, V>> {
        let sessions = Sessions {
            earliest_end_ms,
            latest_start_ms,
        };
        self.sessions(Some(key), Some(key), sessions)
    }

    /// All sessions of the keys from one to another, both included; `None` for no bound.
    pub fn fetch_keys(
        &self,
        lower: Option<&K>,
        upper: Option<&K>,
    ) -> Result<impl Iterator<Item = Result<Found<K, V>>> + use<K, V>> {
        self.sessions(lower, upper, Sessions::ALL)
    }

    /// All sessions that are kept.
    pub fn all(&self) -> Result<impl Iterator<Item = Result<Found<K, V>>> + use<K, V>> {
        self.sessions(None, None, Sessions::ALL)
    }

    fn sessions(
        &self,
        lower: Option<&K>,
        upper: Option<&K>,
        sessions: Sessions,
    ) -> Result<InParts<Found<K, V>>> {
        let parts = self.parts.iter().map(|part| {
            let (lower, upper) = (part.key_bytes(lower)?, part.key_bytes(upper)?);
            let observed_ms = part.observed_time.get_ms();
            let keys = (lower.as_deref(), upper.as_deref());
            let time = StoreTime::of(observed_ms);
            let spans = sessions.spans(keys, part.retention, time, false);
            let first_visible_ms = part.retention.first_visible_ms(observed_ms);
            let (engine, codec) = (part.engine.clone(), part.codec.clone());
            Ok(StoreIterator::new(
                spans,
                false,
                move |span, limit| scan(&engine, span, limit),
                move |key, value| {
                    let entry = SessionKey::of_disk(key)
                        .ok_or_else(|| codec.damaged("a key is shorter than its session"))?;
                    let is_key = lower.as_deref().is_none_or(|lower| lower <= entry.key)
                        && upper.as_deref().is_none_or(|upper| entry.key <= upper);
                    let is_visible = entry.window.end_ms >= first_visible_ms;
                    if !is_key || !is_visible || !sessions.contains(entry.window) {
                        return Ok(None);
                    }
                    let session = Windowed::new(codec.read_key(entry.key)?, entry.window);
                    Ok(Some((session, codec.read_value(value)?)))
                },
            ))
        });
        let parts = parts.collect::<Result<Vec<_>>>()?;
        Ok(parts.into_iter().flatten())
    }
}

impl<K, V> Part<K, V> {
    fn key_bytes(&self, key: Option<&K>) -> Result<Option<Vec<u8>>> {
        let Some(key) = key else { return Ok(None) };
        let mut bytes = Vec::new();
        self.codec.write_key(key, &mut bytes).map(|()| Some(bytes))
    }
}
