//! Sink.java: writing to topics.

use std::sync::Arc;

use streams_dsl::serde::{I32, Nullable};
use streams_dsl::{Produced, Record, RecordMetadata, Topic};

use crate::program::{Program, check, note};
use crate::text::{TEXT, Text, append, or_null, stream, topic};

/// The partition is the key's length; a null key goes to partition 0.
pub(crate) fn by_length(topic: &str, key: &Text, value: &Text, count: i32) -> Option<Vec<i32>> {
    let (key_text, value) = (or_null(key), or_null(value));
    note(format!("partitions {topic} {key_text} {value} of {count}"));
    Some(vec![key.as_ref().map_or(0, String::len) as i32])
}

/// Drops null values, sends "all" to three partitions, leaves the rest to the default.
fn multicast(_: &str, _: &Text, value: &Text, _: i32) -> Option<Vec<i32>> {
    match value.as_deref() {
        None => Some(Vec::new()),
        Some("all") => Some(vec![0, 1, 2]),
        Some(_) => None,
    }
}

/// A topic for each key.
pub(crate) fn by_key(record: &Record<Text, Text>, _: Option<RecordMetadata<'_>>) -> Arc<str> {
    format!("out-{}", or_null(&record.key)).into()
}

/// Even offsets to one topic and odd ones to another; notes what it is shown.
fn by_offset(record: &Record<Text, Text>, from: Option<RecordMetadata<'_>>) -> Arc<str> {
    let RecordMetadata {
        topic,
        partition,
        offset,
    } = from.expect("a source record");
    let (time, headers) = (record.timestamp_ms, record.headers.len());
    note(format!(
        "route {topic}-{partition}@{offset} t{time} headers {headers}"
    ));
    if offset % 2 == 0 {
        "even".into()
    } else {
        "odd".into()
    }
}

const PROGRAMS: &[Program] = &[
    Program::dsl("to-named", |b| {
        stream(b, "in").to(&topic("out")).named("write")
    }),
    Program::dsl("to-serdes", |b| {
        let lengths = stream(b, "in").map_values(|value| value.map(|value| value.len() as i32));
        lengths.to(&Topic::new("out", TEXT, Nullable(I32)));
    }),
    Program::dsl("to-extractor", |b| {
        drop(stream(b, "in").to_extracted(by_key, TEXT, TEXT))
    }),
    Program::dsl("to-extractor-named", |b| {
        stream(b, "in")
            .to_extracted(by_key, TEXT, TEXT)
            .named("route");
    }),
    Program::dsl("to-extractor-context", |b| {
        stream(b, "in").to_extracted(by_offset, TEXT, TEXT);
    }),
    Program::dsl("to-partitioner", |b| {
        let produced = Produced::new().with_partitioner(by_length);
        stream(b, "in").to_with(&topic("out"), produced);
    }),
    Program::dsl("to-partitioner-multicast", |b| {
        let produced = Produced::new().with_partitioner(multicast);
        stream(b, "in").to_with(&topic("out"), produced);
    }),
    Program::dsl("to-two-sinks", |b| {
        let stream = stream(b, "in");
        stream.clone().to(&topic("out-1"));
        stream.to(&topic("out-2"));
    }),
    Program::dsl("to-same-topic-twice", |b| {
        let stream = stream(b, "in");
        stream.clone().to(&topic("out"));
        stream.map_values(append("!")).to(&topic("out"));
    }),
    Program::dsl("to-then-stream", |b| {
        stream(b, "in").map_values(append("1")).to(&topic("middle"));
        stream(b, "middle")
            .map_values(append("2"))
            .to(&topic("out"));
    }),
    Program::dsl("to-own-source", |b| {
        let short = |_: &Text, value: &Text| value.as_ref().is_some_and(|value| value.len() < 3);
        stream(b, "in")
            .filter(short)
            .map_values(append("+"))
            .to(&topic("in"));
    }),
    Program::dsl("tombstones", |b| drop(stream(b, "in").to(&topic("out")))),
];

#[test]
fn sinks_are_as_on_the_jvm() {
    check(PROGRAMS, &[]);
}

/// The twins in this file.
pub(crate) fn programs() -> Vec<Program> {
    PROGRAMS.to_vec()
}
