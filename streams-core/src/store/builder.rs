//! Stores as a topology knows them: a name, a kind, serdes, and how they are kept.

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::error::Result;
use crate::serde::SharedSerde;
use crate::store::bytes::ByteStore;
use crate::store::codec::Codec;
use crate::store::key_value::{TaskKeyValueStore, TaskTimestampedKeyValueStore};
use crate::store::kind::StoreKind;
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
}

/// A store whose type is known only to those who use it.
pub(crate) trait ManagedStore {
    fn as_any(&self) -> &dyn Any;
    fn bytes(&self) -> &ByteStore;
    /// Lets go on what is kept back, and forwards nothing.
    fn drain_cache(&self) -> Result<()> {
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
    source_topic: Option<Arc<str>>,
    make: Make,
    /// A `StoreSerdes<K, V>`, for those who know the types.
    serdes: Arc<dyn Any + Send + Sync>,
}

macro_rules! managed {
    ($($handle:ident),*) => {
        $(impl<K: 'static, V: 'static> ManagedStore for $handle<K, V> {
            fn as_any(&self) -> &dyn Any {
                self
            }

            fn bytes(&self) -> &ByteStore {
                $handle::bytes(self)
            }

            fn drain_cache(&self) -> Result<()> {
                $handle::drain_cache(self)
            }
        })*
    };
}

managed!(
    TaskKeyValueStore,
    TaskTimestampedKeyValueStore,
    TaskWindowStore,
    TaskTimestampedWindowStore,
    TaskSessionStore
);

impl<K: 'static, V: 'static> ManagedStore for TaskVersionedStore<K, V> {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn bytes(&self) -> &ByteStore {
        TaskVersionedStore::bytes(self)
    }
}

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

    /// Whether writes are kept back, if there is memory for it. Where every write is kept none
    /// replaces another, and there is nothing to gain.
    pub(crate) fn is_cached(&self) -> bool {
        let keeps_all = match self.kind {
            StoreKind::Window(settings) | StoreKind::TimestampedWindow(settings) => {
                settings.retain_duplicates
            }
            StoreKind::Versioned(_) => true,
            _ => false,
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
