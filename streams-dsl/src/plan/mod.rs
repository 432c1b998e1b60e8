//! The plan: what a program has asked for, before it is a topology.
//!
//! A plan is a list of logical nodes in the order in which the program made them. Building names
//! them ([`name`]), merges sources of the same topics ([`source`]) and lowers each node to the
//! nodes of a [`Topology`] ([`lower`]). That order is also the JVM's, which gives each node a build
//! priority as it is made (`InternalStreamsBuilder.buildAndOptimizeTopology`), so that sub-topology
//! numbers and `describe()` are equal.

mod lower;
mod name;
mod node;
mod source;

pub(crate) use lower::Lowering;
pub(crate) use node::{Naming, Node, PlanId, SourceTopics};

use std::sync::Arc;

use streams_core::{Error, ErrorKind, Result, Topology, TopologyBuilder};

/// The logical nodes of a program.
#[derive(Default)]
pub(crate) struct Plan {
    nodes: Vec<Node>,
    /// What is wrong with the program, found while it was written down.
    mistakes: Vec<String>,
}

impl Plan {
    /// Adds a node. Its parents are in the plan already, so a plan has no cycles.
    pub(crate) fn add(&mut self, node: Node) -> PlanId {
        debug_assert!(
            node.parents
                .iter()
                .all(|parent| parent.0 < self.nodes.len())
        );
        self.nodes.push(node);
        PlanId(self.nodes.len() - 1)
    }

    /// Gives a node a name of the user's.
    pub(crate) fn rename(&mut self, node: PlanId, name: Arc<str>) {
        if let Some(node) = self.nodes.get_mut(node.0) {
            node.given_name = Some(name);
        }
    }

    /// Lets the records of a node go to several children.
    pub(crate) fn allow_fan_out<K: Clone + 'static, V: Clone + 'static>(&mut self, node: PlanId) {
        if let Some(node) = self.nodes.get_mut(node.0) {
            node.fan_out = Some(fan_out::<K, V>);
        }
    }

    /// Notes a mistake, to be told by `build`.
    pub(crate) fn add_mistake(&mut self, mistake: String) {
        self.mistakes.push(mistake);
    }

    /// Makes the topology.
    ///
    /// # Errors
    /// If a name is illegal or taken, a serde is missing, or sources overlap; mistakes that do not
    /// hide each other are all told.
    pub(crate) fn build(&self) -> Result<Topology> {
        let mut mistakes = self.mistakes.clone();
        let names = name::names(&self.nodes, &mut mistakes);
        let sources = source::merged_sources(&self.nodes, &names, &mut mistakes);
        if !mistakes.is_empty() {
            let message = format!("invalid topology: {}", mistakes.join("; "));
            return Err(Error::new(ErrorKind::Topology, message));
        }
        Lowering::new(TopologyBuilder::new(), &self.nodes, &names, &sources).run()
    }
}

fn fan_out<K: Clone + 'static, V: Clone + 'static>(lowering: &mut Lowering<'_>) {
    lowering.allow_fan_out::<K, V>();
}
