//! How a stream is joined with a table.

use std::sync::Arc;
use std::time::Duration;

use streams_core::serde::{Serde, SharedSerde};

/// How a stream is joined with a table (`org.apache.kafka.streams.kstream.Joined`).
pub struct Joined<K, V> {
    pub(crate) name: Option<Arc<str>>,
    pub(crate) key: Option<SharedSerde<K>>,
    pub(crate) value: Option<SharedSerde<V>>,
    pub(crate) grace: Option<Duration>,
}

impl<K, V> Joined<K, V> {
    /// The serdes that are known, and the JVM's names.
    pub fn new() -> Self {
        Self {
            name: None,
            key: None,
            value: None,
            grace: None,
        }
    }

    /// Keeps records of the stream back until stream time has passed theirs by this, so that a
    /// versioned table may catch up (KIP-923). The table must be versioned.
    #[must_use]
    pub fn with_grace_period(mut self, grace: Duration) -> Self {
        self.grace = Some(grace);
        self
    }

    /// Names the join, and the topic `<application.id>-<name>-repartition` if it needs one.
    #[must_use]
    pub fn named(mut self, name: impl Into<Arc<str>>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Writes keys to the repartition topic with this serde.
    #[must_use]
    pub fn with_key_serde(mut self, serde: impl Serde<K> + 'static) -> Self {
        self.key = Some(Arc::new(serde));
        self
    }

    /// Writes the stream's values to the repartition topic with this serde.
    #[must_use]
    pub fn with_value_serde(mut self, serde: impl Serde<V> + 'static) -> Self {
        self.value = Some(Arc::new(serde));
        self
    }
}

impl<K, V> Default for Joined<K, V> {
    fn default() -> Self {
        Self::new()
    }
}
