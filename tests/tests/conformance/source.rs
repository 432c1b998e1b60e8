//! Source.java: what streams are read from, where timestamps come from, which input is next.

use std::time::Duration;

use streams_dsl::serde::{I64, Nullable, SerdeError};
use streams_dsl::{
    AutoOffsetReset, Consumed, LogAndSkipOnInvalidTimestamp, Record, StreamsBuilder,
    TimestampExtractor, Topic, TopicPattern, UsePartitionTimeOnInvalidTimestamp,
    WallclockTimestampExtractor,
};

use crate::process::Stamp;
use crate::program::{Program, check, note};
use crate::text::{TEXT, Text, append, or_null, stream, topic};

/// The number in the value; a value without one is given the timestamp -1.
pub(crate) struct FromValue;

impl TimestampExtractor<Text, Text> for FromValue {
    fn extract(&self, record: &Record<Text, Text>, partition_time: i64) -> Result<i64, SerdeError> {
        let value = or_null(&record.value);
        note(format!("extract {value} partition-time {partition_time}"));
        Ok(value.parse().unwrap_or(-1))
    }
}

/// The record's time, or none if it has no value.
struct OfValues;

impl TimestampExtractor<Text, Text> for OfValues {
    fn extract(&self, record: &Record<Text, Text>, partition_time: i64) -> Result<i64, SerdeError> {
        if record.value.is_none() {
            return Ok(-1);
        }
        LogAndSkipOnInvalidTimestamp.extract(record, partition_time)
    }
}

fn extracted(b: &StreamsBuilder, extractor: impl TimestampExtractor<Text, Text> + 'static) {
    let consumed = Consumed::new().with_timestamp_extractor(extractor);
    b.stream_with(&topic("in"), consumed).to(&topic("out"));
}

fn reset(b: &StreamsBuilder, reset: AutoOffsetReset) {
    let consumed = Consumed::new().with_offset_reset(reset);
    b.stream_with(&topic("in"), consumed).to(&topic("out"));
}

fn pattern(pattern: &str) -> TopicPattern<Text, Text> {
    TopicPattern::new(pattern, TEXT, TEXT).expect("a pattern")
}

const SOURCES: &[Program] = &[
    Program::dsl("stream-only", |b| drop(stream(b, "in"))),
    Program::dsl("stream-to", |b| drop(stream(b, "in").to(&topic("out")))),
    Program::dsl("stream-named", |b| {
        stream(b, "in").named("read").to(&topic("out"));
    }),
    Program::dsl("stream-reset-latest", |b| reset(b, AutoOffsetReset::Latest)),
    Program::dsl("stream-reset-by-duration", |b| {
        reset(b, AutoOffsetReset::ByDuration(Duration::from_secs(3600)));
    }),
    Program::dsl("stream-several", |b| {
        let several = b.stream(&["in-b", "in-a", "in-c"].map(topic));
        several.map_values(append("!")).to(&topic("out"));
    }),
    Program::dsl("stream-several-named", |b| {
        b.stream(&["in-b", "in-a"].map(topic))
            .named("read")
            .to(&topic("out"));
    }),
    Program::dsl("stream-pattern", |b| {
        b.stream(&pattern("in-[a-z]+")).to(&topic("out"));
    }),
    Program::dsl("stream-pattern-named", |b| {
        b.stream(&pattern("in-.*")).named("read").to(&topic("out"));
    }),
    Program::dsl("stream-pattern-and-topic", |b| {
        b.stream(&pattern(r"log-\d+")).to(&topic("logs"));
        stream(b, "events").to(&topic("seen"));
    }),
    Program::dsl("stream-long-key", |b| {
        let numbered: Topic<Option<i64>, Text> = Topic::new("in", Nullable(I64), TEXT);
        let shown = |key: Option<i64>| key.map_or("null".to_owned(), |key| key.to_string());
        let swapped = b
            .stream(&numbered)
            .map(move |key, value| (value, Some(shown(key))));
        swapped.to(&topic("out"));
    }),
];

const TIMESTAMPS: &[Program] = &[
    Program::dsl("timestamp-extractor", |b| extracted(b, FromValue)),
    Program::dsl("timestamp-extractor-fails", |b| extracted(b, FromValue)),
    Program::dsl("timestamp-skip-invalid", |b| extracted(b, OfValues)),
    Program::dsl("timestamp-partition-time", |b| {
        extracted(b, UsePartitionTimeOnInvalidTimestamp);
    }),
    Program::dsl("timestamp-wall-clock", |b| {
        extracted(b, WallclockTimestampExtractor)
    }),
];

const ORDER: &[Program] = &[
    Program::dsl("order-two-topics", |b| {
        let both = b.stream(&["left", "right"].map(topic));
        both.process(|| Stamp("seen")).to(&topic("out"));
    }),
    Program::dsl("order-merged", |b| {
        let both = stream(b, "left").merge(stream(b, "right"));
        both.process(|| Stamp("seen")).to(&topic("out"));
    }),
    Program::dsl("order-no-idle", |b| {
        stream(b, "left")
            .merge(stream(b, "right"))
            .to(&topic("out"));
    }),
];

#[test]
fn sources_are_as_on_the_jvm() {
    check(SOURCES, &[]);
}

#[test]
fn timestamps_are_taken_as_on_the_jvm() {
    check(TIMESTAMPS, &[]);
}

#[test]
fn a_task_takes_the_earliest_record_of_its_inputs_as_on_the_jvm() {
    check(ORDER, &[]);
}

/// The twins in this file.
pub(crate) fn programs() -> Vec<Program> {
    [SOURCES, TIMESTAMPS, ORDER].concat()
}
