//! Operators on where records are: new keys, repartitioning, merging.

use std::sync::Arc;

use streams_core::processor::SinkTopic;
use streams_core::serde::SharedSerde;
use streams_core::topology::{InternalTopic, Sink, Source};

use crate::operator::{PassThrough, SelectKey};
use crate::option::Repartitioned;
use crate::plan::{Naming, Node};
use crate::stream::KStream;

impl<K: 'static, V: 'static> KStream<K, V> {
    /// Makes a new key for each record. Marks the stream for repartitioning.
    pub fn select_key<K2, F>(self, select: F) -> KStream<K2, V>
    where
        F: Fn(&K, &V) -> K2 + Send + Sync + 'static,
        K2: 'static,
    {
        let select = Arc::new(select);
        let naming = Naming::Numbered("KSTREAM-KEY-SELECT-");
        let node =
            self.add_processor::<K2, V, _>(naming, move || SelectKey::new(Arc::clone(&select)));
        KStream {
            builder: self.builder,
            node,
            key: None,
            value: self.value,
            repartition_required: true,
        }
    }

    /// The records of both streams. Nothing is said of the order between the two; each keeps its
    /// own.
    #[must_use]
    pub fn merge(self, other: Self) -> Self {
        let naming = Naming::Numbered("KSTREAM-MERGE-");
        let parents = vec![self.node, other.node];
        let mut plan = self.builder.plan();
        if !self.builder.is(&other.builder) {
            plan.add_mistake("streams of different builders cannot be merged".to_owned());
            drop(plan);
            return self;
        }
        let node = plan.add(Node::new(naming, parents, |lowering| {
            let name = lowering.name();
            let handle = lowering.add_processor::<K, V, K, V, _>(name, || PassThrough)?;
            lowering.set_handle(handle);
            Ok(())
        }));
        drop(plan);
        Self {
            builder: self.builder,
            node,
            key: self.key.or(other.key),
            value: self.value.or(other.value),
            repartition_required: self.repartition_required || other.repartition_required,
        }
    }

    /// Sends the records through a topic of the application's own, so that records of one key come
    /// together in one partition (KIP-221): `<application.id>-<name>-repartition`, where
    /// [`KStream::named`] gives the name.
    ///
    /// The serdes are those of the topic or operator that the keys and values come from. After an
    /// operator that makes new ones they must be given; [`StreamsBuilder::build`] tells if they
    /// are not. Records whose key is null are left out, as in the JVM, and counted as dropped.
    ///
    /// [`StreamsBuilder::build`]: crate::StreamsBuilder::build
    #[must_use]
    pub fn repartition(self, repartitioned: Repartitioned<K, V>) -> Self {
        let Repartitioned {
            key,
            value,
            partitions,
            partitioner,
        } = repartitioned;
        let (key, value) = (key.or(self.key), value.or(self.value));
        let serdes = (key.clone(), value.clone());
        let lower = move |lowering: &mut crate::plan::Lowering<'_>| {
            let missing =
                |what| lowering.invalid(&format!("repartitions, but has no {what} serde"));
            let key = serdes.0.as_ref().ok_or_else(|| missing("key"))?;
            let value = serdes.1.as_ref().ok_or_else(|| missing("value"))?;
            let names = lowering.repartition_names()?;
            let (topic, source_name) = (&names.topic, lowering.name());
            let parents = lowering.parents::<K, V>()?;
            let topology = lowering.topology();
            topology.add_internal_topic(InternalTopic {
                name: Arc::clone(topic),
                partitions,
            })?;
            // The JVM's filter drops null keys. Whether a key is null only its serde knows, so here
            // the sink does it.
            let filter =
                topology.add_processor::<K, V, K, V, _>(&names.filter, || PassThrough, &parents)?;
            let mut sink = sink_to(topic, key, value).skipping_null_keys();
            if let Some(partitioner) = &partitioner {
                sink = sink.with_partitioner(Arc::clone(partitioner));
            }
            topology.add_sink(&names.sink, sink, &[filter])?;
            let (key, value) = (Arc::clone(key) as _, Arc::clone(value) as _);
            lowering.add_source(source_name, Source::topics([Arc::clone(topic)], key, value))
        };
        let node = Node::new(Naming::Repartition, vec![self.node], lower);
        let node = self.builder.plan().add(node);
        Self {
            builder: self.builder,
            node,
            key,
            value,
            repartition_required: false,
        }
    }
}

/// A sink that writes to one topic.
pub(super) fn sink_to<K, V>(
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
