//! Stores of lists.

use super::{Harness, Place, shared};
use crate::record::Headers;
use crate::serde::{List, Serializer as _, Utf8};
use crate::store::{StoreBuilder, TaskListStore};

fn builder() -> StoreBuilder {
    StoreBuilder::list("pending", shared(Utf8), shared(Utf8)).with_caching()
}

fn open(harness: &Harness) -> TaskListStore<String, String> {
    harness.access().list("pending").unwrap()
}

fn text(value: &str) -> String {
    value.to_owned()
}

/// As Java's `ListSerializer`, whose bytes the serde's own tests compare.
fn list(values: &[&str]) -> Vec<u8> {
    let values: Vec<String> = values.iter().map(|value| text(value)).collect();
    let mut bytes = Vec::new();
    List(Utf8)
        .serialize("topic", &mut Headers::new(), &values, &mut bytes)
        .unwrap();
    bytes
}

#[test]
fn value_is_added_to_the_list_and_the_whole_list_is_logged() {
    for place in [Place::Memory, Place::Disk] {
        let mut harness = Harness::new(place, &[builder()], 1_000);
        let store = open(&harness);
        harness.at(5, &Headers::new(), 0);
        store.append(&text("b"), &text("one")).unwrap();
        store.append(&text("a"), &text("")).unwrap();
        harness.commit();
        harness.at(7, &Headers::new(), 1);
        store.append(&text("b"), &text("two")).unwrap();
        assert_eq!(store.get(&text("b")).unwrap(), ["one", "two"]);
        assert_eq!(store.get(&text("c")).unwrap(), Vec::<String>::new());
        let all: Vec<_> = store.all().map(Result::unwrap).collect();
        let expected = [("a", ""), ("b", "one"), ("b", "two")];
        assert_eq!(all, expected.map(|(key, value)| (text(key), text(value))));
        let log = harness.logged();
        let logged: Vec<_> = log
            .iter()
            .map(|record| (&*record.key, record.value.clone(), record.timestamp_ms))
            .collect();
        let expected = [
            (&b"b"[..], Some(list(&["one"])), 5),
            (b"a", Some(list(&[""])), 5),
            (b"b", Some(list(&["one", "two"])), 7),
        ];
        assert_eq!(logged, expected);
        harness.commit();
        drop(store);
        harness.restore();
        assert_eq!(open(&harness).get(&text("b")).unwrap(), ["one", "two"]);
    }
}

#[test]
fn list_of_the_captured_outer_join_is_written_alike() {
    // `stream-outer-join.jsonl`: the left value L0 at time 0 of key a.
    let captured = [1, 0, 0, 0, 1, 0, 0, 0, 3, 1, b'L', b'0'];
    let harness = Harness::new(Place::Memory, &[builder()], 0);
    open(&harness).append(&text("a"), &text("\u{1}L0")).unwrap();
    assert_eq!(harness.logged()[0].value.as_deref(), Some(&captured[..]));
}

#[test]
fn whole_list_is_deleted_also_while_all_are_read() {
    let mut harness = Harness::new(Place::Disk, &[builder()], 0);
    let store = open(&harness);
    for number in 0..100 {
        store.append(&format!("{number:02}"), &text("x")).unwrap();
        store.append(&format!("{number:02}"), &text("y")).unwrap();
    }
    harness.commit();
    harness.take_log();
    let mut count = 0;
    for pair in store.all() {
        store.delete(&pair.unwrap().0).unwrap();
        count += 1;
    }
    assert_eq!(count, 200);
    assert_eq!(store.all().count(), 0);
    harness.take_log();
    assert!(!store.delete_if_present(&text("00")).unwrap());
    assert_eq!(harness.take_log(), []);
    store.append(&text("00"), &text("x")).unwrap();
    assert!(store.delete_if_present(&text("00")).unwrap());
    let log = harness.take_log();
    assert_eq!(log[1].value, None);
    store.delete(&text("00")).unwrap();
    assert_eq!(
        harness.take_log().len(),
        1,
        "a plain deletion is always logged"
    );
}
