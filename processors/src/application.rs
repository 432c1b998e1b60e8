//! Runs a topology as a process: metrics, health, READY, the end.

use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};

use prometheus::Registry;
use streams_core::observability::logging::{self, LogFormat};
use streams_core::observability::{Endpoint, Health, ShutdownSignal};
use streams_core::{KafkaStreams, State, StreamsConfig};
use streams_dsl::{Error, ErrorKind, Result, Topology};

use crate::settings::Settings;
use crate::topic_check::check_outputs;

/// A topology and how it is to run.
pub struct Application {
    /// What is processed.
    pub topology: Topology,
    /// The settings of Kafka Streams and its clients.
    pub config: StreamsConfig,
    /// Where to serve `/metrics`, `/healthz` and `/readyz`.
    pub metrics_addr: Option<String>,
}

/// Begins to log to standard error.
///
/// # Errors
/// If `RUST_LOG` cannot be understood.
pub fn start_logging(format: LogFormat) -> Result<()> {
    logging::init(format)
}

impl Application {
    /// Runs until SIGTERM or SIGINT, and prints `READY` on standard output once it processes.
    ///
    /// # Errors
    /// If it cannot start, or has failed.
    pub fn run(self, settings: &Settings) -> Result<()> {
        let shutdown = ShutdownSignal::install()?;
        let (registry, health) = (Registry::new(), Health::new());
        let _endpoint = match &self.metrics_addr {
            Some(address) => Some(serve(address, &registry, &health)?),
            None => None,
        };
        check_outputs(&self.config, settings)?;
        let ready = AtomicBool::new(false);
        let streams = KafkaStreams::new(self.topology, self.config)?
            .with_registry(&registry)?
            .with_health(health)
            .with_state_listener(move |state, _| {
                if state == State::Running && !ready.swap(true, Ordering::Relaxed) {
                    say_ready();
                }
            });
        streams
            .run_until(&shutdown)
            .map_err(|error| explain(error, settings))
    }
}

fn serve(address: &str, registry: &Registry, health: &Health) -> Result<Endpoint> {
    let endpoint = Endpoint::serve(address, registry.clone(), health.clone());
    let endpoint = endpoint.map_err(|error| {
        Error::new(
            ErrorKind::Config,
            format!("wrong configuration: `--metrics-addr`: {error}"),
        )
    })?;
    tracing::info!(address = %endpoint.address(), "serving /metrics, /healthz and /readyz");
    Ok(endpoint)
}

/// For whoever waits for the process with a pipe; one that has gone away does no harm.
fn say_ready() {
    let mut output = std::io::stdout().lock();
    let _ = writeln!(output, "READY").and_then(|()| output.flush());
}

/// Names the flag behind a mistake that only shows on the broker.
fn explain(error: Error, settings: &Settings) -> Error {
    let text = error.to_string();
    let missing = settings
        .inputs
        .iter()
        .any(|input| text.contains(input.as_str()));
    if error.kind() == ErrorKind::Config && missing {
        return Error::new(
            ErrorKind::Config,
            format!("wrong configuration: `--input`: {text}"),
        );
    }
    error
}
