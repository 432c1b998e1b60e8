//! How a stream is joined with another.

use std::collections::BTreeMap;
use std::sync::Arc;

use streams_core::serde::{Serde, SharedSerde};
use streams_core::store::StoreType;

/// How a stream is joined with another (`org.apache.kafka.streams.kstream.StreamJoined`).
///
/// The records of both are kept in window stores until their windows have closed.
pub struct StreamJoined<K, V, V2> {
    pub(crate) name: Option<Arc<str>>,
    pub(crate) store_name: Option<Arc<str>>,
    pub(crate) left_store: Option<Arc<str>>,
    pub(crate) right_store: Option<Arc<str>>,
    pub(crate) key: Option<SharedSerde<K>>,
    pub(crate) left: Option<SharedSerde<V>>,
    pub(crate) right: Option<SharedSerde<V2>>,
    pub(crate) store_type: Option<StoreType>,
    pub(crate) logging: Option<BTreeMap<String, String>>,
}

impl<K, V, V2> StreamJoined<K, V, V2> {
    /// The serdes that are known, and the JVM's names.
    pub fn new() -> Self {
        Self {
            name: None,
            store_name: None,
            left_store: None,
            right_store: None,
            key: None,
            left: None,
            right: None,
            store_type: None,
            logging: Some(BTreeMap::new()),
        }
    }

    /// Names what the join is made of: `<name>-this-join`, `<name>-merge` and so on, and the topics
    /// `<application.id>-<name>-left-repartition` and `-right-repartition` if it needs them.
    #[must_use]
    pub fn named(mut self, name: impl Into<Arc<str>>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Names the stores: `<name>-this-join-store` and so on.
    #[must_use]
    pub fn with_store_name(mut self, name: impl Into<Arc<str>>) -> Self {
        self.store_name = Some(name.into());
        self
    }

    /// Names the stores of both streams' records, as they are.
    #[must_use]
    pub fn with_stores(mut self, left: impl Into<Arc<str>>, right: impl Into<Arc<str>>) -> Self {
        self.left_store = Some(left.into());
        self.right_store = Some(right.into());
        self
    }

    /// Writes keys with this serde.
    #[must_use]
    pub fn with_key_serde(mut self, serde: impl Serde<K> + 'static) -> Self {
        self.key = Some(Arc::new(serde));
        self
    }

    /// Writes values of the left stream with this serde.
    #[must_use]
    pub fn with_value_serde(mut self, serde: impl Serde<V> + 'static) -> Self {
        self.left = Some(Arc::new(serde));
        self
    }

    /// Writes values of the right stream with this serde.
    #[must_use]
    pub fn with_other_value_serde(mut self, serde: impl Serde<V2> + 'static) -> Self {
        self.right = Some(Arc::new(serde));
        self
    }

    /// Keeps the records there; `default.dsl.store` decides otherwise.
    #[must_use]
    pub fn with_store_type(mut self, store_type: StoreType) -> Self {
        self.store_type = Some(store_type);
        self
    }

    /// Writes the records to changelog topics that are made with these settings.
    #[must_use]
    pub fn with_logging(mut self, topic_config: BTreeMap<String, String>) -> Self {
        self.logging = Some(topic_config);
        self
    }

    /// Has no changelogs: what is kept is lost with the disk, or the process if it is in memory.
    #[must_use]
    pub fn without_logging(mut self) -> Self {
        self.logging = None;
        self
    }
}

impl<K, V, V2> Default for StreamJoined<K, V, V2> {
    fn default() -> Self {
        Self::new()
    }
}
