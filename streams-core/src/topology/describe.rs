//! The topology as text, equal to the JVM's (`TopologyDescription.toString`).

use std::cmp::Ordering;

use crate::topology::tree_set::TreeSet;
use crate::topology::{Node, NodeKind, SourceTopics, Subtopology, Topology};

impl Topology {
    /// The topology as text: the same text as the JVM prints for the same program.
    ///
    /// A sink that chooses its topics by itself shows `TopicNameExtractor` where the JVM shows the
    /// name of a Java class.
    pub fn describe(&self) -> String {
        let parts = self.inner.subtopologies.iter().enumerate();
        let parts = parts.map(|(number, part)| self.describe_part(number, part));
        format!(
            "Topologies:\n {}",
            parts.map(|part| format!("  {part}")).collect::<String>()
        )
    }

    fn describe_part(&self, number: usize, part: &Subtopology) -> String {
        let nodes = &self.inner.nodes;
        let relations = Relations::of(nodes, part);
        let mut ordered = visible(nodes, part);
        ordered.sort_by(|one, other| relations.compare(nodes, *one, *other));
        let mut text = match part.is_global {
            true => format!("Sub-topology: {number} for global store (will not generate tasks)\n"),
            false => format!("Sub-topology: {number}\n"),
        };
        for index in ordered {
            if let Some(node) = nodes.get(index) {
                text.push_str("    ");
                text.push_str(&describe_node(nodes, node, relations.family(index)));
                text.push('\n');
            }
        }
        if !part.is_global {
            text.push('\n');
        }
        text
    }
}

/// The nodes of a sub-topology that the JVM has too.
fn visible(nodes: &[Node], part: &Subtopology) -> Vec<usize> {
    let is_visible = |index: &usize| nodes.get(*index).is_some_and(|node| !node.is_hidden);
    part.nodes.iter().copied().filter(is_visible).collect()
}

/// The parents of a node; in place of a hidden one, its own.
fn visible_parents(nodes: &[Node], index: usize) -> Vec<usize> {
    let mut parents = Vec::new();
    for parent in nodes.get(index).map_or(&[][..], |node| &node.parents) {
        if nodes.get(*parent).is_some_and(|parent| parent.is_hidden) {
            parents.extend(visible_parents(nodes, *parent));
        } else {
            parents.push(*parent);
        }
    }
    parents
}

fn describe_node(nodes: &[Node], node: &Node, family: &Family) -> String {
    let name = &node.name;
    let children = names(nodes, &family.children.values());
    let parents = names(nodes, &family.parents.values());
    match &node.kind {
        NodeKind::Source { topics, .. } => {
            let topics = match topics {
                SourceTopics::Named(topics) => {
                    format!(
                        "[{}]",
                        java_hash_order(topics.iter().map(|topic| &**topic)).join(", ")
                    )
                }
                SourceTopics::Pattern(pattern) => pattern.as_str().to_owned(),
            };
            format!("Source: {name} (topics: {topics})\n      --> {children}")
        }
        NodeKind::Processor { stores } => {
            let stores = java_hash_order(stores.iter().map(|store| &**store)).join(", ");
            format!(
                "Processor: {name} (stores: [{stores}])\n      --> {children}\n      <-- {parents}"
            )
        }
        NodeKind::Sink { topic } => {
            let target = match topic {
                Some(topic) => format!("topic: {topic}"),
                None => "extractor class: TopicNameExtractor".to_owned(),
            };
            format!("Sink: {name} ({target})\n      <-- {parents}")
        }
    }
}

fn names(nodes: &[Node], indices: &[usize]) -> String {
    if indices.is_empty() {
        return "none".to_owned();
    }
    let names = indices
        .iter()
        .filter_map(|index| nodes.get(*index))
        .map(|node| &*node.name);
    names.collect::<Vec<_>>().join(", ")
}

#[derive(Debug, Clone, Default)]
struct Family {
    /// The node and all below it, counted once for each path.
    size: usize,
    parents: TreeSet,
    children: TreeSet,
}

/// Who is connected to whom, in the order in which the JVM prints it.
///
/// The JVM orders nodes by the size of what hangs below them, larger first, then by name. Parents
/// and children go into a sorted set while the sizes are still growing, in the iteration order of a
/// `HashMap` of names, and stay where they were put: so the same is done here
/// (`InternalTopologyBuilder.describeSubtopology`).
struct Relations {
    families: Vec<Family>,
}

impl Relations {
    fn of(nodes: &[Node], part: &Subtopology) -> Self {
        let families = vec![
            Family {
                size: 1,
                ..Family::default()
            };
            nodes.len()
        ];
        let mut relations = Self { families };
        let members = visible(nodes, part);
        let member_names = members.iter().filter_map(|index| nodes.get(*index));
        for name in java_hash_order(member_names.map(|node| &*node.name)) {
            let Some(index) = nodes.iter().position(|node| &*node.name == name) else {
                continue;
            };
            for parent in visible_parents(nodes, index) {
                relations.connect(nodes, parent, index);
            }
        }
        relations
    }

    fn connect(&mut self, nodes: &[Node], parent: usize, child: usize) {
        let compare = |one, other| self.compare(nodes, one, other);
        let mut parents = self.family(child).parents.clone();
        parents.insert(parent, compare);
        let mut children = self.family(parent).children.clone();
        children.insert(child, compare);
        let growth = self.family(child).size;
        if let Some(family) = self.families.get_mut(child) {
            family.parents = parents;
        }
        if let Some(family) = self.families.get_mut(parent) {
            family.children = children;
        }
        self.grow(parent, growth);
    }

    fn grow(&mut self, node: usize, growth: usize) {
        let parents = match self.families.get_mut(node) {
            Some(family) => {
                family.size += growth;
                family.parents.values()
            }
            None => return,
        };
        for parent in parents {
            self.grow(parent, growth);
        }
    }

    fn family(&self, node: usize) -> &Family {
        static NONE: Family = Family {
            size: 0,
            parents: TreeSet::new(),
            children: TreeSet::new(),
        };
        self.families.get(node).unwrap_or(&NONE)
    }

    fn compare(&self, nodes: &[Node], one: usize, other: usize) -> Ordering {
        let name = |index: usize| nodes.get(index).map(|node| &node.name);
        let by_size = self.family(other).size.cmp(&self.family(one).size);
        by_size.then_with(|| name(one).cmp(&name(other)))
    }
}

/// The order in which a `java.util.HashSet` of these strings is iterated.
fn java_hash_order<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut names: Vec<&str> = names.collect();
    names.dedup();
    // The table has 16 buckets and doubles when it is more than three quarters full.
    let mut buckets: u32 = 16;
    while names.len() > (buckets / 4 * 3) as usize {
        buckets *= 2;
    }
    names.sort_by_key(|name| {
        let hash = java_hash(name);
        (hash ^ (hash >> 16)) & (buckets - 1)
    });
    names
}

/// `java.lang.String.hashCode`.
fn java_hash(text: &str) -> u32 {
    text.encode_utf16().fold(0, |hash, unit| {
        hash.wrapping_mul(31).wrapping_add(u32::from(unit))
    })
}
