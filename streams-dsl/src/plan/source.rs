//! Sources of the same topics become one, since a topic has one source in a topology
//! (`InternalStreamsBuilder.mergeDuplicateSourceNodes`).

use std::collections::BTreeSet;

use crate::plan::name::NodeName;
use crate::plan::node::{Node, PlanId, SourceTopics};

/// For each node the one that stands for it: itself, or the first source of the same topics.
pub(super) fn merged_sources(
    nodes: &[Node],
    names: &[NodeName],
    mistakes: &mut Vec<String>,
) -> Vec<PlanId> {
    let mut standing: Vec<PlanId> = Vec::with_capacity(nodes.len());
    for (index, node) in nodes.iter().enumerate() {
        let earlier = node.source.as_ref().and_then(|topics| {
            let earlier = nodes.iter().take(index).enumerate();
            let mut sources =
                earlier.filter_map(|(earlier, node)| Some((earlier, node.source.as_ref()?)));
            sources.find(|(_, earlier)| overlap(earlier, topics))
        });
        let Some(((earlier, first), second)) = earlier.zip(node.source.as_ref()) else {
            standing.push(PlanId(index));
            continue;
        };
        if let Some(mistake) = difference(first, second) {
            let name = |index: usize| names.get(index).map_or("?", |name| &*name.name);
            let (first, second) = (name(earlier), name(index));
            mistakes.push(format!("sources {first} and {second} {mistake}"));
        }
        standing.push(standing.get(earlier).copied().unwrap_or(PlanId(earlier)));
    }
    standing
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
