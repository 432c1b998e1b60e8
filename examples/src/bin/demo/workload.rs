//! The live workload: inserts, updates and deletes in transactions of a few rows.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use streams_tests::{Error, Session};

use crate::database::Database;
use crate::topic::TABLES;

/// How many rows each table has before the connector starts.
const ROWS_BEFORE: u64 = 100;
/// How many rows one transaction changes at most.
const TRANSACTION_ROWS_MAX: usize = 5;
/// One of so many transactions is rolled back: nothing of it may reach a topic.
const ROLLBACK_ONE_IN: u32 = 25;
/// One of so many new rows breaks a rule of `processors events`.
const FLAW_ONE_IN: u32 = 60;
/// How far the workload may fall behind its rate before it gives up catching up.
const BEHIND_MAX: Duration = Duration::from_secs(1);

const NAMES: [&str; 8] = [
    "Ada", "Alan", "Barbara", "Edsger", "Grace", "Leslie", "Niklaus", "Tony",
];
const GOODS: [&str; 6] = ["anvil", "compass", "kettle", "lantern", "rope", "telescope"];
const STATES: [&str; 4] = ["paid", "packed", "shipped", "delivered"];

/// The running workload. It ends when it is stopped or dropped.
#[derive(Debug)]
pub(crate) struct Workload {
    stop: Sender<()>,
    thread: JoinHandle<Result<(), Error>>,
}

/// Writes SQL that changes rows which are there. The same seed writes the same statements.
#[derive(Debug)]
pub(crate) struct Author {
    random: StdRng,
    tables: [Rows; 3],
}

/// The rows of one table, by id. An id is never used again.
#[derive(Debug, Clone, Default)]
struct Rows {
    last: u64,
    alive: Vec<u64>,
}

impl Workload {
    /// Starts it, with `rate` changed rows a second.
    pub(crate) fn start(database: &Database, author: Author, rate: u32) -> Result<Self, Error> {
        let session = database.connect()?;
        let (stop, stopped) = channel();
        let thread = thread::spawn(move || run(&session, author, rate, &stopped));
        Ok(Self { stop, thread })
    }

    /// Itself while it runs; the reason if it has ended before it was stopped.
    pub(crate) fn check(self) -> Result<Self, Error> {
        if !self.thread.is_finished() {
            return Ok(self);
        }
        self.stop()?;
        Err(Error::Missing(String::from("the workload has ended early")))
    }

    /// Stops it; all that it has changed is committed then.
    pub(crate) fn stop(self) -> Result<(), Error> {
        drop(self.stop);
        let ended = self.thread.join();
        ended.map_err(|_| Error::Missing(String::from("the workload has panicked")))?
    }
}

fn run(
    session: &Session,
    mut author: Author,
    rate: u32,
    stopped: &Receiver<()>,
) -> Result<(), Error> {
    let pause = Duration::from_secs(1) / rate.max(1);
    let mut due = Instant::now();
    loop {
        let wait = due.saturating_duration_since(Instant::now());
        if !matches!(stopped.recv_timeout(wait), Err(RecvTimeoutError::Timeout)) {
            return Ok(());
        }
        let rows = author.random.random_range(1..=TRANSACTION_ROWS_MAX);
        session.execute(&author.transaction(rows))?;
        let earliest = Instant::now().checked_sub(BEHIND_MAX).unwrap_or(due);
        due = (due + pause * rows as u32).max(earliest);
    }
}

impl Author {
    /// An author for empty tables.
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            random: StdRng::seed_from_u64(seed),
            tables: Default::default(),
        }
    }

    /// The statements that fill the tables before the connector starts.
    pub(crate) fn rows_before(&mut self) -> String {
        let mut statements = Vec::new();
        for _ in 0..ROWS_BEFORE {
            statements.extend(TABLES.map(|table| self.insert(table)));
        }
        statements.join(";\n")
    }

    /// A transaction that changes `rows` rows, or is rolled back.
    fn transaction(&mut self, rows: usize) -> String {
        let before = self.tables.clone();
        let mut statements = vec![String::from("BEGIN")];
        statements.extend((0..rows).map(|_| self.change()));
        if self.random.random_ratio(1, ROLLBACK_ONE_IN) {
            statements.push(String::from("ROLLBACK"));
            for (table, before) in self.tables.iter_mut().zip(before) {
                table.alive = before.alive;
            }
        } else {
            statements.push(String::from("COMMIT"));
        }
        statements.join(";\n")
    }

    fn change(&mut self) -> String {
        let table = *TABLES.choose(&mut self.random).unwrap_or(&"users");
        match self.random.random_range(0..20) {
            0..8 => self.insert(table),
            8..17 => self.update(table).unwrap_or_else(|| self.insert(table)),
            _ => self.delete(table).unwrap_or_else(|| self.insert(table)),
        }
    }

    fn insert(&mut self, table: &str) -> String {
        let flawed = self.random.random_ratio(1, FLAW_ONE_IN);
        let sign = if flawed { "-" } else { "" };
        let (name, money) = (self.pick(&NAMES), self.money());
        let id = self.rows(table).add();
        match table {
            "users" => {
                let at = if flawed { " at " } else { "@" };
                let email = format!("{}.{id}{at}example.com", name.to_lowercase());
                format!("INSERT INTO users (id, name, email) VALUES ({id}, '{name}', '{email}')")
            }
            "orders" => {
                let user = self.some_row("users").unwrap_or(1);
                format!(
                    "INSERT INTO orders (id, user_id, status, amount)
                       VALUES ({id}, {user}, 'new', {sign}{money})"
                )
            }
            _ => {
                let (name, stock) = (self.pick(&GOODS), self.random.random_range(0..500));
                format!(
                    "INSERT INTO products (id, name, price, stock)
                       VALUES ({id}, '{name}', {sign}{money}, {stock})"
                )
            }
        }
    }

    fn update(&mut self, table: &str) -> Option<String> {
        let id = self.some_row(table)?;
        let change = match table {
            "users" => format!("name = '{}'", self.pick(&NAMES)),
            "orders" => format!("status = '{}'", self.pick(&STATES)),
            _ => format!("stock = {}", self.random.random_range(0..500)),
        };
        Some(format!(
            "UPDATE {table} SET {change}, version = version + 1 WHERE id = {id}"
        ))
    }

    fn delete(&mut self, table: &str) -> Option<String> {
        let id = self.some_row(table)?;
        self.rows(table).alive.retain(|row| *row != id);
        Some(format!("DELETE FROM {table} WHERE id = {id}"))
    }

    fn some_row(&mut self, table: &str) -> Option<u64> {
        let rows = self.rows(table).alive.len();
        let place = (rows > 0).then(|| self.random.random_range(0..rows))?;
        self.rows(table).alive.get(place).copied()
    }

    fn rows(&mut self, table: &str) -> &mut Rows {
        let [users, orders, products] = &mut self.tables;
        match table {
            "users" => users,
            "orders" => orders,
            _ => products,
        }
    }

    fn pick(&mut self, words: &[&'static str]) -> &'static str {
        words.choose(&mut self.random).copied().unwrap_or_default()
    }

    fn money(&mut self) -> String {
        let cents = self.random.random_range(100..100_000);
        format!("{}.{:02}", cents / 100, cents % 100)
    }
}

impl Rows {
    fn add(&mut self) -> u64 {
        self.last += 1;
        self.alive.push(self.last);
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_seed_writes_the_same_statements() {
        let write = |seed| {
            let mut author = Author::new(seed);
            let before = author.rows_before();
            (
                before,
                (0..50).map(|_| author.transaction(3)).collect::<Vec<_>>(),
            )
        };
        assert_eq!(write(7), write(7));
        assert_ne!(write(7), write(8));
    }

    #[test]
    fn id_is_not_used_again_after_a_rollback() {
        let mut author = Author::new(1);
        let mut inserted = std::collections::BTreeSet::new();
        for _ in 0..2_000 {
            let transaction = author.transaction(3);
            for line in transaction
                .lines()
                .filter(|line| line.contains("INSERT INTO users"))
            {
                let id = line
                    .split("VALUES (")
                    .nth(1)
                    .and_then(|rest| rest.split(',').next());
                assert!(inserted.insert(id.map(str::to_owned)), "{line}");
            }
        }
    }
}
