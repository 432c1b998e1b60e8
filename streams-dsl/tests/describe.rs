//! The texts of topologies, compared with what the JVM says of the same programs
//! (`tests/conformance/streams/describe`).

use std::sync::Arc;

use streams_dsl::serde::{I64, Nullable, Utf8};
use streams_dsl::{
    Consumed, FixedKeyProcessor, FixedKeyProcessorContext, FixedKeyRecord, KStream, Printed,
    Processor, ProcessorContext, ProcessorError, Produced, Record, Repartitioned, StreamsBuilder,
    Topic, TopicPattern,
};

type Text = Option<String>;
type Texts = KStream<Text, Text>;

fn topic(name: &str) -> Topic<Text, Text> {
    Topic::new(name, Nullable(Utf8), Nullable(Utf8))
}

fn from(builder: &StreamsBuilder, name: &str) -> Texts {
    builder.stream(&topic(name))
}

/// Compares a program with the JVM's text of it.
fn assert_described_as(program: &str, build: impl FnOnce(&StreamsBuilder)) {
    let builder = StreamsBuilder::new();
    build(&builder);
    let text = builder
        .build()
        .unwrap_or_else(|error| panic!("{program}: {error}"));
    let path = format!(
        "{}/../tests/conformance/streams/describe/{program}.txt",
        env!("CARGO_MANIFEST_DIR")
    );
    let expected = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    assert_eq!(text.describe(), expected, "{program}");
}

fn is_some(_: &Text, value: &Text) -> bool {
    value.is_some()
}

fn starts(with: &'static str) -> impl Fn(&Text, &Text) -> bool + Send + Sync {
    move |_, value| {
        value
            .as_deref()
            .is_some_and(|value| value.starts_with(with))
    }
}

#[test]
fn each_stateless_operator_is_named_as_on_the_jvm() {
    let out = topic("out");
    let check = |program: &str, end: &dyn Fn(Texts)| {
        assert_described_as(program, |builder| end(from(builder, "in")));
    };
    check("filter", &|s| drop(s.filter(is_some).to(&out)));
    check("filter-named", &|s| {
        drop(s.filter(is_some).named("with-an").to(&out))
    });
    check("filter-not", &|s| drop(s.filter_not(is_some).to(&out)));
    check("filter-not-named", &|s| {
        drop(s.filter_not(is_some).named("without-an").to(&out))
    });
    check("map", &|s| drop(s.map(|k, v| (v, k)).to(&out)));
    check("map-named", &|s| {
        drop(s.map(|k, v| (v, k)).named("swap").to(&out))
    });
    check("map-values", &|s| drop(s.map_values(|v| v).to(&out)));
    check("map-values-named", &|s| {
        drop(s.map_values(|v| v).named("upper").to(&out))
    });
    check("map-values-with-key", &|s| {
        drop(s.map_values_with_key(|_, v| v).to(&out))
    });
    check("map-values-with-key-named", &|s| {
        drop(s.map_values_with_key(|_, v| v).named("pair").to(&out));
    });
    check("select-key", &|s| {
        drop(s.select_key(|_, v| v.clone()).to(&out))
    });
    check("select-key-named", &|s| {
        drop(s.select_key(|_, v| v.clone()).named("by-value").to(&out));
    });
    check("flat-map", &|s| drop(s.flat_map(|k, v| [(v, k)]).to(&out)));
    check("flat-map-named", &|s| {
        drop(s.flat_map(|k, v| [(v, k)]).named("twice").to(&out))
    });
    check("flat-map-values", &|s| {
        drop(s.flat_map_values(|v| [v]).to(&out))
    });
    check("flat-map-values-named", &|s| {
        drop(s.flat_map_values(|v| [v]).named("letters").to(&out));
    });
    check("flat-map-values-with-key", &|s| {
        drop(s.flat_map_values_with_key(|_, v| [v]).to(&out));
    });
    check("peek", &|s| drop(s.peek(|_, _| ()).to(&out)));
    check("peek-named", &|s| {
        drop(s.peek(|_, _| ()).named("look").to(&out))
    });
    check("for-each", &|s| drop(s.for_each(|_, _| ())));
    check("for-each-named", &|s| s.for_each(|_, _| ()).named("act"));
    check("print", &|s| {
        drop(s.print(Printed::new(|k, v| format!("{k:?}, {v:?}"))))
    });
    check("print-named", &|s| {
        s.print(Printed::new(|_, _| String::new())).named("show")
    });
}

#[test]
fn sources_and_sinks_are_named_as_on_the_jvm() {
    let out = topic("out");
    assert_described_as("stream-only", |b| drop(from(b, "in")));
    assert_described_as("stream-to", |b| drop(from(b, "in").to(&out)));
    assert_described_as("stream-named", |b| {
        drop(from(b, "in").named("read").to(&out))
    });
    assert_described_as("to-named", |b| from(b, "in").to(&out).named("write"));
    assert_described_as("stream-several", |b| {
        let topics = ["in-b", "in-a", "in-c"].map(topic);
        b.stream(&topics).map_values(|v| v).to(&out);
    });
    assert_described_as("stream-pattern-named", |b| {
        let pattern = TopicPattern::new("in-.*", Nullable(Utf8), Nullable(Utf8)).unwrap();
        b.stream(&pattern).named("read").to(&out);
    });
    assert_described_as("pattern-and-several", |b| {
        let pattern = TopicPattern::new("p-.*", Nullable(Utf8), Nullable(Utf8)).unwrap();
        b.stream(&pattern)
            .merge(b.stream(&["x", "y"].map(topic)))
            .to(&out);
        from(b, "z").to(&out);
    });
    assert_described_as("to-partitioner", |b| {
        let first = |_: &str, _: &Text, _: &Text, _: i32| Some(vec![0]);
        from(b, "in").to_with(&out, Produced::new().with_partitioner(first));
    });
    assert_described_as("to-own-source", |b| {
        from(b, "in")
            .filter(is_some)
            .map_values(|v| v)
            .to(&topic("in"));
    });
    assert_described_as("same-topic-two-streams", |b| {
        from(b, "in").map_values(|v| v).to(&topic("out-1"));
        from(b, "in").map_values(|v| v).to(&topic("out-2"));
    });
    assert_described_as("same-topic-in-two-lists", |b| {
        b.stream(&["in", "other"].map(topic)).to(&topic("out-1"));
        b.stream(&["other", "in"].map(topic)).to(&topic("out-2"));
    });
    assert_described_as("timestamp-extractor", |b| {
        let consumed =
            Consumed::new().with_timestamp_extractor(streams_dsl::WallclockTimestampExtractor);
        b.stream_with(&topic("in"), consumed).to(&out);
    });
}

#[test]
fn branches_and_merges_are_named_as_on_the_jvm() {
    let out = topic("out");
    assert_described_as("split-default", |b| {
        let mut split = from(b, "in").split();
        let first = split.branch("1", starts("a"));
        let second = split.branch("2", starts("b"));
        split
            .default_branch("0")
            .to(&topic("out-KSTREAM-BRANCH-00000000010"));
        first.to(&topic("out-KSTREAM-BRANCH-00000000011"));
        second.to(&topic("out-KSTREAM-BRANCH-00000000012"));
    });
    assert_described_as("split-with-consumer", |b| {
        let mut split = from(b, "in").split();
        split.branch("1", starts("a")).to(&topic("a"));
        split
            .branch("2", starts("b"))
            .map_values(|v| v)
            .to(&topic("b"));
        split.default_branch("0").to(&topic("rest"));
    });
    assert_described_as("split-with-consumer-named", |b| {
        let mut split = from(b, "in").split().named("route-");
        split.branch("a", starts("a")).to(&topic("a"));
        split.default_branch("rest").to(&topic("rest"));
    });
    assert_described_as("split-nested", |b| {
        let mut outer = from(b, "in").split().named("outer-");
        let mut inner = outer.branch("present", is_some).split().named("inner-");
        inner.branch("a", starts("a")).to(&topic("inner-a"));
        inner.default_branch("rest").to(&topic("inner-rest"));
        outer.default_branch("absent").to(&topic("absent"));
    });
    assert_described_as("split-unused", |b| {
        from(b, "in").split().branch("1", starts("a"));
    });
    assert_described_as("merge-named", |b| {
        let stream = from(b, "in");
        stream.merge(from(b, "other")).named("both").to(&out);
    });
    assert_described_as("merge-with-itself", |b| {
        let stream = from(b, "in");
        stream.clone().merge(stream).to(&out);
    });
    assert_described_as("several-merged", |b| {
        let merged = from(b, "in-1").merge(from(b, "in-2"));
        merged
            .merge(from(b, "in-3"))
            .merge(from(b, "in-4"))
            .to(&out);
    });
    assert_described_as("deep-and-wide", |b| {
        let stream = from(b, "in");
        let left = stream.clone().filter(is_some);
        let right = stream.map_values(|v| v);
        left.clone()
            .flat_map_values(|v| [v.clone(), v])
            .to(&topic("out-1"));
        let both = left.merge(right);
        both.clone()
            .select_key(|_, v| v.clone())
            .to(&topic("out-2"));
        both.peek(|_, _| ()).for_each(|_, _| ());
    });
    assert_described_as("merge-order", |b| {
        let stream = from(b, "in");
        let second = stream.clone().map_values(|v| v);
        let first = stream.map_values(|v| v);
        first.merge(second).to(&out);
    });
}

#[test]
fn repartition_topics_are_named_as_on_the_jvm() {
    let out = topic("out");
    let plain = Repartitioned::new;
    assert_described_as("repartition", |b| {
        drop(from(b, "in").repartition(plain()).to(&out))
    });
    assert_described_as("repartition-named-partitions", |b| {
        let three = plain().with_partitions(3);
        from(b, "in").repartition(three).named("by-key").to(&out);
    });
    assert_described_as("repartition-merged", |b| {
        let stream = from(b, "in");
        stream.merge(from(b, "other")).repartition(plain()).to(&out);
    });
    assert_described_as("repartition-twice-unnamed", |b| {
        let once = from(b, "in").repartition(plain()).map_values(|v| v);
        once.repartition(plain().with_value_serde(Nullable(Utf8)))
            .to(&out);
    });
    assert_described_as("repartition-two-from-one", |b| {
        let keyed = from(b, "in").select_key(|_, v| v.clone());
        let text = || plain().with_key_serde(Nullable(Utf8));
        keyed
            .clone()
            .repartition(text())
            .named("one")
            .to(&topic("out-one"));
        keyed.repartition(text()).named("two").to(&topic("out-two"));
    });
    assert_described_as("repartition-serdes", |b| {
        let lengths = from(b, "in").map_values(|v| v.map_or(-1, |v| v.len() as i64));
        let texts = lengths.repartition(Repartitioned::new().with_value_serde(I64));
        texts.map_values(|v| Some(v.to_string())).to(&out);
    });
}

struct Forward;

impl Processor<Text, Text, Text, Text> for Forward {
    fn process(
        &mut self,
        context: &mut ProcessorContext<'_, Text, Text>,
        record: Record<Text, Text>,
    ) -> Result<(), ProcessorError> {
        context.forward(record);
        Ok(())
    }
}

impl FixedKeyProcessor<Text, Text, Text> for Forward {
    fn process(
        &mut self,
        context: &mut FixedKeyProcessorContext<'_, Text, Text>,
        record: FixedKeyRecord<Text, Text>,
    ) -> Result<(), ProcessorError> {
        context.forward(record);
        Ok(())
    }
}

#[test]
fn a_named_processor_takes_no_number() {
    let out = topic("out");
    assert_described_as("process", |b| {
        drop(from(b, "in").process(|| Forward).to(&out))
    });
    assert_described_as("process-named", |b| {
        from(b, "in").process(|| Forward).named("stamp").to(&out);
    });
    assert_described_as("process-values", |b| {
        from(b, "in").process_values(|| Forward).to(&out);
    });
    assert_described_as("process-values-named", |b| {
        from(b, "in")
            .process_values(|| Forward)
            .named("reheader")
            .to(&out);
    });
}

#[test]
fn subtopologies_are_numbered_as_on_the_jvm() {
    assert_described_as("three-subtopologies-declared-mixed", |b| {
        let (first, second, third) = (from(b, "in-1"), from(b, "in-2"), from(b, "in-3"));
        third.to(&topic("out-3"));
        first.filter(is_some).to(&topic("out-1"));
        second.map_values(|v| v).peek(|_, _| ()).to(&topic("out-2"));
    });
    assert_described_as("one-source-many-sinks", |b| {
        let stream = from(b, "in");
        (0..5).for_each(|i| drop(stream.clone().to(&topic(&format!("out-{i}")))));
    });
    assert_described_as("merge-joins-two-sources-into-one-subtopology", |b| {
        let (left, right) = (from(b, "left"), from(b, "right"));
        left.clone()
            .map_values(|v| v)
            .to(&topic("left-out"))
            .named("left-sink");
        right
            .clone()
            .map_values(|v| v)
            .to(&topic("right-out"))
            .named("right-sink");
        left.merge(right)
            .named("both")
            .to(&topic("both-out"))
            .named("both-sink");
    });
}

#[test]
fn a_step_that_the_jvm_has_not_shifts_no_number() {
    let builder = StreamsBuilder::new();
    let stream = from(&builder, "in").skip_null_keys().skip_null_values();
    stream
        .filter(|_, value| !value.is_empty())
        .for_each(|_, _| ());
    let text = builder.build().unwrap().describe();
    assert!(
        text.contains("KSTREAM-SOURCE-0000000000-skip-null-keys-skip-null-values "),
        "{text}"
    );
    assert!(text.contains("KSTREAM-FILTER-0000000001"), "{text}");
}

#[test]
fn an_extractor_takes_the_place_of_a_topic() {
    let builder = StreamsBuilder::new();
    let to: Arc<str> = "out".into();
    let stream = from(&builder, "in");
    stream.to_extracted(move |_, _| Arc::clone(&to), Nullable(Utf8), Nullable(Utf8));
    let text = builder.build().unwrap().describe();
    assert!(
        text.contains("Sink: KSTREAM-SINK-0000000001 (extractor class: "),
        "{text}"
    );
}
