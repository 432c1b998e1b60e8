//! What is done to each record, with a hash map where the others have a store.

use std::collections::HashMap;

use rdkafka::Message as _;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::message::BorrowedMessage;
use rdkafka::producer::BaseRecord;
use streams_core::StreamsConfig;

use super::Arguments;
use super::client::{Transactions, config, read_to_end};
use crate::{Result, Workload};

const PARTITIONS: i32 = 4;
const WINDOW_MS: i64 = 60_000;

type Bytes = Vec<u8>;

/// A workload with its state.
pub(super) struct Work {
    output: String,
    rejected: String,
    changelog: String,
    state: State,
}

enum State {
    /// Records are copied as they are.
    None,
    /// Counts by key.
    Counts(HashMap<Bytes, i64>),
    /// Counts by key and window, the key as the changelog has it.
    Windows(HashMap<Bytes, i64>),
    /// The table's values by key.
    Table(HashMap<Bytes, Bytes>),
}

impl Work {
    pub(super) fn new(arguments: &Arguments, settings: &StreamsConfig) -> Result<Self> {
        let changelog = format!("{}-counts-changelog", arguments.application_id);
        let state = match arguments.workload {
            Workload::Stateless => State::None,
            Workload::Count | Workload::Restore => {
                create(settings, &changelog)?;
                let mut counts = HashMap::new();
                read_to_end(settings, &changelog, PARTITIONS, |key, value| {
                    let count = value.try_into().map_or(0, i64::from_be_bytes);
                    counts.insert(key.to_vec(), count);
                })?;
                State::Counts(counts)
            }
            Workload::Windowed => {
                create(settings, &changelog)?;
                State::Windows(HashMap::new())
            }
            Workload::Join => {
                let mut table = HashMap::new();
                let topic = format!("{}-table", arguments.input);
                read_to_end(settings, &topic, PARTITIONS, |key, value| {
                    table.insert(key.to_vec(), value.to_vec());
                })?;
                State::Table(table)
            }
            other => return Err(format!("there is no limit of workload={}", other.name()).into()),
        };
        Ok(Self {
            output: arguments.output.clone(),
            rejected: format!("{}-dlq", arguments.output),
            changelog,
            state,
        })
    }

    /// Sends what a record becomes.
    pub(super) fn apply(
        &mut self,
        record: &BorrowedMessage<'_>,
        transactions: &Transactions,
    ) -> Result<()> {
        let key = record.key().unwrap_or_default();
        let value = record.payload().unwrap_or_default();
        let timestamp_ms = record.timestamp().to_millis().unwrap_or(0);
        let send = |topic: &str, key: &[u8], value: &[u8]| {
            let record = BaseRecord::to(topic).key(key).payload(value);
            transactions.send(record.timestamp(timestamp_ms))
        };
        match &mut self.state {
            State::None => match Tags::of(value) {
                Some(tags) => send(&self.output, key, &tags.add_to(value)),
                None => send(&self.rejected, key, value),
            },
            State::Counts(counts) => {
                let count = increase(counts, key);
                send(&self.changelog, key, &count.to_be_bytes())?;
                send(&self.output, key, count.to_string().as_bytes())
            }
            State::Windows(counts) => {
                let start = timestamp_ms / WINDOW_MS * WINDOW_MS;
                // The window's start and a sequence number follow the key.
                let stored = [key, &start.to_be_bytes(), &[0; 4]].concat();
                let count = increase(counts, &stored);
                send(&self.changelog, &stored, &count.to_be_bytes())?;
                let windowed = [key, b"@", start.to_string().as_bytes()].concat();
                send(&self.output, &windowed, count.to_string().as_bytes())
            }
            State::Table(table) => {
                let profile = table.get(key).map_or(&b"null"[..], Bytes::as_slice);
                let open = value.strip_suffix(b"}").unwrap_or(value);
                send(
                    &self.output,
                    key,
                    &[open, b",\"profile\":", profile, b"}"].concat(),
                )
            }
        }
    }
}

/// What the workload `stateless` adds.
struct Tags {
    event: &'static str,
    kind: &'static str,
}

impl Tags {
    /// By the operation, which comes first where there is one.
    fn of(value: &[u8]) -> Option<Self> {
        let (event, kind) = match value.strip_prefix(b"{\"op\":\"")?.first()? {
            b'c' => ("created", "create"),
            b'u' => ("updated", "update"),
            _ => ("deleted", "delete"),
        };
        Some(Self { event, kind })
    }

    fn add_to(&self, value: &[u8]) -> Bytes {
        let Self { event, kind } = self;
        let open = value.strip_suffix(b"}").unwrap_or(value);
        let fields = format!(
            ",\"event_type\":\"{event}\",\"processed_at\":1700000000000,\"kind\":\"{kind}\"}}"
        );
        [open, fields.as_bytes()].concat()
    }
}

fn increase(counts: &mut HashMap<Bytes, i64>, key: &[u8]) -> i64 {
    if let Some(count) = counts.get_mut(key) {
        *count += 1;
        return *count;
    }
    counts.insert(key.to_vec(), 1);
    1
}

/// Makes a changelog unless it is there.
fn create(settings: &StreamsConfig, topic: &str) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let client: AdminClient<DefaultClientContext> =
        config(&settings.admin_config("limit")).create()?;
    let new = NewTopic::new(topic, PARTITIONS, TopicReplication::Fixed(1));
    let new = new.set("cleanup.policy", "compact");
    let made = runtime.block_on(client.create_topics([&new], &AdminOptions::new()))?;
    match made.into_iter().next() {
        Some(Err((_, code))) if code != RDKafkaErrorCode::TopicAlreadyExists => {
            Err(format!("cannot create topic={topic}: {code}").into())
        }
        _ => Ok(()),
    }
}
