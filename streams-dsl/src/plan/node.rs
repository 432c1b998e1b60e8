//! A logical node as data.

use std::sync::Arc;

use streams_core::Result;
use streams_core::topology::AutoOffsetReset;

use crate::plan::name::{Naming, NodeNaming};
use crate::plan::table::Table;
use crate::plan::{Lowering, part};

/// A node's place in the plan, in the order of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PlanId(pub(super) usize);

impl PlanId {
    /// The place of the node behind this one.
    pub(crate) fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// What a source reads, as far as merging sources needs it.
#[derive(Debug, Clone)]
pub(crate) enum SourceTopics {
    /// These topics.
    Named(Vec<Arc<str>>, Option<AutoOffsetReset>),
    /// Topics that match.
    Pattern(Arc<str>, Option<AutoOffsetReset>),
}

/// What the optimisation of repartition topics needs to know of a node
/// (`GraphNode.isKeyChangingOperation` and its like).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Role {
    /// It changes neither keys nor values, or the JVM does not say that it does.
    #[default]
    Other,
    /// It may make new keys.
    ChangesKey,
    /// It may make new values, and keeps the keys.
    ChangesValue,
    /// It brings streams together.
    Merges,
    /// It is a repartitioning that may be merged with others of the same records; whether it knows
    /// both serdes.
    Repartitions {
        /// Whether it has a serde for the key and one for the value.
        has_serdes: bool,
    },
}

/// Adds a logical node's nodes to the topology.
pub(crate) type Lower = Box<dyn Fn(&mut Lowering<'_>) -> Result<()> + Send + Sync>;

/// A logical node.
pub(crate) struct Node {
    pub(super) naming: NodeNaming,
    pub(crate) parents: Vec<PlanId>,
    /// When its turn comes among the nodes whose parents are there (`GraphNode.buildPriority`).
    pub(super) priority: usize,
    /// What it reads, if it is a source that may be merged with others.
    pub(crate) source: Option<SourceTopics>,
    /// Lets its records go to several children; known once a stream of it has been cloned.
    pub(super) fan_out: Option<fn(&mut Lowering<'_>)>,
    pub(super) role: Role,
    /// Whether it is left out of the description.
    pub(super) is_hidden: bool,
    /// Whether what it sends is versioned; `None` if that is as with its parents.
    pub(super) output_versioned: Option<bool>,
    /// What is known of the table whose changes it sends, if it does.
    pub(super) table: Option<Table>,
    /// The part that reads a topic, if there is one within the node: then its records come from
    /// there, and from the first of its parents.
    pub(super) own_source: Option<&'static str>,
    /// How long its windows take records after their end, if it has any, in milliseconds
    /// (`GracePeriodGraphNode`).
    pub(super) grace_ms: Option<i64>,
    pub(super) lower: Lower,
}

impl Node {
    /// A node without a name of the user's.
    pub(crate) fn new(
        naming: Naming,
        parents: Vec<PlanId>,
        lower: impl Fn(&mut Lowering<'_>) -> Result<()> + Send + Sync + 'static,
    ) -> Self {
        Self::with_naming(NodeNaming::Own(naming), parents, lower)
    }

    /// A node that is one of the parts of a named operator ([`Plan::name`]).
    ///
    /// [`Plan::name`]: crate::plan::Plan::name
    pub(crate) fn of_part(
        name: PartName,
        parents: Vec<PlanId>,
        lower: impl Fn(&mut Lowering<'_>) -> Result<()> + Send + Sync + 'static,
    ) -> Self {
        Self::with_naming(NodeNaming::Part(name), parents, lower)
    }

    fn with_naming(
        naming: NodeNaming,
        parents: Vec<PlanId>,
        lower: impl Fn(&mut Lowering<'_>) -> Result<()> + Send + Sync + 'static,
    ) -> Self {
        Self {
            naming,
            parents,
            priority: 0,
            source: None,
            fan_out: None,
            role: Role::Other,
            is_hidden: false,
            output_versioned: None,
            table: None,
            own_source: None,
            grace_ms: None,
            lower: Box::new(lower),
        }
    }

    /// Whether what it sends has just been read from a topic.
    pub(super) fn reads_topic(&self) -> bool {
        self.parents.is_empty() || self.part_name().part == part::SOURCE
    }

    /// Says what the node does to keys and values.
    pub(crate) fn with_role(mut self, role: Role) -> Self {
        self.role = role;
        self
    }

    /// Says that this part of the node reads a topic that belongs with those of its first parent.
    pub(crate) fn with_own_source(mut self, part: &'static str) -> Self {
        self.own_source = Some(part);
        self
    }

    /// Leaves the node out of the description.
    pub(crate) fn hidden(mut self) -> Self {
        self.is_hidden = true;
        self
    }

    /// Says what is known of the table whose changes the node sends.
    pub(crate) fn with_table(mut self, table: Table) -> Self {
        self.table = Some(table);
        self
    }

    /// Says how long the node's windows take records after their end, in milliseconds.
    pub(crate) fn with_grace_ms(mut self, grace_ms: i64) -> Self {
        self.grace_ms = Some(grace_ms);
        self
    }

    /// Says whether what the node sends is versioned.
    pub(crate) fn with_output_versioned(mut self, is_versioned: bool) -> Self {
        self.output_versioned = Some(is_versioned);
        self
    }
}

/// An operator whose parts have names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OperatorId(pub(super) usize);

impl OperatorId {
    /// The part of this kind.
    pub(crate) fn part(self, part: &'static str) -> PartName {
        self.part_at(part, 0)
    }

    /// One of several parts of this kind.
    pub(crate) fn part_at(self, part: &'static str, index: usize) -> PartName {
        PartName {
            operator: self,
            part,
            index,
        }
    }

    /// The operator's main node.
    pub(crate) fn node(self) -> PartName {
        self.part(part::NODE)
    }
}

/// Where the name of a part is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PartName {
    pub(super) operator: OperatorId,
    pub(super) part: &'static str,
    pub(super) index: usize,
}
