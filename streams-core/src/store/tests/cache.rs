//! What caches keep back, and what they let go on.

use super::{Harness, Logged, Place, shared};
use crate::record::Headers;
use crate::serde::{I64, Utf8};
use crate::store::{
    DirtyEntry, KeyValueStore, SessionStore, StoreBuilder, TaskTimestampedKeyValueStore,
    WindowStore, WindowStoreSettings,
};
use crate::window::{Window, Windowed};

const COUNTS: KeyValueStore<String, i64> = KeyValueStore::named("counts");

fn counts() -> StoreBuilder {
    StoreBuilder::timestamped_key_value(COUNTS.name(), shared(Utf8), shared(I64)).with_caching()
}

fn open(harness: &Harness) -> TaskTimestampedKeyValueStore<String, i64> {
    harness.access().timestamped_key_value(&COUNTS).unwrap()
}

fn text(value: &str) -> String {
    value.to_owned()
}

fn flushed(
    store: &TaskTimestampedKeyValueStore<String, i64>,
    needs_old: bool,
) -> Vec<(String, Option<i64>, Option<i64>, i64)> {
    let mut seen = Vec::new();
    let see = |entry: DirtyEntry<String, i64>| {
        let DirtyEntry {
            key,
            new_value,
            old_value,
            timestamp_ms,
            ..
        } = entry;
        seen.push((key, new_value, old_value, timestamp_ms));
    };
    store.flush_cache(needs_old, see).unwrap();
    seen
}

fn keys(log: &[Logged]) -> Vec<(&str, bool, i64)> {
    let keys = log.iter().map(|record| {
        let key = std::str::from_utf8(&record.key).unwrap();
        (key, record.value.is_some(), record.timestamp_ms)
    });
    keys.collect()
}

#[test]
fn of_several_writes_to_a_key_the_last_goes_on_in_the_order_of_last_writes() {
    for place in [Place::Disk, Place::Memory] {
        let mut harness = Harness::new(place, &[counts()], 10_000);
        let store = open(&harness);
        assert!(store.is_cached());
        store.put(&text("a"), Some(&1), 10).unwrap();
        store.put(&text("b"), Some(&2), 20).unwrap();
        store.put(&text("a"), Some(&3), 15).unwrap();
        assert_eq!(harness.logged(), []);
        let shown = flushed(&store, true);
        let expected = [
            (text("b"), Some(2), None, 20),
            (text("a"), Some(3), None, 15),
        ];
        assert_eq!(shown, expected);
        let log = harness.take_log();
        assert_eq!(keys(&log), [("b", true, 20), ("a", true, 15)]);
        assert_eq!(log[1].value.as_deref(), Some(&3_i64.to_be_bytes()[..]));
        assert_eq!(flushed(&store, true), []);
        harness.commit();

        store.put(&text("a"), Some(&4), 30).unwrap();
        store.put(&text("a"), None, 40).unwrap();
        assert_eq!(store.get(&text("a")).unwrap(), None);
        assert_eq!(flushed(&store, true), [(text("a"), None, Some(3), 40)]);
        assert_eq!(keys(&harness.take_log()), [("a", false, 40)]);
    }
}

#[test]
fn what_was_written_and_deleted_again_is_left_out() {
    let harness = Harness::new(Place::Memory, &[counts()], 10_000);
    let store = open(&harness);
    store.put(&text("a"), Some(&1), 10).unwrap();
    store.put(&text("a"), None, 20).unwrap();
    assert_eq!(flushed(&store, false), []);
    assert_eq!(harness.take_log(), []);
}

#[test]
fn old_values_are_shown_only_if_they_are_needed() {
    let harness = Harness::new(Place::Memory, &[counts()], 10_000);
    let store = open(&harness);
    store.put(&text("a"), Some(&1), 10).unwrap();
    flushed(&store, false);
    store.put(&text("a"), Some(&2), 20).unwrap();
    assert_eq!(flushed(&store, false), [(text("a"), Some(2), None, 20)]);
    store.put(&text("a"), None, 30).unwrap();
    assert_eq!(flushed(&store, false), [(text("a"), None, None, 30)]);
}

#[test]
fn cache_is_read_through_by_get_and_ranges() {
    for place in [Place::Disk, Place::Memory] {
        let mut harness = Harness::new(place, &[counts()], 10_000);
        let store = open(&harness);
        for (key, value) in [("a", 1), ("b", 2), ("c", 3)] {
            store.put(&text(key), Some(&value), 1).unwrap();
        }
        flushed(&store, false);
        harness.commit();
        store.put(&text("b"), Some(&20), 2).unwrap();
        flushed(&store, false);
        store.put(&text("a"), None, 3).unwrap();
        store.put(&text("bb"), Some(&30), 3).unwrap();
        let all = |entries: Vec<_>| {
            let entries = entries
                .into_iter()
                .map(|entry: crate::error::Result<(String, _)>| {
                    let (key, value): (_, crate::store::ValueAndTimestamp<i64>) = entry.unwrap();
                    (key, value.value)
                });
            entries.collect::<Vec<_>>()
        };
        let expected = [(text("b"), 20), (text("bb"), 30), (text("c"), 3)];
        assert_eq!(all(store.all().collect()), expected);
        let reversed: Vec<_> = expected.iter().rev().cloned().collect();
        assert_eq!(all(store.reverse_all().collect()), reversed);
        assert_eq!(store.get(&text("a")).unwrap(), None);
        assert_eq!(store.get(&text("bb")).unwrap().unwrap().value, 30);
    }
}

#[test]
fn cache_is_full_above_its_share_of_the_memory() {
    let other = StoreBuilder::key_value("other", shared(Utf8), shared(I64)).with_caching();
    let harness = Harness::new(Place::Memory, &[counts(), other], 2 * 200);
    let store = open(&harness);
    store.put(&text("a"), Some(&1), 10).unwrap();
    store.put(&text("b"), Some(&1), 10).unwrap();
    assert!(!store.is_cache_full());
    assert!(harness.task_stores().context().uncommitted_bytes() > 100);
    store.put(&text("c"), Some(&1), 10).unwrap();
    assert!(store.is_cache_full());
    flushed(&store, false);
    assert!(!store.is_cache_full());
}

#[test]
fn without_memory_there_is_no_cache() {
    let harness = Harness::new(Place::Memory, &[counts()], 0);
    let store = open(&harness);
    assert!(!store.is_cached());
    store.put(&text("a"), Some(&1), 10).unwrap();
    assert_eq!(keys(&harness.take_log()), [("a", true, 10)]);
}

#[test]
fn headers_and_origin_of_the_last_write_come_back_when_it_goes_on() {
    let harness = Harness::new(Place::Memory, &[counts()], 10_000);
    let store = open(&harness);
    let header = |value: &[u8]| {
        let mut headers = Headers::new();
        headers.add("trace", value);
        headers
    };
    harness.at(10, &header(b"one"), 7);
    store.put(&text("a"), Some(&1), 10).unwrap();
    harness.at(20, &header(b"two"), 8);
    store.put(&text("a"), Some(&2), 20).unwrap();
    harness.at(30, &header(b"three"), 9);
    let context = harness.task_stores().context();
    let mut seen = Vec::new();
    let see = |entry: DirtyEntry<String, i64>| {
        // As a node below takes the change up.
        let before = context.enter(entry.timestamp_ms, &entry.headers, || None);
        let origin = context.record(0).origin.map(|origin| origin.offset);
        context.leave(before);
        seen.push((entry.headers, origin));
    };
    store.flush_cache(false, see).unwrap();
    assert_eq!(seen, [(header(b"two"), Some(8))]);
    let log = harness.take_log();
    assert_eq!(log[0].headers, Headers::new(), "changelogs have no headers");
    assert_eq!(context.record(0).origin.unwrap().offset, 9);
}

#[test]
fn entry_that_is_not_yet_written_below_is_read_while_an_earlier_one_is_forwarded() {
    let harness = Harness::new(Place::Memory, &[counts()], 10_000);
    let store = open(&harness);
    store.put(&text("a"), Some(&1), 10).unwrap();
    store.put(&text("b"), Some(&2), 20).unwrap();
    let reader = store.clone();
    let mut seen = Vec::new();
    let see = |entry: DirtyEntry<String, i64>| {
        let other = reader.get(&text("b")).unwrap().map(|found| found.value);
        seen.push((entry.key, other));
    };
    store.flush_cache(false, see).unwrap();
    assert_eq!(seen, [(text("a"), Some(2)), (text("b"), Some(2))]);
}

#[test]
fn windows_and_sessions_are_kept_back_and_expire_only_when_they_go_on() {
    const WINDOWS: WindowStore<String, i64> = WindowStore::named("windows");
    const SESSIONS: SessionStore<String, i64> = SessionStore::named("sessions");
    let settings = WindowStoreSettings {
        segment_interval_ms: Some(50),
        ..WindowStoreSettings::new(100, 10)
    };
    let windows =
        StoreBuilder::timestamped_window(WINDOWS.name(), shared(Utf8), shared(I64), settings);
    let sessions = StoreBuilder::session(SESSIONS.name(), shared(Utf8), shared(I64), 100);
    let builders = [windows.with_caching(), sessions.with_caching()];
    for place in [Place::Disk, Place::Memory] {
        let harness = Harness::new(place, &builders, 10_000);
        let store = harness.access().timestamped_window(&WINDOWS).unwrap();
        store.put(&text("a"), Some(&1), 0, 5).unwrap();
        store.put(&text("a"), Some(&2), 1_000, 1_005).unwrap();
        // On the JVM too the store's time moves when the cache is flushed.
        let found = store.fetch_range(&text("a"), 0, 2_000).unwrap();
        let starts: Vec<_> = found.map(|found| found.unwrap().0).collect();
        assert_eq!(starts, [0, 1_000]);
        let mut seen = Vec::new();
        let see = |entry: DirtyEntry<Windowed<String>, i64>| {
            seen.push((entry.key.window, entry.new_value, entry.timestamp_ms));
        };
        store.flush_cache(true, see).unwrap();
        let expected = [
            (Window::new(0, 10), Some(1), 5),
            (Window::new(1_000, 1_010), Some(2), 1_005),
        ];
        assert_eq!(seen, expected);
        assert_eq!(store.fetch(&text("a"), 0).unwrap(), None);
        assert_eq!(harness.take_log().len(), 2);

        let store = harness.access().session(&SESSIONS).unwrap();
        let session = Windowed::new(text("a"), Window::new(5, 9));
        harness.at(9, &Headers::new(), 0);
        store.put(&session, Some(&1)).unwrap();
        harness.at(12, &Headers::new(), 1);
        store.remove(&session).unwrap();
        let merged = Windowed::new(text("a"), Window::new(5, 12));
        store.put(&merged, Some(&2)).unwrap();
        let found = store.fetch(&text("a")).unwrap();
        let found: Vec<_> = found.map(Result::unwrap).collect();
        assert_eq!(found, [(merged.clone(), 2)]);
        let mut seen = Vec::new();
        let see = |entry: DirtyEntry<Windowed<String>, i64>| {
            seen.push((entry.key, entry.new_value, entry.timestamp_ms));
        };
        store.flush_cache(true, see).unwrap();
        assert_eq!(seen, [(merged, Some(2), 12)]);
        assert_eq!(harness.take_log().len(), 1);
    }
}
