//! The compacted topic that holds the offsets, shared with Kafka Connect.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use rdkafka::client::ClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::KafkaError;
use rdkafka::message::Message;
use rdkafka::metadata::{Metadata, MetadataTopic};
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::{Offset, TopicPartitionList};

use super::{SourceOffset, offset_key};
use crate::shutdown::Shutdown;
use crate::sink::{KafkaSettings, TopicSetup};
use crate::{Error, Result};

/// How long the whole topic may take to read before the broker counts as away.
const READ_TIMEOUT: Duration = Duration::from_secs(60);
const METADATA_TIMEOUT: Duration = Duration::from_secs(10);
const METADATA_STEP: Duration = Duration::from_millis(500);

/// The client would log the end of every partition as an error; what is one comes back from a poll.
struct QuietContext;

impl ClientContext for QuietContext {
    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, reason, "reading the offsets");
    }
}

impl ConsumerContext for QuietContext {}

/// Reads the connector's offset back.
pub struct OffsetTopic {
    settings: KafkaSettings,
    shutdown: Shutdown,
}

impl OffsetTopic {
    /// The offsets of the settings' connector.
    pub fn new(settings: KafkaSettings, shutdown: Shutdown) -> Self {
        Self { settings, shutdown }
    }

    /// A topic that turns out to exist was only not known yet to the broker that was asked: its
    /// offsets have to be read before anything else is done.
    fn create(&self) -> Result<()> {
        let topic = &self.settings.offset_topic;
        let setup = TopicSetup::new(&self.settings, self.shutdown.clone())?;
        if setup.create_offset_topic(topic)? {
            return Ok(());
        }
        Err(Error::Kafka {
            doing: format!("reading topic {topic}"),
            source: KafkaError::MetadataFetch(RDKafkaErrorCode::UnknownTopicOrPartition),
        })
    }

    /// Asks for the topic in short steps, so that a stop is noticed in time.
    fn metadata(&self, consumer: &BaseConsumer<QuietContext>) -> Result<Metadata> {
        let topic = &self.settings.offset_topic;
        let start = Instant::now();
        loop {
            let source = match consumer.fetch_metadata(Some(topic), METADATA_STEP) {
                Ok(metadata) => return Ok(metadata),
                Err(error) => error,
            };
            let doing = format!("reading topic {topic}");
            if self.shutdown.is_requested() {
                return Err(Error::Stopped { doing });
            }
            if start.elapsed() > METADATA_TIMEOUT {
                return Err(Error::Kafka { doing, source });
            }
        }
    }

    /// The offset that was committed last, if there is one. Every partition is read, since
    /// whichever producer wrote the record may have chosen its partition in another way. The topic
    /// is created if it is missing.
    ///
    /// # Errors
    /// When the broker cannot be reached, or the record cannot be understood.
    pub fn read(&self) -> Result<Option<SourceOffset>> {
        let topic = &self.settings.offset_topic;
        let failed = |source| Error::Kafka {
            doing: format!("reading topic {topic}"),
            source,
        };
        let consumer: BaseConsumer<QuietContext> = self
            .settings
            .consumer()
            .create_with_context(QuietContext)
            .map_err(failed)?;
        let metadata = self.metadata(&consumer)?;
        let mut assignment = TopicPartitionList::new();
        let partitions = metadata.topics().iter().flat_map(MetadataTopic::partitions);
        let mut remaining = BTreeSet::new();
        for partition in partitions {
            let offset = Offset::Beginning;
            assignment
                .add_partition_offset(topic, partition.id(), offset)
                .map_err(failed)?;
            remaining.insert(partition.id());
        }
        if remaining.is_empty() {
            return self.create().map(|()| None);
        }
        consumer.assign(&assignment).map_err(failed)?;

        let key = offset_key(&self.settings.connector, &self.settings.topic_prefix);
        let start = Instant::now();
        let mut latest: Option<(i64, Vec<u8>)> = None;
        while !remaining.is_empty() {
            match consumer.poll(Duration::from_millis(100)) {
                Some(Ok(message)) if message.key() == Some(&key) => {
                    let time = message.timestamp().to_millis().unwrap_or_default();
                    let is_newer = latest.as_ref().is_none_or(|(known, _)| time >= *known);
                    if is_newer {
                        // A tombstone is how Connect resets an offset.
                        let value = message.payload().unwrap_or_default();
                        latest = Some((time, value.to_vec()));
                    }
                }
                Some(Ok(_)) | None => {}
                // An end is told again when another connector has added to the partition.
                Some(Err(KafkaError::PartitionEOF(partition))) => {
                    remaining.remove(&partition);
                }
                Some(Err(source)) => return Err(failed(source)),
            }
            if self.shutdown.is_requested() {
                return Err(Error::Stopped {
                    doing: format!("reading topic {topic}"),
                });
            }
            if start.elapsed() > READ_TIMEOUT {
                return Err(Error::KafkaTimeout {
                    doing: format!("reading topic {topic}"),
                    timeout_ms: READ_TIMEOUT.as_millis() as u64,
                });
            }
        }
        let latest = latest.filter(|(_, value)| !value.is_empty());
        Ok(latest
            .map(|(_, value)| SourceOffset::from_json(&value))
            .transpose()?)
    }
}
