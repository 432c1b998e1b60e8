//! How duplicates are told and remembered.

use std::collections::BTreeMap;
use std::sync::Arc;

use streams_core::serde::{Serde, SharedSerde};
use streams_core::store::{StoreBuilder, StoreType};

/// How a stream is rid of its duplicates (`org.apache.kafka.streams.kstream.Deduplicated`,
/// KIP-655).
///
/// `I` is what a record is told by beside its key; there is none where the key is enough.
pub struct Deduplicated<K, V, I = ()> {
    pub(crate) name: Option<Arc<str>>,
    pub(crate) store_name: Option<Arc<str>>,
    pub(crate) key: Option<SharedSerde<K>>,
    pub(crate) value: Option<SharedSerde<V>>,
    pub(crate) id: Option<SharedSerde<I>>,
    pub(crate) store_type: Option<StoreType>,
    pub(crate) logging: Option<BTreeMap<String, String>>,
}

impl<K, V, I> Deduplicated<K, V, I> {
    /// The serdes that are known, and names with numbers.
    pub fn new() -> Self {
        Self {
            name: None,
            store_name: None,
            key: None,
            value: None,
            id: None,
            store_type: None,
            logging: Some(BTreeMap::new()),
        }
    }

    /// Names the operator, its store, and the topic `<application.id>-<name>-repartition` if it
    /// needs one.
    #[must_use]
    pub fn named(mut self, name: impl Into<Arc<str>>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Names the store alone.
    #[must_use]
    pub fn with_store_name(mut self, name: impl Into<Arc<str>>) -> Self {
        self.store_name = Some(name.into());
        self
    }

    /// Writes keys with this serde.
    #[must_use]
    pub fn with_key_serde(mut self, serde: impl Serde<K> + 'static) -> Self {
        self.key = Some(Arc::new(serde));
        self
    }

    /// Writes values with this serde, to the repartition topic.
    #[must_use]
    pub fn with_value_serde(mut self, serde: impl Serde<V> + 'static) -> Self {
        self.value = Some(Arc::new(serde));
        self
    }

    /// Writes with this serde what records are told by beside their keys. Two are the same if
    /// their bytes are.
    #[must_use]
    pub fn with_id_serde(mut self, serde: impl Serde<I> + 'static) -> Self {
        self.id = Some(Arc::new(serde));
        self
    }

    /// Remembers records there; `default.dsl.store` decides otherwise.
    #[must_use]
    pub fn with_store_type(mut self, store_type: StoreType) -> Self {
        self.store_type = Some(store_type);
        self
    }

    /// Writes what is remembered to a changelog topic that is made with these settings.
    #[must_use]
    pub fn with_logging(mut self, topic_config: BTreeMap<String, String>) -> Self {
        self.logging = Some(topic_config);
        self
    }

    /// Has no changelog: with the disk, or the process if it is in memory, all is forgotten.
    #[must_use]
    pub fn without_logging(mut self) -> Self {
        self.logging = None;
        self
    }

    /// A store as this asks for it, but for its name, kind and serdes.
    pub(crate) fn finish(&self, mut store: StoreBuilder) -> StoreBuilder {
        if let Some(store_type) = self.store_type {
            store = store.with_store_type(store_type);
        }
        match &self.logging {
            Some(topic_config) => store.with_logging(topic_config.clone()),
            None => store.without_logging(),
        }
    }
}

impl<K, V, I> Default for Deduplicated<K, V, I> {
    fn default() -> Self {
        Self::new()
    }
}
