//! `cdc-source`: runs one connector.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use cdc_source::config::ConnectorConfig;
use cdc_source::engine::Engine;
use cdc_source::metrics::Metrics;
use cdc_source::shutdown::ShutdownTrigger;
use cdc_source::sink::KafkaSettings;
use cdc_source::{Error, ErrorKind, Result};
use clap::{Parser, Subcommand};
use prometheus::Registry;
use streams_core::observability::{Endpoint, Health, logging};
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};

/// What a process that stopped for its configuration's sake returns.
const EXIT_CONFIGURATION: u8 = 2;
const EXIT_FAILURE: u8 = 1;
/// What the replication and Kafka clients report comes back as errors, which are logged once, by
/// what they mean for the connector.
const LOG_DIRECTIVES: &str = "info,pgwire_replication=off,librdkafka::error=off";

/// Postgres changes to Kafka, as Debezium envelopes, exactly once.
#[derive(Debug, Parser)]
#[command(name = "cdc-source", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs a connector until SIGTERM or SIGINT.
    ///
    /// Exit codes: 0 stopped as asked, 2 a setting has to be changed, 1 anything else.
    Run(RunArguments),
}

#[derive(Debug, clap::Args)]
struct RunArguments {
    /// Kafka's addresses, host:port, separated by commas.
    #[arg(long, env = "BOOTSTRAP_SERVERS")]
    bootstrap_servers: String,
    /// The connector's JSON, as it would be sent to Kafka Connect.
    #[arg(long)]
    connector: PathBuf,
    /// The compacted topic of the offsets, as in Kafka Connect.
    #[arg(long, default_value = "connect-offsets")]
    offset_storage_topic: String,
    /// Where to serve /metrics, /healthz and /readyz, host:port.
    #[arg(long)]
    metrics_addr: Option<std::net::SocketAddr>,
    /// How to write the log.
    #[arg(long, value_name = "human|json", default_value = "human")]
    log_format: logging::LogFormat,
    /// A setting of the Kafka producer (librdkafka), key=value; may be repeated.
    #[arg(short = 'X', value_name = "KEY=VALUE", value_parser = key_value)]
    overrides: Vec<(String, String)>,
}

fn key_value(text: &str) -> Result<(String, String), String> {
    let (key, value) = text
        .split_once('=')
        .ok_or_else(|| "KEY=VALUE is needed".to_owned())?;
    Ok((key.trim().to_owned(), value.to_owned()))
}

fn main() -> ExitCode {
    let Command::Run(arguments) = Arguments::parse().command;
    if let Err(error) = logging::init_with_default(arguments.log_format, LOG_DIRECTIVES) {
        eprintln!("cdc-source: {error}");
        return ExitCode::from(EXIT_CONFIGURATION);
    }
    match run(&arguments) {
        Ok(()) => {
            tracing::info!("stopped");
            ExitCode::SUCCESS
        }
        Err(error) => {
            tracing::error!("{error}");
            match error.kind() {
                ErrorKind::Configuration => ExitCode::from(EXIT_CONFIGURATION),
                _ => ExitCode::from(EXIT_FAILURE),
            }
        }
    }
}

fn run(arguments: &RunArguments) -> Result<()> {
    let path = arguments.connector.display();
    let text = std::fs::read_to_string(&arguments.connector).map_err(|error| Error::Setting {
        setting: "--connector",
        problem: format!("reading {path}: {error}"),
    })?;
    let config = ConnectorConfig::from_json(&text)?;
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    let kafka = kafka_settings(arguments, &config);
    let refused = |setting| {
        move |error: &dyn std::fmt::Display| Error::Setting {
            setting,
            problem: error.to_string(),
        }
    };
    let (registry, health) = (Registry::new(), Health::new());
    let metrics = Metrics::register(&registry, &config.topic_prefix)
        .map_err(|error| refused("topic.prefix")(&error))?;
    let engine = Engine::new(config, kafka, metrics, health.clone())?;
    let endpoint = arguments
        .metrics_addr
        .map(|address| Endpoint::serve(address, registry, health));
    let endpoint = endpoint
        .transpose()
        .map_err(|error| refused("--metrics-addr")(&error))?;
    if let Some(endpoint) = &endpoint {
        tracing::info!(address = %endpoint.address(), "serving metrics and health");
    }

    // The engine has the main thread to itself, since it waits for Kafka without async; the
    // replication stream and everything else run on the workers.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| refused("threads")(&error))?;
    let (trigger, shutdown) = ShutdownTrigger::new();
    listen_for_signals(&runtime, trigger);
    runtime.block_on(async { engine.run(shutdown).await })
}

fn kafka_settings(arguments: &RunArguments, config: &ConnectorConfig) -> KafkaSettings {
    let mut overrides: BTreeMap<String, String> = config.producer_overrides.clone();
    overrides.extend(arguments.overrides.iter().cloned());
    KafkaSettings {
        bootstrap_servers: arguments.bootstrap_servers.clone(),
        connector: config.name.clone(),
        topic_prefix: config.topic_prefix.clone(),
        offset_topic: arguments.offset_storage_topic.clone(),
        overrides,
    }
}

/// Turns SIGTERM and SIGINT into the request to stop.
fn listen_for_signals(runtime: &Runtime, trigger: ShutdownTrigger) {
    runtime.spawn(async move {
        let (Ok(mut terminate), Ok(mut interrupt)) = (
            signal(SignalKind::terminate()),
            signal(SignalKind::interrupt()),
        ) else {
            tracing::warn!("signals cannot be caught; the process can only be killed");
            return std::future::pending().await;
        };
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping");
        trigger.request();
        // The trigger stays: dropping it is no other request.
        std::future::pending::<()>().await;
    });
}
