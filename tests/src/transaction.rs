//! A transaction that a test holds open, commits or aborts.

use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

use crate::error::{Error, OrFail};
use crate::message::Record;

/// How long one step of the transaction protocol may take.
const STEP_LIMIT: Duration = Duration::from_secs(30);

/// A transaction of a producer of its own. Dropped without an end, it stays open until the broker
/// aborts it after its time-out or another producer of the same id fences it.
pub struct OpenTransaction {
    producer: BaseProducer,
    transactional_id: String,
}

impl OpenTransaction {
    pub(crate) fn begin(
        bootstrap: &str,
        transactional_id: &str,
        timeout: Duration,
    ) -> Result<Self, Error> {
        let fail =
            |error| Error::kafka(format!("begin a transaction as {transactional_id}"), error);
        let producer: BaseProducer = ClientConfig::new()
            .set("bootstrap.servers", bootstrap)
            .set("transactional.id", transactional_id)
            .set("transaction.timeout.ms", timeout.as_millis().to_string())
            .set("partitioner", "murmur2_random")
            .create()
            .map_err(fail)?;
        producer.init_transactions(STEP_LIMIT).map_err(fail)?;
        producer.begin_transaction().map_err(fail)?;
        Ok(Self {
            producer,
            transactional_id: transactional_id.to_owned(),
        })
    }

    /// Sends records and waits until the broker has them, uncommitted.
    ///
    /// # Panics
    ///
    /// When the broker refuses one, or has not taken them within 30 s.
    #[track_caller]
    pub fn produce<R: Into<Record>>(&self, topic: &str, records: impl IntoIterator<Item = R>) {
        let action = || format!("send to topic={topic} as {}", self.transactional_id);
        for record in records {
            let record = record.into();
            let sent = self.producer.send(record.to_base_record(topic));
            sent.map_err(|(error, _)| Error::kafka(action(), error))
                .or_fail();
        }
        self.producer
            .flush(STEP_LIMIT)
            .map_err(|error| Error::kafka(action(), error))
            .or_fail();
    }

    /// Commits.
    ///
    /// # Panics
    ///
    /// When the broker refuses, for instance because the producer was fenced.
    #[track_caller]
    pub fn commit(self) {
        let done = self.producer.commit_transaction(STEP_LIMIT);
        done.map_err(|error| Error::kafka(format!("commit {}", self.transactional_id), error))
            .or_fail();
    }

    /// Aborts.
    ///
    /// # Panics
    ///
    /// When the broker refuses.
    #[track_caller]
    pub fn abort(self) {
        let done = self.producer.abort_transaction(STEP_LIMIT);
        done.map_err(|error| Error::kafka(format!("abort {}", self.transactional_id), error))
            .or_fail();
    }
}

impl Record {
    pub(crate) fn to_base_record<'a>(&'a self, topic: &'a str) -> BaseRecord<'a, [u8], [u8]> {
        use rdkafka::message::{Header, OwnedHeaders};
        let mut record = BaseRecord::<[u8], [u8]>::to(topic);
        record.partition = self.partition;
        record.key = self.key.as_deref();
        record.payload = self.value.as_deref();
        record.timestamp = self.timestamp_ms;
        if !self.headers.is_empty() {
            let headers = self
                .headers
                .iter()
                .fold(OwnedHeaders::new(), |headers, (key, value)| {
                    headers.insert(Header {
                        key,
                        value: value.as_ref(),
                    })
                });
            record.headers = Some(headers);
        }
        record
    }
}
