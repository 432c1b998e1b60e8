//! What the output must hold, and how what it holds differs from that.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::cluster::Cluster;
use crate::error::Error;
use crate::message::{Message, Record};

/// How many differences a report spells out.
const DETAILS_MAX: usize = 20;
/// How much of a key or a value a report shows.
const SHOWN_CHARS: usize = 60;

/// The values that each key must have, each exactly once and in their order.
///
/// Values of one key are told apart by their content: give each a number of its own.
#[derive(Debug, Clone, Default)]
pub struct Expectation {
    keys: BTreeMap<String, Vec<String>>,
    pushed: Vec<(String, String)>,
}

/// How an output differs from an [`Expectation`]. `Display` is a report for people.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comparison {
    /// How many values were expected.
    pub expected: usize,
    /// How many expected values are not there.
    pub lost: usize,
    /// How many copies there are beyond the first.
    pub duplicated: usize,
    /// How many values nobody expected.
    pub unexpected: usize,
    /// How many values stand before one that must precede them.
    pub reordered: usize,
    details: Vec<String>,
}

impl Expectation {
    /// Expects `value` under `key`, after all that was pushed for `key` before.
    pub fn push(&mut self, key: impl Into<String>, value: impl Into<String>) {
        let (key, value) = (key.into(), value.into());
        self.keys
            .entry(key.clone())
            .or_default()
            .push(value.clone());
        self.pushed.push((key, value));
    }

    /// How many values are expected.
    pub fn len(&self) -> usize {
        self.pushed.len()
    }

    /// Whether nothing is expected.
    pub fn is_empty(&self) -> bool {
        self.pushed.is_empty()
    }

    /// What is expected, as records to send, in the order of the pushes.
    pub fn records(&self) -> Vec<Record> {
        let record = |(key, value): &(String, String)| Record::new(key.as_str(), value.as_str());
        self.pushed.iter().map(record).collect()
    }

    /// Compares messages by key and value as they are.
    pub fn compare(&self, messages: &[Message]) -> Comparison {
        self.compare_with(messages, |message| {
            (message.key_text(), message.value_text())
        })
    }

    /// Compares messages by the key and value that `view` finds in each.
    pub fn compare_with(
        &self,
        messages: &[Message],
        view: impl Fn(&Message) -> (String, String),
    ) -> Comparison {
        let mut seen: BTreeMap<String, Vec<Seen>> = BTreeMap::new();
        for message in messages {
            let (key, value) = view(message);
            let place = format!("partition={} offset={}", message.partition, message.offset);
            seen.entry(key).or_default().push(Seen { value, place });
        }
        let mut comparison = Comparison {
            expected: self.len(),
            ..Comparison::default()
        };
        for (key, values) in &self.keys {
            comparison.add_key(key, values, &seen.remove(key).unwrap_or_default());
        }
        for (key, values) in &seen {
            comparison.add_key(key, &[], values);
        }
        comparison
    }

    /// Fails the test unless `messages` are exactly what is expected.
    ///
    /// # Panics
    ///
    /// With a report of what is lost, duplicated, unexpected or out of order.
    #[track_caller]
    pub fn assert(&self, messages: &[Message]) {
        let comparison = self.compare(messages);
        assert!(comparison.is_exact(), "{comparison}");
    }

    /// Waits until the topic holds as many records as expected and no transaction is open on it,
    /// then asserts. When `limit` passes first, the report says what is missing.
    #[track_caller]
    pub fn assert_topic(&self, cluster: &Cluster, topic: &str, limit: Duration) {
        self.assert_topic_with(cluster, topic, limit, |message| {
            (message.key_text(), message.value_text())
        });
    }

    /// As [`Expectation::assert_topic`], with the key and value that `view` finds in each message.
    ///
    /// # Panics
    ///
    /// With a report of what is lost, duplicated, unexpected or out of order.
    #[track_caller]
    pub fn assert_topic_with(
        &self,
        cluster: &Cluster,
        topic: &str,
        limit: Duration,
        view: impl Fn(&Message) -> (String, String),
    ) {
        let late = cluster.try_read_until(topic, limit, |messages| messages.len() >= self.len());
        let settled = cluster.try_read_settled(topic, limit);
        let messages = match settled {
            Ok(messages) => messages,
            Err(error) => error.fail(),
        };
        let comparison = self.compare_with(&messages, view);
        let waited = late
            .err()
            .filter(|error| matches!(error, Error::Deadline { .. }));
        let waited = waited.map_or_else(String::new, |error| format!("{error}\n"));
        assert!(comparison.is_exact(), "topic={topic}: {waited}{comparison}");
    }
}

struct Seen {
    value: String,
    place: String,
}

impl Comparison {
    /// Whether every expected value is there exactly once, in order, and nothing else.
    pub fn is_exact(&self) -> bool {
        self.lost + self.duplicated + self.unexpected + self.reordered == 0
    }

    fn add_key(&mut self, key: &str, expected: &[String], seen: &[Seen]) {
        // The places where each value must come; the same value may be expected several times.
        let mut places: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (place, value) in expected.iter().enumerate().rev() {
            places.entry(value).or_default().push(place);
        }
        let mut latest: Option<usize> = None;
        for found in seen {
            match places.get_mut(found.value.as_str()) {
                None => {
                    self.unexpected += 1;
                    self.note("unexpected", key, &found.value, &found.place);
                }
                Some(left) => match left.pop() {
                    None => {
                        self.duplicated += 1;
                        self.note("duplicated", key, &found.value, &found.place);
                    }
                    Some(place) => {
                        if latest.is_some_and(|latest| place < latest) {
                            self.reordered += 1;
                            self.note("late", key, &found.value, &found.place);
                        }
                        latest = latest.max(Some(place));
                    }
                },
            }
        }
        let mut lost: Vec<usize> = places.into_values().flatten().collect();
        lost.sort_unstable();
        for place in lost {
            self.lost += 1;
            let value = expected.get(place).map_or("", String::as_str);
            self.note("lost", key, value, &format!("number {place} of its key"));
        }
    }

    fn note(&mut self, what: &str, key: &str, value: &str, place: &str) {
        if self.details.len() < DETAILS_MAX {
            let short = |text: &str| text.chars().take(SHOWN_CHARS).collect::<String>();
            let (key, value) = (short(key), short(value));
            self.details
                .push(format!("{what:<10} key=`{key}` value=`{value}` {place}"));
        }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            expected,
            lost,
            duplicated,
            unexpected,
            reordered,
            details,
        } = self;
        write!(formatter, "lost {lost}, duplicated {duplicated}")?;
        if unexpected + reordered > 0 {
            write!(
                formatter,
                ", unexpected {unexpected}, out of order {reordered}"
            )?;
        }
        write!(formatter, " of {expected}")?;
        for detail in details {
            write!(formatter, "\n  {detail}")?;
        }
        let noted = lost + duplicated + unexpected + reordered;
        if noted > details.len() {
            write!(formatter, "\n  and {} more", noted - details.len())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expected() -> Expectation {
        let mut expectation = Expectation::default();
        for (key, value) in [("a", "1"), ("b", "1"), ("a", "2"), ("a", "3")] {
            expectation.push(key, value);
        }
        expectation
    }

    fn compare(seen: &[(&str, &str)]) -> Comparison {
        let message = |(offset, (key, value)): (usize, &(&str, &str))| Message {
            topic: String::from("t"),
            partition: 0,
            offset: offset as i64,
            timestamp_ms: 0,
            key: Some(key.as_bytes().to_vec()),
            value: Some(value.as_bytes().to_vec()),
            headers: Vec::new(),
        };
        let messages: Vec<Message> = seen.iter().enumerate().map(message).collect();
        expected().compare(&messages)
    }

    #[test]
    fn keys_may_interleave() {
        let comparison = compare(&[("a", "1"), ("a", "2"), ("b", "1"), ("a", "3")]);
        assert!(comparison.is_exact(), "{comparison}");
        assert_eq!(comparison.to_string(), "lost 0, duplicated 0 of 4");
    }

    #[test]
    fn lost_and_duplicated_values_are_named() {
        let comparison = compare(&[("a", "1"), ("b", "1"), ("b", "1"), ("a", "3")]);
        assert_eq!((comparison.lost, comparison.duplicated), (1, 1));
        let report = comparison.to_string();
        assert!(
            report.contains("lost       key=`a` value=`2` number 1 of its key"),
            "{report}"
        );
        assert!(
            report.contains("duplicated key=`b` value=`1` partition=0 offset=2"),
            "{report}"
        );
    }

    #[test]
    fn order_within_a_key_is_checked() {
        let comparison = compare(&[("a", "2"), ("a", "1"), ("b", "1"), ("a", "3")]);
        assert_eq!(
            (comparison.reordered, comparison.lost, comparison.duplicated),
            (1, 0, 0)
        );
    }

    #[test]
    fn value_that_nobody_expected_is_found() {
        let seen = [
            ("a", "1"),
            ("a", "2"),
            ("b", "1"),
            ("a", "3"),
            ("c", "1"),
            ("a", "9"),
        ];
        assert_eq!(compare(&seen).unexpected, 2);
    }

    #[test]
    fn value_expected_twice_may_come_twice() {
        let mut expectation = Expectation::default();
        expectation.push("a", "same");
        expectation.push("a", "same");
        assert_eq!(expectation.compare(&[]).lost, 2);
    }
}
