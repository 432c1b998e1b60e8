//! The limit: librdkafka alone, consuming and producing the same records with the same settings and
//! transactions. State is a hash map: what a store costs beyond its changelog is not in the limit.

mod client;
mod work;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::time::{Duration, Instant};

use clap::Parser;
use rdkafka::Message as _;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::KafkaError;
use streams_core::StreamsConfig;
use streams_core::observability::ShutdownSignal;

use self::client::Transactions;
use self::work::Work;
use crate::{Result, Workload};

/// Works a topic off until SIGTERM.
#[derive(Parser)]
pub struct Arguments {
    /// Kafka's address.
    #[arg(long)]
    bootstrap: String,
    /// The group and the prefix of the changelog.
    #[arg(long)]
    application_id: String,
    /// What is done to each record.
    #[arg(long)]
    workload: Workload,
    /// The topic that is read, from its beginning.
    #[arg(long)]
    input: String,
    /// The topic that is written.
    #[arg(long)]
    output: String,
    /// The time between commits, in milliseconds.
    #[arg(long, default_value_t = 100)]
    commit_ms: u64,
    /// A setting of Kafka Streams or its clients.
    #[arg(long, value_name = "KEY=VALUE")]
    conf: Vec<String>,
    /// The loop has one thread, and refuses to have more.
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// The loop commits in transactions, and refuses to do without.
    #[arg(long, default_value = EXACTLY_ONCE)]
    guarantee: String,
    /// Taken and not used: the loop has no local state.
    #[arg(long)]
    state_dir: Option<String>,
}

const EXACTLY_ONCE: &str = "exactly_once_v2";
/// How long an empty poll may block.
const POLL: Duration = Duration::from_millis(50);

impl Arguments {
    /// The settings that ours has, so that only what is done with them differs.
    fn config(&self) -> Result<StreamsConfig> {
        if self.threads != 1 || self.guarantee != EXACTLY_ONCE {
            return Err("the limit is measured with one thread and exactly_once_v2 only".into());
        }
        let mut config = StreamsConfig::builder()
            .set("application.id", &self.application_id)
            .set("bootstrap.servers", &self.bootstrap)
            .set("processing.guarantee", EXACTLY_ONCE)
            .set("auto.offset.reset", "earliest");
        for setting in &self.conf {
            let (key, value) = setting.split_once('=').ok_or("--conf takes key=value")?;
            config = config.set(key, value);
        }
        Ok(config.build()?)
    }
}

/// Works a topic off until SIGTERM.
///
/// # Errors
///
/// If a client fails.
pub fn run(arguments: &Arguments) -> Result<()> {
    let shutdown = ShutdownSignal::install()?;
    let config = arguments.config()?;
    let mut work = Work::new(arguments, &config)?;
    let mut transactions = Transactions::new(&config)?;
    let consumer: BaseConsumer = client::config(&config.consumer_config("limit", 1)).create()?;
    consumer.subscribe(&[&arguments.input])?;
    let commit_every = Duration::from_millis(arguments.commit_ms);
    let mut offsets: BTreeMap<i32, i64> = BTreeMap::new();
    let mut last_commit = Instant::now();
    let mut is_ready = false;
    while !shutdown.is_requested() {
        match consumer.poll(POLL) {
            Some(Ok(record)) => {
                transactions.begin()?;
                work.apply(&record, &transactions)?;
                offsets.insert(record.partition(), record.offset() + 1);
            }
            Some(Err(KafkaError::PartitionEOF(_))) | None => {}
            Some(Err(error)) => return Err(error.into()),
        }
        if !is_ready && consumer.assignment()?.count() > 0 {
            is_ready = true;
            println!("READY");
            std::io::stdout().flush()?;
        }
        if last_commit.elapsed() >= commit_every && !offsets.is_empty() {
            transactions.commit(&consumer, &arguments.input, &std::mem::take(&mut offsets))?;
            last_commit = Instant::now();
        }
    }
    if !offsets.is_empty() {
        transactions.commit(&consumer, &arguments.input, &offsets)?;
    }
    Ok(())
}
