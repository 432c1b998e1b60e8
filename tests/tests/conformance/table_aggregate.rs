//! TableAggregate.java: grouped tables, and streams aggregated together.

use streams_dsl::serde::{I32, I64, Nullable, Utf8Lossy};
use streams_dsl::{
    CogroupedKStream, Grouped, KGroupedStream, KGroupedTable, KTable, KeyValueStore, Materialized,
    SessionWindows, SlidingWindows, StreamsBuilder, TimeWindows, Topic,
};

use crate::program::{Program, check};
use crate::table::{WithText as _, store};
use crate::text::{TEXT, Text, counts, keyed, or_null, rows, stream, table};
use crate::window;
use crate::window::{ms, walked};

const MEMBERS: KeyValueStore<String, i64> = KeyValueStore::named("members");

fn text() -> Grouped<String, String> {
    Grouped::new()
        .with_key_serde(Utf8Lossy)
        .with_value_serde(Utf8Lossy)
}

fn swap(key: &String, value: String) -> (String, String) {
    (value, key.clone())
}

/// Each person by the team they are in.
fn teams(b: &StreamsBuilder) -> KGroupedTable<String, String> {
    table(b, "in").group_by(Utf8Lossy, Utf8Lossy, swap)
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

fn plus(all: String, now: String) -> String {
    format!("{all}+{now}")
}

fn minus(all: String, gone: String) -> String {
    format!("{all}-{gone}")
}

fn add(_: &String, now: String, all: String) -> String {
    plus(all, now)
}

fn subtract(_: &String, gone: String, all: String) -> String {
    minus(all, gone)
}

fn length(text: &str) -> i32 {
    text.encode_utf16().count() as i32
}

const TABLES: &[Program] = &[
    Program::dsl("grouped-table-count", |b| counted(teams(b).count(auto()))),
    Program::dsl("grouped-table-count-named", |b| {
        let teams = table(b, "in").group_by_with(text().named("teams"), swap);
        counted(teams.count(&MEMBERS).named("counter"));
    }),
    Program::dsl("grouped-table-reduce", |b| {
        collected(teams(b).reduce(plus, minus, auto()));
    }),
    Program::dsl("grouped-table-reduce-named", |b| {
        let reduced = teams(b).reduce(plus, minus, store("members"));
        collected(reduced.named("reducer"));
    }),
    Program::dsl("grouped-table-aggregate", |b| {
        collected(teams(b).aggregate(String::new, add, subtract, auto().with_text()));
    }),
    Program::dsl("grouped-table-aggregate-sum", |b| {
        let all = table(b, "in").group_by(Utf8Lossy, I32, |_, value| {
            ("all".to_owned(), length(&value))
        });
        let lengths = Materialized::named("lengths").with_value_serde(I32);
        let sum = all.aggregate(|| 0, |_, v, sum| sum + v, |_, v, sum| sum - v, lengths);
        let out = Topic::new("out", Utf8Lossy, Nullable(I32));
        sum.to_stream().to(&out);
    }),
    Program::dsl("grouped-table-to-null", |b| {
        let select = |key: &String, value: String| (value != "red").then(|| swap(key, value));
        counted(
            table(b, "in")
                .filter_group_by(text(), select)
                .count(&MEMBERS),
        );
    }),
    Program::dsl("grouped-table-same-group", |b| {
        let same = table(b, "in").group_by(Utf8Lossy, Utf8Lossy, |key, value| (key.clone(), value));
        collected(same.aggregate(String::new, add, subtract, store("log").with_text()));
    }),
    Program::dsl("grouped-table-after-filter", |b| {
        let table = table(b, "in").filter(|_, value| value != "blue");
        counted(table.group_by(Utf8Lossy, Utf8Lossy, swap).count(&MEMBERS));
    }),
    Program::dsl("grouped-table-optimized", |b| {
        counted(teams(b).count(&MEMBERS))
    }),
    Program::dsl("count-then-group-table", |b| {
        let counts = keyed(b, "in")
            .group_by_key()
            .skip_null_values()
            .count(auto());
        let total = counts.group_by(Utf8Lossy, I64, |_, count| ("total".to_owned(), count));
        let total = total.reduce(
            |all, now| all + now,
            |all, gone| all - gone,
            Materialized::named("total"),
        );
        counted(total);
    }),
];

fn side(name: &'static str) -> impl Fn(&String, String, String) -> String + Send + Sync {
    move |_, value, all| format!("{all}{name}{value}")
}

fn grouped(b: &StreamsBuilder, name: &str) -> KGroupedStream<String, String> {
    keyed(b, name).group_by_key().skip_null_values()
}

fn both(b: &StreamsBuilder) -> CogroupedKStream<String, String> {
    let left = grouped(b, "left");
    let right = grouped(b, "right");
    left.cogroup(side("L")).cogroup(right, side("R"))
}

fn by_value() -> Grouped<String, Text> {
    Grouped::new()
        .with_key_serde(Utf8Lossy)
        .with_value_serde(TEXT)
}

const COGROUPS: &[Program] = &[
    Program::dsl("cogroup-one", |b| {
        let one = grouped(b, "left").cogroup(side("L"));
        collected(one.aggregate(String::new, auto().with_text()));
    }),
    Program::dsl("cogroup", |b| {
        collected(both(b).aggregate(String::new, auto().with_text()));
    }),
    Program::dsl("cogroup-named", |b| {
        let together = both(b).aggregate(String::new, store("texts").with_text());
        collected(together.named("together"));
    }),
    Program::dsl("cogroup-repartitioned", |b| {
        let (left, right) = (stream(b, "left"), stream(b, "right"));
        let left = left.select_key(|_, value| value.clone()).skip_null_keys();
        let left = left.group_by_key_with(by_value()).skip_null_values();
        let right = right.select_key(|_, value| value.clone());
        let right = right.named("right-side").skip_null_keys();
        let right = right.group_by_key_with(by_value().named("right-side"));
        let right = right.skip_null_values();
        let cogrouped = left.cogroup(side("L")).cogroup(right, side("R"));
        collected(cogrouped.aggregate(String::new, store("texts").with_text()));
    }),
    Program::dsl("cogroup-three", |b| {
        // The third stream is the first that the Java program asks for.
        let third = grouped(b, "third");
        let cogrouped = both(b).cogroup(third, side("T"));
        collected(cogrouped.aggregate(String::new, store("texts").with_text()));
    }),
];

/// The same with null values, which windows other than sliding ones take as any other.
fn both_with_nulls(b: &StreamsBuilder) -> CogroupedKStream<String, String> {
    let add = |name: &'static str| {
        move |_: &String, value: Text, all: String| format!("{all}{name}{}", or_null(&value))
    };
    let (left, right) = (keyed(b, "left"), keyed(b, "right"));
    let (left, right) = (left.group_by_key(), right.group_by_key());
    left.cogroup(add("L")).cogroup(right, add("R"))
}

const COGROUPED_WINDOWS: &[Program] = &[
    Program::dsl("cogroup-windowed", |b| {
        let windows = TimeWindows::of_size_with_no_grace(ms(10));
        let windowed = both_with_nulls(b).windowed_by(windows);
        window::collected(windowed.aggregate(String::new, store("texts").with_text()));
    }),
    Program::dsl("cogroup-sliding", |b| {
        let windows = SlidingWindows::of_time_difference_with_no_grace(ms(10));
        let windowed = both(b).windowed_by(windows);
        window::collected(windowed.aggregate(String::new, store("texts").with_text()));
    }),
    Program::dsl("cogroup-session", |b| {
        let windows = SessionWindows::of_inactivity_gap_with_no_grace(ms(10));
        let merge = |_: &String, one: String, two: String| format!("{one}|{two}");
        let windowed = both_with_nulls(b).windowed_by(windows);
        walked(windowed.aggregate(String::new, merge, store("texts").with_text()));
    }),
];

#[test]
fn grouped_tables_are_as_on_the_jvm() {
    check(TABLES, &[]);
}

#[test]
fn cogrouped_streams_are_as_on_the_jvm() {
    check(COGROUPS, &[]);
    check(COGROUPED_WINDOWS, &[]);
}

/// The twins in this file.
pub(crate) fn programs() -> Vec<Program> {
    [TABLES, COGROUPS, COGROUPED_WINDOWS].concat()
}
