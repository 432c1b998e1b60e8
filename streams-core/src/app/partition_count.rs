//! How many partitions internal topics have.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::{Error, ErrorKind, Result};
use crate::topology::SubtopologyTopics;

/// The partitions of every internal topic, and the tasks of every sub-topology.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PartitionCounts {
    /// By the topic's name in the cluster.
    pub(super) repartition: BTreeMap<String, i32>,
    /// By the topic's name in the cluster.
    pub(super) changelog: BTreeMap<String, i32>,
}

/// Settles the partitions of internal topics: a repartition topic has its own number, else the most
/// that any topic has which feeds it, directly or through others (`RepartitionTopics`); topics that
/// are joined have as many as each other (`CopartitionedTopicsEnforcer`); a changelog has one for
/// each task (`ChangelogTopics`).
///
/// The source topics of `parts` hold those that patterns match; `existing` are the cluster's
/// topics.
pub(super) fn partition_counts(
    parts: &[SubtopologyTopics],
    copartitioned: &[BTreeSet<String>],
    existing: &BTreeMap<String, i32>,
) -> Result<PartitionCounts> {
    let internal = parts.iter().flat_map(|part| &part.repartition_topics);
    let fixed: BTreeMap<&str, Option<i32>> = internal
        .map(|topic| (&*topic.topic, topic.partitions))
        .collect();
    let mut counts = Counts {
        settled: BTreeMap::new(),
        existing,
        fixed,
    };
    counts.settle(parts)?;
    for group in copartitioned {
        counts.enforce(group)?;
    }
    let mut changelog = BTreeMap::new();
    for part in parts {
        let sources = part.source_topics.iter();
        let tasks = sources.filter_map(|topic| counts.of(topic)).max();
        let own = part.changelog_topics.iter();
        for topic in own.filter(|topic| !topic.is_source) {
            changelog.insert(topic.topic.clone(), tasks.unwrap_or(1));
        }
    }
    Ok(PartitionCounts {
        repartition: counts.settled,
        changelog,
    })
}

struct Counts<'a> {
    settled: BTreeMap<String, i32>,
    existing: &'a BTreeMap<String, i32>,
    /// The internal topics, with the numbers that the program gives them.
    fixed: BTreeMap<&'a str, Option<i32>>,
}

impl Counts<'_> {
    /// The partitions of a topic, as far as they are settled.
    fn of(&self, topic: &str) -> Option<i32> {
        match self.fixed.contains_key(topic) {
            true => self.settled.get(topic).copied(),
            false => self.existing.get(topic).copied(),
        }
    }

    fn settle(&mut self, parts: &[SubtopologyTopics]) -> Result<()> {
        for (topic, count) in &self.fixed {
            if let Some(count) = count {
                self.settled.insert((*topic).to_owned(), *count);
            }
        }
        while self.settled.len() < self.fixed.len() {
            let open = self.fixed.keys();
            let open: Vec<&str> = open
                .filter(|topic| !self.settled.contains_key(**topic))
                .copied()
                .collect();
            // Topics that feed each other are settled by what is known of the others.
            let known = |waits: bool| {
                let mut open = open.iter();
                open.find_map(|topic| Some((*topic, self.upstream(parts, topic, waits)?)))
            };
            let Some((topic, count)) = known(true).or_else(|| known(false)) else {
                let message = format!(
                    "internal topic {} has no partitions: no topic that feeds it exists",
                    open.join(", ")
                );
                return Err(Error::new(ErrorKind::Topology, message));
            };
            self.settled.insert(topic.to_owned(), count);
        }
        Ok(())
    }

    /// The most partitions of what feeds a topic; `waits` gives `None` while one of them is open.
    fn upstream(&self, parts: &[SubtopologyTopics], topic: &str, waits: bool) -> Option<i32> {
        let feeding = parts.iter().filter(|part| part.sink_topics.contains(topic));
        let mut most = None;
        for source in feeding.flat_map(|part| &part.source_topics) {
            let count = self.of(source);
            if waits && count.is_none() {
                return None;
            }
            most = most.max(count);
        }
        most
    }

    fn enforce(&mut self, group: &BTreeSet<String>) -> Result<()> {
        let (internal, external): (Vec<&String>, Vec<&String>) = group
            .iter()
            .partition(|topic| self.fixed.contains_key(topic.as_str()));
        let is_fixed = |topic: &&&String| matches!(self.fixed.get(topic.as_str()), Some(Some(_)));
        let fixed: Vec<&String> = internal.iter().filter(is_fixed).copied().collect();
        // Who must be alike already; else the largest decides.
        let given: Vec<&String> = external.into_iter().chain(fixed).collect();
        let mut counts = given.iter().filter_map(|topic| self.of(topic));
        let count = match counts.next() {
            Some(first) if counts.all(|count| count == first) => Some(first),
            Some(_) => return Err(self.mismatch(&given)),
            None => internal.iter().filter_map(|topic| self.of(topic)).max(),
        };
        if let Some(count) = count {
            for topic in internal {
                self.settled.insert(topic.clone(), count);
            }
        }
        Ok(())
    }

    fn mismatch(&self, topics: &[&String]) -> Error {
        let topics = topics
            .iter()
            .filter_map(|topic| Some(format!("{topic} has {}", self.of(topic)?)));
        let topics: Vec<String> = topics.collect();
        let message = format!(
            "topics that are joined must have the same number of partitions: {}",
            topics.join(", ")
        );
        Error::new(ErrorKind::Topology, message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology::TopicDefinition;

    fn names(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    /// Internal topics are those that begin with `~`; a digit at the end fixes the number.
    fn part(
        number: usize,
        sources: &[&str],
        sinks: &[&str],
        changelogs: &[&str],
    ) -> SubtopologyTopics {
        let topic = |name: &str| TopicDefinition {
            topic: name.to_owned(),
            partitions: name
                .chars()
                .last()
                .and_then(|last| last.to_digit(10))
                .map(|count| count as i32),
            config: BTreeMap::new(),
            is_source: false,
        };
        let internal = sources.iter().filter(|name| name.starts_with('~'));
        SubtopologyTopics {
            number,
            source_topics: names(sources),
            sink_topics: names(sinks),
            repartition_topics: internal.map(|name| topic(name)).collect(),
            changelog_topics: changelogs.iter().map(|name| topic(name)).collect(),
        }
    }

    fn existing(topics: &[(&str, i32)]) -> BTreeMap<String, i32> {
        let topics = topics.iter();
        topics
            .map(|(name, count)| ((*name).to_owned(), *count))
            .collect()
    }

    fn of(counts: &BTreeMap<String, i32>) -> Vec<(&str, i32)> {
        counts
            .iter()
            .map(|(name, count)| (name.as_str(), *count))
            .collect()
    }

    #[test]
    fn repartition_topic_has_the_most_of_what_feeds_it_through_others_too() {
        let parts = [
            part(0, &["a", "b"], &["~x"], &["store-0"]),
            part(1, &["~x"], &["~y"], &[]),
            part(2, &["~y", "c"], &[], &["store-2"]),
        ];
        let existing = existing(&[("a", 2), ("b", 5), ("c", 1)]);
        let counts = partition_counts(&parts, &[], &existing).unwrap();
        assert_eq!(of(&counts.repartition), [("~x", 5), ("~y", 5)]);
        assert_eq!(of(&counts.changelog), [("store-0", 5), ("store-2", 5)]);
    }

    /// A foreign-key join: each side sends to the other.
    #[test]
    fn topics_that_feed_each_other_are_settled_and_then_made_alike() {
        let parts = [
            part(0, &["orders", "~response"], &["~subscription"], &["o"]),
            part(1, &["users", "~subscription"], &["~response"], &["u"]),
        ];
        let groups = [
            names(&["orders", "~response"]),
            names(&["users", "~subscription"]),
        ];
        let existing = existing(&[("orders", 2), ("users", 6)]);
        let counts = partition_counts(&parts, &groups, &existing).unwrap();
        assert_eq!(
            of(&counts.repartition),
            [("~response", 2), ("~subscription", 6)]
        );
        assert_eq!(of(&counts.changelog), [("o", 2), ("u", 6)]);
    }

    #[test]
    fn joined_repartition_topics_take_the_most_or_the_fixed_number() {
        let existing = existing(&[("a", 2), ("b", 5)]);
        for (left, right, expected) in [("~l", "~r", 5), ("~l", "~r3", 3)] {
            let parts = [
                part(0, &["a"], &[left], &[]),
                part(1, &["b"], &[right], &[]),
                part(2, &[left, right], &[], &[]),
            ];
            let groups = [names(&[left, right])];
            let counts = partition_counts(&parts, &groups, &existing).unwrap();
            assert_eq!(
                of(&counts.repartition),
                [(left, expected), (right, expected)]
            );
        }
    }

    #[test]
    fn users_topics_that_are_joined_and_unlike_are_named_with_their_numbers() {
        let parts = [part(0, &["a", "b"], &[], &[])];
        let existing = existing(&[("a", 2), ("b", 5)]);
        let error = partition_counts(&parts, &[names(&["a", "b"])], &existing).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Topology);
        assert!(error.to_string().contains("a has 2, b has 5"), "{error}");
        let parts = [part(0, &["a", "~x3"], &[], &[])];
        let error = partition_counts(&parts, &[names(&["a", "~x3"])], &existing).unwrap_err();
        assert!(error.to_string().contains("a has 2, ~x3 has 3"), "{error}");
    }

    #[test]
    fn repartition_topic_that_nothing_feeds_is_an_error() {
        let parts = [part(0, &["~x"], &[], &[])];
        let error = partition_counts(&parts, &[], &BTreeMap::new()).unwrap_err();
        assert!(error.to_string().contains("~x"), "{error}");
    }
}
