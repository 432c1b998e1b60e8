//! The folders under `target/dev/`: one for each run, one for the servers in the background.

use std::fs;
use std::path::{Path, PathBuf};
use std::process;

use streams_tests::Error;

/// Folders of runs begin with this and end with the id of the process that made them.
const RUN_PREFIX: &str = "run-";

/// A run's own folder. Removed in the end, unless the run failed: then the logs stay.
pub(crate) struct RunFolder {
    path: PathBuf,
}

impl RunFolder {
    /// Makes the folder of this process and removes those of runs that are no more.
    pub(crate) fn create(directory: &Path) -> Result<Self, Error> {
        let old = fs::read_dir(directory).into_iter().flatten().flatten();
        for entry in old {
            let name = entry.file_name();
            let Some(id) = name.to_str().and_then(|name| name.strip_prefix(RUN_PREFIX)) else {
                continue;
            };
            if !Path::new("/proc").join(id).exists() {
                // Best effort: another run may be removing it too.
                let _ = fs::remove_dir_all(entry.path());
            }
        }
        let path = directory.join(format!("{RUN_PREFIX}{}", process::id()));
        fs::create_dir_all(&path).map_err(|source| Error::File {
            action: "create",
            path: path.clone(),
            source,
        })?;
        Ok(Self { path })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Removes the data, and the logs as well unless they are to be kept.
    pub(crate) fn remove(self, keep_logs: bool) {
        if !keep_logs {
            let _ = fs::remove_dir_all(&self.path);
            return;
        }
        for data in ["kafka/data", "postgres/pgdata"] {
            let _ = fs::remove_dir_all(self.path.join(data));
        }
        eprintln!("stack: the servers' logs are in {}", self.path.display());
    }
}
