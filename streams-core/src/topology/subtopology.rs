//! Sub-topologies: the connected parts of a topology.

use crate::topology::Node;

/// The nodes that run together, one task for each partition of their topics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Subtopology {
    /// Its nodes, in the order in which they were added: parents first.
    pub(crate) nodes: Vec<usize>,
    /// Whether it fills a global store: it makes no tasks, and its number is taken all the same.
    pub(crate) is_global: bool,
}

impl Subtopology {
    pub(crate) fn contains(&self, node: usize) -> bool {
        self.nodes.binary_search(&node).is_ok()
    }
}

/// Groups nodes that are connected by edges or share a store; the groups are numbered by their
/// first node (`InternalTopologyBuilder.makeNodeGroups`).
pub(crate) fn subtopologies(nodes: &[Node]) -> Vec<Subtopology> {
    let mut root: Vec<usize> = (0..nodes.len()).collect();
    for (index, node) in nodes.iter().enumerate() {
        for parent in &node.parents {
            unite(&mut root, index, *parent);
        }
    }
    for (index, node) in nodes.iter().enumerate() {
        let shares = |other: &Node| {
            node.stores()
                .iter()
                .any(|store| other.stores().contains(store))
        };
        if let Some(other) = nodes.iter().take(index).position(shares) {
            unite(&mut root, index, other);
        }
    }
    let mut groups: Vec<(usize, Vec<usize>)> = Vec::new();
    for index in 0..nodes.len() {
        let top = find(&root, index);
        match groups.iter_mut().find(|(known, _)| *known == top) {
            Some((_, members)) => members.push(index),
            None => groups.push((top, vec![index])),
        }
    }
    let is_global = |members: &[usize]| {
        let mut members = members.iter().filter_map(|member| nodes.get(*member));
        members.any(|node| node.is_global)
    };
    groups
        .into_iter()
        .map(|(_, nodes)| Subtopology {
            is_global: is_global(&nodes),
            nodes,
        })
        .collect()
}

fn find(root: &[usize], node: usize) -> usize {
    let mut node = node;
    while let Some(up) = root.get(node).copied()
        && up != node
    {
        node = up;
    }
    node
}

fn unite(root: &mut [usize], one: usize, other: usize) {
    let (one, other) = (find(root, one), find(root, other));
    if let Some(place) = root.get_mut(one.max(other)) {
        *place = one.min(other);
    }
}
