//! The windows of one key, as joins of streams read them.

use proptest::collection::vec;
use proptest::prelude::*;

use super::{Harness, Place, shared};
use crate::error::{Error, ErrorKind};
use crate::record::Headers;
use crate::serde::{I64, Utf8};
use crate::store::{StoreBuilder, WindowStore, WindowStoreSettings};

const EVENTS: WindowStore<String, i64> = WindowStore::named("events");
/// Two segments and their edges.
const RETENTION_MS: i64 = 100_000;

fn events() -> StoreBuilder {
    let settings = WindowStoreSettings {
        retain_duplicates: true,
        ..WindowStoreSettings::new(RETENTION_MS, 10)
    };
    StoreBuilder::window(EVENTS.name(), shared(Utf8), shared(I64), settings)
}

fn put(harness: &Harness, key: &str, time_ms: i64, value: i64) {
    let store = harness.access().window(&EVENTS).unwrap();
    let key = key.to_owned();
    store
        .put_with_headers(&key, &value, time_ms, &Headers::new())
        .unwrap();
}

fn visited(harness: &Harness, key: &str, from_ms: i64, to_ms: i64) -> Vec<(i64, i64)> {
    let store = harness.access().window(&EVENTS).unwrap();
    let mut visited = Vec::new();
    let see = |start_ms, value| {
        visited.push((start_ms, value));
        Ok::<_, Error>(())
    };
    let key = key.to_owned();
    store.visit_range(&key, from_ms, to_ms, see).unwrap();
    visited
}

#[derive(Debug, Clone)]
enum Step {
    Put(&'static str, i64),
    Read(&'static str, i64, i64),
    Commit,
    Abort,
    Restore,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    // The second key begins with the first and looks as if times followed.
    let key = || prop_oneof![Just("a"), Just("a\0\0\0\0\0\0\0"), Just("b")];
    let time = || {
        prop_oneof![
            0_i64..4,
            59_998_i64..60_002,
            119_998_i64..120_002,
            210_000_i64..210_004
        ]
    };
    let step = prop_oneof![
        8 => (key(), time()).prop_map(|(key, time_ms)| Step::Put(key, time_ms)),
        4 => (key(), time(), time()).prop_map(|(key, from, to)| Step::Read(key, from, to)),
        2 => Just(Step::Commit),
        1 => Just(Step::Abort),
        1 => Just(Step::Restore),
    ];
    vec(step, 1..60)
}

/// What a store of events holds, without keys on disk and without segments on it.
#[derive(Default, Clone)]
struct Model {
    /// By key and time, in the order of writing.
    events: Vec<(&'static str, i64, i64)>,
    observed_ms: Option<i64>,
}

impl Model {
    fn put(&mut self, key: &'static str, time_ms: i64, value: i64) {
        self.events.push((key, time_ms, value));
        self.observed_ms = self.observed_ms.max(Some(time_ms));
    }

    fn read(&self, key: &str, from_ms: i64, to_ms: i64) -> Vec<(i64, i64)> {
        let observed_ms = self.observed_ms.unwrap_or(-1);
        let asked = self.events.iter().filter(|(stored, time_ms, _)| {
            *stored == key
                && (from_ms..=to_ms).contains(time_ms)
                && *time_ms > observed_ms - RETENTION_MS
        });
        let mut found: Vec<_> = asked
            .map(|(_, time_ms, value)| (*time_ms, *value))
            .collect();
        // Duplicates stay in the order in which they were written.
        found.sort_by_key(|(time_ms, _)| *time_ms);
        found
    }
}

fn behaves(place: Place, steps: Vec<Step>) -> Result<(), TestCaseError> {
    let mut harness = Harness::new(place, &[events()], 0);
    let (mut model, mut committed) = (Model::default(), Model::default());
    for (value, step) in (0..).zip(steps) {
        match step {
            Step::Put(key, time_ms) => {
                put(&harness, key, time_ms, value);
                model.put(key, time_ms, value);
            }
            Step::Read(key, from_ms, to_ms) => {
                let seen = visited(&harness, key, from_ms, to_ms);
                prop_assert_eq!(seen, model.read(key, from_ms, to_ms));
            }
            Step::Commit => {
                harness.commit();
                committed = model.clone();
            }
            Step::Abort => {
                harness.reopen();
                model = committed.clone();
            }
            Step::Restore => {
                harness.restore();
                model = committed.clone();
            }
        }
    }
    for (key, from_ms) in [
        ("a", 0),
        ("b", 0),
        ("a", 59_999),
        ("b", 120_000),
        ("a", 210_001),
    ] {
        let seen = visited(&harness, key, from_ms, i64::MAX);
        prop_assert_eq!(seen, model.read(key, from_ms, i64::MAX));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_windows_of_a_key_are_seen_in_memory(steps in steps()) {
        behaves(Place::Memory, steps)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn the_windows_of_a_key_are_seen_on_disk(steps in steps()) {
        behaves(Place::Disk, steps)?;
    }
}

#[test]
fn what_is_committed_after_a_read_is_seen_by_the_next() {
    let mut harness = Harness::new(Place::Disk, &[events()], 0);
    for value in 0..5 {
        put(&harness, "a", 100, value);
        harness.commit();
        let expected: Vec<_> = (0..=value).map(|value| (100, value)).collect();
        assert_eq!(visited(&harness, "a", 0, 200), expected);
        assert_eq!(visited(&harness, "a", 0, 99), []);
        assert_eq!(visited(&harness, "a", 101, 200), []);
    }
}

#[test]
fn windows_are_found_where_only_the_keys_that_were_seen_are_looked_for() {
    let mut harness = Harness::new(Place::Disk, &[events()], 0);
    put(&harness, "a", 100, 0);
    harness.commit();
    // From here on it is noted which keys are committed.
    assert_eq!(visited(&harness, "a", 50, 100), [(100, 0)]);
    let key = |value: i64| if value % 3 == 0 { "a" } else { "b" };
    for value in 1..200 {
        put(&harness, key(value), 100 + value, value);
        if value % 7 == 0 {
            harness.commit();
        }
    }
    harness.commit();
    let bytes = harness.task_stores().byte_store("events").unwrap();
    for value in 1..200 {
        let time_ms = 100 + value;
        assert_eq!(
            visited(&harness, key(value), time_ms, time_ms),
            [(time_ms, value)]
        );
        assert!(bytes.has_reader());
        bytes.release_reader();
        assert_eq!(visited(&harness, "c", time_ms, time_ms), []);
        assert!(
            !bytes.has_reader(),
            "RocksDB is asked for a key that it cannot have"
        );
    }
}

#[test]
fn many_windows_are_seen_in_order_committed_or_not() {
    for place in [Place::Disk, Place::Memory] {
        let mut harness = Harness::new(place, &[events()], 0);
        for value in 0..1_500 {
            put(&harness, "a", value / 3, value);
            put(&harness, "ab", value / 3, value);
            if value == 700 {
                harness.commit();
            }
        }
        let expected: Vec<_> = (0..1_500).map(|value| (value / 3, value)).collect();
        assert_eq!(visited(&harness, "a", 0, i64::MAX), expected);
        assert_eq!(visited(&harness, "a", 0, 255), expected[..768]);
    }
}

#[test]
fn a_visit_may_use_the_store_and_end_early() {
    let mut harness = Harness::new(Place::Disk, &[events()], 0);
    for time_ms in 0..10 {
        put(&harness, "a", time_ms, time_ms);
        put(&harness, "b", time_ms, -time_ms);
    }
    harness.commit();
    let store = harness.access().window(&EVENTS).unwrap();
    let mut seen = Vec::new();
    let ended = store.visit_range(&"a".to_owned(), 0, 9, |start_ms, value| {
        seen.extend(visited(&harness, "b", start_ms, start_ms));
        put(&harness, "a", 5, value);
        match start_ms < 3 {
            true => Ok(()),
            false => Err(Error::new(ErrorKind::Production, "enough")),
        }
    });
    assert_eq!(ended.unwrap_err().kind(), ErrorKind::Production);
    assert_eq!(seen, [(0, 0), (1, -1), (2, -2), (3, -3)]);
    assert_eq!(visited(&harness, "a", 5, 5).len(), 5);
}
