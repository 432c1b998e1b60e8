//! Consumer groups: their offsets and members.

use std::collections::BTreeMap;
use std::time::Duration;

use rdkafka::consumer::Consumer;
use rdkafka::error::KafkaError;
use rdkafka::groups::GroupInfo;
use rdkafka::{Offset, TopicPartitionList};

use super::{Cluster, REQUEST_LIMIT};
use crate::deadline::wait_until;
use crate::error::{Error, OrFail};

/// One member of a consumer group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupMember {
    /// The id that the coordinator gave it.
    pub member_id: String,
    /// Its `client.id`.
    pub client_id: String,
}

impl Cluster {
    /// The offsets that a group has committed for a topic, by partition; none where there is none.
    #[track_caller]
    pub fn committed(&self, group: &str, topic: &str) -> BTreeMap<i32, i64> {
        let action = || format!("read the offsets of group={group} topic={topic}");
        let offsets = self
            .partitions(topic, REQUEST_LIMIT)
            .and_then(|partitions| {
                let mut list = TopicPartitionList::new();
                list.add_partition_range(topic, 0, partitions - 1);
                self.consumer("read_committed", group)?
                    .committed_offsets(list, REQUEST_LIMIT)
                    .map_err(|error| Error::kafka(action(), error))
            });
        let offsets = offsets.or_fail();
        let elements = offsets.elements();
        let known = elements
            .iter()
            .filter_map(|element| match element.offset() {
                Offset::Offset(offset) => Some((element.partition(), offset)),
                _ => None,
            });
        known.collect()
    }

    /// The end (last stable offset) of each partition of a topic.
    #[track_caller]
    pub fn end_offsets(&self, topic: &str) -> BTreeMap<i32, i64> {
        let ends = self
            .partitions(topic, REQUEST_LIMIT)
            .and_then(|partitions| {
                let consumer = self.consumer("read_committed", "ends")?;
                let end = |partition| {
                    let ends = consumer.fetch_watermarks(topic, partition, REQUEST_LIMIT);
                    ends.map(|ends| (partition, ends.1))
                };
                let ends: Result<_, KafkaError> = (0..partitions).map(end).collect();
                ends.map_err(|error| Error::kafka(format!("read the ends of topic={topic}"), error))
            });
        ends.or_fail()
    }

    /// The members of a classic consumer group while it is stable; empty while it is not.
    #[track_caller]
    pub fn group_members(&self, group: &str) -> Vec<GroupMember> {
        let list = self
            .consumer("read_committed", "groups")
            .and_then(|consumer| {
                consumer
                    .fetch_group_list(Some(group), REQUEST_LIMIT)
                    .map_err(|error| Error::kafka(format!("describe group={group}"), error))
            });
        let list = list.or_fail();
        let stable = list
            .groups()
            .iter()
            .filter(|found| found.state() == "Stable");
        let members = stable
            .flat_map(GroupInfo::members)
            .map(|member| GroupMember {
                member_id: member.id().to_owned(),
                client_id: member.client_id().to_owned(),
            });
        members.collect()
    }

    /// Waits until a group is stable with `count` members, and returns them.
    ///
    /// # Panics
    ///
    /// When `limit` passes first.
    #[track_caller]
    pub fn wait_for_members(&self, group: &str, count: usize, limit: Duration) -> Vec<GroupMember> {
        wait_until(&format!("group={group} had {count} members"), limit, || {
            let members = self.group_members(group);
            (members.len() == count).then_some(members)
        })
    }
}
