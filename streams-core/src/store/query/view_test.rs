//! What queries see of a task's stores.

use std::rc::Rc;
use std::sync::Arc;

use crate::error::ErrorKind;
use crate::id::TaskId;
use crate::serde::{I64, SharedSerde, Utf8};
use crate::store::{
    KeyValueStore, QueryParts, QueryableStore, SessionStore, StoreBuilder, StoreContext,
    StoreRegistry, TaskStores, WindowStore, WindowStoreSettings,
};
use crate::testing::MemoryCollector;
use crate::window::{Window, Windowed};

const COUNTS: KeyValueStore<String, i64> = KeyValueStore::named("counts");
const MINUTES: WindowStore<String, i64> = WindowStore::named("minutes");
const VISITS: SessionStore<String, i64> = SessionStore::named("visits");

fn stores(partition: i32) -> TaskStores {
    let (key, value): (SharedSerde<String>, SharedSerde<i64>) = (Arc::new(Utf8), Arc::new(I64));
    let windows = WindowStoreSettings::new(1_000, 10);
    let builders = [
        StoreBuilder::timestamped_key_value("counts", Arc::clone(&key), Arc::clone(&value)),
        StoreBuilder::timestamped_window("minutes", Arc::clone(&key), Arc::clone(&value), windows),
        StoreBuilder::session("visits", key, value, 1_000),
    ];
    let collector = Rc::new(MemoryCollector::default());
    TaskStores::in_memory(&builders, "app", StoreContext::new(partition, collector))
}

fn view<S: QueryableStore>(stores: &[&TaskStores], store: &S) -> crate::Result<S::View> {
    let registry = StoreRegistry::default();
    for (partition, stores) in (0..).zip(stores) {
        let task = TaskId {
            subtopology: 0,
            partition,
        };
        registry.add(task, stores.committed());
    }
    store.view(QueryParts(registry.find(store.store_name(), None)))
}

fn a() -> String {
    "a".to_owned()
}

#[test]
fn view_sees_a_write_once_it_is_committed() {
    let mut stores = stores(0);
    let counts = stores.access_all().timestamped_key_value(&COUNTS).unwrap();
    counts.put(&a(), Some(&1), 5).unwrap();
    let view = view(&[&stores], &COUNTS).unwrap();
    assert_eq!(view.get(&a()).unwrap(), None);
    stores.commit(0, |_| None).unwrap();
    let found = view.get_with_timestamp(&a()).unwrap().unwrap();
    assert_eq!((found.value, found.timestamp_ms), (1, 5));
    counts.put(&a(), None, 6).unwrap();
    assert_eq!(view.get(&a()).unwrap(), Some(1));
    stores.commit(0, |_| None).unwrap();
    assert_eq!(view.get(&a()).unwrap(), None);
}

#[test]
fn view_has_the_entries_of_all_partitions() {
    let (mut first, mut second) = (stores(0), stores(1));
    for (stores, keys) in [(&mut first, ["a", "c"]), (&mut second, ["b", "d"])] {
        let access = stores.access_all();
        let counts = access.timestamped_key_value(&COUNTS).unwrap();
        for key in keys {
            counts.put(&key.to_owned(), Some(&1), 0).unwrap();
        }
        stores.commit(0, |_| None).unwrap();
    }
    let view = view(&[&first, &second], &COUNTS).unwrap();
    let keys = |entries: Vec<crate::Result<(String, i64)>>| {
        let keys = entries.into_iter().map(|entry| entry.unwrap().0);
        keys.collect::<String>()
    };
    assert_eq!(keys(view.all().unwrap().collect()), "acbd");
    assert_eq!(keys(view.reverse_all().unwrap().collect()), "cadb");
    let (lower, upper) = ("b".to_owned(), "c".to_owned());
    let range = view.range(Some(&lower), Some(&upper)).unwrap();
    assert_eq!(keys(range.collect()), "cb");
    let prefix = view.prefix_scan(&"d".to_owned(), &Utf8).unwrap();
    assert_eq!(keys(prefix.collect()), "d");
    assert_eq!(view.get(&"d".to_owned()).unwrap(), Some(1));
    assert_eq!(view.approximate_num_entries().unwrap(), 4);
}

#[test]
fn windows_and_sessions_past_their_retention_are_not_seen() {
    let mut stores = stores(0);
    let windows = stores.access_all().timestamped_window(&MINUTES).unwrap();
    let sessions = stores.access_all().session(&VISITS).unwrap();
    for start_ms in [0, 10, 1_005] {
        windows
            .put(&a(), Some(&start_ms), start_ms, start_ms)
            .unwrap();
        let session = Windowed::new(a(), Window::new(start_ms, start_ms + 5));
        sessions.put(&session, Some(&start_ms)).unwrap();
    }
    stores.commit(0, |_| None).unwrap();
    let view_of_windows = view(&[&stores], &MINUTES).unwrap();
    let starts = view_of_windows.fetch_range(&a(), 0, i64::MAX).unwrap();
    let starts: Vec<i64> = starts.map(|window| window.unwrap().0).collect();
    assert_eq!(starts, [10, 1_005]);
    assert_eq!(view_of_windows.fetch(&a(), 0).unwrap(), None);
    assert_eq!(view_of_windows.fetch(&a(), 10).unwrap(), Some(10));
    let view_of_sessions = view(&[&stores], &VISITS).unwrap();
    let found = view_of_sessions.fetch(&a()).unwrap();
    let found: Vec<Window> = found.map(|session| session.unwrap().0.window).collect();
    assert_eq!(found, [Window::new(10, 15), Window::new(1_005, 1_010)]);
    let value = view_of_sessions.fetch_session(&a(), 10, 15).unwrap();
    assert_eq!(value, Some(10));
    assert_eq!(view_of_sessions.fetch_session(&a(), 10, 16).unwrap(), None);
}

#[test]
fn store_of_another_type_is_refused_with_its_name() {
    let stores = stores(0);
    let wrong_type = KeyValueStore::<String, String>::named("counts");
    let error = view(&[&stores], &wrong_type).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Topology);
    assert!(error.to_string().contains("store=counts"), "{error}");
    let wrong_kind = WindowStore::<String, i64>::named("counts");
    let error = view(&[&stores], &wrong_kind).err().unwrap();
    assert!(
        error.to_string().contains("timestamped key-value"),
        "{error}"
    );
}
