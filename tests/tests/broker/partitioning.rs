//! Where a program's records go in their topics, compared with what the JVM's client was captured
//! doing (`tests/conformance/streams/partition.jsonl`).

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::Value;
use streams_core::processor::SinkTopic;
use streams_core::serde::ByteSerde;
use streams_core::topology::{Sink, Source};
use streams_core::{KafkaStreams, StreamsConfig, Topology, TopologyBuilder};
use streams_tests::{Cluster, Record};

const LIMIT: Duration = Duration::from_secs(60);
const PARTITIONS: i32 = 16;

/// The captured keys, with the partition of 16 that the JVM's default partitioner takes.
fn captured() -> Vec<(Vec<u8>, i32)> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance/streams/partition.jsonl");
    let lines = std::fs::read_to_string(file).unwrap();
    let lines = lines.lines().map(|line| {
        let line: Value = serde_json::from_str(line).unwrap();
        let key = match &line["key"] {
            Value::String(text) => text.clone().into_bytes(),
            other => BASE64.decode(other["base64"].as_str().unwrap()).unwrap(),
        };
        let partition = line["partitions"][PARTITIONS.to_string()].as_i64().unwrap();
        (key, i32::try_from(partition).unwrap())
    });
    lines.collect()
}

fn copy(input: &str, output: &str) -> Topology {
    let mut builder = TopologyBuilder::new();
    let source = Source::topics([input], Arc::new(ByteSerde), Arc::new(ByteSerde));
    let source = builder.add_source("source", source).unwrap();
    let topic = SinkTopic::Fixed(output.into());
    let sink = Sink::new(topic, Arc::new(ByteSerde), Arc::new(ByteSerde));
    builder.add_sink("sink", sink, &[source]).unwrap();
    builder.build().unwrap()
}

#[test]
fn every_key_goes_to_the_partition_that_the_jvm_sends_it_to() {
    let cluster = Cluster::shared();
    let (input, output) = (cluster.topic("in", 1), cluster.topic("out", PARTITIONS));
    let expected: BTreeMap<Vec<u8>, i32> = captured().into_iter().collect();
    let records = expected.keys().map(|key| Record::new(key.clone(), "v"));
    cluster.produce(&input, records.collect::<Vec<_>>());
    let folder = tempfile::tempdir().unwrap();
    let config = StreamsConfig::builder()
        .set("application.id", cluster.unique("partitioning"))
        .set("bootstrap.servers", cluster.bootstrap_servers())
        .set("state.dir", folder.path().display().to_string())
        .build()
        .unwrap();
    let mut streams = KafkaStreams::new(copy(&input, &output), config).unwrap();
    streams.start().unwrap();
    let messages = cluster.read_count(&output, expected.len(), LIMIT);
    assert!(streams.close(Duration::from_secs(5)));
    let actual = messages.into_iter().map(|message| {
        let key = message.key.unwrap_or_default();
        (key, message.partition)
    });
    assert_eq!(actual.collect::<BTreeMap<_, _>>(), expected);
}
