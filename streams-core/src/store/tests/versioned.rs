//! Versioned stores beyond what the JVM's calls show.

use super::{Harness, Place, shared};
use crate::id::TaskId;
use crate::serde::Utf8;
use crate::store::{
    QueryParts, QueryableStore, StoreBuilder, StoreRegistry, VersionedKeyValueStore, VersionedPut,
    VersionedRecord, VersionedStoreSettings,
};

const PRICES: VersionedKeyValueStore<String, String> = VersionedKeyValueStore::named("prices");

fn prices() -> StoreBuilder {
    let settings = VersionedStoreSettings {
        history_retention_ms: 100,
        segment_interval_ms: Some(10),
    };
    // Whether caching is asked for makes no difference.
    StoreBuilder::versioned(PRICES.name(), shared(Utf8), shared(Utf8), settings).with_caching()
}

fn text(value: &str) -> String {
    value.to_owned()
}

fn record(value: &str, timestamp_ms: i64, valid_to_ms: Option<i64>) -> VersionedRecord<String> {
    VersionedRecord {
        value: text(value),
        timestamp_ms,
        valid_to_ms,
    }
}

#[test]
fn version_knows_until_when_it_is_valid() {
    let harness = Harness::new(Place::Memory, &[prices()], 1_000);
    let store = harness.access().versioned(&PRICES).unwrap();
    store.put(&text("a"), Some(&text("one")), 10).unwrap();
    let put = store.put(&text("a"), Some(&text("two")), 30).unwrap();
    assert_eq!(put, VersionedPut::Latest);
    let put = store.put(&text("a"), Some(&text("between")), 20).unwrap();
    assert_eq!(put, VersionedPut::ValidTo(30));
    let at = |as_of_ms| store.get_as_of(&text("a"), as_of_ms).unwrap();
    assert_eq!(at(9), None);
    assert_eq!(at(10), Some(record("one", 10, Some(20))));
    assert_eq!(at(29), Some(record("between", 20, Some(30))));
    assert_eq!(at(30), Some(record("two", 30, None)));
    assert_eq!(store.get(&text("a")).unwrap(), at(1_000));
}

#[test]
fn history_is_dropped_from_the_store_when_it_is_past_its_retention() {
    for place in [Place::Memory, Place::Disk] {
        let mut harness = Harness::new(place, &[prices()], 0);
        for time_ms in 0..500 {
            let store = harness.access().versioned(&PRICES).unwrap();
            store
                .put(&text("a"), Some(&time_ms.to_string()), time_ms)
                .unwrap();
            if time_ms % 90 == 0 {
                harness.commit();
            }
        }
        harness.commit();
        let rows = harness.count("prices");
        // The latest, a hundred versions behind it, and the rest of a segment.
        assert!((101..=112).contains(&rows), "{rows} rows are left");
    }
}

#[test]
fn restored_store_has_the_same_history() {
    for place in [Place::Memory, Place::Disk] {
        let mut harness = Harness::new(place, &[prices()], 0);
        let store = harness.access().versioned(&PRICES).unwrap();
        let puts = [
            (10, Some("one")),
            (40, Some("two")),
            (20, None),
            (150, Some("three")),
        ];
        for (time_ms, value) in puts {
            let value = value.map(text);
            store.put(&text("a"), value.as_ref(), time_ms).unwrap();
        }
        store.put(&text("a"), Some(&text("too late")), 49).unwrap();
        let seen = |harness: &Harness| {
            let store = harness.access().versioned(&PRICES).unwrap();
            let times = 0..200;
            let versions = times.map(|time_ms| store.get_as_of(&text("a"), time_ms).unwrap());
            versions.collect::<Vec<_>>()
        };
        let before = seen(&harness);
        drop(store);
        assert_eq!(before[50], Some(record("two", 40, Some(150))));
        harness.commit();
        let log = harness.logged();
        assert_eq!(log.len(), 5, "the JVM logs also what came too late");
        harness.restore();
        assert_eq!(seen(&harness), before);
    }
}

#[test]
fn view_sees_the_committed_versions() {
    let mut harness = Harness::new(Place::Disk, &[prices()], 0);
    let store = harness.access().versioned(&PRICES).unwrap();
    store.put(&text("a"), Some(&text("one")), 10).unwrap();
    store.put(&text("a"), Some(&text("two")), 30).unwrap();
    store.put(&text("a"), None, 40).unwrap();
    store.put(&text("a"), Some(&text("three")), 50).unwrap();
    harness.commit();
    store.put(&text("a"), Some(&text("four")), 60).unwrap();
    let registry = StoreRegistry::default();
    let task = TaskId {
        subtopology: 0,
        partition: 0,
    };
    registry.add(task, harness.task_stores().committed());
    let parts = QueryParts(registry.find(PRICES.name(), None));
    let view = PRICES.view(parts).unwrap();
    let key = text("a");
    assert_eq!(view.get(&key).unwrap(), Some(record("three", 50, None)));
    let one = record("one", 10, Some(30));
    assert_eq!(view.get_as_of(&key, 29).unwrap(), Some(one.clone()));
    assert_eq!(view.get_as_of(&key, 45).unwrap(), None);
    let two = record("two", 30, Some(40));
    assert_eq!(view.get_between(&key, 29, 39).unwrap(), [one, two]);
    let last = view.get_between(&key, 40, 1_000).unwrap();
    assert_eq!(last, [record("three", 50, None)]);
    assert_eq!(view.get(&text("b")).unwrap(), None);
}
