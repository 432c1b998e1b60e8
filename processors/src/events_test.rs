use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use streams_core::clock::ManualClock;
use streams_core::{Headers, RawRecord};
use streams_dsl::TopologyTestDriver;

use super::*;
use crate::dead_letter::FORMAT_HEADER;
use crate::failure::TemporaryError;

const GOOD: &[u8] = br#"{"payload":{"op":"c","after":{"id":1}}}"#;

fn settings() -> Settings {
    Settings {
        clock: Arc::new(ManualClock::at_ms(1_700)),
        processor: "shop".into(),
        ..Settings::new(
            ["users", "orders", "shop.public.products"],
            "{topic}-processed",
            "cdc-dlq",
        )
    }
}

fn driver() -> TopologyTestDriver {
    TopologyTestDriver::new(&topology(&settings()).unwrap()).unwrap()
}

fn pipe(driver: &mut TopologyTestDriver, topic: &str, key: Option<&[u8]>, value: Option<&[u8]>) {
    driver
        .pipe_bytes(topic, key, value, 5, Headers::new())
        .unwrap();
}

fn json(record: &RawRecord) -> Value {
    serde_json::from_slice(record.value().unwrap()).unwrap()
}

fn header(record: &RawRecord, name: &str) -> String {
    let header = record.headers.last(name).unwrap();
    String::from_utf8(header.value.clone().unwrap().into_vec()).unwrap()
}

/// Pipes a bad record and a good one, and returns the bad one's dead letter.
fn dead_letter(key: Option<&[u8]>, value: Option<&[u8]>) -> RawRecord {
    let mut driver = driver();
    pipe(&mut driver, "orders", Some(b"before"), Some(GOOD));
    pipe(&mut driver, "orders", key, value);
    pipe(&mut driver, "orders", Some(b"next"), Some(GOOD));
    let good: Vec<_> = std::iter::from_fn(|| driver.read_bytes("orders-processed")).collect();
    let keys: Vec<_> = good.iter().map(RawRecord::key).collect();
    assert_eq!(keys, [Some(&b"before"[..]), Some(&b"next"[..])]);
    let letter = driver.read_bytes("cdc-dlq").unwrap();
    assert_eq!(driver.unread("cdc-dlq"), 0);
    assert_eq!(letter.key(), key);
    assert_eq!(header(&letter, "__streams.errors.topic"), "orders");
    assert_eq!(header(&letter, "__streams.errors.offset"), "1");
    letter
}

#[derive(serde::Deserialize)]
struct Letter<'a> {
    #[serde(borrow)]
    original_event: &'a RawValue,
}

/// The original, read back from a dead letter; also checks what stands beside it.
fn original(letter: &RawRecord) -> Option<Vec<u8>> {
    if header(letter, FORMAT_HEADER) == "original" {
        return letter.value().map(<[u8]>::to_vec);
    }
    let document = json(letter);
    assert_eq!(document["timestamp"], 1_700);
    assert_eq!(document["retry_count"], 0);
    assert_eq!(document["error_type"], "permanent");
    assert_eq!(document["source_topic"], "orders");
    assert_eq!(document["source_partition"], 0);
    assert_eq!(document["source_offset"], 1);
    let message = header(letter, "__streams.errors.message");
    assert_eq!(document["error"], Value::String(message));
    let raw: Letter<'_> = serde_json::from_slice(letter.value().unwrap()).unwrap();
    let text = || document["original_event"].as_str().unwrap();
    match document["original_encoding"].as_str().unwrap() {
        "json" => Some(raw.original_event.get().as_bytes().to_vec()),
        "text" => Some(text().as_bytes().to_vec()),
        "base64" => Some(STANDARD.decode(text()).unwrap()),
        "null" => None,
        other => panic!("{other}"),
    }
}

#[test]
fn events_are_named_after_table_and_operation() {
    let mut driver = driver();
    let names = [
        (
            "users",
            "c",
            r#","source":{"table":"users"}"#,
            "user_created",
        ),
        ("users", "u", "", "user_updated"),
        ("users", "d", "", "user_deleted"),
        ("orders", "r", "", "order_snapshot"),
        (
            "orders",
            "u",
            r#","source":{"table":"returns"}"#,
            "return_updated",
        ),
        ("shop.public.products", "c", "", "product_created"),
    ];
    for (topic, op, source, name) in names {
        let value = format!(r#"{{"op":"{op}","before":{{"id":1}},"after":{{"id":1}}{source}}}"#);
        pipe(&mut driver, topic, Some(b"k"), Some(value.as_bytes()));
        let output = format!("{topic}-processed");
        let record = driver.read_bytes(&output).unwrap();
        let added = format!(r#","processed_at":1700,"processor":"shop","event_type":"{name}"}}"#);
        let expected = format!("{}{added}", &value[..value.len() - 1]);
        assert_eq!(record.value(), Some(expected.as_bytes()));
        assert_eq!(record.key(), Some(&b"k"[..]));
    }
    assert_eq!(driver.unread("cdc-dlq"), 0);
}

/// A key, a value, how the reason begins and how the value is kept.
type Bad<'a> = (Option<&'a [u8]>, Option<&'a [u8]>, &'a str, &'a str);

#[test]
fn every_bad_value_becomes_a_document_that_holds_it() {
    let big = format!(
        r#"{{"op":"c","after":{{"name":"{}"}}}}"#,
        "x".repeat(900 * 1024)
    );
    let long = "\\\"".repeat(300 * 1024);
    let bad: [Bad<'_>; 11] = [
        (None, None, "the value is null", "null"),
        (
            Some(b"k"),
            Some(b"no json"),
            "the value is not JSON",
            "text",
        ),
        (Some(b"k"), Some(b""), "the value is not JSON", "text"),
        (
            None,
            Some(b"{\"a\": 1.10}"),
            "payload.op is missing",
            "json",
        ),
        (None, Some(b" {} "), "payload.op is missing", "text"),
        (
            None,
            Some(b"{\"op\":\"t\"}"),
            "payload.op is none of",
            "json",
        ),
        (None, Some(b"\xff\x00"), "the value is not UTF-8", "base64"),
        (Some(b"\xff"), Some(GOOD), "the key is not UTF-8", "json"),
        (
            None,
            Some(b"{\"op\":\"c\"}"),
            "schema: after is missing",
            "json",
        ),
        (Some(b"k"), Some(big.as_bytes()), "the value has 92", "json"),
        // Escaped it would be twice as long, and more than a broker takes.
        (
            Some(b"k"),
            Some(long.as_bytes()),
            "the value is not JSON",
            "original",
        ),
    ];
    for (key, value, reason, encoding) in bad {
        let letter = dead_letter(key, value);
        assert_eq!(original(&letter).as_deref(), value, "{reason}");
        let message = header(&letter, "__streams.errors.message");
        assert!(message.starts_with(reason), "{message}");
        if encoding != "original" {
            assert_eq!(json(&letter)["original_encoding"], encoding, "{reason}");
        }
        assert!(letter.size() < 1_000_500, "{reason}");
    }
}

#[test]
fn each_step_of_the_validation_has_a_name_and_a_reason() {
    let rows = [
        (r#""op":"c""#, "schema: after is missing"),
        (r#""op":"d""#, "schema: before and the key are missing"),
        (r#""op":"u","after":[1]"#, "data: after is no row"),
        (r#""op":"u","after":{}"#, "data: the row has no columns"),
        (r#""op":"r","after":{"id":null}"#, "data: column=id is null"),
        (
            r#""op":"c","after":{"email":"nobody"}"#,
            "business rule: column=email is no address",
        ),
        (
            r#""op":"c","after":{"price":-0.01}"#,
            "business rule: column=price is negative",
        ),
    ];
    for (fields, reason) in rows {
        let value = format!("{{{fields}}}");
        let letter = dead_letter(None, Some(value.as_bytes()));
        assert_eq!(json(&letter)["error"], reason);
    }
}

#[test]
fn row_that_breaks_a_rule_can_be_deleted_and_mended() {
    let mut driver = driver();
    let values = [
        r#"{"op":"d","before":{"id":1,"email":"nobody","price":-1}}"#,
        r#"{"op":"u","before":{"email":"nobody"},"after":{"email":"a@b","price":0}}"#,
        r#"{"op":"u","after":{"email":null,"price":"AQ=="}}"#,
    ];
    for value in values {
        pipe(&mut driver, "users", Some(b"1"), Some(value.as_bytes()));
    }
    assert_eq!(driver.unread("users-processed"), 3);
}

/// A driver whose validation fails for a time, so often, and the number of its calls.
fn failing(failures: u32) -> (TopologyTestDriver, Arc<AtomicU32>) {
    let calls = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&calls);
    let look_up = move |_: &ChangeEvent<'_>| {
        if counted.fetch_add(1, Ordering::Relaxed) < failures {
            return Err(TemporaryError("the registry is down".to_owned()).into());
        }
        Ok(())
    };
    let validation = Validation::new().then("look-up", look_up);
    let topology = topology_with(&settings(), validation).unwrap();
    (TopologyTestDriver::new(&topology).unwrap(), calls)
}

#[test]
fn temporary_failure_is_tried_again_with_growing_waits() {
    let (mut driver, calls) = failing(2);
    pipe(&mut driver, "users", None, Some(GOOD));
    assert_eq!(calls.load(Ordering::Relaxed), 3);
    assert_eq!(driver.wall_clock_ms(), 1_000 + 2_000);
    assert_eq!(
        (driver.unread("users-processed"), driver.unread("cdc-dlq")),
        (1, 0)
    );
}

#[test]
fn temporary_failure_that_stays_is_a_dead_letter_after_the_last_try() {
    let (mut driver, calls) = failing(u32::MAX);
    pipe(&mut driver, "users", None, Some(GOOD));
    assert_eq!(calls.load(Ordering::Relaxed), 3);
    let document = json(&driver.read_bytes("cdc-dlq").unwrap());
    let good: Value = serde_json::from_slice(GOOD).unwrap();
    let expected = json!({
        "original_event": good,
        "original_encoding": "json",
        "error": "look-up: the registry is down",
        "error_type": "temporary",
        "timestamp": 1_700,
        "retry_count": 2,
        "source_topic": "users",
        "source_partition": 0,
        "source_offset": 0,
    });
    assert_eq!(document, expected);
}

#[test]
fn permanent_failure_is_not_tried_again() {
    let mut driver = driver();
    pipe(&mut driver, "users", None, Some(b"{}"));
    assert_eq!(driver.wall_clock_ms(), 0);
    assert_eq!(
        json(&driver.read_bytes("cdc-dlq").unwrap())["retry_count"],
        0
    );
}

#[test]
fn tries_and_waits_can_be_set() {
    let settings = Settings {
        tries_max: 4,
        retry_backoff: Duration::from_millis(10),
        ..settings()
    };
    assert_eq!(settings.retry_wait_total(), Duration::from_millis(70));
    let settings = Settings {
        tries_max: 1,
        ..settings
    };
    assert_eq!(settings.retry_wait_total(), Duration::ZERO);
}
