//! The compacted topic that holds the offsets, shared with Kafka Connect.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use streams_core::broker::{Assignment, ConsumerEvent, GroupConsumer, StartAt};
use streams_core::id::TopicPartition;

use super::{SourceOffset, offset_key};
use crate::shutdown::Shutdown;
use crate::sink::{KafkaSettings, TopicSetup};
use crate::{Error, Result};

/// How long the whole topic may take to read before the broker counts as away.
const READ_TIMEOUT: Duration = Duration::from_secs(60);
const METADATA_TIMEOUT: Duration = Duration::from_secs(10);
const METADATA_STEP: Duration = Duration::from_millis(500);

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
        let message = format!("cannot read topic={topic}: it is not known to every broker yet");
        let error = streams_core::Error::new(streams_core::ErrorKind::Broker, message);
        Err(error.into())
    }

    /// Asks for the number of partitions in short steps, so that a stop is noticed in time.
    fn partition_count(&self, consumer: &GroupConsumer) -> Result<Option<i32>> {
        let topic = &self.settings.offset_topic;
        let start = Instant::now();
        loop {
            let error = match consumer.partition_count(topic, METADATA_STEP) {
                Ok(count) => return Ok(count),
                Err(error) => error,
            };
            if self.shutdown.is_requested() {
                return Err(Error::Stopped {
                    doing: self.doing(),
                });
            }
            if start.elapsed() > METADATA_TIMEOUT {
                return Err(error.into());
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
        let mut consumer = GroupConsumer::new(&self.settings.consumer())?;
        let Some(count) = self.partition_count(&consumer)? else {
            return self.create().map(|()| None);
        };
        let topic: Arc<str> = self.settings.offset_topic.as_str().into();
        let partitions = (0..count).map(|partition| TopicPartition {
            topic: topic.clone(),
            partition,
        });
        let assignment: Vec<Assignment> = partitions
            .map(|partition| Assignment {
                partition,
                start: StartAt::Earliest,
                is_paused: false,
            })
            .collect();
        consumer.assign(&assignment)?;
        let latest = self.latest(&mut consumer, count)?;
        let value = latest.filter(|value| !value.is_empty());
        Ok(value
            .map(|value| SourceOffset::from_json(&value))
            .transpose()?)
    }

    /// The value of the connector's latest record in the partitions `0..count`; a tombstone, which
    /// is how Connect resets an offset, is an empty one.
    fn latest(&self, consumer: &mut GroupConsumer, count: i32) -> Result<Option<Vec<u8>>> {
        let key = offset_key(&self.settings.connector, &self.settings.topic_prefix);
        let start = Instant::now();
        let mut remaining: BTreeSet<i32> = (0..count).collect();
        let mut latest: Option<(i64, Vec<u8>)> = None;
        while !remaining.is_empty() {
            match consumer.poll(Duration::from_millis(100), usize::MAX) {
                Some(ConsumerEvent::Record { raw, .. }) if raw.key() == Some(&key) => {
                    let time = raw.timestamp_ms;
                    let is_newer = latest.as_ref().is_none_or(|(known, _)| time >= *known);
                    if is_newer {
                        latest = Some((time, raw.value().unwrap_or_default().to_vec()));
                    }
                }
                // An end is told again when another connector has added to the partition.
                Some(ConsumerEvent::End(end, _)) => {
                    remaining.remove(&end.partition);
                }
                Some(ConsumerEvent::Failed(error) | ConsumerEvent::Disturbed(error)) => {
                    return Err(error.into());
                }
                Some(_) | None => {}
            }
            if self.shutdown.is_requested() {
                return Err(Error::Stopped {
                    doing: self.doing(),
                });
            }
            if start.elapsed() > READ_TIMEOUT {
                return Err(Error::KafkaTimeout {
                    doing: self.doing(),
                    timeout_ms: READ_TIMEOUT.as_millis() as u64,
                });
            }
        }
        Ok(latest.map(|(_, value)| value))
    }

    fn doing(&self) -> String {
        format!("reading topic {}", self.settings.offset_topic)
    }
}
