//! Topics: looking them up, making them, purging them.

use std::collections::BTreeMap;
use std::time::Duration;

use rdkafka::admin::{
    AdminClient, AdminOptions, NewTopic as NativeTopic, OwnedResourceSpecifier, ResourceSpecifier,
    TopicReplication,
};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::{Offset, TopicPartitionList};

use crate::broker::librdkafka::failure::broker_error;
use crate::broker::librdkafka::wait::{block_on, wait};
use crate::broker::librdkafka::{LogContext, client_config, partition_count};
use crate::error::{Error, Result};
use crate::id::TopicPartition;

/// A client for topics.
pub struct Admin {
    pub(super) client: AdminClient<LogContext>,
}

/// A topic to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTopic {
    /// Its name.
    pub name: String,
    /// The number of partitions; `None` for the broker's default.
    pub partitions: Option<i32>,
    /// The number of replicas; `None` for the broker's default.
    pub replication_factor: Option<i32>,
    /// Its settings.
    pub config: BTreeMap<String, String>,
}

const ADMIN_TIMEOUT: Duration = Duration::from_secs(30);

impl Admin {
    /// Makes a client from librdkafka's settings.
    ///
    /// # Errors
    /// If a setting is refused.
    pub fn new(settings: &BTreeMap<String, String>) -> Result<Self> {
        let client = client_config(settings)
            .create_with_context(LogContext)
            .map_err(|error| broker_error("cannot create the admin client", error))?;
        Ok(Self { client })
    }

    /// The number of partitions of every topic of the cluster, by name.
    ///
    /// # Errors
    /// If no broker answers within `timeout`.
    pub fn topics(&self, timeout: Duration) -> Result<BTreeMap<String, i32>> {
        let metadata = self
            .client
            .inner()
            .fetch_metadata(None, timeout)
            .map_err(|error| broker_error("cannot read the topics of the cluster", error))?;
        let topics = metadata
            .topics()
            .iter()
            .filter(|topic| topic.error().is_none());
        Ok(topics
            .map(|topic| {
                let count = i32::try_from(topic.partitions().len()).unwrap_or(i32::MAX);
                (topic.name().to_owned(), count)
            })
            .collect())
    }

    /// Makes topics; those that exist already stay as they are.
    ///
    /// # Errors
    /// If one cannot be made.
    pub fn create_topics(&self, topics: &[NewTopic]) -> Result<()> {
        if topics.is_empty() {
            return Ok(());
        }
        let natives: Vec<NativeTopic<'_>> = topics.iter().map(native_topic).collect();
        let options = AdminOptions::new().operation_timeout(Some(ADMIN_TIMEOUT));
        let created = block_on(self.client.create_topics(&natives, &options));
        let created = created.map_err(|error| broker_error("cannot create topics", error))?;
        for result in created {
            match result {
                Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
                Err((topic, code)) => return Err(creation_error(&topic, code)),
            }
        }
        Ok(())
    }

    /// Makes a topic and returns true, or false if it was there already. While the broker takes its
    /// time `check` is asked whether to go on, about ten times a second.
    ///
    /// # Errors
    /// What `check` fails with; else if the topic cannot be made, or the broker does not answer
    /// within `timeout`.
    pub fn create_topic<E: From<Error>>(
        &self,
        topic: &NewTopic,
        timeout: Duration,
        check: impl FnMut() -> Result<(), E>,
    ) -> Result<bool, E> {
        let options = AdminOptions::new()
            .request_timeout(Some(timeout))
            .operation_timeout(Some(timeout));
        let native = native_topic(topic);
        let created = wait(self.client.create_topics([&native], &options), check)?;
        let created = created
            .map_err(|error| broker_error(format!("cannot create topic={}", topic.name), error))?;
        match created.into_iter().next() {
            Some(Ok(_)) => Ok(true),
            Some(Err((_, RDKafkaErrorCode::TopicAlreadyExists))) | None => Ok(false),
            Some(Err((topic, code))) => Err(creation_error(&topic, code).into()),
        }
    }

    /// The number of partitions of a topic; `None` if it does not exist or may not be seen.
    ///
    /// # Errors
    /// If no broker answers within `timeout`.
    pub fn partition_count(&self, topic: &str, timeout: Duration) -> Result<Option<i32>> {
        partition_count(self.client.inner(), topic, timeout)
    }

    /// The settings of these topics, by topic and key; topics that do not exist are left out.
    ///
    /// # Errors
    /// If no broker answers within `timeout`.
    pub fn topic_settings(
        &self,
        topics: &[&str],
        timeout: Duration,
    ) -> Result<BTreeMap<String, BTreeMap<String, String>>> {
        if topics.is_empty() {
            return Ok(BTreeMap::new());
        }
        let resources: Vec<ResourceSpecifier<'_>> = topics
            .iter()
            .map(|topic| ResourceSpecifier::Topic(topic))
            .collect();
        let options = AdminOptions::new().request_timeout(Some(timeout));
        let described = block_on(self.client.describe_configs(&resources, &options));
        let doing = || format!("cannot read the settings of {}", topics.join(", "));
        let described = described.map_err(|error| broker_error(doing(), error))?;
        let described = described.into_iter().filter_map(|resource| {
            let resource = resource.ok()?;
            let OwnedResourceSpecifier::Topic(topic) = resource.specifier else {
                return None;
            };
            let entries = resource.entries.into_iter();
            let settings = entries.filter_map(|entry| Some((entry.name, entry.value?)));
            Some((topic, settings.collect()))
        });
        Ok(described.collect())
    }

    /// Deletes the records of each partition before its offset (`DeleteRecords`).
    ///
    /// # Errors
    /// If a broker refuses.
    pub fn delete_records(&self, offsets: &[(TopicPartition, i64)]) -> Result<()> {
        let doing = "cannot delete records that have been processed";
        let mut list = TopicPartitionList::with_capacity(offsets.len());
        for (partition, offset) in offsets {
            let offset = Offset::Offset(*offset);
            list.add_partition_offset(&partition.topic, partition.partition, offset)
                .map_err(|error| broker_error(doing, error))?;
        }
        let options = AdminOptions::new().operation_timeout(Some(ADMIN_TIMEOUT));
        let deleted = block_on(self.client.delete_records(&list, &options));
        deleted
            .map(|_| ())
            .map_err(|error| broker_error(doing, error))
    }
}

fn creation_error(topic: &str, code: RDKafkaErrorCode) -> Error {
    let doing = format!("cannot create topic={topic}");
    broker_error(doing, KafkaError::AdminOp(code))
}

fn native_topic(topic: &NewTopic) -> NativeTopic<'_> {
    let replication = TopicReplication::Fixed(topic.replication_factor.unwrap_or(-1));
    let native = NativeTopic::new(&topic.name, topic.partitions.unwrap_or(-1), replication);
    topic
        .config
        .iter()
        .fold(native, |native, (key, value)| native.set(key, value))
}
