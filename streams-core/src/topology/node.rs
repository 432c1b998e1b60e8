//! A node as plain data, and its link.

use std::any::Any;
use std::sync::Arc;

use regex::Regex;

use crate::error::Result;
use crate::topology::link::Linker;

/// Where a source begins that has no committed offset (`AutoOffsetReset`, KIP-1106).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AutoOffsetReset {
    /// Fail.
    None,
    /// At the earliest offset.
    Earliest,
    /// At the end.
    Latest,
    /// At the first record not older than this.
    ByDuration(std::time::Duration),
}

/// What a source reads.
#[derive(Debug, Clone)]
pub(crate) enum SourceTopics {
    Named(Vec<Arc<str>>),
    Pattern(Regex),
}

/// What a node is.
#[derive(Debug, Clone)]
pub(crate) enum NodeKind {
    Source {
        topics: SourceTopics,
        reset: Option<AutoOffsetReset>,
    },
    Processor {
        stores: Vec<Arc<str>>,
    },
    /// A sink; without a topic it chooses one for each record.
    Sink {
        topic: Option<Arc<str>>,
    },
}

/// Makes a node for one task.
pub(crate) type Link = Arc<dyn Fn(&mut Linker<'_>) -> Result<()> + Send + Sync>;

pub(crate) struct Node {
    pub(crate) name: Arc<str>,
    pub(crate) kind: NodeKind,
    pub(crate) parents: Vec<usize>,
    pub(crate) children: Vec<usize>,
    /// A `CopyRecord<K, V>` of the node's output, where records may go to several children.
    pub(crate) copy: Option<Arc<dyn Any + Send + Sync>>,
    /// Whether the node sends each record to one chosen child, so that it needs no copies.
    pub(crate) is_router: bool,
    /// Whether the description leaves the node out: the JVM does its work within another.
    pub(crate) is_hidden: bool,
    /// Whether it belongs to a global store.
    pub(crate) is_global: bool,
    pub(crate) link: Link,
}

impl Node {
    pub(crate) fn stores(&self) -> &[Arc<str>] {
        match &self.kind {
            NodeKind::Processor { stores } => stores,
            NodeKind::Source { .. } | NodeKind::Sink { .. } => &[],
        }
    }
}
