//! What must be there before a thread can join the group: source topics and internal topics.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::broker::{Admin, NewTopic};
use crate::config::StreamsConfig;
use crate::error::{Error, ErrorKind, Result};
use crate::topology::{InternalTopic, NodeKind, SourceTopics, Topology, matches_whole};

/// How long a broker may take to answer.
const ANSWER_WAIT: Duration = Duration::from_secs(5);

/// Checks the source topics, makes the internal ones, and returns what is to be subscribed to.
pub(super) fn prepare(
    admin: &Admin,
    topology: &Topology,
    config: &StreamsConfig,
) -> Result<Vec<String>> {
    let application_id = &config.application_id;
    let existing = admin.topics(ANSWER_WAIT)?;
    let sources = topology.source_topics(application_id);
    let is_internal = |topic: &String| topology.is_internal(application_id, topic);
    let missing = sources
        .iter()
        .filter(|topic| !is_internal(topic) && !existing.contains_key(*topic));
    let missing: Vec<&str> = missing.map(String::as_str).collect();
    if !missing.is_empty() {
        let message = format!("source topic {} does not exist", missing.join(", "));
        return Err(Error::new(ErrorKind::Config, message));
    }
    make_internal_topics(admin, topology, config, &existing)?;
    // librdkafka takes what begins with ^ for a pattern.
    let patterns = topology.source_patterns();
    let patterns = patterns
        .iter()
        .map(|pattern| format!("^({})$", pattern.as_str()));
    Ok(sources.into_iter().chain(patterns).collect())
}

fn make_internal_topics(
    admin: &Admin,
    topology: &Topology,
    config: &StreamsConfig,
    existing: &BTreeMap<String, i32>,
) -> Result<()> {
    let counts = partition_counts(topology, config, existing)?;
    let mut fresh = Vec::new();
    for (topic, count) in counts {
        let name = topic.full_name(&config.application_id);
        match existing.get(&name) {
            Some(existing) if *existing == count => {}
            Some(existing) => {
                let message = format!(
                    "internal topic {name} has {existing} partitions and should have {count}; \
                     reset the application"
                );
                return Err(Error::new(ErrorKind::Config, message));
            }
            None => fresh.push(new_topic(name, count, config)),
        }
    }
    if fresh.is_empty() {
        return Ok(());
    }
    admin.create_topics(&fresh)?;
    await_topics(admin, &fresh)
}

/// A repartition topic as the JVM makes it (`RepartitionTopicConfig`): what is processed is
/// deleted by offset, so nothing goes by age.
fn new_topic(name: String, partitions: i32, config: &StreamsConfig) -> NewTopic {
    let defaults = [
        ("cleanup.policy", "delete"),
        ("segment.bytes", "52428800"),
        ("retention.ms", "-1"),
        ("message.timestamp.type", "CreateTime"),
    ];
    let mut settings: BTreeMap<String, String> = defaults
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    settings.extend(config.topic_config().clone());
    NewTopic {
        name,
        partitions: Some(partitions),
        replication_factor: config.replication_factor,
        config: settings,
    }
}

/// Topics are known to all brokers a moment after they are made.
fn await_topics(admin: &Admin, topics: &[NewTopic]) -> Result<()> {
    for _ in 0..METADATA_TRIES_MAX {
        let existing = admin.topics(ANSWER_WAIT)?;
        if topics
            .iter()
            .all(|topic| existing.contains_key(&topic.name))
        {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let names: Vec<&str> = topics.iter().map(|topic| topic.name.as_str()).collect();
    let message = format!(
        "internal topics {} were made and are not there",
        names.join(", ")
    );
    Err(Error::new(ErrorKind::Broker, message))
}

const METADATA_TRIES_MAX: usize = 500;

/// The number of partitions of every internal topic: its own, else the most that any topic has
/// which feeds it, directly or through other internal topics.
fn partition_counts<'a>(
    topology: &'a Topology,
    config: &StreamsConfig,
    existing: &BTreeMap<String, i32>,
) -> Result<Vec<(&'a InternalTopic, i32)>> {
    let internal = topology.internal_topics();
    let mut known: BTreeMap<&str, i32> = BTreeMap::new();
    for topic in internal {
        if let Some(count) = topic.partitions {
            known.insert(&topic.name, count);
        }
    }
    // Each round settles at least one topic, or nothing more can be settled.
    for _ in internal {
        for topic in internal {
            if !known.contains_key(&*topic.name)
                && let Some(count) = upstream_count(topology, topic, &known, existing)
            {
                known.insert(&topic.name, count);
            }
        }
    }
    internal
        .iter()
        .map(|topic| match known.get(&*topic.name) {
            Some(count) => Ok((topic, *count)),
            None => {
                let name = topic.full_name(&config.application_id);
                let message = format!("internal topic {name}: no topic gives its partitions");
                Err(Error::new(ErrorKind::Topology, message))
            }
        })
        .collect()
}

/// The most partitions of what feeds `topic`; `None` while one of them is not known.
fn upstream_count(
    topology: &Topology,
    topic: &InternalTopic,
    known: &BTreeMap<&str, i32>,
    existing: &BTreeMap<String, i32>,
) -> Option<i32> {
    let nodes = &topology.inner.nodes;
    let writes = |index: &usize| {
        let node = nodes.get(*index);
        node.is_some_and(|node| {
            matches!(&node.kind, NodeKind::Sink { topic: Some(sink) } if *sink == topic.name)
        })
    };
    let parts = topology.inner.subtopologies.iter();
    let feeding = parts.filter(|part| part.nodes.iter().any(writes));
    let mut most = None;
    for node in feeding
        .flat_map(|part| &part.nodes)
        .filter_map(|index| nodes.get(*index))
    {
        let NodeKind::Source { topics, .. } = &node.kind else {
            continue;
        };
        let counts: Vec<Option<i32>> = match topics {
            SourceTopics::Named(names) => names
                .iter()
                .map(|name| {
                    known
                        .get(&**name)
                        .or_else(|| existing.get(&**name))
                        .copied()
                })
                .collect(),
            SourceTopics::Pattern(pattern) => existing
                .iter()
                .filter(|(name, _)| matches_whole(pattern, name))
                .map(|(_, count)| Some(*count))
                .collect(),
        };
        for count in counts {
            most = most.max(Some(count?));
        }
    }
    most
}

/// Refuses internal topics that have no name of their own, if the configuration asks for that
/// (`ensure.explicit.internal.resource.naming`, KIP-1111).
pub(super) fn check_names(topology: &Topology, config: &StreamsConfig) -> Result<()> {
    if !config.ensure_explicit_internal_resource_naming {
        return Ok(());
    }
    let unnamed = topology
        .internal_topics()
        .iter()
        .filter(|topic| topic.name.starts_with("KSTREAM-"));
    let unnamed: Vec<&str> = unnamed.map(|topic| &*topic.name).collect();
    if unnamed.is_empty() {
        return Ok(());
    }
    let message = format!(
        "ensure.explicit.internal.resource.naming: name the operators of {}",
        unnamed.join(", ")
    );
    Err(Error::new(ErrorKind::Config, message))
}
