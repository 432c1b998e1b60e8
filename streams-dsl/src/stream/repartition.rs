//! Through a topic and back: what every repartitioning is made of.

use std::sync::Arc;

use streams_core::Result;
use streams_core::processor::{FailOnInvalidTimestamp, SinkTopic, StreamPartitioner};
use streams_core::serde::SharedSerde;
use streams_core::topology::{InternalTopic, Sink, Source};

use crate::operator::PassThrough;
use crate::plan::{Lowering, Node, PartName, PlanId};

/// A repartition topic with its filter, sink and source.
pub(crate) struct Repartition<K, V> {
    pub(crate) key: Option<SharedSerde<K>>,
    pub(crate) value: Option<SharedSerde<V>>,
    pub(crate) partitions: Option<i32>,
    pub(crate) partitioner: Option<Arc<dyn StreamPartitioner<K, V>>>,
    /// Whether records without a key go through as well.
    pub(crate) keeps_null_keys: bool,
}

impl<K: 'static, V: 'static> Repartition<K, V> {
    /// A topic with as many partitions as those that feed it, and the producer's partitioning.
    pub(crate) fn new(key: Option<SharedSerde<K>>, value: Option<SharedSerde<V>>) -> Self {
        Self {
            key,
            value,
            partitions: None,
            partitioner: None,
            keeps_null_keys: false,
        }
    }

    /// Whether both serdes are known.
    pub(crate) fn has_serdes(&self) -> bool {
        self.key.is_some() && self.value.is_some()
    }

    /// The node, called by its source, whose operator names the other parts too
    /// ([`Names::with_repartition`]).
    ///
    /// [`Names::with_repartition`]: crate::plan::Names::with_repartition
    pub(crate) fn into_node(self, source: PartName, parent: PlanId) -> Node {
        Node::of_part(source, vec![parent], move |lowering| self.lower(lowering))
    }

    fn lower(&self, lowering: &mut Lowering<'_>) -> Result<()> {
        if let Some(partitions) = self.partitions.filter(|partitions| *partitions < 1) {
            let what = format!("repartitions into {partitions} partitions, which is below 1");
            return Err(lowering.invalid(&what));
        }
        let missing = |what| lowering.invalid(&format!("repartitions, but has no {what} serde"));
        let key = self.key.as_ref().ok_or_else(|| missing("key"))?;
        let value = self.value.as_ref().ok_or_else(|| missing("value"))?;
        let names = lowering.repartition_names()?;
        let parents = lowering.parents::<K, V>()?;
        let topology = lowering.topology();
        topology.add_internal_topic(InternalTopic {
            name: Arc::clone(&names.topic),
            partitions: self.partitions,
        })?;
        // The JVM's filter drops null keys. Whether a key is null only its serde knows, so here
        // the sink does it.
        let filter =
            topology.add_processor::<K, V, K, V, _>(&names.filter, || PassThrough, &parents)?;
        let mut sink = sink_to(&names.topic, key, value);
        if !self.keeps_null_keys {
            sink = sink.skipping_null_keys();
        }
        if let Some(partitioner) = &self.partitioner {
            sink = sink.with_partitioner(Arc::clone(partitioner));
        }
        topology.add_sink(&names.sink, sink, &[filter])?;
        let (key, value) = (Arc::clone(key) as _, Arc::clone(value) as _);
        let source = Source::topics([names.topic], key, value);
        let source = source.with_timestamp_extractor(FailOnInvalidTimestamp);
        lowering.add_source(&names.source, source)
    }
}

/// A sink that writes to one topic.
pub(crate) fn sink_to<K, V>(
    topic: &Arc<str>,
    key: &SharedSerde<K>,
    value: &SharedSerde<V>,
) -> Sink<K, V>
where
    K: 'static,
    V: 'static,
{
    let topic = SinkTopic::Fixed(Arc::clone(topic));
    Sink::new(topic, Arc::clone(key) as _, Arc::clone(value) as _)
}
