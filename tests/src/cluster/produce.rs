//! Records in.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, DeliveryResult, Producer, ProducerContext};
use rdkafka::{ClientConfig, ClientContext};

use super::{Cluster, POLL_LIMIT, REQUEST_LIMIT};
use crate::error::{Error, OrFail};
use crate::message::Record;
use crate::transaction::OpenTransaction;

/// How long it takes to notice that the broker has answered, at most.
const ANSWER_POLL: Duration = Duration::from_millis(2);

impl Cluster {
    /// Sends records (or `(key, value)` pairs) in their order and waits until all are stored.
    #[track_caller]
    pub fn produce<R: Into<Record>>(&self, topic: &str, records: impl IntoIterator<Item = R>) {
        self.try_produce(topic, records).or_fail();
    }

    /// As [`Cluster::produce`].
    ///
    /// # Errors
    ///
    /// When a record could not be stored.
    pub fn try_produce<R: Into<Record>>(
        &self,
        topic: &str,
        records: impl IntoIterator<Item = R>,
    ) -> Result<(), Error> {
        let fail = |error| Error::kafka(format!("send to topic={topic}"), error);
        let producer = match self.producer.take() {
            Some(producer) => producer,
            None => self.make_producer().map_err(fail)?,
        };
        for record in records {
            let record = record.into();
            let mut base = record.to_base_record(topic);
            loop {
                match producer.send(base) {
                    Ok(()) => break,
                    Err((error, back))
                        if error.rdkafka_error_code() == Some(RDKafkaErrorCode::QueueFull) =>
                    {
                        producer.poll(POLL_LIMIT);
                        base = back;
                    }
                    Err((error, _)) => return Err(fail(error)),
                }
            }
        }
        await_answers(&producer).map_err(fail)?;
        match producer.context().first_failure() {
            Some(error) => Err(fail(error)),
            None => {
                self.producer.keep(producer);
                Ok(())
            }
        }
    }

    fn make_producer(&self) -> Result<BaseProducer<Deliveries>, KafkaError> {
        ClientConfig::new()
            .set("bootstrap.servers", &self.bootstrap)
            .set("enable.idempotence", "true")
            .set("partitioner", "murmur2_random")
            .set("message.max.bytes", "10000000")
            .set("linger.ms", "1")
            .set("reconnect.backoff.max.ms", "500")
            .create_with_context(Deliveries::default())
    }

    /// Begins a transaction that the test ends (or leaves open) itself.
    ///
    /// The broker aborts it after `timeout`.
    #[track_caller]
    pub fn begin_transaction(&self, transactional_id: &str, timeout: Duration) -> OpenTransaction {
        OpenTransaction::begin(&self.bootstrap, transactional_id, timeout).or_fail()
    }
}

/// Waits until the broker has answered for all records. The client's own flush looks for answers
/// ten times a second only.
fn await_answers(producer: &BaseProducer<Deliveries>) -> Result<(), KafkaError> {
    let begun = Instant::now();
    while producer.in_flight_count() > 0 {
        if begun.elapsed() > REQUEST_LIMIT {
            return Err(KafkaError::Flush(RDKafkaErrorCode::OperationTimedOut));
        }
        producer.poll(ANSWER_POLL);
    }
    Ok(())
}

/// The producer of the latest records, for the next ones: a new one needs half a second before it
/// may send. One that has failed is not kept.
#[derive(Clone, Default)]
pub(super) struct KeptProducer(Arc<Mutex<Option<BaseProducer<Deliveries>>>>);

impl KeptProducer {
    fn lock(&self) -> MutexGuard<'_, Option<BaseProducer<Deliveries>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Option<BaseProducer<Deliveries>> {
        self.lock().take()
    }

    fn keep(&self, producer: BaseProducer<Deliveries>) {
        *self.lock() = Some(producer);
    }
}

impl fmt::Debug for KeptProducer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("KeptProducer")
    }
}

/// Remembers the first record that could not be stored.
#[derive(Default)]
struct Deliveries {
    failure: Mutex<Option<KafkaError>>,
}

impl Deliveries {
    fn first_failure(&self) -> Option<KafkaError> {
        self.failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl ClientContext for Deliveries {}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): Self::DeliveryOpaque) {
        if let Err((error, _)) = result {
            let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
            failure.get_or_insert_with(|| error.clone());
        }
    }
}
