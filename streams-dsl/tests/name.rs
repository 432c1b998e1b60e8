//! Names and numbers of what the JVM has not, and of what only one kind of naming shows. All else
//! is compared with the JVM's own texts in the workspace's conformance tests.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use streams_dsl::serde::{Nullable, Utf8};
use streams_dsl::{
    BranchedKStream, FixedKeyProcessor, FixedKeyProcessorContext, FixedKeyRecord, KStream,
    ProcessorError, Repartitioned, StreamsBuilder, Topic, Topology,
};

fn topic(name: &str) -> Topic<String, String> {
    Topic::new(name, Utf8, Utf8)
}

/// The names of the nodes, in the order of the description.
fn names(builder: &StreamsBuilder) -> Vec<String> {
    let text = builder.build().unwrap().describe();
    let lines = text.lines().filter_map(|line| {
        let line = line.trim_start();
        ["Source: ", "Processor: ", "Sink: "]
            .iter()
            .find_map(|kind| line.strip_prefix(kind))
    });
    let names = lines.filter_map(|line| line.split(' ').next());
    names.map(str::to_owned).collect()
}

#[test]
fn a_step_that_the_jvm_has_not_is_not_described_and_shifts_no_number() {
    let input: Topic<Option<String>, Option<String>> =
        Topic::new("in", Nullable(Utf8), Nullable(Utf8));
    let builder = StreamsBuilder::new();
    let stream = builder.stream(&input).skip_null_keys().skip_null_values();
    stream.filter(|_, _| true).to(&topic("out"));
    let expected = "Topologies:\n   Sub-topology: 0\n    \
        Source: KSTREAM-SOURCE-0000000000 (topics: [in])\n      --> KSTREAM-FILTER-0000000001\n    \
        Processor: KSTREAM-FILTER-0000000001 (stores: [])\n      \
        --> KSTREAM-SINK-0000000002\n      \
        <-- KSTREAM-SOURCE-0000000000\n    \
        Sink: KSTREAM-SINK-0000000002 (topic: out)\n      <-- KSTREAM-FILTER-0000000001\n\n";
    assert_eq!(builder.build().unwrap().describe(), expected);
}

#[test]
fn the_same_derived_name_gets_a_number_of_its_own() {
    let input: Topic<Option<String>, String> = Topic::new("in", Nullable(Utf8), Utf8);
    let builder = StreamsBuilder::new();
    let stream = builder.stream(&input).named("read");
    stream.clone().skip_null_keys().to(&topic("one"));
    stream.skip_null_keys().to(&topic("other"));
    let drawing = builder.build().unwrap().to_mermaid();
    assert!(drawing.contains("[\"read-skip-null-keys\"]"), "{drawing}");
    assert!(drawing.contains("[\"read-skip-null-keys-2\"]"), "{drawing}");
}

#[test]
fn a_fallible_step_takes_one_number() {
    let builder = StreamsBuilder::new();
    let stream = builder.stream(&topic("in"));
    let (good, rejected) = stream.try_map_values_keeping(|_, value| value.parse::<i64>());
    rejected.into_dead_letters().for_each(|_, _| ());
    good.named("numbers").for_each(|_, _| ());
    let mut names = names(&builder);
    names.sort();
    assert_eq!(
        names,
        [
            "KSTREAM-FOREACH-0000000002",
            "KSTREAM-FOREACH-0000000003",
            "KSTREAM-SOURCE-0000000000",
            "KSTREAM-TRYMAPVALUES-0000000001",
            "KSTREAM-TRYMAPVALUES-0000000001-rejected",
            "KSTREAM-TRYMAPVALUES-0000000001-rejected-dead-letters",
            "numbers",
        ]
    );
}

struct Forward;

impl FixedKeyProcessor<String, String, String> for Forward {
    fn process(
        &mut self,
        context: &mut FixedKeyProcessorContext<'_, String, String>,
        record: FixedKeyRecord<String, String>,
    ) -> Result<(), ProcessorError> {
        context.forward(record);
        Ok(())
    }
}

#[test]
fn a_named_processor_takes_no_number_and_a_named_filter_does() {
    let builder = StreamsBuilder::new();
    let processed = builder
        .stream(&topic("in"))
        .process_values(|| Forward)
        .named("a");
    processed.filter(|_, _| true).named("b").to(&topic("out"));
    assert_eq!(
        names(&builder),
        [
            "KSTREAM-SOURCE-0000000000",
            "a",
            "b",
            "KSTREAM-SINK-0000000002"
        ]
    );
}

#[test]
fn a_name_given_late_changes_no_other() {
    let builder = StreamsBuilder::new();
    let early = builder.stream(&topic("in")).filter(|_, _| true);
    let late = builder.stream(&topic("other"));
    early.named("early").merge(late).to(&topic("out"));
    assert_eq!(
        names(&builder),
        [
            "KSTREAM-SOURCE-0000000000",
            "KSTREAM-SOURCE-0000000002",
            "early",
            "KSTREAM-MERGE-0000000003",
            "KSTREAM-SINK-0000000004",
        ]
    );
}

#[test]
fn a_repartition_topic_whose_name_has_the_suffix_already_keeps_it() {
    let builder = StreamsBuilder::new();
    let stream = builder
        .stream(&topic("in"))
        .repartition(Repartitioned::new());
    stream.named("by-key-repartition").to(&topic("out"));
    let topology = builder.build().unwrap();
    let [internal] = topology.internal_topics() else {
        panic!("one internal topic, not {:?}", topology.internal_topics());
    };
    assert_eq!(internal.full_name("app"), "app-by-key-repartition");
}

#[test]
fn an_extractor_takes_the_place_of_a_topic() {
    let builder = StreamsBuilder::new();
    let to: Arc<str> = "out".into();
    let stream = builder.stream(&topic("in"));
    stream.to_extracted(move |_, _| Arc::clone(&to), Utf8, Utf8);
    let text = builder.build().unwrap().describe();
    assert!(
        text.contains("Sink: KSTREAM-SINK-0000000001 (extractor class: "),
        "{text}"
    );
}

#[test]
fn a_program_can_be_built_more_than_once() {
    let builder = StreamsBuilder::new();
    let stream = builder.stream(&topic("in"));
    let before = builder.build().unwrap();
    stream.to(&topic("out"));
    assert_eq!(names(&builder).len(), 2);
    assert!(!before.describe().contains("Sink"));
}

#[test]
fn what_a_program_is_made_of_can_move_to_another_thread() {
    fn is_send<T: Send + Sync>() {}
    is_send::<StreamsBuilder>();
    is_send::<KStream<String, String>>();
    is_send::<BranchedKStream<String, String>>();
    is_send::<Topology>();
}
