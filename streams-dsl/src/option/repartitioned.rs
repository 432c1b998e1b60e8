//! How a stream is repartitioned.

use std::sync::Arc;

use streams_core::processor::StreamPartitioner;
use streams_core::serde::{Serde, SharedSerde};

/// How a stream goes through a repartition topic
/// (`org.apache.kafka.streams.kstream.Repartitioned`).
///
/// The topic is named by [`KStream::named`](crate::KStream::named).
pub struct Repartitioned<K, V> {
    pub(crate) key: Option<SharedSerde<K>>,
    pub(crate) value: Option<SharedSerde<V>>,
    pub(crate) partitions: Option<i32>,
    pub(crate) partitioner: Option<Arc<dyn StreamPartitioner<K, V>>>,
}

impl<K, V> Repartitioned<K, V> {
    /// The stream's own serdes, as many partitions as the topics that feed it, and the producer's
    /// own partitioning.
    pub fn new() -> Self {
        Self {
            key: None,
            value: None,
            partitions: None,
            partitioner: None,
        }
    }

    /// Writes keys with this serde. Needed after an operator that makes new keys.
    #[must_use]
    pub fn with_key_serde(mut self, serde: impl Serde<K> + 'static) -> Self {
        self.key = Some(Arc::new(serde));
        self
    }

    /// Writes values with this serde. Needed after an operator that makes new values.
    #[must_use]
    pub fn with_value_serde(mut self, serde: impl Serde<V> + 'static) -> Self {
        self.value = Some(Arc::new(serde));
        self
    }

    /// Gives the topic this number of partitions.
    #[must_use]
    pub fn with_partitions(mut self, partitions: i32) -> Self {
        self.partitions = Some(partitions);
        self
    }

    /// Chooses partitions with this partitioner.
    #[must_use]
    pub fn with_partitioner(mut self, partitioner: impl StreamPartitioner<K, V> + 'static) -> Self {
        self.partitioner = Some(Arc::new(partitioner));
        self
    }
}

impl<K, V> Default for Repartitioned<K, V> {
    fn default() -> Self {
        Self::new()
    }
}
