//! A member of a consumer group.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use crate::broker::librdkafka::failure::{broker_error, is_fencing_code, is_unreadable_code};
use crate::broker::librdkafka::native::{self, GroupQueue, NativeEvent, TopicHandle};
use crate::broker::librdkafka::reader::EndOffsets;
use crate::broker::librdkafka::{LogContext, client_config, log, log_error, partition_count};
use crate::error::{Error, ErrorKind, Result};
use crate::id::TopicPartition;
use crate::record::RawRecord;

/// A member of a group, polled by one thread.
///
/// A rebalance is an event like any other: nothing is assigned or given up until the thread says
/// so, which leaves it the time to commit.
pub struct GroupConsumer {
    // The queue goes before its consumer.
    queue: GroupQueue,
    consumer: BaseConsumer<LogContext>,
    /// Partitions that are assigned and have never been read.
    unread: BTreeSet<TopicPartition>,
}

/// What polling a consumer brings.
pub enum ConsumerEvent {
    /// A record.
    Record {
        /// The topic, as a handle that is valid until the assignment changes.
        topic: TopicHandle,
        /// The partition.
        partition: i32,
        /// The record.
        raw: RawRecord,
    },
    /// A partition has no more records for now; its end is this offset.
    End(TopicPartition, i64),
    /// The group gives these partitions, to be taken with [`GroupConsumer::assign`].
    Assigned(Vec<TopicPartition>),
    /// The group takes these partitions, to be given up with [`GroupConsumer::unassign`].
    Revoked(Vec<TopicPartition>),
    /// Something failed that the client cannot mend by itself.
    Failed(Error),
    /// Something failed that the client goes on trying, such as a broker that is away; it has been
    /// logged.
    Disturbed(Error),
    /// Nothing that concerns the caller.
    Other,
}

/// An offset that the group has committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommittedOffset {
    /// The partition.
    pub partition: TopicPartition,
    /// The offset of the next record, and the commit's metadata; `None` if nothing is committed.
    pub offset: Option<(i64, String)>,
}

/// Where a partition is read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartAt {
    /// This offset.
    Offset(i64),
    /// The earliest record.
    Earliest,
    /// The end.
    Latest,
    /// Where `auto.offset.reset` says.
    Reset,
}

/// A partition and where it is read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// The partition.
    pub partition: TopicPartition,
    /// The position of the first record.
    pub start: StartAt,
    /// Whether it is not read before it is resumed.
    pub is_paused: bool,
}

impl GroupConsumer {
    /// Makes a consumer from librdkafka's settings; `group.id` must be among them.
    ///
    /// # Errors
    /// If a setting is refused.
    pub fn new(settings: &BTreeMap<String, String>) -> Result<Self> {
        let config: ClientConfig = client_config(settings);
        let consumer: BaseConsumer<LogContext> = config
            .create_with_context(LogContext)
            .map_err(|error| broker_error("cannot create the consumer", error))?;
        let queue = GroupQueue::of(&consumer).ok_or_else(|| {
            Error::new(
                ErrorKind::Broker,
                "cannot create the consumer: it has no group",
            )
        })?;
        Ok(Self {
            queue,
            consumer,
            unread: BTreeSet::new(),
        })
    }

    /// Joins the group to read these topics; one that begins with `^` is a pattern.
    ///
    /// # Errors
    /// If a pattern cannot be read.
    pub fn subscribe(&self, topics: &[&str]) -> Result<()> {
        let doing = || format!("cannot subscribe to {}", topics.join(", "));
        self.consumer
            .subscribe(topics)
            .map_err(|error| broker_error(doing(), error))
    }

    /// The next event, waiting for it no longer than `timeout`. Records are taken from the client
    /// many at a time, but no more than `records_max`; what is no record comes between the times.
    /// Who takes `records_max` records before the next round of work thus leaves none behind.
    #[inline]
    pub fn poll(&mut self, timeout: Duration, records_max: usize) -> Option<ConsumerEvent> {
        Some(match self.queue.poll(timeout, records_max)? {
            NativeEvent::Record(record) => {
                let native::NativeRecord {
                    topic,
                    partition,
                    raw,
                } = record;
                ConsumerEvent::Record {
                    topic,
                    partition,
                    raw,
                }
            }
            NativeEvent::End { partition, offset } => ConsumerEvent::End(partition, offset),
            NativeEvent::Assign(partitions) => ConsumerEvent::Assigned(partitions),
            NativeEvent::Revoke(partitions) => ConsumerEvent::Revoked(partitions),
            NativeEvent::Error {
                code,
                message,
                is_fatal,
            } => consumer_failure(code, message, is_fatal),
            NativeEvent::Log {
                level,
                facility,
                message,
            } => {
                log(level, &facility, &message);
                ConsumerEvent::Other
            }
            NativeEvent::Other => ConsumerEvent::Other,
        })
    }

    /// The name of the topic of a record read since the last assignment.
    pub fn topic_name(&self, topic: TopicHandle) -> String {
        native::topic_name(topic)
    }

    /// The number of partitions of a topic; `None` if it does not exist or may not be seen.
    ///
    /// # Errors
    /// If no broker answers within `timeout`.
    pub fn partition_count(&self, topic: &str, timeout: Duration) -> Result<Option<i32>> {
        partition_count(self.consumer.client(), topic, timeout)
    }

    /// What the group has committed for these partitions. Under `read_committed` this waits for
    /// transactions that are still open on them.
    ///
    /// # Errors
    /// If the coordinator does not answer within `timeout`.
    pub fn committed(
        &self,
        partitions: &[TopicPartition],
        timeout: Duration,
    ) -> Result<Vec<CommittedOffset>> {
        let committed = self
            .consumer
            .committed_offsets(partition_list(partitions), timeout)
            .map_err(|error| {
                broker_error(
                    "cannot read the offsets that the group has committed",
                    error,
                )
            })?;
        committed
            .elements()
            .iter()
            .map(|element| {
                let partition = TopicPartition {
                    topic: element.topic().into(),
                    partition: element.partition(),
                };
                // Taken for "nothing committed", an error would make the partition start anew.
                element.error().map_err(|error| {
                    broker_error(
                        format!("cannot read the committed offset of {partition}"),
                        error,
                    )
                })?;
                let offset = match element.offset() {
                    Offset::Offset(offset) => Some((offset, element.metadata().to_owned())),
                    _ => None,
                };
                Ok(CommittedOffset { partition, offset })
            })
            .collect()
    }

    /// Takes these partitions and no others, and reads each from its position. Records that have
    /// not been handed out are forgotten.
    ///
    /// # Errors
    /// If the client refuses.
    pub fn assign(&mut self, assignment: &[Assignment]) -> Result<()> {
        let mut list = TopicPartitionList::with_capacity(assignment.len());
        for one in assignment {
            let (partition, start) = (&one.partition, one.start);
            let offset = match start {
                StartAt::Offset(offset) => Offset::Offset(offset),
                StartAt::Earliest => Offset::Beginning,
                StartAt::Latest => Offset::End,
                StartAt::Reset => Offset::Invalid,
            };
            list.add_partition_offset(&partition.topic, partition.partition, offset)
                .map_err(|error| broker_error(format!("cannot assign {partition}"), error))?;
        }
        self.queue.forget_records();
        let partitions = assignment.iter();
        let partitions = partitions.map(|one| (&one.partition, one.is_paused));
        if !self.queue.set_partitions(partitions) {
            let message = "cannot assign partitions: one cannot be read";
            return Err(Error::new(ErrorKind::Broker, message));
        }
        let failed = |error| broker_error("cannot assign partitions", error);
        self.consumer.assign(&list).map_err(failed)?;
        // The client ends the fetching of partitions that it had before in its own time, which
        // takes their forwarding away. It answers this question after that.
        self.consumer.assignment().map_err(failed)?;
        self.queue.renew();
        // Of these nothing is to be fetched, however many there are. Nothing of them has been
        // handed out, so that the client goes on where they begin. A pause would make it look for
        // a beginning once more, and half a second later.
        let paused = assignment.iter();
        let paused = paused.filter(|one| one.is_paused && matches!(one.start, StartAt::Offset(_)));
        self.unread = paused.map(|one| one.partition.clone()).collect();
        let unread = partition_list(&self.unread);
        self.consumer.pause(&unread).map_err(failed)?;
        // As for those that are resumed: the others may be given to a thread that sleeps then.
        let started = assignment.iter().filter(|one| !one.is_paused);
        let started: Vec<_> = started.map(|one| one.partition.clone()).collect();
        EndOffsets::wake(self.consumer.client(), &started);
        Ok(())
    }

    /// Gives up all partitions. Records that have not been handed out are forgotten.
    ///
    /// # Errors
    /// If the client refuses.
    pub fn unassign(&mut self) -> Result<()> {
        self.queue.forget_records();
        self.queue.forget_partitions();
        self.unread.clear();
        self.consumer
            .unassign()
            .map_err(|error| broker_error("cannot unassign partitions", error))
    }

    /// Whether the partitions were lost, so that nothing can be committed for them any more.
    pub fn assignment_lost(&self) -> bool {
        self.consumer.assignment_lost()
    }

    /// Keeps the records of a partition back. Some that have been fetched may still come; others
    /// wait in the client, which fetches no more once it holds as much as it may of a partition.
    pub fn pause(&mut self, partition: &TopicPartition) {
        self.queue.set_forwarded(partition, false);
    }

    /// Goes on with partitions, where they stood.
    ///
    /// # Errors
    /// If the client refuses.
    pub fn resume(&mut self, partitions: &[TopicPartition]) -> Result<()> {
        for partition in partitions {
            self.queue.set_forwarded(partition, true);
        }
        let unread = partitions.iter();
        let unread: Vec<_> = unread.filter_map(|one| self.unread.take(one)).collect();
        if unread.is_empty() {
            return Ok(());
        }
        self.consumer
            .resume(&partition_list(&unread))
            .map_err(|error| broker_error("cannot resume partitions", error))?;
        // librdkafka does not tell the thread that fetches, which may sleep for a second.
        EndOffsets::wake(self.consumer.client(), &unread);
        Ok(())
    }

    /// Commits these offsets, each with its metadata, and waits for the answer.
    ///
    /// # Errors
    /// If the group has gone on without this member, or the coordinator does not answer.
    pub fn commit(&self, offsets: &[(TopicPartition, i64, String)]) -> Result<()> {
        let list = offset_list(offsets)?;
        self.consumer
            .commit(&list, rdkafka::consumer::CommitMode::Sync)
            .map_err(|error| broker_error("cannot commit offsets", error))
    }

    /// The offset of the first record of a partition that is not older than `timestamp_ms`; `None`
    /// if there is none.
    ///
    /// # Errors
    /// If the broker does not answer within `timeout`.
    pub fn offset_for_time(
        &self,
        partition: &TopicPartition,
        timestamp_ms: i64,
        timeout: Duration,
    ) -> Result<Option<i64>> {
        let doing = || format!("cannot find the offset of a time in {partition}");
        let failed = |error: KafkaError| broker_error(doing(), error);
        let mut list = TopicPartitionList::with_capacity(1);
        let time = Offset::Offset(timestamp_ms);
        list.add_partition_offset(&partition.topic, partition.partition, time)
            .map_err(failed)?;
        let found = self
            .consumer
            .offsets_for_times(list, timeout)
            .map_err(failed)?;
        let element = found.find_partition(&partition.topic, partition.partition);
        Ok(element.and_then(|element| match element.offset() {
            Offset::Offset(offset) => Some(offset),
            _ => None,
        }))
    }

    /// What a transaction that commits offsets of this member must name.
    pub(crate) fn group_metadata(&self) -> Option<rdkafka::consumer::ConsumerGroupMetadata> {
        self.consumer.group_metadata()
    }
}

fn partition_list<'a>(
    partitions: impl IntoIterator<Item = &'a TopicPartition>,
) -> TopicPartitionList {
    let mut list = TopicPartitionList::new();
    for partition in partitions {
        list.add_partition(&partition.topic, partition.partition);
    }
    list
}

pub(crate) fn offset_list(offsets: &[(TopicPartition, i64, String)]) -> Result<TopicPartitionList> {
    let mut list = TopicPartitionList::with_capacity(offsets.len());
    for (partition, offset, metadata) in offsets {
        let mut element = list.add_partition(&partition.topic, partition.partition);
        element.set_metadata(metadata);
        element
            .set_offset(Offset::Offset(*offset))
            .map_err(|error| broker_error(format!("cannot commit {partition}"), error))?;
    }
    Ok(list)
}

/// Most errors of a consumer pass by themselves: brokers that are away come back.
fn consumer_failure(code: RDKafkaErrorCode, message: String, is_fatal: bool) -> ConsumerEvent {
    let client_error = KafkaError::MessageConsumption(code);
    let failed =
        |kind| ConsumerEvent::Failed(Error::with_source(kind, &*message, client_error.clone()));
    match code {
        RDKafkaErrorCode::FencedInstanceId => failed(ErrorKind::Config),
        _ if is_fatal && is_fencing_code(code) => failed(ErrorKind::Fenced),
        _ if is_fatal => failed(ErrorKind::Broker),
        RDKafkaErrorCode::GroupAuthorizationFailed
        | RDKafkaErrorCode::TopicAuthorizationFailed
        | RDKafkaErrorCode::SaslAuthenticationFailed
        | RDKafkaErrorCode::InvalidSessionTimeout
        | RDKafkaErrorCode::InconsistentGroupProtocol
        | RDKafkaErrorCode::AutoOffsetReset => failed(ErrorKind::Config),
        _ if is_unreadable_code(code) => failed(ErrorKind::Serde),
        _ => {
            log_error(&client_error, &message);
            ConsumerEvent::Disturbed(broker_error(message, client_error))
        }
    }
}
