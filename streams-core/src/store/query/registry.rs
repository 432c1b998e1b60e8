//! Which stores this instance has, of which tasks.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::id::TaskId;
use crate::store::query::CommittedStore;

/// The stores of the tasks that run in this process; clones are the same registry.
#[derive(Clone, Default)]
pub(crate) struct StoreRegistry {
    tasks: Arc<Mutex<BTreeMap<TaskId, Vec<CommittedStore>>>>,
}

impl StoreRegistry {
    /// A task runs, and these are its stores.
    pub(crate) fn add(&self, task: TaskId, stores: Vec<CommittedStore>) {
        self.lock().insert(task, stores);
    }

    /// A task is given up.
    pub(crate) fn remove(&self, task: TaskId) {
        self.lock().remove(&task);
    }

    /// The stores of a name, by task; of one partition only if one is given.
    pub(crate) fn find(&self, name: &str, partition: Option<i32>) -> Vec<CommittedStore> {
        let tasks = self.lock();
        let tasks = tasks
            .iter()
            .filter(|(task, _)| partition.is_none_or(|partition| task.partition == partition));
        let stores = tasks.flat_map(|(_, stores)| stores);
        stores
            .filter(|store| &*store.name == name)
            .cloned()
            .collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<TaskId, Vec<CommittedStore>>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
