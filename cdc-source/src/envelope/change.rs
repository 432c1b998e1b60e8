//! One logical change of one row, with its values still in Postgres's text format.

use std::sync::Arc;

/// One value of a row, in Postgres's text output format.
///
/// pgoutput's text tuples and `COPY … TO STDOUT` (once unescaped) carry the same bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cell<'a> {
    /// SQL NULL.
    Null,
    /// A TOAST value that the update did not touch, so that Postgres did not log it.
    UnchangedToast,
    /// The value's text.
    Text(&'a [u8]),
}

/// What happened to the row (Debezium's `op`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// `r`: read by a snapshot.
    Read,
    /// `c`: an insert.
    Create,
    /// `u`: an update.
    Update,
    /// `d`: a delete.
    Delete,
    /// `t`: the table was truncated. It has no row.
    Truncate,
}

/// One logical change.
#[derive(Debug, Clone, Copy)]
pub struct Change<'a> {
    /// What happened.
    pub operation: Operation,
    /// The whole old row (`REPLICA IDENTITY FULL`, pgoutput's `O` tuple), one cell per column.
    pub before: Option<&'a [Cell<'a>]>,
    /// The old key (pgoutput's `K` tuple): one cell per column, null outside the identity.
    pub old_key: Option<&'a [Cell<'a>]>,
    /// The new row, one cell per column.
    pub after: Option<&'a [Cell<'a>]>,
    /// Where the change stands in the log.
    pub source: &'a SourcePosition,
}

/// Which row of a snapshot an event is (Debezium's `source.snapshot`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SnapshotMarker {
    /// `false`: the event comes from the stream.
    #[default]
    False,
    /// `true`: a snapshot row that is neither first nor last.
    True,
    /// `first`: the very first row.
    First,
    /// `first_in_data_collection`: the first row of its table.
    FirstInDataCollection,
    /// `last_in_data_collection`: the last row of its table.
    LastInDataCollection,
    /// `last`: the very last row.
    Last,
    /// `incremental`: read by an incremental snapshot.
    Incremental,
}

/// Where a change stands in the log: the varying part of Debezium's `source` block.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourcePosition {
    /// Commit time of the transaction (streaming) or time of the read (snapshot), µs since 1970.
    pub commit_timestamp_us: i64,
    /// Which row of a snapshot this is.
    pub snapshot: SnapshotMarker,
    /// The transaction's id.
    pub transaction_id: Option<u32>,
    /// LSN of the change.
    pub lsn: u64,
    /// LSN of the last commit before this transaction, for `sequence`; `None` until there is one.
    pub last_commit_lsn: Option<u64>,
    /// The slot's xmin; only with `xmin.fetch.interval.ms` above 0.
    pub xmin: Option<u64>,
    /// Name of the replication origin that the transaction came from.
    pub origin: Option<Arc<str>>,
    /// The transaction's commit LSN at that origin.
    pub origin_lsn: Option<u64>,
}
