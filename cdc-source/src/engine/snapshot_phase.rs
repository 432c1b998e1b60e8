//! The initial snapshot: every captured table, read once, exactly once in Kafka.
//!
//! # How a crash neither loses nor doubles a row
//!
//! A snapshot that Postgres exports has a consistent point `L`: what committed before `L` is in its
//! rows, what committed at `L` or later comes in the stream of a slot made at `L`. The rows of a
//! table go to Kafka in one transaction together with the table's `L`, so that a `read_committed`
//! reader sees either all of a table or nothing of it, and the offset knows which.
//!
//! An exported snapshot dies with the session that exported it. A connector that comes back in the
//! middle therefore reads the tables that are still missing under a new snapshot, that of a
//! temporary slot with a later consistent point `M`, while its own slot still stands at `L`. The
//! stream then begins at `L`, and a change to a table read at `M` is passed over if it committed
//! before `M`, since that table's rows hold it. This needs no order among keys, and treats a slot
//! that the user made beforehand the same way.
//!
//! The price: a table has to be read within one Kafka transaction, which lasts at most
//! `transaction.timeout.ms` (15 minutes here, and as the brokers' default maximum). A table that
//! takes longer is refused with the names of the two settings to raise.

use std::pin::pin;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::StreamExt;

use super::stream_state::now_us;
use crate::config::DatabaseConfig;
use crate::envelope::{
    Change, EnvelopeEncoder, Operation, OutgoingRecord, SnapshotMarker, SourcePosition,
    TableEncoder,
};
use crate::metrics::SnapshotMetrics;
use crate::offset::{SnapshotProgress, SourceOffset};
use crate::postgres::catalog::CatalogTable;
use crate::postgres::pgoutput::Row;
use crate::postgres::{
    Connection, CreatedSlot, Lsn, postgres_error, quote_identifier, quote_literal,
};
use crate::shutdown::Shutdown;
use crate::sink::Sink;
use crate::snapshot::CopyLine;
use crate::{Error, Result};

/// Small tables share a transaction until it has this many rows or is this old.
const SHARED_ROWS_MAX: u64 = 10_000;
const SHARED_AGE_MAX: Duration = Duration::from_secs(10);
/// How many rows are read between two looks at the clock and at the stop.
const ROWS_BETWEEN_CHECKS: u64 = 1_024;

/// Everything that a snapshot needs.
pub(super) struct SnapshotPhase<'a, S> {
    pub(super) database: &'a DatabaseConfig,
    pub(super) encoders: &'a EnvelopeEncoder,
    pub(super) sink: S,
    pub(super) transaction_timeout: Duration,
    pub(super) metrics: &'a SnapshotMetrics,
    pub(super) shutdown: Shutdown,
}

/// What a snapshot begins with.
pub(super) struct SnapshotStart {
    /// The slot whose snapshot is read.
    pub(super) slot: CreatedSlot,
    /// What an earlier try has read.
    pub(super) progress: SnapshotProgress,
    /// Where the stream will begin: the consistent point, or where the connector's own slot stands
    /// if that is older.
    pub(super) stream_from: Lsn,
}

/// One run over the tables that are still missing.
struct Run {
    stream_from: Lsn,
    source: SourcePosition,
    progress: SnapshotProgress,
    /// Rows in the open transaction.
    rows: u64,
    transaction_since: Instant,
    copy: CopyLine,
    row: Row<'static>,
    records: Vec<OutgoingRecord>,
}

impl<S: Sink> SnapshotPhase<'_, S> {
    /// Reads those of `tables` that no earlier try has read, under the slot's snapshot, and returns
    /// the offset that the stream goes on from.
    ///
    /// # Errors
    /// Whatever broke it off; the tables committed by then are kept.
    pub(super) async fn run(
        mut self,
        start: SnapshotStart,
        tables: &[CatalogTable],
    ) -> Result<SourceOffset> {
        let began = Instant::now();
        self.metrics.running.set(1);
        let result = self.read(start, tables).await;
        self.metrics.running.set(0);
        self.metrics
            .duration_seconds
            .set(began.elapsed().as_secs() as i64);
        match &result {
            Ok(_) => self.metrics.completed.set(1),
            Err(_) => self.metrics.aborted.set(1),
        }
        result
    }

    async fn read(
        &mut self,
        start: SnapshotStart,
        tables: &[CatalogTable],
    ) -> Result<SourceOffset> {
        let SnapshotStart {
            slot,
            progress,
            stream_from,
        } = start;
        let reader = Connection::open(self.database, "cdc-source snapshot").await?;
        let snapshot = quote_literal(&slot.snapshot_name);
        let begin = format!(
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET TRANSACTION SNAPSHOT {snapshot}"
        );
        reader
            .execute("importing the slot's snapshot", &begin)
            .await?;
        let lsn = slot.consistent_point;
        drop(slot);

        let is_missing =
            |table: &&CatalogTable| !progress.tables.contains_key(&table.qualified_name());
        let missing: Vec<&CatalogTable> = tables.iter().filter(is_missing).collect();
        let mut filled = Vec::with_capacity(missing.len());
        for table in &missing {
            filled.push(has_rows(&reader, table).await?);
        }
        let last_filled = filled.iter().rposition(|has_rows| *has_rows);
        self.metrics.total_table_count.set(tables.len() as i64);
        self.metrics.remaining_table_count.set(missing.len() as i64);
        tracing::info!(tables = missing.len(), %lsn, "snapshot begins");

        let is_fresh = progress.tables.is_empty();
        let mut run = Run::new(lsn, stream_from, facts(&reader).await?, progress);
        let first_filled = filled.iter().position(|has_rows| *has_rows);
        for (index, table) in missing.iter().enumerate() {
            let place = Place {
                is_first: is_fresh && first_filled == Some(index),
                is_last: last_filled == Some(index),
            };
            let count = self.copy(&reader, &mut run, table, place).await?;
            run.progress.tables.insert(table.qualified_name(), lsn.0);
            self.metrics.remaining_table_count.dec();
            tracing::info!(
                table = table.qualified_name(),
                rows = count,
                "table is read"
            );
            let is_large =
                run.rows >= SHARED_ROWS_MAX || run.transaction_since.elapsed() >= SHARED_AGE_MAX;
            if is_large && index + 1 < missing.len() {
                run.commit(&mut self.sink)?;
            }
        }
        run.progress.is_complete = true;
        run.commit(&mut self.sink)?;
        reader.execute("ending the snapshot", "COMMIT").await?;
        tracing::info!(%lsn, "snapshot is complete");
        Ok(run.offset())
    }

    /// Reads one table. One row is held back, since the last row is marked.
    async fn copy(
        &mut self,
        reader: &Connection,
        run: &mut Run,
        table: &CatalogTable,
        place: Place,
    ) -> Result<u64> {
        let name = table.qualified_name();
        let doing = format!("reading table {name}");
        let failed = |error| postgres_error(&doing, &error);
        let mut encoder = self.encoders.table(&table.table)?;
        let rows_scanned = self.metrics.rows_scanned.with_label_values(&[&name]);
        let lines = reader
            .client()
            .copy_out(&copy_statement(table))
            .await
            .map_err(failed)?;
        let mut lines = pin!(lines);
        let mut held: Option<Bytes> = None;
        let mut count = 0_u64;
        while let Some(line) = lines.next().await {
            let line = line.map_err(failed)?;
            if let Some(row) = held.replace(line) {
                count += 1;
                run.write(
                    &row,
                    place.marker(count, false),
                    &mut encoder,
                    &mut self.sink,
                )?;
                if count.is_multiple_of(ROWS_BETWEEN_CHECKS) {
                    rows_scanned.set(count as i64);
                    self.check(run, &doing)?;
                }
            }
        }
        if let Some(row) = held {
            count += 1;
            run.write(
                &row,
                place.marker(count, true),
                &mut encoder,
                &mut self.sink,
            )?;
        }
        rows_scanned.set(count as i64);
        self.metrics.events_seen.inc_by(count);
        Ok(count)
    }

    fn check(&mut self, run: &Run, doing: &str) -> Result<()> {
        self.sink.poll();
        if self.shutdown.is_requested() {
            return Err(Error::Stopped {
                doing: doing.to_owned(),
            });
        }
        if run.transaction_since.elapsed() >= self.transaction_timeout {
            return Err(Error::Setting {
                setting: "producer.override.transaction.timeout.ms",
                problem: format!(
                    "{doing} takes longer than the {} s that a Kafka transaction may last; raise \
                     it together with the brokers' transaction.max.timeout.ms",
                    self.transaction_timeout.as_secs()
                ),
            });
        }
        Ok(())
    }
}

/// Whether a table holds the first or the last row of the whole snapshot.
#[derive(Debug, Clone, Copy)]
struct Place {
    is_first: bool,
    is_last: bool,
}

impl Place {
    /// Debezium's marker for the table's `number`th row, counted from 1. What comes last wins.
    fn marker(self, number: u64, is_last_row: bool) -> SnapshotMarker {
        match (is_last_row, number == 1) {
            (true, _) if self.is_last => SnapshotMarker::Last,
            (_, true) if self.is_first => SnapshotMarker::First,
            (true, _) => SnapshotMarker::LastInDataCollection,
            (_, true) => SnapshotMarker::FirstInDataCollection,
            _ => SnapshotMarker::True,
        }
    }
}

impl Run {
    fn new(
        lsn: Lsn,
        stream_from: Lsn,
        facts: (i64, Option<i64>),
        progress: SnapshotProgress,
    ) -> Self {
        let (time_us, transaction_id) = facts;
        Self {
            stream_from,
            source: SourcePosition {
                commit_timestamp_us: time_us,
                transaction_id: transaction_id.map(|id| id as u32),
                lsn: lsn.0,
                ..SourcePosition::default()
            },
            progress,
            rows: 0,
            transaction_since: Instant::now(),
            copy: CopyLine::default(),
            row: Row::default(),
            records: Vec::new(),
        }
    }

    fn write(
        &mut self,
        line: &[u8],
        marker: SnapshotMarker,
        encoder: &mut TableEncoder,
        sink: &mut impl Sink,
    ) -> Result<()> {
        let mut row = std::mem::take(&mut self.row).recycle();
        self.copy.split(line, &mut row.cells);
        self.source.snapshot = marker;
        let change = Change {
            operation: Operation::Read,
            before: None,
            old_key: None,
            after: Some(&row.cells),
            source: &self.source,
        };
        encoder.encode(&change, now_us(), &mut self.records)?;
        self.row = row.recycle();
        if self.rows == 0 {
            self.transaction_since = Instant::now();
        }
        self.rows += 1;
        for record in self.records.drain(..) {
            sink.write(&record)?;
        }
        Ok(())
    }

    fn commit(&mut self, sink: &mut impl Sink) -> Result<()> {
        sink.commit(&self.offset().to_json())?;
        self.rows = 0;
        Ok(())
    }

    fn offset(&self) -> SourceOffset {
        SourceOffset {
            lsn: self.stream_from.0,
            transaction_id: self.source.transaction_id.map(u64::from),
            timestamp_us: self.source.commit_timestamp_us,
            snapshot: Some(self.progress.clone()),
            ..SourceOffset::default()
        }
    }
}

fn qualified(table: &CatalogTable) -> String {
    format!(
        "{}.{}",
        quote_identifier(&table.table.schema),
        quote_identifier(&table.table.name)
    )
}

fn copy_statement(table: &CatalogTable) -> String {
    let columns: Vec<String> = table
        .table
        .columns
        .iter()
        .map(|column| quote_identifier(&column.name))
        .collect();
    let (name, columns) = (qualified(table), columns.join(", "));
    if table.is_partitioned {
        format!("COPY (SELECT {columns} FROM {name}) TO STDOUT")
    } else {
        format!("COPY {name} ({columns}) TO STDOUT")
    }
}

async fn has_rows(reader: &Connection, table: &CatalogTable) -> Result<bool> {
    let only = if table.is_partitioned { "" } else { "ONLY " };
    let sql = format!("SELECT EXISTS (SELECT FROM {only}{})", qualified(table));
    let row = reader.client().query_one(&sql, &[]).await;
    let doing = || format!("reading table {}", table.qualified_name());
    row.and_then(|row| row.try_get(0))
        .map_err(|error| postgres_error(&doing(), &error))
}

/// The snapshot's time, µs since 1970, and its transaction id, which a standby has not.
async fn facts(reader: &Connection) -> Result<(i64, Option<i64>)> {
    let sql = "SELECT (extract(epoch FROM now()) * 1000000)::int8, \
               CASE WHEN pg_is_in_recovery() THEN NULL ELSE txid_current() END";
    let row = reader.client().query_one(sql, &[]).await;
    row.and_then(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
        .map_err(|error| postgres_error("asking for the snapshot's time", &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn markers(is_first: bool, is_last: bool, rows: u64) -> Vec<SnapshotMarker> {
        let place = Place { is_first, is_last };
        (1..=rows)
            .map(|number| place.marker(number, number == rows))
            .collect()
    }

    #[test]
    fn rows_are_marked_as_debezium_marks_them() {
        use SnapshotMarker as M;
        assert_eq!(
            markers(true, false, 3),
            [M::First, M::True, M::LastInDataCollection]
        );
        assert_eq!(
            markers(false, true, 3),
            [M::FirstInDataCollection, M::True, M::Last]
        );
        assert_eq!(markers(true, true, 2), [M::First, M::Last]);
        assert_eq!(markers(true, true, 1), [M::Last]);
        assert_eq!(markers(true, false, 1), [M::First]);
        assert_eq!(markers(false, false, 1), [M::LastInDataCollection]);
    }
}
