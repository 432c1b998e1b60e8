//! From a plan to a topology.

use std::any::{Any, type_name};
use std::sync::Arc;

use streams_core::config::{Optimization, TopologyOptimization};
use streams_core::processor::Processor;
use streams_core::store::StoreAccess;
use streams_core::topology::{NodeHandle, Sink, Source};
use streams_core::{Error, ErrorKind, Result, Topology, TopologyBuilder};

use crate::plan::graph::Graph;
use crate::plan::name::{RepartitionNames, part};
use crate::plan::node::{Node, PlanId};

/// A topology in the making, and the node that is being lowered.
pub(crate) struct Lowering<'a> {
    builder: TopologyBuilder,
    graph: &'a Graph<'a>,
    optimization: &'a TopologyOptimization,
    /// The `NodeHandle<K, V>` of each node that has been lowered and sends records.
    handles: Vec<Option<Box<dyn Any>>>,
    vertex: usize,
}

impl<'a> Lowering<'a> {
    pub(super) fn new(
        builder: TopologyBuilder,
        graph: &'a Graph<'a>,
        optimization: &'a TopologyOptimization,
    ) -> Self {
        Self {
            builder,
            graph,
            optimization,
            handles: (0..graph.len()).map(|_| None).collect(),
            vertex: 0,
        }
    }

    pub(super) fn run(mut self) -> Result<Topology> {
        for vertex in self.graph.order() {
            self.vertex = vertex;
            if let Some(node) = self.graph.definition(vertex) {
                (node.lower)(&mut self)?;
            }
            // Several streams of one source are its children as if one stream had been cloned.
            let fan_out = self.graph.definitions(vertex).find_map(|node| node.fan_out);
            if let Some(allow_fan_out) = fan_out {
                allow_fan_out(&mut self);
            }
        }
        self.builder.build()
    }

    pub(super) fn definition(&self) -> Option<&'a Node> {
        self.graph.definition(self.vertex)
    }

    /// The name of the node.
    pub(crate) fn name(&self) -> &'a str {
        self.graph.name(self.vertex)
    }

    /// The name of another node.
    pub(crate) fn name_of(&self, node: PlanId) -> &'a str {
        self.graph.name(node.0)
    }

    /// The name of a part of the node's operator.
    ///
    /// # Errors
    /// If the operator has no such part.
    pub(crate) fn part(&self, part: &'static str) -> Result<Arc<str>> {
        self.part_of(PlanId(self.vertex), part)
    }

    /// The name of a part of another node's operator.
    ///
    /// # Errors
    /// If the operator has no such part.
    pub(crate) fn part_of(&self, node: PlanId, part: &'static str) -> Result<Arc<str>> {
        let name = self.graph.part(node.0, part).map(Arc::clone);
        name.ok_or_else(|| {
            let name = self.name_of(node);
            self.invalid(&format!("asks for the {part} of {name}, which has none"))
        })
    }

    /// The names of a repartitioning's parts.
    ///
    /// # Errors
    /// If the node is none.
    pub(crate) fn repartition_names(&self) -> Result<RepartitionNames> {
        Ok(RepartitionNames {
            topic: self.part(part::TOPIC)?,
            filter: self.part(part::FILTER)?,
            sink: self.part(part::SINK)?,
            source: self.part(part::SOURCE)?,
        })
    }

    /// Whether the topics of tables are to serve as their changelogs.
    pub(crate) fn reuses_source_topics(&self) -> bool {
        let wanted = Optimization::ReuseKTableSourceTopics;
        self.optimization.contains(wanted)
    }

    /// Whether what the node's parents send is versioned, so that it takes only what is the latest
    /// of its key (`InternalStreamsBuilder.enableVersionedSemantics`).
    pub(crate) fn is_input_versioned(&self) -> bool {
        let mut parents = self.graph.parents(self.vertex).iter();
        parents.any(|parent| self.is_output_versioned(*parent))
    }

    /// Whether what another node sends is versioned.
    pub(crate) fn is_versioned(&self, node: PlanId) -> bool {
        self.is_output_versioned(node.0)
    }

    /// Whether what one of the node's parents sends is versioned.
    pub(crate) fn is_parent_versioned(&self, place: usize) -> bool {
        let parents = self.graph.parents(self.vertex);
        let parent = parents.get(place).or(parents.first());
        parent.is_some_and(|parent| self.is_output_versioned(*parent))
    }

    fn is_output_versioned(&self, vertex: usize) -> bool {
        let known = self.graph.definition(vertex);
        if let Some(is_versioned) = known.and_then(|node| node.output_versioned) {
            return is_versioned;
        }
        let parents = self.graph.parents(vertex);
        !parents.is_empty()
            && parents
                .iter()
                .all(|parent| self.is_output_versioned(*parent))
    }

    /// How long the windows of the node's parents take records after their end, in milliseconds; of
    /// several the longest (`GraphGraceSearchUtil.findAndVerifyWindowGrace`).
    ///
    /// # Errors
    /// If what they send comes from no windows.
    pub(crate) fn window_grace_ms(&self) -> Result<i64> {
        self.grace_of_parents(self.vertex, "")
    }

    fn grace_of_parents(&self, vertex: usize, chain: &str) -> Result<i64> {
        let parents = self.graph.parents(vertex);
        let graces = parents.iter().map(|parent| {
            let node = self.graph.definition(*parent);
            if let Some(grace_ms) = node.and_then(|node| node.grace_ms) {
                return Ok(grace_ms);
            }
            let arrow = if chain.is_empty() { "" } else { " -> " };
            let chain = format!("{}{arrow}{chain}", self.graph.name(*parent));
            self.grace_of_parents(*parent, &chain)
        });
        let longest = graces.reduce(|one, other| Ok(one?.max(other?)));
        longest.unwrap_or_else(|| {
            let what = format!("waits for windows to close, but there are none in {chain}");
            Err(self.invalid(&what))
        })
    }

    /// The topology, to add nodes to.
    pub(crate) fn topology(&mut self) -> &mut TopologyBuilder {
        &mut self.builder
    }

    /// What the node's parents have become.
    ///
    /// # Errors
    /// If they send something else.
    pub(crate) fn parents<K: 'static, V: 'static>(&self) -> Result<Vec<NodeHandle<K, V>>> {
        let parents = self.graph.parents(self.vertex).iter();
        parents.map(|parent| self.handle(*parent)).collect()
    }

    /// What one of the node's parents has become.
    ///
    /// # Errors
    /// If it sends something else.
    pub(crate) fn parent<K: 'static, V: 'static>(&self, place: usize) -> Result<NodeHandle<K, V>> {
        let parent = self.parent_node(place)?;
        self.handle(parent.0)
    }

    /// The node.
    pub(crate) fn node(&self) -> PlanId {
        PlanId(self.vertex)
    }

    /// Whether two nodes have the same parents, as far as the JVM can see them.
    pub(crate) fn have_same_parents(&self, one: PlanId, other: PlanId) -> bool {
        self.visible_parents(one.0) == self.visible_parents(other.0)
    }

    fn visible_parents(&self, vertex: usize) -> Vec<usize> {
        let parents = self.graph.parents(vertex).iter();
        let visible = parents.flat_map(|parent| {
            let is_hidden = self
                .graph
                .definition(*parent)
                .is_some_and(|node| node.is_hidden);
            match is_hidden {
                true => self.visible_parents(*parent),
                false => vec![*parent],
            }
        });
        visible.collect()
    }

    /// Whether the joins of streams with themselves are to have one store.
    pub(crate) fn joins_self_in_one_store(&self) -> bool {
        self.optimization
            .contains(Optimization::SingleStoreSelfJoin)
    }

    /// Says that the topics that the node's records come from, and those of other nodes, must have
    /// as many partitions as each other (`ensureCopartitionWith`).
    pub(crate) fn copartition_with(&mut self, others: &[PlanId]) {
        let mut sources = Vec::new();
        for parent in self.graph.parents(self.vertex) {
            self.add_sources(*parent, &mut sources);
        }
        for other in others {
            self.add_sources(other.0, &mut sources);
        }
        self.builder.copartition_sources(&sources);
    }

    /// Says that the topics that the records of these nodes come from must have as many partitions
    /// as each other.
    pub(crate) fn copartition(&mut self, nodes: &[PlanId]) {
        let mut sources = Vec::new();
        for node in nodes {
            self.add_sources(node.0, &mut sources);
        }
        self.builder.copartition_sources(&sources);
    }

    /// Says that the topics that the records of these nodes come from must have as many partitions
    /// as those of a source within this node.
    pub(crate) fn copartition_nodes(&mut self, nodes: &[PlanId], source: &Arc<str>) {
        let mut sources = vec![Arc::clone(source)];
        for node in nodes {
            self.add_sources(node.0, &mut sources);
        }
        self.builder.copartition_sources(&sources);
    }

    /// One of the node's parents; those that have become one source stand there once.
    ///
    /// # Errors
    /// If it has none.
    pub(crate) fn parent_node(&self, place: usize) -> Result<PlanId> {
        let parents = self.graph.parents(self.vertex);
        let parent = parents.get(place).or(parents.first());
        let parent = parent.map(|parent| PlanId(*parent));
        parent.ok_or_else(|| self.invalid("has no parent"))
    }

    /// The sources that a node's records come from (`subTopologySourceNodes`).
    fn add_sources(&self, vertex: usize, sources: &mut Vec<Arc<str>>) {
        let reads_topic = self.graph.definition(vertex).is_some_and(Node::reads_topic);
        if reads_topic {
            let name: Arc<str> = self.graph.name(vertex).into();
            if !sources.contains(&name) {
                sources.push(name);
            }
            return;
        }
        let definition = self.graph.definition(vertex);
        let own_source = definition.and_then(|node| node.own_source);
        let own_name = own_source.and_then(|part| self.graph.part(vertex, part));
        let parents = self.graph.parents(vertex);
        if let Some(name) = own_name {
            sources.push(Arc::clone(name));
            if let Some(parent) = parents.first() {
                self.add_sources(*parent, sources);
            }
            return;
        }
        for parent in parents {
            self.add_sources(*parent, sources);
        }
    }

    fn handle<K: 'static, V: 'static>(&self, vertex: usize) -> Result<NodeHandle<K, V>> {
        let handle = self.handles.get(vertex).and_then(Option::as_ref);
        let handle = handle.and_then(|handle| handle.downcast_ref::<NodeHandle<K, V>>());
        handle.copied().ok_or_else(|| {
            let (key, value) = (type_name::<K>(), type_name::<V>());
            let parent = self.graph.name(vertex);
            self.invalid(&format!(
                "takes {key} and {value}, but the topics of {parent} are also read as other types"
            ))
        })
    }

    /// Makes the node known to its children, and hides it if the JVM has it not.
    pub(crate) fn set_handle<K: 'static, V: 'static>(&mut self, handle: NodeHandle<K, V>) {
        if self.definition().is_some_and(|node| node.is_hidden) {
            self.builder.hide(handle);
        }
        if let Some(place) = self.handles.get_mut(self.vertex) {
            *place = Some(Box::new(handle));
        }
    }

    /// Adds a processor below the node's parents.
    pub(crate) fn add_processor<KIn, VIn, KOut, VOut, P>(
        &mut self,
        name: &str,
        supplier: impl Fn() -> P + Send + Sync + 'static,
    ) -> Result<NodeHandle<KOut, VOut>>
    where
        P: Processor<KIn, VIn, KOut, VOut>,
        KIn: 'static,
        VIn: 'static,
        KOut: 'static,
        VOut: 'static,
    {
        let parents = self.parents::<KIn, VIn>()?;
        self.builder.add_processor(name, supplier, &parents)
    }

    /// Adds a processor below the node's parents that uses these stores.
    pub(crate) fn add_stateful_processor<KIn, VIn, KOut, VOut, P>(
        &mut self,
        name: &str,
        supplier: impl Fn(&StoreAccess<'_>) -> Result<P> + Send + Sync + 'static,
        stores: &[Arc<str>],
    ) -> Result<NodeHandle<KOut, VOut>>
    where
        P: Processor<KIn, VIn, KOut, VOut>,
        KIn: 'static,
        VIn: 'static,
        KOut: 'static,
        VOut: 'static,
    {
        let parents = self.parents::<KIn, VIn>()?;
        self.builder
            .add_stateful_processor(name, supplier, &parents, stores)
    }

    /// Adds a source.
    pub(crate) fn add_source<K: 'static, V: 'static>(
        &mut self,
        name: &str,
        source: Source<K, V>,
    ) -> Result<()> {
        let handle = self.builder.add_source(name, source)?;
        self.set_handle(handle);
        Ok(())
    }

    /// Adds a sink below the node's parents.
    pub(crate) fn add_sink<K: 'static, V: 'static>(&mut self, sink: Sink<K, V>) -> Result<()> {
        let parents = self.parents::<K, V>()?;
        let name = self.name();
        self.builder.add_sink(name, sink, &parents)
    }

    /// Lets the records of the node go to several children.
    pub(crate) fn allow_fan_out<K: Clone + 'static, V: Clone + 'static>(&mut self) {
        if let Ok(handle) = self.handle::<K, V>(self.vertex) {
            self.builder.allow_fan_out(handle);
        }
    }

    /// An error about the node.
    pub(crate) fn invalid(&self, what: &str) -> Error {
        let name = self.name();
        Error::new(
            ErrorKind::Topology,
            format!("invalid topology: node {name} {what}"),
        )
    }
}
