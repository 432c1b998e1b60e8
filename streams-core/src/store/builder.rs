//! Stores as a topology knows them: a name, a kind, serdes, and how they are kept.

use std::any::Any;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use crate::error::{Error, ErrorKind, Result};
use crate::serde::SharedSerde;
use crate::store::buffer::{TaskChangeBuffer, TaskTimeOrderedBuffer};
use crate::store::bytes::ByteStore;
use crate::store::codec::Codec;
use crate::store::context::StoreContext;
use crate::store::engine::Engine;
use crate::store::key_value::{TaskKeyValueStore, TaskTimestampedKeyValueStore};
use crate::store::kind::StoreKind;
use crate::store::list::TaskListStore;
use crate::store::position::StorePosition;
use crate::store::query::{CommittedStore, StoreSerdes};
use crate::store::session::{SessionStoreSettings, TaskSessionStore};
use crate::store::versioned::{TaskVersionedStore, VersionedStoreSettings};
use crate::store::window::{TaskTimestampedWindowStore, TaskWindowStore, WindowStoreSettings};

/// Where a store's entries are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreType {
    /// On disk, in the task's RocksDB.
    RocksDb,
    /// In memory: restored from its changelog at every start.
    InMemory,
    /// In memory, and of so many entries only: when there are more, the one that was not read or
    /// written for longest is deleted (`Stores.lruMap`). Of key-value stores only.
    ///
    /// A plain store writes a tombstone to its changelog then. A table's does not, as on the JVM:
    /// the same entries are given up when it is restored.
    Lru(usize),
}

/// A store whose type is known only to those who use it.
pub(crate) trait ManagedStore {
    fn as_any(&self) -> &dyn Any;
    fn bytes(&self) -> &ByteStore;
    /// Writes what is to be part of the next commit and is not yet written.
    fn prepare_commit(&self) -> Result<()> {
        Ok(())
    }
}

type Make = Arc<dyn Fn(ByteStore, Arc<str>) -> Box<dyn ManagedStore> + Send + Sync>;

/// Makes a store for each task that uses it (`org.apache.kafka.streams.state.StoreBuilder`).
#[derive(Clone)]
pub struct StoreBuilder {
    name: Arc<str>,
    kind: StoreKind,
    store_type: Option<StoreType>,
    logging: Option<BTreeMap<String, String>>,
    is_cached: bool,
    ttl_ms: Option<i64>,
    source_topic: Option<Arc<str>>,
    make: Make,
    /// A `StoreSerdes<K, V>`, for those who know the types.
    serdes: Arc<dyn Any + Send + Sync>,
}

macro_rules! managed {
    ($handle:ident $(, $prepare_commit:ident)?) => {
        impl<K: 'static, V: 'static> ManagedStore for $handle<K, V> {
            fn as_any(&self) -> &dyn Any {
                self
            }

            fn bytes(&self) -> &ByteStore {
                $handle::bytes(self)
            }

            $(fn prepare_commit(&self) -> Result<()> {
                $handle::$prepare_commit(self)
            })?
        }
    };
}

managed!(TaskKeyValueStore, drain_cache);
managed!(TaskTimestampedKeyValueStore, drain_cache);
managed!(TaskWindowStore, drain_cache);
managed!(TaskTimestampedWindowStore, drain_cache);
managed!(TaskSessionStore, drain_cache);
managed!(TaskVersionedStore);
managed!(TaskListStore);
managed!(TaskChangeBuffer, prepare_commit);
managed!(TaskTimeOrderedBuffer);

impl StoreBuilder {
    /// A store of values by key, for processors.
    pub fn key_value<K: 'static, V: 'static>(
        name: impl Into<Arc<str>>,
        key: SharedSerde<K>,
        value: SharedSerde<V>,
    ) -> Self {
        Self::new(
            name,
            StoreKind::KeyValue,
            key,
            value,
            TaskKeyValueStore::new,
        )
    }

    /// A store of values and their times by key, as tables have them.
    pub fn timestamped_key_value<K: 'static, V: 'static>(
        name: impl Into<Arc<str>>,
        key: SharedSerde<K>,
        value: SharedSerde<V>,
    ) -> Self {
        let make = TaskTimestampedKeyValueStore::new;
        Self::new(name, StoreKind::TimestampedKeyValue, key, value, make)
    }

    /// A store of values by key and window.
    pub fn window<K: 'static, V: 'static>(
        name: impl Into<Arc<str>>,
        key: SharedSerde<K>,
        value: SharedSerde<V>,
        settings: WindowStoreSettings,
    ) -> Self {
        let make = move |bytes, codec| TaskWindowStore::new(bytes, codec, settings);
        Self::new(name, StoreKind::Window(settings), key, value, make)
    }

    /// A store of values and their times by key and window, as windowed aggregations have them.
    pub fn timestamped_window<K: 'static, V: 'static>(
        name: impl Into<Arc<str>>,
        key: SharedSerde<K>,
        value: SharedSerde<V>,
        settings: WindowStoreSettings,
    ) -> Self {
        let make = move |bytes, codec| TaskTimestampedWindowStore::new(bytes, codec, settings);
        Self::new(
            name,
            StoreKind::TimestampedWindow(settings),
            key,
            value,
            make,
        )
    }

    /// A store of values by key and session; a number stands for the time that sessions are kept
    /// after their end, in milliseconds.
    pub fn session<K: 'static, V: 'static>(
        name: impl Into<Arc<str>>,
        key: SharedSerde<K>,
        value: SharedSerde<V>,
        settings: impl Into<SessionStoreSettings>,
    ) -> Self {
        let settings = settings.into();
        let make = move |bytes, codec| TaskSessionStore::new(bytes, codec, settings);
        Self::new(name, StoreKind::Session(settings), key, value, make)
    }

    /// A store that keeps the versions of each key's value for a time (KIP-889), as of which it
    /// can be read: `settings` is that time in milliseconds, or more than that.
    pub fn versioned<K: 'static, V: 'static>(
        name: impl Into<Arc<str>>,
        key: SharedSerde<K>,
        value: SharedSerde<V>,
        settings: impl Into<VersionedStoreSettings>,
    ) -> Self {
        let settings = settings.into();
        let make = move |bytes, codec| TaskVersionedStore::new(bytes, codec, settings);
        Self::new(name, StoreKind::Versioned(settings), key, value, make)
    }

    /// A store of lists of values by key, of which a task uses a [`TaskListStore`].
    pub fn list<K: 'static, V: 'static>(
        name: impl Into<Arc<str>>,
        key: SharedSerde<K>,
        value: SharedSerde<V>,
    ) -> Self {
        Self::new(name, StoreKind::List, key, value, TaskListStore::new)
    }

    /// The buffer of `suppress`, of which a task uses a [`TaskChangeBuffer`].
    pub fn change_buffer<K: 'static, V: 'static>(
        name: impl Into<Arc<str>>,
        key: SharedSerde<K>,
        value: SharedSerde<V>,
    ) -> Self {
        let make = TaskChangeBuffer::new;
        Self::new(name, StoreKind::ChangeBuffer, key, value, make)
    }

    /// The buffer of a join that waits `grace_ms`, in milliseconds, of which a task uses a
    /// [`TaskTimeOrderedBuffer`].
    pub fn time_ordered_buffer<K: 'static, V: 'static>(
        name: impl Into<Arc<str>>,
        key: SharedSerde<K>,
        value: SharedSerde<V>,
        grace_ms: i64,
    ) -> Self {
        let make = move |bytes, codec| TaskTimeOrderedBuffer::new(bytes, codec, grace_ms);
        Self::new(name, StoreKind::TimeOrderedBuffer, key, value, make)
    }

    fn new<K: 'static, V: 'static, H: ManagedStore + 'static>(
        name: impl Into<Arc<str>>,
        kind: StoreKind,
        key: SharedSerde<K>,
        value: SharedSerde<V>,
        make: impl Fn(ByteStore, Codec<K, V>) -> H + Send + Sync + 'static,
    ) -> Self {
        let serdes = Arc::new(StoreSerdes {
            key: Arc::clone(&key),
            value: Arc::clone(&value),
        });
        Self {
            name: name.into(),
            kind,
            serdes,
            store_type: None,
            logging: Some(BTreeMap::new()),
            is_cached: false,
            ttl_ms: None,
            source_topic: None,
            make: Arc::new(move |bytes, topic| {
                let codec = Codec {
                    store: Arc::clone(bytes.name()),
                    topic,
                    key: Arc::clone(&key),
                    value: Arc::clone(&value),
                };
                Box::new(make(bytes, codec))
            }),
        }
    }

    /// Keeps entries there; `default.dsl.store` decides where nothing is said.
    #[must_use]
    pub fn with_store_type(mut self, store_type: StoreType) -> Self {
        self.store_type = Some(store_type);
        self
    }

    /// Writes changes to a changelog topic, as it is by default, made with these settings.
    #[must_use]
    pub fn with_logging(mut self, topic_config: BTreeMap<String, String>) -> Self {
        self.logging = Some(topic_config);
        self
    }

    /// Has no changelog: what is in the store is lost with its disk.
    #[must_use]
    pub fn without_logging(mut self) -> Self {
        self.logging = None;
        self
    }

    /// Keeps writes back until a commit or a full cache, so that of several to one key only the
    /// last is seen (`statestore.cache.max.bytes`).
    #[must_use]
    pub fn with_caching(mut self) -> Self {
        self.is_cached = true;
        self
    }

    /// Lets every write through, as it is by default.
    #[must_use]
    pub fn without_caching(mut self) -> Self {
        self.is_cached = false;
        self
    }

    /// Deletes entries so long after they were written: when the store's time, which is the largest
    /// that was written, is more than this past an entry's. Of key-value stores only; the JVM has
    /// none of this.
    ///
    /// Nobody sees an entry whose time is over. It is deleted with some later commit, a few at a
    /// time, and the changelog gets a tombstone; nothing is forwarded.
    #[must_use]
    pub fn with_ttl(mut self, ttl: Duration) -> Self {
        self.ttl_ms = Some(i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX));
        self
    }

    /// Takes a source topic for the changelog (`reuse.ktable.source.topics`): nothing is logged,
    /// and the store is restored from that topic.
    #[must_use]
    pub fn with_source_topic(mut self, topic: impl Into<Arc<str>>) -> Self {
        self.source_topic = Some(topic.into());
        self
    }

    /// The store's name.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    pub(crate) fn kind(&self) -> StoreKind {
        self.kind
    }

    /// Where entries are kept, if nothing is said as by `default`.
    pub(crate) fn store_type(&self, default: StoreType) -> StoreType {
        self.store_type.unwrap_or(default)
    }

    /// What is asked for must fit the kind of the store.
    ///
    /// # Errors
    /// If it does not.
    pub(crate) fn check(&self) -> Result<()> {
        let is_key_value = matches!(
            self.kind,
            StoreKind::KeyValue | StoreKind::TimestampedKeyValue
        );
        let mistake = match (self.ttl_ms, self.store_type) {
            _ if is_key_value => return Ok(()),
            (Some(_), _) => "has a retention and cannot have a time to live",
            (None, Some(StoreType::Lru(_))) => "cannot have a bound on its entries",
            _ => return Ok(()),
        };
        let (name, kind) = (&self.name, self.kind.name());
        let message = format!("invalid topology: store={name} is a {kind} store, which {mistake}");
        Err(Error::new(ErrorKind::Topology, message))
    }

    /// Whether the store asks for more of the record at hand than its time.
    pub(crate) fn keeps_records(&self) -> bool {
        matches!(
            self.kind,
            StoreKind::ChangeBuffer | StoreKind::TimeOrderedBuffer
        )
    }

    /// The store's bytes of one task, without a cache.
    pub(crate) fn bytes(
        &self,
        engine: Engine,
        changelog: Option<Arc<str>>,
        context: Rc<StoreContext>,
        position: StorePosition,
    ) -> ByteStore {
        let name = Arc::clone(&self.name);
        let bytes = ByteStore::new(name, engine, changelog, context, position);
        let bytes = self.with_ttl_of(bytes);
        match self.store_type {
            Some(StoreType::Lru(entries_max)) => bytes.with_entries_max(entries_max),
            _ => bytes,
        }
    }

    /// Bytes whose entries live as long as this store's.
    pub(crate) fn with_ttl_of(&self, bytes: ByteStore) -> ByteStore {
        match self.ttl_ms {
            Some(ttl_ms) => bytes.with_ttl(ttl_ms),
            None => bytes,
        }
    }

    /// Whether writes are kept back, if there is memory for it. Where every write is kept none
    /// replaces another, and there is nothing to gain.
    pub(crate) fn is_cached(&self) -> bool {
        let keeps_all = match self.kind {
            StoreKind::Versioned(_)
            | StoreKind::List
            | StoreKind::ChangeBuffer
            | StoreKind::TimeOrderedBuffer => true,
            kind => kind.retains_duplicates(),
        };
        self.is_cached && !keeps_all
    }

    /// The settings of the changelog topic that belongs to the store, if it has one.
    pub(crate) fn changelog_config(&self) -> Option<&BTreeMap<String, String>> {
        match self.source_topic {
            Some(_) => None,
            None => self.logging.as_ref(),
        }
    }

    pub(crate) fn source_topic(&self) -> Option<&Arc<str>> {
        self.source_topic.as_ref()
    }

    /// The changelog's name in the cluster (`ProcessorStateManager.storeChangelogTopic`).
    pub(crate) fn changelog_topic(&self, application_id: &str) -> Arc<str> {
        format!("{application_id}-{}-changelog", self.name).into()
    }

    /// What queries see of the store of one task.
    pub(crate) fn committed(&self, bytes: &ByteStore, application_id: &str) -> CommittedStore {
        CommittedStore {
            name: Arc::clone(&self.name),
            kind: self.kind,
            engine: bytes.engine().clone(),
            observed_time: bytes.committed_time().clone(),
            ttl_ms: self.ttl_ms,
            topic: self.changelog_topic(application_id),
            serdes: Arc::clone(&self.serdes),
        }
    }

    /// The store of one task over its bytes.
    pub(crate) fn make(&self, bytes: ByteStore, application_id: &str) -> Box<dyn ManagedStore> {
        (self.make)(bytes, self.changelog_topic(application_id))
    }
}

impl std::fmt::Debug for StoreBuilder {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("StoreBuilder")
            .field("name", &self.name)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}
