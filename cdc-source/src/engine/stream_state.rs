//! What the stream knows between two messages: the transaction it is in, the batch it has written,
//! the offset it has reached.

use std::borrow::Cow;
use std::mem;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use pgwire_replication::ReplicationEvent;

use super::batch::Batch;
use super::table_cache::{CachedTable, TableCache};
use crate::config::ProcessingFailure;
use crate::envelope::{Cell, Change, Operation, OutgoingRecord, SnapshotMarker, SourcePosition};
use crate::metrics::StreamingMetrics;
use crate::offset::{OpenTransaction, SourceOffset};
use crate::postgres::Lsn;
use crate::postgres::pgoutput::{Message, OldRow, Origin, Relation, Row, decode};
use crate::sink::Sink;
use crate::{Error, Result};

/// The Postgres epoch, 2000-01-01, in µs since 1970.
const POSTGRES_EPOCH_US: i64 = 946_684_800_000_000;

/// The stream between two messages.
pub(super) struct StreamState<S> {
    pub(super) tables: TableCache,
    pub(super) batch: Batch,
    sink: S,
    on_failure: ProcessingFailure,
    offset: SourceOffset,
    /// Transactions that committed before are done.
    start: u64,
    transaction: Option<Transaction>,
    metrics: StreamingMetrics,
    old: Row<'static>,
    new: Row<'static>,
    records: Vec<OutgoingRecord>,
}

struct Transaction {
    /// LSN of the commit record.
    commit_lsn: u64,
    /// How many changes were seen so far.
    events: u64,
    /// How many of its changes an earlier run has emitted.
    done: u64,
    /// Changes below this LSN were emitted by Debezium, which counts no changes.
    done_below_lsn: u64,
    source: SourcePosition,
}

/// What is left to do after a message.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Nothing.
    Continue,
    /// The table has to be looked up before its changes can be written.
    Describe(Relation),
    /// A transaction ended.
    TransactionEnd,
    /// The server is idle: if nothing is open, everything before the LSN is done.
    Idle(Lsn),
}

impl<S: Sink> StreamState<S> {
    pub(super) fn new(
        offset: SourceOffset,
        tables: TableCache,
        sink: S,
        on_failure: ProcessingFailure,
        metrics: StreamingMetrics,
    ) -> Self {
        Self {
            tables,
            batch: Batch::default(),
            sink,
            on_failure,
            start: offset.stream_start(),
            offset,
            transaction: None,
            metrics,
            old: Row::default(),
            new: Row::default(),
            records: Vec::new(),
        }
    }

    /// Takes in one message.
    pub(super) fn handle(&mut self, event: &ReplicationEvent) -> Result<Next> {
        match event {
            ReplicationEvent::XLogData {
                wal_start,
                server_time_micros,
                data,
                ..
            } => {
                if let Some(transaction) = &self.transaction {
                    let sent_us = server_time_micros + POSTGRES_EPOCH_US;
                    let lag_us = sent_us - transaction.source.commit_timestamp_us;
                    self.batch.set_lag(lag_us);
                }
                return self.handle_message(wal_start.as_u64(), data);
            }
            ReplicationEvent::Begin {
                final_lsn,
                xid,
                commit_time_micros,
            } => {
                self.begin(
                    final_lsn.as_u64(),
                    *xid,
                    commit_time_micros + POSTGRES_EPOCH_US,
                );
            }
            ReplicationEvent::Commit { end_lsn, .. } => {
                self.end(end_lsn.as_u64());
                return Ok(Next::TransactionEnd);
            }
            ReplicationEvent::KeepAlive { wal_end, .. } => {
                return Ok(Next::Idle(Lsn(wal_end.as_u64())));
            }
            ReplicationEvent::Message { .. } | ReplicationEvent::StoppedAt { .. } => {}
        }
        Ok(Next::Continue)
    }

    fn begin(&mut self, commit_lsn: u64, xid: u32, commit_timestamp_us: i64) {
        let (mut done, mut done_below_lsn) = (0, 0);
        if commit_lsn < self.start {
            done = u64::MAX;
        } else if let Some(open) = &self.offset.open_transaction {
            if open.commit_lsn == commit_lsn {
                done = open.events;
            }
        } else if self.transaction_is_debeziums() {
            done_below_lsn = self.offset.processed_lsn.unwrap_or_default();
        }
        self.transaction = Some(Transaction {
            commit_lsn,
            events: 0,
            done,
            done_below_lsn,
            source: SourcePosition {
                commit_timestamp_us,
                snapshot: SnapshotMarker::False,
                transaction_id: Some(xid),
                last_commit_lsn: self.offset.commit_lsn,
                ..SourcePosition::default()
            },
        });
    }

    /// An offset that Debezium wrote within a transaction tells only the LSN of the last change.
    fn transaction_is_debeziums(&self) -> bool {
        self.offset.commit_lsn == Some(self.start)
            && self.offset.processed_lsn > self.offset.commit_lsn
            && self.batch.is_empty()
    }

    fn end(&mut self, end_lsn: u64) {
        self.metrics.committed_transactions.inc();
        let was_done = self
            .transaction
            .take()
            .is_some_and(|open| open.done == u64::MAX);
        if was_done {
            return;
        }
        self.offset.commit_lsn = Some(end_lsn);
        self.offset.processed_lsn = Some(end_lsn);
        self.offset.open_transaction = None;
        let is_past = |end: u64| end_lsn >= end;
        let snapshot = self.offset.snapshot.as_ref();
        if snapshot.is_some_and(|snapshot| snapshot.stream_end().is_none_or(is_past)) {
            self.offset.snapshot = None;
        }
    }

    fn handle_message(&mut self, lsn: u64, data: &[u8]) -> Result<Next> {
        let mut old = mem::take(&mut self.old).recycle();
        let mut new = mem::take(&mut self.new).recycle();
        let decoded = decode(data, &mut old, &mut new);
        let message = decoded.map_err(|source| Error::Decode {
            lsn: Lsn(lsn),
            source,
        })?;
        let mut next = Next::Continue;
        match message {
            Message::Insert { relation_id } => {
                let rows = Rows {
                    after: Some(&new.cells),
                    ..Rows::default()
                };
                self.write(lsn, relation_id, Operation::Create, rows)?;
            }
            Message::Update {
                relation_id,
                old: kind,
            } => {
                let rows = Rows {
                    after: Some(&new.cells),
                    ..Rows::old(kind, &old.cells)
                };
                self.write(lsn, relation_id, Operation::Update, rows)?;
            }
            Message::Delete {
                relation_id,
                old: kind,
            } => {
                let rows = Rows::old(kind, &old.cells);
                self.write(lsn, relation_id, Operation::Delete, rows)?;
            }
            Message::Truncate { relation_ids } => {
                for relation_id in relation_ids {
                    self.write(lsn, relation_id, Operation::Truncate, Rows::default())?;
                }
            }
            Message::Relation(relation) => next = Next::Describe(relation),
            Message::Origin(origin) => self.set_origin(origin),
            Message::Other(_) => {}
        }
        self.old = old.recycle();
        self.new = new.recycle();
        Ok(next)
    }

    fn set_origin(&mut self, origin: Origin) {
        if let Some(transaction) = &mut self.transaction {
            transaction.source.origin = Some(origin.name.into());
            transaction.source.origin_lsn = Some(origin.commit_lsn);
        }
    }

    fn write(
        &mut self,
        lsn: u64,
        relation_id: u32,
        operation: Operation,
        rows: Rows<'_>,
    ) -> Result<()> {
        let Some(transaction) = &mut self.transaction else {
            return Err(stray(lsn, "a change came outside a transaction"));
        };
        transaction.events += 1;
        let table = match self.tables.get_mut(relation_id) {
            Some(CachedTable::Captured(table)) => table,
            Some(CachedTable::Excluded) => {
                self.metrics.events_filtered.inc();
                return Ok(());
            }
            None => return Err(stray(lsn, "a change came before its relation")),
        };
        let is_done = transaction.events <= transaction.done
            || lsn < transaction.done_below_lsn
            || transaction.commit_lsn < table.snapshot_lsn;
        if is_done {
            return Ok(());
        }
        transaction.source.lsn = lsn;
        let change = Change {
            operation,
            before: rows.before,
            old_key: rows.old_key,
            after: rows.after,
            source: &transaction.source,
        };
        let now_us = now_us();
        if let Err(error) = table.encoder.encode(&change, now_us, &mut self.records) {
            self.records.clear();
            return pass_over(self.on_failure, lsn, error);
        }
        self.offset.lsn = lsn;
        self.offset.processed_lsn = Some(lsn);
        self.offset.transaction_id = transaction.source.transaction_id.map(u64::from);
        self.offset.timestamp_us = transaction.source.commit_timestamp_us;
        self.offset.message_type = Some(message_type(operation));
        self.batch
            .count(operation, transaction.source.commit_timestamp_us, now_us);
        self.flush_records()
    }

    /// Writes a heartbeat into the batch.
    pub(super) fn write_heartbeat(&mut self, record: OutgoingRecord) -> Result<()> {
        self.records.push(record);
        self.flush_records()
    }

    fn flush_records(&mut self) -> Result<()> {
        for record in self.records.drain(..) {
            self.batch.add(&record);
            self.sink.write(&record)?;
        }
        Ok(())
    }

    /// Whether the stream is within a transaction of the database.
    pub(super) fn is_in_transaction(&self) -> bool {
        self.transaction.is_some()
    }

    /// Commits the batch with the offset, and returns up to where the server may forget.
    pub(super) fn commit(&mut self) -> Result<Option<Lsn>> {
        // Once the batch reaches into a transaction its place has to be remembered; before that
        // the place from which this run went on still holds.
        if let Some(transaction) = &self.transaction
            && transaction.done != u64::MAX
        {
            self.offset.open_transaction = Some(OpenTransaction {
                commit_lsn: transaction.commit_lsn,
                events: transaction.events.max(transaction.done),
            });
        }
        self.sink.commit(&self.offset.to_json())?;
        self.batch.report(&self.metrics);
        self.batch.clear(Instant::now());
        Ok(self.offset.commit_lsn.map(Lsn))
    }

    /// Lets the sink do what it has to do between records.
    pub(super) fn poll(&mut self) {
        self.sink.poll();
    }
}

#[derive(Default)]
struct Rows<'a> {
    before: Option<&'a [Cell<'a>]>,
    old_key: Option<&'a [Cell<'a>]>,
    after: Option<&'a [Cell<'a>]>,
}

impl<'a> Rows<'a> {
    fn old(kind: OldRow, cells: &'a [Cell<'a>]) -> Self {
        match kind {
            OldRow::None => Self::default(),
            OldRow::Key => Self {
                old_key: Some(cells),
                ..Self::default()
            },
            OldRow::Full => Self {
                before: Some(cells),
                ..Self::default()
            },
        }
    }
}

/// What becomes of a change that cannot be encoded. Only of one in the stream: a snapshot stops, as
/// Debezium's does (`EventDispatcher#dispatchDataChangeEvent`).
fn pass_over(on_failure: ProcessingFailure, lsn: u64, error: Error) -> Result<()> {
    match on_failure {
        ProcessingFailure::Fail => return Err(error),
        ProcessingFailure::Warn => {
            tracing::warn!(lsn = %Lsn(lsn), %error, "a change is left out");
        }
        ProcessingFailure::Skip => {
            tracing::debug!(lsn = %Lsn(lsn), %error, "a change is left out");
        }
    }
    Ok(())
}

fn stray(lsn: u64, problem: &str) -> Error {
    Error::Postgres {
        doing: format!("streaming at {}", Lsn(lsn)),
        problem: problem.to_owned(),
    }
}

/// Debezium's `messageType`.
fn message_type(operation: Operation) -> Cow<'static, str> {
    Cow::Borrowed(match operation {
        Operation::Read | Operation::Create => "INSERT",
        Operation::Update => "UPDATE",
        Operation::Delete => "DELETE",
        Operation::Truncate => "TRUNCATE",
    })
}

/// The clock, µs since 1970.
pub(super) fn now_us() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |elapsed| elapsed.as_micros() as i64)
}

#[cfg(test)]
#[path = "stream_state_test.rs"]
mod tests;
