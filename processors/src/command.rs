//! The command line.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use streams_core::StreamsConfig;
use streams_core::config::{StreamsConfigBuilder, key};
use streams_core::observability::logging::LogFormat;
use streams_dsl::{Error, ErrorKind, Result, Topology};

use crate::application::{self, Application};
use crate::lag::LagArgs;
use crate::settings::{Settings, Tombstones};
use crate::{events, lag, users};

/// Ready-made processors of change events.
#[derive(Debug, Parser)]
#[command(name = "processors", version, about)]
pub struct Command {
    #[command(subcommand)]
    processor: Processor,
}

#[derive(Debug, Subcommand)]
enum Processor {
    /// Checks the changes of one table and sorts them by operation.
    ///
    /// Valid events go to the output with `processed_at`; all else goes to the dead-letter topic as
    /// it came, with the reason in its headers.
    Users(ProcessorArgs),
    /// Validates the changes of several tables and names them: `user_created`, `order_updated`.
    ///
    /// Events go to `{topic}-processed` with `event_type`, `processed_at` and `processor`; what
    /// fails goes to the dead-letter topic as a JSON document.
    Events(EventsArgs),
    /// Shows how far consumer groups are behind.
    Lag(LagArgs),
}

/// What every command that talks to Kafka takes.
#[derive(Debug, Args)]
pub struct ClientArgs {
    /// The brokers to start from: `host:port`, with commas between [default: localhost:9092].
    #[arg(long, value_name = "HOST:PORT")]
    bootstrap_servers: Option<String>,
    /// A Java properties file with settings of Kafka Streams and its clients.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// One setting of Kafka Streams or its clients; wins over the file and the flags.
    #[arg(short = 'X', value_name = "KEY=VALUE", value_parser = key_and_value)]
    settings: Vec<(String, String)>,
    /// How the log on standard error looks: human or json.
    #[arg(long, value_name = "FORMAT", default_value_t)]
    log_format: LogFormat,
}

/// What every processor takes.
#[derive(Debug, Args)]
struct ProcessorArgs {
    #[command(flatten)]
    client: ClientArgs,
    /// Names the group and the transactions [default: cdc-stream-processor, cdc-event-processor].
    #[arg(long, value_name = "ID")]
    application_id: Option<String>,
    /// The topics to read; repeat it or put commas between [default: users; for events
    /// users,orders,products].
    #[arg(long, value_name = "TOPIC", value_delimiter = ',')]
    input: Vec<String>,
    /// The topic to write [default: user-analytics; for events {topic}-processed, where {topic} is
    /// the input topic].
    #[arg(long, value_name = "TOPIC")]
    output: Option<String>,
    /// The topic for what is rejected [default: user-changes-dlq; for events cdc-dlq].
    #[arg(long, value_name = "TOPIC")]
    dead_letter: Option<String>,
    /// `at_least_once` or `exactly_once_v2` [default: `exactly_once_v2`].
    #[arg(long, value_name = "GUARANTEE")]
    processing_guarantee: Option<String>,
    /// The number of threads that process [default: 1].
    #[arg(long, value_name = "COUNT")]
    num_stream_threads: Option<String>,
    /// The directory for the process's identity [default: kafka-streams under the directory for
    /// temporary files].
    #[arg(long, value_name = "DIR")]
    state_dir: Option<String>,
    /// Where to serve /metrics, /healthz and /readyz: `host:port`; not at all unless given.
    #[arg(long, value_name = "HOST:PORT")]
    metrics_addr: Option<String>,
    /// What becomes of null values.
    #[arg(long, value_enum, default_value_t)]
    tombstones: Tombstones,
    /// The largest value that is processed, in bytes.
    #[arg(long, value_name = "BYTES", default_value_t = Settings::VALUE_BYTES_MAX)]
    value_bytes_max: usize,
}

#[derive(Debug, Args)]
struct EventsArgs {
    #[command(flatten)]
    processor: ProcessorArgs,
    /// How often an event is tried that fails for a time.
    #[arg(long, value_name = "COUNT", default_value_t = Settings::TRIES_MAX)]
    tries_max: u32,
    /// The wait before the second try, in milliseconds; it doubles with each.
    #[arg(long, value_name = "MS", default_value_t = Settings::RETRY_BACKOFF.as_millis() as u64)]
    retry_backoff_ms: u64,
}

/// What a processor has where nothing is given: the names of the guide.
struct Defaults {
    application_id: &'static str,
    inputs: &'static [&'static str],
    output: &'static str,
    dead_letter: &'static str,
}

const USERS: Defaults = Defaults {
    application_id: "cdc-stream-processor",
    inputs: &["users"],
    output: "user-analytics",
    dead_letter: "user-changes-dlq",
};

const EVENTS: Defaults = Defaults {
    application_id: "cdc-event-processor",
    inputs: &["users", "orders", "products"],
    output: "{topic}-processed",
    dead_letter: "cdc-dlq",
};

fn key_and_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => {
            Ok((key.trim().to_owned(), value.to_owned()))
        }
        _ => Err("a setting is KEY=VALUE".to_owned()),
    }
}

impl Command {
    /// Runs the chosen processor until it is told to stop.
    ///
    /// # Errors
    /// If the configuration is wrong, or the processor has failed.
    pub fn run(self) -> Result<()> {
        match self.processor {
            Processor::Users(args) => args.run(&USERS, users::topology),
            Processor::Events(args) => args.run(),
            Processor::Lag(args) => lag::run(args),
        }
    }
}

impl ClientArgs {
    /// The settings of the file, the flags and `-X`, on these defaults.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn builder(&self, flags: &[(&str, &Option<String>)]) -> Result<StreamsConfigBuilder> {
        let mut builder = StreamsConfig::builder();
        if let Some(path) = &self.config {
            builder = builder.properties_file(path)?;
        }
        let bootstrap = (key::BOOTSTRAP_SERVERS, &self.bootstrap_servers);
        for (key, value) in flags.iter().chain([&bootstrap]) {
            if let Some(value) = value {
                builder = builder.set(*key, value);
            }
        }
        Ok(builder
            .set_all(self.settings.iter().cloned())
            .set_default(key::BOOTSTRAP_SERVERS, "localhost:9092"))
    }

    /// How the log looks.
    pub fn log_format(&self) -> LogFormat {
        self.log_format
    }
}

impl ProcessorArgs {
    fn run(
        self,
        defaults: &Defaults,
        topology: impl FnOnce(&Settings) -> Result<Topology>,
    ) -> Result<()> {
        application::start_logging(self.client.log_format)?;
        let config = self.config(defaults)?;
        let settings = self.settings(defaults, &config);
        settings.check()?;
        self.start(config, &settings, topology(&settings)?)
    }

    fn start(self, config: StreamsConfig, settings: &Settings, topology: Topology) -> Result<()> {
        Application {
            topology,
            config,
            metrics_addr: self.metrics_addr,
        }
        .run(settings)
    }

    fn config(&self, defaults: &Defaults) -> Result<StreamsConfig> {
        let flags = [
            (key::APPLICATION_ID, &self.application_id),
            (key::ERRORS_DEAD_LETTER_QUEUE_TOPIC_NAME, &self.dead_letter),
            (key::PROCESSING_GUARANTEE, &self.processing_guarantee),
            (key::NUM_STREAM_THREADS, &self.num_stream_threads),
            (key::STATE_DIR, &self.state_dir),
        ];
        self.client
            .builder(&flags)?
            .set_default(key::APPLICATION_ID, defaults.application_id)
            .set_default(key::PROCESSING_GUARANTEE, "exactly_once_v2")
            .set_default(
                key::ERRORS_DEAD_LETTER_QUEUE_TOPIC_NAME,
                defaults.dead_letter,
            )
            // What fails before the topology sees it: a record without a timestamp.
            .set_default(key::DESERIALIZATION_EXCEPTION_HANDLER, "dead-letter")
            .set_default(key::PROCESSING_EXCEPTION_HANDLER, "dead-letter")
            .build()
    }

    fn settings(&self, defaults: &Defaults, config: &StreamsConfig) -> Settings {
        let mut inputs: Vec<String> = Vec::new();
        for topic in self.input.iter().map(|topic| topic.trim()) {
            if !inputs.iter().any(|known| known == topic) {
                inputs.push(topic.to_owned());
            }
        }
        if inputs.is_empty() {
            inputs = defaults.inputs.iter().map(ToString::to_string).collect();
        }
        let output = self.output.as_deref().unwrap_or(defaults.output);
        let dead_letter = config.dead_letter_topic.as_deref();
        Settings {
            tombstones: self.tombstones,
            value_bytes_max: self.value_bytes_max,
            processor: Arc::from(config.application_id.as_str()),
            ..Settings::new(inputs, output, dead_letter.unwrap_or(defaults.dead_letter))
        }
    }
}

impl EventsArgs {
    fn run(self) -> Result<()> {
        application::start_logging(self.processor.client.log_format)?;
        let config = self.processor.config(&EVENTS)?;
        let settings = Settings {
            tries_max: self.tries_max,
            retry_backoff: Duration::from_millis(self.retry_backoff_ms),
            ..self.processor.settings(&EVENTS, &config)
        };
        settings.check()?;
        check_waits(&settings, &config)?;
        let topology = events::topology(&settings)?;
        self.processor.start(config, &settings, topology)
    }
}

/// The waits of one event hold the thread up, which must not lose it its transaction.
fn check_waits(settings: &Settings, config: &StreamsConfig) -> Result<()> {
    let limit_ms = match config.transaction_timeout_ms {
        0 => config.max_poll_interval_ms,
        timeout_ms => timeout_ms.min(config.max_poll_interval_ms),
    };
    let total = settings.retry_wait_total();
    if total < Duration::from_millis(limit_ms) {
        return Ok(());
    }
    let total_ms = total.as_millis();
    let message = format!(
        "wrong configuration: --tries-max and --retry-backoff-ms make one event wait \
         {total_ms} ms, which must be less than transaction.timeout.ms and \
         max.poll.interval.ms ({limit_ms} ms)"
    );
    Err(Error::new(ErrorKind::Config, message))
}
