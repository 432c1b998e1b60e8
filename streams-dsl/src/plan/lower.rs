//! From a plan to a topology.

use std::any::{Any, type_name};

use streams_core::processor::Processor;
use streams_core::topology::{NodeHandle, Sink, Source};
use streams_core::{Error, ErrorKind, Result, Topology, TopologyBuilder};

use crate::plan::name::{NodeName, RepartitionNames};
use crate::plan::node::{Node, PlanId};

/// A topology in the making, and the node that is being lowered.
pub(crate) struct Lowering<'a> {
    builder: TopologyBuilder,
    nodes: &'a [Node],
    names: &'a [NodeName],
    /// For each node the one that stands for it.
    sources: &'a [PlanId],
    /// The `NodeHandle<K, V>` of each node that has been lowered and sends records.
    handles: Vec<Option<Box<dyn Any>>>,
    node: PlanId,
}

impl<'a> Lowering<'a> {
    pub(super) fn new(
        builder: TopologyBuilder,
        nodes: &'a [Node],
        names: &'a [NodeName],
        sources: &'a [PlanId],
    ) -> Self {
        Self {
            builder,
            nodes,
            names,
            sources,
            handles: nodes.iter().map(|_| None).collect(),
            node: PlanId(0),
        }
    }

    pub(super) fn run(mut self) -> Result<Topology> {
        for (index, node) in self.nodes.iter().enumerate() {
            self.node = PlanId(index);
            if self.stands_for(self.node) != self.node {
                continue;
            }
            (node.lower)(&mut self)?;
            self.lower_fan_out();
        }
        self.builder.build()
    }

    /// Several streams of one source are its children as if one stream had been cloned.
    fn lower_fan_out(&mut self) {
        let mut same = self.nodes.iter().zip(self.sources);
        let fan_out = same.find_map(|(node, source)| node.fan_out.filter(|_| *source == self.node));
        if let Some(allow_fan_out) = fan_out {
            allow_fan_out(self);
        }
    }

    fn stands_for(&self, node: PlanId) -> PlanId {
        self.sources.get(node.0).copied().unwrap_or(node)
    }

    /// The name of the node.
    pub(crate) fn name(&self) -> &'a str {
        self.name_of(self.node)
    }

    /// The name of another node.
    pub(crate) fn name_of(&self, node: PlanId) -> &'a str {
        self.names.get(node.0).map_or("", |name| &*name.name)
    }

    /// The names of a repartitioning's parts.
    pub(crate) fn repartition_names(&self) -> Result<&'a RepartitionNames> {
        let names = self.names.get(self.node.0);
        let names = names.and_then(|name| name.repartition.as_ref());
        names.ok_or_else(|| self.invalid("is no repartitioning"))
    }

    /// The topology, to add nodes to.
    pub(crate) fn topology(&mut self) -> &mut TopologyBuilder {
        &mut self.builder
    }

    /// What the node's parents have become.
    pub(crate) fn parents<K: 'static, V: 'static>(&self) -> Result<Vec<NodeHandle<K, V>>> {
        let node = self.nodes.get(self.node.0);
        let mut parents: Vec<PlanId> = Vec::new();
        for parent in node.map_or(&[][..], |node| &node.parents) {
            let parent = self.stands_for(*parent);
            // A stream merged with itself is one parent, as in the JVM's graph of sets.
            if !parents.contains(&parent) {
                parents.push(parent);
            }
        }
        let handles = parents.into_iter().map(|parent| self.handle(parent));
        handles.collect()
    }

    fn handle<K: 'static, V: 'static>(&self, node: PlanId) -> Result<NodeHandle<K, V>> {
        let handle = self.handles.get(node.0).and_then(Option::as_ref);
        let handle = handle.and_then(|handle| handle.downcast_ref::<NodeHandle<K, V>>());
        handle.copied().ok_or_else(|| {
            let (key, value) = (type_name::<K>(), type_name::<V>());
            let parent = self.name_of(node);
            self.invalid(&format!(
                "takes {key} and {value}, but the topics of {parent} are also read as other types"
            ))
        })
    }

    /// Makes the node known to its children.
    pub(crate) fn set_handle<K: 'static, V: 'static>(&mut self, handle: NodeHandle<K, V>) {
        if let Some(place) = self.handles.get_mut(self.node.0) {
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
        if let Ok(handle) = self.handle::<K, V>(self.node) {
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
