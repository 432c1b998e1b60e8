//! Reads all topics as they grow, as any `read_committed` consumer would.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Headers, Message};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use streams_tests::Error;

use crate::event::Event;
use crate::latency::{Latencies, Quantiles};
use crate::topic::{self, ANALYTICS, EVENTS_REJECTED, PARTITIONS, TABLES, USERS, USERS_REJECTED};

/// How long one poll may block, and so how long the end may take.
const POLL_LIMIT: Duration = Duration::from_millis(100);
/// The header in which a dead letter carries its reason (KIP-1034).
const REASON_HEADER: &str = "__streams.errors.message";

/// A consumer of all topics, in a thread of its own. Dropping it ends that thread.
#[derive(Debug)]
pub(crate) struct Observer {
    seen: Arc<Mutex<Seen>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Seen {
    events: BTreeMap<String, u64>,
    latencies: Latencies,
    reason: Option<String>,
}

/// What was seen up to now.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sight {
    events: BTreeMap<String, u64>,
    /// From the commit in Postgres to the arrival here out of `user-analytics`: the last 10 s.
    pub(crate) recent: Option<Quantiles>,
    /// The same of the whole run.
    pub(crate) overall: Option<Quantiles>,
    /// Why the latest dead letter is one.
    pub(crate) reason: Option<String>,
}

impl Observer {
    /// Starts to read from the beginning of all topics.
    pub(crate) fn start(bootstrap_servers: &str) -> Result<Self, Error> {
        let consumer = consumer(bootstrap_servers).map_err(|error| Error::Kafka {
            action: String::from("read all topics"),
            message: error.to_string(),
        })?;
        let (seen, stop) = (Arc::<Mutex<Seen>>::default(), Arc::<AtomicBool>::default());
        let thread = {
            let (seen, stop) = (Arc::clone(&seen), Arc::clone(&stop));
            thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    // A broker that does not answer is asked again.
                    if let Some(Ok(message)) = consumer.poll(POLL_LIMIT) {
                        lock(&seen).add(&message);
                    }
                }
            })
        };
        Ok(Self {
            seen,
            stop,
            thread: Some(thread),
        })
    }

    /// What was seen up to now.
    pub(crate) fn sight(&self) -> Sight {
        let mut seen = lock(&self.seen);
        Sight {
            events: seen.events.clone(),
            recent: seen.latencies.recent(),
            overall: seen.latencies.overall(),
            reason: seen.reason.clone(),
        }
    }
}

impl Drop for Observer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // Its panic has been printed; there is nothing else to tell.
            let _ = thread.join();
        }
    }
}

impl Sight {
    /// How many records a topic has.
    pub(crate) fn events(&self, topic: &str) -> u64 {
        self.events.get(topic).copied().unwrap_or(0)
    }

    /// How many records the tables' topics have.
    pub(crate) fn inputs(&self) -> u64 {
        TABLES.iter().map(|table| self.events(table)).sum()
    }

    /// How many records `processors events` has written.
    pub(crate) fn processed(&self) -> u64 {
        let processed: u64 = TABLES
            .iter()
            .map(|table| self.events(&topic::processed(table)))
            .sum();
        processed + self.events(EVENTS_REJECTED)
    }

    /// How many records `processors users` has yet to bring out, as one who reads its output sees.
    pub(crate) fn users_lag(&self) -> u64 {
        let written = self.events(ANALYTICS) + self.events(USERS_REJECTED);
        self.events(USERS).saturating_sub(written)
    }

    /// How many records `processors events` has yet to bring out.
    pub(crate) fn events_lag(&self) -> u64 {
        self.inputs().saturating_sub(self.processed())
    }
}

impl Seen {
    fn add(&mut self, message: &BorrowedMessage<'_>) {
        let topic = message.topic();
        match self.events.get_mut(topic) {
            Some(count) => *count += 1,
            None => drop(self.events.insert(topic.to_owned(), 1)),
        }
        if topic == ANALYTICS {
            self.add_latency(message.payload());
        } else if [USERS_REJECTED, EVENTS_REJECTED].contains(&topic) {
            self.reason = reason(message).or(self.reason.take());
        }
    }

    fn add_latency(&mut self, value: Option<&[u8]>) {
        if let Event::Change(change) = Event::read(value)
            && let Some(committed_ms) = change.committed_ms()
        {
            let now_ms = SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap_or_default();
            let latency_ms = (now_ms.as_millis() as i64).saturating_sub(committed_ms);
            self.latencies.add(latency_ms.max(0) as u64);
        }
    }
}

fn reason(message: &BorrowedMessage<'_>) -> Option<String> {
    let mut headers = message.headers()?.iter();
    let reason = headers.find(|header| header.key == REASON_HEADER)?.value?;
    Some(format!(
        "{}: {}",
        message.topic(),
        String::from_utf8_lossy(reason)
    ))
}

fn consumer(bootstrap_servers: &str) -> Result<BaseConsumer, KafkaError> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", bootstrap_servers)
        .set("group.id", "observer")
        .set("enable.auto.commit", "false")
        .set("isolation.level", "read_committed")
        .set("fetch.wait.max.ms", "50")
        .create()?;
    let mut partitions = TopicPartitionList::new();
    for topic in topic::all() {
        partitions.add_partition_range(&topic, 0, PARTITIONS - 1);
    }
    partitions.set_all_offsets(Offset::Beginning)?;
    consumer.assign(&partitions)?;
    Ok(consumer)
}

fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}
