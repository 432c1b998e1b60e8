//! The plan: what a program has asked for, before it is a topology.
//!
//! A plan is a list of logical nodes in the order in which the program made them. Building names
//! them ([`name`]), merges sources of the same topics and, if asked, repartition topics of the same
//! records ([`graph`], [`optimize`]), and lowers each node to the nodes of a [`Topology`]
//! ([`lower`]). The order is also the JVM's, which gives each node a build priority as it is made
//! (`InternalStreamsBuilder.buildAndOptimizeTopology`), so that sub-topology numbers and
//! `describe()` are equal.

mod graph;
mod lower;
mod name;
mod node;
mod optimize;
mod source;
mod table;

pub(crate) use lower::Lowering;
pub(crate) use name::{Namer, Names, Naming, part};
pub(crate) use node::{Node, OperatorId, PartName, PlanId, Role, SourceTopics};
pub(crate) use table::Table;

use std::collections::BTreeMap;
use std::sync::Arc;

use streams_core::config::TopologyOptimization;
use streams_core::{Error, ErrorKind, Result, Topology, TopologyBuilder};

use graph::Graph;
use name::{NodeNaming, Operator};

/// The logical nodes of a program.
#[derive(Default)]
pub(crate) struct Plan {
    operators: Vec<Operator>,
    nodes: Vec<Node>,
    next_priority: usize,
    /// The repartitionings that streams have got for their joins.
    joined_repartitions: BTreeMap<PlanId, PlanId>,
    /// What is wrong with the program, found while it was written down.
    mistakes: Vec<String>,
}

impl Plan {
    /// Adds a node. Its parents are in the plan already, so a plan has no cycles.
    pub(crate) fn add(&mut self, mut node: Node) -> PlanId {
        debug_assert!(
            node.parents
                .iter()
                .all(|parent| parent.0 < self.nodes.len())
        );
        let part = match node.naming {
            NodeNaming::Own(naming) => self.name(naming).node(),
            NodeNaming::Part(part) => part,
        };
        node.naming = NodeNaming::Part(part);
        self.nodes.push(node);
        let node = PlanId(self.nodes.len() - 1);
        self.move_back(node);
        node
    }

    /// The place that the next node will have.
    pub(crate) fn next_id(&self) -> PlanId {
        PlanId(self.nodes.len())
    }

    /// Names the parts of an operator that is more than one node. They take their numbers now, so
    /// to say; their nodes follow ([`Node::of_part`]).
    pub(crate) fn name(&mut self, naming: Naming) -> OperatorId {
        self.operators.push(Operator {
            naming,
            given_name: None,
        });
        OperatorId(self.operators.len() - 1)
    }

    /// Lets a node come after all others so far, as the JVM does with one that is used again.
    pub(crate) fn move_back(&mut self, node: PlanId) {
        if let Some(node) = self.nodes.get_mut(node.0) {
            node.priority = self.next_priority;
            self.next_priority += 1;
        }
    }

    /// Gives the operator of a node a name of the user's.
    pub(crate) fn rename(&mut self, node: PlanId, name: Arc<str>) {
        let operator = self.nodes.get(node.0).map(|node| node.part_name().operator);
        let operator = operator.and_then(|operator| self.operators.get_mut(operator.0));
        if let Some(operator) = operator {
            operator.given_name = Some(name);
        }
    }

    /// Lets the records of a node go to several children.
    pub(crate) fn allow_fan_out<K: Clone + 'static, V: Clone + 'static>(&mut self, node: PlanId) {
        if let Some(node) = self.nodes.get_mut(node.0) {
            node.fan_out = Some(fan_out::<K, V>);
        }
    }

    /// The repartitioning that a stream has got for a join; without a name of its own the next join
    /// uses it too (`KStreamImpl.repartitionForJoin`).
    pub(crate) fn joined_repartition(&self, stream: PlanId) -> Option<PlanId> {
        self.joined_repartitions.get(&stream).copied()
    }

    /// Notes that a stream has got this repartitioning for a join.
    pub(crate) fn set_joined_repartition(&mut self, stream: PlanId, repartition: PlanId) {
        self.joined_repartitions.insert(stream, repartition);
    }

    /// Notes a mistake, to be told by `build`.
    pub(crate) fn add_mistake(&mut self, mistake: String) {
        self.mistakes.push(mistake);
    }

    /// Adds a node that the description leaves out.
    ///
    /// It may change the type of the records, so that a merged repartitioning cannot stand above
    /// it: where keys have changed before it, it counts as what changes them.
    pub(crate) fn add_hidden(&mut self, node: Node) -> PlanId {
        let mut parents = node.parents.iter();
        let change = parents.find_map(|parent| self.last_change(*parent));
        let node = match change {
            Some(Role::ChangesKey) => node.with_role(Role::ChangesKey),
            _ => node,
        };
        self.add(node.hidden())
    }

    /// What the nearest node does, from this one up, that makes new keys or values.
    fn last_change(&self, node: PlanId) -> Option<Role> {
        let node = self.nodes.get(node.0)?;
        match node.role {
            change @ (Role::ChangesKey | Role::ChangesValue) => Some(change),
            _ => node
                .parents
                .iter()
                .find_map(|parent| self.last_change(*parent)),
        }
    }

    /// Makes the topology.
    ///
    /// # Errors
    /// If a name is illegal or taken, a serde is missing, or sources overlap; mistakes that do not
    /// hide each other are all told.
    pub(crate) fn build(&self, optimization: &TopologyOptimization) -> Result<Topology> {
        let mut mistakes = self.mistakes.clone();
        let names = name::names(&self.operators, &self.nodes, &mut mistakes);
        let mut graph = Graph::new(&self.nodes, &names);
        source::merge_sources(&mut graph, &mut mistakes);
        optimize::optimize(&mut graph, optimization);
        if !mistakes.is_empty() {
            let message = format!("invalid topology: {}", mistakes.join("; "));
            return Err(Error::new(ErrorKind::Topology, message));
        }
        Lowering::new(TopologyBuilder::new(), &graph, optimization).run()
    }
}

fn fan_out<K: Clone + 'static, V: Clone + 'static>(lowering: &mut Lowering<'_>) {
    lowering.allow_fan_out::<K, V>();
}
