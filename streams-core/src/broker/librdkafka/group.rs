//! Who is in a group, and which partitions each member has.

use std::time::Duration;

use rdkafka::groups::GroupMemberInfo;

use crate::broker::librdkafka::admin::Admin;
use crate::broker::librdkafka::failure::broker_error;
use crate::error::Result;
use crate::id::TopicPartition;

/// A member of a consumer group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupMember {
    /// Its `client.id`.
    pub client_id: String,
    /// What it reads; nothing while the group rebalances.
    pub partitions: Vec<TopicPartition>,
}

impl Admin {
    /// The members of a group, as its coordinator knows them; none if there is no such group.
    ///
    /// # Errors
    /// If no broker answers within `timeout`.
    pub fn group_members(&self, group: &str, timeout: Duration) -> Result<Vec<GroupMember>> {
        let groups = self.client.inner().fetch_group_list(Some(group), timeout);
        let groups = groups
            .map_err(|error| broker_error(format!("cannot read the group {group}"), error))?;
        let found = groups.groups().iter().find(|found| found.name() == group);
        Ok(found.map_or_else(Vec::new, |found| {
            found.members().iter().map(member).collect()
        }))
    }
}

fn member(member: &GroupMemberInfo) -> GroupMember {
    let partitions = member.assignment().and_then(assigned_partitions);
    GroupMember {
        client_id: member.client_id().to_owned(),
        partitions: partitions.unwrap_or_default(),
    }
}

/// Reads an assignment as the consumer protocol writes it (`ConsumerProtocolAssignment`): a
/// version, then topics with their partitions. `None` if it is cut off.
fn assigned_partitions(bytes: &[u8]) -> Option<Vec<TopicPartition>> {
    let mut rest = bytes;
    let _version = take::<2>(&mut rest)?;
    let topics = i32::from_be_bytes(take::<4>(&mut rest)?);
    let mut partitions = Vec::new();
    for _ in 0..topics {
        let length = i16::from_be_bytes(take::<2>(&mut rest)?);
        let (topic, after) = rest.split_at_checked(usize::try_from(length).ok()?)?;
        let topic: std::sync::Arc<str> = std::str::from_utf8(topic).ok()?.into();
        rest = after;
        for _ in 0..i32::from_be_bytes(take::<4>(&mut rest)?) {
            partitions.push(TopicPartition {
                topic: topic.clone(),
                partition: i32::from_be_bytes(take::<4>(&mut rest)?),
            });
        }
    }
    Some(partitions)
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(*taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_assignment_is_read_and_one_cut_off_is_none() {
        let bytes = b"\0\x01\0\0\0\x01\0\x02in\0\0\0\x02\0\0\0\0\0\0\0\x03\xff\xff\xff\xff";
        let expected = [0, 3].map(|partition| TopicPartition {
            topic: "in".into(),
            partition,
        });
        assert_eq!(assigned_partitions(bytes).unwrap(), expected);
        assert_eq!(assigned_partitions(&bytes[..20]), None);
        assert_eq!(assigned_partitions(b""), None);
    }
}
