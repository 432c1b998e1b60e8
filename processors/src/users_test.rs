use streams_core::clock::ManualClock;
use streams_core::{Headers, RawRecord};
use streams_dsl::TopologyTestDriver;

use super::*;
use crate::settings::Tombstones;

const GOOD: &[u8] = br#"{"payload":{"op":"c","after":{"id":1}}}"#;
const GOOD_OUT: &[u8] = br#"{"payload":{"op":"c","after":{"id":1}},"processed_at":1700}"#;

fn settings() -> Settings {
    Settings {
        clock: Arc::new(ManualClock::at_ms(1_700)),
        ..Settings::new(["users"], "user-analytics", "user-changes-dlq")
    }
}

fn driver(settings: &Settings) -> TopologyTestDriver {
    TopologyTestDriver::new(&topology(settings).unwrap()).unwrap()
}

fn pipe(driver: &mut TopologyTestDriver, key: Option<&[u8]>, value: Option<&[u8]>) {
    let mut headers = Headers::new();
    headers.add("trace", "t-1".as_bytes());
    driver.pipe_bytes("users", key, value, 5, headers).unwrap();
}

fn header(record: &RawRecord, name: &str) -> String {
    let header = record.headers.last(name).unwrap();
    String::from_utf8(header.value.clone().unwrap().into_vec()).unwrap()
}

/// Pipes a bad record and a good one, and returns the bad one's dead letter.
fn dead_letter(key: Option<&[u8]>, value: Option<&[u8]>) -> RawRecord {
    let mut driver = driver(&settings());
    pipe(&mut driver, key, value);
    pipe(&mut driver, Some(b"next"), Some(GOOD));

    let next = driver.read_bytes("user-analytics").unwrap();
    assert_eq!(
        (next.key(), next.value()),
        (Some(&b"next"[..]), Some(GOOD_OUT))
    );
    assert_eq!(driver.unread("user-analytics"), 0);
    let letter = driver.read_bytes("user-changes-dlq").unwrap();
    assert_eq!((letter.key(), letter.value()), (key, value), "as it came");
    assert_eq!(driver.unread("user-changes-dlq"), 0);
    assert_eq!(header(&letter, "trace"), "t-1");
    assert_eq!(header(&letter, "__streams.errors.topic"), "users");
    assert_eq!(header(&letter, "__streams.errors.partition"), "0");
    assert_eq!(header(&letter, "__streams.errors.offset"), "0");
    letter
}

fn reason(key: Option<&[u8]>, value: Option<&[u8]>) -> String {
    header(&dead_letter(key, value), "__streams.errors.message")
}

#[test]
fn event_of_every_operation_goes_on_with_its_key_headers_and_time() {
    let mut driver = driver(&settings());
    for op in ["c", "u", "d", "r"] {
        let value = format!(r#"{{"before":null,"op":"{op}"}}"#);
        pipe(&mut driver, Some(b"7"), Some(value.as_bytes()));
        let record = driver.read_bytes("user-analytics").unwrap();
        let expected = format!(r#"{{"before":null,"op":"{op}","processed_at":1700}}"#);
        assert_eq!(record.value(), Some(expected.as_bytes()));
        assert_eq!((record.key(), record.timestamp_ms), (Some(&b"7"[..]), 5));
        assert_eq!(header(&record, "trace"), "t-1");
    }
    assert_eq!(driver.unread("user-changes-dlq"), 0);
}

#[test]
fn event_without_a_key_goes_on_without_one() {
    let mut driver = driver(&settings());
    pipe(&mut driver, None, Some(GOOD));
    let record = driver.read_bytes("user-analytics").unwrap();
    assert_eq!((record.key(), record.value()), (None, Some(GOOD_OUT)));
}

#[test]
fn value_that_is_not_json_is_a_dead_letter() {
    let reason = reason(Some(b"k"), Some(b"no json"));
    assert!(reason.starts_with("the value is not JSON: "), "{reason}");
}

#[test]
fn envelope_without_an_operation_is_a_dead_letter() {
    let value = br#"{"payload":{"after":{"id":1}}}"#;
    assert_eq!(reason(Some(b"k"), Some(value)), "payload.op is missing");
}

#[test]
fn unknown_operation_is_a_dead_letter() {
    let value = br#"{"payload":{"op":"x"}}"#;
    assert_eq!(
        reason(Some(b"k"), Some(value)),
        "payload.op is none of c, u, d and r"
    );
}

#[test]
fn null_value_is_a_dead_letter() {
    assert_eq!(reason(Some(b"k"), None), "the value is null");
}

#[test]
fn value_of_900_kb_is_a_dead_letter_as_a_whole() {
    let name = "x".repeat(900 * 1024);
    let value = format!(r#"{{"payload":{{"op":"c","after":{{"name":"{name}"}}}}}}"#);
    let reason = reason(Some(b"k"), Some(value.as_bytes()));
    assert!(
        reason.ends_with("at most 819200 are taken (--value-bytes-max)"),
        "{reason}"
    );
}

#[test]
fn value_that_is_not_utf8_is_a_dead_letter() {
    assert_eq!(
        reason(None, Some(b"{\"op\":\"c\",\"x\":\"\xff\"}")),
        "the value is not UTF-8: byte 15 is invalid"
    );
}

#[test]
fn key_that_is_not_utf8_is_a_dead_letter() {
    assert_eq!(
        reason(Some(b"\xfe\xff"), Some(GOOD)),
        "the key is not UTF-8: byte 0 is invalid"
    );
}

#[test]
fn tombstones_can_be_forwarded_or_dropped() {
    for (tombstones, forwarded) in [(Tombstones::Forward, 1), (Tombstones::Drop, 0)] {
        let mut driver = driver(&Settings {
            tombstones,
            ..settings()
        });
        pipe(&mut driver, Some(b"7"), None);
        assert_eq!(driver.unread("user-analytics"), forwarded);
        assert_eq!(driver.unread("user-changes-dlq"), 0);
        pipe(&mut driver, Some(b"7"), Some(GOOD));
        assert_eq!(driver.unread("user-analytics"), forwarded + 1);
        if forwarded == 1 {
            let record = driver.read_bytes("user-analytics").unwrap();
            assert_eq!((record.key(), record.value()), (Some(&b"7"[..]), None));
        }
    }
}

#[test]
fn processor_can_be_chained_after_another() {
    let mut driver = driver(&settings());
    let value = br#"{"payload":{"op":"c"},"processed_at":3}"#;
    pipe(&mut driver, None, Some(value));
    let record = driver.read_bytes("user-analytics").unwrap();
    assert_eq!(
        record.value(),
        Some(&br#"{"payload":{"op":"c"},"processed_at":1700}"#[..])
    );
}
