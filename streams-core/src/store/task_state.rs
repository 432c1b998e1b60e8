//! The state of a task while no task uses it: opened, restored, and handed over.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::error::Result;
use crate::store::builder::{StoreBuilder, StoreType};
use crate::store::database::TaskDatabase;
use crate::store::engine::Engine;
use crate::store::position::StorePosition;
use crate::store::restore::StoreRestorer;
use crate::store::task_stores::OpenStore;

/// The committed entries of a task's stores, and where they stand. Goes from thread to thread.
#[derive(Default)]
pub(crate) struct TaskState {
    pub(super) database: Option<Arc<TaskDatabase>>,
    pub(super) stores: BTreeMap<Arc<str>, OpenStore>,
}

impl TaskState {
    /// The stores of `builders`: those on disk as `database` has them, those in memory as `self`
    /// has kept them.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub(crate) fn open(
        mut self,
        builders: &[&StoreBuilder],
        default: StoreType,
        database: Option<Arc<TaskDatabase>>,
    ) -> Result<Self> {
        let positions = match &database {
            Some(database) => database.positions()?,
            None => BTreeMap::new(),
        };
        let stores = builders.iter().map(|builder| {
            let name = Arc::clone(builder.name());
            let store = match (&database, is_on_disk(builder, default)) {
                (Some(database), true) => {
                    let position = positions.get(&name).copied();
                    OpenStore {
                        engine: Engine::on_disk(database, &name),
                        position: position.unwrap_or(StorePosition::EMPTY),
                    }
                }
                _ => self.stores.remove(&name).unwrap_or_default(),
            };
            (name, store)
        });
        let stores = stores.collect();
        Ok(Self { database, stores })
    }

    /// The task's database, if any of its stores is on disk.
    pub(crate) fn database(&self) -> Option<&Arc<TaskDatabase>> {
        self.database.as_ref()
    }

    /// How far of its changelog a store holds; `None` if it has none of it yet.
    pub(crate) fn changelog_offset(&self, store: &str) -> Option<i64> {
        self.stores.get(store)?.position.changelog_offset
    }

    /// Takes a store to restore it; [`Self::put_back`] gives it back.
    pub(crate) fn restorer(&self, builder: &StoreBuilder) -> StoreRestorer {
        let store = self.stores.get(builder.name()).cloned();
        let store = store.unwrap_or_default();
        StoreRestorer::new(builder, store, self.database.clone())
    }

    /// A store has been restored so far.
    pub(crate) fn put_back(&mut self, name: &Arc<str>, store: OpenStore) {
        self.stores.insert(Arc::clone(name), store);
    }
}

/// Whether a store is kept in the task's database.
pub(crate) fn is_on_disk(builder: &StoreBuilder, default: StoreType) -> bool {
    builder.store_type(default) == StoreType::RocksDb
}
