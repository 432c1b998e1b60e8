//! All stores of one task: made together, committed together.

use std::any::type_name;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};
use crate::store::buffer::{TaskChangeBuffer, TaskTimeOrderedBuffer};
use crate::store::builder::{ManagedStore, StoreBuilder, StoreType};
use crate::store::bytes::ByteStore;
use crate::store::context::StoreContext;
use crate::store::database::TaskDatabase;
use crate::store::engine::Engine;
use crate::store::key_value::{TaskKeyValueStore, TaskTimestampedKeyValueStore};
use crate::store::list::TaskListStore;
use crate::store::name::{KeyValueStore, SessionStore, VersionedKeyValueStore, WindowStore};
use crate::store::position::StorePosition;
use crate::store::query::CommittedStore;
use crate::store::session::TaskSessionStore;
use crate::store::versioned::TaskVersionedStore;
use crate::store::window::{TaskTimestampedWindowStore, TaskWindowStore};

/// One store and how far of its changelog it holds.
struct TaskStore {
    handle: Box<dyn ManagedStore>,
    committed: CommittedStore,
    changelog_offset: Option<i64>,
}

/// The stores of a task.
pub(crate) struct TaskStores {
    context: Rc<StoreContext>,
    database: Option<Arc<TaskDatabase>>,
    stores: BTreeMap<Arc<str>, TaskStore>,
    /// What the task sees of the global stores.
    global: BTreeMap<Arc<str>, Box<dyn ManagedStore>>,
}

/// The global stores of an application, as its tasks read them: what is committed.
#[derive(Clone, Default)]
pub(crate) struct GlobalStores(Arc<[(StoreBuilder, CommittedStore)]>);

/// A store's committed entries and where they stand, ready for a task.
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
                changelog_offset: position.changelog_offset,
            };
            (Arc::clone(builder.name()), store)
        });
        let stores = stores.collect();
        Self {
            context,
            database,
            stores,
            global: BTreeMap::new(),
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

    /// Commits what was written: the writes of every store and where each stands, in one write.
    ///
    /// `changelog_offset` tells the offset behind the last record that was produced to a topic, in
    /// the task's partition, since the last commit.
    pub(crate) fn commit(
        &mut self,
        now_ms: i64,
        changelog_offset: impl Fn(&str) -> Option<i64>,
    ) -> Result<()> {
        if !self.context.is_dirty() {
            return Ok(());
        }
        for store in self.stores.values_mut() {
            let offset = store
                .handle
                .bytes()
                .changelog()
                .and_then(|topic| changelog_offset(topic));
            store.changelog_offset = offset.or(store.changelog_offset);
        }
        if let Some(database) = &self.database {
            let mut batch = database.batch();
            for store in self.stores.values() {
                let bytes = store.handle.bytes();
                if bytes.is_dirty() {
                    bytes.add_to(&mut batch, store.changelog_offset)?;
                }
            }
            batch.write(now_ms)?;
        }
        for store in self.stores.values() {
            store.handle.bytes().committed();
        }
        self.context.committed();
        Ok(())
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

/// The default of `default.dsl.store`.
pub(crate) const DEFAULT_STORE_TYPE: StoreType = StoreType::RocksDb;

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
