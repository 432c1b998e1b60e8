//! Rewrites of the plan that `topology.optimization` asks for
//! (`InternalStreamsBuilder.optimizeTopology`).
//!
//! That a table's topic serves as its changelog is decided where the table is lowered
//! ([`Lowering::reuses_source_topics`]).
//!
//! [`Lowering::reuses_source_topics`]: crate::plan::Lowering::reuses_source_topics

use std::sync::Arc;

use streams_core::config::{Optimization, TopologyOptimization};

use crate::plan::graph::Graph;
use crate::plan::name::{RepartitionNames, part};
use crate::plan::node::Role;

/// A node that makes new keys, and the repartitionings of the records that it sends.
struct KeyChange {
    vertex: usize,
    repartitions: Vec<usize>,
}

/// Takes the ways that are asked for.
pub(super) fn optimize(graph: &mut Graph<'_>, optimization: &TopologyOptimization) {
    if optimization.contains(Optimization::MergeRepartitionTopics) {
        for change in below_merges(graph, key_changes(graph)) {
            merge_repartitions(graph, &change);
        }
    }
}

/// Which repartitionings each change of the key leads to, as far as no value is changed between
/// (`maybeAddNodeForOptimizationMetadata`).
fn key_changes(graph: &Graph<'_>) -> Vec<KeyChange> {
    let mut changes: Vec<KeyChange> = Vec::new();
    for vertex in graph.vertices() {
        match graph.role(vertex) {
            Role::ChangesKey => changes.push(KeyChange {
                vertex,
                repartitions: Vec::new(),
            }),
            Role::Repartitions { .. } => {
                let is_change =
                    |it| matches!(graph.role(it), Role::ChangesKey | Role::ChangesValue);
                let changer = find_upwards(graph, vertex, &is_change);
                let change = changes
                    .iter_mut()
                    .find(|change| Some(change.vertex) == changer);
                if let Some(change) = change {
                    change.repartitions.push(vertex);
                }
            }
            Role::ChangesValue | Role::Merges | Role::Other => {}
        }
    }
    changes
}

/// Where streams with new keys are merged and then repartitioned, the merge counts as the change
/// (`maybeUpdateKeyChangingRepartitionNodeMap`).
fn below_merges(graph: &Graph<'_>, mut changes: Vec<KeyChange>) -> Vec<KeyChange> {
    let mut merges = Vec::new();
    for merge in graph.vertices() {
        if graph.role(merge) != Role::Merges {
            continue;
        }
        let goes_through = |change: &&KeyChange| {
            let mut repartitions = change.repartitions.iter();
            repartitions.all(|it| child_on_the_way(graph, *it, merge).is_some())
                && child_on_the_way(graph, merge, change.vertex).is_some()
        };
        let through: Vec<&KeyChange> = changes.iter().filter(goes_through).collect();
        let repartitions = through.iter().flat_map(|change| &change.repartitions);
        let merged = KeyChange {
            vertex: merge,
            repartitions: repartitions.copied().collect(),
        };
        let changers: Vec<usize> = through.iter().map(|change| change.vertex).collect();
        merges.push((merged, changers));
    }
    for (_, changers) in &merges {
        changes.retain(|change| !changers.contains(&change.vertex));
    }
    changes.extend(merges.into_iter().map(|(merged, _)| merged));
    changes
}

/// Puts one repartitioning right below the change of the key, in place of those that come after
/// it. Its topic is the first one's (`mergeRepartitionTopics`).
fn merge_repartitions(graph: &mut Graph<'_>, change: &KeyChange) {
    let Some(first) = change.repartitions.first().copied() else {
        return;
    };
    let Some(topic) = graph.part(first, part::TOPIC).map(Arc::clone) else {
        return;
    };
    let knows_serdes =
        |it: &&usize| matches!(graph.role(**it), Role::Repartitions { has_serdes: true });
    let model = change.repartitions.iter().find(knows_serdes).copied();
    let names = RepartitionNames::merged(&topic);
    let merged = graph.add_merged(model.unwrap_or(first), change.vertex, names);
    for repartition in &change.repartitions {
        // Several repartitionings may be below one child.
        if let Some(child) = child_on_the_way(graph, *repartition, change.vertex) {
            graph.replace_parent(child, change.vertex, &[merged]);
        }
        graph.remove(*repartition);
    }
}

/// The child of `ancestor` by which `vertex` is below it; that may be `vertex` itself.
fn child_on_the_way(graph: &Graph<'_>, vertex: usize, ancestor: usize) -> Option<usize> {
    find_upwards(graph, vertex, &|it| graph.parents(it).contains(&ancestor))
}

/// The nearest vertex of this kind, from this one up (`findParentNodeMatching`).
fn find_upwards(
    graph: &Graph<'_>,
    vertex: usize,
    is_wanted: &impl Fn(usize) -> bool,
) -> Option<usize> {
    if is_wanted(vertex) {
        return Some(vertex);
    }
    let parents = graph.parents(vertex);
    parents
        .iter()
        .find_map(|parent| find_upwards(graph, *parent, is_wanted))
}
