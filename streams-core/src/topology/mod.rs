//! The topology: a graph of named nodes, immutable once it is built.
//!
//! [`TopologyBuilder`] makes it (the Processor API; the DSL uses it too). Every node carries a
//! *link*, a closure that knows its types and, for each task, fetches its children's typed ports
//! and makes its own: types are erased here, and found again once per edge and task.

mod builder;
mod describe;
mod global;
#[cfg(test)]
mod global_test;
mod link;
mod mermaid;
mod node;
mod subtopology;
mod topic_group;
#[cfg(test)]
mod topic_group_test;
mod tree_set;

use std::collections::BTreeSet;
use std::sync::Arc;

use regex::Regex;

use crate::store::StoreBuilder;

pub use builder::{NodeHandle, Sink, Source, TopologyBuilder};
pub use node::AutoOffsetReset;
pub use topic_group::{SubtopologyTopics, TopicDefinition};

pub(crate) use link::{LinkedTask, link};
pub(crate) use node::{Node, NodeKind, SourceTopics};
pub(crate) use subtopology::Subtopology;

/// A graph of sources, processors and sinks, ready to run.
///
/// Cheap to clone; shared by all threads.
#[derive(Clone)]
pub struct Topology {
    pub(crate) inner: Arc<TopologyInner>,
}

pub(crate) struct TopologyInner {
    pub(crate) nodes: Vec<Node>,
    pub(crate) subtopologies: Vec<Subtopology>,
    pub(crate) internal_topics: Vec<InternalTopic>,
    pub(crate) stores: Vec<StoreBuilder>,
    pub(crate) copartitioned_sources: Vec<Vec<Arc<str>>>,
}

/// A topic that the topology owns: made at start, named `<application.id>-<name>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InternalTopic {
    /// The name without the application id, with its suffix: `by-user-repartition`.
    pub name: Arc<str>,
    /// The number of partitions; `None` takes the largest of the topics that feed it.
    pub partitions: Option<i32>,
}

impl InternalTopic {
    /// The topic's name in the cluster.
    pub fn full_name(&self, application_id: &str) -> String {
        format!("{application_id}-{}", self.name)
    }
}

impl std::fmt::Debug for Topology {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.describe())
    }
}

impl Topology {
    /// Whether there is nothing to run.
    pub fn is_empty(&self) -> bool {
        self.inner.nodes.is_empty()
    }

    /// The topics that the topology owns.
    pub fn internal_topics(&self) -> &[InternalTopic] {
        &self.inner.internal_topics
    }

    /// The topics that its tasks read, by name, internal ones with their full names.
    pub fn source_topics(&self, application_id: &str) -> BTreeSet<String> {
        self.topics_read(application_id, false)
    }

    /// The topics that global stores are filled from.
    pub fn global_topics(&self, application_id: &str) -> BTreeSet<String> {
        self.topics_read(application_id, true)
    }

    fn topics_read(&self, application_id: &str, is_global: bool) -> BTreeSet<String> {
        let mut topics = BTreeSet::new();
        let nodes = self.inner.nodes.iter();
        for node in nodes.filter(|node| node.is_global == is_global) {
            if let NodeKind::Source {
                topics: SourceTopics::Named(names),
                ..
            } = &node.kind
            {
                topics.extend(
                    names
                        .iter()
                        .map(|name| self.full_topic(application_id, name)),
                );
            }
        }
        topics
    }

    /// The patterns of topics that it reads.
    pub fn source_patterns(&self) -> Vec<&Regex> {
        let nodes = self.inner.nodes.iter();
        nodes
            .filter_map(|node| match &node.kind {
                NodeKind::Source {
                    topics: SourceTopics::Pattern(pattern),
                    ..
                } => Some(pattern),
                _ => None,
            })
            .collect()
    }

    /// Those of `topics` that a sub-topology reads by pattern.
    pub(crate) fn topics_of_patterns<'t>(
        &'t self,
        part: usize,
        topics: impl Iterator<Item = &'t str> + 't,
    ) -> impl Iterator<Item = &'t str> + 't {
        let part = self.subtopology(part);
        let nodes = part.into_iter().flat_map(|part| &part.nodes);
        let nodes = nodes.filter_map(|node| self.inner.nodes.get(*node));
        let patterns: Vec<&Regex> = nodes
            .filter_map(|node| match &node.kind {
                NodeKind::Source {
                    topics: SourceTopics::Pattern(pattern),
                    ..
                } => Some(pattern),
                _ => None,
            })
            .collect();
        topics.filter(move |topic| patterns.iter().any(|pattern| matches_whole(pattern, topic)))
    }

    /// Its stores, global ones included.
    pub(crate) fn stores(&self) -> Vec<&StoreBuilder> {
        self.inner.stores.iter().collect()
    }

    /// The names of its stores.
    pub(crate) fn store_names(&self) -> impl Iterator<Item = &str> {
        self.inner.stores.iter().map(|store| &**store.name())
    }

    /// The topic's name in the cluster: internal topics get the application id as prefix.
    pub(crate) fn full_topic(&self, application_id: &str, topic: &str) -> String {
        let internal = self
            .inner
            .internal_topics
            .iter()
            .find(|internal| &*internal.name == topic);
        internal.map_or_else(
            || topic.to_owned(),
            |internal| internal.full_name(application_id),
        )
    }

    /// Whether this topic of the cluster is one of the topology's own.
    pub(crate) fn is_internal(&self, application_id: &str, topic: &str) -> bool {
        let internal = &self.inner.internal_topics;
        internal
            .iter()
            .any(|internal| internal.full_name(application_id) == topic)
    }

    /// Where the source of this topic of the cluster begins, if it says so.
    pub(crate) fn offset_reset(
        &self,
        application_id: &str,
        topic: &str,
    ) -> Option<AutoOffsetReset> {
        let (node, _) = self.source_of(application_id, topic)?;
        match &self.inner.nodes.get(node)?.kind {
            NodeKind::Source { reset, .. } => *reset,
            NodeKind::Processor { .. } | NodeKind::Sink { .. } => None,
        }
    }

    /// The sub-topology of this number.
    pub(crate) fn subtopology(&self, number: usize) -> Option<&Subtopology> {
        self.inner.subtopologies.get(number)
    }

    /// The stores that the processors of a sub-topology use, in the order of their first use.
    pub(crate) fn stores_of(&self, part: &Subtopology) -> Vec<&StoreBuilder> {
        let mut found: Vec<&StoreBuilder> = Vec::new();
        let nodes = part
            .nodes
            .iter()
            .filter_map(|node| self.inner.nodes.get(*node));
        for name in nodes.flat_map(Node::stores) {
            let is_known = found.iter().any(|store| store.name() == name);
            let store = self.inner.stores.iter().find(|store| store.name() == name);
            found.extend(store.filter(|_| !is_known));
        }
        found
    }

    /// Whether there is a store of this name.
    pub(crate) fn has_store(&self, name: &str) -> bool {
        let stores = &self.inner.stores;
        stores.iter().any(|store| &**store.name() == name)
    }

    /// The topics of the cluster that the sub-topology of a store reads by name: the store has a
    /// part for each of their partitions. `None` if there is no such store.
    pub(crate) fn topics_of_store(&self, application_id: &str, store: &str) -> Option<Vec<String>> {
        let nodes = &self.inner.nodes;
        let uses = |node: &Node| node.stores().iter().any(|used| &**used == store);
        let user = nodes.iter().position(uses)?;
        let mut parts = self.inner.subtopologies.iter();
        let part = parts.find(|part| part.contains(user))?;
        let mut topics = Vec::new();
        for node in part.nodes.iter().filter_map(|node| nodes.get(*node)) {
            if let NodeKind::Source {
                topics: SourceTopics::Named(names),
                ..
            } = &node.kind
            {
                let names = names.iter();
                topics.extend(names.map(|name| self.full_topic(application_id, name)));
            }
        }
        Some(topics)
    }

    /// All sub-topologies that make tasks as one, as the test driver runs them.
    pub(crate) fn whole(&self) -> Subtopology {
        let nodes = self.inner.nodes.iter().enumerate();
        let nodes = nodes.filter(|(_, node)| !node.is_global);
        Subtopology {
            nodes: nodes.map(|(index, _)| index).collect(),
            is_global: false,
        }
    }

    /// The source node that reads this topic of the cluster, and its sub-topology.
    pub(crate) fn source_of(&self, application_id: &str, topic: &str) -> Option<(usize, usize)> {
        let reads = |node: &Node| match &node.kind {
            NodeKind::Source {
                topics: SourceTopics::Named(names),
                ..
            } => names
                .iter()
                .any(|name| self.full_topic(application_id, name) == topic),
            _ => false,
        };
        let matches = |node: &Node| match &node.kind {
            NodeKind::Source {
                topics: SourceTopics::Pattern(pattern),
                ..
            } => matches_whole(pattern, topic),
            _ => false,
        };
        let nodes = &self.inner.nodes;
        let node = nodes
            .iter()
            .position(reads)
            .or_else(|| nodes.iter().position(matches))?;
        let subtopology = self
            .inner
            .subtopologies
            .iter()
            .position(|part| part.contains(node))?;
        Some((node, subtopology))
    }
}

/// Whether a pattern matches a whole topic name, as `java.util.regex.Matcher.matches` does.
pub(crate) fn matches_whole(pattern: &Regex, topic: &str) -> bool {
    pattern
        .find_iter(topic)
        .any(|found| found.start() == 0 && found.end() == topic.len())
        || Regex::new(&format!("^(?:{})$", pattern.as_str()))
            .is_ok_and(|whole| whole.is_match(topic))
}
