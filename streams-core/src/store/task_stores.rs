//! All stores of one task: made together, committed together.

use std::any::{Any, type_name};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};
use crate::store::buffer::{TaskChangeBuffer, TaskTimeOrderedBuffer};
use crate::store::builder::{ManagedStore, StoreBuilder};
use crate::store::bytes::ByteStore;
use crate::store::context::StoreContext;
use crate::store::database::{DatabaseBatch, TaskDatabase};
use crate::store::engine::Engine;
use crate::store::key_value::{TaskKeyValueStore, TaskTimestampedKeyValueStore};
use crate::store::list::TaskListStore;
use crate::store::name::{KeyValueStore, SessionStore, VersionedKeyValueStore, WindowStore};
use crate::store::position::StorePosition;
use crate::store::query::CommittedStore;
use crate::store::session::TaskSessionStore;
use crate::store::task_state::TaskState;
use crate::store::versioned::TaskVersionedStore;
use crate::store::window::{TaskTimestampedWindowStore, TaskWindowStore};

/// One store and how far of its changelog it holds.
struct TaskStore {
    handle: Box<dyn ManagedStore>,
    committed: CommittedStore,
    /// The topic that the store is restored from: its changelog, or a source topic.
    restored_from: Option<Arc<str>>,
    /// Where it stood at its last commit.
    position: StorePosition,
}

/// The stores of a task.
pub(crate) struct TaskStores {
    context: Rc<StoreContext>,
    database: Option<Arc<TaskDatabase>>,
    stores: BTreeMap<Arc<str>, TaskStore>,
    /// What the task sees of the global stores.
    global: BTreeMap<Arc<str>, Box<dyn ManagedStore>>,
    /// What processors share.
    shared: RefCell<BTreeMap<Arc<str>, Rc<dyn Any>>>,
}

/// The global stores of an application, as its tasks read them: what is committed.
#[derive(Clone, Default)]
pub(crate) struct GlobalStores(Arc<[(StoreBuilder, CommittedStore)]>);

/// A store's committed entries and where they stand, ready for a task.
#[derive(Clone, Default)]
pub(crate) struct OpenStore {
    pub(crate) engine: Engine,
    pub(crate) position: StorePosition,
}

impl TaskStores {
    /// The stores of `builders`, over what `open` has for each.
    pub(crate) fn new<'b>(
        builders: impl IntoIterator<Item = &'b StoreBuilder>,
        application_id: &str,
        context: StoreContext,
        database: Option<Arc<TaskDatabase>>,
        mut open: impl FnMut(&StoreBuilder) -> OpenStore,
    ) -> Self {
        let context = Rc::new(context);
        let builders: Vec<&StoreBuilder> = builders.into_iter().collect();
        let cached = builders.iter().filter(|builder| builder.is_cached());
        let cache_bytes_max = context.cache_bytes_max() / cached.count().max(1);
        let stores = builders.into_iter().map(|builder| {
            let OpenStore { engine, position } = open(builder);
            let logs = builder.changelog_config().is_some();
            let changelog = logs.then(|| builder.changelog_topic(application_id));
            let restored_from = changelog.clone().or(builder.source_topic().cloned());
            let mut bytes = builder.bytes(engine, changelog, Rc::clone(&context), position);
            if builder.keeps_records() {
                context.keep_records();
            }
            if builder.is_cached() && cache_bytes_max > 0 {
                context.keep_records();
                bytes = bytes.with_cache(cache_bytes_max);
            }
            let store = TaskStore {
                committed: builder.committed(&bytes, application_id),
                handle: builder.make(bytes, application_id),
                restored_from,
                position,
            };
            (Arc::clone(builder.name()), store)
        });
        let stores = stores.collect();
        Self {
            context,
            database,
            stores,
            global: BTreeMap::new(),
            shared: RefCell::default(),
        }
    }

    /// The stores of `builders` over the state of a task.
    pub(crate) fn over<'b>(
        builders: impl IntoIterator<Item = &'b StoreBuilder>,
        application_id: &str,
        context: StoreContext,
        mut state: TaskState,
    ) -> Self {
        let database = state.database.take();
        Self::new(builders, application_id, context, database, |builder| {
            state.stores.remove(builder.name()).unwrap_or_default()
        })
    }

    /// The state as of the last commit; what was written since is given up.
    pub(crate) fn into_state(self) -> TaskState {
        let stores = self.stores.into_iter().map(|(name, store)| {
            let engine = store.committed.engine;
            let position = store.position;
            (name, OpenStore { engine, position })
        });
        TaskState {
            database: self.database,
            stores: stores.collect(),
        }
    }

    /// Lets the task read these global stores, whoever of its processors asks.
    #[must_use]
    pub(crate) fn with_global(mut self, global: &GlobalStores, application_id: &str) -> Self {
        let stores = global.0.iter().map(|(builder, committed)| {
            let bytes = ByteStore::read_only(
                Arc::clone(&committed.name),
                committed.engine.clone(),
                Rc::clone(&self.context),
                committed.observed_time.clone(),
            );
            let store = builder.make(builder.with_ttl_of(bytes), application_id);
            (Arc::clone(&committed.name), store)
        });
        self.global = stores.collect();
        self
    }

    /// These stores as global ones, which other tasks may read.
    pub(crate) fn as_global<'b>(
        &self,
        builders: impl IntoIterator<Item = &'b StoreBuilder>,
    ) -> GlobalStores {
        let stores = builders.into_iter().filter_map(|builder| {
            let store = self.stores.get(builder.name())?;
            Some((builder.clone(), store.committed.clone()))
        });
        GlobalStores(stores.collect())
    }

    /// Stores in memory that are empty, whatever the builders say: for tests.
    pub(crate) fn in_memory<'b>(
        builders: impl IntoIterator<Item = &'b StoreBuilder>,
        application_id: &str,
        context: StoreContext,
    ) -> Self {
        Self::new(builders, application_id, context, None, |_| OpenStore {
            engine: Engine::Memory(Arc::default()),
            position: StorePosition::EMPTY,
        })
    }

    /// What queries see of the stores.
    pub(crate) fn committed(&self) -> Vec<CommittedStore> {
        let stores = self.stores.values();
        stores.map(|store| store.committed.clone()).collect()
    }

    /// What the stores share.
    pub(crate) fn context(&self) -> &Rc<StoreContext> {
        &self.context
    }

    /// Writes what is to be part of the next commit: what the caches still keep back, which nobody
    /// forwards, since their owners have flushed them before; and that entries are gone whose time
    /// is over.
    pub(crate) fn prepare_commit(&self) -> Result<()> {
        for store in self.stores.values() {
            store.handle.prepare_commit()?;
            store.handle.bytes().delete_expired()?;
        }
        Ok(())
    }

    /// The writes that came after their retention, since this was last asked.
    pub(crate) fn take_expired(&self) -> u64 {
        let stores = self.stores.values();
        stores
            .map(|store| store.handle.bytes().take_expired())
            .sum()
    }

    /// The changelogs that have been written to since the last commit.
    pub(crate) fn written_changelogs(&self) -> impl Iterator<Item = Arc<str>> {
        let stores = self.stores.values().map(|store| store.handle.bytes());
        let dirty = stores.filter(|bytes| bytes.is_dirty());
        dirty.filter_map(|bytes| bytes.changelog().cloned())
    }

    /// Commits what was written: the writes of every store and where each stands, in one write.
    ///
    /// `next_offset` tells the offset behind the last record of a topic that the stores hold now,
    /// in the task's partition: behind the last change that was produced to a changelog, or behind
    /// the last record taken from a source topic that stands for one.
    pub(crate) fn commit(
        &mut self,
        now_ms: i64,
        next_offset: impl Fn(&Arc<str>) -> Option<i64>,
    ) -> Result<()> {
        self.commit_with(now_ms, next_offset, |_| {})
    }

    /// As [`Self::commit`], with more in the same write, if there is a database.
    pub(crate) fn commit_with(
        &mut self,
        now_ms: i64,
        next_offset: impl Fn(&Arc<str>) -> Option<i64>,
        add: impl FnOnce(&mut DatabaseBatch<'_>),
    ) -> Result<()> {
        if !self.context.is_dirty() {
            return Ok(());
        }
        let bytes = self.context.uncommitted_bytes();
        let database = self.database.as_ref();
        let mut batch = database.map(|database| database.batch_for(bytes));
        let mut positions = Vec::new();
        for (name, store) in &self.stores {
            let bytes = store.handle.bytes();
            bytes.release_reader();
            if !bytes.is_dirty() {
                continue;
            }
            // What is produced to a topic comes behind what was restored from it.
            let next = store.restored_from.as_ref();
            let next = next.and_then(&next_offset);
            let next = next.max(store.position.changelog_offset);
            positions.push((Arc::clone(name), bytes.position(next)));
            if let Some(batch) = &mut batch {
                bytes.add_to(batch, next)?;
            }
        }
        if let Some(mut batch) = batch {
            add(&mut batch);
            batch.write(now_ms)?;
        }
        for (name, position) in positions {
            if let Some(store) = self.stores.get_mut(&name) {
                store.handle.bytes().committed();
                store.position = position;
            }
        }
        self.context.committed();
        Ok(())
    }

    /// Notes that the stores hold everything that was committed until `now_ms`, as tasks without
    /// traffic do from time to time.
    pub(crate) fn touch(&self, now_ms: i64) -> Result<()> {
        match &self.database {
            Some(database) => database.batch().write(now_ms),
            None => Ok(()),
        }
    }

    /// A store's bytes.
    #[cfg(test)]
    pub(super) fn byte_store(&self, name: &str) -> Option<&ByteStore> {
        Some(self.stores.get(name)?.handle.bytes())
    }

    /// Access to every store, whoever asks.
    pub(crate) fn access_all(&self) -> StoreAccess<'_> {
        StoreAccess {
            stores: self,
            connected: None,
            node: "",
        }
    }

    fn get<H: Clone + 'static>(&self, name: &str) -> Result<H, Missing> {
        let own = self.stores.get(name).map(|store| &store.handle);
        let handle = own.or(self.global.get(name)).ok_or(Missing::Store)?;
        let handle = handle.as_any().downcast_ref::<H>();
        handle.cloned().ok_or(Missing::Type)
    }
}

enum Missing {
    Store,
    Type,
}

/// The stores that a processor may use: those that it is connected to, and the global ones.
pub struct StoreAccess<'a> {
    stores: &'a TaskStores,
    /// `None` for all of them.
    connected: Option<&'a [Arc<str>]>,
    node: &'a str,
}

macro_rules! access {
    ($(#[$doc:meta])* $method:ident, $name:ident, $handle:ident) => {
        $(#[$doc])*
        ///
        /// # Errors
        /// If there is no such store, the processor is not connected to it, or it is of another
        /// kind or type.
        pub fn $method<K: 'static, V: 'static>(
            &self,
            store: &$name<K, V>,
        ) -> Result<$handle<K, V>> {
            self.get(store.name())
        }
    };
}

impl<'a> StoreAccess<'a> {
    pub(crate) fn new(stores: &'a TaskStores, connected: &'a [Arc<str>], node: &'a str) -> Self {
        Self {
            stores,
            connected: Some(connected),
            node,
        }
    }

    access! {
        /// A plain store of values by key.
        key_value, KeyValueStore, TaskKeyValueStore
    }
    access! {
        /// A store of values and their times by key, as tables have them.
        timestamped_key_value, KeyValueStore, TaskTimestampedKeyValueStore
    }
    access! {
        /// A plain store of values by key and window.
        window, WindowStore, TaskWindowStore
    }
    access! {
        /// A store of values and their times by key and window.
        timestamped_window, WindowStore, TaskTimestampedWindowStore
    }
    access! {
        /// A store of values by key and session.
        session, SessionStore, TaskSessionStore
    }
    access! {
        /// A store of the versions of values by key.
        versioned, VersionedKeyValueStore, TaskVersionedStore
    }

    /// What processors of one task share besides stores, by name; made when the first of them asks
    /// for it. It is not kept beyond the task.
    ///
    /// # Errors
    /// If another type has been asked for by this name.
    pub fn shared<T: Default + 'static>(&self, name: &str) -> Result<Rc<T>> {
        let mut shared = self.stores.shared.borrow_mut();
        let made = shared
            .entry(name.into())
            .or_insert_with(|| Rc::new(T::default()) as Rc<dyn Any>);
        Rc::clone(made).downcast().map_err(|_| {
            let (node, wanted) = (self.node, type_name::<T>());
            let message = format!("invalid topology: node={node} shares {name}, no {wanted}");
            Error::new(ErrorKind::Topology, message)
        })
    }

    /// A store of lists of values by key.
    ///
    /// # Errors
    /// As for the other stores.
    pub fn list<K: 'static, V: 'static>(&self, name: &str) -> Result<TaskListStore<K, V>> {
        self.get(name)
    }

    /// The buffer of `suppress`.
    ///
    /// # Errors
    /// As for the stores.
    pub fn change_buffer<K: 'static, V: 'static>(
        &self,
        name: &str,
    ) -> Result<TaskChangeBuffer<K, V>> {
        self.get(name)
    }

    /// The buffer of a join with grace.
    ///
    /// # Errors
    /// As for the stores.
    pub fn time_ordered_buffer<K: 'static, V: 'static>(
        &self,
        name: &str,
    ) -> Result<TaskTimeOrderedBuffer<K, V>> {
        self.get(name)
    }

    fn get<H: Clone + 'static>(&self, name: &str) -> Result<H> {
        let node = self.node;
        let is_connected = self
            .connected
            .is_none_or(|connected| connected.iter().any(|connected| &**connected == name));
        if !is_connected && !self.stores.global.contains_key(name) {
            let message = format!(
                "invalid topology: processor node={node} uses store={name}, to which it is not \
                 connected"
            );
            return Err(Error::new(ErrorKind::Topology, message));
        }
        self.stores.get(name).map_err(|missing| {
            let what = match missing {
                Missing::Store => "which nobody has added".to_owned(),
                Missing::Type => format!("which is no {}", type_name::<H>()),
            };
            let message = format!("invalid topology: node={node} uses store={name}, {what}");
            Error::new(ErrorKind::Topology, message)
        })
    }
}
