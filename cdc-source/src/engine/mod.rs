//! The connector at work: sessions that are begun anew after every failure that may pass.

mod backoff;
mod batch;
mod session;
mod snapshot_phase;
mod stream_phase;
mod stream_state;
mod table_cache;

use std::time::Duration;

use streams_core::observability::Health;

use crate::config::ConnectorConfig;
use crate::envelope::EnvelopeEncoder;
use crate::metrics::Metrics;
use crate::shutdown::Shutdown;
use crate::sink::KafkaSettings;
use crate::{ErrorKind, Result};

use backoff::Backoff;
use session::Session;

/// How long a session may take to end once the stop is asked for.
const STOP_TIMEOUT: Duration = Duration::from_secs(4);

/// A connector, ready to run.
pub struct Engine {
    config: ConnectorConfig,
    kafka: KafkaSettings,
    encoders: EnvelopeEncoder,
    metrics: Metrics,
    health: Health,
}

impl Engine {
    /// Checks what can be checked without a server. `health` is ready while the connector streams.
    ///
    /// # Errors
    /// Mistakes in the settings.
    pub fn new(
        config: ConnectorConfig,
        kafka: KafkaSettings,
        metrics: Metrics,
        health: Health,
    ) -> Result<Self> {
        kafka.check()?;
        let encoders = EnvelopeEncoder::new(&config)?;
        Ok(Self {
            config,
            kafka,
            encoders,
            metrics,
            health,
        })
    }

    /// Runs until the stop is asked for. Calls that wait for Kafka block the thread, so this
    /// belongs on a thread of its own, beside the runtime's workers.
    ///
    /// # Errors
    /// An error that trying again does not mend, or that was tried again as often as
    /// `errors.max.retries` allows.
    pub async fn run(&self, mut shutdown: Shutdown) -> Result<()> {
        let mut backoff = Backoff::new(&self.config);
        let mut is_snapshot_taken = false;
        loop {
            let session = Session {
                config: &self.config,
                kafka: &self.kafka,
                encoders: &self.encoders,
                metrics: &self.metrics,
                health: &self.health,
                shutdown: shutdown.clone(),
                is_snapshot_taken: &mut is_snapshot_taken,
            };
            let mut stop = shutdown.clone();
            let give_up = async {
                stop.requested().await;
                tokio::time::sleep(STOP_TIMEOUT).await;
            };
            let result = tokio::select! {
                biased;
                result = session.run(&mut backoff) => result,
                // A server that does not answer must not hold up the stop.
                () = give_up => return Ok(()),
            };
            let error = match result {
                Ok(()) => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Stopped => return Ok(()),
                Err(error) => error,
            };
            let Some(wait) = backoff.after(&error) else {
                return Err(error);
            };
            self.metrics.streaming.restarts.inc();
            self.health.set_not_ready(error.to_string());
            let wait_ms = wait.as_millis() as u64;
            tracing::warn!(%error, wait_ms, "trying again");
            tokio::select! {
                () = shutdown.requested() => return Ok(()),
                () = tokio::time::sleep(wait) => {}
            }
        }
    }
}
