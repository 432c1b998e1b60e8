//! A logical node as data.

use std::sync::Arc;

use streams_core::Result;
use streams_core::topology::AutoOffsetReset;

use crate::plan::Lowering;

/// A node's place in the plan, in the order of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PlanId(pub(super) usize);

/// How a node is named if the user does not name it, and which numbers of the builder's one counter
/// it takes. A number is in most cases taken even if the user's name makes it useless, so that
/// naming one node does not rename others (`NamedInternal.orElseGenerateWithPrefix`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Naming {
    /// The prefix and a number.
    Numbered(&'static str),
    /// The prefix and a number; a named node takes none (`KStream.process`).
    NumberedUnlessNamed(&'static str),
    /// A branch: the name of its splitter and its own; takes a number all the same
    /// (`BranchedKStreamImpl.createBranch`).
    Branch(PlanId, Arc<str>),
    /// A node that the JVM has not: the name of another and a suffix. Takes no number, so that the
    /// nodes after it keep the names that they have on the JVM.
    Derived(PlanId, &'static str),
    /// A repartition topic with its sink, filter and source (`createRepartitionedSource`).
    Repartition,
}

/// What a source reads, as far as merging sources needs it.
#[derive(Debug, Clone)]
pub(crate) enum SourceTopics {
    /// These topics.
    Named(Vec<Arc<str>>, Option<AutoOffsetReset>),
    /// Topics that match.
    Pattern(Arc<str>, Option<AutoOffsetReset>),
}

/// Adds a logical node's nodes to the topology.
pub(crate) type Lower = Box<dyn Fn(&mut Lowering<'_>) -> Result<()> + Send + Sync>;

/// A logical node.
pub(crate) struct Node {
    pub(crate) naming: Naming,
    pub(crate) given_name: Option<Arc<str>>,
    pub(crate) parents: Vec<PlanId>,
    /// What it reads, if it is a source.
    pub(crate) source: Option<SourceTopics>,
    /// Lets its records go to several children; known once a stream of it has been cloned.
    pub(crate) fan_out: Option<fn(&mut Lowering<'_>)>,
    pub(crate) lower: Lower,
}

impl Node {
    /// A node without a name of the user's.
    pub(crate) fn new(
        naming: Naming,
        parents: Vec<PlanId>,
        lower: impl Fn(&mut Lowering<'_>) -> Result<()> + Send + Sync + 'static,
    ) -> Self {
        Self {
            naming,
            given_name: None,
            parents,
            source: None,
            fan_out: None,
            lower: Box::new(lower),
        }
    }
}
