//! What the tasks of a thread send, to the thread's producer.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::broker::{
    Collector, DeliveryFailure, EndOffsets, FailureCause, GroupConsumer, TransactionalProducer,
};
use crate::error::{Error, ErrorKind, Result};
use crate::id::TopicPartition;
use crate::processor::{ErrorContext, ExceptionHandler, FailureOrigin, HandlerResponse};
use crate::record::{Headers, OutgoingRecord};

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

/// How long the report of a record may take that has failed the transaction: the client queues it
/// right after it has begun to refuse others.
const REPORT_WAIT: Duration = Duration::from_millis(200);

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
    fn is_transactional(&self) -> bool {
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

    /// Asks the production handler about each record that could not be delivered; everything sent
    /// must have been flushed. What was given up with others is lost, and not by its own fault:
    /// only the next session can send it again.
    pub(crate) fn check_deliveries(&self, handler: &dyn ExceptionHandler) -> Result<()> {
        let fatal = self.producer.fatal_error();
        let mut given_up = None;
        while let Some(failure) = self.producer.take_failure() {
            let is_given_up = match failure.error.kind() {
                ErrorKind::Fenced => return Err(failure.error),
                ErrorKind::Production => false,
                _ => fatal.is_some() || FailureCause::of(&failure.error) == FailureCause::GivenUp,
            };
            if is_given_up {
                given_up.get_or_insert(failure.error);
            } else if !(0..failure.records).all(|_| self.may_leave_out(handler, &failure)) {
                return Err(failure.error);
            }
        }
        given_up.map_or(Ok(()), |error| Err(fatal.unwrap_or(error)))
    }

    /// Whether the handler leaves one of the records out. Its bytes are gone by now, so a dead
    /// letter is no answer; nor can it be left out under exactly-once, where the transaction has
    /// failed with it.
    fn may_leave_out(&self, handler: &dyn ExceptionHandler, failure: &DeliveryFailure) -> bool {
        let context = ErrorContext {
            origin: FailureOrigin::Production,
            task_id: None,
            node: "",
            topic: &failure.topic,
            partition: failure.partition,
            offset: -1,
            timestamp_ms: -1,
            headers: const { &Headers::new() },
            key: None,
            value: None,
            retries: 0,
        };
        let response = handler.give_up(&context, &failure.error);
        response == HandlerResponse::Continue && !self.is_transactional()
    }

    /// Why a call has failed: a record that cannot be delivered fails the transaction, and from
    /// then on every call, whatever it is about (`RecordCollectorImpl.checkForException`).
    pub(crate) fn cause_of(&self, error: Error, handler: &dyn ExceptionHandler) -> Error {
        if error.kind() != ErrorKind::Broker || !self.in_transaction.get() {
            return error;
        }
        self.producer.try_flush(REPORT_WAIT);
        match self.check_deliveries(handler) {
            Err(cause) if FailureCause::of(&cause) != FailureCause::GivenUp => cause,
            _ => error,
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::processor::ContinueOnError;

    #[test]
    fn what_is_given_up_after_a_fatal_error_is_not_left_out() {
        let settings = [
            ("bootstrap.servers", "127.0.0.1:1"),
            ("enable.idempotence", "true"),
        ];
        let settings = settings.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let producer = TransactionalProducer::new(&settings.into()).unwrap();
        let collector = ProducerCollector::new(producer);
        let record = OutgoingRecord {
            topic: "out",
            partition: Some(0),
            key: None,
            value: Some(b"value"),
            timestamp_ms: 0,
            headers: const { &Headers::new() },
        };
        collector.send(&record).unwrap();
        collector.producer.raise_fatal_error();
        collector.flush(Duration::from_secs(30)).unwrap();
        // With the offsets of its source committed, it would be lost for good.
        let error = collector.check_deliveries(&ContinueOnError).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Broker, "{error}");
    }
}
