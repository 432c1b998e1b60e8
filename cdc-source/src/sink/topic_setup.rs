//! Creates the topics that are missing, as Kafka Connect or the broker itself would.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use streams_core::broker::{Admin, FailureCause, NewTopic};

use super::{KafkaSettings, STOP_TIMEOUT};
use crate::shutdown::Shutdown;
use crate::{Error, Result};

const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// Kafka Connect's `offset.storage.partitions`.
const OFFSET_PARTITIONS: i32 = 25;

/// Creates topics when they are first written to.
pub(crate) struct TopicSetup {
    admin: Admin,
    known: HashSet<Arc<str>>,
    /// The topic that was asked for last: mostly it is the next one too.
    last: Option<Arc<str>>,
    shutdown: Shutdown,
}

impl TopicSetup {
    pub(crate) fn new(settings: &KafkaSettings, shutdown: Shutdown) -> Result<Self> {
        Ok(Self {
            admin: Admin::new(&settings.client())?,
            known: HashSet::new(),
            last: None,
            shutdown,
        })
    }

    /// Makes sure that a topic of events exists, with the broker's default number of partitions.
    pub(super) fn ensure(&mut self, topic: &Arc<str>) -> Result<()> {
        let is_last = |last: &Arc<str>| Arc::ptr_eq(last, topic);
        if self.last.as_ref().is_some_and(is_last) {
            return Ok(());
        }
        if !self.known.contains(topic) {
            self.create(&NewTopic {
                name: topic.to_string(),
                partitions: None,
                replication_factor: None,
                config: BTreeMap::new(),
            })?;
            self.known.insert(topic.clone());
        }
        self.last = Some(topic.clone());
        Ok(())
    }

    /// Creates the topic of the offsets, compacted as Kafka Connect makes it. Returns false if it
    /// was there already.
    pub(crate) fn create_offset_topic(&self, topic: &str) -> Result<bool> {
        self.create(&NewTopic {
            name: topic.to_owned(),
            partitions: Some(OFFSET_PARTITIONS),
            replication_factor: None,
            config: BTreeMap::from([("cleanup.policy".to_owned(), "compact".to_owned())]),
        })
    }

    /// Returns whether the topic is new. The stop does not wait long for the broker.
    fn create(&self, topic: &NewTopic) -> Result<bool> {
        let name = &topic.name;
        let start = Instant::now();
        let created = self.admin.create_topic(topic, REQUEST_TIMEOUT, || {
            if self.shutdown.is_requested() && start.elapsed() > STOP_TIMEOUT {
                let doing = format!("creating topic {name}");
                return Err(Error::Stopped { doing });
            }
            Ok(())
        });
        match created {
            Ok(true) => {
                tracing::info!(topic = name, "created topic");
                Ok(true)
            }
            // Whoever may not create topics may still write to one that is there.
            Err(Error::Kafka(error))
                if FailureCause::of(&error) == FailureCause::Unauthorized && self.exists(name) =>
            {
                Ok(false)
            }
            // A topic that is refused here may yet be made by somebody else.
            Err(Error::Kafka(error)) => {
                let message = format!("cannot write to topic={name}");
                let kind = streams_core::ErrorKind::Broker;
                Err(streams_core::Error::with_source(kind, message, error).into())
            }
            other => other,
        }
    }

    fn exists(&self, topic: &str) -> bool {
        let count = self.admin.partition_count(topic, REQUEST_TIMEOUT);
        count.is_ok_and(|count| count.is_some())
    }
}
