//! The topics of each sub-topology, and which topics must be partitioned alike.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::config::StreamsConfig;
use crate::store::StoreBuilder;
use crate::topology::{InternalTopic, NodeKind, SourceTopics, Subtopology, Topology};

/// What one sub-topology reads, writes and keeps, by the topics' names in the cluster
/// (`InternalTopologyBuilder.TopicsInfo`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubtopologyTopics {
    /// The sub-topology's number, as `Topology::describe` shows it.
    pub number: usize,
    /// The topics that it reads by name; those that patterns match are not among them.
    pub source_topics: BTreeSet<String>,
    /// The topics that it writes, without those that are chosen for each record.
    pub sink_topics: BTreeSet<String>,
    /// The internal topics among the source topics, by name.
    pub repartition_topics: Vec<TopicDefinition>,
    /// The topics that its stores are restored from, by name.
    pub changelog_topics: Vec<TopicDefinition>,
}

/// An internal topic as it is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicDefinition {
    /// The topic's name in the cluster.
    pub topic: String,
    /// The number of partitions, where it is fixed.
    pub partitions: Option<i32>,
    /// The settings that it is made with.
    pub config: BTreeMap<String, String>,
    /// Whether it is one of the user's topics, from which a store is restored
    /// (`reuse.ktable.source.topics`): such a topic is never made.
    pub is_source: bool,
}

/// What a versioned store's changelog keeps beyond its history before it is compacted
/// (`VersionedChangelogTopicConfig`).
const COMPACTION_LAG_ADDITIONAL_MS: i64 = 24 * 60 * 60 * 1000;

impl Topology {
    /// The topics of each sub-topology that makes tasks, with the settings that internal topics are
    /// made with under this configuration: the library's, those of `topic.` over them, those of the
    /// store over both (`InternalTopicConfig.properties`).
    pub fn subtopology_topics(&self, config: &StreamsConfig) -> Vec<SubtopologyTopics> {
        let parts = self.inner.subtopologies.iter().enumerate();
        let parts = parts.filter(|(_, part)| !part.is_global);
        parts
            .map(|(number, part)| self.topics_of(number, part, config))
            .collect()
    }

    /// The changelog topics of all stores, by name, with the settings that they are made with.
    pub fn changelog_topics(&self, config: &StreamsConfig) -> Vec<TopicDefinition> {
        let parts = self.subtopology_topics(config);
        let mut topics: Vec<_> = parts
            .into_iter()
            .flat_map(|part| part.changelog_topics)
            .collect();
        topics.sort_by(|one, other| one.topic.cmp(&other.topic));
        topics
    }

    /// The groups of topics that must have as many partitions as each other, by their names in the
    /// cluster, in the order of their first topics.
    pub fn copartitioned_topics(&self, application_id: &str) -> Vec<BTreeSet<String>> {
        let mut groups: Vec<BTreeSet<String>> = Vec::new();
        for sources in &self.inner.copartitioned_sources {
            let mut group: BTreeSet<String> = sources
                .iter()
                .flat_map(|source| self.topics_of_source(application_id, source))
                .collect();
            // Whoever shares a topic belongs together.
            groups.retain(|known| {
                let is_apart = known.is_disjoint(&group);
                if !is_apart {
                    group.extend(known.iter().cloned());
                }
                is_apart
            });
            groups.push(group);
        }
        groups.retain(|group| !group.is_empty());
        groups.sort();
        groups
    }

    fn topics_of_source(&self, application_id: &str, source: &str) -> Vec<String> {
        let node = self.inner.nodes.iter().find(|node| &*node.name == source);
        match node.map(|node| &node.kind) {
            Some(NodeKind::Source {
                topics: SourceTopics::Named(names),
                ..
            }) => names
                .iter()
                .map(|name| self.full_topic(application_id, name))
                .collect(),
            _ => Vec::new(),
        }
    }

    fn topics_of(
        &self,
        number: usize,
        part: &Subtopology,
        config: &StreamsConfig,
    ) -> SubtopologyTopics {
        let application_id = &config.application_id;
        let (mut sources, mut sinks) = (BTreeSet::new(), BTreeSet::new());
        for node in part
            .nodes
            .iter()
            .filter_map(|node| self.inner.nodes.get(*node))
        {
            match &node.kind {
                NodeKind::Source {
                    topics: SourceTopics::Named(names),
                    ..
                } => sources.extend(names.iter().map(Arc::clone)),
                NodeKind::Sink { topic: Some(topic) } => {
                    sinks.insert(self.full_topic(application_id, topic));
                }
                _ => {}
            }
        }
        let internal = self.inner.internal_topics.iter();
        let internal = internal.filter(|internal| sources.contains(&internal.name));
        let mut repartition: Vec<_> = internal
            .map(|internal| repartition_topic(internal, config))
            .collect();
        repartition.sort_by(|one, other| one.topic.cmp(&other.topic));
        SubtopologyTopics {
            number,
            source_topics: sources
                .iter()
                .map(|name| self.full_topic(application_id, name))
                .collect(),
            sink_topics: sinks,
            repartition_topics: repartition,
            changelog_topics: self.changelogs_of(part, config),
        }
    }

    fn changelogs_of(&self, part: &Subtopology, config: &StreamsConfig) -> Vec<TopicDefinition> {
        let stores = self.stores_of(part).into_iter();
        let mut changelogs: Vec<_> = stores
            .filter_map(|store| {
                let application_id = &config.application_id;
                let source = store.source_topic();
                let source = source.map(|topic| self.full_topic(application_id, topic));
                changelog_topic(store, source, config)
            })
            .collect();
        changelogs.sort_by(|one, other| one.topic.cmp(&other.topic));
        changelogs.dedup_by(|one, other| one.topic == other.topic);
        changelogs
    }
}

fn settings(defaults: &[(&str, &str)], config: &StreamsConfig) -> BTreeMap<String, String> {
    let defaults = defaults.iter();
    let mut settings: BTreeMap<String, String> = defaults
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    settings.insert("message.timestamp.type".to_owned(), "CreateTime".to_owned());
    settings.extend(config.topic_config().clone());
    settings
}

/// A repartition topic as the JVM makes it (`RepartitionTopicConfig`): what is processed is
/// deleted by offset, so nothing goes by age.
fn repartition_topic(internal: &InternalTopic, config: &StreamsConfig) -> TopicDefinition {
    let defaults = [
        ("cleanup.policy", "delete"),
        ("segment.bytes", "52428800"),
        ("retention.ms", "-1"),
    ];
    TopicDefinition {
        topic: internal.full_name(&config.application_id),
        partitions: internal.partitions,
        config: settings(&defaults, config),
        is_source: false,
    }
}

/// The topic that a store is restored from, if there is one: `source` or the store's own.
fn changelog_topic(
    store: &StoreBuilder,
    source: Option<String>,
    config: &StreamsConfig,
) -> Option<TopicDefinition> {
    let none = BTreeMap::new();
    let own = match (store.changelog_config(), &source) {
        (Some(own), _) => own,
        (None, Some(_)) => &none,
        (None, None) => return None,
    };
    let kind = store.kind();
    let policy = match kind.retention_ms() {
        // As `WindowStoreBuilder` has it.
        Some(_) if kind.retains_duplicates() => "delete",
        Some(_) => "compact,delete",
        None => "compact",
    };
    let mut settings = settings(&[("cleanup.policy", policy)], config);
    settings.extend(own.clone());
    let additional_ms = config.windowstore_changelog_additional_retention_ms;
    let additional_ms = i64::try_from(additional_ms).unwrap_or(i64::MAX);
    let computed = [
        ("retention.ms", kind.retention_ms(), additional_ms),
        (
            "min.compaction.lag.ms",
            kind.history_retention_ms(),
            COMPACTION_LAG_ADDITIONAL_MS,
        ),
    ];
    for (key, time_ms, additional_ms) in computed {
        if let Some(time_ms) = time_ms
            && !own.contains_key(key)
        {
            let time_ms = time_ms.saturating_add(additional_ms);
            settings.insert(key.to_owned(), time_ms.to_string());
        }
    }
    let is_source = source.is_some();
    let own_topic = || store.changelog_topic(&config.application_id).to_string();
    Some(TopicDefinition {
        topic: source.unwrap_or_else(own_topic),
        partitions: None,
        config: settings,
        is_source,
    })
}
