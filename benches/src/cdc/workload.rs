//! What is done to the table, and what must come out.

use std::time::Duration;

use clap::ValueEnum;
use streams_tests::Database;

use super::audit::{Audit, History};
use super::capture::Begin;
use super::latency::Pace;
use super::table::{self, Table};
use super::{Arguments, figures};
use crate::Result;
use crate::report::{Figure, number};

/// Inserts of one transaction of the backlog.
const BACKLOG_INSERTS: i64 = 6;
/// All changes of one of its transactions: the inserts, three updates and a delete.
const BACKLOG_CHANGES: usize = 10;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Workload {
    /// The initial snapshot of a table.
    Snapshot,
    /// Many small transactions that were written before the connector starts.
    Backlog,
    /// From the commit to the topic, at a steady rate.
    Latency,
    /// One large transaction that was written before the connector starts.
    LargeTransaction,
}

/// A workload in its size.
pub(super) struct Task {
    /// Its name, with its rate if it has one.
    pub(super) name: String,
    /// What is done.
    pub(super) title: &'static str,
    /// In which size.
    pub(super) setting: String,
    pub(super) begin: Begin,
    /// Changes of the database.
    pub(super) changes: i64,
    pub(super) pace: Option<Pace>,
    table: Table,
    /// What the table holds before any slot is made.
    before: Option<String>,
    /// What is written once the slots are there.
    after: Option<String>,
    history: History,
    first: i64,
    last: i64,
}

impl Task {
    /// The tasks of a workload: one for each rate of the latency.
    pub(super) fn of(workload: Workload, arguments: &Arguments) -> Vec<Self> {
        match workload {
            Workload::Snapshot => vec![Self::snapshot(arguments.rows)],
            Workload::Backlog => vec![Self::backlog(arguments.changes)],
            Workload::LargeTransaction => vec![Self::large(arguments.transaction_mib)],
            Workload::Latency => {
                let pace = |rate: &usize| Pace {
                    rate: *rate,
                    warm_up: Duration::from_secs(arguments.warm_up_seconds),
                    measured: Duration::from_secs(arguments.seconds),
                };
                let tasks = arguments.rate.iter().map(pace);
                tasks.map(Self::latency).collect()
            }
        }
    }

    fn snapshot(rows: i64) -> Self {
        let row_bytes = Table::SMALL.row_bytes();
        Self {
            name: String::from("snapshot"),
            title: "The initial snapshot of a table",
            setting: format!("{} rows of about {row_bytes} bytes", number(rows as f64)),
            begin: Begin::Snapshot,
            changes: rows,
            pace: None,
            table: Table::SMALL,
            before: Some(Table::SMALL.insert("1", &rows.to_string())),
            after: None,
            history: |_, _| "r",
            first: 1,
            last: rows,
        }
    }

    fn backlog(changes: usize) -> Self {
        let transactions = (changes / BACKLOG_CHANGES).max(1) as i64;
        let insert = Table::SMALL.insert("n * 6", "n * 6 + 5");
        let update = Table::update("n * 6 - 6", "n * 6 - 4");
        let table = table::NAME;
        Self {
            name: String::from("backlog"),
            title: "A backlog of small transactions",
            setting: format!(
                "{} transactions of 6 inserts, 3 updates and a delete, in rows of about {} bytes, \
                 written before the connector starts",
                number(transactions as f64),
                Table::SMALL.row_bytes()
            ),
            begin: Begin::Stream,
            changes: transactions * BACKLOG_CHANGES as i64,
            pace: None,
            table: Table::SMALL,
            before: Some(Table::SMALL.insert("0", "5")),
            after: Some(format!(
                "DO $$ BEGIN FOR n IN 1..{transactions} LOOP {insert}; {update};
                   DELETE FROM {table} WHERE id = n * 6 - 1; COMMIT; END LOOP; END $$"
            )),
            history: backlog_history,
            first: 0,
            last: (transactions + 1) * BACKLOG_INSERTS - 1,
        }
    }

    fn large(mib: usize) -> Self {
        let rows = ((mib << 20) / Table::LARGE.row_bytes()) as i64;
        Self {
            name: String::from("large-transaction"),
            title: "One large transaction",
            setting: format!(
                "{} inserts of about {} bytes, {mib} MiB in all, written before the connector starts",
                number(rows as f64),
                Table::LARGE.row_bytes()
            ),
            begin: Begin::Stream,
            changes: rows,
            pace: None,
            table: Table::LARGE,
            before: None,
            after: Some(Table::LARGE.insert("1", &rows.to_string())),
            history: |_, _| "c",
            first: 1,
            last: rows,
        }
    }

    fn latency(pace: Pace) -> Self {
        Self {
            name: format!("latency-{}", pace.rate),
            title: "From the commit to a read_committed reader",
            setting: format!(
                "{} changes/s in transactions of {}, for {} s after {} s of warm-up",
                number(pace.rate as f64),
                pace.rows(),
                pace.measured.as_secs(),
                pace.warm_up.as_secs()
            ),
            begin: Begin::Stream,
            changes: pace.changes(),
            pace: Some(pace),
            table: Table::SMALL,
            before: None,
            after: None,
            history: |_, _| "c",
            first: 1,
            last: pace.changes(),
        }
    }

    /// Whether each run has a table of its own: where it is written to while the contender runs.
    pub(super) fn needs_own_table(&self) -> bool {
        self.pace.is_some()
    }

    /// What is looked at.
    pub(super) fn figures(&self) -> Vec<Figure> {
        match self.pace {
            Some(_) => figures::of_latency(),
            None => figures::of_work(),
        }
    }

    /// Makes the table with what it holds before any slot is made.
    pub(super) fn prepare(&self, database: &Database) {
        Table::create(database);
        if let Some(insert) = &self.before {
            database.execute(insert);
        }
        // What a vacuum would do while a contender runs is done now.
        database.execute(&format!("VACUUM (FREEZE, ANALYZE) {}", table::NAME));
    }

    /// Writes what the slots are to hold, and returns where the log ends then.
    ///
    /// # Errors
    /// When Postgres does not say.
    pub(super) fn write(&self, database: &Database) -> Result<String> {
        if let Some(statement) = &self.after {
            // The plans are made while the table is small, and used when it is large.
            database.execute("SET enable_seqscan = off");
            database.execute(statement);
        }
        database.execute("CHECKPOINT");
        let end = database.value("SELECT pg_current_wal_lsn()");
        Ok(end.ok_or("Postgres does not say where its log ends")?)
    }

    /// What a topic with all of it must hold.
    ///
    /// # Errors
    /// When Postgres does not say what the values are.
    pub(super) fn audit(&self, database: &Database) -> Result<Audit> {
        let sample = self.table.expected(database, self.last)?;
        Ok(Audit::new(self.history, self.first, self.last, sample))
    }
}

/// Each transaction inserts six rows; the next updates the first three and deletes the last of
/// them, which gives a tombstone too. The first six were there before.
fn backlog_history(id: i64, last: i64) -> &'static str {
    let is_followed = id + BACKLOG_INSERTS <= last;
    match (id >= BACKLOG_INSERTS, is_followed, id % BACKLOG_INSERTS) {
        (true, true, 0..=2) => "cu",
        (true, true, 5) => "cdt",
        (true, _, _) => "c",
        (false, true, 0..=2) => "u",
        (false, true, 5) => "dt",
        (false, _, _) => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backlog_has_as_many_events_as_changes_and_tombstones() {
        let task = Task::backlog(1_000);
        let ids = task.first..=task.last;
        let histories: String = ids.map(|id| (task.history)(id, task.last)).collect();
        let count = |op| histories.matches(op).count();
        let counts = ["c", "u", "d", "t"].map(count);
        assert_eq!(counts, [600, 300, 100, 100]);
        assert_eq!(task.changes, 1_000);
    }
}
