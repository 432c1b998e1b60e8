//! Joins of streams against a naive reference, records of both coming in any order.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use streams_dsl::serde::Utf8;
use streams_dsl::{JoinWindows, KStream, StreamsBuilder, Topic, TopologyTestDriver};

/// A record: whether it is of the left stream, its key and its time. Its value is its place among
/// all.
type Input = (bool, &'static str, i64);

/// What came out: key, both values and time.
type Output = (String, String, i64);

type Texts = KStream<String, String>;

/// When a stream may find partners, in milliseconds.
#[derive(Debug, Clone, Copy)]
struct Windows {
    before: i64,
    after: i64,
    grace: i64,
}

impl Windows {
    fn join(self) -> JoinWindows {
        let grace = Duration::from_millis(self.grace.cast_unsigned());
        let windows = JoinWindows::of_time_difference_and_grace(Duration::ZERO, grace);
        windows.before_ms(self.before).after_ms(self.after)
    }

    /// Whether records of these times, the left one's first, are joined.
    fn has(self, left: i64, right: i64) -> bool {
        (left - self.before..=left + self.after).contains(&right)
    }
}

/// After this all windows are closed.
const END: i64 = 100_000;

fn run(
    inputs: &[Input],
    windows: Windows,
    join: impl FnOnce(Texts, Texts, JoinWindows) -> Texts,
) -> Vec<Output> {
    let topic = |name: &str| Topic::<String, String>::new(name, Utf8, Utf8);
    let (left, right, out) = (topic("left"), topic("right"), topic("out"));
    let builder = StreamsBuilder::new();
    let streams = (builder.stream(&left), builder.stream(&right));
    join(streams.0, streams.1, windows.join()).to(&out);
    let mut driver = TopologyTestDriver::new(&builder.build().unwrap()).unwrap();
    for (place, (is_left, key, timestamp_ms)) in inputs.iter().enumerate() {
        let topic = if *is_left { &left } else { &right };
        let (key, value) = ((*key).to_owned(), place.to_string());
        driver.pipe(topic, &key, &value, *timestamp_ms).unwrap();
    }
    driver
        .pipe(&left, &"end".into(), &"end".into(), END)
        .unwrap();
    let records = std::iter::from_fn(|| driver.read_record(&out).unwrap());
    let outputs = records.map(|record| (record.key, record.value, record.timestamp_ms));
    let mut outputs: Vec<Output> = outputs.collect();
    outputs.sort();
    outputs
}

/// A record that has come, and whether it is still to be told that it has no partner.
struct Seen {
    input: Input,
    value: String,
    is_pending: bool,
}

/// The join by the book: each record with all of the other side that have come before it.
fn reference(inputs: &[Input], windows: Windows, (left, right): (bool, bool)) -> Vec<Output> {
    let mut seen: Vec<Seen> = Vec::new();
    let (mut outputs, mut stream) = (Vec::new(), -1);
    for (place, input) in inputs.iter().enumerate() {
        let (is_left, key, time) = *input;
        let value = place.to_string();
        stream = stream.max(time);
        let mut is_joined = false;
        for other in &mut seen {
            let (other_left, other_key, other_time) = other.input;
            let are_near = match is_left {
                true => windows.has(time, other_time),
                false => windows.has(other_time, time),
            };
            if is_left == other_left || key != other_key || !are_near {
                continue;
            }
            is_joined = true;
            other.is_pending = false;
            let pair = match is_left {
                true => format!("{value}+{}", other.value),
                false => format!("{}+{value}", other.value),
            };
            outputs.push((key.to_owned(), pair, time.max(other_time)));
        }
        let is_outer = if is_left { left } else { right };
        let last = time
            + if is_left {
                windows.after
            } else {
                windows.before
            };
        let mut one = Seen {
            input: *input,
            value,
            is_pending: is_outer && !is_joined,
        };
        // What comes so late is told at once, as the JVM does.
        if one.is_pending && last < stream {
            outputs.push(alone(&one));
            one.is_pending = false;
        }
        seen.push(one);
    }
    outputs.extend(seen.iter().filter(|one| one.is_pending).map(alone));
    outputs.sort();
    outputs
}

fn alone(one: &Seen) -> Output {
    let (is_left, key, time) = one.input;
    let value = &one.value;
    let pair = match is_left {
        true => format!("{value}+-"),
        false => format!("-+{value}"),
    };
    (key.to_owned(), pair, time)
}

fn pair(left: Option<&String>, right: Option<&String>) -> String {
    let text = |text: Option<&String>| text.map_or("-", String::as_str).to_owned();
    text(left) + "+" + &text(right)
}

/// Records of which none is so late that its partners may be forgotten.
fn inputs(grace: i64) -> impl Strategy<Value = Vec<Input>> {
    let record = (any::<bool>(), prop_oneof![Just("a"), Just("b")], 0..80_i64);
    vec(record, 1..60).prop_map(move |inputs| {
        let mut stream = 0;
        let inputs = inputs.into_iter().map(|(is_left, key, time)| {
            let time = time.max(stream - grace + 1);
            stream = stream.max(time);
            (is_left, key, time)
        });
        inputs.collect()
    })
}

fn cases() -> impl Strategy<Value = (Windows, Vec<Input>)> {
    (0..9_i64, 0..9_i64, 1..20_i64).prop_flat_map(|(before, after, grace)| {
        let windows = Windows {
            before,
            after,
            grace,
        };
        (Just(windows), inputs(grace))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn inner_joins_are_those_of_the_reference((windows, inputs) in cases()) {
        let outputs = run(&inputs, windows, |left, right, windows| {
            left.join(right, windows, |left, right| pair(Some(left), Some(right)))
        });
        prop_assert_eq!(outputs, reference(&inputs, windows, (false, false)));
    }

    #[test]
    fn left_joins_are_those_of_the_reference((windows, inputs) in cases()) {
        let outputs = run(&inputs, windows, |left, right, windows| {
            left.left_join(right, windows, |left, right| pair(Some(left), right))
        });
        prop_assert_eq!(outputs, reference(&inputs, windows, (true, false)));
    }

    #[test]
    fn outer_joins_are_those_of_the_reference((windows, inputs) in cases()) {
        let outputs = run(&inputs, windows, |left, right, windows| {
            left.outer_join(right, windows, pair)
        });
        prop_assert_eq!(outputs, reference(&inputs, windows, (true, true)));
    }
}
