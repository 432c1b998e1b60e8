//! Sources of the same topics become one, since a topic has one source in a topology
//! (`InternalStreamsBuilder.mergeDuplicateSourceNodes`).

use std::collections::BTreeSet;

use crate::plan::graph::Graph;
use crate::plan::node::SourceTopics;

/// Lets the first source of the same topics stand for the others.
pub(super) fn merge_sources(graph: &mut Graph<'_>, mistakes: &mut Vec<String>) {
    let mut firsts: Vec<(usize, &SourceTopics)> = Vec::new();
    for vertex in graph.vertices() {
        let topics = graph
            .definition(vertex)
            .and_then(|node| node.source.as_ref());
        let Some(topics) = topics else { continue };
        let earlier = firsts.iter().find(|(_, earlier)| overlap(earlier, topics));
        let Some((first, first_topics)) = earlier.copied() else {
            firsts.push((vertex, topics));
            continue;
        };
        if let Some(mistake) = difference(first_topics, topics) {
            let (first, second) = (graph.name(first), graph.name(vertex));
            mistakes.push(format!("sources {first} and {second} {mistake}"));
        }
        graph.merge(first, vertex);
    }
}

fn overlap(first: &SourceTopics, second: &SourceTopics) -> bool {
    match (first, second) {
        (SourceTopics::Named(first, _), SourceTopics::Named(second, _)) => {
            first.iter().any(|topic| second.contains(topic))
        }
        (SourceTopics::Pattern(first, _), SourceTopics::Pattern(second, _)) => first == second,
        _ => false,
    }
}

/// What keeps two overlapping sources from being one.
fn difference(first: &SourceTopics, second: &SourceTopics) -> Option<&'static str> {
    let (first_reset, second_reset) = match (first, second) {
        (SourceTopics::Named(first, first_reset), SourceTopics::Named(second, second_reset)) => {
            if first.iter().collect::<BTreeSet<_>>() != second.iter().collect::<BTreeSet<_>>() {
                return Some("are subscribed to overlapping but not equal input topics");
            }
            (first_reset, second_reset)
        }
        (SourceTopics::Pattern(_, first), SourceTopics::Pattern(_, second)) => (first, second),
        _ => return None,
    };
    (first_reset != second_reset)
        .then_some("have different offset reset policies on the same input topics")
}
