//! What a topology under test has sent.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};

use crate::broker::Collector;
use crate::error::Result;
use crate::record::{OutgoingRecord, RawRecord};

/// Keeps what is sent, by topic and in order.
#[derive(Default)]
pub(crate) struct MemoryCollector {
    topics: RefCell<BTreeMap<String, TopicLog>>,
    partition_counts: RefCell<BTreeMap<String, i32>>,
}

#[derive(Default)]
struct TopicLog {
    unread: VecDeque<RawRecord>,
    next_offset: i64,
    /// What was sent since the driver last looked, to be fed back to sources.
    fresh: usize,
}

impl MemoryCollector {
    /// The oldest record of a topic that has not been read yet.
    pub(crate) fn read(&self, topic: &str) -> Option<RawRecord> {
        let mut topics = self.topics.borrow_mut();
        let log = topics.get_mut(topic)?;
        log.fresh = log.fresh.min(log.unread.len().saturating_sub(1));
        log.unread.pop_front()
    }

    /// The number of records of a topic that have not been read.
    pub(crate) fn unread(&self, topic: &str) -> usize {
        self.topics
            .borrow()
            .get(topic)
            .map_or(0, |log| log.unread.len())
    }

    /// The topics that something was ever sent to.
    pub(crate) fn topics(&self) -> Vec<String> {
        self.topics.borrow().keys().cloned().collect()
    }

    /// Whether anything was sent since [`Self::take_fresh`] was last called.
    pub(crate) fn has_fresh(&self) -> bool {
        self.topics.borrow().values().any(|log| log.fresh > 0)
    }

    /// Copies of what was sent since the last call.
    pub(crate) fn take_fresh(&self) -> Vec<(String, RawRecord)> {
        let mut fresh = Vec::new();
        for (topic, log) in self.topics.borrow_mut().iter_mut() {
            let seen = log.unread.len().saturating_sub(log.fresh);
            fresh.extend(
                log.unread
                    .iter()
                    .skip(seen)
                    .map(|raw| (topic.clone(), raw.clone())),
            );
            log.fresh = 0;
        }
        fresh
    }

    pub(crate) fn set_partition_count(&self, topic: &str, count: i32) {
        self.partition_counts
            .borrow_mut()
            .insert(topic.to_owned(), count);
    }
}

impl Collector for MemoryCollector {
    fn send(&self, record: &OutgoingRecord<'_>) -> Result<()> {
        let mut topics = self.topics.borrow_mut();
        let log = topics.entry(record.topic.to_owned()).or_default();
        let raw = RawRecord::new(
            record.key,
            record.value,
            log.next_offset,
            record.timestamp_ms,
            record.headers.clone(),
        );
        log.next_offset += 1;
        log.fresh += 1;
        log.unread.push_back(raw);
        Ok(())
    }

    fn partition_count(&self, topic: &str) -> Result<i32> {
        Ok(self
            .partition_counts
            .borrow()
            .get(topic)
            .copied()
            .unwrap_or(1))
    }
}
