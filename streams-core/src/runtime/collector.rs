//! What the tasks of a thread send, to the thread's producer.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::broker::{Collector, DeliveryFailure, EndOffsets, GroupConsumer, TransactionalProducer};
use crate::error::Result;
use crate::id::TopicPartition;
use crate::record::OutgoingRecord;

/// The producer of a thread, and its transaction: the only place that begins and ends one.
pub(crate) struct ProducerCollector {
    producer: TransactionalProducer,
    in_transaction: Cell<bool>,
    has_uncommitted: Cell<bool>,
    sent: Cell<u32>,
    partition_counts: RefCell<HashMap<String, (i32, Instant)>>,
}

/// How long a topic's number of partitions is believed (`metadata.max.age.ms` of the Java client).
const PARTITION_COUNT_AGE_MAX: Duration = Duration::from_secs(300);

/// After so many records the client's own events are served.
const SENDS_PER_POLL: u32 = 512;

impl ProducerCollector {
    pub(crate) fn new(producer: TransactionalProducer) -> Self {
        Self {
            producer,
            in_transaction: Cell::new(false),
            has_uncommitted: Cell::new(false),
            sent: Cell::new(0),
            partition_counts: RefCell::new(HashMap::new()),
        }
    }

    fn ensure_transaction(&self) -> Result<()> {
        if self.producer.is_transactional() && !self.in_transaction.get() {
            self.producer.begin_transaction()?;
            self.in_transaction.set(true);
        }
        Ok(())
    }

    /// Whether something was sent since the last commit.
    pub(crate) fn has_uncommitted(&self) -> bool {
        self.has_uncommitted.get()
    }

    /// Whether a record that cannot be delivered spoils all that was sent with it.
    pub(crate) fn is_transactional(&self) -> bool {
        self.producer.is_transactional()
    }

    /// Waits until the broker has everything that was sent.
    pub(crate) fn flush(&self, timeout: Duration) -> Result<()> {
        self.producer.flush(timeout)
    }

    /// Asks for the ends of changelogs; everything sent must have been flushed.
    pub(crate) fn ask_ends(&self, changelogs: &[TopicPartition], timeout: Duration) -> EndOffsets {
        self.producer.ask_ends(changelogs, timeout)
    }

    /// What could not be delivered since this was last asked.
    pub(crate) fn take_failure(&self) -> Option<DeliveryFailure> {
        self.producer.take_failure()
    }

    /// Commits: under exactly-once what was sent and the offsets in one transaction, else the
    /// offsets alone. Everything sent must have been flushed.
    pub(crate) fn commit(
        &self,
        offsets: &[(TopicPartition, i64, String)],
        consumer: &GroupConsumer,
        timeout: Duration,
    ) -> Result<()> {
        if self.producer.is_transactional() {
            self.commit_transaction(offsets, consumer, timeout)?;
        } else if !offsets.is_empty() {
            consumer.commit(offsets)?;
        }
        self.has_uncommitted.set(false);
        Ok(())
    }

    fn commit_transaction(
        &self,
        offsets: &[(TopicPartition, i64, String)],
        consumer: &GroupConsumer,
        timeout: Duration,
    ) -> Result<()> {
        if !offsets.is_empty() {
            self.ensure_transaction()?;
            self.producer.send_offsets(offsets, consumer, timeout)?;
        }
        if self.in_transaction.get() {
            self.producer.commit_transaction(timeout)?;
            self.in_transaction.set(false);
        }
        Ok(())
    }

    /// Aborts what is open. A producer that is fenced has nothing to abort any more.
    pub(crate) fn abort(&self, timeout: Duration) {
        if self.in_transaction.replace(false)
            && let Err(error) = self.producer.abort_transaction(timeout)
        {
            tracing::debug!(%error, "the transaction was not aborted; the broker will");
        }
    }
}

impl Collector for ProducerCollector {
    #[inline]
    fn send(&self, record: &OutgoingRecord<'_>) -> Result<()> {
        self.ensure_transaction()?;
        self.has_uncommitted.set(true);
        let sent = self.sent.get() + 1;
        self.sent.set(sent % SENDS_PER_POLL);
        if sent == SENDS_PER_POLL {
            self.producer.poll();
        }
        self.producer.send(record)
    }

    fn partition_count(&self, topic: &str) -> Result<i32> {
        let mut known = self.partition_counts.borrow_mut();
        if let Some((count, since)) = known.get(topic)
            && since.elapsed() < PARTITION_COUNT_AGE_MAX
        {
            return Ok(*count);
        }
        let count = self.producer.partition_count(topic)?;
        known.insert(topic.to_owned(), (count, Instant::now()));
        Ok(count)
    }
}
