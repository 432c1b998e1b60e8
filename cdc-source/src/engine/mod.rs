//! The connector at work: sessions that are begun anew after every failure that may pass.

mod backoff;
mod batch;
mod session;
mod snapshot_phase;
mod stream_phase;
mod stream_state;
mod table_cache;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::config::ConnectorConfig;
use crate::envelope::EnvelopeEncoder;
use crate::metrics::Metrics;
use crate::shutdown::Shutdown;
use crate::sink::KafkaSettings;
use crate::{ErrorKind, Result};

use backoff::Backoff;
use session::Session;

/// Whether the connector streams, for probes.
#[derive(Debug, Clone, Default)]
pub struct Status {
    is_streaming: Arc<AtomicBool>,
}

impl Status {
    /// True while changes flow.
    pub fn is_streaming(&self) -> bool {
        self.is_streaming.load(Ordering::Relaxed)
    }

    fn set_streaming(&self, is_streaming: bool) {
        self.is_streaming.store(is_streaming, Ordering::Relaxed);
    }
}

/// A connector, ready to run.
pub struct Engine {
    config: ConnectorConfig,
    kafka: KafkaSettings,
    encoders: EnvelopeEncoder,
    metrics: Metrics,
    status: Status,
}

impl Engine {
    /// Checks what can be checked without a server.
    ///
    /// # Errors
    /// Mistakes in the settings.
    pub fn new(config: ConnectorConfig, kafka: KafkaSettings, metrics: Metrics) -> Result<Self> {
        kafka.check()?;
        let encoders = EnvelopeEncoder::new(&config)?;
        Ok(Self { config, kafka, encoders, metrics, status: Status::default() })
    }

    /// Tells whether the connector streams.
    pub fn status(&self) -> Status {
        self.status.clone()
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
                status: &self.status,
                shutdown: shutdown.clone(),
                is_snapshot_taken: &mut is_snapshot_taken,
            };
            let error = match session.run(&mut backoff).await {
                Ok(()) => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Stopped => return Ok(()),
                Err(error) => error,
            };
            let Some(wait) = backoff.after(&error) else {
                return Err(error);
            };
            self.metrics.streaming.restarts.inc();
            let wait_ms = wait.as_millis() as u64;
            tracing::warn!(%error, wait_ms, "trying again");
            tokio::select! {
                () = shutdown.requested() => return Ok(()),
                () = tokio::time::sleep(wait) => {}
            }
        }
    }
}
