//! Optimization.java: the same programs with `topology.optimization` off and on, and stores of a
//! program's own.

use std::sync::Arc;
use std::time::Duration;

use streams_core::store::{StoreAccess, StoreBuilder, TaskKeyValueStore};
use streams_core::topology::Source;
use streams_core::{Record, Result, Topology, TopologyBuilder};
use streams_dsl::serde::{I64, Utf8Lossy};
use streams_dsl::{
    Consumed, Grouped, JoinWindows, Joined, KGroupedStream, KStream, KTable, KeyValueStore,
    Materialized, Processor, ProcessorContext, ProcessorError, Repartitioned, StoreType,
    StreamJoined, StreamsBuilder, TimeWindows,
};

use crate::program::{Program, check, note};
use crate::table::{WithText as _, store};
use crate::text::{
    TEXT, Text, counts, keyed as not_null, or_null, plain, rows, stream, table, topic,
};

const COUNTS: KeyValueStore<String, i64> = KeyValueStore::named("counts");

/// Both twins of a program.
macro_rules! both {
    ($name:literal, $build:expr) => {
        [
            Program::dsl(concat!($name, "-plain"), $build),
            Program::dsl(concat!($name, "-optimized"), $build),
        ]
    };
}

/// The records of `in` with their values as keys; like the JVM's, what follows skips those without.
fn keyed(b: &StreamsBuilder) -> KStream<String, Text> {
    let swapped = stream(b, "in").map(|key, value| (value, key));
    swapped.skip_null_keys()
}

fn text() -> Grouped<String, Text> {
    Grouped::new()
        .with_key_serde(Utf8Lossy)
        .with_value_serde(TEXT)
}

fn grouped(stream: KStream<String, Text>) -> KGroupedStream<String, String> {
    stream.group_by_key_with(text()).skip_null_values()
}

fn auto<V>() -> Materialized<String, V> {
    Materialized::new()
}

fn counted(table: KTable<String, i64>, name: &str) {
    table.to_stream().to(&counts(name));
}

fn plus(one: &String, other: &String) -> String {
    format!("{one}{other}")
}

fn within() -> JoinWindows {
    JoinWindows::of_time_difference_with_no_grace(Duration::from_millis(5))
}

fn two_aggregations(b: &StreamsBuilder) {
    let grouped = grouped(keyed(b));
    counted(grouped.clone().count(auto()), "out-1");
    let reduced = grouped.reduce(|x, y| x + &y, auto().with_text());
    reduced.to_stream().to(&rows("out-2"));
}

fn two_groups(b: &StreamsBuilder) {
    let keyed = keyed(b);
    counted(grouped(keyed.clone()).count(auto()), "out-1");
    let windows = TimeWindows::tumbling(Duration::from_millis(5));
    let windowed = keyed.group_by_key_with(text()).windowed_by(windows);
    let counted = windowed.count(Materialized::new()).to_stream();
    counted
        .select_key(|key, _| key.key.clone())
        .to(&counts("out-2"));
}

fn aggregation_and_join(b: &StreamsBuilder) {
    let keyed = keyed(b);
    let filtered = keyed.clone().filter(|_, value| value.is_some());
    counted(grouped(filtered).count(auto()), "out-1");
    let marked = keyed
        .clone()
        .map_values(|value| crate::text::plus(&value, "!"));
    let joined = Joined::new()
        .with_key_serde(Utf8Lossy)
        .with_value_serde(Utf8Lossy);
    let table = table(b, "table");
    let marked = marked.skip_null_values();
    let joined = marked.join_table_with(&table, joined, |_, x, y: String| x + &y);
    joined.to(&plain("out-2"));
    keyed.peek(|key, _| note(key.clone())).to(&rows("out-3"));
}

fn stream_joins(b: &StreamsBuilder) {
    let keyed = keyed(b).skip_null_values();
    let other = not_null(b, "other").skip_null_values();
    let serdes = || {
        StreamJoined::new()
            .with_key_serde(Utf8Lossy)
            .with_value_serde(Utf8Lossy)
            .with_other_value_serde(Utf8Lossy)
    };
    let inner = |_: &String, x: &String, y: &String| plus(x, y);
    let left = |_: &String, x: &String, y: Option<&String>| {
        format!("{x}{}", y.map_or("null", String::as_str))
    };
    let joined = keyed
        .clone()
        .join_with(other.clone(), within(), serdes(), inner);
    joined.to(&plain("out-1"));
    let joined = keyed.left_join_with(other, within(), serdes(), left);
    joined.to(&plain("out-2"));
}

fn two_key_changes(b: &StreamsBuilder) {
    let keyed = keyed(b);
    let again = keyed.clone().select_key(|_, value| value.clone());
    counted(grouped(again.skip_null_keys()).count(auto()), "out-1");
    counted(grouped(keyed).count(auto()), "out-2");
}

fn named_groups(b: &StreamsBuilder) {
    let keyed = keyed(b);
    let first = keyed.clone().group_by_key_with(text().named("first"));
    counted(first.skip_null_values().count(auto()), "out-1");
    let second = keyed.group_by_key_with(text().named("second"));
    counted(second.skip_null_values().count(auto()), "out-2");
}

fn repartition_and_groups(b: &StreamsBuilder) {
    let serdes = Repartitioned::new()
        .with_key_serde(Utf8Lossy)
        .with_value_serde(TEXT);
    let keyed = keyed(b).repartition(serdes).named("once");
    counted(grouped(keyed.clone()).count(auto()), "out-1");
    let by_value = keyed.select_key(|_, value| value.clone());
    counted(grouped(by_value.skip_null_keys()).count(auto()), "out-2");
}

fn merged(b: &StreamsBuilder) {
    let swapped = stream(b, "in").map(|key, value| (value, key));
    let other = stream(b, "other").select_key(|_, value| value.clone());
    let merged = swapped.merge(other).skip_null_keys();
    counted(grouped(merged).count(auto()), "out");
}

fn source_topic(b: &StreamsBuilder) {
    let kept = table(b, "in").filter_as(|_, _| true, store("kept"));
    kept.to_stream().to(&rows("out"));
}

fn source_joined(b: &StreamsBuilder) {
    let left = not_null(b, "left").skip_null_values();
    let joined = left.join_table(&table(b, "right"), |x, y| x + &y);
    joined.to(&plain("out"));
}

fn source_and_count(b: &StreamsBuilder) {
    let table = b.table_as(&plain("in"), store("fruit"));
    let swapped = |key: &String, value| (value, key.clone());
    let grouped_table = table.group_by(Utf8Lossy, Utf8Lossy, swapped);
    counted(grouped_table.count(auto()), "out");
    let by_value = stream(b, "other").select_key(|_, value| value.clone());
    counted(grouped(by_value.skip_null_keys()).count(auto()), "out-2");
}

fn self_join(b: &StreamsBuilder) {
    let input = stream(b, "in").skip_null_keys();
    let values = input.clone().skip_null_values();
    values
        .clone()
        .join(values, within(), plus)
        .to(&plain("out-1"));
    counted(grouped(input).count(auto()), "out-2");
}

fn programs_of_both() -> Vec<Program> {
    [
        both!("two-aggregations-of-one-group", two_aggregations),
        both!("two-groups-of-one-key-change", two_groups),
        both!(
            "aggregation-and-join-of-one-key-change",
            aggregation_and_join
        ),
        both!("stream-joins-of-one-key-change", stream_joins),
        both!("two-key-changes", two_key_changes),
        both!("named-groups-of-one-key-change", named_groups),
        both!("explicit-repartition-and-groups", repartition_and_groups),
        both!("merged-streams-grouped", merged),
        both!("table-source-topic", source_topic),
        both!("table-source-joined", source_joined),
        both!("table-source-and-count", source_and_count),
        both!("self-join-and-aggregation", self_join),
    ]
    .concat()
}

/// Counts per key in a store, and forwards the count.
pub(crate) struct Count(TaskKeyValueStore<String, i64>);

impl Count {
    pub(crate) fn new(stores: &StoreAccess<'_>) -> Result<Self> {
        Ok(Self(stores.key_value(&COUNTS)?))
    }
}

impl Processor<Text, Text, Text, Text> for Count {
    fn process(
        &mut self,
        context: &mut ProcessorContext<'_, Text, Text>,
        record: Record<Text, Text>,
    ) -> std::result::Result<(), ProcessorError> {
        let key = record.key.clone().unwrap_or_default();
        let now = self.0.get(&key)?.unwrap_or(0) + 1;
        let is_reset = record.value.as_deref() == Some("reset");
        self.0.put(&key, (!is_reset).then_some(&now))?;
        context.forward(record.with_value(Some(now.to_string())));
        Ok(())
    }
}

/// The store that [`Count`] uses.
pub(crate) fn counts_store() -> StoreBuilder {
    StoreBuilder::key_value("counts", Arc::new(Utf8Lossy), Arc::new(I64))
}

/// Notes the records of a global store's topic.
struct NoteGlobal;

impl Processor<Text, Text, (), ()> for NoteGlobal {
    fn process(
        &mut self,
        _context: &mut ProcessorContext<'_, (), ()>,
        record: Record<Text, Text>,
    ) -> std::result::Result<(), ProcessorError> {
        let (key, value) = (or_null(&record.key), or_null(&record.value));
        note(format!("global {key}={value}"));
        Ok(())
    }
}

/// Reads the topic that its store is filled from.
struct Reader;

impl Processor<String, i64, (), ()> for Reader {
    fn process(
        &mut self,
        _context: &mut ProcessorContext<'_, (), ()>,
        record: Record<String, i64>,
    ) -> std::result::Result<(), ProcessorError> {
        note(format!("read {}", record.key));
        Ok(())
    }
}

fn read_only_store() -> Result<Topology> {
    let mut builder = TopologyBuilder::new();
    let source = Source::topics(["in"], Arc::new(Utf8Lossy), Arc::new(I64));
    let source = builder.add_source("source", source)?;
    let store = counts_store().with_store_type(StoreType::InMemory);
    builder.add_state_store(store.with_source_topic("in"))?;
    let stores = ["counts".into()];
    builder.add_stateful_processor::<_, _, (), (), _>(
        "reader",
        |_| Ok(Reader),
        &[source],
        &stores,
    )?;
    builder.build()
}

const OTHERS: &[Program] = &[
    Program::dsl("word-count-naming-enforced", |b| {
        let keyed = stream(b, "in").select_key(|_, value| value.clone());
        let keyed = keyed.named("by-word").skip_null_keys();
        let grouped = keyed.group_by_key_with(text().named("by-word"));
        counted(grouped.skip_null_values().count(&COUNTS), "out");
    }),
    Program::dsl("word-count-in-memory", |b| {
        let keyed = stream(b, "in").select_key(|_, value| value.clone());
        counted(grouped(keyed.skip_null_keys()).count(auto()), "out");
    }),
    Program::dsl("process-with-store", |b| {
        b.add_state_store(counts_store());
        let counted = stream(b, "in").process_with(Count::new, ["counts"]);
        counted.to(&topic("out"));
    }),
    Program::dsl("process-two-with-one-store", |b| {
        b.add_state_store(counts_store().with_store_type(StoreType::InMemory));
        let left = stream(b, "left").process_with(Count::new, ["counts"]);
        left.to(&topic("out-1"));
        let right = stream(b, "right").process_with(Count::new, ["counts"]);
        right.to(&topic("out-2"));
    }),
    Program::dsl("global-store", |b| {
        let all = StoreBuilder::key_value("all", Arc::new(Utf8Lossy), Arc::new(Utf8Lossy));
        let all = all.with_store_type(StoreType::InMemory);
        b.add_global_store(all, &topic("in"), Consumed::new(), |_| Ok(NoteGlobal));
    }),
    Program::papi("read-only-store", read_only_store),
];

#[test]
fn optimized_programs_are_as_on_the_jvm() {
    check(&programs_of_both(), &[]);
}

#[test]
fn stores_of_a_program_are_as_on_the_jvm() {
    check(OTHERS, &[]);
}

/// The twins in this file.
pub(crate) fn programs() -> Vec<Program> {
    [programs_of_both(), OTHERS.to_vec()].concat()
}
