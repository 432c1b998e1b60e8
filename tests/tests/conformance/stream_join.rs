//! StreamJoin.java: streams joined with streams within a time.

use std::collections::BTreeMap;
use std::time::Duration;

use streams_dsl::serde::Utf8Lossy;
use streams_dsl::{JoinWindows, KStream, StoreType, StreamJoined, StreamsBuilder, Topic};

use crate::fixture::Scenario;
use crate::program::{Difference, Program, check};
use crate::text::{TEXT, Text, stream};

type Keyed = KStream<String, String>;

/// A stream as an inner join takes it.
fn keyed(builder: &StreamsBuilder, topic: &str) -> Keyed {
    stream(builder, topic).skip_null_keys().skip_null_values()
}

fn left(builder: &StreamsBuilder) -> Keyed {
    keyed(builder, "left")
}

fn right(builder: &StreamsBuilder) -> Keyed {
    keyed(builder, "right")
}

/// A stream as an outer join takes it.
fn nullable(builder: &StreamsBuilder, topic: &str) -> KStream<Text, String> {
    stream(builder, topic).skip_null_values()
}

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn within(time_difference: u64) -> JoinWindows {
    JoinWindows::of_time_difference_with_no_grace(ms(time_difference))
}

fn graced(time_difference: u64, grace: u64) -> JoinWindows {
    JoinWindows::of_time_difference_and_grace(ms(time_difference), ms(grace))
}

fn named<V>() -> StreamJoined<String, V, String> {
    StreamJoined::new().named("meet")
}

fn stores<V>() -> StreamJoined<String, V, String> {
    named().with_store_name("meet-store")
}

fn out() -> Topic<String, String> {
    Topic::new("out", Utf8Lossy, Utf8Lossy)
}

fn nullable_out() -> Topic<Text, String> {
    Topic::new("out", TEXT, Utf8Lossy)
}

fn plus(left: &String, right: &String) -> String {
    format!("{left}+{right}")
}

fn plus_with_key(_: &String, left: &String, right: &String) -> String {
    plus(left, right)
}

fn outer_plus(_: &Text, left: Option<&String>, right: Option<&String>) -> String {
    let text = |text: Option<&String>| text.map_or("null", String::as_str).to_owned();
    text(left) + "+" + &text(right)
}

fn join(b: &StreamsBuilder, windows: JoinWindows) {
    left(b).join(right(b), windows, plus).to(&out());
}

fn join_with(
    b: &StreamsBuilder,
    windows: JoinWindows,
    joined: StreamJoined<String, String, String>,
) {
    let joined = left(b).join_with(right(b), windows, joined, plus_with_key);
    joined.to(&out());
}

fn left_join(
    b: &StreamsBuilder,
    windows: JoinWindows,
    joined: StreamJoined<String, String, String>,
) {
    let (left, right) = (nullable(b, "left"), nullable(b, "right"));
    let joined = left.left_join_nullable(right, windows, joined, |key, left, right| {
        outer_plus(key, Some(left), right)
    });
    joined.to(&nullable_out());
}

fn outer_join(
    b: &StreamsBuilder,
    windows: JoinWindows,
    joined: StreamJoined<String, String, String>,
) {
    let (left, right) = (nullable(b, "left"), nullable(b, "right"));
    let joined = left.outer_join_nullable(right, windows, joined, outer_plus);
    joined.to(&nullable_out());
}

fn inner() -> Vec<Program> {
    vec![
        Program::dsl("stream-join", |b| join(b, within(10))),
        Program::dsl("stream-join-grace", |b| join(b, graced(10, 20))),
        Program::dsl("stream-join-named", |b| join_with(b, within(10), named())),
        Program::dsl("stream-join-named-stores", |b| {
            join_with(b, within(10), stores());
        }),
        Program::dsl("stream-join-with-key", |b| {
            let joined = StreamJoined::new();
            let joined = left(b).join_with(right(b), within(10), joined, |key, left, right| {
                format!("{key}:{left}+{right}")
            });
            joined.to(&out());
        }),
        Program::dsl("stream-join-right-after-left", |b| {
            join(b, within(0).after(ms(10)));
        }),
        Program::dsl("stream-join-right-before-left", |b| {
            join(b, within(0).before(ms(10)));
        }),
        Program::dsl("stream-join-shifted", |b| {
            join(b, within(20).before_ms(-5).after(ms(15)));
        }),
        Program::dsl("stream-join-no-changelog", |b| {
            join_with(b, within(10), stores().without_logging());
        }),
    ]
}

fn outer() -> Vec<Program> {
    vec![
        Program::dsl("stream-left-join", |b| {
            left_join(b, within(10), StreamJoined::new());
        }),
        Program::dsl("stream-left-join-grace", |b| {
            left_join(b, graced(10, 20), StreamJoined::new());
        }),
        Program::dsl("stream-left-join-named", |b| {
            left_join(b, within(10), named());
        }),
        Program::dsl("stream-left-join-named-stores", |b| {
            left_join(b, within(10), stores());
        }),
        Program::dsl("stream-left-join-asymmetric", |b| {
            left_join(b, within(5).after(ms(15)), StreamJoined::new());
        }),
        Program::dsl("stream-outer-join", |b| {
            outer_join(b, within(10), StreamJoined::new());
        }),
        Program::dsl("stream-outer-join-grace", |b| {
            outer_join(b, graced(10, 20), StreamJoined::new());
        }),
        Program::dsl("stream-outer-join-named", |b| {
            outer_join(b, within(10), stores());
        }),
        Program::dsl("stream-outer-join-with-key", |b| {
            let (left, right) = (nullable(b, "left"), nullable(b, "right"));
            let joined = StreamJoined::new();
            let windows = graced(10, 5);
            let joined = left.outer_join_nullable(right, windows, joined, |key, left, right| {
                let text = outer_plus(key, left, right);
                format!("{}:{text}", key.as_deref().unwrap_or("null"))
            });
            joined.to(&nullable_out());
        }),
        Program::dsl("stream-outer-join-asymmetric", |b| {
            outer_join(b, within(15).before(ms(2)), StreamJoined::new());
        }),
        Program::dsl("stream-outer-join-in-memory", |b| {
            outer_join(b, within(10), stores().with_store_type(StoreType::InMemory));
        }),
    ]
}

fn self_join(b: &StreamsBuilder) {
    let stream = left(b);
    stream.clone().join(stream, within(10), plus).to(&out());
}

fn own() -> Vec<Program> {
    vec![
        Program::dsl("stream-self-join", self_join),
        Program::dsl("stream-self-join-optimized", self_join),
        Program::dsl("stream-self-join-two-sources-optimized", |b| {
            left(b).join(left(b), within(10), plus).to(&out());
        }),
    ]
}

/// The records by their values.
fn by_value(b: &StreamsBuilder, topic: &str) -> Keyed {
    keyed(b, topic).select_key(|_, value| value.clone())
}

fn text<V>() -> StreamJoined<String, V, String> {
    StreamJoined::new().with_key_serde(Utf8Lossy)
}

fn shapes() -> Vec<Program> {
    vec![
        Program::dsl("stream-join-after-map", |b| {
            let mapped = stream(b, "left").map(|key, value| (value, key));
            let left = mapped.skip_null_keys().skip_null_values();
            let joined = text().with_value_serde(Utf8Lossy);
            let joined = left.join_with(right(b), within(10), joined, plus_with_key);
            joined.to(&out());
        }),
        Program::dsl("stream-join-both-after-map-named", |b| {
            let (left, right) = (by_value(b, "left"), by_value(b, "right"));
            let joined = stores().with_key_serde(Utf8Lossy);
            left.join_with(right, within(10), joined, plus_with_key)
                .to(&out());
        }),
        Program::dsl("stream-join-three", |b| {
            let joined = left(b).join(right(b), within(10), plus);
            let third = keyed(b, "third");
            let joined_again = StreamJoined::new().with_value_serde(Utf8Lossy);
            let joined =
                joined.left_join_with(third, within(20), joined_again, |_, left, right| {
                    outer_plus(&None, Some(left), right)
                });
            joined.to(&out());
        }),
        Program::dsl("stream-join-one-repartition-two-joins", |b| {
            let keyed = by_value(b, "left");
            let topic = |name: &str| Topic::<String, String>::new(name, Utf8Lossy, Utf8Lossy);
            let inner = keyed
                .clone()
                .join_with(right(b), within(10), text(), plus_with_key);
            inner.to(&topic("out-1"));
            let outer = keyed.left_join_with(right(b), within(10), text(), |_, left, right| {
                outer_plus(&None, Some(left), right)
            });
            outer.to(&topic("out-2"));
        }),
    ]
}

/// The JVM logs a tombstone for a null value, although its store ignores it, and takes a number for
/// it; here such a value does not get so far.
fn without_tombstones(scenario: &mut Scenario) {
    let mut counts = BTreeMap::new();
    for step in &mut scenario.steps {
        step.results.retain_mut(|line| {
            let Some((topic, rest)) = window_line(line) else {
                return true;
            };
            let skipped = counts.entry(topic.to_owned()).or_insert(0_u8);
            let end = rest.find("'=").expect("a key");
            let mut key = unescape(&rest[..end]);
            if rest[end..].starts_with("'=null at") {
                *skipped += 1;
                return false;
            }
            *key.last_mut().expect("a number") -= *skipped;
            *line = format!("record {topic} '{}{}", key.escape_ascii(), &rest[end..]);
            true
        });
    }
}

/// The topic of a record in the changelog of a window store, and the line from its key on.
fn window_line(line: &str) -> Option<(&str, &str)> {
    let (topic, rest) = line.strip_prefix("record ")?.split_once(" '")?;
    let is_window = topic.ends_with("-changelog") && !topic.to_lowercase().contains("shared");
    is_window.then_some((topic, rest))
}

/// Undoes `escape_ascii`.
fn unescape(text: &str) -> Vec<u8> {
    let (mut bytes, mut rest) = (Vec::new(), text.bytes());
    while let Some(byte) = rest.next() {
        bytes.push(match (byte, byte == b'\\') {
            (byte, false) => byte,
            (_, true) => match rest.next() {
                Some(b't') => b'\t',
                Some(b'n') => b'\n',
                Some(b'r') => b'\r',
                Some(b'x') => {
                    let digits = [rest.next(), rest.next()].map(|digit| digit.expect("a digit"));
                    let digits = String::from_utf8(digits.to_vec()).expect("digits");
                    u8::from_str_radix(&digits, 16).expect("a byte")
                }
                other => other.expect("a character"),
            },
        });
    }
    bytes
}

fn adapted(programs: Vec<Program>) -> Vec<Program> {
    let adapt = |program: Program| program.adapted(without_tombstones);
    programs.into_iter().map(adapt).collect()
}

/// All programs.
pub(crate) fn programs() -> Vec<Program> {
    [inner(), outer(), own(), shapes()].concat()
}

/// The JVM keeps times with values that have a window store of a supplier's own, and shows them.
const DIFFERENCES: &[Difference] = &[
    Difference {
        program: "stream-outer-join-in-memory",
        theirs: "=R200 at 200",
        ours: "=R200",
    },
    Difference {
        program: "stream-outer-join-in-memory",
        theirs: "=L201 at 201",
        ours: "=L201",
    },
];

#[test]
fn streams_are_joined_as_on_the_jvm() {
    check(&adapted(inner()), &[]);
}

#[test]
fn streams_are_outer_joined_as_on_the_jvm() {
    check(&adapted(outer()), DIFFERENCES);
}

#[test]
fn streams_are_joined_with_themselves_as_on_the_jvm() {
    check(&adapted(own()), &[]);
}

#[test]
fn joins_of_other_streams_are_as_on_the_jvm() {
    check(&shapes(), &[]);
}
