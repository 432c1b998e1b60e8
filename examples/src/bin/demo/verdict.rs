//! Compares what Postgres has committed with what the topics hold.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde_json::Value;
use streams_tests::{Cluster, Comparison, Error, Expectation, Message};

use crate::event::{self, Event, Row};
use crate::ledger::{Ledger, Truth};
use crate::topic::{self, ANALYTICS, EVENTS_REJECTED, TABLES, USERS, USERS_REJECTED};

/// How long the transaction of a killed process may stay open.
const SETTLE_LIMIT: Duration = Duration::from_secs(30);

/// The committed records of each topic, by its name.
#[derive(Debug, Default)]
struct Held(BTreeMap<String, Vec<Message>>);

/// How the topics differ from Postgres, and from each other. `Display` is a report for people.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    steps: Vec<(String, Comparison)>,
    rows: Vec<(String, Rows)>,
}

/// How the rows that a topic's last events tell of differ from a table's rows.
#[derive(Debug, Default)]
struct Rows {
    same: usize,
    different: Vec<i64>,
}

impl Held {
    fn take(&mut self, topic: &str) -> Vec<Message> {
        self.0.remove(topic).unwrap_or_default()
    }
}

impl Verdict {
    /// Reads all topics as a `read_committed` consumer, once no transaction is open.
    pub(crate) fn reach(cluster: &Cluster, ledger: &Ledger) -> Result<Self, Error> {
        let mut held = Held::default();
        for topic in topic::all() {
            let messages = cluster.try_read_settled(&topic, SETTLE_LIMIT)?;
            held.0.insert(topic, messages);
        }
        Ok(Self::of(&ledger.truth()?, held))
    }

    fn of(truth: &Truth, mut held: Held) -> Self {
        let mut verdict = Self::default();
        let tables: Vec<Message> = TABLES.iter().flat_map(|table| held.take(table)).collect();
        verdict.add_source(truth, &tables);
        for table in TABLES {
            verdict.add_rows(truth, table, table, &tables);
        }

        let users: Vec<&Message> = tables.iter().filter(|it| it.topic == USERS).collect();
        let mut written = held.take(ANALYTICS);
        verdict.add_rows(truth, ANALYTICS, USERS, &written);
        written.extend(held.take(USERS_REJECTED));
        let title = format!("{USERS} → {ANALYTICS}, {USERS_REJECTED}");
        verdict.add_step(title, &users, users_destination, &written);

        let mut written = held.take(EVENTS_REJECTED);
        for table in TABLES {
            written.extend(held.take(&topic::processed(table)));
        }
        let title = format!("{} → …-processed, {EVENTS_REJECTED}", TABLES.join(", "));
        let tables: Vec<&Message> = tables.iter().collect();
        verdict.add_step(title, &tables, events_destination, &written);
        verdict
    }

    /// Whether everything is there exactly once, in order.
    pub(crate) fn is_exact(&self) -> bool {
        let same = self.rows.iter().all(|(_, rows)| rows.different.is_empty());
        same && self.steps.iter().all(|(_, step)| step.is_exact())
    }

    /// Each committed change once in its table's topic, and each row's changes in their order.
    fn add_source(&mut self, truth: &Truth, tables: &[Message]) {
        let changes: Vec<Message> = tables
            .iter()
            .filter(|it| !is_invalid(it))
            .cloned()
            .collect();
        let compared = truth.changes.compare_with(&changes, |message| {
            (
                format!("{} {}", message.topic, key(message)),
                label(message),
            )
        });
        let title = format!("Postgres → {}", TABLES.join(", "));
        self.steps.push((title, compared));
    }

    /// Each record that was read is once in the topic where it has to be, in its key's order.
    fn add_step(
        &mut self,
        title: String,
        read: &[&Message],
        destination: fn(&Message) -> String,
        written: &[Message],
    ) {
        let mut expected = Expectation::default();
        for message in read {
            expected.push(place(&destination(message), message), label(message));
        }
        let compared = expected.compare_with(written, |message| {
            (place(&message.topic, message), label(message))
        });
        self.steps.push((title, compared));
    }

    /// The last event of each key tells the row as it is in Postgres.
    fn add_rows(&mut self, truth: &Truth, topic: &str, table: &str, messages: &[Message]) {
        let mut last: BTreeMap<i64, Row> = BTreeMap::new();
        for message in messages.iter().filter(|message| message.topic == topic) {
            let (Some(id), false) = (event::row_id(message.key.as_deref()), is_invalid(message))
            else {
                continue;
            };
            match Event::read(message.value.as_deref()) {
                Event::Change(change) if change.after().is_some() => {
                    last.extend(change.after().map(|row| (id, row.clone())));
                }
                _ => drop(last.remove(&id)),
            }
        }
        let mut rows = Rows::default();
        for (id, row) in truth.rows.get(table).into_iter().flatten() {
            match last.remove(id).is_some_and(|last| same_row(row, &last)) {
                true => rows.same += 1,
                false => rows.different.push(*id),
            }
        }
        // Rows that Postgres has no more.
        rows.different.extend(last.into_keys());
        self.rows.push((topic.to_owned(), rows));
    }
}

/// Whether a topic's row has Postgres' values in all of Postgres' columns.
fn same_row(row: &Row, last: &Row) -> bool {
    row.iter()
        .all(|(column, value)| match (value, last.get(column)) {
            // `numeric` is 12.50 in Postgres and the double 12.5 in the event.
            (Value::Number(number), Some(Value::Number(last))) => number.as_f64() == last.as_f64(),
            (value, last) => last == Some(value),
        })
}

/// The id of the record's row, else its key as it is.
fn key(message: &Message) -> String {
    let id = event::row_id(message.key.as_deref());
    id.map_or_else(|| message.key_text(), |id| id.to_string())
}

/// Whether the record was made wrong on purpose.
fn is_invalid(message: &Message) -> bool {
    let key = message.key.as_deref().unwrap_or_default();
    key.starts_with(event::INVALID_KEY.as_bytes())
}

fn event_of(message: &Message) -> Event {
    match message.topic.as_str() {
        EVENTS_REJECTED => Event::read_document(message.value.as_deref()),
        _ => Event::read(message.value.as_deref()),
    }
}

fn label(message: &Message) -> String {
    match is_invalid(message) {
        true => String::from(event::INVALID),
        false => event_of(message).label(),
    }
}

/// Where `processors users` has to put a record.
fn users_destination(message: &Message) -> String {
    match is_invalid(message) {
        true => String::from(USERS_REJECTED),
        false => String::from(ANALYTICS),
    }
}

/// Where `processors events` has to put a record.
fn events_destination(message: &Message) -> String {
    match is_invalid(message) || event_of(message).breaks_rule() {
        true => String::from(EVENTS_REJECTED),
        false => topic::processed(&message.topic),
    }
}

/// A topic and what stands there under one key. The rejected events of three tables meet in one
/// topic, where `source` tells them apart only for those that are events: so the headers do.
fn place(topic: &str, message: &Message) -> String {
    let origin = message.header("__streams.errors.topic");
    let table = match topic {
        EVENTS_REJECTED => origin.as_deref().unwrap_or(&message.topic),
        _ => "",
    };
    format!("{topic} {table} {}", key(message))
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (title, step) in &self.steps {
            let mark = if step.is_exact() { "✓" } else { "✗" };
            writeln!(formatter, " {mark} {title:<46} {step}")?;
        }
        for (topic, Rows { same, different }) in &self.rows {
            let mark = if different.is_empty() { "✓" } else { "✗" };
            let title = format!("last event of each key in {topic}");
            write!(formatter, " {mark} {title:<46} {same} rows as in Postgres")?;
            match different.first() {
                None => writeln!(formatter)?,
                Some(id) => writeln!(formatter, ", {} not, as id={id}", different.len())?,
            }
        }
        let sum = |count: fn(&Comparison) -> usize| -> usize {
            self.steps.iter().map(|(_, step)| count(step)).sum()
        };
        let (lost, duplicated) = (sum(|step| step.lost), sum(|step| step.duplicated));
        write!(formatter, "\nlost {lost}, duplicated {duplicated}")?;
        let strange = sum(|step| step.unexpected + step.reordered);
        let different: usize = self.rows.iter().map(|(_, rows)| rows.different.len()).sum();
        if strange + different > 0 {
            write!(
                formatter,
                ", out of place {strange}, rows that differ {different}"
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "verdict_test.rs"]
mod tests;
