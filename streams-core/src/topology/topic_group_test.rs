//! The topics of sub-topologies, against the JVM's.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::processor::{Processor, ProcessorContext, ProcessorError};
use crate::record::Record;
use crate::serde::{I64, Utf8};
use crate::store::{StoreBuilder, WindowStoreSettings};
use crate::topology::{InternalTopic, Source, SubtopologyTopics};
use crate::{StreamsConfig, Topology, TopologyBuilder};

struct Sink;

impl Processor<String, String, (), ()> for Sink {
    fn process(
        &mut self,
        _: &mut ProcessorContext<'_, (), ()>,
        _: Record<String, String>,
    ) -> Result<(), ProcessorError> {
        Ok(())
    }
}

fn settings(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let pairs = pairs.iter();
    pairs
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

/// A topology whose one sub-topology reads these topics and uses these stores.
fn topology(topics: &[&str], stores: &[StoreBuilder], copartitioned: &[&[&str]]) -> Topology {
    let mut builder = TopologyBuilder::new();
    let names: Vec<Arc<str>> = stores.iter().map(|store| store.name().clone()).collect();
    let mut sources = Vec::new();
    for topic in topics {
        let source = Source::topics([*topic], Arc::new(Utf8), Arc::new(Utf8));
        sources.push(builder.add_source(topic, source).unwrap());
        if topic.ends_with("-repartition") {
            let (name, partitions) = ((*topic).into(), None);
            builder
                .add_internal_topic(InternalTopic { name, partitions })
                .unwrap();
        }
    }
    for store in stores {
        builder.add_state_store(store.clone()).unwrap();
    }
    builder
        .add_stateful_processor::<_, _, (), (), _>("sink", |_| Ok(Sink), &sources, &names)
        .unwrap();
    for group in copartitioned {
        let group: Vec<Arc<str>> = group.iter().map(|name| (*name).into()).collect();
        builder.copartition_sources(&group);
    }
    builder.build().unwrap()
}

fn topics(topology: &Topology, more: &[(&str, &str)]) -> SubtopologyTopics {
    let config = StreamsConfig::builder()
        .set("application.id", "conformance")
        .set("bootstrap.servers", "127.0.0.1:9")
        .set_all(more.iter().copied())
        .build()
        .unwrap();
    topology.subtopology_topics(&config).remove(0)
}

/// `topics/count-named-store.jsonl`, `topics/tumbling-*.jsonl`, `topics/count-by-*.jsonl`,
/// `topics/stream-left-join.jsonl`.
#[test]
fn changelog_topics_have_the_settings_of_the_jvm() {
    let serdes = || (Arc::new(Utf8), Arc::new(I64));
    let window = WindowStoreSettings::new(10, 10);
    let join = WindowStoreSettings {
        retain_duplicates: true,
        ..WindowStoreSettings::new(20, 10)
    };
    let ((k1, v1), (k2, v2), (k3, v3)) = (serdes(), serdes(), serdes());
    let ((k4, v4), (k5, v5)) = (serdes(), serdes());
    let stores = [
        StoreBuilder::window("windows", k1, v1, window),
        StoreBuilder::timestamped_key_value("counts", k2, v2),
        StoreBuilder::session("sessions", k3, v3, 110),
        StoreBuilder::window("join", k4, v4, join),
        StoreBuilder::list("pending", k5, v5),
    ];
    let topics = topics(&topology(&["in"], &stores, &[]), &[]);
    let found: Vec<_> = topics
        .changelog_topics
        .into_iter()
        .map(|topic| (topic.topic, topic.config))
        .collect();
    let windowed = |retention: &str| {
        settings(&[
            ("cleanup.policy", "compact,delete"),
            ("message.timestamp.type", "CreateTime"),
            ("retention.ms", retention),
        ])
    };
    let plain = settings(&[
        ("cleanup.policy", "compact"),
        ("message.timestamp.type", "CreateTime"),
    ]);
    let deleted = settings(&[
        ("cleanup.policy", "delete"),
        ("message.timestamp.type", "CreateTime"),
        ("retention.ms", "86400020"),
    ]);
    let expected = [
        ("conformance-counts-changelog", plain.clone()),
        ("conformance-join-changelog", deleted),
        ("conformance-pending-changelog", plain),
        ("conformance-sessions-changelog", windowed("86400110")),
        ("conformance-windows-changelog", windowed("86400010")),
    ];
    assert_eq!(
        found,
        expected.map(|(topic, config)| (topic.to_owned(), config))
    );
}

/// `InternalTopicConfig.properties`: the library's settings, those of `topic.`, the store's own.
#[test]
fn settings_of_the_configuration_and_of_the_store_win() {
    let window = WindowStoreSettings::new(10, 10);
    let own = settings(&[("cleanup.policy", "delete"), ("segment.ms", "7")]);
    let joined = StoreBuilder::window("joined", Arc::new(Utf8), Arc::new(I64), window);
    let fixed = StoreBuilder::window("fixed", Arc::new(Utf8), Arc::new(I64), window);
    let stores = [
        fixed.with_logging(settings(&[("retention.ms", "5")])),
        joined.with_logging(own),
    ];
    let more = [
        ("topic.segment.ms", "6"),
        ("topic.retention.ms", "9"),
        ("windowstore.changelog.additional.retention.ms", "100"),
    ];
    let topics = topics(&topology(&["in"], &stores, &[]), &more);
    let config = |place: usize, key: &str| topics.changelog_topics[place].config[key].clone();
    assert_eq!(config(0, "retention.ms"), "5");
    assert_eq!(config(0, "segment.ms"), "6");
    assert_eq!(config(1, "retention.ms"), "110");
    assert_eq!(config(1, "segment.ms"), "7");
    assert_eq!(config(1, "cleanup.policy"), "delete");
}

#[test]
fn store_without_a_changelog_has_no_topic_and_one_of_a_source_topic_has_that() {
    let store = |name: &str| StoreBuilder::key_value(name, Arc::new(Utf8), Arc::new(I64));
    let stores = [
        store("quiet").without_logging(),
        store("table").with_source_topic("in"),
    ];
    let topics = topics(&topology(&["in"], &stores, &[]), &[]);
    let found: Vec<_> = topics
        .changelog_topics
        .iter()
        .map(|topic| (&*topic.topic, topic.is_source))
        .collect();
    assert_eq!(found, [("in", true)]);
}

#[test]
fn copartitioned_groups_that_share_a_topic_are_one() {
    let names = ["left", "right", "third", "by-repartition"];
    let groups: [&[&str]; 3] = [&["left", "right"], &["by-repartition"], &["right", "third"]];
    let topology = topology(&names, &[], &groups);
    let groups = topology.copartitioned_topics("app");
    let groups: Vec<Vec<&str>> = groups
        .iter()
        .map(|group| group.iter().map(String::as_str).collect())
        .collect();
    assert_eq!(
        groups,
        [vec!["app-by-repartition"], vec!["left", "right", "third"]]
    );
}

#[test]
fn only_sources_can_be_partitioned_alike() {
    let mut builder = TopologyBuilder::new();
    builder.copartition_sources(&["nowhere".into()]);
    let error = builder.build().unwrap_err().to_string();
    assert!(error.contains("nowhere"), "{error}");
}
