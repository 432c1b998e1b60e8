//! Typed names of topics.

use std::fmt;
use std::sync::Arc;

use crate::serde::{Serde, SharedSerde};

/// A topic's name and what its keys and values are, declared once and shared by sources, sinks,
/// test drivers and queries.
///
/// Where keys or values may be null, `K` or `V` is an `Option`, read by
/// [`Nullable`](crate::serde::Nullable).
pub struct Topic<K, V> {
    name: Arc<str>,
    key: SharedSerde<K>,
    value: SharedSerde<V>,
}

impl<K, V> Topic<K, V> {
    /// A topic of this name, with these serdes.
    pub fn new(
        name: impl Into<Arc<str>>,
        key: impl Serde<K> + 'static,
        value: impl Serde<V> + 'static,
    ) -> Self {
        Self {
            name: name.into(),
            key: Arc::new(key),
            value: Arc::new(value),
        }
    }

    /// A topic of this name, with serdes that are shared already.
    pub fn with_shared_serdes(
        name: impl Into<Arc<str>>,
        key: SharedSerde<K>,
        value: SharedSerde<V>,
    ) -> Self {
        Self {
            name: name.into(),
            key,
            value,
        }
    }

    /// The topic's name.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// The serde of its keys.
    pub fn key_serde(&self) -> &SharedSerde<K> {
        &self.key
    }

    /// The serde of its values.
    pub fn value_serde(&self) -> &SharedSerde<V> {
        &self.value
    }
}

impl<K, V> Clone for Topic<K, V> {
    fn clone(&self) -> Self {
        let (key, value) = (Arc::clone(&self.key), Arc::clone(&self.value));
        Self {
            name: Arc::clone(&self.name),
            key,
            value,
        }
    }
}

impl<K, V> fmt::Debug for Topic<K, V> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Topic({})", self.name)
    }
}
