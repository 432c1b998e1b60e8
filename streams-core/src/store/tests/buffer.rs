//! Buffers, in the bytes and the order that were captured from the JVM.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use serde_json::Value;

use super::{Harness, Logged, Place, shared};
use crate::error::ErrorKind;
use crate::record::Headers;
use crate::serde::{I64, Utf8};
use crate::store::buffer::BufferValue;
use crate::store::{
    BufferStatus, Eviction, PriorValue, StoreBuilder, TaskChangeBuffer, TaskTimeOrderedBuffer,
};

fn text(value: &str) -> String {
    value.to_owned()
}

/// The captured steps of every program whose name begins so: what each wrote to the changelog of
/// its buffer.
fn captured(prefix: &str) -> Vec<(String, Vec<Vec<Logged>>)> {
    let folder =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/conformance/streams/scenario");
    let mut programs = Vec::new();
    for file in fs::read_dir(folder).unwrap() {
        let file = file.unwrap();
        let name = file.file_name().into_string().unwrap();
        if name.starts_with(prefix) {
            let lines = fs::read_to_string(file.path()).unwrap();
            programs.push((name, steps(&lines)));
        }
    }
    assert!(!programs.is_empty(), "{prefix} was captured");
    programs
}

fn steps(lines: &str) -> Vec<Vec<Logged>> {
    let mut steps: Vec<Vec<Logged>> = Vec::new();
    for line in lines.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let topic = line["topic"].as_str().unwrap_or_default();
        let is_buffer = ["SUPPRESS", "-Buffer-"]
            .iter()
            .any(|part| topic.contains(part));
        match line["type"].as_str().unwrap() {
            "input" | "advance" => steps.push(Vec::new()),
            "changelog" if is_buffer => steps.last_mut().unwrap().push(logged(&line)),
            _ => {}
        }
    }
    steps
}

fn logged(line: &Value) -> Logged {
    let bytes = |value: &Value| match value {
        Value::String(text) => Some(text.as_bytes().to_vec()),
        Value::Object(parts) => {
            let encoded = parts["base64"].as_str().unwrap();
            let decoded = base64::engine::general_purpose::STANDARD.decode(encoded);
            Some(decoded.unwrap())
        }
        _ => None,
    };
    let mut headers = Headers::new();
    for header in line["headers"].as_array().unwrap() {
        headers.add(header[0].as_str().unwrap(), bytes(&header[1]).unwrap());
    }
    Logged {
        topic: line["topic"].as_str().unwrap().to_owned(),
        key: bytes(&line["key"]).unwrap(),
        value: bytes(&line["value"]),
        // The JVM leaves it to the producer, which is shown as null.
        timestamp_ms: line["timestamp"].as_i64().unwrap_or(-1),
        headers,
    }
}

#[test]
fn changes_are_written_and_read_as_by_the_jvm() {
    let mut count = 0;
    for (name, steps) in captured("suppress-") {
        for record in steps.iter().flatten() {
            assert_eq!(record.timestamp_ms, -1, "{name}");
            let Some(bytes) = &record.value else { continue };
            let (value, time_ms) = BufferValue::decode(bytes).expect(&name);
            assert_eq!(&value.encode(time_ms), bytes, "{name}");
            assert_eq!(BufferValue::decode(&bytes[1..]), None);
            assert_eq!(BufferValue::decode(&bytes[..bytes.len() - 1]), None);
            count += 1;
        }
    }
    assert!(count > 50, "{count} changes were captured");
}

#[test]
fn what_has_changed_is_logged_in_the_jvms_order() {
    let mut several = 0;
    for (name, steps) in captured("suppress-") {
        let mut harness = Harness::new(Place::Memory, &[suppression()], 0);
        let buffer = suppression_of(&harness);
        for step in steps {
            let key = |record: &Logged| String::from_utf8(record.key.clone());
            let Ok(keys) = step.iter().map(key).collect::<Result<Vec<_>, _>>() else {
                // A key that is no text.
                break;
            };
            // What is new was put in before others were let go.
            let (put, gone): (Vec<_>, Vec<_>) =
                step.iter().partition(|record| record.value.is_some());
            for record in put.into_iter().chain(gone) {
                buffer.put(0, &key(record).unwrap(), None, None).unwrap();
            }
            harness.commit();
            let log = harness.take_log().into_iter();
            let log: Vec<_> = log
                .map(|record| String::from_utf8(record.key).unwrap())
                .collect();
            assert_eq!(log, keys, "{name}");
            several += usize::from(keys.len() > 1);
        }
    }
    assert!(
        several > 5,
        "{several} steps with several changes were captured"
    );
}

fn suppression() -> StoreBuilder {
    StoreBuilder::change_buffer("buffer", shared(Utf8), shared(I64))
}

fn suppression_of(harness: &Harness) -> TaskChangeBuffer<String, i64> {
    harness.access().change_buffer("buffer").unwrap()
}

fn header(value: &[u8]) -> Headers {
    let mut headers = Headers::new();
    headers.add("h", value);
    headers
}

/// The changes of `suppress-max-records.jsonl`: counts of a, b and a again.
fn put_counts(harness: &Harness, buffer: &TaskChangeBuffer<String, i64>) {
    harness.at(10, &header(b"1"), 0);
    buffer.put(10, &text("a"), Some(&1), Some(&0)).unwrap();
    harness.at(5, &Headers::new(), 1);
    buffer.put(5, &text("b"), Some(&1), Some(&0)).unwrap();
    harness.at(20, &Headers::new(), 2);
    buffer.put(20, &text("a"), Some(&2), Some(&1)).unwrap();
}

fn evict_all(buffer: &TaskChangeBuffer<String, i64>) -> Vec<(String, Option<i64>, i64)> {
    let mut evicted = Vec::new();
    let see = |eviction: Eviction<String, (Option<i64>, Option<i64>)>| {
        evicted.push((eviction.key, eviction.value.0, eviction.timestamp_ms));
    };
    buffer.evict_while(|_| true, see).unwrap();
    evicted
}

#[test]
fn change_waits_under_the_time_of_the_first_with_what_was_seen_before() {
    for place in [Place::Memory, Place::Disk] {
        let mut harness = Harness::new(place, &[suppression()], 0);
        let buffer = suppression_of(&harness);
        put_counts(&harness, &buffer);
        let prior = |key: &str| buffer.prior_value(&text(key)).unwrap();
        assert_eq!(prior("a"), PriorValue::Before(Some(0)));
        assert_eq!(prior("c"), PriorValue::NotBuffered);
        let status = buffer.status().unwrap();
        // 8 for the time, 1 for the key; prior, old and new value; 8 + 8 + 2 + 4 for the record.
        let bytes = (8 + 1 + 3 * 8 + 22) + (8 + 1 + 2 * 8 + 22);
        let expected = BufferStatus {
            records: 2,
            bytes,
            min_timestamp_ms: 5,
        };
        assert_eq!(status, expected);
        harness.commit();
        let log = harness.logged();
        assert_eq!(
            log[0].headers.last("v").unwrap().value.as_deref(),
            Some(&[3][..])
        );
        let captured = captured("suppress-max-records").remove(0).1;
        let in_partition = |bytes: &[u8]| {
            let (mut value, time_ms) = BufferValue::decode(bytes).unwrap();
            value.set_partition(super::PARTITION);
            value.encode(time_ms)
        };
        let a = in_partition(captured[2][0].value.as_ref().unwrap());
        let b = in_partition(captured[1][0].value.as_ref().unwrap());
        assert_eq!(log[0].value, Some(a));
        assert_eq!(log[1].value, Some(b));
        assert_eq!(log[0].timestamp_ms, -1);
        drop(buffer);

        harness.restore();
        let buffer = suppression_of(&harness);
        assert_eq!(buffer.status().unwrap(), expected);
        let evicted = evict_all(&buffer);
        assert_eq!(evicted, [(text("b"), Some(1), 5), (text("a"), Some(2), 20)]);
        assert_eq!(buffer.status().unwrap().min_timestamp_ms, i64::MAX);
        // Given up, they wait again.
        drop(buffer);
        harness.reopen();
        let buffer = suppression_of(&harness);
        assert_eq!(buffer.status().unwrap(), expected);
        evict_all(&buffer);
        harness.take_log();
        harness.commit();
        let log = harness.take_log();
        assert!(
            log.iter()
                .all(|record| record.value.is_none() && record.headers.is_empty())
        );
        assert_eq!(log.len(), 2);
        drop(buffer);
        harness.reopen();
        assert_eq!(suppression_of(&harness).status().unwrap().records, 0);
    }
}

#[test]
fn changes_go_as_long_as_the_predicate_says_so_and_are_the_record_at_hand() {
    let harness = Harness::new(Place::Memory, &[suppression()], 0);
    let buffer = suppression_of(&harness);
    put_counts(&harness, &buffer);
    harness.at(30, &Headers::new(), 3);
    let context = harness.task_stores().context();
    let asks = buffer.clone();
    let mut seen = Vec::new();
    let see = |eviction: Eviction<String, (Option<i64>, Option<i64>)>| {
        let before = context.enter(eviction.timestamp_ms, &eviction.headers, || None);
        let origin = context.record(0).origin.unwrap();
        context.leave(before);
        // Whoever is downstream may look the table up: it still waits.
        let waits = asks.prior_value(&eviction.key).unwrap();
        seen.push((eviction.key, origin.offset, waits));
    };
    buffer
        .evict_while(|status| status.records > 1, see)
        .unwrap();
    assert_eq!(seen, [(text("b"), 1, PriorValue::Before(Some(0)))]);
    assert_eq!(context.record(0).origin.unwrap().offset, 3);
    assert_eq!(buffer.status().unwrap().records, 1);
}

#[test]
fn changelog_of_something_else_is_refused() {
    let harness = Harness::new(Place::Memory, &[suppression(), grace(10)], 0);
    for (name, builder) in [("buffer", suppression()), ("join", grace(10))] {
        let store = harness.task_stores().byte_store(name).unwrap();
        let kind = builder.kind();
        let error = kind.restore(store, b"a", Some(b"plain"), 0).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Serde);
        assert!(
            error.to_string().contains(&format!("store={name}")),
            "{error}"
        );
    }
}

fn grace(grace_ms: i64) -> StoreBuilder {
    StoreBuilder::time_ordered_buffer("join", shared(Utf8), shared(Utf8), grace_ms)
}

fn grace_of(harness: &Harness) -> TaskTimeOrderedBuffer<String, String> {
    harness.access().time_ordered_buffer("join").unwrap()
}

/// The left side of `stream-table-join-grace.jsonl`: offset, key, value, time, headers; and whether
/// the record waits.
const LEFT: [(i64, &str, &str, i64, bool); 7] = [
    (0, "a", "L15", 15, true),
    (1, "b", "L16", 16, true),
    (2, "a", "L11", 11, true),
    (3, "a", "L25", 25, true),
    (4, "a", "L14", 14, false),
    (5, "a", "L30", 30, true),
    (8, "a", "L60", 60, true),
];

#[test]
fn join_with_grace_logs_what_the_jvms_does() {
    let captured = captured("stream-table-join-grace").remove(0).1;
    let captured: Vec<Logged> = captured.into_iter().flatten().collect();
    for place in [Place::Memory, Place::Disk] {
        let mut harness = Harness::new(place, &[grace(10)], 0);
        let mut evicted = Vec::new();
        for (offset, key, value, time_ms, waits) in LEFT {
            let headers = if offset == 0 {
                header(b"1")
            } else {
                Headers::new()
            };
            harness.at(time_ms, &headers, offset);
            let buffer = grace_of(&harness);
            assert_eq!(
                buffer.put(&text(key), &text(value)).unwrap(),
                waits,
                "{value}"
            );
            let see = |eviction: Eviction<String, String>| evicted.push(eviction);
            if waits {
                buffer.evict(see).unwrap();
            }
            drop(buffer);
            harness.commit();
            harness.reopen();
        }
        let values: Vec<_> = evicted.iter().map(|eviction| &*eviction.value).collect();
        assert_eq!(values, ["L11", "L15", "L16", "L25", "L30"]);
        assert_eq!(
            (evicted[1].timestamp_ms, &evicted[1].headers),
            (15, &header(b"1"))
        );
        let log = harness.logged();
        assert_eq!(log.len(), captured.len());
        for (ours, theirs) in log.iter().zip(&captured) {
            assert_eq!((&ours.key, &ours.headers), (&theirs.key, &theirs.headers));
            assert_eq!(ours.timestamp_ms, theirs.timestamp_ms);
            let read = |value: &Option<Vec<u8>>| {
                value
                    .as_deref()
                    .map(|value| BufferValue::decode(value).unwrap())
            };
            let (ours, mut theirs) = (read(&ours.value), read(&theirs.value));
            if let Some((theirs, _)) = &mut theirs {
                // The topic and partition of the harness.
                theirs.set_partition(super::PARTITION);
                theirs.set_topic("in");
            }
            assert_eq!(ours, theirs);
        }

        harness.restore();
        harness.at(70, &Headers::new(), 9);
        let buffer = grace_of(&harness);
        assert!(buffer.put(&text("c"), &text("L70")).unwrap());
        let mut evicted = Vec::new();
        buffer
            .evict(|eviction| evicted.push(eviction.value))
            .unwrap();
        assert_eq!(evicted, ["L60"]);
    }
}
