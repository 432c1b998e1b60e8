//! One try: from the preflight to the stream, until something breaks or the stop is asked for.
//!
//! The order keeps two instances of a connector out of each other's way. First comes the lock in
//! the database, which only one living session has. Then the producer is registered with Kafka,
//! which fences an instance that is alive but cut off from the database, and makes its last offset
//! final. Only then is the offset read and trusted.

use std::time::Duration;

use streams_core::observability::Health;

use crate::config::{ConnectorConfig, SnapshotMode};
use crate::envelope::EnvelopeEncoder;
use crate::metrics::Metrics;
use crate::offset::{OffsetTopic, SnapshotProgress, SourceOffset};
use crate::postgres::catalog::{self, CatalogTable};
use crate::postgres::{
    Connection, CreatedSlot, Lsn, Replication, Slot, SlotLifetime, create_slot, preflight,
    publication,
};
use crate::shutdown::Shutdown;
use crate::sink::{KafkaSettings, KafkaSink, Phase};
use crate::{Error, Result};

use super::backoff::Backoff;
use super::snapshot_phase::{SnapshotPhase, SnapshotStart};
use super::stream_phase::{Heartbeat, StreamPhase};
use super::stream_state::StreamState;
use super::table_cache::TableCache;

/// What a session works with.
pub(super) struct Session<'a> {
    pub(super) config: &'a ConnectorConfig,
    pub(super) kafka: &'a KafkaSettings,
    pub(super) encoders: &'a EnvelopeEncoder,
    pub(super) metrics: &'a Metrics,
    pub(super) health: &'a Health,
    pub(super) shutdown: Shutdown,
    /// Whether `snapshot.mode=always` has had its snapshot in this run of the process.
    pub(super) is_snapshot_taken: &'a mut bool,
}

impl Session<'_> {
    /// Works until the stop is asked for, or, in `initial_only` mode, until the snapshot is done.
    ///
    /// # Errors
    /// Whatever broke it off.
    pub(super) async fn run(mut self, backoff: &mut Backoff) -> Result<()> {
        let config = self.config;
        let connection = Connection::open(&config.database, "cdc-source").await?;
        preflight::check_server(&connection, &config.database.user).await?;
        let tables = self.tables(&connection).await?;
        Slot::lock(&connection, &config.slot.name).await?;
        let user = &config.database.user;
        publication::ensure(&connection, &config.publication, user, &tables).await?;

        let offsets = OffsetTopic::new(self.kafka.clone(), self.shutdown.clone());
        let mut sink = KafkaSink::open(self.kafka, Phase::Stream, self.shutdown.clone())?;
        let stored = offsets.read()?;
        let mut slot = Slot::find(&connection, &config.slot.name).await?;
        let stored_start = stored.as_ref().map(|offset| Lsn(offset.stream_start()));
        let offset = match self.plan(stored, slot.as_ref())? {
            Plan::Stream(offset) => offset,
            Plan::StreamFromSlot => {
                let lsn = match slot {
                    Some(slot) => slot.confirmed_flush,
                    None => {
                        create_slot(config, SlotLifetime::Permanent)
                            .await?
                            .consistent_point
                    }
                };
                SourceOffset {
                    lsn: lsn.0,
                    ..SourceOffset::default()
                }
            }
            Plan::Snapshot(progress) => {
                preflight::check_select(&connection, user, &tables).await?;
                if slot.as_ref().is_some_and(|slot| slot.is_lost) {
                    Slot::drop(&connection, &config.slot.name).await?;
                    slot = None;
                }
                self.pause(config.snapshot.delay_ms).await?;
                let start = self.snapshot_start(slot, stored_start, progress).await?;
                drop(sink);
                let offset = self.snapshot(start, &tables).await?;
                sink = KafkaSink::open(self.kafka, Phase::Stream, self.shutdown.clone())?;
                *self.is_snapshot_taken = true;
                offset
            }
            Plan::Nothing => return Ok(()),
        };
        if config.snapshot.mode == SnapshotMode::InitialOnly {
            return Ok(());
        }
        self.pause(config.snapshot.streaming_delay_ms).await?;
        self.stream(&connection, &tables, offset, sink, backoff)
            .await
    }

    async fn tables(&self, connection: &Connection) -> Result<Vec<CatalogTable>> {
        let config = self.config;
        let via_root = config.publication.via_partition_root;
        let tables = catalog::captured_tables(connection, &config.tables, via_root).await?;
        let named = config.tables.literal_tables();
        preflight::check_tables(&tables, &named, config.tables.is_restricted)?;
        Ok(tables)
    }

    fn plan(&self, stored: Option<SourceOffset>, slot: Option<&Slot>) -> Result<Plan> {
        let is_slot_usable = slot.is_some_and(|slot| !slot.is_lost);
        plan(self.config, stored, is_slot_usable, *self.is_snapshot_taken)
    }

    /// `snapshot.delay.ms` and `streaming.delay.ms`.
    async fn pause(&mut self, delay_ms: u64) -> Result<()> {
        tokio::select! {
            () = self.shutdown.requested() => {
                Err(Error::Stopped { doing: "waiting for the configured delay".into() })
            }
            () = tokio::time::sleep(Duration::from_millis(delay_ms)) => Ok(()),
        }
    }

    /// Creating a slot waits for the server's open transactions, so the stop has to interrupt it.
    async fn created_slot(&mut self, lifetime: SlotLifetime) -> Result<CreatedSlot> {
        tokio::select! {
            () = self.shutdown.requested() => {
                Err(Error::Stopped { doing: "creating the replication slot".into() })
            }
            created = create_slot(self.config, lifetime) => created,
        }
    }

    /// Makes the slot whose snapshot is read: the connector's own, or, if that is there already, a
    /// temporary one beside it.
    async fn snapshot_start(
        &mut self,
        slot: Option<Slot>,
        stored_start: Option<Lsn>,
        progress: SnapshotProgress,
    ) -> Result<SnapshotStart> {
        let Some(slot) = slot else {
            let slot = self.created_slot(SlotLifetime::Permanent).await?;
            let stream_from = slot.consistent_point;
            return Ok(SnapshotStart {
                slot,
                progress,
                stream_from,
            });
        };
        let stream_from = stored_start.unwrap_or(slot.confirmed_flush);
        let slot = self.created_slot(SlotLifetime::Temporary).await?;
        Ok(SnapshotStart {
            slot,
            progress,
            stream_from,
        })
    }

    async fn snapshot(
        &self,
        start: SnapshotStart,
        tables: &[CatalogTable],
    ) -> Result<SourceOffset> {
        let sink = KafkaSink::open(self.kafka, Phase::Snapshot, self.shutdown.clone())?;
        let phase = SnapshotPhase {
            database: &self.config.database,
            encoders: self.encoders,
            sink,
            transaction_timeout: self.kafka.transaction_timeout(Phase::Snapshot),
            metrics: &self.metrics.snapshot,
            shutdown: self.shutdown.clone(),
        };
        let include = &self.config.snapshot.include;
        let is_included =
            |found: &&CatalogTable| include.includes(&found.table.schema, &found.table.name);
        let tables: Vec<CatalogTable> = tables.iter().filter(is_included).cloned().collect();
        phase.run(start, &tables).await
    }

    async fn stream(
        &self,
        connection: &Connection,
        tables: &[CatalogTable],
        offset: SourceOffset,
        sink: KafkaSink,
        backoff: &mut Backoff,
    ) -> Result<()> {
        let start = Lsn(offset.stream_start());
        let replication = Replication::start(self.config, start).await?;
        let snapshot = offset.snapshot.as_ref();
        let snapshot = snapshot
            .map(|snapshot| snapshot.tables.clone())
            .unwrap_or_default();
        let cache = TableCache::new(self.config.tables.clone(), tables, snapshot);
        let metrics = &self.metrics.streaming;
        let on_failure = self.config.processing_failure;
        let phase = StreamPhase {
            replication,
            state: StreamState::new(offset, cache, sink, on_failure, metrics.clone()),
            connection,
            encoders: self.encoders,
            heartbeat: Heartbeat::new(&self.config.heartbeat),
            metrics,
            shutdown: self.shutdown.clone(),
        };
        tracing::info!(connector = self.config.name, slot = self.config.slot.name, %start,
            "cdc-source is streaming");
        backoff.reset();
        self.health.set_ready();
        let result = phase.run().await;
        self.health.set_not_ready("stopped");
        result?;
        if self.config.slot.drop_on_stop {
            Slot::drop(connection, &self.config.slot.name).await?;
        }
        Ok(())
    }
}

/// How to go on from what is stored.
#[derive(Debug, PartialEq, Eq)]
enum Plan {
    /// Stream from the offset.
    Stream(SourceOffset),
    /// Stream without a snapshot, from wherever the slot stands.
    StreamFromSlot,
    /// Read the tables that are not read yet, then stream.
    Snapshot(SnapshotProgress),
    /// The snapshot that was asked for is there.
    Nothing,
}

fn plan(
    config: &ConnectorConfig,
    stored: Option<SourceOffset>,
    is_slot_usable: bool,
    is_snapshot_taken: bool,
) -> Result<Plan> {
    let mode = config.snapshot.mode;
    let Some(offset) = stored else {
        return Ok(match mode {
            SnapshotMode::NoData => Plan::StreamFromSlot,
            _ => Plan::Snapshot(SnapshotProgress::default()),
        });
    };
    if mode == SnapshotMode::Always && !is_snapshot_taken && !offset.is_snapshot_open() {
        return Ok(Plan::Snapshot(SnapshotProgress::default()));
    }
    if offset.is_snapshot_open() && mode != SnapshotMode::NoData {
        // Without the slot the changes since the first tables were read are gone.
        let progress = offset
            .snapshot
            .filter(|_| is_slot_usable)
            .unwrap_or_default();
        return Ok(Plan::Snapshot(progress));
    }
    match (mode, is_slot_usable) {
        (SnapshotMode::InitialOnly, _) => Ok(Plan::Nothing),
        (_, true) => Ok(Plan::Stream(offset)),
        (SnapshotMode::WhenNeeded, false) => Ok(Plan::Snapshot(SnapshotProgress::default())),
        (_, false) => Err(Error::Setting {
            setting: "slot.name",
            problem: format!(
                "the changes since {} are no longer on the server: replication slot {} is gone or \
                 has lost them; set snapshot.mode=when_needed to read the tables anew",
                Lsn(offset.stream_start()),
                config.slot.name
            ),
        }),
    }
}
