//! Our side of a measurement: one workload until SIGTERM.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use benches::Workload;
use clap::Parser;
use streams_core::observability::ShutdownSignal;
use streams_core::observability::logging::{self, LogFormat};
use streams_core::{KafkaStreams, State, StreamsConfig};

/// Runs one workload, prints READY once its state is restored, and stops on SIGTERM.
#[derive(Parser)]
struct Arguments {
    /// Kafka's address.
    #[arg(long)]
    bootstrap: String,
    /// The group and the prefix of internal topics.
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
    /// Stream threads.
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// `at_least_once` or `exactly_once_v2`.
    #[arg(long, default_value = "exactly_once_v2")]
    guarantee: String,
    /// Where local state is kept.
    #[arg(long)]
    state_dir: Option<PathBuf>,
    /// The time between commits, in milliseconds.
    #[arg(long, default_value_t = 100)]
    commit_ms: u64,
    /// A setting of Kafka Streams or its clients.
    #[arg(long, value_name = "KEY=VALUE")]
    conf: Vec<String>,
}

fn config(arguments: &Arguments) -> Result<StreamsConfig, Box<dyn std::error::Error>> {
    let mut config = StreamsConfig::builder()
        .set("application.id", &arguments.application_id)
        .set("bootstrap.servers", &arguments.bootstrap)
        .set("num.stream.threads", arguments.threads.to_string())
        .set("processing.guarantee", &arguments.guarantee)
        .set("commit.interval.ms", arguments.commit_ms.to_string())
        .set("auto.offset.reset", "earliest");
    if let Some(folder) = &arguments.state_dir {
        config = config.set("state.dir", folder.display().to_string());
    }
    for setting in &arguments.conf {
        let (key, value) = setting.split_once('=').ok_or("--conf takes key=value")?;
        config = config.set(key, value);
    }
    Ok(config.build()?)
}

fn run(arguments: &Arguments) -> Result<(), Box<dyn std::error::Error>> {
    logging::init(LogFormat::Human)?;
    let shutdown = ShutdownSignal::install()?;
    let topology = arguments
        .workload
        .topology(&arguments.input, &arguments.output)?;
    KafkaStreams::new(topology, config(arguments)?)?
        .with_state_listener(|new, _| {
            if new == State::Running {
                println!("READY");
                let _ = std::io::stdout().flush();
            }
        })
        .run_until(&shutdown)?;
    Ok(())
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench-app: {error}");
            ExitCode::FAILURE
        }
    }
}
