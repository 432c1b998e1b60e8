//! The process's id, which its transactional ids are made of.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use uuid::Uuid;

use crate::config::StreamsConfig;
use crate::error::{Error, ErrorKind, Result};

/// The id, and the lock that keeps it ours as long as this lives.
pub(super) struct ProcessId {
    pub(super) id: Arc<str>,
    lock: Option<File>,
}

impl ProcessId {
    /// Whether the state directory is this process's alone.
    pub(super) fn has_lock(&self) -> bool {
        self.lock.is_some()
    }

    /// Leaves the state directory to others.
    pub(super) fn unlock(&mut self) {
        self.lock = None;
    }
}

const ID_FILE: &str = "kafka-streams-process-metadata";
const LOCK_FILE: &str = ".lock";

/// The process's id: `group.instance.id` if there is one, else a UUID that is kept in
/// `<state.dir>/<application.id>`, so that a process that is started again takes its transactional
/// ids over and what a crash left open is aborted at once.
///
/// Of two processes with one state directory the second gets an id that is not kept; if it has
/// stores to keep there, `needs_lock`, it is refused.
pub(super) fn process_id(config: &StreamsConfig, needs_lock: bool) -> Result<ProcessId> {
    let instance = config.group_instance_id.as_deref();
    if let (Some(instance), false) = (instance, needs_lock) {
        return Ok(ProcessId {
            id: instance.into(),
            lock: None,
        });
    }
    let Some(lock) = lock(config)? else {
        if needs_lock {
            return Err(locked(config));
        }
        tracing::info!(folder = %folder(config).display(), "another process uses the state directory");
        return Ok(ProcessId {
            id: Uuid::new_v4().to_string().into(),
            lock: None,
        });
    };
    let id_path = folder(config).join(ID_FILE);
    let id = match (instance, read_id(&id_path)) {
        (Some(instance), _) => instance.into(),
        (None, Some(id)) => id.to_string().into(),
        (None, None) => {
            let id = Uuid::new_v4();
            write_id(&id_path, id).map_err(|error| failed(&id_path, error))?;
            id.to_string().into()
        }
    };
    Ok(ProcessId {
        id,
        lock: Some(lock),
    })
}

/// Locks the state directory as long as the file lives; `None` if another process has it.
pub(super) fn lock(config: &StreamsConfig) -> Result<Option<File>> {
    let folder = folder(config);
    fs::create_dir_all(&folder).map_err(|error| failed(&folder, error))?;
    let path = folder.join(LOCK_FILE);
    let lock = File::create(&path).map_err(|error| failed(&path, error))?;
    Ok(lock.try_lock().is_ok().then_some(lock))
}

/// The state directory is another process's.
pub(super) fn locked(config: &StreamsConfig) -> Error {
    let path = folder(config);
    let path = path.display();
    let message = format!(
        "the state directory {path} is locked by another process: instances with stores on one \
         machine need a state.dir each"
    );
    Error::new(ErrorKind::Config, message)
}

fn folder(config: &StreamsConfig) -> PathBuf {
    config.state_dir.join(&config.application_id)
}

fn failed(path: &Path, error: std::io::Error) -> Error {
    let path = path.display();
    let message = format!("cannot use state.dir: {path}");
    Error::with_source(ErrorKind::Config, message, error)
}

/// Reads the JVM's file (`StateDirectory.StateDirectoryProcessFile`).
fn read_id(path: &Path) -> Option<Uuid> {
    let text = fs::read_to_string(path).ok()?;
    let json: serde_json::Value = serde_json::from_str(&text).ok()?;
    json.get("processId")?.as_str()?.parse().ok()
}

/// Writes the file beside its place and moves it there, so that a crash leaves no half of it.
fn write_id(path: &Path, id: Uuid) -> std::io::Result<()> {
    let fresh: PathBuf = path.with_extension("tmp");
    fs::write(&fresh, format!("{{\"processId\":\"{id}\"}}"))?;
    fs::rename(&fresh, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(folder: &Path) -> StreamsConfig {
        let state_dir = folder.display().to_string();
        let settings = [
            ("application.id", "app"),
            ("bootstrap.servers", "127.0.0.1:9"),
            ("state.dir", state_dir.as_str()),
        ];
        StreamsConfig::from_map(settings).unwrap()
    }

    #[test]
    fn the_id_stays_and_is_not_shared_by_two_processes() {
        let folder = tempfile::tempdir().unwrap();
        let config = config(folder.path());
        let first = process_id(&config, false).unwrap();
        let beside = process_id(&config, false).unwrap();
        assert_ne!(first.id, beside.id);
        let id = Arc::clone(&first.id);
        drop(first);
        assert_eq!(process_id(&config, true).unwrap().id, id);
    }

    #[test]
    fn process_with_stores_is_refused_a_directory_that_another_one_uses() {
        let folder = tempfile::tempdir().unwrap();
        let config = config(folder.path());
        let _first = process_id(&config, true).unwrap();
        let Err(error) = process_id(&config, true) else {
            panic!("two processes have one directory");
        };
        let error = error.to_string();
        let path = folder.path().join("app").display().to_string();
        assert!(error.contains(&path) && error.contains("locked"), "{error}");
    }
}
