//! Streaming: messages in, batches out, the log released behind them.

use std::time::{Duration, Instant};

use futures_util::FutureExt;
use tokio::task::unconstrained;

use super::stream_state::{Next, StreamState, now_us};
use crate::Result;
use crate::config::HeartbeatConfig;
use crate::envelope::EnvelopeEncoder;
use crate::metrics::StreamingMetrics;
use crate::postgres::{Connection, Replication, postgres_error};
use crate::shutdown::Shutdown;
use crate::sink::Sink;
use crate::{Error, ErrorKind};

/// How often the stream looks after things that no message reminds it of.
const HOUSEKEEPING: Duration = Duration::from_secs(1);
/// How many messages are taken in a row before anything else is looked at.
const MESSAGES_MAX: usize = 256;

/// Everything that streaming needs.
pub(super) struct StreamPhase<'a, S> {
    pub(super) replication: Replication,
    pub(super) state: StreamState<S>,
    pub(super) connection: &'a Connection,
    pub(super) encoders: &'a EnvelopeEncoder,
    pub(super) heartbeat: Heartbeat<'a>,
    pub(super) metrics: &'a StreamingMetrics,
    pub(super) shutdown: Shutdown,
}

/// When the next heartbeat is due.
pub(super) struct Heartbeat<'a> {
    config: &'a HeartbeatConfig,
    due: Option<Instant>,
}

impl<'a> Heartbeat<'a> {
    pub(super) fn new(config: &'a HeartbeatConfig) -> Self {
        let mut heartbeat = Self { config, due: None };
        heartbeat.restart();
        heartbeat
    }

    fn restart(&mut self) {
        let interval = Duration::from_millis(self.config.interval_ms);
        self.due = (!interval.is_zero()).then(|| Instant::now() + interval);
    }

    fn is_due(&self, now: Instant) -> bool {
        self.due.is_some_and(|due| due <= now)
    }
}

impl<S: Sink> StreamPhase<'_, S> {
    /// Streams until the stop is asked for, and commits what was taken in by then.
    ///
    /// # Errors
    /// Whatever ends the session; what was not committed will be taken in again.
    pub(super) async fn run(mut self) -> Result<()> {
        self.metrics.connected.set(1);
        let result = self.stream().await;
        self.metrics.connected.set(0);
        if result.is_ok() {
            self.replication.stop().await;
        }
        result
    }

    async fn stream(&mut self) -> Result<()> {
        loop {
            if self.take_ready().await? {
                continue;
            }
            let now = Instant::now();
            let is_in_transaction = self.state.is_in_transaction();
            let due = self.state.batch.due(is_in_transaction);
            if due.is_some_and(|due| due <= now) {
                self.commit()?;
                continue;
            }
            if self.heartbeat.is_due(now) {
                self.beat().await?;
                continue;
            }
            // What comes within the pause is taken in at its end, all at once: to wake for each
            // message would cost more than to read it.
            if let Some(end) = self.state.batch.rest_until(is_in_transaction, now) {
                tokio::select! {
                    biased;
                    () = self.shutdown.requested() => return self.finish(),
                    () = tokio::time::sleep_until(end.into()) => continue,
                }
            }
            let wake = [due, self.heartbeat.due].into_iter().flatten().min();
            let wake = wake.map_or(now + HOUSEKEEPING, |wake| wake.min(now + HOUSEKEEPING));
            tokio::select! {
                biased;
                () = self.shutdown.requested() => {
                    return self.finish();
                }
                event = self.replication.next() => {
                    let next = self.state.handle(&event?)?;
                    self.follow(next).await?;
                }
                () = tokio::time::sleep_until(wake.into()) => self.keep_house()?,
            }
        }
    }

    /// Takes in the messages that are here already. Returns false when there was none, or when the
    /// stop is asked for and has to be seen.
    async fn take_ready(&mut self) -> Result<bool> {
        let mut taken = 0;
        while taken < MESSAGES_MAX {
            let Some(event) = unconstrained(self.replication.next()).now_or_never() else {
                break;
            };
            let next = self.state.handle(&event?)?;
            self.follow(next).await?;
            taken += 1;
        }
        if self.state.batch.is_full(self.state.is_in_transaction()) {
            self.commit()?;
        }
        if taken == 0 || self.shutdown.is_requested() {
            return Ok(false);
        }
        if self.heartbeat.is_due(Instant::now()) {
            self.beat().await?;
        }
        self.state.poll();
        Ok(true)
    }

    async fn follow(&mut self, next: Next) -> Result<()> {
        match next {
            Next::Continue => {}
            Next::Describe(relation) => {
                self.state
                    .tables
                    .describe(&relation, self.encoders, self.connection)
                    .await?;
            }
            Next::TransactionEnd => {
                if self.state.batch.is_full(false) {
                    self.commit()?;
                }
            }
            // Between transactions and with nothing uncommitted, whatever the server has passed
            // holds nothing for us. Without this a slot would keep the log of everybody else's
            // writes until one of ours comes.
            Next::Idle(lsn) => {
                if !self.state.is_in_transaction() && self.state.batch.is_empty() {
                    self.replication.confirm(lsn);
                }
            }
        }
        Ok(())
    }

    fn commit(&mut self) -> Result<()> {
        if let Some(lsn) = self.state.commit()? {
            self.replication.confirm(lsn);
        }
        Ok(())
    }

    /// Commits what is left when the stop was asked for. What Kafka does not take in time is taken
    /// in again by the next run.
    fn finish(&mut self) -> Result<()> {
        if self.state.batch.is_empty() {
            return Ok(());
        }
        match self.commit() {
            Err(error) if error.kind() == ErrorKind::Stopped => {
                tracing::warn!(%error, "stopped without the last transaction");
                Ok(())
            }
            result => result,
        }
    }

    async fn beat(&mut self) -> Result<()> {
        self.heartbeat.restart();
        if let Some(query) = &self.heartbeat.config.action_query {
            let done = self.connection.client().batch_execute(query).await;
            if let Err(error) = done {
                // Debezium, too, goes on without it.
                let error = postgres_error("running heartbeat.action.query", &error);
                tracing::warn!(%error, "the heartbeat's query failed");
            }
        }
        self.state
            .write_heartbeat(self.encoders.heartbeat(now_us()))?;
        self.commit()
    }

    fn keep_house(&mut self) -> Result<()> {
        self.state.poll();
        let last_event_us = self.state.batch.last_event_us();
        let since_ms = if last_event_us == 0 {
            -1
        } else {
            (now_us() - last_event_us) / 1_000
        };
        self.metrics.since_last_event_ms.set(since_ms);
        // The session holds the connector's lock; without it another instance may be at work.
        if self.connection.is_closed() {
            return Err(Error::Postgres {
                doing: "streaming".into(),
                problem: "the server ended the session that holds the lock".into(),
            });
        }
        Ok(())
    }
}
