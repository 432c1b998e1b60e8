//! The state of a task on disk: committed, given up, reopened, restored.

use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use crate::broker::Collector;
use crate::error::Result;
use crate::id::{TaskId, TopicPartition};
use crate::record::OutgoingRecord;
use crate::serde::{I64, Utf8};
use crate::store::builder::StoreType;
use crate::store::{
    KeyValueStore, StoreBuilder, StoreContext, StoreMemory, StoreRestorer, TaskDatabase,
    TaskKeyValueStore, TaskState, TaskStores,
};

const TASK: TaskId = TaskId {
    subtopology: 1,
    partition: 3,
};

/// Takes everything and keeps nothing.
struct Nowhere;

impl Collector for Nowhere {
    fn send(&self, _: &OutgoingRecord<'_>) -> Result<()> {
        Ok(())
    }

    fn partition_count(&self, _: &str) -> Result<i32> {
        Ok(1)
    }
}

fn builder(name: &str) -> StoreBuilder {
    StoreBuilder::key_value(name, Arc::new(Utf8), Arc::new(I64))
}

fn database(folder: &Path, application: &str, names: &[&str]) -> Result<TaskDatabase> {
    let names: Vec<Arc<str>> = names.iter().map(|name| (*name).into()).collect();
    let memory = StoreMemory::new(8 * 1024 * 1024);
    TaskDatabase::open(folder, application, TASK, &names, &memory)
}

/// The key and value of a changelog.
type Change = (String, Option<i64>);

fn open(folder: &Path, names: &[&str]) -> (Vec<StoreBuilder>, TaskState) {
    let builders: Vec<StoreBuilder> = names.iter().map(|name| builder(name)).collect();
    let database = Arc::new(database(folder, "app", names).unwrap());
    let all: Vec<&StoreBuilder> = builders.iter().collect();
    let state = TaskState::default().open(&all, StoreType::RocksDb, Some(database));
    (builders, state.unwrap())
}

fn run(builders: &[StoreBuilder], state: TaskState) -> TaskStores {
    let context = StoreContext::new(TASK.partition, Rc::new(Nowhere));
    TaskStores::over(builders, "app", context, state)
}

fn handle(stores: &TaskStores, name: &str) -> TaskKeyValueStore<String, i64> {
    let name: KeyValueStore<String, i64> = KeyValueStore::new(name);
    stores.access_all().key_value(&name).unwrap()
}

fn get(stores: &TaskStores, store: &str, key: &str) -> Option<i64> {
    handle(stores, store).get(&key.to_owned()).unwrap()
}

fn put(stores: &TaskStores, store: &str, key: &str, value: i64) {
    let store = handle(stores, store);
    store.put(&key.to_owned(), Some(&value)).unwrap();
}

#[test]
fn what_is_committed_is_there_when_it_is_opened_again_and_the_rest_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let names = ["ones", "twos"];
    let (builders, state) = open(folder.path(), &names);
    let mut stores = run(&builders, state);
    put(&stores, "ones", "a", 1);
    put(&stores, "twos", "a", 2);
    let ends = |topic: &Arc<str>| match &**topic {
        "app-ones-changelog" => Some(10),
        _ => Some(20),
    };
    stores.commit(7, ends).unwrap();
    put(&stores, "ones", "a", 100);
    put(&stores, "ones", "b", 100);
    drop(stores);

    let (builders, state) = open(folder.path(), &names);
    assert_eq!(state.changelog_offset("ones"), Some(10));
    assert_eq!(state.changelog_offset("twos"), Some(20));
    assert_eq!(
        state.database().unwrap().committed_at_ms().unwrap(),
        Some(7)
    );
    let stores = run(&builders, state);
    assert_eq!(get(&stores, "ones", "a"), Some(1));
    assert_eq!(get(&stores, "ones", "b"), None);
    assert_eq!(get(&stores, "twos", "a"), Some(2));
}

#[test]
fn task_that_is_given_up_gives_back_what_it_has_committed() {
    let folder = tempfile::tempdir().unwrap();
    let names = ["ones"];
    let (builders, state) = open(folder.path(), &names);
    let mut stores = run(&builders, state);
    put(&stores, "ones", "a", 1);
    stores.commit(0, |_| Some(1)).unwrap();
    put(&stores, "ones", "a", 2);
    let state = stores.into_state();
    assert_eq!(state.changelog_offset("ones"), Some(1));
    let mut stores = run(&builders, state);
    assert_eq!(get(&stores, "ones", "a"), Some(1));
    // An end that is not known leaves the store where it stood.
    put(&stores, "ones", "a", 3);
    stores.commit(0, |_| None).unwrap();
    assert_eq!(stores.into_state().changelog_offset("ones"), Some(1));
}

#[test]
fn stores_in_memory_are_kept_with_how_far_they_are() {
    let builders = [builder("ones").with_store_type(StoreType::InMemory)];
    let all: Vec<&StoreBuilder> = builders.iter().collect();
    let open = |state: TaskState| state.open(&all, StoreType::RocksDb, None).unwrap();
    let mut stores = run(&builders, open(TaskState::default()));
    put(&stores, "ones", "a", 1);
    stores.commit(0, |_| Some(5)).unwrap();
    put(&stores, "ones", "a", 2);
    let state = open(stores.into_state());
    assert_eq!(state.changelog_offset("ones"), Some(5));
    assert_eq!(get(&run(&builders, state), "ones", "a"), Some(1));
}

#[test]
fn task_without_writes_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (builders, state) = open(folder.path(), &["ones"]);
    let mut stores = run(&builders, state);
    put(&stores, "ones", "a", 1);
    stores.commit(1, |_| Some(1)).unwrap();
    stores.commit(2, |_| Some(9)).unwrap();
    let state = stores.into_state();
    assert_eq!(
        state.database().unwrap().committed_at_ms().unwrap(),
        Some(1)
    );
    assert_eq!(state.changelog_offset("ones"), Some(1));
}

#[test]
fn restore_that_is_interrupted_goes_on_behind_its_last_batch() {
    let folder = tempfile::tempdir().unwrap();
    let names = ["ones"];
    let (builders, mut state) = open(folder.path(), &names);
    let builder = &builders[0];
    let restore = |state: &TaskState, from: i64, to: i64| {
        let mut restorer = state.restorer(builder);
        for number in from..to {
            let key = format!("key-{number}");
            let value = number.to_be_bytes();
            restorer.apply(key.as_bytes(), Some(&value), 0).unwrap();
        }
        restorer
    };
    let mut restorer = restore(&state, 0, 10);
    assert!(restorer.pending_bytes() > 0);
    restorer.write(10).unwrap();
    // Taken in, and lost with the process.
    drop(restore(&state, 10, 20));
    state.put_back(builder.name(), restorer.finish());
    assert_eq!(state.changelog_offset("ones"), Some(10));
    drop(state);

    let (builders, mut state) = open(folder.path(), &names);
    assert_eq!(state.changelog_offset("ones"), Some(10));
    let mut restorer = restore(&state, 10, 15);
    restorer.apply(b"key-3", None, 0).unwrap();
    restorer.write(16).unwrap();
    state.put_back(builder.name(), restorer.finish());
    let stores = run(&builders, state);
    assert_eq!(get(&stores, "ones", "key-2"), Some(2));
    assert_eq!(get(&stores, "ones", "key-3"), None);
    assert_eq!(get(&stores, "ones", "key-14"), Some(14));
    assert_eq!(get(&stores, "ones", "key-15"), None);
}

/// More than a table takes at the least, in any order, with keys that come again and that go.
fn many_changes(seed: u64) -> Vec<Change> {
    let changes = (0..40_000_u64).map(|number| {
        let mixed = (number + seed).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        let value = (!mixed.is_multiple_of(10)).then_some(i64::try_from(number + seed).unwrap());
        (format!("key-{}", mixed % 25_000), value)
    });
    changes.collect()
}

fn take_in(restorer: &mut StoreRestorer, changes: &[Change]) {
    for (key, value) in changes {
        let value = value.map(i64::to_be_bytes);
        let value = value.as_ref().map(|value| &value[..]);
        restorer.apply(key.as_bytes(), value, 0).unwrap();
    }
}

fn assert_holds(stores: &TaskStores, name: &str, changes: &[&[Change]]) {
    let last: BTreeMap<String, Option<i64>> = changes.concat().into_iter().collect();
    let alive = last
        .into_iter()
        .filter_map(|(key, value)| Some((key, value?)));
    let found: Vec<_> = handle(stores, name).all().map(Result::unwrap).collect();
    assert_eq!(found, alive.collect::<Vec<_>>());
}

/// The next process finds the first changes alone, and restores the second.
fn assert_goes_on_behind_the_first(folder: &Path, first: &[Change], second: &[Change]) {
    let (builders, mut state) = open(folder, &["ones"]);
    assert_eq!(state.changelog_offset("ones"), Some(1));
    let mut restorer = state.restorer(&builders[0]);
    take_in(&mut restorer, second);
    restorer.write(2).unwrap();
    state.put_back(builders[0].name(), restorer.finish());
    assert_eq!(state.changelog_offset("ones"), Some(2));
    assert_holds(&run(&builders, state), "ones", &[first, second]);
}

#[test]
fn restore_of_much_has_the_last_of_each_key_and_outlives_its_process() {
    let folder = tempfile::tempdir().unwrap();
    let names = ["ones", "twos"];
    let (builders, mut state) = open(folder.path(), &names);
    let (first, second, third) = (many_changes(1), many_changes(2_000_000), many_changes(7));
    let few = &second[..100];
    let mut ones = state.restorer(&builders[0]);
    let mut twos = state.restorer(&builders[1]);
    // Nobody waits for a table of the other.
    for (changes, end) in [(&first[..], 1), (few, 2), (&second, 3), (&third, 4)] {
        take_in(&mut ones, changes);
        ones.write(end).unwrap();
        take_in(&mut twos, changes);
        twos.write(end).unwrap();
    }
    // One of them is rebuilt, and has few entries and then many.
    twos.clear().unwrap();
    for (changes, end) in [(few, 2), (&first[..], 3)] {
        take_in(&mut twos, changes);
        twos.write(end).unwrap();
    }
    state.put_back(builders[0].name(), ones.finish());
    state.put_back(builders[1].name(), twos.finish());
    drop(state);
    let (builders, state) = open(folder.path(), &names);
    assert_eq!(state.changelog_offset("ones"), Some(4));
    assert_eq!(state.changelog_offset("twos"), Some(3));
    let stores = run(&builders, state);
    assert_holds(&stores, "ones", &[&first, few, &second, &third]);
    assert_holds(&stores, "twos", &[few, &first]);
}

#[test]
fn table_whose_offset_was_not_written_is_restored_again() {
    let folder = tempfile::tempdir().unwrap();
    let (builders, mut state) = open(folder.path(), &["ones"]);
    let (first, second) = (many_changes(1), many_changes(5));
    let mut restorer = state.restorer(&builders[0]);
    take_in(&mut restorer, &first);
    restorer.write(1).unwrap();
    restorer.settle().unwrap();
    let position = state.database().unwrap().positions().unwrap()["ones"];
    take_in(&mut restorer, &second);
    restorer.write(2).unwrap();
    state.put_back(builders[0].name(), restorer.finish());
    // As a process leaves it that is killed in between.
    let mut batch = state.database().unwrap().batch();
    batch.set_position("ones", position);
    batch.write_restored().unwrap();
    drop(state);

    assert_goes_on_behind_the_first(folder.path(), &first, &second);
}

#[test]
fn behind_a_table_that_could_not_be_written_nothing_is() {
    let folder = tempfile::tempdir().unwrap();
    let (builders, mut state) = open(folder.path(), &["ones"]);
    let (first, second) = (many_changes(1), many_changes(5));
    let mut restorer = state.restorer(&builders[0]);
    take_in(&mut restorer, &first);
    restorer.write(1).unwrap();
    restorer.settle().unwrap();
    // Where the next table would be.
    let in_the_way = folder.path().join("rocksdb").join("restored-1");
    std::fs::create_dir(&in_the_way).unwrap();
    take_in(&mut restorer, &second);
    restorer.write(2).unwrap();
    take_in(&mut restorer, &first[..10]);
    restorer.write(3).unwrap_err();
    restorer.settle().unwrap_err();
    restorer.write(3).unwrap_err();
    state.put_back(builders[0].name(), restorer.finish());
    assert_eq!(state.changelog_offset("ones"), Some(1));
    std::fs::remove_dir(&in_the_way).unwrap();
    drop(state);

    assert_goes_on_behind_the_first(folder.path(), &first, &second);
}

#[test]
fn unfinished_table_is_removed_by_the_next_owner_and_nobody_else() {
    let folder = tempfile::tempdir().unwrap();
    let (_, state) = open(folder.path(), &["ones"]);
    let unfinished = folder.path().join("rocksdb").join("restored-7");
    std::fs::write(&unfinished, "half a table").unwrap();
    assert!(database(folder.path(), "app", &["ones"]).is_err());
    assert!(unfinished.exists());
    drop(state);
    open(folder.path(), &["ones"]);
    assert!(!unfinished.exists());
}

#[test]
fn store_that_is_to_be_rebuilt_is_empty_and_others_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let names = ["ones", "twos"];
    let (builders, state) = open(folder.path(), &names);
    let mut stores = run(&builders, state);
    put(&stores, "ones", "a", 1);
    put(&stores, "twos", "a", 2);
    stores.commit(0, |_| Some(5)).unwrap();
    let mut state = stores.into_state();
    let mut restorer = state.restorer(&builders[0]);
    restorer.clear().unwrap();
    state.put_back(builders[0].name(), restorer.finish());
    drop(state);
    let (builders, state) = open(folder.path(), &names);
    assert_eq!(state.changelog_offset("ones"), None);
    let stores = run(&builders, state);
    assert_eq!(get(&stores, "ones", "a"), None);
    assert_eq!(get(&stores, "twos", "a"), Some(2));
}

#[test]
fn offsets_of_partitions_are_kept_with_what_came_from_them() {
    let folder = tempfile::tempdir().unwrap();
    let names = ["ones"];
    let (builders, state) = open(folder.path(), &names);
    let mut stores = run(&builders, state);
    put(&stores, "ones", "a", 1);
    let partition = |topic: &str, partition| TopicPartition {
        topic: topic.into(),
        partition,
    };
    let offsets = BTreeMap::from([
        (partition("a-topic-1", 0), 7),
        (partition("a-topic-1", 12), 8),
        (partition("b", 0), 0),
    ]);
    stores
        .commit_with(
            0,
            |_| None,
            |batch| {
                for (partition, offset) in &offsets {
                    batch.set_offset(partition, *offset);
                }
            },
        )
        .unwrap();
    drop(stores);
    let (_, state) = open(folder.path(), &names);
    assert_eq!(state.database().unwrap().offsets().unwrap(), offsets);
}

#[test]
fn database_of_others_is_refused_and_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let first = database(folder.path(), "app", &["ones"]).unwrap();
    let refused = |application: &str| {
        let opened = database(folder.path(), application, &["ones"]);
        let Err(error) = opened else {
            panic!("it was opened");
        };
        error.to_string()
    };
    let path = folder.path().join("rocksdb").display().to_string();
    let locked = refused("app");
    assert!(
        locked.contains("is locked") && locked.contains("task=1_3") && locked.contains(&path),
        "{locked}"
    );
    drop(first);
    let other = refused("another");
    let identity = "found=\"1 app 1_3\" expected=\"1 another 1_3\"";
    assert!(other.contains(identity) && other.contains(&path), "{other}");
    drop(database(folder.path(), "app", &["ones"]).unwrap());
}
