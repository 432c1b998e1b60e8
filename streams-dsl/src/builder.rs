//! Where a program begins.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use streams_core::config::TopologyOptimization;
use streams_core::{Result, StreamsConfig, Topology};

use crate::option::Consumed;
use crate::plan::Plan;
use crate::stream::KStream;
use crate::subscription::Subscription;

/// Builds a [`Topology`] from streams (`org.apache.kafka.streams.StreamsBuilder`).
///
/// A handle: its clones add to the same topology.
#[derive(Clone, Default)]
pub struct StreamsBuilder {
    plan: Arc<Mutex<Plan>>,
}

impl StreamsBuilder {
    /// A builder without streams.
    pub fn new() -> Self {
        Self::default()
    }

    /// The records of a topic, of several, or of all topics whose name matches:
    /// `stream(&topic)`, `stream(&[orders, returns])`, `stream(&TopicPattern::new(…)?)`.
    ///
    /// Reading a topic a second time adds to its one source, as in the JVM; all its streams must
    /// have the same types.
    pub fn stream<S: Subscription>(&self, topics: S) -> KStream<S::Key, S::Value> {
        self.stream_with(topics, Consumed::new())
    }

    /// As [`StreamsBuilder::stream`], with a timestamp extractor or an offset reset policy.
    pub fn stream_with<S: Subscription>(
        &self,
        topics: S,
        consumed: Consumed<S::Key, S::Value>,
    ) -> KStream<S::Key, S::Value> {
        KStream::of_source(self.clone(), topics.subscribed(), consumed)
    }

    /// Makes the topology of all that has been asked for so far. Names and numbers are the JVM's.
    ///
    /// # Errors
    /// If a name is illegal or taken, sources overlap, or a repartitioning has no serde.
    pub fn build(&self) -> Result<Topology> {
        self.plan().build(&TopologyOptimization::default())
    }

    /// Makes the topology as [`StreamsBuilder::build`] does, with the optimisations that
    /// `topology.optimization` asks for (`StreamsBuilder.build(Properties)`).
    ///
    /// They change names and topics: a running application cannot switch them on or off without a
    /// reset.
    ///
    /// # Errors
    /// As for [`StreamsBuilder::build`].
    pub fn build_with(&self, config: &StreamsConfig) -> Result<Topology> {
        self.plan().build(&config.topology_optimization)
    }

    pub(crate) fn plan(&self) -> MutexGuard<'_, Plan> {
        // A panic between two additions leaves a plan that is whole.
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.plan, &other.plan)
    }
}

impl std::fmt::Debug for StreamsBuilder {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("StreamsBuilder")
            .finish_non_exhaustive()
    }
}
