//! Random aggregations over windows, as the JVM's `WindowWalk` ran them.

use std::time::Duration;

use serde_json::Value;
use streams_core::testing::TopologyTestDriver;
use streams_dsl::serde::{Nullable, Utf8};
use streams_dsl::{
    EmitStrategy, KTable, Materialized, SessionWindows, SlidingWindows, StreamsBuilder,
    TimeWindows, Topic, Windowed,
};

use crate::fixture::{folder, lines, text};

/// A captured aggregation.
struct Walk(Value);

impl Walk {
    fn duration(&self, field: &str) -> Duration {
        Duration::from_millis(self.0[field].as_u64().expect("milliseconds"))
    }

    fn table(&self, builder: &StreamsBuilder) -> KTable<Windowed<String>, String> {
        let (size, grace) = (self.duration("size_ms"), self.duration("grace_ms"));
        let emit = match self.0["on_close"] == true {
            true => EmitStrategy::OnWindowClose,
            false => EmitStrategy::OnWindowUpdate,
        };
        let add = |_: &String, value: String, all: String| all + &value;
        let texts = Materialized::named("texts").with_value_serde(Utf8);
        let grouped = builder.stream(&input()).group_by_key();
        match self.0["kind"].as_str().expect("a kind") {
            "hopping" => {
                let windows = TimeWindows::of_size_and_grace(size, grace);
                let windows = windows.advance_by(self.duration("advance_ms"));
                let windowed = grouped.windowed_by(windows).emit_strategy(emit);
                windowed.aggregate(String::new, add, texts)
            }
            "sliding" => {
                let windows = SlidingWindows::of_time_difference_and_grace(size, grace);
                let windowed = grouped.windowed_by(windows).emit_strategy(emit);
                windowed.aggregate(String::new, add, texts)
            }
            "session" => {
                let windows = SessionWindows::of_inactivity_gap_and_grace(size, grace);
                let windowed = grouped.windowed_by(windows).emit_strategy(emit);
                let merge = |_: &String, one: String, other: String| one + &other;
                windowed.aggregate(String::new, add, merge, texts)
            }
            other => unreachable!("windows of kind {other}"),
        }
    }

    /// What comes out: the windows, what each holds, and as of when.
    fn run(&self) -> Vec<Value> {
        let output = Topic::<String, Option<String>>::new("out", Utf8, Nullable(Utf8));
        let builder = StreamsBuilder::new();
        let table = self.table(&builder);
        let by_text = table.to_stream().select_key(|window, _| window.to_string());
        by_text.to(&output);
        let topology = builder.build().expect("a topology");
        let mut driver = TopologyTestDriver::new(&topology).expect("a driver");
        let inputs = self.0["inputs"].as_array().expect("inputs").iter();
        for (place, record) in inputs.enumerate() {
            let time = record[1].as_i64().expect("a time");
            let value = format!("{place},");
            driver
                .pipe(&input(), &text(&record[0]), &value, time)
                .expect("taken");
        }
        let records = std::iter::from_fn(|| driver.read_record(&output).expect("text"));
        let outputs = records.map(|it| serde_json::json!([it.key, it.value, it.timestamp_ms]));
        outputs.collect()
    }
}

fn input() -> Topic<String, String> {
    Topic::new("in", Utf8, Utf8)
}

#[test]
fn random_windows_are_as_on_the_jvm() {
    let walks = lines(&folder().join("windows.jsonl")).expect("captured walks");
    assert!(walks.len() >= 200, "{} walks", walks.len());
    for (number, walk) in walks.into_iter().enumerate() {
        let walk = Walk(walk);
        let actual = walk.run();
        let expected = walk.0["outputs"].as_array().expect("outputs");
        assert_eq!(&actual, expected, "walk {number}: {}", walk.0);
    }
}
