//! Operators on where records are: new keys, repartitioning, merging.

use std::sync::Arc;

use streams_core::processor::SinkTopic;
use streams_core::serde::SharedSerde;
use streams_core::topology::{InternalTopic, Sink, Source};

use crate::operator::{PassThrough, SelectKey};
use crate::option::Repartitioned;
use crate::plan::{Lowering, Naming, Node};
use crate::stream::KStream;

impl<K: 'static, V: 'static> KStream<K, V> {
    /// Makes a new key for each record. Marks the stream for repartitioning.
    ///
    /// ```
    /// # use streams_dsl::{StreamsBuilder, Topic, TopologyTestDriver, serde::Utf8};
    /// # let words = Topic::<String, String>::new("words", Utf8, Utf8);
    /// # let out = Topic::<String, String>::new("out", Utf8, Utf8);
    /// # let builder = StreamsBuilder::new();
    /// builder.stream(&words).select_key(|_, word| word.len().to_string()).to(&out);
    /// # let mut driver = TopologyTestDriver::new(&builder.build()?)?;
    /// driver.pipe(&words, &"a".into(), &"ash".into(), 0)?;
    /// assert_eq!(driver.read(&out), Some(("3".into(), "ash".into())));
    /// # Ok::<(), streams_dsl::Error>(())
    /// ```
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
    ///
    /// ```
    /// # use streams_dsl::{StreamsBuilder, Topic, TopologyTestDriver, serde::Utf8};
    /// # let words = Topic::<String, String>::new("words", Utf8, Utf8);
    /// # let out = Topic::<String, String>::new("out", Utf8, Utf8);
    /// # let builder = StreamsBuilder::new();
    /// # let names = Topic::<String, String>::new("names", Utf8, Utf8);
    /// builder.stream(&words).merge(builder.stream(&names)).to(&out);
    /// # let mut driver = TopologyTestDriver::new(&builder.build()?)?;
    /// driver.pipe(&names, &"b".into(), &"birch".into(), 0)?;
    /// driver.pipe(&words, &"a".into(), &"ash".into(), 1)?;
    /// assert_eq!(driver.read(&out), Some(("b".into(), "birch".into())));
    /// assert_eq!(driver.read(&out), Some(("a".into(), "ash".into())));
    /// # Ok::<(), streams_dsl::Error>(())
    /// ```
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
    ///
    /// ```
    /// # use streams_dsl::{StreamsBuilder, Topic, TopologyTestDriver, serde::Utf8};
    /// # use streams_dsl::Repartitioned;
    /// # let words = Topic::<String, String>::new("words", Utf8, Utf8);
    /// # let out = Topic::<String, String>::new("out", Utf8, Utf8);
    /// # let builder = StreamsBuilder::new();
    /// let by_length = builder.stream(&words).select_key(|_, word| word.len().to_string());
    /// let repartitioned = Repartitioned::new().with_key_serde(Utf8);
    /// by_length.repartition(repartitioned).named("by-length").to(&out);
    /// # let mut driver = TopologyTestDriver::new(&builder.build()?)?;
    /// driver.pipe(&words, &"a".into(), &"ash".into(), 0)?;
    /// assert_eq!(driver.read(&out), Some(("3".into(), "ash".into())));
    /// assert!(driver.written_topics().contains(&"test-app-by-length-repartition".to_owned()));
    /// # Ok::<(), streams_dsl::Error>(())
    /// ```
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
        let lower = move |lowering: &mut Lowering<'_>| {
            if let Some(partitions) = partitions.filter(|partitions| *partitions < 1) {
                let what = format!("repartitions into {partitions} partitions, which is below 1");
                return Err(lowering.invalid(&what));
            }
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
