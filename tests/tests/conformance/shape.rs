//! Shape.java: whole topologies.

use streams_dsl::{Repartitioned, StreamsBuilder, TopicPattern};

use crate::program::{Program, check, note};
use crate::text::{TEXT, Text, append, is_some, or_null, prepend, stream, topic};

fn text() -> Repartitioned<Text, Text> {
    Repartitioned::new()
        .with_key_serde(TEXT)
        .with_value_serde(TEXT)
}

fn note_value(_: &Text, value: &Text) {
    note(or_null(value));
}

fn users_pipeline(b: &StreamsBuilder) {
    let is_json = |_: &Text, value: &Text| value.as_ref().is_some_and(|v| v.starts_with('{'));
    let contains = |part: &'static str| {
        move |_: &Text, value: &Text| value.as_ref().is_some_and(|value| value.contains(part))
    };
    let users = stream(b, "users").peek(|key, _| note(format!("user {}", or_null(key))));
    let valid = users.clone().filter(is_json);
    users.filter_not(is_json).to(&topic("users-dead-letters"));
    let mut split = valid.split().named("op-");
    let created = split.branch("created", contains("\"c\""));
    created
        .map_values(prepend("created "))
        .to(&topic("user-analytics"));
    let deleted = split.branch("deleted", contains("\"d\""));
    deleted
        .map_values(prepend("deleted "))
        .to(&topic("user-analytics"));
    split.default_branch("other").to(&topic("user-analytics"));
}

fn deep_and_wide(b: &StreamsBuilder) {
    let source = stream(b, "in");
    let left = source.clone().filter(is_some);
    let right = source.map_values(append("?"));
    left.clone()
        .flat_map_values(|value| [value.clone(), value])
        .to(&topic("out-1"));
    let both = left.merge(right);
    both.clone()
        .select_key(|_, value| value.clone())
        .to(&topic("out-2"));
    both.peek(note_value)
        .for_each(|_, value| note(format!("end {}", or_null(&value))));
}

const PROGRAMS: &[Program] = &[
    Program::dsl("two-subtopologies", |b| {
        stream(b, "in-1")
            .map_values(append("1"))
            .to(&topic("out-1"));
        stream(b, "in-2")
            .map_values(append("2"))
            .to(&topic("out-2"));
    }),
    Program::dsl("three-subtopologies-declared-mixed", |b| {
        let (first, second, third) = (stream(b, "in-1"), stream(b, "in-2"), stream(b, "in-3"));
        third.to(&topic("out-3"));
        first.filter(is_some).to(&topic("out-1"));
        second
            .map_values(|value| value)
            .peek(note_value)
            .to(&topic("out-2"));
    }),
    Program::dsl("twelve-subtopologies", |b| {
        for i in 0..12 {
            stream(b, &format!("in-{i}")).to(&topic(&format!("out-{i}")));
        }
    }),
    Program::dsl("sink-as-source", |b| {
        stream(b, "in")
            .map(|key, value| (value, key))
            .to(&topic("middle"));
        stream(b, "middle")
            .filter(|key, _| key.is_some())
            .to(&topic("out"));
    }),
    Program::dsl("several-into-one-sink", |b| {
        stream(b, "in-1").map_values(prepend("1")).to(&topic("out"));
        stream(b, "in-2").map_values(prepend("2")).to(&topic("out"));
        stream(b, "in-3").to(&topic("out"));
    }),
    Program::dsl("several-merged", |b| {
        let two = stream(b, "in-1").merge(stream(b, "in-2"));
        two.merge(stream(b, "in-3"))
            .merge(stream(b, "in-4"))
            .to(&topic("out"));
    }),
    Program::dsl("one-source-many-sinks", |b| {
        let source = stream(b, "in");
        for i in 0..5 {
            source.clone().to(&topic(&format!("out-{i}")));
        }
    }),
    Program::dsl("children-in-order", |b| {
        let source = stream(b, "in");
        source
            .clone()
            .map_values(append(" c"))
            .named("c")
            .to(&topic("out"));
        source
            .clone()
            .map_values(append(" a"))
            .named("a")
            .to(&topic("out"));
        source.map_values(append(" b")).named("b").to(&topic("out"));
    }),
    Program::dsl("deep-and-wide", deep_and_wide),
    Program::dsl("repartition-chain-of-subtopologies", |b| {
        let keyed = stream(b, "in").select_key(|_, value| value.clone());
        let once = keyed.repartition(text()).named("once");
        once.clone().to(&topic("out-1"));
        let keyed = once.select_key(|_, value| crate::text::plus(value, "2"));
        keyed.repartition(text()).named("again").to(&topic("out-2"));
        stream(b, "apart").to(&topic("out-3"));
    }),
    Program::dsl("pattern-and-several", |b| {
        let pattern = TopicPattern::new("p-.*", TEXT, TEXT).expect("a pattern");
        let matching = b.stream(&pattern);
        matching
            .merge(b.stream(&["x", "y"].map(topic)))
            .to(&topic("out"));
        stream(b, "z").to(&topic("out"));
    }),
    Program::dsl("unused-branch-of-the-graph", |b| {
        drop(
            stream(b, "in-1")
                .map_values(|value| value)
                .filter(|_, _| true),
        );
        stream(b, "in-2").to(&topic("out"));
    }),
    Program::dsl("same-topic-two-streams", |b| {
        stream(b, "in").map_values(append("1")).to(&topic("out-1"));
        stream(b, "in").map_values(append("2")).to(&topic("out-2"));
    }),
    Program::dsl("same-topic-in-two-lists", |b| {
        b.stream(&["in", "other"].map(topic)).to(&topic("out-1"));
        b.stream(&["other", "in"].map(topic)).to(&topic("out-2"));
    }),
    Program::dsl("merge-joins-two-sources-into-one-subtopology", |b| {
        let (left, right) = (stream(b, "left"), stream(b, "right"));
        let same = |value: Text| value;
        left.clone()
            .map_values(same)
            .to(&topic("left-out"))
            .named("left-sink");
        right
            .clone()
            .map_values(same)
            .to(&topic("right-out"))
            .named("right-sink");
        left.merge(right)
            .named("both")
            .to(&topic("both-out"))
            .named("both-sink");
    }),
    Program::dsl("users-pipeline", users_pipeline),
];

#[test]
fn whole_shapes_are_as_on_the_jvm() {
    check(PROGRAMS, &[]);
}

/// The twins in this file.
pub(crate) fn programs() -> Vec<Program> {
    PROGRAMS.to_vec()
}
