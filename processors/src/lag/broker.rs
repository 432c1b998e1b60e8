//! What a broker knows of topics and groups. The only module of the crate that names rdkafka.

use std::collections::BTreeMap;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use streams_core::StreamsConfig;
use streams_core::clock::{Clock, SystemClock};
use streams_dsl::{Error, ErrorKind, Result};

use super::report::{GroupLag, PartitionLag, Report};

/// How long a broker may take to answer.
const ANSWER_WAIT: Duration = Duration::from_secs(5);

/// Reads the offsets of groups, without joining them.
pub(super) struct OffsetReader {
    groups: Vec<(String, BaseConsumer)>,
}

impl OffsetReader {
    /// A reader of these groups' offsets.
    pub(super) fn new<'a>(
        config: &StreamsConfig,
        groups: impl Iterator<Item = &'a str>,
    ) -> Result<Self> {
        let open = |group: &str| {
            let mut client = ClientConfig::new();
            client.extend(config.consumer_config("lag", 1));
            let consumer: std::result::Result<BaseConsumer, _> = client
                .set("group.id", group)
                // The high water mark, open transactions included.
                .set("isolation.level", "read_uncommitted")
                .create();
            let consumer = consumer.map_err(|error| {
                let message = format!("cannot make a client for group={group}");
                Error::with_source(ErrorKind::Config, message, error)
            })?;
            Ok((group.to_owned(), consumer))
        };
        let groups = groups.map(open).collect::<Result<Vec<_>>>()?;
        Ok(Self { groups })
    }

    /// The lag of every group on these topics.
    pub(super) fn look<'a>(
        &self,
        topics: impl Iterator<Item = &'a str>,
        warn_above: u64,
    ) -> Result<Report> {
        let mut lags = Vec::new();
        let any = self.groups.first().map(|(_, consumer)| consumer);
        for topic in topics {
            let Some(consumer) = any else { break };
            let ends = ends(consumer, topic)?;
            for (group, consumer) in &self.groups {
                let committed = committed(consumer, group, topic, ends.len())?;
                let partitions = ends.iter().map(|(partition, (low, high))| {
                    let committed = committed.get(partition).copied();
                    PartitionLag::new(*partition, *low, *high, committed)
                });
                lags.push(GroupLag::new(
                    topic,
                    group,
                    partitions.collect(),
                    warn_above,
                ));
            }
        }
        let timestamp = SystemClock.now_ms();
        Ok(Report { timestamp, lags })
    }
}

/// The first offset and the high water mark of each partition.
fn ends(consumer: &BaseConsumer, topic: &str) -> Result<BTreeMap<i32, (i64, i64)>> {
    let doing = || format!("cannot read the partitions of topic={topic}");
    let metadata = consumer
        .fetch_metadata(Some(topic), ANSWER_WAIT)
        .map_err(|error| failed(doing(), error))?;
    let found = metadata.topics().iter().find(|found| found.name() == topic);
    let partitions = match found {
        Some(found) if found.error().is_none() && !found.partitions().is_empty() => {
            found.partitions()
        }
        _ => {
            let message = format!("wrong configuration: `--topics`: topic {topic} does not exist");
            return Err(Error::new(ErrorKind::Config, message));
        }
    };
    let ends = partitions.iter().map(|partition| {
        let id = partition.id();
        let ends = consumer.fetch_watermarks(topic, id, ANSWER_WAIT);
        let doing = || format!("cannot read the ends of topic={topic} partition={id}");
        ends.map(|ends| (id, ends))
            .map_err(|error| failed(doing(), error))
    });
    ends.collect()
}

/// The offsets that a group has committed.
fn committed(
    consumer: &BaseConsumer,
    group: &str,
    topic: &str,
    partitions: usize,
) -> Result<BTreeMap<i32, i64>> {
    let mut list = TopicPartitionList::new();
    let last = i32::try_from(partitions)
        .unwrap_or(i32::MAX)
        .saturating_sub(1);
    list.add_partition_range(topic, 0, last);
    let offsets = consumer.committed_offsets(list, ANSWER_WAIT);
    let offsets = offsets.map_err(|error| {
        let doing = format!("cannot read the offsets of group={group} topic={topic}");
        failed(doing, error)
    })?;
    let known = offsets
        .elements()
        .into_iter()
        .filter_map(|element| match element.offset() {
            Offset::Offset(offset) => Some((element.partition(), offset)),
            _ => None,
        })
        .collect();
    Ok(known)
}

/// What is refused for good is a mistake of the configuration; all else may pass.
fn failed(doing: String, error: KafkaError) -> Error {
    let refused = matches!(
        error.rdkafka_error_code(),
        Some(
            RDKafkaErrorCode::TopicAuthorizationFailed
                | RDKafkaErrorCode::GroupAuthorizationFailed
                | RDKafkaErrorCode::ClusterAuthorizationFailed
                | RDKafkaErrorCode::SaslAuthenticationFailed
                | RDKafkaErrorCode::InvalidTopic
                | RDKafkaErrorCode::InvalidGroupId
        )
    );
    let kind = if refused {
        ErrorKind::Config
    } else {
        ErrorKind::Broker
    };
    Error::with_source(kind, doing, error)
}
