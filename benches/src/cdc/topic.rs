//! The topic that a contender writes: how far it is, and what it holds.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use streams_core::broker::{Assignment, ConsumerEvent, GroupConsumer, StartAt};
use streams_core::id::TopicPartition;
use streams_tests::Cluster;

use crate::Result;

/// How long one request may take.
const REQUEST_LIMIT: Duration = Duration::from_secs(30);
/// How long one wait for a record may take.
const POLL_LIMIT: Duration = Duration::from_millis(20);

/// The ends of a topic of one partition.
pub(super) struct Ends {
    topic: String,
    written: BaseConsumer,
    committed: BaseConsumer,
}

/// Where a topic ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct End {
    /// With what is not committed, and the marks that end transactions.
    pub(super) written: i64,
    /// For a `read_committed` reader.
    pub(super) committed: i64,
}

impl Ends {
    pub(super) fn of(cluster: &Cluster, topic: &str) -> Result<Self> {
        let consumer = |isolation: &str| -> Result<BaseConsumer> {
            let consumer = ClientConfig::new()
                .set("bootstrap.servers", cluster.bootstrap_servers())
                .set("group.id", "bench-ends")
                .set("isolation.level", isolation)
                .create()?;
            Ok(consumer)
        };
        Ok(Self {
            topic: topic.to_owned(),
            written: consumer("read_uncommitted")?,
            committed: consumer("read_committed")?,
        })
    }

    pub(super) fn now(&self) -> Result<End> {
        let end = |consumer: &BaseConsumer| {
            let ends = consumer.fetch_watermarks(&self.topic, 0, REQUEST_LIMIT);
            ends.map(|(_, end)| end)
        };
        Ok(End {
            written: end(&self.written)?,
            committed: end(&self.committed)?,
        })
    }
}

/// A `read_committed` reader of a topic of one partition, from its beginning.
pub(super) struct Reader {
    consumer: GroupConsumer,
}

impl Reader {
    pub(super) fn of(cluster: &Cluster, topic: &str) -> Result<Self> {
        let settings = [
            ("bootstrap.servers", cluster.bootstrap_servers()),
            ("group.id", "bench-reader"),
            ("isolation.level", "read_committed"),
            ("enable.auto.commit", "false"),
            ("enable.partition.eof", "true"),
            ("queued.max.messages.kbytes", "16384"),
        ];
        let own = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
        let mut consumer = GroupConsumer::new(&BTreeMap::from(settings.map(own)))?;
        consumer.assign(&[Assignment {
            partition: TopicPartition {
                topic: topic.into(),
                partition: 0,
            },
            start: StartAt::Earliest,
            is_paused: false,
        }])?;
        Ok(Self { consumer })
    }

    /// Hands every record to `take` until that returns false, or until the topic ends and
    /// `goes_on` says that nothing more is waited for.
    ///
    /// # Errors
    /// What `take` says, or when nothing comes for `limit`.
    pub(super) fn read(
        &mut self,
        limit: Duration,
        goes_on: bool,
        mut take: impl FnMut(Option<&[u8]>, Option<&[u8]>) -> Result<bool>,
    ) -> Result<()> {
        let mut last = Instant::now();
        while last.elapsed() < limit {
            match self.consumer.poll(POLL_LIMIT, usize::MAX) {
                Some(ConsumerEvent::Record { raw, .. }) => {
                    last = Instant::now();
                    if !take(raw.key(), raw.value())? {
                        return Ok(());
                    }
                }
                Some(ConsumerEvent::End(..)) if !goes_on => return Ok(()),
                Some(ConsumerEvent::Failed(error)) => return Err(error.into()),
                Some(_) | None => {}
            }
        }
        Err(format!("no record came for {} s", limit.as_secs()).into())
    }
}
