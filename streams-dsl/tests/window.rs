//! Aggregations over windows against a naive reference, records coming in any order.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use streams_dsl::serde::{Nullable, Serde, SessionWindowed, TimeWindowed, Utf8};
use streams_dsl::{
    EmitStrategy, KGroupedStream, KTable, Materialized, SessionStore, SessionWindows,
    SlidingWindows, StreamsBuilder, TimeWindows, Topic, TopologyTestDriver, Window, WindowStore,
    Windowed,
};

type Key = Windowed<String>;
type Row = (String, i64);

/// A record: its key and its time. Its value is its place among all.
type Input = (&'static str, i64);

/// What came out: the key and its window, what it holds, and as of when.
type Output = (Key, Option<String>, i64);

const ROWS: WindowStore<String, String> = WindowStore::named("rows");
const SESSIONS: SessionStore<String, String> = SessionStore::named("sessions");

/// The records of a program, and those that it left out.
struct Run {
    outputs: Vec<Output>,
    dropped: u64,
}

impl Run {
    /// Runs a program of one aggregation.
    fn of(
        inputs: &[Input],
        key: impl Serde<Key> + 'static,
        aggregate: impl FnOnce(KGroupedStream<String, String>) -> KTable<Key, String>,
    ) -> Self {
        let input = Topic::<String, String>::new("in", Utf8, Utf8);
        let output = Topic::<Key, Option<String>>::new("out", key, Nullable(Utf8));
        let builder = StreamsBuilder::new();
        let grouped = builder.stream(&input).group_by_key();
        aggregate(grouped).to_stream().to(&output);
        let mut driver = TopologyTestDriver::new(&builder.build().unwrap()).unwrap();
        for (place, (key, timestamp_ms)) in inputs.iter().enumerate() {
            let (key, value) = ((*key).to_owned(), mark(place));
            driver.pipe(&input, &key, &value, *timestamp_ms).unwrap();
        }
        let records = std::iter::from_fn(|| driver.read_record(&output).unwrap());
        let outputs = records.map(|record| (record.key, record.value, record.timestamp_ms));
        Self {
            outputs: outputs.collect(),
            dropped: driver.take_counts().dropped,
        }
    }

    /// The table that the outputs make.
    fn table(&self) -> BTreeMap<Key, Row> {
        let mut table = BTreeMap::new();
        for (key, value, timestamp_ms) in &self.outputs {
            match value {
                Some(value) => table.insert(key.clone(), (value.clone(), *timestamp_ms)),
                None => table.remove(key),
            };
        }
        table
    }
}

/// A record's value: nothing that is aggregated in another order or twice stays unnoticed.
fn mark(place: usize) -> String {
    format!("{place},")
}

fn key(user: &str, start_ms: i64, end_ms: i64) -> Key {
    Windowed::new(user.to_owned(), Window::new(start_ms, end_ms))
}

const fn ms(ms: i64) -> Duration {
    Duration::from_millis(ms.cast_unsigned())
}

fn texts() -> Materialized<String, String> {
    Materialized::from(&ROWS).with_value_serde(Utf8)
}

fn add(_: &String, value: String, so_far: String) -> String {
    so_far + &value
}

fn inputs(time_max: i64) -> impl Strategy<Value = Vec<Input>> {
    vec((prop_oneof![Just("a"), Just("b")], 0..time_max), 1..40)
}

/// The same records with none later than this behind the latest before it.
fn late_by(lateness_ms: i64, inputs: Vec<Input>) -> Vec<Input> {
    let mut stream_ms = 0;
    let inputs = inputs.into_iter().map(|(key, timestamp_ms)| {
        let timestamp_ms = timestamp_ms.max(stream_ms - lateness_ms);
        stream_ms = stream_ms.max(timestamp_ms);
        (key, timestamp_ms)
    });
    inputs.collect()
}

/// Hopping windows by the book: what comes out, and how many are left out.
fn hopping(inputs: &[Input], size: i64, advance: i64, grace: i64) -> (Vec<Output>, u64) {
    let (mut outputs, mut late, mut stream) = (Vec::new(), 0, -1);
    let mut rows: BTreeMap<Key, Row> = BTreeMap::new();
    for (place, (user, time)) in inputs.iter().enumerate() {
        stream = stream.max(*time);
        let starts = (0..=*time).filter(|start| start % advance == 0 && *time < start + size);
        for start in starts {
            if start + size <= stream - grace {
                late += 1;
                continue;
            }
            let key = key(user, start, start + size);
            let row = rows.entry(key.clone()).or_insert((String::new(), *time));
            row.0 += &mark(place);
            row.1 = row.1.max(*time);
            outputs.push((key, Some(row.0.clone()), row.1));
        }
    }
    (outputs, late)
}

/// Sliding windows by the book, where no record is too late: for each record the window that ends
/// with it and, unless that is empty, the one that begins right after it.
fn sliding(inputs: &[Input], difference: i64) -> BTreeMap<Key, Row> {
    let mut rows = BTreeMap::new();
    for (user, time) in inputs {
        for start in [(time - difference).max(0), time + 1] {
            let window = start..=start + difference;
            let all = inputs.iter().enumerate();
            let inside = all.filter(|(_, (other, time))| other == user && window.contains(time));
            let (mut text, mut latest) = (String::new(), None);
            for (place, (_, time)) in inside {
                text += &mark(place);
                latest = latest.max(Some(*time));
            }
            if let Some(latest) = latest {
                rows.insert(key(user, start, start + difference), (text, latest));
            }
        }
    }
    rows
}

/// Sessions by the book: what comes out, and how many are left out. Sessions can be joined as long
/// as they are kept, which is the gap and the grace period.
fn sessions(inputs: &[Input], gap: i64, grace: i64) -> (Vec<Output>, u64) {
    let (mut outputs, mut late) = (Vec::new(), 0);
    let (mut stream, mut written) = (-1, -1);
    let mut rows: BTreeMap<Key, String> = BTreeMap::new();
    for (place, (user, time)) in inputs.iter().enumerate() {
        stream = stream.max(*time);
        let is_near = |window: Window| window.end_ms >= time - gap && window.start_ms <= time + gap;
        let is_kept = |window: Window| window.end_ms > written - gap - grace;
        let mut joined: Vec<Key> = rows.keys().cloned().collect();
        joined.retain(|it| it.key == *user && is_near(it.window) && is_kept(it.window));
        joined.sort_by_key(|it| it.window.end_ms);
        let starts = joined.iter().map(|it| it.window.start_ms);
        let start = starts.fold(*time, i64::min);
        let ends = joined.iter().map(|it| it.window.end_ms);
        let end = ends.fold(*time, i64::max);
        if end < stream - grace - gap {
            late += 1;
            continue;
        }
        let mut text = String::new();
        for session in joined {
            text += &rows.remove(&session).unwrap();
            if (start, end) != (*time, *time) {
                let end_ms = session.window.end_ms;
                outputs.push((session, None, end_ms));
            }
        }
        text += &mark(place);
        let session = key(user, start, end);
        rows.insert(session.clone(), text.clone());
        outputs.push((session, Some(text), end));
        written = written.max(end);
    }
    (outputs, late)
}

proptest! {
    #[test]
    fn hopping_windows_hold_what_they_should(
        inputs in inputs(100), size in 1_i64..20, advance in 1_i64..20, grace in 0_i64..30,
    ) {
        let advance = advance.min(size);
        let windows = TimeWindows::of_size_and_grace(ms(size), ms(grace)).advance_by(ms(advance));
        let run = Run::of(&inputs, TimeWindowed::new(Utf8, size), |grouped| {
            grouped.windowed_by(windows).aggregate(String::new, add, texts())
        });
        let (outputs, late) = hopping(&inputs, size, advance, grace);
        prop_assert_eq!(run.outputs, outputs);
        prop_assert_eq!(run.dropped, late);
    }

    #[test]
    fn sliding_windows_hold_what_they_should(
        inputs in inputs(60), difference in 1_i64..15, grace in 2_i64..40,
    ) {
        let inputs = late_by(grace / 2, inputs);
        let windows = SlidingWindows::of_time_difference_and_grace(ms(difference), ms(grace));
        let run = Run::of(&inputs, TimeWindowed::new(Utf8, difference), |grouped| {
            grouped.windowed_by(windows).reduce(|one, other| one + &other, &ROWS)
        });
        prop_assert_eq!(run.dropped, 0);
        prop_assert_eq!(run.table(), sliding(&inputs, difference));
    }

    #[test]
    fn sessions_hold_what_they_should(
        inputs in inputs(100), gap in 0_i64..10, grace in 0_i64..30,
    ) {
        let windows = SessionWindows::of_inactivity_gap_and_grace(ms(gap), ms(grace));
        let run = Run::of(&inputs, SessionWindowed(Utf8), |grouped| {
            let texts = Materialized::from(&SESSIONS).with_value_serde(Utf8);
            let merge = |_: &String, one: String, other: String| one + &other;
            grouped.windowed_by(windows).aggregate(String::new, add, merge, texts)
        });
        let (outputs, late) = sessions(&inputs, gap, grace);
        prop_assert_eq!(run.outputs, outputs);
        prop_assert_eq!(run.dropped, late);
    }

    #[test]
    fn each_window_is_emitted_once_when_it_has_closed(
        inputs in inputs(100), size in 1_i64..20, advance in 1_i64..20, grace in 0_i64..30,
    ) {
        let advance = advance.min(size);
        let windows = TimeWindows::of_size_and_grace(ms(size), ms(grace)).advance_by(ms(advance));
        let run = Run::of(&inputs, TimeWindowed::new(Utf8, size), |grouped| {
            // Kept so long that no leap of time loses a window.
            let kept = texts().with_retention(ms(1_000));
            let windowed = grouped.windowed_by(windows);
            let windowed = windowed.emit_strategy(EmitStrategy::OnWindowClose);
            windowed.aggregate(String::new, add, kept)
        });
        let (updates, _) = hopping(&inputs, size, advance, grace);
        let close_ms = inputs.iter().map(|(_, time)| *time).max().unwrap_or(-1) - grace;
        let mut closed = BTreeMap::new();
        for (window, text, timestamp_ms) in updates {
            if window.window.end_ms <= close_ms {
                closed.insert(window, (text, timestamp_ms));
            }
        }
        let mut expected: Vec<Output> = Vec::new();
        expected.extend(closed.into_iter().map(|(window, (text, time))| (window, text, time)));
        let in_order = |(window, _, _): &Output| (window.window.start_ms, window.key.clone());
        expected.sort_by_key(in_order);
        prop_assert_eq!(run.outputs, expected);
    }
}
