//! Table.java: tables.

use std::time::Duration;

use streams_dsl::serde::{I32, I64, Nullable, Utf8Lossy};
use streams_dsl::{
    KStream, KeyValueStore, Materialized, ProcessorError, StoreType, StreamsBuilder, Topic,
    ValueTransformer,
};

use crate::program::{Program, check, note};
use crate::text::{Text, counts, keyed, or_null, plain, rows, stream, table};

/// A store of text by this name.
pub(crate) fn store(name: &'static str) -> Materialized<String, String> {
    Materialized::named(name)
}

fn has_an(_: &String, value: &String) -> bool {
    value.contains("an")
}

/// The table of `in`, in a store by name.
fn fruit(b: &StreamsBuilder) -> streams_dsl::KTable<String, String> {
    b.table_as(&plain("in"), store("fruit"))
}

fn to_out(stream: KStream<String, Text>) {
    stream.to(&rows("out"));
}

/// New keys of the values, which may be null.
fn by_value(b: &StreamsBuilder) -> KStream<String, Text> {
    stream(b, "in")
        .map(|key, value| (value, key))
        .skip_null_keys()
}

/// Appends the key, or says there is nothing.
struct Describe;

impl Describe {
    fn new() -> Self {
        note("init");
        Self
    }
}

impl ValueTransformer<String, String, String> for Describe {
    fn transform(
        &mut self,
        key: &String,
        value: Text,
        _timestamp_ms: i64,
    ) -> Result<Text, ProcessorError> {
        note(format!("transform {key}={}", or_null(&value)));
        Ok(value.map(|value| format!("{key}:{value}")))
    }

    fn close(&mut self) {
        note("close");
    }
}

const VERSIONS: Duration = Duration::from_secs(1);

const PROGRAMS: &[Program] = &[
    Program::dsl("table", |b| to_out(table(b, "in").to_stream())),
    Program::dsl("table-only", |b| drop(table(b, "in"))),
    Program::dsl("table-named-store", |b| to_out(fruit(b).to_stream())),
    Program::dsl("table-named-source", |b| {
        to_out(fruit(b).named("read").to_stream())
    }),
    Program::dsl("table-serdes", |b| {
        let numbers = Topic::<String, i32>::new("in", Utf8Lossy, I32);
        let out = Topic::new("out", Utf8Lossy, Nullable(I32));
        b.table(&numbers).to_stream().to(&out);
    }),
    Program::dsl("table-optimized", |b| to_out(fruit(b).to_stream())),
    Program::dsl("table-two-children", |b| {
        let table = fruit(b);
        table.clone().to_stream().to(&rows("out-1"));
        table.filter(has_an).to_stream().to(&rows("out-2"));
    }),
    Program::dsl("table-filter", |b| {
        to_out(table(b, "in").filter(has_an).to_stream())
    }),
    Program::dsl("table-filter-named", |b| {
        to_out(table(b, "in").filter(has_an).named("with-an").to_stream());
    }),
    Program::dsl("table-filter-materialized", |b| {
        to_out(table(b, "in").filter_as(has_an, store("kept")).to_stream());
    }),
    Program::dsl("table-filter-not", |b| {
        to_out(table(b, "in").filter_not(has_an).to_stream())
    }),
    Program::dsl("table-filter-not-materialized", |b| {
        let kept = table(b, "in").filter_not_as(has_an, store("kept"));
        to_out(kept.named("without-an").to_stream());
    }),
    Program::dsl("table-filter-of-materialized-table", |b| {
        to_out(
            fruit(b)
                .filter(has_an)
                .to_stream()
                .map_values(|value| value)
                .with_text(),
        );
    }),
    Program::dsl("table-map-values", |b| {
        to_out(table(b, "in").map_values(|value| value + "!").to_stream());
    }),
    Program::dsl("table-map-values-with-key", |b| {
        let joined = table(b, "in").map_values_with_key(|key, value| format!("{key}{value}"));
        to_out(joined.to_stream());
    }),
    Program::dsl("table-map-values-named", |b| {
        let same = table(b, "in").map_values(|value| value).named("same");
        to_out(same.to_stream().named("stream"));
    }),
    Program::dsl("table-map-values-materialized", |b| {
        const LENGTHS: KeyValueStore<String, i64> = KeyValueStore::named("lengths");
        let lengths = Materialized::from(&LENGTHS).with_value_serde(I64);
        let lengths = table(b, "in").map_values_as(|_, v| Some(v.chars().count() as i64), lengths);
        lengths.to_stream().to(&counts("out"));
    }),
    Program::dsl("table-map-values-to-null", |b| {
        let kept = table(b, "in").filter_map_values(|key, value| {
            (!value.is_empty() && !has_an(key, &value)).then_some(value)
        });
        to_out(kept.to_stream());
    }),
    Program::dsl("table-transform-values", |b| {
        to_out(table(b, "in").transform_values(Describe::new).to_stream());
    }),
    Program::dsl("table-transform-values-materialized", |b| {
        let described = store("described").with_text();
        let table = table(b, "in").transform_values_as(Describe::new, described);
        to_out(table.to_stream());
    }),
    Program::dsl("table-chain", |b| {
        let lengths = table(b, "in")
            .filter(|_, value| !value.is_empty())
            .map_values(|value| value.len());
        let texts = lengths.map_values(|length| format!("length {length}"));
        to_out(texts.filter_not(|_, text| text.ends_with('6')).to_stream());
    }),
    Program::dsl("table-chain-materialized-end", |b| {
        let full = table(b, "in").filter(|_, value| !value.is_empty());
        let dots = full.map_values_as(|_, value| Some(value + "."), store("dots").with_text());
        to_out(dots.to_stream());
    }),
    Program::dsl("table-to-stream-with-key", |b| {
        let stream = table(b, "in").to_stream_with_key(|key, value| {
            format!("{}/{key}", value.as_deref().unwrap_or("null"))
        });
        to_out(stream);
    }),
    Program::dsl("to-table", |b| {
        to_out(keyed(b, "in").to_table(Materialized::new()).to_stream())
    }),
    Program::dsl("to-table-only", |b| {
        drop(keyed(b, "in").to_table(Materialized::new()))
    }),
    Program::dsl("to-table-named-store", |b| {
        to_out(keyed(b, "in").to_table(store("fruit")).to_stream());
    }),
    Program::dsl("to-table-named", |b| {
        let table = keyed(b, "in").to_table(Materialized::new()).named("table");
        to_out(table.map_values(|value| value).to_stream());
    }),
    Program::dsl("to-table-after-map", |b| {
        to_out(
            by_value(b)
                .to_table(Materialized::new().with_text())
                .to_stream(),
        );
    }),
    Program::dsl("to-table-after-map-named", |b| {
        let keyed = stream(b, "in").select_key(|_, value| value.clone());
        let table = keyed.skip_null_keys().to_table(store("values").with_text());
        to_out(table.named("by-value").to_stream());
    }),
    Program::dsl("table-in-memory", |b| {
        let fruit = store("fruit").with_store_type(StoreType::InMemory);
        to_out(b.table_as(&plain("in"), fruit).to_stream());
    }),
    Program::dsl("table-lru", |b| {
        let fruit = store("fruit").with_store_type(StoreType::Lru(1));
        to_out(b.table_as(&plain("in"), fruit).to_stream());
    }),
    Program::dsl("table-no-changelog", |b| {
        to_out(
            keyed(b, "in")
                .to_table(store("fruit").without_logging())
                .to_stream(),
        );
    }),
    Program::dsl("table-changelog-config", |b| {
        let config = [("segment.bytes".to_owned(), "1048576".to_owned())];
        let fruit = store("fruit").with_logging(config.into());
        to_out(keyed(b, "in").to_table(fruit).to_stream());
    }),
    Program::dsl("to-table-versioned", |b| {
        to_out(
            keyed(b, "in")
                .to_table(store("versions").versioned(VERSIONS))
                .to_stream(),
        );
    }),
    Program::dsl("table-versioned-filter", |b| {
        let versions = b.table_as(&plain("in"), store("versions").versioned(VERSIONS));
        to_out(versions.filter(has_an).to_stream());
    }),
    Program::dsl("to-table-cached", |b| {
        to_out(keyed(b, "in").to_table(store("fruit")).to_stream());
    }),
];

/// Says that keys and values are text, where an operator has made new ones.
pub(crate) trait WithText {
    fn with_text(self) -> Self;
}

impl WithText for Materialized<String, String> {
    fn with_text(self) -> Self {
        self.with_key_serde(Utf8Lossy).with_value_serde(Utf8Lossy)
    }
}

impl WithText for KStream<String, Text> {
    fn with_text(self) -> Self {
        self
    }
}

#[test]
fn tables_are_as_on_the_jvm() {
    check(PROGRAMS, &[]);
}

/// The twins in this file.
pub(crate) fn programs() -> Vec<Program> {
    PROGRAMS.to_vec()
}
