//! How tables are joined by a foreign key.

use std::sync::Arc;

use streams_core::processor::StreamPartitioner;

/// How tables are joined by a foreign key (`org.apache.kafka.streams.kstream.TableJoined`).
///
/// A table that is not partitioned by the producer's default needs its partitioner here.
pub struct TableJoined<K, KO> {
    pub(crate) name: Option<Arc<str>>,
    pub(crate) partitioner: Option<Arc<dyn StreamPartitioner<K, ()>>>,
    pub(crate) other_partitioner: Option<Arc<dyn StreamPartitioner<KO, ()>>>,
}

impl<K, KO> TableJoined<K, KO> {
    /// The producer's partitioning, and the JVM's names.
    pub fn new() -> Self {
        Self {
            name: None,
            partitioner: None,
            other_partitioner: None,
        }
    }

    /// Names what the join is made of: `<name>-subscription-registration-topic` and so on.
    #[must_use]
    pub fn named(mut self, name: impl Into<Arc<str>>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Finds the partition of a key of the left table so. It must choose one.
    #[must_use]
    pub fn with_partitioner(
        mut self,
        partitioner: impl StreamPartitioner<K, ()> + 'static,
    ) -> Self {
        self.partitioner = Some(Arc::new(partitioner));
        self
    }

    /// Finds the partition of a key of the right table so. It must choose one.
    #[must_use]
    pub fn with_other_partitioner(
        mut self,
        partitioner: impl StreamPartitioner<KO, ()> + 'static,
    ) -> Self {
        self.other_partitioner = Some(Arc::new(partitioner));
        self
    }
}

impl<K, KO> Default for TableJoined<K, KO> {
    fn default() -> Self {
        Self::new()
    }
}
