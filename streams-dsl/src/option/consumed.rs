//! How a topic is read.

use std::sync::Arc;

use streams_core::processor::TimestampExtractor;
use streams_core::topology::AutoOffsetReset;

/// How a stream is read from its topics (`org.apache.kafka.streams.kstream.Consumed`).
///
/// The serdes come from the [`Topic`](crate::Topic), the source's name from
/// [`KStream::named`](crate::KStream::named).
pub struct Consumed<K, V> {
    pub(crate) timestamp: Option<Arc<dyn TimestampExtractor<K, V>>>,
    pub(crate) reset: Option<AutoOffsetReset>,
}

impl<K, V> Consumed<K, V> {
    /// The timestamps of the records, and `auto.offset.reset` where no offset is committed.
    pub fn new() -> Self {
        Self {
            timestamp: None,
            reset: None,
        }
    }

    /// Takes event times from this extractor.
    #[must_use]
    pub fn with_timestamp_extractor(
        mut self,
        extractor: impl TimestampExtractor<K, V> + 'static,
    ) -> Self {
        self.timestamp = Some(Arc::new(extractor));
        self
    }

    /// Begins here where no offset is committed, whatever `auto.offset.reset` says (KIP-1106).
    #[must_use]
    pub fn with_offset_reset(mut self, reset: AutoOffsetReset) -> Self {
        self.reset = Some(reset);
        self
    }
}

impl<K, V> Default for Consumed<K, V> {
    fn default() -> Self {
        Self::new()
    }
}
