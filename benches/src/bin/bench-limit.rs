//! The limit: librdkafka alone, consuming and producing the same bytes with the same transactions,
//! and doing nothing else.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use streams_core::Headers;
use streams_core::broker::{
    Assignment, ConsumerEvent, GroupConsumer, StartAt, TransactionalProducer,
};
use streams_core::observability::ShutdownSignal;
use streams_core::record::OutgoingRecord;
use streams_core::{Result, StreamsConfig, TopicPartition};

/// Copies a topic until SIGTERM.
#[derive(Parser)]
struct Arguments {
    #[arg(long)]
    bootstrap: String,
    #[arg(long)]
    application_id: String,
    #[arg(long)]
    workload: String,
    #[arg(long)]
    input: String,
    #[arg(long)]
    output: String,
    #[arg(long)]
    state_dir: Option<String>,
    #[arg(long, default_value_t = 100)]
    commit_ms: u64,
}

const WAIT: Duration = Duration::from_secs(30);

fn run(arguments: &Arguments) -> Result<()> {
    let shutdown = ShutdownSignal::install()?;
    let config = StreamsConfig::from_map([
        ("application.id", arguments.application_id.as_str()),
        ("bootstrap.servers", arguments.bootstrap.as_str()),
        ("processing.guarantee", "exactly_once_v2"),
    ])?;
    let producer = TransactionalProducer::new(&config.producer_config("limit", 1))?;
    producer.init_transactions(WAIT)?;
    let consumer = GroupConsumer::new(&config.consumer_config("limit", 1))?;
    consumer.subscribe(&[&arguments.input])?;
    let mut offsets: BTreeMap<i32, i64> = BTreeMap::new();
    let mut last_commit = Instant::now();
    let rejected = format!("{}-dlq", arguments.output);
    while !shutdown.is_requested() {
        match consumer.poll(Duration::from_millis(50)) {
            Some(ConsumerEvent::Record { partition, raw, .. }) => {
                if offsets.is_empty() {
                    producer.begin_transaction()?;
                }
                // What ours rejects goes elsewhere here too, so that both are checked alike.
                let value = raw.value().unwrap_or_default();
                let has_op = value.starts_with(b"{\"op\"");
                producer.send(&OutgoingRecord {
                    topic: if has_op { &arguments.output } else { &rejected },
                    partition: None,
                    key: raw.key(),
                    value: raw.value(),
                    timestamp_ms: raw.timestamp_ms,
                    headers: const { &Headers::new() },
                })?;
                offsets.insert(partition, raw.offset + 1);
            }
            Some(ConsumerEvent::Assigned(partitions)) => {
                let assignment = partitions.into_iter();
                let assignment = assignment.map(|partition| Assignment {
                    partition,
                    start: StartAt::Earliest,
                });
                consumer.assign(&assignment.collect::<Vec<_>>())?;
                println!("READY");
                let _ = std::io::stdout().flush();
            }
            Some(ConsumerEvent::Revoked(_)) => consumer.unassign()?,
            Some(ConsumerEvent::Failed(error)) => return Err(error),
            Some(_) | None => {}
        }
        let due = last_commit.elapsed() >= Duration::from_millis(arguments.commit_ms);
        if due && !offsets.is_empty() {
            producer.flush(WAIT)?;
            let topic = arguments.input.as_str();
            let committed = std::mem::take(&mut offsets)
                .into_iter()
                .map(|(partition, offset)| {
                    (
                        TopicPartition {
                            topic: topic.into(),
                            partition,
                        },
                        offset,
                        String::new(),
                    )
                });
            producer.send_offsets(&committed.collect::<Vec<_>>(), &consumer, WAIT)?;
            producer.commit_transaction(WAIT)?;
            last_commit = Instant::now();
        }
    }
    Ok(())
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench-limit: {error}");
            ExitCode::FAILURE
        }
    }
}
