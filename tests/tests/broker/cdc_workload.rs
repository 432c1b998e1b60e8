//! A live workload on a database that remembers what it did, and the check that a topic tells the
//! same story.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use streams_tests::{Cluster, Expectation, Message, Session, wait_until};

use crate::cdc_connector::{LIMIT, envelope, operation};

/// How many rows the workload changes.
const KEYS: u32 = 150;

/// The rows of one table, as the workload has committed them: for each key every version in order,
/// with what was done.
pub(crate) type History = BTreeMap<u32, Vec<String>>;

/// Columns of a table that a workload can work on. With the whole old row a delete tells which
/// version it deleted.
pub(crate) fn create_table(name: &str) -> String {
    format!(
        "CREATE TABLE {name} (id int PRIMARY KEY, version int NOT NULL, filler text);
         ALTER TABLE {name} REPLICA IDENTITY FULL;"
    )
}

/// Changes rows until it is told to stop.
pub(crate) struct Workload {
    history: Arc<Mutex<History>>,
    transactions: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Workload {
    /// Begins to change rows of `table`, which has to be empty. A connection that breaks is made
    /// anew: whether its transaction was committed is then looked up.
    pub(crate) fn start(url: &str, table: &str, seed: u64) -> Self {
        let history = Arc::new(Mutex::new(History::new()));
        let (transactions, stop) = (
            Arc::new(AtomicU64::new(0)),
            Arc::new(AtomicBool::new(false)),
        );
        let worker = Worker {
            url: url.to_owned(),
            table: table.to_owned(),
            random: StdRng::seed_from_u64(seed),
            versions: BTreeMap::new(),
            history: history.clone(),
        };
        let (count, stopped) = (transactions.clone(), stop.clone());
        let thread = thread::spawn(move || worker.run(&count, &stopped));
        Self {
            history,
            transactions,
            stop,
            thread: Some(thread),
        }
    }

    /// Waits until `count` more transactions are committed.
    #[track_caller]
    pub(crate) fn wait_for_more(&self, count: u64) {
        let goal = self.transactions.load(Ordering::Relaxed) + count;
        wait_until("the workload had gone on", LIMIT, || {
            (self.transactions.load(Ordering::Relaxed) >= goal).then_some(())
        });
    }

    /// Stops it, and returns what it did.
    pub(crate) fn stop(mut self) -> History {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the workload");
        }
        self.history.lock().unwrap().clone()
    }
}

struct Worker {
    url: String,
    table: String,
    random: StdRng,
    /// The latest version of each key, and whether the row exists.
    versions: BTreeMap<u32, (u32, bool)>,
    history: Arc<Mutex<History>>,
}

impl Worker {
    fn run(mut self, count: &AtomicU64, stop: &AtomicBool) {
        let mut session: Option<Session> = None;
        let mut number = 0_u64;
        while !stop.load(Ordering::Relaxed) {
            if session.is_none() {
                session = Session::connect(&self.url).ok();
                thread::park_timeout(Duration::from_millis(5));
                continue;
            }
            number += 1;
            let (statements, changes) = self.transaction(number);
            let mut done = session
                .as_ref()
                .is_some_and(|open| open.execute(&statements).is_ok());
            if !done {
                done = self.was_committed(number);
                session = None;
            }
            if done {
                self.remember(changes);
                count.fetch_add(1, Ordering::Relaxed);
            }
            thread::park_timeout(Duration::from_millis(2));
        }
    }

    /// A transaction of some changes; it also leaves its number behind.
    fn transaction(&mut self, number: u64) -> (String, Vec<(u32, u32, bool, String)>) {
        let mut versions = self.versions.clone();
        let (mut sql, mut changes) = (String::from("BEGIN;"), Vec::new());
        let table = &self.table;
        for _ in 0..self.random.random_range(1..=6) {
            let key = self.random.random_range(0..KEYS);
            let (version, exists) = versions.get(&key).copied().unwrap_or((0, false));
            let (next, deletes) = (version + 1, exists && self.random.random_bool(0.2));
            let what = match (exists, deletes) {
                (false, _) => {
                    let _ = write!(sql, "INSERT INTO {table} VALUES ({key}, {next}, 'x');");
                    format!("c:{next}")
                }
                (true, false) => {
                    let _ = write!(sql, "UPDATE {table} SET version = {next} WHERE id = {key};");
                    format!("u:{next}")
                }
                (true, true) => {
                    let _ = write!(sql, "DELETE FROM {table} WHERE id = {key};");
                    format!("d:{version}")
                }
            };
            let latest = if deletes { version } else { next };
            versions.insert(key, (latest, !deletes));
            changes.push((key, latest, !deletes, what));
        }
        let _ = write!(sql, "UPDATE {table}_progress SET number = {number}; COMMIT");
        (sql, changes)
    }

    /// Whether the transaction that ended with an error is in the database all the same.
    fn was_committed(&self, number: u64) -> bool {
        let sql = format!("SELECT number FROM {}_progress", self.table);
        let found = wait_until("the database answered", LIMIT, || {
            Session::connect(&self.url).ok()?.value(&sql).ok()
        });
        found == Some(number.to_string())
    }

    fn remember(&mut self, changes: Vec<(u32, u32, bool, String)>) {
        let mut history = self.history.lock().unwrap();
        for (key, version, exists, what) in changes {
            self.versions.insert(key, (version, exists));
            history.entry(key).or_default().push(what);
        }
    }
}

/// The tables of a workload on `table`: the rows, and where it notes how far it is.
pub(crate) fn create_workload_tables(table: &str) -> String {
    let rows = create_table(table);
    format!(
        "{rows} CREATE TABLE {table}_progress (id int PRIMARY KEY, number bigint);
         INSERT INTO {table}_progress VALUES (1, 0);"
    )
}

/// Waits until the topic holds what the history ends with, then compares key by key. The story of a
/// key may begin with a row of the snapshot, which stands for all that was done before it.
#[track_caller]
pub(crate) fn assert_tells(cluster: &Cluster, topic: &str, history: &History) {
    let complete = |messages: &[Message]| {
        let mut seen: BTreeMap<String, String> = BTreeMap::new();
        for message in messages {
            seen.insert(key_of(message), story_of(message));
        }
        history.iter().all(|(key, story)| {
            let (last, seen) = (story.last().map(String::as_str), seen.get(&key.to_string()));
            let last = last.unwrap_or_default();
            match seen {
                Some(seen) => {
                    version_of(seen) == version_of(last)
                        && (seen.starts_with('d') == last.starts_with('d'))
                }
                // Inserted and deleted before the snapshot.
                None => last.starts_with('d'),
            }
        })
    };
    // When it does not come to that, the comparison says what is missing.
    let _ = cluster.try_read_until(topic, LIMIT, complete);
    let messages = cluster.read_settled(topic, LIMIT);
    let mut first: BTreeMap<String, String> = BTreeMap::new();
    for message in &messages {
        first
            .entry(key_of(message))
            .or_insert_with(|| story_of(message));
    }
    let mut expected = Expectation::default();
    for (key, story) in history {
        let key = key.to_string();
        let begin = match first.get(&key) {
            Some(read) if read.starts_with("r:") => {
                expected.push(&*key, read.clone());
                let read = version_of(read);
                let is_read = |what: &String| !what.starts_with('d') && version_of(what) == read;
                story.iter().position(is_read).map(|index| index + 1)
            }
            Some(begun) => story.iter().position(|what| what == begun),
            None => Some(story.len()),
        };
        for what in &story[begin.unwrap_or(0)..] {
            expected.push(&*key, what.clone());
        }
    }
    let comparison =
        expected.compare_with(&messages, |message| (key_of(message), story_of(message)));
    assert!(comparison.is_exact(), "topic={topic}: {comparison}");
}

fn key_of(message: &Message) -> String {
    let key: serde_json::Value =
        serde_json::from_slice(message.key.as_deref().unwrap_or_default()).unwrap_or_default();
    key["id"].to_string()
}

/// What a message tells: the operation and the version, as the history has it.
fn story_of(message: &Message) -> String {
    let (envelope, operation) = (envelope(message), operation(message));
    let row = if operation == "d" {
        &envelope["before"]
    } else {
        &envelope["after"]
    };
    format!("{operation}:{}", row["version"])
}

fn version_of(what: &str) -> &str {
    what.split_once(':').map_or("", |(_, version)| version)
}
