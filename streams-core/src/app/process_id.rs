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
    _lock: Option<File>,
}

const ID_FILE: &str = "kafka-streams-process-metadata";
const LOCK_FILE: &str = ".lock";

/// The process's id: `group.instance.id` if there is one, else a UUID that is kept in
/// `<state.dir>/<application.id>`, so that a process that is started again takes its transactional
/// ids over and what a crash left open is aborted at once.
///
/// Of two processes with one state directory the second gets an id that is not kept.
pub(super) fn process_id(config: &StreamsConfig) -> Result<ProcessId> {
    if let Some(instance) = &config.group_instance_id {
        return Ok(ProcessId {
            id: instance.as_str().into(),
            _lock: None,
        });
    }
    let folder = config.state_dir.join(&config.application_id);
    let failed = |path: &Path, error: std::io::Error| {
        let path = path.display();
        Error::with_source(
            ErrorKind::Config,
            format!("cannot use state.dir: {path}"),
            error,
        )
    };
    fs::create_dir_all(&folder).map_err(|error| failed(&folder, error))?;
    let lock_path = folder.join(LOCK_FILE);
    let lock = File::create(&lock_path).map_err(|error| failed(&lock_path, error))?;
    if lock.try_lock().is_err() {
        tracing::info!(folder = %folder.display(), "another process uses the state directory");
        return Ok(ProcessId {
            id: Uuid::new_v4().to_string().into(),
            _lock: None,
        });
    }
    let id_path = folder.join(ID_FILE);
    let id = match read_id(&id_path) {
        Some(id) => id,
        None => {
            let id = Uuid::new_v4();
            write_id(&id_path, id).map_err(|error| failed(&id_path, error))?;
            id
        }
    };
    Ok(ProcessId {
        id: id.to_string().into(),
        _lock: Some(lock),
    })
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
        let first = process_id(&config).unwrap();
        let beside = process_id(&config).unwrap();
        assert_ne!(first.id, beside.id);
        let id = Arc::clone(&first.id);
        drop(first);
        assert_eq!(process_id(&config).unwrap().id, id);
    }
}
