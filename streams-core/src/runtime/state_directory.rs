//! Where the state of this process's tasks is: on disk, and for those in memory between two runs.
//!
//! A task's state belongs to one thread at a time, which *claims* it. State that is given back
//! stays open for a while, so that a rebalance that leaves a task where it was opens nothing. Only
//! directories of tasks that nobody has claimed for `state.cleanup.delay.ms` are deleted.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant, SystemTime};

use crate::config::{DslStore, StreamsConfig};
use crate::error::{Error, ErrorKind, Result};
use crate::id::TaskId;
use crate::store::{StoreBuilder, StoreMemory, StoreType, TaskDatabase, TaskState, is_on_disk};

/// The state of this process's tasks; clones are the same.
#[derive(Clone)]
pub(crate) struct StateDirectory(Arc<Inner>);

struct Inner {
    /// `<state.dir>/<application.id>`.
    folder: PathBuf,
    application_id: String,
    default_store: StoreType,
    memory_bytes_max: usize,
    memory: OnceLock<StoreMemory>,
    since: Instant,
    tasks: Mutex<BTreeMap<TaskId, Slot>>,
}

#[derive(Default)]
struct Slot {
    is_claimed: bool,
    /// What the last owner has given back.
    kept: Option<TaskState>,
    /// When it was given back.
    released: Option<Instant>,
    /// The database, which a query may hold open longer.
    database: Weak<TaskDatabase>,
}

/// How long state stays open that nobody has claimed.
const KEPT_MAX: Duration = Duration::from_secs(60);

impl StateDirectory {
    /// The state under `state.dir`; nothing is opened or made yet.
    pub(crate) fn new(config: &StreamsConfig) -> Self {
        let memory_bytes_max = config.statestore_memory_max_bytes;
        Self(Arc::new(Inner {
            folder: config.state_dir.join(&config.application_id),
            application_id: config.application_id.clone(),
            default_store: match config.default_dsl_store {
                DslStore::RocksDb => StoreType::RocksDb,
                DslStore::InMemory => StoreType::InMemory,
            },
            memory_bytes_max: usize::try_from(memory_bytes_max).unwrap_or(usize::MAX),
            memory: OnceLock::new(),
            since: Instant::now(),
            tasks: Mutex::default(),
        }))
    }

    /// Whether any of these stores is kept on disk.
    pub(crate) fn is_needed_by(&self, stores: &[&StoreBuilder]) -> bool {
        let default = self.0.default_store;
        stores.iter().any(|store| is_on_disk(store, default))
    }

    /// Whether all of these stores are kept on disk.
    pub(crate) fn are_all_on_disk(&self, stores: &[&StoreBuilder]) -> bool {
        let default = self.0.default_store;
        stores.iter().all(|store| is_on_disk(store, default))
    }

    /// Claims a task's state; `None` while another thread has it.
    pub(crate) fn claim(&self, task: TaskId) -> Option<StateClaim> {
        let mut tasks = self.lock();
        let slot = tasks.entry(task).or_default();
        if slot.is_claimed {
            return None;
        }
        slot.is_claimed = true;
        Some(StateClaim {
            directory: self.clone(),
            task,
            is_used: Cell::new(false),
        })
    }

    /// The memory that RocksDB's blocks and write buffers take at present, in bytes.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.0.memory.get().map_or(0, StoreMemory::usage_bytes)
    }

    /// Closes what nobody has claimed for a while.
    pub(crate) fn close_unused(&self) {
        let mut stale = Vec::new();
        for slot in self.lock().values_mut() {
            let released = slot.released;
            if released.is_some_and(|released| released.elapsed() > KEPT_MAX) {
                stale.extend(slot.kept.take());
            }
        }
        // Closing takes its time, and nobody waits for it.
        drop(stale);
    }

    /// Deletes the directories of tasks that nobody has used for `delay`. The directory must be
    /// this process's alone.
    pub(crate) fn delete_unused(&self, delay: Duration) {
        for task in self.tasks_on_disk() {
            if let Err(error) = self.delete_if_unused(task, delay) {
                let folder = self.folder(task);
                let folder = folder.display();
                tracing::warn!(%task, %error, "cannot delete the unused state in {folder}");
            }
        }
    }

    fn delete_if_unused(&self, task: TaskId, delay: Duration) -> std::io::Result<()> {
        let folder = self.folder(task);
        let Some(_claim) = self.claim(task) else {
            return Ok(());
        };
        let (is_open, released) = {
            let tasks = self.lock();
            let slot = tasks.get(&task);
            let is_open = |slot: &Slot| slot.kept.is_some() || slot.database.strong_count() > 0;
            (
                slot.is_some_and(is_open),
                slot.and_then(|slot| slot.released),
            )
        };
        // What was written long ago may still be wanted by a process that has just started.
        let unused = last_change(&folder)?.elapsed().unwrap_or(Duration::ZERO);
        let unused = unused.min(released.unwrap_or(self.0.since).elapsed());
        if is_open || unused < delay {
            return Ok(());
        }
        tracing::info!(%task, folder = %folder.display(), "deleting state that is not used any more");
        fs::remove_dir_all(&folder)
    }

    /// Deletes the state of all tasks, none of which may be claimed.
    ///
    /// # Errors
    /// If the disk refuses.
    pub(crate) fn delete_all(&self) -> Result<()> {
        self.close();
        for task in self.tasks_on_disk() {
            let folder = self.folder(task);
            tracing::info!(%task, folder = %folder.display(), "deleting state, as told");
            fs::remove_dir_all(&folder).map_err(|error| {
                let folder = folder.display();
                let message = format!("cannot delete the state: task={task} path={folder}");
                Error::with_source(ErrorKind::Io, message, error)
            })?;
        }
        Ok(())
    }

    /// Closes what is open and not claimed.
    pub(crate) fn close(&self) {
        let kept: Vec<_> = self
            .lock()
            .values_mut()
            .map(|slot| slot.kept.take())
            .collect();
        drop(kept);
    }

    /// The tasks that have a directory.
    fn tasks_on_disk(&self) -> Vec<TaskId> {
        let Ok(entries) = fs::read_dir(&self.0.folder) else {
            return Vec::new();
        };
        let names = entries.flatten().map(|entry| entry.file_name());
        names
            .filter_map(|name| task_of_folder(name.to_str()?))
            .collect()
    }

    fn folder(&self, task: TaskId) -> PathBuf {
        self.0.folder.join(task.to_string())
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<TaskId, Slot>> {
        self.0.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A task's state, which is this thread's alone until this is dropped.
pub(crate) struct StateClaim {
    directory: StateDirectory,
    task: TaskId,
    is_used: Cell<bool>,
}

impl StateClaim {
    /// The state of these stores as of the task's last commit, here or before.
    ///
    /// # Errors
    /// If the disk refuses, or what is there is not this task's, damaged or locked.
    pub(crate) fn open(&self, stores: &[&StoreBuilder]) -> Result<TaskState> {
        self.is_used.set(true);
        let inner = &self.directory.0;
        let (kept, open) = {
            let mut tasks = self.directory.lock();
            let slot = tasks.entry(self.task).or_default();
            let kept = slot.kept.take();
            (kept.unwrap_or_default(), slot.database.upgrade())
        };
        let on_disk = stores
            .iter()
            .filter(|store| is_on_disk(store, inner.default_store));
        let names: Vec<Arc<str>> = on_disk.map(|store| Arc::clone(store.name())).collect();
        let database = match (names.is_empty(), open) {
            (true, _) => None,
            (false, Some(database)) => Some(database),
            (false, None) => Some(self.open_database(&names)?),
        };
        kept.open(stores, inner.default_store, database)
    }

    fn open_database(&self, stores: &[Arc<str>]) -> Result<Arc<TaskDatabase>> {
        let inner = &self.directory.0;
        let memory = inner
            .memory
            .get_or_init(|| StoreMemory::new(inner.memory_bytes_max));
        let folder = self.directory.folder(self.task);
        let database =
            TaskDatabase::open(&folder, &inner.application_id, self.task, stores, memory)?;
        let database = Arc::new(database);
        let mut tasks = self.directory.lock();
        tasks.entry(self.task).or_default().database = Arc::downgrade(&database);
        Ok(database)
    }

    /// Gives the state back, for whoever claims it next.
    pub(crate) fn release(self, state: TaskState) {
        let mut tasks = self.directory.lock();
        let slot = tasks.entry(self.task).or_default();
        slot.kept = Some(state);
    }
}

impl Drop for StateClaim {
    fn drop(&mut self) {
        let mut tasks = self.directory.lock();
        let slot = tasks.entry(self.task).or_default();
        slot.is_claimed = false;
        if self.is_used.get() {
            slot.released = Some(Instant::now());
        }
    }
}

/// The task whose directory has this name; other directories are not ours to touch.
fn task_of_folder(name: &str) -> Option<TaskId> {
    if name == TaskId::GLOBAL.to_string() {
        return Some(TaskId::GLOBAL);
    }
    let (subtopology, partition) = name.split_once('_')?;
    let task = TaskId {
        subtopology: subtopology.parse().ok()?,
        partition: partition.parse().ok()?,
    };
    (task.to_string() == name).then_some(task)
}

/// When anything in a task's directory was last written.
fn last_change(folder: &Path) -> std::io::Result<SystemTime> {
    let mut last = fs::metadata(folder)?.modified()?;
    let Ok(entries) = fs::read_dir(folder.join("rocksdb")) else {
        return Ok(last);
    };
    for entry in entries {
        last = last.max(entry?.metadata()?.modified()?);
    }
    Ok(last)
}
