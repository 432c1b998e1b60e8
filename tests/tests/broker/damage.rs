//! Records that are damaged on the broker's disk: nobody goes on behind them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use streams_core::broker::{PartitionReader, ReadEvent, StartAt};
use streams_core::processor::SinkTopic;
use streams_core::serde::Utf8;
use streams_core::topology::{Sink, Source};
use streams_core::{
    ErrorKind, KafkaStreams, State, StreamsConfig, TopicPartition, TopologyBuilder,
};
use streams_tests::{Cluster, Kafka, KafkaOptions};

const LIMIT: Duration = Duration::from_secs(60);

/// A topic whose second of three batches is damaged.
fn damaged_topic(kafka: &Kafka, cluster: &Cluster) -> String {
    let topic = cluster.topic("damaged", 1);
    for value in ["before", "to-be-damaged", "behind"] {
        cluster.produce(&topic, [("key", value)]);
    }
    kafka.damage(&topic, 0, "to-be-damaged").unwrap();
    topic
}

#[test]
fn application_ends_before_a_batch_that_cannot_be_read() {
    let kafka = Kafka::temporary(KafkaOptions::shared()).unwrap();
    let cluster = Cluster::at(kafka.bootstrap_servers());
    let input = damaged_topic(&kafka, &cluster);
    let output = cluster.topic("out", 1);
    let mut builder = TopologyBuilder::new();
    let source = Source::topics([&*input], Arc::new(Utf8), Arc::new(Utf8));
    let source = builder.add_source("source", source).unwrap();
    let sink = Sink::new(
        SinkTopic::Fixed((&*output).into()),
        Arc::new(Utf8),
        Arc::new(Utf8),
    );
    builder.add_sink("sink", sink, &[source]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let config = StreamsConfig::builder()
        .set("application.id", "relay")
        .set("bootstrap.servers", cluster.bootstrap_servers())
        .set("state.dir", folder.path().display().to_string())
        .set("processing.guarantee", "exactly_once_v2")
        .build()
        .unwrap();
    let mut streams = KafkaStreams::new(builder.build().unwrap(), config).unwrap();
    streams.start().unwrap();
    assert_eq!(streams.wait_for_state(State::Error, LIMIT), State::Error);
    let error = streams.error().unwrap();
    assert_eq!(error.kind(), ErrorKind::Serde, "{error}");
    assert!(error.to_string().contains("CRC"), "{error}");
    let committed = cluster.committed("relay", &input);
    assert!(
        committed.get(&0).is_none_or(|offset| *offset <= 1),
        "{committed:?}"
    );
    let written = cluster.read_committed(&output);
    assert!(written.len() <= 1, "{written:?}");
}

#[test]
fn reader_of_a_changelog_fails_at_a_batch_that_cannot_be_read() {
    let kafka = Kafka::temporary(KafkaOptions::shared()).unwrap();
    let cluster = Cluster::at(kafka.bootstrap_servers());
    let topic = damaged_topic(&kafka, &cluster);
    let partition = TopicPartition {
        topic: (&*topic).into(),
        partition: 0,
    };
    let settings = [
        ("bootstrap.servers", cluster.bootstrap_servers()),
        ("check.crcs", "true"),
    ];
    let settings = settings.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let mut reader = PartitionReader::new(&BTreeMap::from(settings)).unwrap();
    reader.start(&partition, StartAt::Earliest, 0).unwrap();
    let begun = Instant::now();
    let error = loop {
        assert!(begun.elapsed() < LIMIT, "the reader fails");
        let read = reader.read(Duration::from_millis(50), |_, event| {
            if let ReadEvent::Record(record) = event {
                // The client itself goes on behind the batch in the same read.
                assert_eq!(record.value(), Some(&b"before"[..]));
            }
        });
        if let Err(error) = read {
            break error;
        }
    };
    assert_eq!(error.kind(), ErrorKind::Serde, "{error}");
    assert!(error.to_string().contains(&topic), "{error}");
}
