//! The sink that is a transactional Kafka producer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use streams_core::broker::{FailureCause, PreparedRecord, SharedHeaders, TransactionalProducer};

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
/// The same while the client has no room for a record.
const ROOM_SLICE: Duration = Duration::from_millis(5);

/// Writes transactions to Kafka.
pub struct KafkaSink {
    producer: TransactionalProducer,
    topics: TopicSetup,
    transactional_id: String,
    offset_topic: String,
    offset_key: Vec<u8>,
    is_open: bool,
    headers: Option<(Arc<[Header]>, SharedHeaders)>,
    shutdown: Shutdown,
}

impl KafkaSink {
    /// Makes the producer and fences whoever used the transactional id before: once this returns,
    /// a predecessor's open transaction is aborted and its offset is final.
    ///
    /// # Errors
    /// When the broker refuses the producer or does not answer.
    pub fn open(settings: &KafkaSettings, phase: Phase, shutdown: Shutdown) -> Result<Self> {
        let sink = Self {
            producer: TransactionalProducer::new(&settings.producer(phase))?,
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
        call: impl Fn() -> streams_core::Result<()>,
    ) -> Result<()> {
        let start = Instant::now();
        loop {
            let error = match call() {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            if FailureCause::of(&error) != FailureCause::Unfinished {
                return Err(self.failed(error));
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

    fn failed(&self, error: streams_core::Error) -> Error {
        // The first error is often just "the producer is in an error state"; the cause is kept.
        let fatal = self.producer.fatal_error();
        let is_fenced = [Some(&error), fatal.as_ref()]
            .into_iter()
            .flatten()
            .any(|error| FailureCause::of(error) == FailureCause::Fenced);
        if is_fenced {
            return Error::Fenced {
                transactional_id: self.transactional_id.clone(),
            };
        }
        Error::Kafka(error)
    }

    fn begin(&mut self) -> Result<()> {
        if !self.is_open {
            let begun = self.producer.begin_transaction();
            begun.map_err(|error| self.failed(error))?;
            self.is_open = true;
        }
        Ok(())
    }

    /// Hands a record to the client, waiting while its queue is full.
    fn send(&self, record: &PreparedRecord<'_>) -> Result<()> {
        let start = Instant::now();
        let try_send = || self.producer.try_send(record, ROOM_SLICE);
        while !try_send().map_err(|error| self.refused(record, error))? {
            let doing = format!("writing to topic {}", record.topic);
            self.check_time(&doing, start, COMMIT_TIMEOUT)?;
        }
        Ok(())
    }

    fn refused(&self, record: &PreparedRecord<'_>, error: streams_core::Error) -> Error {
        if FailureCause::of(&error) != FailureCause::RecordTooLarge {
            return self.failed(error);
        }
        let bytes = record.value.map_or(0, <[u8]>::len);
        Error::Setting {
            setting: "producer.override.message.max.bytes",
            problem: format!(
                "a record of {bytes} bytes for topic {} is larger than the producer sends; raise \
                 it together with the topic's max.message.bytes",
                record.topic
            ),
        }
    }

    /// The records of a table share their headers: they are made once and copied by the client.
    fn prepare(&mut self, headers: &Arc<[Header]>) {
        let is_prepared = self
            .headers
            .as_ref()
            .is_some_and(|(known, _)| Arc::ptr_eq(known, headers));
        if !is_prepared {
            let pairs = headers.iter();
            let pairs = pairs.map(|header| (&*header.key, header.value.as_deref()));
            self.headers = Some((headers.clone(), SharedHeaders::new(pairs)));
        }
    }
}

/// A transaction that is left open would hold back every `read_committed` reader until the broker
/// gives it up.
impl Drop for KafkaSink {
    fn drop(&mut self) {
        if !self.is_open || self.producer.fatal_error().is_some() {
            return;
        }
        let aborted = self.repeat("aborting a transaction", ABORT_TIMEOUT, || {
            self.producer.poll();
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
        if !record.headers.is_empty() {
            self.prepare(&record.headers);
        }
        let headers = self.headers.as_ref().map(|(_, prepared)| prepared);
        self.send(&PreparedRecord {
            topic: &record.topic,
            key: record.key.as_deref(),
            value: record.value.as_deref(),
            timestamp_ms: record.timestamp_ms,
            headers: headers.filter(|_| !record.headers.is_empty()),
        })
    }

    fn commit(&mut self, offset: &[u8]) -> Result<()> {
        self.begin()?;
        self.send(&PreparedRecord {
            topic: &self.offset_topic,
            key: Some(&self.offset_key),
            value: Some(offset),
            timestamp_ms: None,
            headers: None,
        })?;
        let doing = "delivering a transaction's records";
        let start = Instant::now();
        while !self.producer.try_flush(SLICE) {
            self.check_time(doing, start, COMMIT_TIMEOUT)?;
        }
        self.repeat("committing a transaction", COMMIT_TIMEOUT, || {
            self.producer.commit_transaction(SLICE)
        })?;
        self.is_open = false;
        Ok(())
    }

    fn poll(&mut self) {
        self.producer.poll();
    }
}
