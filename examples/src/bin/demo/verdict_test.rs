//! The comparison sees what is wrong.

use std::collections::BTreeMap;

use streams_tests::{Expectation, Message};

use super::{Held, Verdict};
use crate::ledger::Truth;
use crate::topic::{ANALYTICS, EVENTS_REJECTED, USERS, USERS_REJECTED};

fn message(topic: &str, key: &str, value: Option<&str>) -> Message {
    Message {
        topic: topic.to_owned(),
        partition: 0,
        offset: 0,
        timestamp_ms: 0,
        key: Some(key.as_bytes().to_vec()),
        value: value.map(|value| value.as_bytes().to_vec()),
        headers: vec![(
            String::from("__streams.errors.topic"),
            Some(USERS.as_bytes().to_vec()),
        )],
    }
}

fn event(op: &str, version: i64, email: &str) -> String {
    format!(
        r#"{{"payload":{{"op":"{op}","after":{{"id":1,"email":"{email}","version":{version}}},
            "source":{{"ts_ms":1}}}}}}"#
    )
}

/// One row that is inserted without a proper email and updated to one that is gone again, one
/// invalid event, and everything where it has to be.
fn exact() -> (Truth, Held) {
    let mut changes = Expectation::default();
    let key = r#"{"payload":{"id":1}}"#;
    changes.push("users 1", "c 1");
    changes.push("users 1", "u 2");
    let row = serde_json::from_str(r#"{"id":1,"email":"a@b","version":2}"#).unwrap();
    let rows = BTreeMap::from([(USERS.to_owned(), BTreeMap::from([(1, row)]))]);

    let (created, updated) = (event("c", 1, "nobody"), event("u", 2, "a@b"));
    let all = |topic: &str| {
        vec![
            message(topic, key, Some(&created)),
            message(topic, key, Some(&updated)),
        ]
    };
    let mut held = Held::default();
    let mut users = all(USERS);
    users.push(message(USERS, "bad-0", Some("no JSON")));
    held.0.insert(USERS.to_owned(), users);
    held.0.insert(ANALYTICS.to_owned(), all(ANALYTICS));
    let rejected = vec![message(USERS_REJECTED, "bad-0", Some("no JSON"))];
    held.0.insert(USERS_REJECTED.to_owned(), rejected);
    let processed = vec![message("users-processed", key, Some(&updated))];
    held.0.insert(String::from("users-processed"), processed);
    let document = |original: &str| format!(r#"{{"original_event":{original}}}"#);
    let letters = vec![
        message(EVENTS_REJECTED, key, Some(&document(&created))),
        message(EVENTS_REJECTED, "bad-0", Some(&document(r#""no JSON""#))),
    ];
    held.0.insert(EVENTS_REJECTED.to_owned(), letters);
    (Truth { changes, rows }, held)
}

/// The last line of the report after something was done to a topic.
fn report(topic: &str, change: impl FnOnce(&mut Vec<Message>)) -> String {
    let (truth, mut held) = exact();
    change(held.0.get_mut(topic).unwrap());
    let verdict = Verdict::of(&truth, held);
    assert!(!verdict.is_exact());
    verdict
        .to_string()
        .lines()
        .last()
        .unwrap_or_default()
        .to_owned()
}

#[test]
fn topics_that_agree_with_postgres_are_exact() {
    let (truth, held) = exact();
    let verdict = Verdict::of(&truth, held);
    assert!(verdict.is_exact(), "{verdict}");
    assert!(
        verdict.to_string().ends_with("\nlost 0, duplicated 0"),
        "{verdict}"
    );
}

#[test]
fn lost_record_is_seen_in_every_topic() {
    for topic in [
        ANALYTICS,
        USERS_REJECTED,
        EVENTS_REJECTED,
        "users-processed",
    ] {
        let last = report(topic, |messages| drop(messages.remove(0)));
        assert!(last.starts_with("lost 1, duplicated 0"), "{topic}: {last}");
    }
    // Without its event, what the processors wrote of it has come from nowhere.
    let last = report(USERS, |messages| drop(messages.remove(0)));
    assert_eq!(
        last,
        "lost 1, duplicated 0, out of place 2, rows that differ 0"
    );
}

#[test]
fn doubled_record_is_seen_in_every_topic() {
    for topic in [
        ANALYTICS,
        USERS_REJECTED,
        EVENTS_REJECTED,
        "users-processed",
    ] {
        let last = report(topic, |messages| messages.insert(0, messages[0].clone()));
        assert!(last.starts_with("lost 0, duplicated 1"), "{topic}: {last}");
    }
}

#[test]
fn record_in_the_wrong_topic_is_seen() {
    let last = report(ANALYTICS, |messages| {
        messages[0].topic = USERS_REJECTED.to_owned()
    });
    assert_eq!(
        last,
        "lost 1, duplicated 0, out of place 1, rows that differ 0"
    );
}

#[test]
fn changes_in_another_order_are_seen() {
    let last = report(ANALYTICS, |messages| messages.swap(0, 1));
    assert_eq!(
        last,
        "lost 0, duplicated 0, out of place 1, rows that differ 1"
    );
}
