//! Window.java: aggregations over tumbling, hopping, sliding, session and unlimited windows.

use std::time::{Duration, UNIX_EPOCH};

use streams_dsl::serde::{I64, Nullable, SessionWindowed, TimeWindowed, Utf8Lossy};
use streams_dsl::{
    EmitStrategy, Grouped, KGroupedStream, KTable, Materialized, SessionStore, SessionWindows,
    SlidingWindows, StoreType, StreamsBuilder, TimeWindows, Topic, UnlimitedWindows, WindowStore,
    Windowed,
};

use crate::program::{Difference, Program, check};
use crate::table::WithText as _;
use crate::text::{TEXT, Text, counts, keyed, or_null, stream};

pub(crate) const COUNTS: WindowStore<String, i64> = WindowStore::named("counts");
const SUMS: WindowStore<String, i64> = WindowStore::named("sums");
const SESSION_COUNTS: SessionStore<String, i64> = SessionStore::named("counts");
const VISITS: SessionStore<String, i64> = SessionStore::named("visits");

/// A table of windows.
pub(crate) type Windows<V> = KTable<Windowed<String>, V>;

pub(crate) const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// The records of `in`, grouped; windows skip those without a key only.
pub(crate) fn grouped(b: &StreamsBuilder) -> KGroupedStream<String, Text> {
    keyed(b, "in").group_by_key()
}

/// The same without those that have no value, which sliding windows skip.
pub(crate) fn valued(b: &StreamsBuilder) -> KGroupedStream<String, String> {
    grouped(b).skip_null_values()
}

fn tumbling(size: u64) -> TimeWindows {
    TimeWindows::of_size_with_no_grace(ms(size))
}

pub(crate) fn graced(size: u64, grace: u64) -> TimeWindows {
    TimeWindows::of_size_and_grace(ms(size), ms(grace))
}

fn sliding(difference: u64, grace: u64) -> SlidingWindows {
    SlidingWindows::of_time_difference_and_grace(ms(difference), ms(grace))
}

pub(crate) fn sessions(gap: u64, grace: u64) -> SessionWindows {
    SessionWindows::of_inactivity_gap_and_grace(ms(gap), ms(grace))
}

fn auto<V>() -> Materialized<String, V> {
    Materialized::new()
}

/// A store of text.
fn texts(name: &str) -> Materialized<String, String> {
    Materialized::named(name).with_text()
}

fn join(old: String, now: Text) -> Text {
    Some(format!("{old},{}", or_null(&now)))
}

pub(crate) fn counted(table: Windows<i64>) {
    let key = TimeWindowed::new(Utf8Lossy, 10);
    let out = Topic::<_, Option<i64>>::new("out", key, Nullable(I64));
    table.to_stream().to(&out);
}

pub(crate) fn collected(table: Windows<String>) {
    let out = Topic::<_, Text>::new("out", TimeWindowed::new(Utf8Lossy, 10), TEXT);
    table.to_stream().to(&out);
}

pub(crate) fn visited(table: Windows<i64>) {
    let out = Topic::<_, Option<i64>>::new("out", SessionWindowed(Utf8Lossy), Nullable(I64));
    table.to_stream().to(&out);
}

pub(crate) fn walked(table: Windows<String>) {
    let out = Topic::<_, Text>::new("out", SessionWindowed(Utf8Lossy), TEXT);
    table.to_stream().to(&out);
}

const TIME: &[Program] = &[
    Program::dsl("tumbling-count", |b| {
        counted(grouped(b).windowed_by(tumbling(10)).count(auto()));
    }),
    Program::dsl("tumbling-count-grace", |b| {
        counted(grouped(b).windowed_by(graced(10, 10)).count(&COUNTS));
    }),
    Program::dsl("tumbling-count-named", |b| {
        let counts = grouped(b).windowed_by(tumbling(10)).count(&COUNTS);
        counted(counts.named("counter"));
    }),
    Program::dsl("tumbling-count-default-grace", |b| {
        let day_ms = 24 * 3600 * 1000;
        counted(grouped(b).windowed_by(graced(10, day_ms)).count(&COUNTS));
    }),
    Program::dsl("tumbling-reduce", |b| {
        let windowed = grouped(b).windowed_by(graced(10, 5));
        collected(windowed.reduce_nullable(join, texts("texts")));
    }),
    Program::dsl("tumbling-aggregate", |b| {
        let number = |value: Text| value.map_or(0, |it| it.parse().expect("a number"));
        let add = move |_: &String, value, sum: i64| sum + number(value);
        let sums = Materialized::from(&SUMS).with_value_serde(I64);
        let windowed = grouped(b).windowed_by(graced(10, 5));
        counted(windowed.aggregate(|| 0, add, sums));
    }),
    Program::dsl("tumbling-in-memory", |b| {
        let in_memory = Materialized::from(&COUNTS).with_store_type(StoreType::InMemory);
        let windowed = grouped(b).windowed_by(graced(10, 5));
        counted(windowed.count(in_memory));
    }),
    Program::dsl("tumbling-retention", |b| {
        let kept = Materialized::from(&COUNTS).with_retention(ms(30));
        counted(grouped(b).windowed_by(tumbling(10)).count(kept));
    }),
    Program::dsl("tumbling-cached", |b| {
        counted(grouped(b).windowed_by(graced(10, 10)).count(&COUNTS));
    }),
    Program::dsl("tumbling-after-group-by", |b| {
        let all = Grouped::new()
            .with_key_serde(Utf8Lossy)
            .with_value_serde(TEXT);
        let grouped = stream(b, "in").group_by_with(all, |_, _| "all".to_owned());
        counted(grouped.windowed_by(tumbling(10)).count(&COUNTS));
    }),
    Program::dsl("tumbling-key-as-text", |b| {
        let counted = grouped(b).windowed_by(tumbling(10)).count(auto());
        let by_text = counted
            .to_stream()
            .select_key(|window, _| window.to_string());
        by_text.to(&counts("out"));
    }),
    Program::dsl("tumbling-windowed-serde", |b| {
        counted(grouped(b).windowed_by(tumbling(10)).count(auto()));
    }),
    Program::dsl("hopping-count", |b| {
        let windows = graced(10, 5).advance_by(ms(5));
        counted(grouped(b).windowed_by(windows).count(&COUNTS));
    }),
    Program::dsl("hopping-uneven", |b| {
        let windowed = grouped(b).windowed_by(tumbling(10).advance_by(ms(3)));
        collected(windowed.reduce_nullable(join, texts("texts")));
    }),
    Program::dsl("unlimited-count", |b| {
        counted(
            grouped(b)
                .windowed_by(UnlimitedWindows::of())
                .count(&COUNTS),
        );
    }),
    Program::dsl("unlimited-start", |b| {
        let windows = UnlimitedWindows::of().start_on(UNIX_EPOCH + ms(10));
        counted(grouped(b).windowed_by(windows).count(&COUNTS));
    }),
    Program::dsl("tumbling-two-keys-stream-time", |b| {
        counted(grouped(b).windowed_by(tumbling(10)).count(&COUNTS));
    }),
];

const EMISSION: &[Program] = &[
    Program::dsl("tumbling-on-close", |b| {
        let windowed = grouped(b).windowed_by(tumbling(10));
        let windowed = windowed.emit_strategy(EmitStrategy::OnWindowClose);
        counted(windowed.count(&COUNTS));
    }),
    Program::dsl("tumbling-on-close-grace", |b| {
        let windowed = grouped(b).windowed_by(graced(10, 5));
        let windowed = windowed.emit_strategy(EmitStrategy::OnWindowClose);
        counted(windowed.count(&COUNTS));
    }),
    Program::dsl("hopping-on-close", |b| {
        let windowed = grouped(b).windowed_by(tumbling(10).advance_by(ms(5)));
        let windowed = windowed.emit_strategy(EmitStrategy::OnWindowClose);
        collected(windowed.reduce_nullable(join, texts("texts")));
    }),
    Program::dsl("sliding-on-close", |b| {
        let windowed = valued(b).windowed_by(sliding(10, 5));
        let windowed = windowed.emit_strategy(EmitStrategy::OnWindowClose);
        counted(windowed.count(&COUNTS));
    }),
    Program::dsl("session-on-close", |b| {
        let windowed = grouped(b).windowed_by(sessions(5, 3));
        let windowed = windowed.emit_strategy(EmitStrategy::OnWindowClose);
        visited(windowed.count(&SESSION_COUNTS));
    }),
    Program::dsl("tumbling-on-update", |b| {
        let windowed = grouped(b).windowed_by(tumbling(10));
        let windowed = windowed.emit_strategy(EmitStrategy::OnWindowUpdate);
        counted(windowed.count(&COUNTS));
    }),
];

const SLIDING: &[Program] = &[
    Program::dsl("sliding-count", |b| {
        let windows = SlidingWindows::of_time_difference_with_no_grace(ms(10));
        counted(valued(b).windowed_by(windows).count(&COUNTS));
    }),
    Program::dsl("sliding-count-grace", |b| {
        counted(valued(b).windowed_by(sliding(10, 20)).count(&COUNTS));
    }),
    Program::dsl("sliding-reduce", |b| {
        let join = |old: String, now: String| format!("{old},{now}");
        let windowed = valued(b).windowed_by(sliding(10, 50));
        collected(windowed.reduce(join, texts("texts")));
    }),
    Program::dsl("sliding-aggregate-unnamed", |b| {
        let add = |_: &String, value: String, all: String| all + &value;
        let windowed = valued(b).windowed_by(sliding(10, 50));
        collected(windowed.aggregate(String::new, add, auto().with_text()));
    }),
    Program::dsl("sliding-in-memory", |b| {
        let join = |old: String, now: String| format!("{old},{now}");
        let in_memory = texts("texts").with_store_type(StoreType::InMemory);
        let windowed = valued(b).windowed_by(sliding(10, 20));
        collected(windowed.reduce(join, in_memory));
    }),
];

const SESSIONS: &[Program] = &[
    Program::dsl("session-count", |b| {
        let windows = SessionWindows::of_inactivity_gap_with_no_grace(ms(10));
        visited(grouped(b).windowed_by(windows).count(&VISITS));
    }),
    Program::dsl("session-count-unnamed", |b| {
        let windows = SessionWindows::of_inactivity_gap_with_no_grace(ms(10));
        visited(grouped(b).windowed_by(windows).count(auto()));
    }),
    Program::dsl("session-reduce-grace", |b| {
        let windowed = grouped(b).windowed_by(sessions(10, 30));
        walked(windowed.reduce_nullable(join, texts("visits")));
    }),
    Program::dsl("session-aggregate", |b| {
        let add = |_: &String, value: Text, all: String| format!("{all}{}.", or_null(&value));
        let merge = |_: &String, one: String, two: String| format!("{one}|{two}");
        let windowed = grouped(b).windowed_by(sessions(10, 100));
        walked(windowed.aggregate(String::new, add, merge, texts("visits")));
    }),
    Program::dsl("session-in-memory", |b| {
        let in_memory = Materialized::from(&VISITS).with_store_type(StoreType::InMemory);
        let windowed = grouped(b).windowed_by(sessions(10, 100));
        visited(windowed.count(in_memory));
    }),
    Program::dsl("session-windowed-serde", |b| {
        visited(grouped(b).windowed_by(sessions(10, 100)).count(auto()));
    }),
    Program::dsl("session-cached", |b| {
        visited(grouped(b).windowed_by(sessions(10, 100)).count(&VISITS));
    }),
    Program::dsl("session-after-map", |b| {
        let all = stream(b, "in").select_key(|_, _| "all".to_owned());
        let serdes = Grouped::new()
            .with_key_serde(Utf8Lossy)
            .with_value_serde(TEXT);
        let grouped = all.group_by_key_with(serdes);
        visited(grouped.windowed_by(sessions(10, 100)).count(&VISITS));
    }),
];

pub(crate) fn programs() -> Vec<Program> {
    [TIME, EMISSION, SLIDING, SESSIONS].concat()
}

/// What is different here on purpose.
const DIFFERENCES: &[Difference] = &[
    // The JVM's cache goes on showing windows past their retention as long as it has them; here
    // what is seen does not depend on what is cached.
    Difference {
        program: "tumbling-cached",
        theirs: "[a@0/10]=3 at 9, [a@10/20]=4 at 19, [a@20/30]=1 at 20, [a@40/50]=1 at 40, \
                 [b@0/10]=1 at 8, [b@10/20]=1 at 12, [b@30/40]=1 at 39",
        ours: "[a@40/50]=1 at 40, [b@30/40]=1 at 39",
    },
];

#[test]
fn windows_are_as_on_the_jvm() {
    check(&programs(), DIFFERENCES);
}
