//! Who has the state of a task, and what becomes of state that nobody has.

use std::sync::Arc;
use std::time::Duration;

use super::state_directory::StateDirectory;
use crate::StreamsConfig;
use crate::id::TaskId;
use crate::serde::{I64, Utf8};
use crate::store::StoreBuilder;

const TASK: TaskId = TaskId {
    subtopology: 0,
    partition: 3,
};

fn directory(folder: &std::path::Path) -> StateDirectory {
    let state_dir = folder.display().to_string();
    let settings = [
        ("application.id", "app"),
        ("bootstrap.servers", "127.0.0.1:9"),
        ("state.dir", state_dir.as_str()),
    ];
    StateDirectory::new(&StreamsConfig::from_map(settings).unwrap())
}

fn store() -> StoreBuilder {
    StoreBuilder::key_value("counts", Arc::new(Utf8), Arc::new(I64))
}

#[test]
fn state_is_claimed_by_one_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let directory = directory(folder.path());
    let claim = directory.claim(TASK).unwrap();
    assert!(directory.clone().claim(TASK).is_none());
    assert!(directory.claim(TaskId::GLOBAL).is_some());
    drop(claim);
    assert!(directory.claim(TASK).is_some());
}

#[test]
fn state_that_is_given_back_stays_open_for_whoever_claims_it_next() {
    let folder = tempfile::tempdir().unwrap();
    let directory = directory(folder.path());
    let store = store();
    let claim = directory.claim(TASK).unwrap();
    let state = claim.open(&[&store]).unwrap();
    let database = Arc::as_ptr(state.database().unwrap());
    claim.release(state);
    let claim = directory.claim(TASK).unwrap();
    let state = claim.open(&[&store]).unwrap();
    assert_eq!(Arc::as_ptr(state.database().unwrap()), database);
    // Given up with an error: it is opened anew.
    drop((claim, state));
    let claim = directory.claim(TASK).unwrap();
    assert!(claim.open(&[&store]).unwrap().database().is_some());
}

#[test]
fn only_state_that_nobody_has_or_keeps_is_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let directory = directory(folder.path());
    let store = store();
    let path = folder.path().join("app/0_3");
    let claim = directory.claim(TASK).unwrap();
    let state = claim.open(&[&store]).unwrap();
    directory.delete_unused(Duration::ZERO);
    assert!(path.exists(), "it is claimed");
    claim.release(state);
    directory.delete_unused(Duration::ZERO);
    assert!(path.exists(), "it is kept open");
    directory.close();
    directory.delete_unused(Duration::from_secs(3_600));
    assert!(path.exists(), "it was used just now");
    directory.delete_unused(Duration::ZERO);
    assert!(!path.exists());
}
