//! The sink that is a transactional Kafka producer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::error::KafkaError;
use rdkafka::message::{Header as KafkaHeader, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::types::RDKafkaErrorCode;

use super::topic_setup::TopicSetup;
use super::{KafkaSettings, Phase, STOP_TIMEOUT, Sink};
use crate::envelope::{Header, OutgoingRecord};
use crate::offset::offset_key;
use crate::shutdown::Shutdown;
use crate::{Error, Result};

/// How long to wait for the broker to fence a predecessor and to hand out a producer id.
const INIT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long to wait for a commit before the work is given up and done again from the last offset.
const COMMIT_TIMEOUT: Duration = Duration::from_secs(120);
/// How long a transaction that is given up may take to be aborted.
const ABORT_TIMEOUT: Duration = Duration::from_millis(500);
/// How long one call into the client may block, so that a stop is noticed in time.
const SLICE: Duration = Duration::from_millis(250);

/// Writes transactions to Kafka.
pub struct KafkaSink {
    producer: BaseProducer,
    topics: TopicSetup,
    transactional_id: String,
    offset_topic: String,
    offset_key: Vec<u8>,
    is_open: bool,
    headers: Option<(Arc<[Header]>, OwnedHeaders)>,
    shutdown: Shutdown,
}

impl KafkaSink {
    /// Makes the producer and fences whoever used the transactional id before: once this returns,
    /// a predecessor's open transaction is aborted and its offset is final.
    ///
    /// # Errors
    /// When the broker refuses the producer or does not answer.
    pub fn open(settings: &KafkaSettings, phase: Phase, shutdown: Shutdown) -> Result<Self> {
        let producer: BaseProducer =
            settings
                .producer(phase)
                .create()
                .map_err(|source| Error::Kafka {
                    doing: "making the Kafka producer".into(),
                    source,
                })?;
        let sink = Self {
            producer,
            topics: TopicSetup::new(settings, shutdown.clone())?,
            transactional_id: settings.transactional_id(),
            offset_topic: settings.offset_topic.clone(),
            offset_key: offset_key(&settings.connector, &settings.topic_prefix),
            is_open: false,
            headers: None,
            shutdown,
        };
        let doing = format!(
            "registering the producer with {}",
            settings.bootstrap_servers
        );
        sink.repeat(&doing, INIT_TIMEOUT, || {
            sink.producer.init_transactions(SLICE)
        })?;
        Ok(sink)
    }

    /// Repeats a call that the client lets resume after a time-out.
    fn repeat(
        &self,
        doing: &str,
        timeout: Duration,
        call: impl Fn() -> Result<(), KafkaError>,
    ) -> Result<()> {
        let start = Instant::now();
        loop {
            let error = match call() {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            let may_resume = match &error {
                KafkaError::Transaction(error) => error.is_retriable(),
                KafkaError::Flush(_) => true,
                _ => false,
            };
            if !may_resume {
                return Err(self.failed(doing, error));
            }
            self.check_time(doing, start, timeout)?;
        }
    }

    fn check_time(&self, doing: &str, start: Instant, timeout: Duration) -> Result<()> {
        let elapsed = start.elapsed();
        if self.shutdown.is_requested() && elapsed > STOP_TIMEOUT {
            return Err(Error::Stopped {
                doing: doing.to_owned(),
            });
        }
        if elapsed > timeout {
            let timeout_ms = timeout.as_millis() as u64;
            return Err(Error::KafkaTimeout {
                doing: doing.to_owned(),
                timeout_ms,
            });
        }
        Ok(())
    }

    fn failed(&self, doing: &str, source: KafkaError) -> Error {
        let code = match &source {
            KafkaError::Transaction(error) => Some(error.code()),
            error => error.rdkafka_error_code(),
        };
        let fenced = [RDKafkaErrorCode::Fenced, RDKafkaErrorCode::ProducerFenced];
        // The first error is often just "the producer is in an error state"; the cause is kept.
        let is_fenced = code.is_some_and(|code| fenced.contains(&code))
            || self
                .producer
                .client()
                .fatal_error()
                .is_some_and(|(code, _)| fenced.contains(&code));
        if is_fenced {
            return Error::Fenced {
                transactional_id: self.transactional_id.clone(),
            };
        }
        Error::Kafka {
            doing: doing.to_owned(),
            source,
        }
    }

    fn begin(&mut self) -> Result<()> {
        if !self.is_open {
            self.producer
                .begin_transaction()
                .map_err(|error| self.failed("beginning a transaction", error))?;
            self.is_open = true;
        }
        Ok(())
    }

    /// Hands a record to the client, waiting while its queue is full.
    fn send(&self, mut record: BaseRecord<'_, [u8], [u8]>) -> Result<()> {
        let start = Instant::now();
        loop {
            let (error, returned) = match self.producer.send(record) {
                Ok(()) => return Ok(()),
                Err(refused) => refused,
            };
            let doing = || format!("writing to topic {}", returned.topic);
            match error.rdkafka_error_code() {
                Some(RDKafkaErrorCode::QueueFull) => {
                    self.producer.poll(Duration::from_millis(5));
                    self.check_time(&doing(), start, COMMIT_TIMEOUT)?;
                }
                Some(RDKafkaErrorCode::MessageSizeTooLarge) => {
                    let bytes = returned.payload.map_or(0, <[u8]>::len);
                    return Err(Error::Setting {
                        setting: "producer.override.message.max.bytes",
                        problem: format!(
                            "a record of {bytes} bytes for topic {} is larger than the producer \
                             sends; raise it together with the topic's max.message.bytes",
                            returned.topic
                        ),
                    });
                }
                _ => return Err(self.failed(&doing(), error)),
            }
            record = returned;
        }
    }

    /// The records of a table share their headers: they are built once and copied by the client.
    fn headers(&mut self, headers: &Arc<[Header]>) -> Option<OwnedHeaders> {
        if headers.is_empty() {
            return None;
        }
        if let Some((known, built)) = &self.headers
            && Arc::ptr_eq(known, headers)
        {
            return Some(built.clone());
        }
        let mut built = OwnedHeaders::new_with_capacity(headers.len());
        for header in headers.iter() {
            built = built.insert(KafkaHeader {
                key: &header.key,
                value: header.value.as_deref(),
            });
        }
        self.headers = Some((headers.clone(), built.clone()));
        Some(built)
    }
}

/// A transaction that is left open would hold back every `read_committed` reader until the broker
/// gives it up.
impl Drop for KafkaSink {
    fn drop(&mut self) {
        if !self.is_open || self.producer.client().fatal_error().is_some() {
            return;
        }
        let aborted = self.repeat("aborting a transaction", ABORT_TIMEOUT, || {
            self.producer.poll(Duration::ZERO);
            self.producer.abort_transaction(Duration::from_millis(100))
        });
        if let Err(error) = aborted {
            tracing::debug!(%error, "a transaction was left to the broker to abort");
        }
    }
}

impl Sink for KafkaSink {
    fn write(&mut self, record: &OutgoingRecord) -> Result<()> {
        self.begin()?;
        self.topics.ensure(&record.topic)?;
        let headers = self.headers(&record.headers);
        let mut outgoing = BaseRecord::<[u8], [u8]>::to(&record.topic);
        outgoing.key = record.key.as_deref();
        outgoing.payload = record.value.as_deref();
        outgoing.headers = headers;
        outgoing.timestamp = record.timestamp_ms;
        self.send(outgoing)
    }

    fn commit(&mut self, offset: &[u8]) -> Result<()> {
        self.begin()?;
        let record = BaseRecord::to(&self.offset_topic)
            .key(&self.offset_key[..])
            .payload(offset);
        self.send(record)?;
        let doing = "delivering a transaction's records";
        let start = Instant::now();
        // The client's own flush waits in steps of 100 ms while anything is in flight.
        while self.producer.in_flight_count() > 0 {
            self.producer.poll(Duration::from_millis(1));
            self.check_time(doing, start, COMMIT_TIMEOUT)?;
        }
        self.repeat("committing a transaction", COMMIT_TIMEOUT, || {
            self.producer.commit_transaction(SLICE)
        })?;
        self.is_open = false;
        Ok(())
    }

    fn poll(&mut self) {
        self.producer.poll(Duration::ZERO);
    }
}
