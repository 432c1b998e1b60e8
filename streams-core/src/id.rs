//! Identities of the parts of a running topology.

use std::fmt;

/// A node's place in its topology, in the order in which nodes were added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub(crate) usize);

/// A task: one sub-topology on one partition. Prints as in Kafka Streams: `0_3`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId {
    /// The number of the sub-topology, as `Topology::describe` shows it.
    pub subtopology: usize,
    /// The partition.
    pub partition: i32,
}

impl TaskId {
    /// What fills the global stores of an instance; prints as `global`.
    pub const GLOBAL: Self = Self {
        subtopology: usize::MAX,
        partition: -1,
    };
}

impl fmt::Display for TaskId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::GLOBAL {
            return formatter.write_str("global");
        }
        write!(formatter, "{}_{}", self.subtopology, self.partition)
    }
}

/// A partition of a topic.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicPartition {
    /// The topic.
    pub topic: std::sync::Arc<str>,
    /// The partition.
    pub partition: i32,
}

impl fmt::Display for TopicPartition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}-{}", self.topic, self.partition)
    }
}
