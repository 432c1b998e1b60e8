//! State that outlives its process: what a restart restores, and what it does not.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use streams_core::State;
use streams_core::store::StoreType;
use streams_tests::counting::{COUNTS, counts};
use streams_tests::wait_until;

use crate::state_app::{Counting, LIMIT, PARTITIONS, await_running};

#[test]
fn restart_after_a_clean_stop_restores_nothing_and_goes_on() {
    for guarantee in ["exactly_once_v2", "at_least_once"] {
        let mut counting = Counting::new();
        let settings = [
            ("processing.guarantee", guarantee),
            ("commit.interval.ms", "100"),
            ("num.stream.threads", "2"),
        ];
        assert_eq!(counting.run(2_000, counts(), &settings), 0);
        assert_eq!(counting.run(1_000, counts(), &settings), 0);
        assert_eq!(counting.run(1_000, counts(), &settings), 0);
    }
}

#[test]
fn changelog_has_a_partition_for_each_task_and_holds_every_change() {
    let mut counting = Counting::new();
    counting.run(2_000, counts(), &[]);
    let changes = counting.cluster.read_committed(&counting.changelog());
    assert_eq!(changes.len(), 2_000);
    let partitions = counting.cluster.end_offsets(&counting.changelog());
    assert_eq!(partitions.len(), PARTITIONS as usize);
    let last = changes.iter().rfind(|change| change.key_text() == "key-7");
    let value = last.and_then(|change| change.value.clone()).unwrap();
    assert_eq!(value, 40_i64.to_be_bytes());
}

#[test]
fn state_that_is_missing_is_restored_from_its_changelog() {
    let mut counting = Counting::new();
    counting.run(2_000, counts(), &[]);
    fs::remove_dir_all(counting.state().join("0_1")).unwrap();
    // A quarter of the keys.
    let lost = counting.cluster.read_committed(&counting.changelog());
    let lost = lost.iter().filter(|change| change.partition == 1).count();
    assert_eq!(counting.run(1_000, counts(), &[]), lost as u64);
}

/// KIP-834: what is paused is not restored either.
#[test]
fn restore_rests_while_the_application_is_paused() {
    let mut counting = Counting::new();
    counting.run(2_000, counts(), &[]);
    let lost = counting.state().join("0_1");
    fs::remove_dir_all(&lost).unwrap();
    let (mut streams, restored) = counting.app(counts(), &[]);
    streams.start().unwrap();
    streams.pause();
    wait_until("the state was opened", LIMIT, || {
        lost.join("rocksdb").exists().then_some(())
    });
    let state = streams.wait_for_state(State::Running, Duration::from_secs(1));
    assert_ne!(state, State::Running);
    assert_eq!(restored.records(), 0);
    streams.resume();
    await_running(&streams);
    assert_ne!(restored.records(), 0);
}

#[test]
fn state_in_memory_is_restored_at_every_start() {
    let mut counting = Counting::new();
    let store = || counts().with_store_type(StoreType::InMemory);
    assert_eq!(counting.run(1_000, store(), &[]), 0);
    assert_eq!(counting.run(1_000, store(), &[]), 1_000);
    assert!(!counting.state().join("0_0").exists());
    // Stores that do not say where they are kept are kept where the configuration says.
    let settings = [("default.dsl.store", "in_memory")];
    assert_eq!(counting.run(1_000, counts(), &settings), 2_000);
}

#[test]
fn state_that_was_reset_is_rebuilt() {
    let mut counting = Counting::new();
    counting.run(1_000, counts(), &[]);
    let (streams, _) = counting.app(counts(), &[]);
    streams.clean_up().unwrap();
    assert!(!counting.state().join("0_0").exists());
    assert_eq!(counting.run(1_000, counts(), &[]), 1_000);
}

#[test]
fn running_application_does_not_reset_its_state() {
    let counting = Counting::new();
    let (mut streams, _) = counting.app(counts(), &[]);
    streams.start().unwrap();
    await_running(&streams);
    let error = streams.clean_up().unwrap_err().to_string();
    assert!(error.contains("RUNNING"), "{error}");
    assert!(counting.state().join("0_0").exists());
}

/// Tombstones that the store lacks may be gone from the changelog.
#[test]
fn state_older_than_the_tombstones_of_its_changelog_is_rebuilt() {
    let mut counting = Counting::new();
    let short = BTreeMap::from([("delete.retention.ms".to_owned(), "0".to_owned())]);
    let store = || counts().with_logging(short.clone());
    assert_eq!(counting.run(1_000, store(), &[]), 0);
    // Nothing is missing, so nothing can be wrong.
    assert_eq!(counting.run(1_000, store(), &[]), 0);
    let change = streams_tests::Record::new("key-0", 40_i64.to_be_bytes()).partition(0);
    counting.cluster.produce(&counting.changelog(), [change]);
    let changes = counting.cluster.read_committed(&counting.changelog());
    let changes = changes
        .iter()
        .filter(|change| change.partition == 0)
        .count();
    assert_eq!(counting.run(1_000, store(), &[]), changes as u64);
}

#[test]
fn directories_of_tasks_that_have_moved_away_are_deleted_and_no_others() {
    let mut counting = Counting::new();
    counting.run(1_000, counts(), &[]);
    let beside = counting.folder.path().join("other-application/0_0");
    let (moved, kept) = (
        counting.state().join("7_3"),
        counting.state().join("backup"),
    );
    for folder in [&beside, &moved, &kept] {
        fs::create_dir_all(folder.join("rocksdb")).unwrap();
    }
    let (mut streams, _) = counting.app(counts(), &[("state.cleanup.delay.ms", "200")]);
    streams.start().unwrap();
    await_running(&streams);
    wait_until("the unused directory was deleted", LIMIT, || {
        (!moved.exists()).then_some(())
    });
    assert!(beside.exists() && kept.exists() && counting.state().join("0_0").exists());
    assert!(streams.close(Duration::from_secs(5)));
}

#[test]
fn tasks_that_move_take_their_counts_along() {
    let mut counting = Counting::new();
    let (mut first, _) = counting.app(counts(), &[]);
    first.start().unwrap();
    await_running(&first);
    counting.send(2_000);
    counting.check();
    let folder = tempfile::tempdir().unwrap();
    let topology =
        streams_tests::counting::topology(&counting.input, &counting.output, counts()).unwrap();
    let config = counting.config(folder.path(), &[]);
    let mut second = streams_core::KafkaStreams::new(topology, config).unwrap();
    second.start().unwrap();
    counting.cluster.wait_for_members(&counting.id, 2, LIMIT);
    counting.send(2_000);
    counting.check();
    await_running(&second);
    assert!(first.close(Duration::from_secs(5)));
    counting.send(2_000);
    counting.check();
    await_running(&second);
    let view = second.store(&COUNTS).unwrap();
    assert_eq!(view.get(&"key-7".to_owned()).unwrap(), Some(120));
    assert!(second.close(Duration::from_secs(5)));
}

/// What a crash between the commit to Kafka and that to the store leaves behind.
#[test]
fn state_behind_its_changelog_restores_what_is_missing_and_no_more() {
    let mut counting = Counting::new();
    counting.run(1_000, counts(), &[]);
    let behind = counting.folder.path().join("behind");
    copy_folder(&counting.state(), &behind);
    counting.run(700, counts(), &[]);
    fs::remove_dir_all(counting.state()).unwrap();
    fs::rename(&behind, counting.state()).unwrap();
    assert_eq!(counting.run(500, counts(), &[]), 700);
    assert_eq!(counting.run(500, counts(), &[]), 0);
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (path, copy) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy_folder(&path, &copy);
        } else {
            fs::copy(&path, &copy).unwrap();
        }
    }
}
