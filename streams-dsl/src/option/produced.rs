//! How a topic is written.

use std::sync::Arc;

use streams_core::processor::StreamPartitioner;

/// How a stream is written to a topic (`org.apache.kafka.streams.kstream.Produced`).
///
/// The serdes come from the [`Topic`](crate::Topic), the sink's name from
/// [`Terminal::named`](crate::Terminal::named).
pub struct Produced<K, V> {
    pub(crate) partitioner: Option<Arc<dyn StreamPartitioner<K, V>>>,
}

impl<K, V> Produced<K, V> {
    /// The producer's own partitioning: murmur2 of the key, as in the Java client.
    pub fn new() -> Self {
        Self { partitioner: None }
    }

    /// Chooses partitions with this partitioner, such as a closure
    /// `|topic, key, value, partition_count| Some(vec![…])`; `None` leaves the choice to the
    /// producer, an empty list leaves the record out, several send it to each (KIP-873).
    #[must_use]
    pub fn with_partitioner(mut self, partitioner: impl StreamPartitioner<K, V> + 'static) -> Self {
        self.partitioner = Some(Arc::new(partitioner));
        self
    }
}

impl<K, V> Default for Produced<K, V> {
    fn default() -> Self {
        Self::new()
    }
}
