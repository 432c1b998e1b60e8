//! What must be there before a thread can join the group: source topics and internal topics.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::app::partition_count::partition_counts;
use crate::broker::{Admin, NewTopic};
use crate::config::StreamsConfig;
use crate::error::{Error, ErrorKind, Result};
use crate::topology::{SubtopologyTopics, TopicDefinition, Topology};

/// How long a broker may take to answer.
const ANSWER_WAIT: Duration = Duration::from_secs(5);

/// The topics of an application as the cluster has them.
pub(super) struct PreparedTopics {
    /// What a thread subscribes to: names, and patterns that begin with `^`.
    pub(super) subscription: Vec<String>,
    /// For how long a changelog keeps tombstones, in milliseconds, by its name in the cluster.
    pub(super) tombstone_retention_ms: BTreeMap<String, i64>,
}

/// Checks the source topics and makes the internal ones.
pub(super) fn prepare(
    admin: &Admin,
    topology: &Topology,
    config: &StreamsConfig,
) -> Result<PreparedTopics> {
    let application_id = &config.application_id;
    let existing = admin.topics(ANSWER_WAIT)?;
    let sources = topology.source_topics(application_id);
    let global = topology.global_topics(application_id);
    let is_internal = |topic: &String| topology.is_internal(application_id, topic);
    let missing = sources
        .iter()
        .chain(&global)
        .filter(|topic| !is_internal(topic) && !existing.contains_key(*topic));
    let missing: Vec<&str> = missing.map(String::as_str).collect();
    if !missing.is_empty() {
        let message = format!("source topic {} does not exist", missing.join(", "));
        return Err(Error::new(ErrorKind::Config, message));
    }
    let mut parts = topology.subtopology_topics(config);
    for part in &mut parts {
        let names = existing.keys().map(String::as_str);
        let matched = topology.topics_of_patterns(part.number, names);
        part.source_topics.extend(matched.map(str::to_owned));
    }
    make_internal_topics(admin, topology, config, &parts, &existing)?;
    let changelogs: Vec<&str> = parts
        .iter()
        .flat_map(|part| &part.changelog_topics)
        .map(|topic| topic.topic.as_str())
        .collect();
    // librdkafka takes what begins with ^ for a pattern.
    let patterns = topology.source_patterns();
    let patterns = patterns
        .iter()
        .map(|pattern| format!("^({})$", pattern.as_str()));
    Ok(PreparedTopics {
        subscription: sources.into_iter().chain(patterns).collect(),
        tombstone_retention_ms: tombstone_retention(admin, &changelogs)?,
    })
}

fn make_internal_topics(
    admin: &Admin,
    topology: &Topology,
    config: &StreamsConfig,
    parts: &[SubtopologyTopics],
    existing: &BTreeMap<String, i32>,
) -> Result<()> {
    let copartitioned = topology.copartitioned_topics(&config.application_id);
    let counts = partition_counts(parts, &copartitioned, existing)?;
    let mut fresh = Vec::new();
    let repartition = parts.iter().flat_map(|part| &part.repartition_topics);
    let changelogs = parts.iter().flat_map(|part| &part.changelog_topics);
    for topic in repartition.chain(changelogs) {
        let name = &topic.topic;
        let own = counts.repartition.get(name).or(counts.changelog.get(name));
        // A source topic that stands for a changelog is the user's.
        let Some(count) = own else { continue };
        match existing.get(name) {
            Some(existing) if existing == count => {}
            Some(existing) => {
                let message = format!(
                    "internal topic {name} has {existing} partitions and should have {count}; \
                     reset the application"
                );
                return Err(Error::new(ErrorKind::Config, message));
            }
            None => fresh.push(new_topic(topic, *count, config)),
        }
    }
    if fresh.is_empty() {
        return Ok(());
    }
    admin.create_topics(&fresh)?;
    await_topics(admin, &fresh)
}

fn new_topic(topic: &TopicDefinition, partitions: i32, config: &StreamsConfig) -> NewTopic {
    NewTopic {
        name: topic.topic.clone(),
        partitions: Some(partitions),
        replication_factor: config.replication_factor,
        config: topic.config.clone(),
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

/// For how long each of these topics keeps tombstones, in milliseconds, if it is compacted.
fn tombstone_retention(admin: &Admin, topics: &[&str]) -> Result<BTreeMap<String, i64>> {
    let settings = admin.topic_settings(topics, ANSWER_WAIT)?;
    let retention = settings.into_iter().filter_map(|(topic, settings)| {
        let is_compacted = settings.get("cleanup.policy")?.contains("compact");
        let retention_ms = settings.get("delete.retention.ms")?.parse().ok()?;
        is_compacted.then_some((topic, retention_ms))
    });
    Ok(retention.collect())
}

/// Refuses internal topics and stores that have no name of their own, if the configuration asks for
/// that (`ensure.explicit.internal.resource.naming`, KIP-1111).
pub(super) fn check_names(topology: &Topology, config: &StreamsConfig) -> Result<()> {
    if !config.ensure_explicit_internal_resource_naming {
        return Ok(());
    }
    let is_generated = |name: &str| {
        let prefixes = ["KSTREAM-", "KTABLE-", "COGROUPKSTREAM-"];
        prefixes.iter().any(|prefix| name.starts_with(prefix)) || name.contains("-STATE-STORE-0")
    };
    let topics = topology.internal_topics().iter().map(|topic| &*topic.name);
    let unnamed: Vec<&str> = topics
        .chain(topology.store_names())
        .filter(|name| is_generated(name))
        .collect();
    if unnamed.is_empty() {
        return Ok(());
    }
    let message = format!(
        "ensure.explicit.internal.resource.naming: name the operators of {}",
        unnamed.join(", ")
    );
    Err(Error::new(ErrorKind::Config, message))
}
