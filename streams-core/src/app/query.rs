//! Interactive queries: this instance's stores, and which instance has a key.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::broker::{Admin, GroupMember, partition_for_key};
use crate::config::{SERVER_MARK, StreamsConfig};
use crate::error::{Error, ErrorKind, Result};
use crate::id::TopicPartition;
use crate::record::Headers;
use crate::serde::Serializer;
use crate::store::{QueryParts, QueryableStore, StoreRegistry};
use crate::topology::Topology;

/// How long a broker may take to answer.
const ANSWER_WAIT: Duration = Duration::from_secs(5);

/// How long the members of the group are taken for the same.
const METADATA_AGE_MAX: Duration = Duration::from_secs(1);

/// Where an instance answers queries: its `application.server`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostInfo {
    /// The host.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl std::fmt::Display for HostInfo {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}:{}", self.host, self.port)
    }
}

impl HostInfo {
    fn parse(text: &str) -> Option<Self> {
        let (host, port) = text.rsplit_once(':')?;
        Some(Self {
            host: host.to_owned(),
            port: port.parse().ok()?,
        })
    }
}

/// An instance of the application (`StreamsMetadata`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamsMetadata {
    /// Where it answers; `None` if it has no `application.server`.
    pub host: Option<HostInfo>,
    /// The partitions that it reads.
    pub partitions: Vec<TopicPartition>,
}

/// Where the value of a key is (`KeyQueryMetadata`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyQueryMetadata {
    /// The instance whose task has it; `None` while nobody has it, or where that instance has no
    /// `application.server`.
    pub active_host: Option<HostInfo>,
    /// The partition of the store.
    pub partition: i32,
}

/// Queries of an application's state, from any thread; clones ask the same application.
///
/// What is seen is committed: nothing that a failure could take back, and never more than one
/// commit behind the task.
#[derive(Clone)]
pub struct StreamsQueries {
    inner: Arc<Inner>,
}

struct Inner {
    topology: Topology,
    config: Arc<StreamsConfig>,
    registry: StoreRegistry,
    group: Mutex<Group>,
}

#[derive(Default)]
struct Group {
    admin: Option<Admin>,
    members: Option<(Instant, Vec<GroupMember>)>,
    partition_counts: BTreeMap<String, i32>,
}

impl StreamsQueries {
    pub(super) fn new(
        topology: Topology,
        config: Arc<StreamsConfig>,
        registry: StoreRegistry,
    ) -> Self {
        Self {
            inner: Arc::new(Inner {
                topology,
                config,
                registry,
                group: Mutex::default(),
            }),
        }
    }

    /// A read-only view of a store's committed state, of the tasks that run in this instance now.
    ///
    /// # Errors
    /// If the topology has no such store, it is of another type, or no task of it is here: then the
    /// kind is [`ErrorKind::Unavailable`], and another try may succeed.
    pub fn store<S: QueryableStore>(&self, store: &S) -> Result<S::View> {
        self.view(store, None)
    }

    /// As [`Self::store`], of one partition only (`StoreQueryParameters.withPartition`).
    ///
    /// # Errors
    /// As [`Self::store`].
    pub fn store_partition<S: QueryableStore>(&self, store: &S, partition: i32) -> Result<S::View> {
        self.view(store, Some(partition))
    }

    fn view<S: QueryableStore>(&self, store: &S, partition: Option<i32>) -> Result<S::View> {
        let name = store.store_name();
        if !self.inner.topology.has_store(name) {
            let message = format!("the topology has no store={name}");
            return Err(Error::new(ErrorKind::Topology, message));
        }
        let parts = self.inner.registry.find(name, partition);
        if parts.is_empty() {
            let which = partition.map_or(String::new(), |it| format!(" partition={it}"));
            let message = format!(
                "store={name}{which} is not here now: its tasks run elsewhere, or are still being \
                 restored"
            );
            return Err(Error::new(ErrorKind::Unavailable, message));
        }
        store.view(QueryParts(parts))
    }

    /// The instance that has a key of a store, by the default partitioning of its topics.
    ///
    /// # Errors
    /// If the topology has no such store, the key cannot be written, or no broker answers.
    pub fn query_metadata_for_key<K>(
        &self,
        store: &str,
        key: &K,
        serializer: &dyn Serializer<K>,
    ) -> Result<KeyQueryMetadata> {
        let topics = self.topics_of(store)?;
        let mut bytes = Vec::new();
        let topic = topics.first().map_or("", String::as_str);
        let written = serializer.serialize(topic, &mut Headers::new(), key, &mut bytes);
        written.map_err(|error| {
            let message = format!("cannot write a key of store={store}");
            Error::with_source(ErrorKind::Serde, message, error)
        })?;
        let mut group = self.inner.lock();
        let partitions = group.partition_count(&self.inner.config, &topics)?;
        let partition = partition_for_key(&bytes, partitions);
        let has = |member: &&GroupMember| {
            let mut assigned = member.partitions.iter();
            assigned.any(|it| it.partition == partition && topics.contains(&it.topic.to_string()))
        };
        let members = group.members(&self.inner.config)?;
        Ok(KeyQueryMetadata {
            active_host: members.iter().find(has).and_then(host_of),
            partition,
        })
    }

    /// Every instance of the application, and what it reads.
    ///
    /// # Errors
    /// If no broker answers.
    pub fn metadata_for_all_clients(&self) -> Result<Vec<StreamsMetadata>> {
        let mut group = self.inner.lock();
        let mut clients: BTreeMap<Option<HostInfo>, Vec<TopicPartition>> = BTreeMap::new();
        for member in group.members(&self.inner.config)? {
            let partitions = clients.entry(host_of(member)).or_default();
            partitions.extend(member.partitions.iter().cloned());
        }
        let clients = clients.into_iter();
        Ok(clients
            .map(|(host, partitions)| StreamsMetadata { host, partitions })
            .collect())
    }

    /// The instances that have tasks of a store.
    ///
    /// # Errors
    /// If the topology has no such store, or no broker answers.
    pub fn metadata_for_store(&self, store: &str) -> Result<Vec<StreamsMetadata>> {
        let topics = self.topics_of(store)?;
        let mut clients = self.metadata_for_all_clients()?;
        clients.retain(|client| {
            let mut partitions = client.partitions.iter();
            partitions.any(|partition| topics.contains(&partition.topic.to_string()))
        });
        Ok(clients)
    }

    /// This instance's own `application.server`.
    pub fn own_host(&self) -> Option<HostInfo> {
        let server = self.inner.config.application_server.as_deref();
        server.and_then(HostInfo::parse)
    }

    /// The topics whose partitions are those of a store.
    fn topics_of(&self, store: &str) -> Result<Vec<String>> {
        let application_id = &self.inner.config.application_id;
        let topics = self.inner.topology.topics_of_store(application_id, store);
        topics.ok_or_else(|| {
            let message = format!("the topology has no store={store}");
            Error::new(ErrorKind::Topology, message)
        })
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, Group> {
        self.group.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Group {
    fn admin(&mut self, config: &StreamsConfig) -> Result<&Admin> {
        let admin = match self.admin.take() {
            Some(admin) => admin,
            None => Admin::new(&config.admin_config("query"))?,
        };
        Ok(self.admin.insert(admin))
    }

    fn members(&mut self, config: &StreamsConfig) -> Result<&[GroupMember]> {
        let is_fresh = |(since, _): &(Instant, _)| since.elapsed() < METADATA_AGE_MAX;
        let known = self.members.take().filter(is_fresh);
        let known = match known {
            Some(known) => known,
            None => {
                let admin = self.admin(config)?;
                let members = admin.group_members(&config.application_id, ANSWER_WAIT)?;
                (Instant::now(), members)
            }
        };
        Ok(&self.members.insert(known).1)
    }

    /// The most partitions of these topics.
    fn partition_count(&mut self, config: &StreamsConfig, topics: &[String]) -> Result<i32> {
        let mut most = 0;
        for topic in topics {
            if let Some(count) = self.partition_counts.get(topic) {
                most = most.max(*count);
                continue;
            }
            let count = self.admin(config)?.partition_count(topic, ANSWER_WAIT)?;
            if let Some(count) = count {
                self.partition_counts.insert(topic.clone(), count);
                most = most.max(count);
            }
        }
        Ok(most)
    }
}

fn host_of(member: &GroupMember) -> Option<HostInfo> {
    let (_, server) = member.client_id.split_once(SERVER_MARK)?;
    HostInfo::parse(server)
}
