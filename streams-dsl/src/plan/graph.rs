//! The plan's nodes as a graph that can be rewritten, without a change to the plan.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};
use std::sync::Arc;

use crate::plan::name::{Names, RepartitionNames, find, part};
use crate::plan::node::{Node, Role};

/// The nodes of a plan and the edges between them.
///
/// A vertex has the place of its node in the plan; those that rewriting adds come after them.
pub(super) struct Graph<'a> {
    nodes: &'a [Node],
    names: &'a [Names],
    vertices: Vec<Vertex>,
}

/// A node as it stands in the graph.
pub(super) struct Vertex {
    /// The node's place in the plan.
    definition: usize,
    priority: usize,
    pub(super) parents: Vec<usize>,
    is_removed: bool,
    /// The nodes that it stands for besides its own: sources of the same topics.
    same: Vec<usize>,
    /// The names of its parts, if it takes the place of several repartitionings.
    names: Option<RepartitionNames>,
}

/// A stream merged with itself is one parent, as in the JVM's graph of sets.
fn distinct(parents: impl Iterator<Item = usize>) -> Vec<usize> {
    let mut known = Vec::new();
    for parent in parents {
        if !known.contains(&parent) {
            known.push(parent);
        }
    }
    known
}

impl<'a> Graph<'a> {
    pub(super) fn new(nodes: &'a [Node], names: &'a [Names]) -> Self {
        let vertices = nodes.iter().enumerate().map(|(definition, node)| Vertex {
            definition,
            priority: node.priority,
            parents: distinct(node.parents.iter().map(|parent| parent.0)),
            is_removed: false,
            same: Vec::new(),
            names: None,
        });
        Self {
            nodes,
            names,
            vertices: vertices.collect(),
        }
    }

    /// The vertices that are left, by the priority of their nodes.
    pub(super) fn vertices(&self) -> Vec<usize> {
        let mut left: Vec<usize> = (0..self.vertices.len()).collect();
        left.retain(|vertex| self.vertex(*vertex).is_some_and(|it| !it.is_removed));
        left.sort_by_key(|vertex| self.vertex(*vertex).map(|it| it.priority));
        left
    }

    pub(super) fn vertex(&self, vertex: usize) -> Option<&Vertex> {
        self.vertices.get(vertex)
    }

    pub(super) fn len(&self) -> usize {
        self.vertices.len()
    }

    /// The node that a vertex has in the plan.
    pub(super) fn definition(&self, vertex: usize) -> Option<&'a Node> {
        self.nodes.get(self.vertex(vertex)?.definition)
    }

    /// The nodes of the plan that a vertex stands for.
    pub(super) fn definitions(&self, vertex: usize) -> impl Iterator<Item = &'a Node> {
        let vertex = self.vertex(vertex);
        let same = vertex.map_or(&[][..], |it| &it.same);
        let all = vertex
            .map(|it| it.definition)
            .into_iter()
            .chain(same.iter().copied());
        all.filter_map(|definition| self.nodes.get(definition))
    }

    pub(super) fn role(&self, vertex: usize) -> Role {
        self.definition(vertex)
            .map_or(Role::Other, |node| node.role)
    }

    pub(super) fn parents(&self, vertex: usize) -> &[usize] {
        self.vertex(vertex).map_or(&[], |it| &it.parents)
    }

    pub(super) fn children(&self, vertex: usize) -> Vec<usize> {
        let all = self.vertices.iter().enumerate();
        let children = all.filter(|(_, it)| !it.is_removed && it.parents.contains(&vertex));
        children.map(|(child, _)| child).collect()
    }

    /// The name of a vertex's part: that of its own index if the operator has several, else the
    /// operator's only one.
    pub(super) fn part(&self, vertex: usize, kind: &'static str) -> Option<&Arc<str>> {
        let it = self.vertex(vertex)?;
        if let Some(names) = &it.names {
            match kind {
                part::TOPIC => return Some(&names.topic),
                part::FILTER => return Some(&names.filter),
                part::SINK => return Some(&names.sink),
                part::SOURCE => return Some(&names.source),
                _ => {}
            }
        }
        let own = self.nodes.get(it.definition)?.part_name();
        let wanted = own.operator.part_at(kind, own.index);
        let only = own.operator.part(kind);
        find(self.names, wanted).or_else(|| find(self.names, only))
    }

    /// The name by which a vertex's children know it.
    pub(super) fn name(&self, vertex: usize) -> &str {
        let definition = self.definition(vertex);
        let name = definition.and_then(|node| self.part(vertex, node.part_name().part));
        name.map_or("", |name| name)
    }

    /// Adds a vertex that takes the place of several repartitionings, the first of which is the
    /// model, below `parent` and right after it.
    pub(super) fn add_merged(
        &mut self,
        model: usize,
        parent: usize,
        names: RepartitionNames,
    ) -> usize {
        let priority = self.vertex(parent).map_or(0, |it| it.priority);
        let definition = self.vertex(model).map_or(model, |it| it.definition);
        self.vertices.push(Vertex {
            definition,
            priority,
            parents: vec![parent],
            is_removed: false,
            same: Vec::new(),
            names: Some(names),
        });
        self.vertices.len() - 1
    }

    /// Hangs a vertex below others in place of one of its parents.
    pub(super) fn replace_parent(&mut self, vertex: usize, parent: usize, by: &[usize]) {
        let Some(it) = self.vertices.get_mut(vertex) else {
            return;
        };
        let replaced = it.parents.iter().flat_map(|known| {
            if *known == parent {
                by
            } else {
                std::slice::from_ref(known)
            }
        });
        it.parents = distinct(replaced.copied());
    }

    /// Takes a vertex out; its children become those of its parents.
    pub(super) fn remove(&mut self, vertex: usize) {
        let parents = self.parents(vertex).to_vec();
        for child in self.children(vertex) {
            self.replace_parent(child, vertex, &parents);
        }
        if let Some(it) = self.vertices.get_mut(vertex) {
            it.is_removed = true;
        }
    }

    /// Lets one source stand for another.
    pub(super) fn merge(&mut self, into: usize, vertex: usize) {
        for child in self.children(vertex) {
            self.replace_parent(child, vertex, &[into]);
        }
        let mut merged = Vec::new();
        if let Some(it) = self.vertices.get_mut(vertex) {
            it.is_removed = true;
            merged.push(it.definition);
            merged.append(&mut it.same);
        }
        if let Some(into) = self.vertices.get_mut(into) {
            into.same.extend(merged);
        }
    }

    /// The vertices in the order in which they are lowered: of those whose parents have been, the
    /// one of the lowest priority is next.
    pub(super) fn order(&self) -> Vec<usize> {
        let mut done: BTreeSet<usize> = BTreeSet::new();
        let mut order = Vec::with_capacity(self.vertices.len());
        let mut ready = BinaryHeap::new();
        let offer = |vertex: usize, ready: &mut BinaryHeap<_>| {
            if let Some(it) = self.vertex(vertex) {
                ready.push(Reverse((it.priority, vertex)));
            }
        };
        for vertex in self.vertices() {
            if self.parents(vertex).is_empty() {
                offer(vertex, &mut ready);
            }
        }
        while let Some(Reverse((_, vertex))) = ready.pop() {
            let is_next = self
                .parents(vertex)
                .iter()
                .all(|parent| done.contains(parent));
            if !is_next || !done.insert(vertex) {
                continue;
            }
            order.push(vertex);
            for child in self.children(vertex) {
                offer(child, &mut ready);
            }
        }
        order
    }
}
