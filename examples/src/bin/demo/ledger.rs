//! What Postgres has committed, as its ledger tells.

use std::collections::BTreeMap;

use streams_tests::{Error, Expectation, Session};

use crate::database::Database;
use crate::event::{self, Row};
use crate::topic::TABLES;

/// How many rows of each table were changed, by operation.
pub(crate) type Counts = BTreeMap<String, Changes>;

/// The committed changes of one table.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Changes {
    /// Rows inserted.
    pub(crate) inserts: u64,
    /// Rows updated.
    pub(crate) updates: u64,
    /// Rows deleted.
    pub(crate) deletes: u64,
    /// Rows that were there before the connector, which its snapshot has to read.
    pub(crate) reads: u64,
}

impl Changes {
    /// How many rows were changed while the connector ran.
    pub(crate) fn rows(&self) -> u64 {
        self.inserts + self.updates + self.deletes
    }

    /// How many records these changes are in a topic: a delete is an event and a tombstone.
    pub(crate) fn records(&self) -> u64 {
        self.rows() + self.deletes + self.reads
    }
}

/// What the topics have to agree with.
#[derive(Debug)]
pub(crate) struct Truth {
    /// What the tables' topics have to hold: each change once, in its row's order, and behind each
    /// delete a tombstone. The keys are a table's name and a row's id.
    pub(crate) changes: Expectation,
    /// The rows of each table by id, without the time of their creation.
    pub(crate) rows: BTreeMap<String, BTreeMap<i64, Row>>,
}

/// A connection that reads the ledger.
#[derive(Debug)]
pub(crate) struct Ledger {
    session: Session,
}

impl Ledger {
    /// Connects to the database.
    pub(crate) fn open(database: &Database) -> Result<Self, Error> {
        let session = database.connect()?;
        Ok(Self { session })
    }

    /// Declares all that was entered so far as rows for the snapshot.
    pub(crate) fn close_before_snapshot(&self) -> Result<(), Error> {
        self.session.execute("UPDATE ledger SET op = 'r'")
    }

    /// Counts what is entered by now.
    pub(crate) fn counts(&self) -> Result<Counts, Error> {
        let mut counts = Counts::new();
        let query = "SELECT table_name, op, count(*) FROM ledger GROUP BY 1, 2";
        for row in self.session.query(query)? {
            let [Some(table), Some(op), Some(count)] = row.as_slice() else {
                return Err(unexpected(query));
            };
            let changes = counts.entry(table.clone()).or_default();
            let field = match op.as_str() {
                "c" => &mut changes.inserts,
                "u" => &mut changes.updates,
                "d" => &mut changes.deletes,
                _ => &mut changes.reads,
            };
            *field = count.parse().map_err(|_| unexpected(query))?;
        }
        Ok(counts)
    }

    /// All that was committed by now.
    pub(crate) fn truth(&self) -> Result<Truth, Error> {
        let rows = TABLES.map(|table| Ok((table.to_owned(), self.rows(table)?)));
        Ok(Truth {
            changes: self.changes()?,
            rows: rows.into_iter().collect::<Result<_, Error>>()?,
        })
    }

    fn changes(&self) -> Result<Expectation, Error> {
        let mut expectation = Expectation::default();
        let query = "SELECT table_name, id, op, version FROM ledger ORDER BY seq";
        for row in self.session.query(query)? {
            let [Some(table), Some(id), Some(op), Some(version)] = row.as_slice() else {
                return Err(unexpected(query));
            };
            let key = format!("{table} {id}");
            expectation.push(key.clone(), event::label(op, version.parse().ok()));
            if op == "d" {
                expectation.push(key, event::TOMBSTONE);
            }
        }
        Ok(expectation)
    }

    fn rows(&self, table: &str) -> Result<BTreeMap<i64, Row>, Error> {
        let query = format!("SELECT id, to_jsonb({table}) - 'created_at' FROM {table}");
        let rows = self.session.query(&query)?.into_iter().map(|row| {
            let [Some(id), Some(text)] = row.as_slice() else {
                return Err(unexpected(&query));
            };
            let id = id.parse().map_err(|_| unexpected(&query))?;
            let row = serde_json::from_str(text).map_err(|_| unexpected(&query))?;
            Ok((id, row))
        });
        rows.collect()
    }
}

fn unexpected(query: &str) -> Error {
    Error::Sql {
        statement: query.to_owned(),
        message: String::from("the answer has another form than expected"),
    }
}
