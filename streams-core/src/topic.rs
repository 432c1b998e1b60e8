//! Typed names of topics.

use std::fmt;
use std::sync::Arc;

use crate::serde::{Serde, SharedSerde};

/// A topic's name with the serdes of its keys and values.
///
/// Declared once and shared by all that touch the topic: sources, sinks and the test driver. A
/// topic whose keys or values may be null has an `Option` there and a
/// [`Nullable`](crate::serde::Nullable) serde. Cheap to clone.
pub struct Topic<K, V> {
    name: Arc<str>,
    key: SharedSerde<K>,
    value: SharedSerde<V>,
}

impl<K, V> Topic<K, V> {
    /// The topic `name`, with these serdes.
    pub fn new(
        name: impl Into<Arc<str>>,
        key: impl Serde<K> + 'static,
        value: impl Serde<V> + 'static,
    ) -> Self {
        Self::with_shared_serdes(name, Arc::new(key), Arc::new(value))
    }

    /// The topic `name`, with serdes that others use too or that are chosen at run time.
    pub fn with_shared_serdes(
        name: impl Into<Arc<str>>,
        key: SharedSerde<K>,
        value: SharedSerde<V>,
    ) -> Self {
        let name = name.into();
        Self { name, key, value }
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
        Self {
            name: Arc::clone(&self.name),
            key: Arc::clone(&self.key),
            value: Arc::clone(&self.value),
        }
    }
}

impl<K, V> fmt::Debug for Topic<K, V> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Topic").field(&self.name).finish()
    }
}
