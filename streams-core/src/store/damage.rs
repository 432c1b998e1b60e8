//! Why a task's database cannot be opened or used.

use std::fs;
use std::path::Path;

use crate::error::{Error, ErrorKind};
use crate::id::TaskId;

/// The file without which RocksDB takes a folder for empty.
pub(super) const CURRENT_FILE: &str = "CURRENT";

pub(super) fn io_error(path: &Path, task: TaskId, error: std::io::Error) -> Error {
    let message = format!("cannot use state.dir: task={task} path={}", path.display());
    Error::with_source(ErrorKind::Io, message, error)
}

/// Whether a folder holds files of a database.
pub(super) fn has_tables(path: &Path) -> bool {
    let Ok(entries) = fs::read_dir(path) else {
        return false;
    };
    entries.flatten().any(|entry| {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        name.ends_with(".sst") || name.starts_with("MANIFEST-")
    })
}

pub(super) fn open_error(path: &Path, task: TaskId, error: rocksdb::Error) -> Error {
    let text = error.to_string();
    let is_locked = ["While lock file", "lock hold by current process"];
    let is_damaged = error.kind() == rocksdb::ErrorKind::Corruption
        || (path.join(CURRENT_FILE).exists() && text.contains("No such file"));
    if is_locked.iter().any(|locked| text.contains(locked)) {
        let path = path.display();
        let what = "the state is locked: another process, or another application of this one, uses";
        let message = format!("{what} it: task={task} path={path}");
        return Error::with_source(ErrorKind::Io, message, error);
    }
    if is_damaged {
        return damaged(path, task, &text);
    }
    let message = format!("cannot open the state: task={task} path={}", path.display());
    Error::with_source(ErrorKind::Io, message, error)
}

/// Nothing is deleted that its owner may still want to look at.
pub(super) fn damaged(path: &Path, task: TaskId, what: &str) -> Error {
    let path = path.display();
    let message = format!(
        "the state is damaged: task={task} path={path}: {what}; to rebuild it from its changelogs, \
         delete this directory or call KafkaStreams::clean_up while the application does not run"
    );
    Error::new(ErrorKind::Io, message)
}
