//! One small program per idea. Each runs without a broker, and on one that is named:
//!
//! ```console
//! $ cargo run -p examples --bin signups_validation
//! $ cargo run -p examples --bin signups_validation -- 127.0.0.1:9092
//! ```
//!
//! On a broker the topics that a program reads must exist.

use streams_core::config::StreamsConfigBuilder;
use streams_core::observability::ShutdownSignal;
use streams_core::observability::logging::{self, LogFormat};
use streams_core::{KafkaStreams, StreamsConfig};
use streams_dsl::{Result, Topology, TopologyTestDriver};

/// Runs a topology on the broker of the first argument until SIGTERM or SIGINT; without an argument
/// plays a scene on the test driver.
///
/// # Errors
/// If the topology fails.
pub fn run(
    application_id: &str,
    topology: Topology,
    play: impl FnOnce(&mut TopologyTestDriver) -> Result<()>,
) -> Result<()> {
    let Some(settings) = settings(application_id)? else {
        return play(&mut TopologyTestDriver::new(&topology)?);
    };
    KafkaStreams::new(topology, settings.build()?)?.run_until(&ShutdownSignal::install()?)
}

/// The settings for the broker of the first argument, if there is one.
///
/// # Errors
/// If nothing can be logged.
pub fn settings(application_id: &str) -> Result<Option<StreamsConfigBuilder>> {
    let Some(bootstrap_servers) = std::env::args().nth(1) else {
        return Ok(None);
    };
    logging::init(LogFormat::Human)?;
    let settings = StreamsConfig::builder()
        .set("application.id", application_id)
        .set("bootstrap.servers", bootstrap_servers)
        .set("processing.guarantee", "exactly_once_v2");
    Ok(Some(settings))
}
