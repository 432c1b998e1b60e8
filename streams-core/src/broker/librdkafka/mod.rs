//! librdkafka behind the broker's types.

pub(crate) mod admin;
pub(crate) mod consumer;
#[cfg(test)]
mod consumer_test;
pub(crate) mod failure;
pub(crate) mod group;
pub(crate) mod native;
pub(crate) mod producer;
pub(crate) mod reader;
mod wait;

use std::collections::BTreeMap;
use std::time::Duration;

use rdkafka::client::{Client, ClientContext};
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::error::KafkaError;

use crate::broker::librdkafka::failure::broker_error;
use crate::error::Result;

/// A client configuration from librdkafka's own settings.
pub(crate) fn client_config(settings: &BTreeMap<String, String>) -> ClientConfig {
    let mut config = ClientConfig::new();
    for (key, value) in settings {
        config.set(key, value);
    }
    config.set_log_level(RDKafkaLogLevel::Info);
    config
}

/// Sends librdkafka's logs to `tracing`.
pub(crate) fn log(level: RDKafkaLogLevel, facility: &str, message: &str) {
    match level {
        RDKafkaLogLevel::Emerg
        | RDKafkaLogLevel::Alert
        | RDKafkaLogLevel::Critical
        | RDKafkaLogLevel::Error => {
            tracing::error!(target: "librdkafka", facility, "{message}");
        }
        RDKafkaLogLevel::Warning => tracing::warn!(target: "librdkafka", facility, "{message}"),
        RDKafkaLogLevel::Notice => tracing::info!(target: "librdkafka", facility, "{message}"),
        RDKafkaLogLevel::Info | RDKafkaLogLevel::Debug => {
            tracing::debug!(target: "librdkafka", facility, "{message}");
        }
    }
}

/// Sends to `tracing` what goes wrong in the background; a target of its own lets a program that
/// hears of it by other ways leave it out.
pub(crate) fn log_error(error: &KafkaError, reason: &str) {
    tracing::warn!(target: "librdkafka::error", %error, "{reason}");
}

/// The number of partitions of a topic; `None` if there is no such topic for this client.
pub(crate) fn partition_count<C: ClientContext>(
    client: &Client<C>,
    topic: &str,
    timeout: Duration,
) -> Result<Option<i32>> {
    let metadata = client
        .fetch_metadata(Some(topic), timeout)
        .map_err(|error| {
            broker_error(
                format!("cannot read the partitions of topic={topic}"),
                error,
            )
        })?;
    let found = metadata.topics().iter().find(|found| {
        found.name() == topic && found.error().is_none() && !found.partitions().is_empty()
    });
    Ok(found.map(|found| i32::try_from(found.partitions().len()).unwrap_or(i32::MAX)))
}

/// A context that does nothing but log.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct LogContext;

impl ClientContext for LogContext {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        log_error(&error, reason);
    }
}

impl rdkafka::consumer::ConsumerContext for LogContext {}
