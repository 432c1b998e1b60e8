//! Stores in JSON.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::app::query::{KeyQueryMetadata, StreamsQueries};
use crate::error::{Error, ErrorKind, Result};
use crate::serde::Serializer;
use crate::store::{KeyValueStore, SessionStore, WindowStore};
use crate::window::Windowed;

/// Times between which windows are asked for, in milliseconds since the epoch, both included.
#[derive(Debug, Clone, Copy)]
pub(super) struct TimeRange {
    pub(super) from_ms: i64,
    pub(super) to_ms: i64,
}

/// A store that can be seen over HTTP, whatever its types.
pub(super) trait ExposedStore: Send + Sync {
    fn kind(&self) -> &'static str;

    /// The instance that has a key.
    fn metadata(&self, queries: &StreamsQueries, key: &str) -> Result<KeyQueryMetadata>;

    /// The entry of a key, if it has one.
    fn get(&self, queries: &StreamsQueries, key: &str) -> Result<Option<Value>>;

    /// The entries between two keys, at most `limit`.
    fn entries(
        &self,
        queries: &StreamsQueries,
        from: Option<&str>,
        to: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Value>>;

    /// The windows or sessions of a key.
    fn windows(
        &self,
        queries: &StreamsQueries,
        key: &str,
        times: TimeRange,
        limit: usize,
    ) -> Result<Vec<Value>>;

    /// About how many entries there are.
    fn count(&self, queries: &StreamsQueries) -> Result<u64>;
}

type KeySerializer<K> = Box<dyn Serializer<K>>;

pub(super) struct ExposedKeyValueStore<K, V> {
    store: KeyValueStore<K, V>,
    key: KeySerializer<K>,
}

pub(super) struct ExposedWindowStore<K, V> {
    store: WindowStore<K, V>,
    key: KeySerializer<K>,
}

pub(super) struct ExposedSessionStore<K, V> {
    store: SessionStore<K, V>,
    key: KeySerializer<K>,
}

impl<K, V> ExposedKeyValueStore<K, V> {
    pub(super) fn new(store: KeyValueStore<K, V>, key: KeySerializer<K>) -> Self {
        Self { store, key }
    }
}

impl<K, V> ExposedWindowStore<K, V> {
    pub(super) fn new(store: WindowStore<K, V>, key: KeySerializer<K>) -> Self {
        Self { store, key }
    }
}

impl<K, V> ExposedSessionStore<K, V> {
    pub(super) fn new(store: SessionStore<K, V>, key: KeySerializer<K>) -> Self {
        Self { store, key }
    }
}

/// A key as it stands in a URL: a string as it is, anything else as JSON.
fn parse_key<K: DeserializeOwned>(text: &str) -> Result<K> {
    let as_text = serde_json::from_value(Value::String(text.to_owned()));
    as_text
        .or_else(|_| serde_json::from_str(text))
        .map_err(|error| {
            let message = format!("`{text}` is no key of this store");
            Error::with_source(ErrorKind::Serde, message, error)
        })
}

fn to_json(value: &impl Serialize) -> Result<Value> {
    serde_json::to_value(value).map_err(|error| {
        let message = "an entry cannot be shown as JSON";
        Error::with_source(ErrorKind::Serde, message, error)
    })
}

fn windowed<K: Serialize, V: Serialize>(key: &Windowed<K>, value: &V) -> Result<Value> {
    let window = json!({"start": key.window.start_ms, "end": key.window.end_ms});
    Ok(json!({"key": to_json(&key.key)?, "window": window, "value": to_json(value)?}))
}

/// The error of a question that such a store cannot answer.
fn unanswerable(kind: &str, what: &str) -> Error {
    Error::new(ErrorKind::Config, format!("a {kind} store has no {what}"))
}

impl<K, V> ExposedStore for ExposedKeyValueStore<K, V>
where
    K: Serialize + DeserializeOwned + 'static,
    V: Serialize + 'static,
{
    fn kind(&self) -> &'static str {
        "key-value"
    }

    fn metadata(&self, queries: &StreamsQueries, key: &str) -> Result<KeyQueryMetadata> {
        let key = parse_key::<K>(key)?;
        queries.query_metadata_for_key(self.store.name(), &key, &*self.key)
    }

    fn get(&self, queries: &StreamsQueries, key: &str) -> Result<Option<Value>> {
        let key = parse_key::<K>(key)?;
        let Some(found) = queries.store(&self.store)?.get_with_timestamp(&key)? else {
            return Ok(None);
        };
        let (value, timestamp) = (to_json(&found.value)?, found.timestamp_ms);
        Ok(Some(
            json!({"key": to_json(&key)?, "value": value, "timestamp": timestamp}),
        ))
    }

    fn entries(
        &self,
        queries: &StreamsQueries,
        from: Option<&str>,
        to: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Value>> {
        let from = from.map(parse_key::<K>).transpose()?;
        let to = to.map(parse_key::<K>).transpose()?;
        let entries = queries
            .store(&self.store)?
            .range(from.as_ref(), to.as_ref())?;
        let shown = entries.take(limit).map(|entry| {
            let (key, value) = entry?;
            Ok(json!({"key": to_json(&key)?, "value": to_json(&value)?}))
        });
        shown.collect()
    }

    fn windows(&self, _: &StreamsQueries, _: &str, _: TimeRange, _: usize) -> Result<Vec<Value>> {
        Err(unanswerable(self.kind(), "windows"))
    }

    fn count(&self, queries: &StreamsQueries) -> Result<u64> {
        queries.store(&self.store)?.approximate_num_entries()
    }
}

impl<K, V> ExposedStore for ExposedWindowStore<K, V>
where
    K: Serialize + DeserializeOwned + 'static,
    V: Serialize + 'static,
{
    fn kind(&self) -> &'static str {
        "window"
    }

    fn metadata(&self, queries: &StreamsQueries, key: &str) -> Result<KeyQueryMetadata> {
        let key = parse_key::<K>(key)?;
        queries.query_metadata_for_key(self.store.name(), &key, &*self.key)
    }

    fn get(&self, _: &StreamsQueries, _: &str) -> Result<Option<Value>> {
        Err(unanswerable(self.kind(), "value of a key alone"))
    }

    fn entries(
        &self,
        queries: &StreamsQueries,
        from: Option<&str>,
        to: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Value>> {
        let from = from.map(parse_key::<K>).transpose()?;
        let to = to.map(parse_key::<K>).transpose()?;
        let store = queries.store(&self.store)?;
        let entries = store.fetch_keys(from.as_ref(), to.as_ref(), 0, i64::MAX)?;
        let shown = entries.take(limit).map(|entry| {
            let (key, value) = entry?;
            windowed(&key, &value)
        });
        shown.collect()
    }

    fn windows(
        &self,
        queries: &StreamsQueries,
        key: &str,
        times: TimeRange,
        limit: usize,
    ) -> Result<Vec<Value>> {
        let key = parse_key::<K>(key)?;
        let store = queries.store(&self.store)?;
        let found = store.fetch_keys(Some(&key), Some(&key), times.from_ms, times.to_ms)?;
        let shown = found.take(limit).map(|entry| {
            let (key, value) = entry?;
            windowed(&key, &value)
        });
        shown.collect()
    }

    fn count(&self, _: &StreamsQueries) -> Result<u64> {
        Err(unanswerable(self.kind(), "count"))
    }
}

impl<K, V> ExposedStore for ExposedSessionStore<K, V>
where
    K: Serialize + DeserializeOwned + 'static,
    V: Serialize + 'static,
{
    fn kind(&self) -> &'static str {
        "session"
    }

    fn metadata(&self, queries: &StreamsQueries, key: &str) -> Result<KeyQueryMetadata> {
        let key = parse_key::<K>(key)?;
        queries.query_metadata_for_key(self.store.name(), &key, &*self.key)
    }

    fn get(&self, _: &StreamsQueries, _: &str) -> Result<Option<Value>> {
        Err(unanswerable(self.kind(), "value of a key alone"))
    }

    fn entries(
        &self,
        queries: &StreamsQueries,
        from: Option<&str>,
        to: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Value>> {
        let from = from.map(parse_key::<K>).transpose()?;
        let to = to.map(parse_key::<K>).transpose()?;
        let store = queries.store(&self.store)?;
        let entries = store.fetch_keys(from.as_ref(), to.as_ref())?;
        let shown = entries.take(limit).map(|entry| {
            let (key, value) = entry?;
            windowed(&key, &value)
        });
        shown.collect()
    }

    fn windows(
        &self,
        queries: &StreamsQueries,
        key: &str,
        times: TimeRange,
        limit: usize,
    ) -> Result<Vec<Value>> {
        let key = parse_key::<K>(key)?;
        let store = queries.store(&self.store)?;
        let found = store.find_sessions(&key, times.from_ms, times.to_ms)?;
        let shown = found.take(limit).map(|entry| {
            let (key, value) = entry?;
            windowed(&key, &value)
        });
        shown.collect()
    }

    fn count(&self, _: &StreamsQueries) -> Result<u64> {
        Err(unanswerable(self.kind(), "count"))
    }
}
