//! Where a stream ends.

use std::sync::Arc;

use streams_core::processor::SinkTopic;
use streams_core::serde::Serde;
use streams_core::topology::Sink;
use streams_core::{Record, RecordMetadata, Topic};

use crate::builder::StreamsBuilder;
use crate::option::Produced;
use crate::plan::{Naming, Node, PlanId};
use crate::stream::KStream;
use crate::stream::repartition::sink_to;

/// The end of a stream: a sink, or an action without a result.
#[derive(Debug)]
pub struct Terminal {
    builder: StreamsBuilder,
    node: PlanId,
}

impl Terminal {
    pub(super) fn new(builder: StreamsBuilder, node: PlanId) -> Self {
        Self { builder, node }
    }

    /// Names the node (`Named.as`), as [`KStream::named`] does.
    pub fn named(self, name: impl Into<Arc<str>>) {
        self.builder.plan().rename(self.node, name.into());
    }
}

impl<K: 'static, V: 'static> KStream<K, V> {
    /// Writes the records to a topic, which must exist.
    ///
    /// The producer chooses the partition by the key's bytes; of a key in a window only the key
    /// itself counts, so that all its windows are together (`WindowedStreamPartitioner`).
    ///
    /// ```compile_fail,E0308
    /// # use streams_dsl::{StreamsBuilder, Topic, serde::{I64, Utf8}};
    /// let words = Topic::<String, String>::new("words", Utf8, Utf8);
    /// let counts = Topic::<String, i64>::new("counts", Utf8, I64);
    /// StreamsBuilder::new().stream(&words).to(&counts); // String is not i64
    /// ```
    pub fn to(self, topic: &Topic<K, V>) -> Terminal {
        self.to_with(topic, Produced::new())
    }

    /// Writes the records to a topic, with a partitioner.
    ///
    /// ```
    /// # use streams_dsl::{StreamsBuilder, Topic, TopologyTestDriver, serde::Utf8};
    /// # use streams_dsl::Produced;
    /// # let words = Topic::<String, String>::new("words", Utf8, Utf8);
    /// # let out = Topic::<String, String>::new("out", Utf8, Utf8);
    /// # let builder = StreamsBuilder::new();
    /// let last = |_topic: &str, _key: &String, _word: &String, count: i32| Some(vec![count - 1]);
    /// builder.stream(&words).to_with(&out, Produced::new().with_partitioner(last));
    /// # let mut driver = TopologyTestDriver::new(&builder.build()?)?;
    /// driver.pipe(&words, &"a".into(), &"ash".into(), 0)?;
    /// assert_eq!(driver.read(&out), Some(("a".into(), "ash".into())));
    /// # Ok::<(), streams_dsl::Error>(())
    /// ```
    pub fn to_with(self, topic: &Topic<K, V>, produced: Produced<K, V>) -> Terminal {
        let (topic, partitioner) = (topic.clone(), produced.partitioner);
        self.add_sink(move || {
            let sink = sink_to(topic.name(), topic.key_serde(), topic.value_serde());
            let sink = sink.partitioning_by_base_key();
            match &partitioner {
                Some(partitioner) => sink.with_partitioner(Arc::clone(partitioner)),
                None => sink,
            }
        })
    }

    /// Writes each record to the topic that `extractor` names, which must exist
    /// (`TopicNameExtractor`, KIP-303).
    ///
    /// The extractor sees the record with its headers, and where the source record came from, which
    /// is `None` for a record made by a punctuation.
    ///
    /// ```
    /// # use streams_dsl::{StreamsBuilder, Topic, TopologyTestDriver, serde::Utf8};
    /// # let words = Topic::<String, String>::new("words", Utf8, Utf8);
    /// # let builder = StreamsBuilder::new();
    /// let stream = builder.stream(&words);
    /// stream.to_extracted(|word, _| format!("words-{}", word.key).into(), Utf8, Utf8);
    /// # let mut driver = TopologyTestDriver::new(&builder.build()?)?;
    /// driver.pipe(&words, &"a".into(), &"ash".into(), 0)?;
    /// assert_eq!(driver.unread("words-a"), 1);
    /// # Ok::<(), streams_dsl::Error>(())
    /// ```
    pub fn to_extracted<F>(
        self,
        extractor: F,
        key: impl Serde<K> + 'static,
        value: impl Serde<V> + 'static,
    ) -> Terminal
    where
        F: Fn(&Record<K, V>, Option<RecordMetadata<'_>>) -> Arc<str> + Send + Sync + 'static,
    {
        let topic = SinkTopic::Extracted(Arc::new(extractor));
        let (key, value) = (Arc::new(key), Arc::new(value));
        self.add_sink(move || {
            let (key, value) = (Arc::clone(&key) as _, Arc::clone(&value) as _);
            Sink::new(topic.clone(), key, value).partitioning_by_base_key()
        })
    }

    fn add_sink(self, sink: impl Fn() -> Sink<K, V> + Send + Sync + 'static) -> Terminal {
        let naming = Naming::Numbered("KSTREAM-SINK-");
        let node = Node::new(naming, vec![self.node], move |lowering| {
            lowering.add_sink(sink())
        });
        let node = self.builder.plan().add(node);
        Terminal::new(self.builder, node)
    }
}
