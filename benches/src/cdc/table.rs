//! The table whose changes are captured: its rows are functions of their id and version, so that
//! what must come out is known.

use std::collections::HashMap;

use serde_json::Value;
use streams_tests::Database;

use crate::Result;

/// The table's name in the schema `public`.
pub(super) const NAME: &str = "customers";

/// One id in this many has its values checked.
pub(super) const SAMPLED_ID_STEP: i64 = 997;

const COLUMNS: &str = "id bigint PRIMARY KEY, version int NOT NULL, name text NOT NULL, \
     email text NOT NULL, balance numeric(12, 2) NOT NULL, active boolean NOT NULL, \
     rating double precision NOT NULL, created_at timestamptz NOT NULL, \
     updated_at timestamp NOT NULL, note text";

/// The part of a row's note that is repeated: 32 bytes.
const NOTE_BYTES: usize = 32;

/// The table with rows of a certain size.
#[derive(Debug, Clone, Copy)]
pub(super) struct Table {
    note_repeats: usize,
}

impl Table {
    /// Rows of about 200 bytes.
    pub(super) const SMALL: Self = Self { note_repeats: 2 };
    /// Rows of about 1 KiB.
    pub(super) const LARGE: Self = Self { note_repeats: 28 };

    /// The bytes of one row's text.
    pub(super) fn row_bytes(self) -> usize {
        128 + self.note_repeats * NOTE_BYTES
    }

    /// Creates it, empty.
    pub(super) fn create(database: &Database) {
        database.execute(&format!("CREATE TABLE {NAME} ({COLUMNS})"));
    }

    /// The statement that inserts the ids from `first` to `last`, both SQL expressions.
    pub(super) fn insert(self, first: &str, last: &str) -> String {
        let row = self.row();
        format!(
            "INSERT INTO {NAME} SELECT {row}
               FROM (SELECT id, 1 AS version
                       FROM generate_series(({first})::int8, ({last})::int8) AS id) AS new"
        )
    }

    /// The statement that makes version 2 of the ids from `first` to `last`.
    pub(super) fn update(first: &str, last: &str) -> String {
        format!(
            "UPDATE {NAME} SET version = 2, rating = rating + 1000, active = NOT active
              WHERE id BETWEEN {first} AND {last}"
        )
    }

    /// A row's columns for an `id` and a `version`.
    fn row(self) -> String {
        let repeats = self.note_repeats;
        // The balance, in cents, has three bytes whatever the id: see `expected`. No rating is a
        // whole number, which JSON could write in two ways.
        format!(
            "id, version, 'Customer ' || id, 'customer.' || id || '@example.com',
             (65536 + id * 7919 % 8000000)::numeric(14, 0) / 100, (id + version) % 3 = 0,
             id % 1000 / 8.0::float8 + 0.0625,
             timestamptz '2024-01-31 22:15:00.25+00' + id * interval '1.000001 s',
             timestamp '2024-02-29 01:02:03' + id * interval '1 ms',
             CASE WHEN id % 10 = 0 THEN NULL ELSE repeat(md5(id::text), {repeats}) END"
        )
    }

    /// What `after` must be for each sampled id up to `last`, by id and version, as Debezium's
    /// documentation says each type is written and Postgres computes it.
    pub(super) fn expected(self, database: &Database, last: i64) -> Result<Sample> {
        let row = self.row();
        let rows = database.query(&format!(
            "SELECT id, version, json_build_object('id', id, 'version', version, 'name', name,
                'email', email,
                'balance', encode(substring(int8send((balance * 100)::int8) FROM 6), 'base64'),
                'active', CASE WHEN version = 1 THEN active ELSE NOT active END,
                'rating', rating + CASE WHEN version = 1 THEN 0 ELSE 1000 END,
                'created_at',
                to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'),
                'updated_at', (extract(epoch FROM updated_at) * 1000000)::int8, 'note', note)
               FROM (SELECT r.id, v AS version, r.name, r.email, r.balance, r.active, r.rating,
                            r.created_at, r.updated_at, r.note
                       FROM (SELECT {row} FROM (SELECT id, 1 AS version FROM
                             generate_series(0::int8, {last}, {SAMPLED_ID_STEP}) AS id) AS new
                            ) AS r(id, version, name, email, balance, active, rating, created_at,
                                   updated_at, note), generate_series(1, 2) AS v) AS whole"
        ));
        let mut sample = Sample::new();
        for row in rows {
            let mut row = row.into_iter().map(Option::unwrap_or_default);
            let mut next = || row.next().unwrap_or_default();
            let (id, version) = (next().parse()?, next().parse()?);
            sample.insert((id, version), serde_json::from_str(&next())?);
        }
        Ok(sample)
    }
}

/// Rows by id and version.
pub(super) type Sample = HashMap<(i64, i64), Value>;
