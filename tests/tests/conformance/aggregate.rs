//! Aggregate.java: count, reduce and aggregate on grouped streams.

use streams_dsl::serde::{I32, I64, Nullable, Utf8Lossy};
use streams_dsl::{
    Grouped, KGroupedStream, KTable, KeyValueStore, Materialized, Repartitioned, StoreType,
    StreamsBuilder, Topic,
};

use crate::process::{Reheader, Stamp};
use crate::program::{Program, check};
use crate::table::{WithText as _, store};
use crate::text::{TEXT, Text, counts, keyed, rows, stream};

const COUNTS: KeyValueStore<String, i64> = KeyValueStore::named("counts");

/// The records of `in`, grouped; like the JVM's, the aggregations skip what has no key or value.
fn grouped(b: &StreamsBuilder) -> KGroupedStream<String, String> {
    keyed(b, "in").group_by_key().skip_null_values()
}

fn auto<V>() -> Materialized<String, V> {
    Materialized::new()
}

fn counted(table: KTable<String, i64>) {
    table.to_stream().to(&counts("out"));
}

fn collected(table: KTable<String, String>) {
    table.to_stream().to(&rows("out"));
}

fn by_value() -> Grouped<String, Text> {
    Grouped::new()
        .with_key_serde(Utf8Lossy)
        .with_value_serde(TEXT)
}

/// The records of `in` with their values as keys; what has no value has no key.
fn values(b: &StreamsBuilder) -> streams_dsl::KStream<String, Text> {
    stream(b, "in")
        .select_key(|_, value| value.clone())
        .skip_null_keys()
}

fn length(text: &Text) -> i32 {
    text.as_ref().map_or(0, |text| text.chars().count() as i32)
}

const PROGRAMS: &[Program] = &[
    Program::dsl("count", |b| counted(grouped(b).count(auto()))),
    Program::dsl("count-named-store", |b| counted(grouped(b).count(&COUNTS))),
    Program::dsl("count-named", |b| {
        counted(grouped(b).count(auto()).named("counter"))
    }),
    Program::dsl("count-named-both", |b| {
        counted(grouped(b).count(&COUNTS).named("counter"))
    }),
    Program::dsl("count-only", |b| drop(grouped(b).count(auto()))),
    Program::dsl("count-exactly-once", |b| counted(grouped(b).count(&COUNTS))),
    Program::dsl("count-no-changelog", |b| {
        counted(grouped(b).count(Materialized::from(&COUNTS).without_logging()));
    }),
    Program::dsl("count-filtered", |b| {
        counted(grouped(b).count(&COUNTS).filter(|_, count| count % 2 == 0));
    }),
    Program::dsl("count-in-memory", |b| {
        let in_memory = Materialized::from(&COUNTS).with_store_type(StoreType::InMemory);
        counted(grouped(b).count(in_memory));
    }),
    Program::dsl("count-store-headers", |b| {
        counted(grouped(b).count(&COUNTS))
    }),
    Program::dsl("reduce", |b| {
        collected(grouped(b).reduce(|old, now| format!("{old},{now}"), auto().with_text()));
    }),
    Program::dsl("reduce-named", |b| {
        let joined = store("joined").with_text();
        let reduced = grouped(b).reduce(|old, now| format!("{old},{now}"), joined);
        collected(reduced.named("joiner"));
    }),
    Program::dsl("reduce-to-null", |b| {
        let short = store("short").with_text();
        let add = |old: String, now| (old.len() <= 2).then(|| format!("{old}{now}"));
        collected(grouped(b).reduce_or_delete(add, short));
    }),
    Program::dsl("aggregate", |b| {
        let sums = auto().with_value_serde(I64);
        let add = |_: &String, value: String, sum| sum + value.parse::<i64>().expect("a number");
        counted(grouped(b).aggregate(|| 0, add, sums));
    }),
    Program::dsl("aggregate-named", |b| {
        let add = |key: &String, value, text| format!("{text}{key}{value}");
        let texts = grouped(b).aggregate(String::new, add, store("texts").with_text());
        collected(texts.named("collect"));
    }),
    Program::dsl("aggregate-to-null", |b| {
        let add = |_: &String, value: String, text: String| {
            (value != "drop").then(|| format!("{text}{value}"))
        };
        let start = || "start".to_owned();
        let texts = store("texts").with_text();
        collected(grouped(b).aggregate_or_delete(start, add, texts));
    }),
    Program::dsl("group-by", |b| {
        counted(
            values(b)
                .group_by_key_with(by_value())
                .skip_null_values()
                .count(auto()),
        );
    }),
    Program::dsl("group-by-named", |b| {
        let keyed = stream(b, "in").select_key(|_, value| value.clone());
        let keyed = keyed.named("by-value").skip_null_keys();
        let grouped = keyed.group_by_key_with(by_value().named("by-value"));
        counted(grouped.skip_null_values().count(auto()));
    }),
    Program::dsl("group-by-named-store", |b| {
        counted(
            values(b)
                .group_by_key_with(by_value())
                .skip_null_values()
                .count(&COUNTS),
        );
    }),
    Program::dsl("group-by-null", |b| {
        let keyed = stream(b, "in").select_key(|_, value| {
            value
                .as_ref()
                .filter(|value| *value != "3")
                .map(|_| "all".to_owned())
        });
        let grouped = keyed.skip_null_keys().group_by_key_with(by_value());
        counted(grouped.skip_null_values().count(&COUNTS));
    }),
    Program::dsl("group-by-key-after-map", |b| {
        let keyed = stream(b, "in")
            .map(|key, value| (value, key))
            .skip_null_keys();
        counted(
            keyed
                .group_by_key_with(by_value())
                .skip_null_values()
                .count(auto()),
        );
    }),
    Program::dsl("group-by-key-after-select-key-and-filter", |b| {
        let keyed = stream(b, "in").select_key(|_, value| value.clone());
        let keyed = keyed.filter(|_, value| value.is_some()).skip_null_keys();
        let chosen = keyed.group_by_key_with(by_value().named("chosen"));
        counted(chosen.skip_null_values().count(auto()));
    }),
    Program::dsl("group-by-key-after-repartition", |b| {
        let keyed = stream(b, "in").select_key(|_, value| value.clone());
        let text = Repartitioned::new()
            .with_key_serde(TEXT)
            .with_value_serde(TEXT);
        let keyed = keyed.repartition(text).skip_null_keys();
        counted(keyed.group_by_key().skip_null_values().count(auto()));
    }),
    Program::dsl("group-by-key-after-process", |b| {
        let keyed = stream(b, "in").process(|| Stamp("h")).skip_null_keys();
        counted(
            keyed
                .group_by_key_with(by_value())
                .skip_null_values()
                .count(auto()),
        );
    }),
    Program::dsl("group-by-key-after-process-values", |b| {
        let keyed = stream(b, "in").process_values(|| Reheader).skip_null_keys();
        counted(keyed.group_by_key().skip_null_values().count(auto()));
    }),
    Program::dsl("group-by-serdes", |b| {
        let lengths = Grouped::new().with_key_serde(I32).with_value_serde(TEXT);
        let grouped = stream(b, "in").group_by_with(lengths, |_, value| length(value));
        let counts: KTable<i32, i64> = grouped.skip_null_values().count(Materialized::new());
        let out = Topic::new("out", I32, Nullable(I64));
        counts.to_stream().to(&out);
    }),
    Program::dsl("group-by-twice", |b| {
        let stream = stream(b, "in");
        let by_both = stream.clone();
        let keyed = stream.select_key(|_, value| value.clone()).skip_null_keys();
        let grouped = keyed.group_by_key_with(by_value()).skip_null_values();
        let first = grouped.count(Materialized::named("by-value"));
        first.to_stream().to(&counts("out-1"));
        let grouped = by_both.group_by_with(by_value(), |key, value| {
            format!(
                "{}{}",
                crate::text::or_null(key),
                crate::text::or_null(value)
            )
        });
        let second = grouped
            .skip_null_values()
            .count(Materialized::named("by-both"));
        second.to_stream().to(&counts("out-2"));
    }),
    Program::dsl("word-count", |b| {
        let words = stream(b, "in").flat_map_values(|line| {
            let line = line.unwrap_or_default().to_lowercase();
            line.split(' ')
                .map(str::to_owned)
                .map(Some)
                .collect::<Vec<_>>()
        });
        let keyed = words.select_key(|_, word| word.clone()).skip_null_keys();
        let grouped = keyed.group_by_key_with(by_value()).skip_null_values();
        counted(grouped.count(Materialized::named("word-counts")));
    }),
    Program::dsl("count-cached", |b| counted(grouped(b).count(&COUNTS))),
    Program::dsl("count-caching-disabled", |b| {
        counted(grouped(b).count(Materialized::from(&COUNTS).without_caching()));
    }),
    Program::dsl("count-of-count", |b| {
        let counted_once = grouped(b).count(&COUNTS).to_stream();
        let by_count = counted_once.map(|key, count| {
            let count = count.map_or_else(|| "null".to_owned(), |count| count.to_string());
            (count, Some(key))
        });
        let grouped = by_count.group_by_key_with(by_value()).skip_null_values();
        counted(grouped.count(Materialized::named("histogram")));
    }),
];

#[test]
fn aggregations_are_as_on_the_jvm() {
    check(PROGRAMS, &[]);
}

/// The twins in this file.
pub(crate) fn programs() -> Vec<Program> {
    PROGRAMS.to_vec()
}
