//! Repartition.java: explicit repartition topics.

use streams_dsl::Repartitioned;
use streams_dsl::serde::I64;

use crate::program::{Program, check, note};
use crate::sink::by_length;
use crate::text::{TEXT, Text, append, or_null, stream, topic};

fn by_value(_: &Text, value: &Text) -> Text {
    value.clone()
}

/// Where the program has made the keys or values, their serdes are given.
fn text() -> Repartitioned<Text, Text> {
    Repartitioned::new()
        .with_key_serde(TEXT)
        .with_value_serde(TEXT)
}

const PROGRAMS: &[Program] = &[
    Program::dsl("repartition", |b| {
        stream(b, "in").repartition(text()).to(&topic("out"));
    }),
    Program::dsl("repartition-named", |b| {
        stream(b, "in")
            .repartition(text())
            .named("by-key")
            .to(&topic("out"));
    }),
    Program::dsl("repartition-partitions", |b| {
        stream(b, "in")
            .repartition(text().with_partitions(6))
            .to(&topic("out"));
    }),
    Program::dsl("repartition-named-partitions", |b| {
        let repartitioned = stream(b, "in").repartition(text().with_partitions(3));
        repartitioned.named("by-key").to(&topic("out"));
    }),
    Program::dsl("repartition-serdes", |b| {
        let lengths = stream(b, "in").map_values(|value| value.map_or(-1, |v| v.len() as i64));
        let repartitioned = lengths.repartition(Repartitioned::new().with_value_serde(I64));
        repartitioned
            .map_values(|value| Some(value.to_string()))
            .to(&topic("out"));
    }),
    Program::dsl("repartition-partitioner", |b| {
        let placed = text().with_partitioner(by_length).with_partitions(4);
        stream(b, "in")
            .repartition(placed)
            .named("placed")
            .to(&topic("out"));
    }),
    Program::dsl("repartition-after-select-key", |b| {
        let keyed = stream(b, "in").select_key(by_value).repartition(text());
        keyed.map_values(append("!")).to(&topic("out"));
    }),
    Program::dsl("repartition-twice", |b| {
        let keyed = stream(b, "in").select_key(by_value).named("by-value");
        let once = keyed
            .repartition(text())
            .named("first")
            .map_values(append("1"));
        let again = once
            .repartition(text())
            .named("second")
            .map_values(append("2"));
        again.to(&topic("out"));
    }),
    Program::dsl("repartition-twice-unnamed", |b| {
        let once = stream(b, "in")
            .repartition(text())
            .map_values(|value| value);
        once.repartition(text()).to(&topic("out"));
    }),
    Program::dsl("repartition-two-from-one", |b| {
        let keyed = stream(b, "in").select_key(by_value);
        keyed
            .clone()
            .repartition(text())
            .named("one")
            .to(&topic("out-one"));
        keyed.repartition(text()).named("two").to(&topic("out-two"));
    }),
    Program::dsl("repartition-merged", |b| {
        let merged = stream(b, "in").merge(stream(b, "other"));
        merged.repartition(text()).to(&topic("out"));
    }),
    Program::dsl("repartition-headers", |b| {
        let swapped = stream(b, "in").map(|key, value| (value, key));
        let repartitioned = swapped.repartition(text()).named("swapped");
        let peeked =
            repartitioned.peek(|key, value| note(format!("{}={}", or_null(key), or_null(value))));
        peeked.to(&topic("out"));
    }),
];

#[test]
fn repartition_topics_are_as_on_the_jvm() {
    check(PROGRAMS, &[]);
}

/// The twins in this file.
pub(crate) fn programs() -> Vec<Program> {
    PROGRAMS.to_vec()
}
