//! How records are grouped.

use std::sync::Arc;

use streams_core::serde::{Serde, SharedSerde};

/// How records are grouped (`org.apache.kafka.streams.kstream.Grouped`).
pub struct Grouped<K, V> {
    pub(crate) name: Option<Arc<str>>,
    pub(crate) key: Option<SharedSerde<K>>,
    pub(crate) value: Option<SharedSerde<V>>,
}

impl<K, V> Grouped<K, V> {
    /// The serdes that are known, and the JVM's names.
    pub fn new() -> Self {
        Self {
            name: None,
            key: None,
            value: None,
        }
    }

    /// Writes keys and values with these serdes.
    pub fn with(key: impl Serde<K> + 'static, value: impl Serde<V> + 'static) -> Self {
        Self::new().with_key_serde(key).with_value_serde(value)
    }

    /// Names what selects the key, and the topic `<application.id>-<name>-repartition`.
    #[must_use]
    pub fn named(mut self, name: impl Into<Arc<str>>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Writes keys with this serde.
    #[must_use]
    pub fn with_key_serde(mut self, serde: impl Serde<K> + 'static) -> Self {
        self.key = Some(Arc::new(serde));
        self
    }

    /// Writes values with this serde.
    #[must_use]
    pub fn with_value_serde(mut self, serde: impl Serde<V> + 'static) -> Self {
        self.value = Some(Arc::new(serde));
        self
    }
}

impl<K, V> Default for Grouped<K, V> {
    fn default() -> Self {
        Self::new()
    }
}
