//! One small program per idea. Each runs without a broker, and on one that is named:
//!
//! ```console
//! $ cargo run -p examples --bin signups_validation
//! $ cargo run -p examples --bin signups_validation -- 127.0.0.1:9092
//! ```
//!
//! On a broker the topics that a program reads must exist.

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
    let Some(bootstrap_servers) = std::env::args().nth(1) else {
        return play(&mut TopologyTestDriver::new(&topology)?);
    };
    logging::init(LogFormat::Human)?;
    let config = StreamsConfig::builder()
        .set("application.id", application_id)
        .set("bootstrap.servers", bootstrap_servers)
        .set("processing.guarantee", "exactly_once_v2")
        .build()?;
    KafkaStreams::new(topology, config)?.run_until(&ShutdownSignal::install()?)
}
