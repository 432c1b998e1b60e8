//! Linking: a sub-topology becomes the processors of one task.

use std::any::Any;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use crate::config::TimestampExtraction;
use crate::error::{Error, ErrorKind, Result};
use crate::processor::{CopyRecord, Fanout, Lifecycle, Port, SourcePort};
use crate::store::{StoreAccess, StoreContext, TaskStores};
use crate::topology::{Node, Subtopology, Topology};

/// The processors of one task.
pub(crate) struct LinkedTask {
    /// Every processor, in topological order, with its node.
    pub(crate) processors: Vec<(usize, Rc<RefCell<dyn Lifecycle>>)>,
    /// Every source, with its node.
    pub(crate) sources: Vec<(usize, Box<dyn SourcePort>)>,
}

/// What a node's link works with: the ports of the nodes below it.
pub(crate) struct Linker<'a> {
    topology: &'a Topology,
    application_id: &'a str,
    default_timestamp: TimestampExtraction,
    stores: &'a TaskStores,
    node: usize,
    ports: Vec<Option<Box<dyn Any>>>,
    linked: LinkedTask,
}

/// Makes the processors of a sub-topology over its stores, from its sinks up.
pub(crate) fn link(
    topology: &Topology,
    part: &Subtopology,
    application_id: &str,
    default_timestamp: TimestampExtraction,
    stores: &TaskStores,
) -> Result<LinkedTask> {
    let nodes = &topology.inner.nodes;
    let mut linker = Linker {
        topology,
        application_id,
        default_timestamp,
        stores,
        node: 0,
        ports: nodes.iter().map(|_| None).collect(),
        linked: LinkedTask {
            processors: Vec::new(),
            sources: Vec::new(),
        },
    };
    // A node is added after its parents, so from the last to the first every child is there.
    for node in part.nodes.iter().rev() {
        linker.node = *node;
        if let Some(definition) = nodes.get(*node) {
            (definition.link)(&mut linker)?;
        }
    }
    linker.linked.processors.reverse();
    linker.linked.sources.reverse();
    Ok(linker.linked)
}

impl Linker<'_> {
    /// Where sources take timestamps from that do not say so themselves.
    pub(crate) fn default_timestamp(&self) -> TimestampExtraction {
        self.default_timestamp
    }

    /// The stores that the node is connected to.
    pub(crate) fn stores(&self) -> StoreAccess<'_> {
        let (connected, name) = self
            .definition()
            .map_or((&[][..], ""), |node| (node.stores(), &*node.name));
        StoreAccess::new(self.stores, connected, name)
    }

    /// Where the node's stores see the time of the record at hand; `None` if it has no stores.
    pub(crate) fn store_times(&self) -> Option<Rc<StoreContext>> {
        let has_stores = self
            .definition()
            .is_some_and(|node| !node.stores().is_empty());
        has_stores.then(|| Rc::clone(self.stores.context()))
    }

    pub(crate) fn node_index(&self) -> usize {
        self.node
    }

    pub(crate) fn name(&self) -> Rc<str> {
        self.definition()
            .map_or_else(|| Rc::from(""), |node| Rc::from(&*node.name))
    }

    /// The topic's name in the cluster.
    pub(crate) fn full_topic(&self, topic: &str) -> Arc<str> {
        self.topology.full_topic(self.application_id, topic).into()
    }

    /// The node's children: here each edge is checked, once.
    pub(crate) fn children<K: 'static, V: 'static>(&self) -> Result<Fanout<K, V>> {
        let Some(definition) = self.definition() else {
            return Ok(Fanout::new(Vec::new(), None));
        };
        let children = definition
            .children
            .iter()
            .map(|child| self.port::<K, V>(definition, *child));
        let children = children.collect::<Result<Vec<_>>>()?;
        let copy = definition
            .copy
            .as_ref()
            .and_then(|copy| copy.downcast_ref().copied());
        Ok(Fanout::new(children, copy as Option<CopyRecord<K, V>>))
    }

    fn port<K: 'static, V: 'static>(&self, parent: &Node, child: usize) -> Result<Port<K, V>> {
        let port = self.ports.get(child).and_then(Option::as_ref);
        let port = port.and_then(|port| port.downcast_ref::<Port<K, V>>());
        port.map(Rc::clone).ok_or_else(|| {
            let nodes = &self.topology.inner.nodes;
            let child = nodes.get(child).map_or("?", |child| &*child.name);
            let (key, value) = (std::any::type_name::<K>(), std::any::type_name::<V>());
            let parent = &parent.name;
            Error::new(
                ErrorKind::Topology,
                format!(
                    "node={parent} sends {key} and {value}, which its child={child} does not take"
                ),
            )
        })
    }

    fn definition(&self) -> Option<&Node> {
        self.topology.inner.nodes.get(self.node)
    }

    /// Makes the node known to its parents.
    pub(crate) fn set_port<K: 'static, V: 'static>(&mut self, port: Port<K, V>) {
        if let Some(place) = self.ports.get_mut(self.node) {
            *place = Some(Box::new(port));
        }
    }

    pub(crate) fn add_processor(&mut self, processor: Rc<RefCell<dyn Lifecycle>>) {
        self.linked.processors.push((self.node, processor));
    }

    pub(crate) fn add_source(&mut self, source: Box<dyn SourcePort>) {
        self.linked.sources.push((self.node, source));
    }
}
