//! A producer that can be transactional, drained without waiting longer than needed.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, DeliveryResult, Producer as _, ProducerContext};
use rdkafka::{ClientConfig, Message as _};

use crate::broker::librdkafka::consumer::{GroupConsumer, offset_list};
use crate::broker::librdkafka::failure::{
    FailureCause, broker_error, delivery_error, is_fencing_code,
};
use crate::broker::librdkafka::native::{NativeHeaders, NativeOutgoing, OffsetEnd, ProducerTopics};
use crate::broker::librdkafka::reader::EndOffsets;
use crate::broker::librdkafka::{client_config, log, log_error, native, partition_count};
use crate::error::{Error, ErrorKind, Result};
use crate::id::TopicPartition;
use crate::record::{Headers, OutgoingRecord};

/// Records that the broker has refused, or that could not be sent in time.
#[derive(Debug)]
pub struct DeliveryFailure {
    /// The topic they were for.
    pub topic: String,
    /// The partition they were for.
    pub partition: i32,
    /// Why.
    pub error: Error,
    /// How many failed for this reason.
    pub records: usize,
}

/// Collects what could not be delivered; deliveries that succeed are not reported.
#[derive(Default)]
struct DeliveryContext {
    any: AtomicBool,
    failures: Mutex<Failures>,
}

/// What was not delivered.
#[derive(Default)]
struct Failures {
    /// For each partition and reason one.
    own: VecDeque<(KafkaError, DeliveryFailure)>,
    /// One of the records that were given up with another: there may be thousands, and the report
    /// of the one at fault may come behind theirs.
    given_up: Option<DeliveryFailure>,
}

impl Failures {
    /// A record for a partition has failed.
    fn add(&mut self, topic: &str, partition: i32, reason: &KafkaError) {
        let known = self.own.iter_mut().find(|(other, failure)| {
            failure.topic == topic && failure.partition == partition && other == reason
        });
        if let Some((_, failure)) = known {
            failure.records += 1;
            return;
        }
        let doing = format!("cannot deliver a record to topic={topic} partition={partition}");
        let failure = DeliveryFailure {
            topic: topic.to_owned(),
            partition,
            error: delivery_error(doing, reason.clone()),
            records: 1,
        };
        if FailureCause::of(&failure.error) == FailureCause::GivenUp {
            self.given_up.get_or_insert(failure);
        } else {
            self.own.push_back((reason.clone(), failure));
        }
    }

    fn take(&mut self) -> Option<DeliveryFailure> {
        let own = self.own.pop_front().map(|(_, failure)| failure);
        own.or_else(|| self.given_up.take())
    }

    fn is_empty(&self) -> bool {
        self.own.is_empty() && self.given_up.is_none()
    }
}

impl ClientContext for DeliveryContext {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        log_error(&error, reason);
    }
}

impl ProducerContext for DeliveryContext {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): Self::DeliveryOpaque) {
        let Err((error, message)) = result else {
            return;
        };
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        failures.add(message.topic(), message.partition(), error);
        self.any.store(true, Ordering::Release);
    }
}

/// Headers in the client's own form, made once for many records.
#[derive(Debug)]
pub struct SharedHeaders(NativeHeaders);

impl SharedHeaders {
    /// These headers, in order; a header without a value has Kafka's null.
    pub fn new<'a>(headers: impl ExactSizeIterator<Item = (&'a str, Option<&'a [u8]>)>) -> Self {
        Self(NativeHeaders::new(headers))
    }
}

/// A record whose partition the producer chooses: murmur2 of the key, as in the Java client.
#[derive(Debug, Clone, Copy)]
pub struct PreparedRecord<'a> {
    /// The topic.
    pub topic: &'a str,
    /// The key's bytes.
    pub key: Option<&'a [u8]>,
    /// The value's bytes.
    pub value: Option<&'a [u8]>,
    /// The timestamp, in milliseconds since the epoch; `None` for the time of sending.
    pub timestamp_ms: Option<i64>,
    /// The headers, if there are any.
    pub headers: Option<&'a SharedHeaders>,
}

/// A producer for one thread: idempotent, and transactional if it has a `transactional.id`.
pub struct TransactionalProducer {
    topics: ProducerTopics<DeliveryContext>,
    producer: Arc<BaseProducer<DeliveryContext>>,
    transactional_id: Option<String>,
}

/// How long one blocking call to the client may take, so that a caller can look at other things in
/// between.
const CALL_MAX: Duration = Duration::from_secs(5);
/// How long a sender waits for room in a full queue before it tries again.
const QUEUE_FULL_WAIT: Duration = Duration::from_millis(1);
/// How long one wait of a flush may take.
const FLUSH_CALL_MAX: Duration = Duration::from_millis(10);

/// How long a call waits before it is made again.
const RETRY_WAIT: Duration = Duration::from_millis(10);

/// A call that comes at the deadline may still find its answer waiting.
const CALL_MIN: Duration = Duration::from_millis(100);

impl TransactionalProducer {
    /// Makes a producer from librdkafka's settings.
    ///
    /// # Errors
    /// If a setting is refused.
    pub fn new(settings: &BTreeMap<String, String>) -> Result<Self> {
        let mut config: ClientConfig = client_config(settings);
        config.set("delivery.report.only.error", "true");
        let producer: BaseProducer<DeliveryContext> = config
            .create_with_context(DeliveryContext::default())
            .map_err(|error| broker_error("cannot create the producer", error))?;
        let producer = Arc::new(producer);
        let topics = ProducerTopics::of(Arc::clone(&producer));
        Ok(Self {
            topics,
            producer,
            transactional_id: settings.get("transactional.id").cloned(),
        })
    }

    /// Whether it has a `transactional.id`.
    pub fn is_transactional(&self) -> bool {
        self.transactional_id.is_some()
    }

    /// Takes the transactional id over: what an earlier owner left open is aborted, and the owner
    /// is fenced. Does nothing without a transactional id.
    ///
    /// # Errors
    /// If the coordinator does not answer within `timeout`: [`FailureCause::Unfinished`]. The call
    /// may then be made again to go on waiting, as may a commit and an abort.
    pub fn init_transactions(&self, timeout: Duration) -> Result<()> {
        let Some(id) = &self.transactional_id else {
            return Ok(());
        };
        let doing = || format!("cannot initialise transactions of transactional.id={id}");
        // librdkafka looks for the coordinator at once, and without a connection again only half a
        // second later.
        let deadline = Instant::now() + timeout;
        native::connect(&self.producer, timeout);
        let left = deadline.saturating_duration_since(Instant::now());
        self.retried(left, doing, |producer, wait| {
            producer.init_transactions(wait)
        })
    }

    /// Begins a transaction; nothing is sent yet.
    ///
    /// # Errors
    /// If one is open, or the producer has failed.
    pub fn begin_transaction(&self) -> Result<()> {
        self.producer
            .begin_transaction()
            .map_err(|error| broker_error("cannot begin a transaction", error))
    }

    /// Sends a record, waiting for room in the queue.
    ///
    /// # Errors
    /// If the record cannot be taken: too large, no such partition, or fenced.
    #[inline]
    pub fn send(&self, record: &OutgoingRecord<'_>) -> Result<()> {
        let outgoing = NativeOutgoing {
            topic: record.topic,
            partition: record.partition,
            key: record.key,
            value: record.value,
            // For librdkafka 0 is the time of sending.
            timestamp_ms: record.timestamp_ms.max(0),
        };
        let mut headers = native_headers(record.headers);
        while !self.offer(outgoing, &mut headers, QUEUE_FULL_WAIT)? {}
        Ok(())
    }

    /// Sends a record if there is room in the queue, and returns whether there was. If there was
    /// none, it waits up to `wait` for the broker to take something.
    ///
    /// # Errors
    /// As for [`Self::send`].
    #[inline]
    pub fn try_send(&self, record: &PreparedRecord<'_>, wait: Duration) -> Result<bool> {
        let outgoing = NativeOutgoing {
            topic: record.topic,
            partition: None,
            key: record.key,
            value: record.value,
            timestamp_ms: record.timestamp_ms.unwrap_or(0),
        };
        let mut headers = record.headers.map(|headers| headers.0.copy());
        self.offer(outgoing, &mut headers, wait)
    }

    /// Gives a record to the client; returns false if the queue was full, after a wait.
    #[inline]
    fn offer(
        &self,
        record: NativeOutgoing<'_>,
        headers: &mut Option<NativeHeaders>,
        wait: Duration,
    ) -> Result<bool> {
        let mut produced = self.topics.produce(record, headers);
        if produced == Err(RDKafkaErrorCode::QueueFull) {
            if self.producer.in_flight_count() > 0 {
                // Room tells nobody that it is there, and the binding's own wait runs in a circle
                // through its last millisecond.
                std::thread::sleep(wait);
                self.poll();
                return Ok(false);
            }
            // It has become empty meanwhile, or it is smaller than the record.
            produced = self.topics.produce(record, headers);
        }
        let code = match produced {
            Ok(()) => return Ok(true),
            Err(RDKafkaErrorCode::QueueFull) => RDKafkaErrorCode::MessageSizeTooLarge,
            Err(code) => code,
        };
        Err(self.send_error(&record, code))
    }

    fn send_error(&self, record: &NativeOutgoing<'_>, code: RDKafkaErrorCode) -> Error {
        let topic = record.topic;
        let size = record.key.map_or(0, <[u8]>::len) + record.value.map_or(0, <[u8]>::len);
        let place = record
            .partition
            .map_or(String::new(), |partition| format!(" partition={partition}"));
        let message = format!("cannot send a record of {size} bytes to topic={topic}{place}");
        let error = KafkaError::MessageProduction(code);
        // An earlier record has failed, and the transaction or the producer with it: this one is as
        // good as any. A producer that has failed answers with the code of what it failed of, which
        // looks like an answer to this record.
        let has_failed_before = code == RDKafkaErrorCode::State || self.has_failed();
        match has_failed_before || is_fencing_code(code) {
            true => broker_error(message, error),
            false => Error::with_source(ErrorKind::Production, message, error),
        }
    }

    fn has_failed(&self) -> bool {
        self.producer.client().fatal_error().is_some()
    }

    /// Serves what the client has to say, without waiting.
    pub fn poll(&self) {
        self.producer.poll(Duration::ZERO);
    }

    /// Waits until the broker has answered for every record.
    ///
    /// # Errors
    /// If it has not within `timeout`.
    pub fn flush(&self, timeout: Duration) -> Result<()> {
        if self.try_flush(timeout) {
            return Ok(());
        }
        let left = self.producer.in_flight_count();
        let message = format!("the broker has not answered for {left} records in time");
        Err(Error::new(ErrorKind::Broker, message))
    }

    /// Waits up to `timeout` until the broker has answered for every record, and returns whether it
    /// has.
    pub fn try_flush(&self, timeout: Duration) -> bool {
        let deadline = Instant::now() + timeout;
        // Records that fail stay in the queue until they are polled, so neither call alone ends.
        let mut is_done = native::flush(&self.producer, FLUSH_CALL_MAX);
        self.producer.poll(Duration::ZERO);
        while !is_done && Instant::now() < deadline {
            is_done = native::flush(&self.producer, FLUSH_CALL_MAX);
            self.producer.poll(Duration::ZERO);
        }
        is_done
    }

    /// Asks for the ends of partitions: where this producer alone writes to them and has flushed,
    /// behind its last records.
    pub fn ask_ends(&self, partitions: &[TopicPartition], timeout: Duration) -> EndOffsets {
        EndOffsets::ask(self.producer.client(), partitions, OffsetEnd::Last, timeout)
    }

    /// What has made the producer useless for good, if something has. Other errors often tell no
    /// more than that.
    pub fn fatal_error(&self) -> Option<Error> {
        let (code, reason) = self.producer.client().fatal_error()?;
        Some(broker_error(reason, KafkaError::Global(code)))
    }

    /// Fails for good, but not because it is fenced.
    #[cfg(test)]
    pub(crate) fn raise_fatal_error(&self) {
        let code = rdkafka::types::RDKafkaRespErr::RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER;
        native::raise_fatal_error(&self.producer, code);
    }

    /// The oldest failure of a delivery that has not been taken yet; last comes one of the records
    /// that were given up because of others, if there are any: [`FailureCause::GivenUp`].
    pub fn take_failure(&self) -> Option<DeliveryFailure> {
        let context = self.producer.client().context();
        if !context.any.load(Ordering::Acquire) {
            return None;
        }
        let mut failures = context
            .failures
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let failure = failures.take();
        context.any.store(!failures.is_empty(), Ordering::Release);
        failure
    }

    /// Makes a group's offsets part of the transaction.
    ///
    /// # Errors
    /// If the group has gone on without the consumer, or the coordinator does not answer within
    /// `timeout`.
    pub fn send_offsets(
        &self,
        offsets: &[(TopicPartition, i64, String)],
        consumer: &GroupConsumer,
        timeout: Duration,
    ) -> Result<()> {
        let list = offset_list(offsets)?;
        // A broker takes the offsets of who names no member.
        let metadata = match consumer.assignment_lost() {
            true => None,
            false => consumer.group_metadata(),
        };
        let metadata = metadata.ok_or_else(|| {
            Error::new(
                ErrorKind::Fenced,
                "the consumer is not a member of its group",
            )
        })?;
        let doing = || "cannot send offsets to the transaction".to_owned();
        self.retried(timeout, doing, |producer, wait| {
            producer.send_offsets_to_transaction(&list, &metadata, wait)
        })
    }

    /// Commits the transaction. Everything sent must have been flushed.
    ///
    /// # Errors
    /// If the producer is fenced, the transaction must be aborted, or the coordinator does not
    /// answer within `timeout`.
    pub fn commit_transaction(&self, timeout: Duration) -> Result<()> {
        let doing = || "cannot commit the transaction".to_owned();
        self.retried(timeout, doing, |producer, wait| {
            producer.commit_transaction(wait)
        })
    }

    /// Aborts the transaction: what was sent in it is never seen by `read_committed` consumers.
    ///
    /// # Errors
    /// If the producer is fenced, or the coordinator does not answer within `timeout`.
    pub fn abort_transaction(&self, timeout: Duration) -> Result<()> {
        let doing = || "cannot abort the transaction".to_owned();
        self.retried(timeout, doing, |producer, wait| {
            producer.abort_transaction(wait)
        })
    }

    /// The number of partitions of a topic.
    ///
    /// # Errors
    /// If the topic does not exist or no broker answers.
    pub fn partition_count(&self, topic: &str) -> Result<i32> {
        let count = partition_count(self.producer.client(), topic, CALL_MAX)?;
        count.ok_or_else(|| {
            let message = format!("cannot read the partitions of topic={topic}: it does not exist");
            Error::new(ErrorKind::Production, message)
        })
    }

    fn retried(
        &self,
        timeout: Duration,
        doing: impl Fn() -> String,
        call: impl Fn(&BaseProducer<DeliveryContext>, Duration) -> Result<(), KafkaError>,
    ) -> Result<()> {
        let deadline = Instant::now() + timeout;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match call(&self.producer, left.clamp(CALL_MIN, CALL_MAX)) {
                Ok(()) => return Ok(()),
                Err(KafkaError::Transaction(error))
                    if error.is_retriable() && Instant::now() < deadline =>
                {
                    // It comes at once while another call is unfinished.
                    std::thread::sleep(RETRY_WAIT);
                }
                Err(error) => return Err(broker_error(doing(), error)),
            }
        }
    }
}

fn native_headers(headers: &Headers) -> Option<NativeHeaders> {
    if headers.is_empty() {
        return None;
    }
    let headers = headers.iter();
    let pairs = headers.map(|header| (&*header.key, header.value.as_deref()));
    Some(NativeHeaders::new(pairs))
}

#[cfg(test)]
#[path = "producer_test.rs"]
mod tests;
