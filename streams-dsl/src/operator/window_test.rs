//! Aggregations over windows against a naive reference (temporary harness, without the DSL).
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use streams_core::processor::{Processor, ProcessorContext, ProcessorError, SinkTopic};
use streams_core::serde::{Nullable, SessionWindowed, SharedSerde, TimeWindowed, Utf8};
use streams_core::store::{
    SessionStore, SessionStoreSettings, StoreAccess, StoreBuilder, WindowStore, WindowStoreSettings,
};
use streams_core::testing::TopologyTestDriver;
use streams_core::topology::{Sink, Source};
use streams_core::window::{Window, Windowed};
use streams_core::{Record, Result, Topic, TopologyBuilder};

use super::*;
use crate::window::{SessionWindows, SlidingWindows, TimeWindows};

struct ToStream;
impl<K: 'static, V: 'static> Processor<K, Change<V>, K, Option<V>> for ToStream {
    fn process(
        &mut self,
        context: &mut ProcessorContext<'_, K, Option<V>>,
        record: Record<K, Change<V>>,
    ) -> std::result::Result<(), ProcessorError> {
        let Record {
            key,
            value,
            timestamp_ms,
            headers,
        } = record;
        context.forward(Record::new(key, value.new, timestamp_ms).with_headers(headers));
        Ok(())
    }
}

type Key = Windowed<String>;
type Input = (&'static str, i64);
type Outputs = Vec<(Key, Option<String>, i64)>;

fn folding()
-> Folding<impl Fn() -> Option<String>, impl Fn(&String, &String, Option<String>) -> Option<String>>
{
    Folding {
        initialize: Arc::new(|| Some(String::new())),
        add: Arc::new(|_: &String, v: &String, all: Option<String>| {
            Some(all.unwrap_or_default() + v)
        }),
    }
}

fn run<P>(
    store: StoreBuilder,
    key: SharedSerde<Key>,
    supplier: impl Fn(&StoreAccess<'_>) -> Result<P> + Send + Sync + 'static,
    inputs: &[Input],
) -> (Outputs, u64)
where
    P: Processor<String, String, Key, Change<String>>,
{
    let mut builder = TopologyBuilder::new();
    let name = Arc::clone(store.name());
    builder.add_state_store(store).unwrap();
    let source = Source::topics(["in"], Arc::new(Utf8), Arc::new(Utf8));
    let source = builder
        .add_source::<String, String>("source", source)
        .unwrap();
    let agg = builder
        .add_stateful_processor("agg", supplier, &[source], &[name])
        .unwrap();
    let out = builder
        .add_processor("to-stream", || ToStream, &[agg])
        .unwrap();
    let value: SharedSerde<Option<String>> = Arc::new(Nullable(Utf8));
    let sink = Sink::new(
        SinkTopic::Fixed("out".into()),
        Arc::clone(&key) as _,
        Arc::clone(&value) as _,
    );
    builder.add_sink("sink", sink, &[out]).unwrap();
    let mut driver = TopologyTestDriver::new(&builder.build().unwrap()).unwrap();
    let input = Topic::<String, String>::new("in", Utf8, Utf8);
    let output = Topic::with_shared_serdes("out", key, value);
    for (number, (key, timestamp_ms)) in inputs.iter().enumerate() {
        driver
            .pipe(&input, &(*key).to_owned(), &mark(number), *timestamp_ms)
            .unwrap();
    }
    let mut outputs = Vec::new();
    while let Some(record) = driver.read_record(&output).unwrap() {
        outputs.push((record.key, record.value, record.timestamp_ms));
    }
    (outputs, driver.take_counts().dropped)
}

fn mark(number: usize) -> String {
    format!("{number},")
}

const fn ms(ms: i64) -> Duration {
    Duration::from_millis(ms.cast_unsigned())
}

fn table(outputs: &Outputs) -> BTreeMap<Key, (String, i64)> {
    let mut table = BTreeMap::new();
    for (key, value, timestamp_ms) in outputs {
        match value {
            Some(value) => table.insert(key.clone(), (value.clone(), *timestamp_ms)),
            None => table.remove(key),
        };
    }
    table
}

fn inputs(time_max: i64) -> impl Strategy<Value = Vec<Input>> {
    vec((prop_oneof![Just("a"), Just("b")], 0..time_max), 1..40)
}

proptest! {
    #[test]
    fn hopping(
        inputs in inputs(100), size in 1_i64..20, advance in 1_i64..20, grace in 0_i64..30,
    ) {
        let advance = advance.min(size);
        let windows = TimeWindows::of_size_and_grace(ms(size), ms(grace)).advance_by(ms(advance));
        let settings = WindowStoreSettings::new(size + grace, size);
        let store = StoreBuilder::timestamped_window("s", Arc::new(Utf8), Arc::new(Utf8), settings);
        let key: SharedSerde<Key> = Arc::new(TimeWindowed::new(Utf8, size));
        let (outputs, dropped) = run(store, key, move |access| {
            let store = access.timestamped_window(&WindowStore::<String, String>::named("s"))?;
            let forwarding = Forwarding { on_close: false, sends_old_values: false };
            Ok(WindowAggregate::new(windows, folding(), store, forwarding))
        }, &inputs);
        let mut expected = Outputs::new();
        let mut state: BTreeMap<Key, (String, i64)> = BTreeMap::new();
        let (mut stream, mut late) = (-1, 0);
        for (number, (key, t)) in inputs.iter().enumerate() {
            stream = stream.max(*t);
            for start in (0..=*t).filter(|s| s % advance == 0 && *t < s + size) {
                if start + size <= stream - grace { late += 1; continue; }
                let key = Windowed::new((*key).to_owned(), Window::new(start, start + size));
                let entry = state.entry(key.clone()).or_insert((String::new(), *t));
                entry.0 += &mark(number);
                entry.1 = entry.1.max(*t);
                expected.push((key, Some(entry.0.clone()), entry.1));
            }
        }
        prop_assert_eq!(outputs, expected);
        prop_assert_eq!(dropped, late);
    }

    #[test]
    fn sliding(inputs in inputs(60), difference in 1_i64..15, grace in 2_i64..40) {
        let mut stream = 0;
        let inputs: Vec<Input> = inputs.into_iter().map(|(key, t)| {
            let t = t.max(stream - grace / 2);
            stream = stream.max(t);
            (key, t)
        }).collect();
        let windows = SlidingWindows::of_time_difference_and_grace(ms(difference), ms(grace));
        let settings = WindowStoreSettings::new(2 * difference + grace, difference);
        let store = StoreBuilder::timestamped_window("s", Arc::new(Utf8), Arc::new(Utf8), settings);
        let key: SharedSerde<Key> = Arc::new(TimeWindowed::new(Utf8, difference));
        let (outputs, dropped) = run(store, key, move |access| {
            let store = access.timestamped_window(&WindowStore::<String, String>::named("s"))?;
            let forwarding = Forwarding { on_close: false, sends_old_values: false };
            Ok(SlidingAggregate::new(windows, folding(), store, forwarding))
        }, &inputs);
        prop_assert_eq!(dropped, 0);
        let mut expected = BTreeMap::new();
        for user in ["a", "b"] {
            let mine: Vec<(usize, i64)> = inputs.iter().enumerate()
                .filter(|(_, (key, _))| *key == user).map(|(n, (_, t))| (n, *t)).collect();
            let starts = mine.iter().flat_map(|(_, t)| [(*t - difference).max(0), t + 1]);
            for start in starts {
                let inside: Vec<_> = mine.iter().filter(|(_, t)| (start..=start + difference).contains(t)).collect();
                let Some(latest) = inside.iter().map(|(_, t)| *t).max() else { continue };
                let text: String = inside.iter().map(|(n, _)| mark(*n)).collect();
                let key = Windowed::new(user.to_owned(), Window::new(start, start + difference));
                expected.insert(key, (text, latest));
            }
        }
        prop_assert_eq!(table(&outputs), expected);
    }

    #[test]
    fn session(inputs in inputs(100), gap in 0_i64..10, grace in 0_i64..30) {
        let windows = SessionWindows::of_inactivity_gap_and_grace(ms(gap), ms(grace));
        let settings = SessionStoreSettings::new(gap + grace);
        let store = StoreBuilder::session("s", Arc::new(Utf8), Arc::new(Utf8), settings);
        let key: SharedSerde<Key> = Arc::new(SessionWindowed(Utf8));
        let (outputs, dropped) = run(store, key, move |access| {
            let store = access.session(&SessionStore::<String, String>::named("s"))?;
            let forwarding = Forwarding { on_close: false, sends_old_values: false };
            let merge = |_: &String, one: Option<String>, two: String| Some(one.unwrap_or_default() + &two);
            Ok(SessionAggregate::new(windows, folding(), Arc::new(merge), store, forwarding))
        }, &inputs);
        let mut expected = Outputs::new();
        let mut state: BTreeMap<Key, String> = BTreeMap::new();
        let (mut stream, mut written, mut late) = (-1, -1, 0);
        for (number, (key, t)) in inputs.iter().enumerate() {
            stream = stream.max(*t);
            let joins = |it: &Key| it.key == *key && it.window.end_ms >= t - gap && it.window.start_ms <= t + gap
                && it.window.end_ms > written - gap - grace;
            let mut joined: Vec<Key> = state.keys().filter(|it| joins(it)).cloned().collect();
            joined.sort_by_key(|it| it.window.end_ms);
            let start = joined.iter().map(|it| it.window.start_ms).min().unwrap_or(*t).min(*t);
            let end = joined.iter().map(|it| it.window.end_ms).max().unwrap_or(*t).max(*t);
            if end < stream - grace - gap { late += 1; continue; }
            let mut text = String::new();
            for it in &joined {
                text += &state.remove(it).unwrap();
                if (start, end) != (*t, *t) {
                    expected.push((it.clone(), None, it.window.end_ms));
                }
            }
            text += &mark(number);
            let key = Windowed::new((*key).to_owned(), Window::new(start, end));
            state.insert(key.clone(), text.clone());
            expected.push((key, Some(text), end));
            written = written.max(end);
        }
        prop_assert_eq!(outputs, expected);
        prop_assert_eq!(dropped, late);
    }
}
