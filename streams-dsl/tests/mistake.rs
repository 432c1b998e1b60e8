//! Mistakes that only building a topology can show.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use streams_dsl::serde::{I64, Utf8};
use streams_dsl::{
    AutoOffsetReset, Consumed, ErrorKind, Repartitioned, StreamsBuilder, Topic, TopicPattern,
};

fn topic(name: &str) -> Topic<String, String> {
    Topic::new(name, Utf8, Utf8)
}

fn mistake(build: impl FnOnce(&StreamsBuilder)) -> String {
    let builder = StreamsBuilder::new();
    build(&builder);
    let error = builder.build().expect_err("the program is wrong");
    assert_eq!(error.kind(), ErrorKind::Topology);
    error.to_string()
}

#[track_caller]
fn assert_tells(mistake: &str, what: &[&str]) {
    for part in what {
        assert!(mistake.contains(part), "{mistake:?} does not tell {part:?}");
    }
}

#[test]
fn a_missing_serde_is_told_with_the_operator() {
    let message = mistake(|builder| {
        let rekeyed = builder
            .stream(&topic("in"))
            .select_key(|_, value| value.len() as i64);
        rekeyed
            .repartition(Repartitioned::new())
            .named("by-length")
            .for_each(|_, _| ());
    });
    assert_tells(&message, &["by-length-repartition-source", "no key serde"]);
}

#[test]
fn a_repartition_topic_has_a_partition() {
    let message = mistake(|builder| {
        let none = Repartitioned::new().with_partitions(0);
        builder
            .stream(&topic("in"))
            .repartition(none)
            .to(&topic("out"));
    });
    assert_tells(&message, &["KSTREAM-SOURCE-0000000004", "0 partitions"]);
}

#[test]
fn mistakes_are_told_together() {
    let message = mistake(|builder| {
        let stream = builder.stream(&topic("in")).named("no spaces");
        stream
            .filter(|_, _| true)
            .named("")
            .to(&topic("out"))
            .named("..");
    });
    assert_tells(&message, &["\"no spaces\"", "can't be empty", "\"..\""]);
}

#[test]
fn two_nodes_of_one_name_are_refused() {
    let message = mistake(|builder| {
        let stream = builder
            .stream(&topic("in"))
            .filter(|_, _| true)
            .named("same");
        stream.filter(|_, _| true).named("same").to(&topic("out"));
    });
    assert_tells(&message, &["same", "already been added"]);
}

#[test]
fn sources_that_overlap_are_refused() {
    let message = mistake(|builder| {
        builder.stream(&[topic("a"), topic("b")]).to(&topic("out"));
        builder.stream(&topic("b")).to(&topic("out"));
    });
    assert_tells(
        &message,
        &[
            "KSTREAM-SOURCE-0000000000",
            "KSTREAM-SOURCE-0000000002",
            "overlapping but not equal",
        ],
    );
}

#[test]
fn one_topic_has_one_offset_reset_policy() {
    let message = mistake(|builder| {
        let latest = Consumed::new().with_offset_reset(AutoOffsetReset::Latest);
        builder.stream_with(&topic("in"), latest).to(&topic("out"));
        builder.stream(&topic("in")).to(&topic("out"));
    });
    assert_tells(&message, &["different offset reset policies"]);
}

#[test]
fn one_topic_has_one_type() {
    let message = mistake(|builder| {
        builder.stream(&topic("in")).to(&topic("out"));
        let numbers: Topic<String, i64> = Topic::new("in", Utf8, I64);
        builder.stream(&numbers).for_each(|_, _| ());
    });
    assert_tells(
        &message,
        &[
            "KSTREAM-FOREACH-0000000003",
            "KSTREAM-SOURCE-0000000000",
            "i64",
        ],
    );
}

#[test]
fn streams_of_two_programs_cannot_be_merged() {
    let message = mistake(|builder| {
        let other = StreamsBuilder::new().stream(&topic("other"));
        builder.stream(&topic("in")).merge(other).to(&topic("out"));
    });
    assert_tells(&message, &["different builders"]);
}

#[test]
fn a_pattern_must_be_a_regular_expression() {
    let error = TopicPattern::<String, String>::new("in-(", Utf8, Utf8)
        .err()
        .unwrap();
    assert_tells(&error.to_string(), &["in-("]);
}
