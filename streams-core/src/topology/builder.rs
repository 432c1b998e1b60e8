//! The Processor API: a topology node by node (`org.apache.kafka.streams.Topology`).
//!
//! Where the JVM connects nodes by name, a [`NodeHandle`] is typed by what its node sends, so that
//! a child that takes something else does not compile.

use std::any::Any;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::marker::PhantomData;
use std::rc::Rc;
use std::sync::Arc;

use regex::Regex;

use crate::error::{Error, ErrorKind, Result};
use crate::processor::{
    CopyRecord, Lifecycle, Port, Processor, ProcessorNode, SinkNode, SinkTopic, SourceNode,
    StreamPartitioner, TimestampExtractor,
};
use crate::serde::{Deserializer, Serializer};
use crate::store::{StoreAccess, StoreBuilder};
use crate::topology::node::{AutoOffsetReset, Link, Node, NodeKind, SourceTopics};
use crate::topology::subtopology::subtopologies;
use crate::topology::{InternalTopic, Topology, TopologyInner};

/// A node that sends records of `K` and `V`.
pub struct NodeHandle<K, V> {
    index: usize,
    output: PhantomData<fn(K, V)>,
}

impl<K, V> Clone for NodeHandle<K, V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K, V> Copy for NodeHandle<K, V> {}

/// What a source reads and how.
pub struct Source<K, V> {
    pub(crate) topics: SourceTopics,
    pub(crate) key: Arc<dyn Deserializer<K>>,
    pub(crate) value: Arc<dyn Deserializer<V>>,
    pub(crate) timestamp: Option<Arc<dyn TimestampExtractor<K, V>>>,
    pub(crate) reset: Option<AutoOffsetReset>,
}

impl<K, V> Source<K, V> {
    /// Reads these topics.
    pub fn topics<T: Into<Arc<str>>>(
        topics: impl IntoIterator<Item = T>,
        key: Arc<dyn Deserializer<K>>,
        value: Arc<dyn Deserializer<V>>,
    ) -> Self {
        Self::new(
            SourceTopics::Named(topics.into_iter().map(Into::into).collect()),
            key,
            value,
        )
    }

    /// Reads every topic whose whole name matches, also those that come later.
    pub fn pattern(
        pattern: Regex,
        key: Arc<dyn Deserializer<K>>,
        value: Arc<dyn Deserializer<V>>,
    ) -> Self {
        Self::new(SourceTopics::Pattern(pattern), key, value)
    }

    fn new(
        topics: SourceTopics,
        key: Arc<dyn Deserializer<K>>,
        value: Arc<dyn Deserializer<V>>,
    ) -> Self {
        Self {
            topics,
            key,
            value,
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

    /// Takes event times from this shared extractor.
    #[must_use]
    pub fn with_shared_timestamp_extractor(
        mut self,
        extractor: Arc<dyn TimestampExtractor<K, V>>,
    ) -> Self {
        self.timestamp = Some(extractor);
        self
    }

    /// Begins here where no offset is committed, whatever `auto.offset.reset` says.
    #[must_use]
    pub fn with_offset_reset(mut self, reset: AutoOffsetReset) -> Self {
        self.reset = Some(reset);
        self
    }
}

/// Where a sink sends its records and how.
pub struct Sink<K, V> {
    pub(crate) topic: SinkTopic<K, V>,
    pub(crate) key: Arc<dyn Serializer<K>>,
    pub(crate) value: Arc<dyn Serializer<V>>,
    pub(crate) partitioner: Option<Arc<dyn StreamPartitioner<K, V>>>,
    pub(crate) skips_null_keys: bool,
    pub(crate) partitions_by_base_key: bool,
}

impl<K, V> Sink<K, V> {
    /// Sends to `topic`.
    pub fn new(
        topic: SinkTopic<K, V>,
        key: Arc<dyn Serializer<K>>,
        value: Arc<dyn Serializer<V>>,
    ) -> Self {
        Self {
            topic,
            key,
            value,
            partitioner: None,
            skips_null_keys: false,
            partitions_by_base_key: false,
        }
    }

    /// Chooses partitions with `partitioner`.
    #[must_use]
    pub fn with_partitioner(mut self, partitioner: Arc<dyn StreamPartitioner<K, V>>) -> Self {
        self.partitioner = Some(partitioner);
        self
    }

    /// Unless a partitioner is given, chooses the partition of a key in a window by the key itself,
    /// as the JVM's DSL does (`WindowedStreamPartitioner`).
    #[must_use]
    pub fn partitioning_by_base_key(mut self) -> Self {
        self.partitions_by_base_key = true;
        self
    }

    /// Leaves out records whose key is written as null, and counts them as dropped: what the JVM
    /// does before every repartition topic.
    #[must_use]
    pub fn skipping_null_keys(mut self) -> Self {
        self.skips_null_keys = true;
        self
    }
}

/// Builds a [`Topology`].
#[derive(Default)]
pub struct TopologyBuilder {
    pub(super) nodes: Vec<Node>,
    internal_topics: Vec<InternalTopic>,
    stores: Vec<StoreBuilder>,
    pub(super) global_stores: BTreeSet<Arc<str>>,
    copartitioned_sources: Vec<Vec<Arc<str>>>,
}

impl TopologyBuilder {
    /// A topology without nodes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes `<application.id>-<topic.name>` a topic of the topology; sources and sinks use it by
    /// the name without the application id.
    pub fn add_internal_topic(&mut self, topic: InternalTopic) -> Result<()> {
        if self
            .internal_topics
            .iter()
            .any(|known| known.name == topic.name)
        {
            return Err(invalid(format!(
                "internal topic {} has already been added",
                topic.name
            )));
        }
        self.internal_topics.push(topic);
        Ok(())
    }

    /// Adds a source.
    ///
    /// # Errors
    /// If the name is taken, no topic is given, or a topic is read by another source already.
    pub fn add_source<K: 'static, V: 'static>(
        &mut self,
        name: &str,
        source: Source<K, V>,
    ) -> Result<NodeHandle<K, V>> {
        let Source {
            topics,
            key,
            value,
            timestamp,
            reset,
        } = source;
        self.check_source_topics(name, &topics)?;
        let link: Link = Arc::new(move |linker| {
            let (key, value) = (Arc::clone(&key), Arc::clone(&value));
            let children = linker.children::<K, V>()?;
            let (timestamp, default) = (timestamp.clone(), linker.default_timestamp());
            let node = SourceNode::new(linker.name(), key, value, timestamp, default, children);
            linker.add_source(Box::new(node));
            Ok(())
        });
        self.add(name, NodeKind::Source { topics, reset }, &[], link)
    }

    fn check_source_topics(&self, name: &str, topics: &SourceTopics) -> Result<()> {
        let SourceTopics::Named(topics) = topics else {
            return Ok(());
        };
        if topics.is_empty() {
            return Err(invalid(format!("source {name} reads no topic")));
        }
        for topic in topics {
            let reads = |node: &&Node| match &node.kind {
                NodeKind::Source {
                    topics: SourceTopics::Named(known),
                    ..
                } => known.contains(topic),
                NodeKind::Source {
                    topics: SourceTopics::Pattern(pattern),
                    ..
                } => super::matches_whole(pattern, topic),
                _ => false,
            };
            if let Some(other) = self.nodes.iter().find(reads) {
                return Err(invalid(format!(
                    "topic {topic} has already been registered by another source ({})",
                    other.name
                )));
            }
        }
        Ok(())
    }

    /// Adds a store, to be connected to the processors that use it.
    ///
    /// # Errors
    /// If there is a store of this name.
    pub fn add_state_store(&mut self, store: StoreBuilder) -> Result<()> {
        let name = store.name();
        if self.stores.iter().any(|known| known.name() == name) {
            return Err(invalid(format!("store {name} has already been added")));
        }
        store.check()?;
        self.stores.push(store);
        Ok(())
    }

    /// Lets a processor use these stores, which may be added later.
    pub fn connect_stores<K, V>(&mut self, processor: NodeHandle<K, V>, stores: &[Arc<str>]) {
        let node = self.nodes.get_mut(processor.index);
        if let Some(NodeKind::Processor { stores: connected }) = node.map(|node| &mut node.kind) {
            for store in stores {
                if !connected.contains(store) {
                    connected.push(Arc::clone(store));
                }
            }
        }
    }

    /// Says that the topics of these sources must have as many partitions as each other, since
    /// what they hold is joined by key. Groups that share a topic are one.
    ///
    /// Internal topics among them get the number of the others; of internal topics only, the most
    /// that any of them would have.
    pub fn copartition_sources(&mut self, sources: &[Arc<str>]) {
        self.copartitioned_sources.push(sources.to_vec());
    }

    /// Adds a processor below `parents`; `supplier` makes one instance for each task.
    ///
    /// # Errors
    /// If the name is taken or there is no parent.
    pub fn add_processor<KIn, VIn, KOut, VOut, P>(
        &mut self,
        name: &str,
        supplier: impl Fn() -> P + Send + Sync + 'static,
        parents: &[NodeHandle<KIn, VIn>],
    ) -> Result<NodeHandle<KOut, VOut>>
    where
        P: Processor<KIn, VIn, KOut, VOut>,
        KIn: 'static,
        VIn: 'static,
        KOut: 'static,
        VOut: 'static,
    {
        self.add_stateful_processor(name, move |_| Ok(supplier()), parents, &[])
    }

    /// Adds a processor below `parents` that uses `stores`; `supplier` makes one instance for each
    /// task, and finds its stores there.
    ///
    /// # Errors
    /// If the name is taken or there is no parent. What the supplier asks for and may not have is
    /// told when a task is made.
    pub fn add_stateful_processor<KIn, VIn, KOut, VOut, P>(
        &mut self,
        name: &str,
        supplier: impl Fn(&StoreAccess<'_>) -> Result<P> + Send + Sync + 'static,
        parents: &[NodeHandle<KIn, VIn>],
        stores: &[Arc<str>],
    ) -> Result<NodeHandle<KOut, VOut>>
    where
        P: Processor<KIn, VIn, KOut, VOut>,
        KIn: 'static,
        VIn: 'static,
        KOut: 'static,
        VOut: 'static,
    {
        let link: Link = Arc::new(move |linker| {
            let children = linker.children::<KOut, VOut>()?;
            let processor = supplier(&linker.stores())?;
            let (index, name, times) = (linker.node_index(), linker.name(), linker.store_times());
            let node = ProcessorNode::new(processor, children, index, name, times);
            let node = Rc::new(RefCell::new(node));
            linker.add_processor(Rc::clone(&node) as Rc<RefCell<dyn Lifecycle>>);
            linker.set_port::<KIn, VIn>(node as Port<KIn, VIn>);
            Ok(())
        });
        let kind = NodeKind::Processor {
            stores: stores.to_vec(),
        };
        self.add_child(name, kind, parents, link)
    }

    /// Adds a sink below `parents`.
    ///
    /// # Errors
    /// If the name is taken or there is no parent.
    pub fn add_sink<K: 'static, V: 'static>(
        &mut self,
        name: &str,
        sink: Sink<K, V>,
        parents: &[NodeHandle<K, V>],
    ) -> Result<()> {
        let Sink {
            topic,
            key,
            value,
            partitioner,
            skips_null_keys,
            partitions_by_base_key,
        } = sink;
        let fixed = match &topic {
            SinkTopic::Fixed(topic) => Some(Arc::clone(topic)),
            SinkTopic::Extracted(_) => None,
        };
        let link: Link = Arc::new(move |linker| {
            let topic = match &topic {
                SinkTopic::Fixed(topic) => SinkTopic::Fixed(linker.full_topic(topic)),
                extracted @ SinkTopic::Extracted(_) => extracted.clone(),
            };
            let (key, value) = (Arc::clone(&key), Arc::clone(&value));
            let mut node = SinkNode::new(linker.name(), topic, key, value, partitioner.clone());
            node.skips_null_keys = skips_null_keys;
            node.partitions_by_base_key = partitions_by_base_key;
            linker.set_port::<K, V>(Rc::new(RefCell::new(node)));
            Ok(())
        });
        let kind = NodeKind::Sink { topic: fixed };
        self.add_child::<K, V, (), ()>(name, kind, parents, link)
            .map(|_| ())
    }

    /// Lets the records of a node go to several children.
    pub fn allow_fan_out<K: Clone + 'static, V: Clone + 'static>(
        &mut self,
        node: NodeHandle<K, V>,
    ) {
        let copy: CopyRecord<K, V> = Clone::clone;
        if let Some(node) = self.nodes.get_mut(node.index) {
            node.copy = Some(Arc::new(copy) as Arc<dyn Any + Send + Sync>);
        }
    }

    /// Says that a node sends each record to one of its children, by
    /// [`forward_to`](crate::processor::ProcessorContext::forward_to), and so needs no copies.
    pub fn mark_router<K, V>(&mut self, node: NodeHandle<K, V>) {
        if let Some(node) = self.nodes.get_mut(node.index) {
            node.is_router = true;
        }
    }

    /// Leaves a node out of the description, which then connects its parents to its children.
    ///
    /// For steps that the JVM takes within another node, so that both descriptions stay equal.
    pub fn hide<K, V>(&mut self, node: NodeHandle<K, V>) {
        if let Some(node) = self.nodes.get_mut(node.index) {
            node.is_hidden = true;
        }
    }

    /// Checks the graph and makes it immutable.
    ///
    /// # Errors
    /// If a node has several children and neither copies its records nor routes them, or a store
    /// that a processor is connected to is not there.
    pub fn build(self) -> Result<Topology> {
        for node in &self.nodes {
            // A source reads the bytes again for each child.
            let makes_copies = node.copy.is_some() || matches!(node.kind, NodeKind::Source { .. });
            if node.children.len() > 1 && !makes_copies && !node.is_router {
                let (name, children) = (&node.name, node.children.len());
                return Err(invalid(format!(
                    "node {name} has {children} children, and its records are not Clone"
                )));
            }
        }
        self.check_stores()?;
        self.check_copartitioned()?;
        let Self {
            nodes,
            internal_topics,
            stores,
            global_stores: _,
            copartitioned_sources,
        } = self;
        let subtopologies = subtopologies(&nodes);
        Ok(Topology {
            inner: Arc::new(TopologyInner {
                nodes,
                subtopologies,
                internal_topics,
                stores,
                copartitioned_sources,
            }),
        })
    }

    fn check_copartitioned(&self) -> Result<()> {
        for name in self.copartitioned_sources.iter().flatten() {
            let mut sources = self.nodes.iter();
            let is_source = |node: &Node| matches!(node.kind, NodeKind::Source { .. });
            if !sources.any(|node| node.name == *name && is_source(node)) {
                return Err(invalid(format!(
                    "{name} is to be partitioned like others, and is no source"
                )));
            }
        }
        Ok(())
    }

    fn check_stores(&self) -> Result<()> {
        for node in &self.nodes {
            let global = node
                .stores()
                .iter()
                .find(|name| self.global_stores.contains(*name));
            if let (false, Some(store)) = (node.is_global, global) {
                let name = &node.name;
                return Err(invalid(format!(
                    "processor {name} is connected to the global store {store}, which every \
                     processor may read without that"
                )));
            }
            let unknown = node
                .stores()
                .iter()
                .find(|name| !self.stores.iter().any(|store| store.name() == *name));
            if let Some(store) = unknown {
                let name = &node.name;
                return Err(invalid(format!(
                    "processor {name} is connected to store {store}, which nobody has added"
                )));
            }
        }
        Ok(())
    }

    fn add_child<KIn, VIn, KOut, VOut>(
        &mut self,
        name: &str,
        kind: NodeKind,
        parents: &[NodeHandle<KIn, VIn>],
        link: Link,
    ) -> Result<NodeHandle<KOut, VOut>> {
        if parents.is_empty() {
            return Err(invalid(format!(
                "node {name} must have at least one parent"
            )));
        }
        let parents: Vec<usize> = parents.iter().map(|parent| parent.index).collect();
        self.add(name, kind, &parents, link)
    }

    fn add<K, V>(
        &mut self,
        name: &str,
        kind: NodeKind,
        parents: &[usize],
        link: Link,
    ) -> Result<NodeHandle<K, V>> {
        if self.nodes.iter().any(|node| &*node.name == name) {
            return Err(invalid(format!("node {name} has already been added")));
        }
        let index = self.nodes.len();
        for parent in parents {
            if let Some(parent) = self.nodes.get_mut(*parent) {
                parent.children.push(index);
            }
        }
        self.nodes.push(Node {
            name: name.into(),
            kind,
            parents: parents.to_vec(),
            children: Vec::new(),
            copy: None,
            is_router: false,
            is_hidden: false,
            is_global: false,
            link,
        });
        Ok(NodeHandle {
            index,
            output: PhantomData,
        })
    }
}

pub(super) fn invalid(message: String) -> Error {
    Error::new(ErrorKind::Topology, format!("invalid topology: {message}"))
}
