//! Entries that are given up: those whose time is over, and those that are not used.

use std::time::Duration;

use super::{Harness, Place, shared};
use crate::id::TaskId;
use crate::record::Headers;
use crate::serde::{I64, Utf8};
use crate::store::{
    KeyValueStore, QueryParts, QueryableStore, StoreBuilder, StoreRegistry, StoreType, WindowStore,
    WindowStoreSettings,
};

const STORE: KeyValueStore<String, i64> = KeyValueStore::named("store");

fn text(value: &str) -> String {
    value.to_owned()
}

fn table() -> StoreBuilder {
    StoreBuilder::timestamped_key_value(STORE.name(), shared(Utf8), shared(I64))
}

fn plain() -> StoreBuilder {
    StoreBuilder::key_value(STORE.name(), shared(Utf8), shared(I64))
}

const TTL: Duration = Duration::from_millis(100);

#[test]
fn entry_is_seen_until_the_stores_time_is_past_its_time_and_ttl() {
    for place in [Place::Memory, Place::Disk] {
        let mut harness = Harness::new(place, &[table().with_ttl(TTL)], 0);
        let store = harness.access().timestamped_key_value(&STORE).unwrap();
        store.put(&text("a"), Some(&1), 10).unwrap();
        harness.commit();
        store.put(&text("b"), Some(&2), 110).unwrap();
        assert_eq!(store.get(&text("a")).unwrap().unwrap().value, 1);
        assert_eq!(store.all().count(), 2);
        store.put(&text("b"), Some(&3), 111).unwrap();
        assert_eq!(store.get(&text("a")).unwrap(), None);
        assert_eq!(store.all().count(), 1);
        assert_eq!(store.delete(&text("a")).unwrap(), None);
        // Written anew it is there again, and late writes are not.
        store.put(&text("a"), Some(&4), 111).unwrap();
        store.put(&text("c"), Some(&5), 10).unwrap();
        let keys: Vec<_> = store.all().map(|entry| entry.unwrap().0).collect();
        assert_eq!(keys, ["a", "b"]);
    }
}

#[test]
fn plain_store_has_a_ttl_by_the_records_at_hand() {
    for place in [Place::Memory, Place::Disk] {
        let mut harness = Harness::new(place, &[plain().with_ttl(TTL)], 0);
        let store = harness.access().key_value(&STORE).unwrap();
        harness.at(10, &Headers::new(), 0);
        store.put(&text("a"), Some(&1)).unwrap();
        harness.at(50, &Headers::new(), 1);
        store.put(&text("b"), Some(&2)).unwrap();
        let log = harness.logged();
        let plain = Some(1_i64.to_be_bytes().to_vec());
        assert_eq!((&log[0].value, log[0].timestamp_ms), (&plain, 10));
        assert_eq!(store.get(&text("a")).unwrap(), Some(1));
        drop(store);
        harness.commit();
        harness.restore();
        let store = harness.access().key_value(&STORE).unwrap();
        assert_eq!(store.get(&text("a")).unwrap(), Some(1));
        harness.at(120, &Headers::new(), 2);
        store.put(&text("c"), Some(&3)).unwrap();
        let entries: Vec<_> = store.all().map(Result::unwrap).collect();
        assert_eq!(entries, [(text("b"), 2), (text("c"), 3)]);
    }
}

#[test]
fn what_is_gone_is_deleted_a_piece_at_a_time_with_a_tombstone_each() {
    for place in [Place::Memory, Place::Disk] {
        let mut harness = Harness::new(place, &[table().with_ttl(TTL)], 0);
        let store = harness.access().timestamped_key_value(&STORE).unwrap();
        for number in 0..2_000 {
            store.put(&format!("{number:04}"), Some(&1), 10).unwrap();
        }
        harness.commit();
        harness.take_log();
        let mut tombstones = 0;
        for round in 0..20 {
            // The first of the round is not gone: it is written meanwhile.
            store.put(&text("0000"), Some(&2), 1_000 + round).unwrap();
            harness.commit();
            let log = harness.take_log();
            let deleted = log.iter().filter(|record| record.value.is_none());
            let deleted = deleted.inspect(|record| assert!(record.timestamp_ms >= 1_000));
            let deleted = deleted.count();
            assert!(deleted <= 256, "{deleted} at once");
            tombstones += deleted;
        }
        assert_eq!(tombstones, 1_999);
        assert_eq!(harness.count("store"), 1);
        assert_eq!(store.get(&text("0000")).unwrap().unwrap().value, 2);
    }
}

#[test]
fn garbage_takes_no_more_room_than_what_is_alive() {
    let mut harness = Harness::new(Place::Memory, &[table().with_ttl(TTL)], 0);
    let store = harness.access().timestamped_key_value(&STORE).unwrap();
    for time_ms in 0..1_000 {
        for number in 0..20 {
            store
                .put(&format!("{time_ms} {number}"), Some(&1), time_ms)
                .unwrap();
        }
        harness.commit();
        let alive = 101 * 20;
        let count = harness.count("store");
        assert!(count <= 2 * alive + 256, "{count} entries at {time_ms}");
    }
}

#[test]
fn restored_store_holds_only_what_is_alive() {
    for place in [Place::Memory, Place::Disk] {
        let mut harness = Harness::new(place, &[table().with_ttl(TTL)], 0);
        let store = harness.access().timestamped_key_value(&STORE).unwrap();
        store.put(&text("new"), Some(&1), 500).unwrap();
        store.put(&text("late"), Some(&2), 300).unwrap();
        drop(store);
        harness.commit();
        harness.restore();
        assert_eq!(harness.count("store"), 1);
        let store = harness.access().timestamped_key_value(&STORE).unwrap();
        assert_eq!(store.get(&text("new")).unwrap().unwrap().value, 1);
        assert_eq!(store.get(&text("late")).unwrap(), None);
    }
}

#[test]
fn view_does_not_see_what_is_gone() {
    for (builder, is_plain) in [(plain(), true), (table(), false)] {
        let mut harness = Harness::new(Place::Memory, &[builder.with_ttl(TTL)], 0);
        let put = |key: &str, timestamp_ms: i64| {
            harness.at(timestamp_ms, &Headers::new(), 0);
            if is_plain {
                let store = harness.access().key_value(&STORE).unwrap();
                store.put(&text(key), Some(&1)).unwrap();
            } else {
                let store = harness.access().timestamped_key_value(&STORE).unwrap();
                store.put(&text(key), Some(&1), timestamp_ms).unwrap();
            }
        };
        put("a", 10);
        put("b", 60);
        put("c", 111);
        harness.commit();
        let registry = StoreRegistry::default();
        let task = TaskId {
            subtopology: 0,
            partition: 0,
        };
        registry.add(task, harness.task_stores().committed());
        let view = STORE
            .view(QueryParts(registry.find(STORE.name(), None)))
            .unwrap();
        assert_eq!(view.get(&text("a")).unwrap(), None);
        let found = view.get_with_timestamp(&text("b")).unwrap().unwrap();
        assert_eq!((found.value, found.timestamp_ms), (1, 60));
        let keys: Vec<_> = view.all().unwrap().map(|entry| entry.unwrap().0).collect();
        assert_eq!(keys, ["b", "c"]);
    }
}

#[test]
fn bounded_store_gives_up_what_was_not_used_for_longest() {
    let builder = plain().with_store_type(StoreType::Lru(2));
    let mut harness = Harness::new(Place::Memory, &[builder], 0);
    let store = harness.access().key_value(&STORE).unwrap();
    store.put(&text("a"), Some(&1)).unwrap();
    store.put(&text("b"), Some(&2)).unwrap();
    assert_eq!(store.get(&text("a")).unwrap(), Some(1));
    harness.commit();
    harness.take_log();
    store.put(&text("c"), Some(&3)).unwrap();
    let log = harness.take_log();
    let keys: Vec<_> = log
        .iter()
        .map(|record| (record.key.as_slice(), record.value.is_some()))
        .collect();
    // As on the JVM: the eviction is logged first.
    assert_eq!(keys, [(&b"b"[..], false), (b"c", true)]);
    let kept: Vec<_> = store.all().map(Result::unwrap).collect();
    assert_eq!(kept, [(text("a"), 1), (text("c"), 3)]);
    store.delete(&text("a")).unwrap();
    store.put(&text("d"), Some(&4)).unwrap();
    assert_eq!(store.all().count(), 2);
    drop(store);
    // What was not committed is as if it had never been.
    harness.reopen();
    let store = harness.access().key_value(&STORE).unwrap();
    let kept: Vec<_> = store.all().map(Result::unwrap).collect();
    assert_eq!(kept, [(text("a"), 1), (text("b"), 2)]);
    store.put(&text("e"), Some(&5)).unwrap();
    assert_eq!(store.all().count(), 2);
}

#[test]
fn bounded_table_logs_no_evictions_and_gives_up_the_same_when_restored() {
    let builder = table().with_store_type(StoreType::Lru(2));
    let mut harness = Harness::new(Place::Memory, &[builder], 0);
    let store = harness.access().timestamped_key_value(&STORE).unwrap();
    for (number, key) in ["a", "b", "c", "b", "d"].iter().enumerate() {
        let number = i64::try_from(number).unwrap();
        store.put(&text(key), Some(&number), number).unwrap();
    }
    assert!(harness.logged().iter().all(|record| record.value.is_some()));
    drop(store);
    harness.commit();
    let keys = |harness: &Harness| {
        let store = harness.access().timestamped_key_value(&STORE).unwrap();
        let keys = store.all().map(|entry| entry.unwrap().0);
        keys.collect::<Vec<_>>()
    };
    assert_eq!(keys(&harness), ["b", "d"]);
    harness.restore();
    assert_eq!(keys(&harness), ["b", "d"]);
    let store = harness.access().timestamped_key_value(&STORE).unwrap();
    store.put(&text("e"), Some(&9), 9).unwrap();
    assert_eq!(keys(&harness), ["d", "e"]);
}

#[test]
fn ttl_and_bound_are_refused_where_they_have_no_meaning() {
    const WINDOWS: WindowStore<String, i64> = WindowStore::named("windows");
    let settings = WindowStoreSettings::new(100, 10);
    let windows =
        || StoreBuilder::timestamped_window(WINDOWS.name(), shared(Utf8), shared(I64), settings);
    let refused = [
        windows().with_ttl(TTL),
        windows().with_store_type(StoreType::Lru(5)),
    ];
    for store in refused {
        let error = store.check().unwrap_err();
        assert!(error.to_string().contains("store=windows"), "{error}");
    }
    let accepted = table().with_ttl(TTL).with_store_type(StoreType::Lru(5));
    accepted.check().unwrap();
}
