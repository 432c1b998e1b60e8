//! Our serdes and the JVM's, on what the JVM was captured doing.

use std::fmt::Debug;
use std::path::Path;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;
use streams_core::Headers;
use streams_core::serde::{
    Bool, ByteSerde, Deserializer, F32, F64, I16, I32, I64, List, Nullable, Presence, Serde, Unit,
    Utf8Lossy, UuidSerde,
};
use uuid::Uuid;

const TOPIC: &str = "topic";

/// The captured lines of this type and serde.
fn captured(kind: &str, serde: &str) -> Vec<Value> {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/conformance/streams/serde.jsonl");
    let text = std::fs::read_to_string(path).unwrap();
    let lines = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let lines: Vec<_> = lines
        .filter(|line| line["type"] == kind && line["serde"] == serde)
        .collect();
    assert!(!lines.is_empty(), "nothing captured for {kind} of {serde}");
    lines
}

fn bytes(captured: &Value) -> Option<Vec<u8>> {
    match captured {
        Value::Null => None,
        Value::String(text) => Some(text.clone().into_bytes()),
        other => Some(
            BASE64_STANDARD
                .decode(other["base64"].as_str().unwrap())
                .unwrap(),
        ),
    }
}

fn write<T>(serde: &impl Serde<T>, value: &T) -> Option<Vec<u8>> {
    let mut buffer = Vec::new();
    match serde
        .serialize(TOPIC, &mut Headers::new(), value, &mut buffer)
        .unwrap()
    {
        Presence::Null => None,
        Presence::Bytes => Some(buffer),
    }
}

/// Writes and reads every captured value; `parse` reads what Java's `toString` wrote.
fn check<T: Debug + PartialEq>(
    name: &str,
    serde: &impl Serde<Option<T>>,
    parse: impl Fn(&str) -> T,
) {
    for line in captured("serde", name) {
        let value = line["value"].as_str().map(&parse);
        let expected = bytes(&line["bytes"]);
        assert_eq!(write(serde, &value), expected, "{line}");
        let read = serde
            .deserialize(TOPIC, &Headers::new(), expected.as_deref())
            .unwrap();
        // NaN is not equal to itself, but shows as itself.
        assert_eq!(format!("{read:?}"), format!("{value:?}"), "{line}");
    }
}

/// Reads every captured input, which must fail where it failed in the JVM.
fn check_reads<T: Debug + ToString>(name: &str, serde: &impl Serde<T>) {
    for line in captured("read", name) {
        let read = serde.deserialize(TOPIC, &Headers::new(), bytes(&line["bytes"]).as_deref());
        match line.get("value") {
            Some(value) => assert_eq!(read.unwrap().to_string(), value.as_str().unwrap(), "{line}"),
            None => assert!(read.is_err(), "{line} gave {read:?}"),
        }
    }
}

fn java_float<F: std::str::FromStr<Err: Debug>>(text: &str) -> F {
    text.replace("Infinity", "inf").parse().unwrap()
}

fn hexadecimal(text: &str) -> Vec<u8> {
    text.split(' ')
        .map(|byte| u8::from_str_radix(byte, 16).unwrap())
        .collect()
}

fn java_list<T>(text: &str, element: impl Fn(&str) -> T) -> Vec<Option<T>> {
    let inside = text.strip_prefix('[').unwrap().strip_suffix(']').unwrap();
    let elements = inside.split(", ").filter(|_| !inside.is_empty());
    elements
        .map(|text| (text != "null").then(|| element(text)))
        .collect()
}

#[test]
fn whole_numbers_have_the_jvms_bytes() {
    check("long", &Nullable(I64), |text| text.parse().unwrap());
    check("integer", &Nullable(I32), |text| text.parse().unwrap());
    check("short", &Nullable(I16), |text| text.parse().unwrap());
}

#[test]
fn floating_point_numbers_have_the_jvms_bytes() {
    check("double", &Nullable(F64), java_float::<f64>);
    check("float", &Nullable(F32), java_float::<f32>);
}

#[test]
fn truth_values_text_and_uuids_have_the_jvms_bytes() {
    check("boolean", &Nullable(Bool), |text| text == "true");
    check("string", &Nullable(Utf8Lossy), str::to_owned);
    check(
        "string",
        &Nullable(streams_core::serde::Utf8),
        str::to_owned,
    );
    check("uuid", &Nullable(UuidSerde), |text| {
        text.parse::<Uuid>().unwrap()
    });
}

#[test]
fn bytes_stay_as_they_are() {
    for name in ["byte-array", "bytes"] {
        check(name, &Nullable(ByteSerde), hexadecimal);
    }
}

#[test]
fn nothing_is_null() {
    for line in captured("serde", "void") {
        assert_eq!(write(&Unit, &()), bytes(&line["bytes"]));
    }
    assert!(Unit.deserialize(TOPIC, &Headers::new(), None).is_ok());
}

#[test]
fn lists_have_the_jvms_bytes() {
    let list = |text: &str| java_list(text, |text| text.parse::<i32>().unwrap());
    check("list<integer>", &Nullable(List(Nullable(I32))), list);
    let list = |text: &str| java_list(text, |text| text.parse::<i64>().unwrap());
    check("list<long>", &Nullable(List(Nullable(I64))), list);
    let list = |text: &str| java_list(text, |text| text.parse::<Uuid>().unwrap());
    check("list<uuid>", &Nullable(List(Nullable(UuidSerde))), list);
    let list = |text: &str| java_list(text, str::to_owned);
    check("list<string>", &Nullable(List(Nullable(Utf8Lossy))), list);
}

#[test]
fn what_the_jvm_cannot_read_is_refused() {
    check_reads("long", &I64);
    check_reads("integer", &I32);
    check_reads("short", &I16);
    check_reads("double", &F64);
    check_reads("float", &F32);
    check_reads("boolean", &Bool);
    check_reads("uuid", &UuidSerde);
    check_reads("string", &Utf8Lossy);
    for line in captured("read", "void") {
        assert!(
            Unit.deserialize(TOPIC, &Headers::new(), bytes(&line["bytes"]).as_deref())
                .is_err()
        );
    }
}
