//! Stores whose windows are emitted when they close.

use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;

use super::{Harness, Place};
use crate::record::Headers;
use crate::serde::{I64, Serde, SharedSerde, Utf8};
use crate::store::entries::OwnedSpan;
use crate::store::{
    SessionStore, SessionStoreSettings, StoreBuilder, WindowStore, WindowStoreSettings,
};
use crate::window::{Window, Windowed};

const COUNTS: WindowStore<String, i64> = WindowStore::named("counts");
const VISITS: SessionStore<String, i64> = SessionStore::named("visits");
const RETENTION_MS: i64 = 200_000;

fn shared<T: 'static>(serde: impl Serde<T> + 'static) -> SharedSerde<T> {
    Arc::new(serde)
}

fn counts() -> StoreBuilder {
    let settings = WindowStoreSettings {
        emits_on_close: true,
        ..WindowStoreSettings::new(RETENTION_MS, 10)
    };
    StoreBuilder::timestamped_window(COUNTS.name(), shared(Utf8), shared(I64), settings)
}

fn visits() -> StoreBuilder {
    let settings = SessionStoreSettings {
        emits_on_close: true,
        ..SessionStoreSettings::new(RETENTION_MS)
    };
    StoreBuilder::session(VISITS.name(), shared(Utf8), shared(I64), settings)
}

fn closed_windows(harness: &Harness, from_ms: i64, to_ms: i64) -> Vec<(i64, String, i64)> {
    let store = harness.access().timestamped_window(&COUNTS).unwrap();
    let closed = store.closed(from_ms, to_ms).unwrap();
    let closed = closed.map(|entry| {
        let (key, value) = entry.unwrap();
        assert_eq!(key.window.end_ms, key.window.start_ms + 10);
        (key.window.start_ms, key.key, value.value)
    });
    closed.collect()
}

fn closed_sessions(harness: &Harness, from_ms: i64, to_ms: i64) -> Vec<(i64, i64, String)> {
    let store = harness.access().session(&VISITS).unwrap();
    let closed = store.closed(from_ms, to_ms).unwrap();
    let closed = closed.map(|entry| {
        let Window { start_ms, end_ms } = entry.as_ref().unwrap().0.window;
        (end_ms, start_ms, entry.unwrap().0.key)
    });
    closed.collect()
}

#[derive(Debug, Clone)]
enum Step {
    Put(&'static str, i64, Option<i64>),
    Commit,
    Abort,
    Restore,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let key = prop_oneof![Just("a"), Just("b"), Just("ab")];
    // Three segments and their edges, all within the retention.
    let time = prop_oneof![0_i64..4, 99_998_i64..100_002, 150_000_i64..150_004];
    let step = prop_oneof![
        8 => (key, time, prop::option::weighted(0.8, any::<i64>()))
            .prop_map(|(key, time, value)| Step::Put(key, time, value)),
        1 => Just(Step::Commit),
        1 => Just(Step::Abort),
        1 => Just(Step::Restore),
    ];
    vec(step, 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_is_closed_is_read_in_the_order_of_times(
        steps in steps(),
        from_ms in prop_oneof![0_i64..4, 99_998_i64..100_002],
        span_ms in prop_oneof![0_i64..4, 99_998_i64..150_002],
    ) {
        let place = Place::Memory;
        let mut harness = Harness::new(place, &[counts(), visits()], 0);
        let mut now: Vec<(i64, String, i64)> = Vec::new();
        let mut committed = Vec::new();
        for step in steps {
            match step {
                Step::Put(key, time_ms, value) => {
                    put(&harness, key, time_ms, value);
                    now.retain(|(start_ms, known, _)| (*start_ms, &**known) != (time_ms, key));
                    now.extend(value.map(|value| (time_ms, key.to_owned(), value)));
                }
                Step::Commit => {
                    harness.commit();
                    committed.clone_from(&now);
                }
                Step::Abort => {
                    harness.reopen();
                    now.clone_from(&committed);
                }
                Step::Restore => {
                    harness.restore();
                    now.clone_from(&committed);
                }
            }
        }
        now.sort();
        let to_ms = from_ms + span_ms;
        now.retain(|(start_ms, ..)| (from_ms..=to_ms).contains(start_ms));
        prop_assert_eq!(closed_windows(&harness, from_ms, to_ms), now.clone());
        let sessions = now.into_iter().map(|(end_ms, key, _)| (end_ms, end_ms - 1, key));
        prop_assert_eq!(closed_sessions(&harness, from_ms, to_ms), sessions.collect::<Vec<_>>());
    }
}

/// Writes a window and a session.
fn put(harness: &Harness, key: &str, time_ms: i64, value: Option<i64>) {
    harness.at(time_ms, &Headers::new(), 0);
    let (key, value) = (key.to_owned(), value.as_ref());
    let windows = harness.access().timestamped_window(&COUNTS).unwrap();
    windows.put(&key, value, time_ms, time_ms).unwrap();
    let session = Windowed::new(key, Window::new(time_ms - 1, time_ms));
    let sessions = harness.access().session(&VISITS).unwrap();
    sessions.put(&session, value).unwrap();
}

#[test]
fn a_leap_of_time_closes_the_last_window_and_drops_old_segments() {
    for place in [Place::Disk, Place::Memory] {
        let mut harness = Harness::new(place, &[counts(), visits()], 0);
        put(&harness, "a", 0, Some(1));
        put(&harness, "a", 5, Some(2));
        harness.commit();
        put(&harness, "b", RETENTION_MS + 5, Some(3));
        // Those of time 5 are just past their retention, and those of time 0 longer; a segment is
        // half the retention, so that both are there.
        let a = || "a".to_owned();
        assert_eq!(closed_windows(&harness, 0, 10), [(5, a(), 2)]);
        assert_eq!(
            closed_sessions(&harness, 0, 10),
            [(0, -1, a()), (5, 4, a())]
        );
        put(&harness, "b", 3 * RETENTION_MS, Some(3));
        assert_eq!(closed_sessions(&harness, 0, 10), []);
        harness.commit();
        assert_eq!(closed_sessions(&harness, 0, 10), []);
        let store = harness.task_stores().byte_store(COUNTS.name()).unwrap();
        let left = store.scan(OwnedSpan::ALL.borrowed(false), 10).unwrap();
        assert_eq!(left.len(), 2, "an entry and its place in the index");
    }
}
