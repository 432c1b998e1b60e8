//! Looks for the topics that a processor writes, before it starts.
//!
//! The run time looks for those it reads. One that it writes would only be missed with the first
//! record, which for dead letters may be after weeks.

use std::time::{Duration, Instant};

use streams_core::StreamsConfig;
use streams_core::broker::TransactionalProducer;
use streams_core::clock::{Clock as _, SystemClock};
use streams_dsl::{Error, ErrorKind, Result};

use crate::settings::Settings;

/// How long a broker may take to make a topic (`auto.create.topics.enable`).
const CREATION_WAIT: Duration = Duration::from_secs(3);

/// The wait before the broker is asked again.
const RETRY_WAIT: Duration = Duration::from_millis(20);

/// Asks the broker for each topic that is written. As with any producer, a broker that makes topics
/// on demand makes those that are missing. Where no broker answers, nothing is said.
///
/// # Errors
/// If a topic is missing and the broker does not make it.
pub fn check_outputs(config: &StreamsConfig, settings: &Settings) -> Result<()> {
    let producer = TransactionalProducer::new(&config.admin_config("topic-check"))?;
    let outputs = settings
        .inputs
        .iter()
        .map(|input| settings.output_name(input));
    let outputs = outputs.map(|topic| ("--output", topic));
    let dead_letter = ("--dead-letter", settings.dead_letter.clone());
    for (flag, topic) in outputs.chain([dead_letter]) {
        let deadline = Instant::now() + CREATION_WAIT;
        loop {
            match producer.partition_count(&topic) {
                Ok(_) => break,
                Err(error) if error.kind() == ErrorKind::Broker => return Ok(()),
                Err(_) if Instant::now() < deadline => SystemClock.sleep(RETRY_WAIT),
                Err(_) => {
                    let message =
                        format!("wrong configuration: `{flag}`: topic {topic} does not exist");
                    return Err(Error::new(ErrorKind::Config, message));
                }
            }
        }
    }
    Ok(())
}
