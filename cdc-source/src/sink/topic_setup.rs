//! Creates the topics that are missing, as Kafka Connect or the broker itself would.

use std::collections::HashSet;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaErrorCode;

use super::{KafkaSettings, STOP_TIMEOUT};
use crate::shutdown::Shutdown;
use crate::{Error, Result};

const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// Kafka Connect's `offset.storage.partitions`.
const OFFSET_PARTITIONS: i32 = 25;
/// Leaves the number to the broker (KIP-464).
const BROKER_DEFAULT: i32 = -1;

/// Creates topics when they are first written to.
pub(crate) struct TopicSetup {
    admin: AdminClient<DefaultClientContext>,
    known: HashSet<Arc<str>>,
    shutdown: Shutdown,
}

impl TopicSetup {
    pub(crate) fn new(settings: &KafkaSettings, shutdown: Shutdown) -> Result<Self> {
        let admin = settings.client().create().map_err(|source| Error::Kafka {
            doing: "making the Kafka admin client".into(),
            source,
        })?;
        Ok(Self {
            admin,
            known: HashSet::new(),
            shutdown,
        })
    }

    /// Makes sure that a topic of events exists, with the broker's default number of partitions.
    pub(super) fn ensure(&mut self, topic: &Arc<str>) -> Result<()> {
        if self.known.contains(topic) {
            return Ok(());
        }
        let replication = TopicReplication::Fixed(BROKER_DEFAULT);
        self.create(&NewTopic::new(topic, BROKER_DEFAULT, replication), topic)?;
        self.known.insert(topic.clone());
        Ok(())
    }

    /// Creates the topic of the offsets, compacted as Kafka Connect makes it. Returns false if it
    /// was there already.
    pub(crate) fn create_offset_topic(&self, topic: &str) -> Result<bool> {
        let replication = TopicReplication::Fixed(BROKER_DEFAULT);
        let new = NewTopic::new(topic, OFFSET_PARTITIONS, replication);
        self.create(&new.set("cleanup.policy", "compact"), topic)
    }

    /// Returns whether the topic is new.
    fn create(&self, new: &NewTopic<'_>, topic: &str) -> Result<bool> {
        use RDKafkaErrorCode as Code;
        let options = AdminOptions::new()
            .request_timeout(Some(REQUEST_TIMEOUT))
            .operation_timeout(Some(REQUEST_TIMEOUT));
        let failed = |source| Error::Kafka {
            doing: format!("creating topic {topic}"),
            source,
        };
        let created = self.wait(self.admin.create_topics([new], &options));
        let results = created
            .ok_or_else(|| Error::Stopped {
                doing: format!("creating topic {topic}"),
            })?
            .map_err(failed)?;
        match results.into_iter().next() {
            Some(Ok(created)) => {
                tracing::info!(topic = created, "created topic");
                Ok(true)
            }
            Some(Err((_, Code::TopicAlreadyExists))) | None => Ok(false),
            // Whoever may not create topics may still write to one that is there.
            Some(Err((_, Code::TopicAuthorizationFailed | Code::ClusterAuthorizationFailed)))
                if self.exists(topic) =>
            {
                Ok(false)
            }
            Some(Err((_, code))) => Err(failed(KafkaError::AdminOp(code))),
        }
    }

    /// Waits on this thread for a future of the Kafka client, whose own threads wake it; not for
    /// long once the stop is asked for.
    fn wait<F: Future>(&self, future: F) -> Option<F::Output> {
        let mut future = pin!(future);
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        let mut context = Context::from_waker(&waker);
        let start = Instant::now();
        loop {
            match future.as_mut().poll(&mut context) {
                Poll::Ready(output) => return Some(output),
                Poll::Pending if self.shutdown.is_requested() && start.elapsed() > STOP_TIMEOUT => {
                    return None;
                }
                Poll::Pending => thread::park_timeout(Duration::from_millis(100)),
            }
        }
    }

    fn exists(&self, topic: &str) -> bool {
        let found = self
            .admin
            .inner()
            .fetch_metadata(Some(topic), REQUEST_TIMEOUT);
        found.is_ok_and(|metadata| {
            metadata
                .topics()
                .iter()
                .any(|found| found.name() == topic && found.error().is_none())
        })
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}
