//! How the rows of a table are kept.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use streams_core::serde::{Serde, SharedSerde};
use streams_core::store::{
    KeyValueStore, SessionStore, StoreBuilder, StoreType, VersionedKeyValueStore, WindowStore,
};

/// How the rows of a table are kept (`org.apache.kafka.streams.kstream.Materialized`).
///
/// Where an operator takes one, the typed name of a store will do: `count(&CLICKS)`.
///
/// ```
/// use streams_dsl::{KeyValueStore, Materialized, StoreType};
///
/// const CLICKS: KeyValueStore<String, i64> = KeyValueStore::named("clicks");
///
/// let materialized = Materialized::from(&CLICKS).with_store_type(StoreType::InMemory);
/// ```
pub struct Materialized<K, V> {
    pub(crate) name: Option<Arc<str>>,
    pub(crate) key: Option<SharedSerde<K>>,
    pub(crate) value: Option<SharedSerde<V>>,
    pub(crate) store_type: Option<StoreType>,
    pub(crate) logging: Option<BTreeMap<String, String>>,
    pub(crate) is_cached: bool,
    pub(crate) retention: Option<Duration>,
    pub(crate) history_retention: Option<Duration>,
    pub(crate) ttl: Option<Duration>,
}

impl<K, V> Materialized<K, V> {
    /// A store that is named as the JVM would name it, with the serdes that are known.
    pub fn new() -> Self {
        Self {
            name: None,
            key: None,
            value: None,
            store_type: None,
            logging: Some(BTreeMap::new()),
            is_cached: true,
            retention: None,
            history_retention: None,
            ttl: None,
        }
    }

    /// A store of this name, by which it can be queried.
    pub fn named(name: impl Into<Arc<str>>) -> Self {
        Self {
            name: Some(name.into()),
            ..Self::new()
        }
    }

    /// Writes keys with this serde.
    #[must_use]
    pub fn with_key_serde(mut self, serde: impl Serde<K> + 'static) -> Self {
        self.key = Some(Arc::new(serde));
        self
    }

    /// Writes values with this serde. Needed where an operator makes values of a new type.
    #[must_use]
    pub fn with_value_serde(mut self, serde: impl Serde<V> + 'static) -> Self {
        self.value = Some(Arc::new(serde));
        self
    }

    /// Keeps the rows there; `default.dsl.store` decides otherwise.
    #[must_use]
    pub fn with_store_type(mut self, store_type: StoreType) -> Self {
        self.store_type = Some(store_type);
        self
    }

    /// Writes changes to a changelog topic that is made with these settings.
    #[must_use]
    pub fn with_logging(mut self, topic_config: BTreeMap<String, String>) -> Self {
        self.logging = Some(topic_config);
        self
    }

    /// Has no changelog: the rows are lost with the disk, or the process if they are in memory.
    #[must_use]
    pub fn without_logging(mut self) -> Self {
        self.logging = None;
        self
    }

    /// Keeps changes back until a commit or until `statestore.cache.max.bytes` are full, so that of
    /// several to one key only the last goes on; so it is by default.
    #[must_use]
    pub fn with_caching(mut self) -> Self {
        self.is_cached = true;
        self
    }

    /// Sends every change on.
    #[must_use]
    pub fn without_caching(mut self) -> Self {
        self.is_cached = false;
        self
    }

    /// Keeps windows or sessions this long; at least until they close, which is the default.
    #[must_use]
    pub fn with_retention(mut self, retention: Duration) -> Self {
        self.retention = Some(retention);
        self
    }

    /// Lets rows go this long after their time, by the times of the records: a tombstone is written
    /// for each. The JVM has none. Of tables without windows only.
    #[must_use]
    pub fn with_ttl(mut self, ttl: Duration) -> Self {
        self.ttl = Some(ttl);
        self
    }

    /// Keeps the versions of each key's value this long, so that a stream joins what was valid at
    /// its own time (KIP-889, KIP-914).
    #[must_use]
    pub fn versioned(mut self, history_retention: Duration) -> Self {
        self.history_retention = Some(history_retention);
        self
    }

    /// Whether several versions are kept.
    pub(crate) fn is_versioned(&self) -> bool {
        self.history_retention.is_some()
    }

    /// A store as this asks for it, but for its name, kind and serdes.
    pub(crate) fn finish(&self, mut store: StoreBuilder) -> StoreBuilder {
        if let Some(store_type) = self.store_type {
            store = store.with_store_type(store_type);
        }
        store = match &self.logging {
            Some(topic_config) => store.with_logging(topic_config.clone()),
            None => store.without_logging(),
        };
        if let Some(ttl) = self.ttl {
            store = store.with_ttl(ttl);
        }
        if self.is_cached {
            store.with_caching()
        } else {
            store.without_caching()
        }
    }
}

impl<K, V> Default for Materialized<K, V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K, V> Clone for Materialized<K, V> {
    fn clone(&self) -> Self {
        Self {
            name: self.name.clone(),
            key: self.key.clone(),
            value: self.value.clone(),
            store_type: self.store_type,
            logging: self.logging.clone(),
            is_cached: self.is_cached,
            retention: self.retention,
            history_retention: self.history_retention,
            ttl: self.ttl,
        }
    }
}

macro_rules! from_name {
    ($($store:ident),*) => {
        $(impl<K, V> From<&$store<K, V>> for Materialized<K, V> {
            fn from(store: &$store<K, V>) -> Self {
                Self::named(store.name())
            }
        })*
    };
}

from_name!(
    KeyValueStore,
    WindowStore,
    SessionStore,
    VersionedKeyValueStore
);
