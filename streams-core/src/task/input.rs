//! One input partition of a task: its queue, its time, its offsets.

use std::collections::VecDeque;

use crate::error::{Error, ErrorKind, Result};
use crate::id::TopicPartition;
use crate::processor::{SourcePort, Staged, TaskContext, UNKNOWN_TIME};
use crate::record::RawRecord;

/// What stands in the offset commit's metadata (`TopicPartitionMetadata`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CommittedPosition {
    /// The offset of the next record to take.
    pub(crate) offset: i64,
    /// The largest timestamp of the partition so far; -1 if none.
    pub(crate) partition_time_ms: i64,
}

/// A partition that a task reads.
pub(crate) struct Input {
    pub(crate) from: TopicPartition,
    /// The source's place in the task.
    pub(crate) source: usize,
    queue: VecDeque<RawRecord>,
    queued_bytes: usize,
    head: Option<Head>,
    partition_time_ms: i64,
    /// The offset of the last record that was added.
    added_offset: Option<i64>,
    next_offset: Option<i64>,
    committed_offset: Option<i64>,
    end_offset: Option<i64>,
    /// Since when the others have waited for this one, while it is empty at its end.
    idle_since_ms: Option<i64>,
}

/// The staged record that is next in this partition.
#[derive(Debug, Clone, Copy)]
struct Head {
    timestamp_ms: i64,
    offset: i64,
}

/// By so many records a queue grows, or by a quarter of what it holds. Doubled, it would keep room
/// for twice what a fetch brings.
const QUEUE_STEP: usize = 512;
/// A queue that fills less than this part of its room gives half of the room back: what a fetch
/// brings to one partition it does not bring to the others at the same time.
const QUEUE_PART_MIN: usize = 4;
/// Room for a poll's records is kept.
const QUEUE_ROOM_MIN: usize = 2 * QUEUE_STEP;

impl Input {
    pub(crate) fn new(from: TopicPartition, source: usize) -> Self {
        Self {
            from,
            source,
            queue: VecDeque::new(),
            queued_bytes: 0,
            head: None,
            partition_time_ms: UNKNOWN_TIME,
            added_offset: None,
            next_offset: None,
            committed_offset: None,
            end_offset: None,
            idle_since_ms: None,
        }
    }

    /// Takes up the partition time of an earlier owner of the partition.
    pub(crate) fn restore_time(&mut self, partition_time_ms: i64) {
        self.partition_time_ms = self.partition_time_ms.max(partition_time_ms);
    }

    /// Adds a record behind those that wait.
    ///
    /// # Errors
    /// If it does not come behind the last one. The client has gone back then, as it may when a
    /// broker has lost records; taken once more, they would count twice.
    #[inline]
    pub(crate) fn add(&mut self, raw: RawRecord) -> Result<()> {
        if self.added_offset >= Some(raw.offset) {
            return Err(self.read_again(raw.offset));
        }
        self.added_offset = Some(raw.offset);
        self.end_offset = None;
        self.idle_since_ms = None;
        self.queued_bytes += raw.size();
        if self.queue.len() == self.queue.capacity() {
            self.queue
                .reserve_exact((self.queue.len() / 4).max(QUEUE_STEP));
        }
        self.queue.push_back(raw);
        Ok(())
    }

    #[cold]
    fn read_again(&self, offset: i64) -> Error {
        let message = format!("offset={offset} of {} was read again", self.from);
        Error::new(ErrorKind::Broker, message)
    }

    /// Everything up to `offset` has been fetched, and there is no more.
    pub(crate) fn reached_end(&mut self, offset: i64) {
        self.end_offset = Some(offset);
    }

    /// Reads the next record of the queue, if none is staged yet, past those that are dropped.
    pub(crate) fn stage(
        &mut self,
        index: usize,
        source: &mut dyn SourcePort,
        task: &mut TaskContext,
    ) {
        while self.head.is_none() && !task.has_failed() {
            let Some(raw) = self.take_queued() else {
                return;
            };
            let offset = raw.offset;
            match source.stage(task, index, &self.from, raw, self.partition_time_ms) {
                Staged::Ready(timestamp_ms) => {
                    self.head = Some(Head {
                        timestamp_ms,
                        offset,
                    })
                }
                Staged::Dropped if task.has_failed() => {}
                Staged::Dropped => {
                    self.next_offset = Some(offset + 1);
                    task.counts.processed += 1;
                }
            }
        }
    }

    #[inline]
    fn take_queued(&mut self) -> Option<RawRecord> {
        let raw = self.queue.pop_front()?;
        self.queued_bytes -= raw.size();
        let room = self.queue.capacity();
        if room > QUEUE_ROOM_MIN && self.queue.len() < room / QUEUE_PART_MIN {
            self.queue.shrink_to((room / 2).max(QUEUE_ROOM_MIN));
        }
        Some(raw)
    }

    /// The event time of the next record.
    pub(crate) fn head_timestamp_ms(&self) -> Option<i64> {
        self.head.map(|head| head.timestamp_ms)
    }

    /// Takes the staged record off, and returns its event time.
    pub(crate) fn take_head(&mut self) -> Option<i64> {
        let head = self.head.take()?;
        self.partition_time_ms = self.partition_time_ms.max(head.timestamp_ms);
        self.next_offset = Some(head.offset + 1);
        Some(head.timestamp_ms)
    }

    /// The number of records that wait.
    pub(crate) fn buffered(&self) -> usize {
        self.queue.len() + usize::from(self.head.is_some())
    }

    /// The bytes of the records that wait.
    pub(crate) fn buffered_bytes(&self) -> usize {
        self.queued_bytes
    }

    /// Whether the other inputs may go on without this one while it is empty: it is known to be at
    /// its end, and has been for `idle_ms_max` (KIP-695).
    pub(crate) fn may_be_passed(&mut self, now_ms: i64, idle_ms_max: i64) -> bool {
        if self.end_offset.is_none() {
            return false;
        }
        let since_ms = *self.idle_since_ms.get_or_insert(now_ms);
        now_ms.saturating_sub(since_ms) >= idle_ms_max
    }

    /// What is to be committed: the offset of the next record to take. At the end of the partition
    /// that is the end itself, past the markers of transactions, so that the lag is 0.
    pub(crate) fn position(&self) -> Option<CommittedPosition> {
        let end = self.end_offset.filter(|_| self.buffered() == 0);
        let offset = self.next_offset.max(end)?;
        (self.next_offset.is_some() || self.committed_offset.is_some()).then_some(
            CommittedPosition {
                offset,
                partition_time_ms: self.partition_time_ms,
            },
        )
    }

    /// Whether there is something to commit.
    pub(crate) fn is_dirty(&self) -> bool {
        self.position().map(|position| position.offset) > self.committed_offset
    }

    /// The position is committed.
    pub(crate) fn committed(&mut self) {
        self.committed_offset = self.position().map(|position| position.offset);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Headers;

    fn input() -> Input {
        let from = TopicPartition {
            topic: "in".into(),
            partition: 3,
        };
        Input::new(from, 0)
    }

    #[test]
    fn a_record_that_was_added_before_is_refused() {
        let mut input = input();
        let mut add = |offset| input.add(RawRecord::new(None, None, offset, 0, Headers::new()));
        // Some offsets are markers, or records that were compacted away.
        for offset in [0, 1, 7] {
            add(offset).unwrap();
        }
        for offset in [7, 1] {
            let error = add(offset).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Broker);
            assert_eq!(
                error.to_string(),
                format!("offset={offset} of in-3 was read again")
            );
        }
        add(8).unwrap();
        assert_eq!(input.buffered(), 4);
    }

    #[test]
    fn a_queue_that_was_long_gives_its_room_back() {
        let mut input = input();
        let raw = |offset| RawRecord::new(None, Some(b"value"), offset, 0, Headers::new());
        for offset in 0..10_000 {
            input.add(raw(offset)).unwrap();
        }
        assert!(input.queue.capacity() < 13_000);
        for offset in 0..9_900 {
            let taken = input.take_queued().map(|raw| raw.offset);
            assert_eq!(taken, Some(offset));
        }
        assert_eq!(input.queue.capacity(), QUEUE_ROOM_MIN);
        assert_eq!(input.buffered(), 100);
        assert_eq!(input.buffered_bytes(), 100 * raw(0).size());
    }
}
