//! The serdes: what they refuse, and that they read what they wrote.

use std::fmt::Debug;
use std::sync::Arc;

use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use streams_core::Headers;
use streams_core::serde::{
    Bool, BoxedByteSerde, ByteSerde, ConnectJson, ConnectValue, Deserializer, F32, F64, I16, I32,
    I64, Json, List, Nullable, Presence, Serde, Serializer, SharedUtf8, Unit, Utf8, Utf8Lossy,
    UuidSerde,
};
use uuid::Uuid;

const TOPIC: &str = "topic";

fn write<T>(serde: &impl Serializer<T>, value: &T) -> Option<Vec<u8>> {
    let mut buffer = b"before".to_vec();
    let presence = serde
        .serialize(TOPIC, &mut Headers::new(), value, &mut buffer)
        .unwrap();
    assert!(buffer.starts_with(b"before"), "a serde appends");
    (presence == Presence::Bytes).then(|| buffer.split_off(b"before".len()))
}

fn read<T>(serde: &impl Deserializer<T>, bytes: impl AsRef<[u8]>) -> Result<T, String> {
    let read = serde.deserialize(TOPIC, &Headers::new(), Some(bytes.as_ref()));
    read.map_err(|error| error.to_string())
}

fn round_trip<T: Debug + PartialEq>(serde: &impl Serde<T>, value: T) {
    let bytes = write(serde, &value);
    let read = serde
        .deserialize(TOPIC, &Headers::new(), bytes.as_deref())
        .unwrap();
    assert_eq!(read, value);
}

/// What a serde says of bytes it refuses.
fn refusal<T: Debug>(serde: &impl Deserializer<T>, bytes: impl AsRef<[u8]>) -> String {
    read(serde, bytes).unwrap_err()
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct User {
    name: String,
    age: u32,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Color {
    Red,
}

proptest! {
    #[test]
    fn every_serde_reads_what_it_wrote(
        short: i16,
        integer: i32,
        long: i64,
        float in -1e30_f32..1e30,
        double in -1e300_f64..1e300,
        text: String,
        bytes: Vec<u8>,
        uuid: u128,
        flag: bool,
    ) {
        round_trip(&I16, short);
        round_trip(&I32, integer);
        round_trip(&I64, long);
        round_trip(&F32, float);
        round_trip(&F64, double);
        round_trip(&Bool, flag);
        round_trip(&Utf8, text.clone());
        round_trip(&Utf8Lossy, text.clone());
        round_trip(&SharedUtf8, Arc::<str>::from(text.as_str()));
        round_trip(&BoxedByteSerde, bytes.clone().into_boxed_slice());
        round_trip(&ByteSerde, bytes);
        round_trip(&UuidSerde, Uuid::from_u128(uuid));
        round_trip(&Json, User { name: text.clone(), age: long as u32 });
        round_trip(&Nullable(Utf8), flag.then_some(text));
    }

    #[test]
    fn lists_read_what_they_wrote(
        numbers: Vec<Option<i32>>,
        texts: Vec<Option<String>>,
        nested: Vec<Vec<i64>>,
    ) {
        round_trip(&List(Nullable(I32)), numbers);
        round_trip(&List(Nullable(Utf8)), texts);
        round_trip(&List(List(I64)), nested);
    }

    #[test]
    fn no_serde_panics_on_any_bytes(bytes: Vec<u8>, format in 0_u8..2) {
        let _ = read(&I64, &bytes);
        let _ = read(&Bool, &bytes);
        let _ = read(&Utf8, &bytes);
        let _ = read(&UuidSerde, &bytes);
        let _: Result<Value, _> = read(&Json, &bytes);
        let _: Result<ConnectValue<Value>, _> = read(&ConnectJson, &bytes);
        let list = [&[format][..], &bytes].concat();
        let _ = read(&List(Nullable(I32)), &list);
        let _ = read(&List(Nullable(Utf8)), &list);
    }
}

#[test]
fn null_is_refused_where_there_must_be_a_value() {
    let refused = |error: Result<String, _>| {
        format!(
            "{}",
            error
                .map_err(|e: streams_core::serde::SerdeError| e)
                .unwrap_err()
        )
    };
    let null = Utf8.deserialize(TOPIC, &Headers::new(), None);
    assert_eq!(refused(null), "null where there must be a value");
    assert!(I64.deserialize(TOPIC, &Headers::new(), None).is_err());
    assert!(Deserializer::<User>::deserialize(&Json, TOPIC, &Headers::new(), None).is_err());
    assert!(List(I32).deserialize(TOPIC, &Headers::new(), None).is_err());
}

#[test]
fn null_and_empty_text_are_not_the_same() {
    assert_eq!(write(&Nullable(Utf8), &None), None);
    assert_eq!(
        write(&Nullable(Utf8), &Some(String::new())),
        Some(Vec::new())
    );
    assert_eq!(read(&Nullable(Utf8), b""), Ok(Some(String::new())));
}

#[test]
fn a_refusal_names_what_was_expected() {
    assert_eq!(
        refusal(&I64, [1, 2, 3]),
        "expected 8 bytes, but there are 3"
    );
    assert_eq!(
        refusal(&Bool, [2]),
        "a truth value is 0 or 1, but this is 2"
    );
    assert_eq!(refusal(&Utf8, b"ab\xff"), "not UTF-8: byte 2 is invalid");
    assert_eq!(refusal(&Unit, b"x"), "expected null, but there are 1 bytes");
    let uuid = "not a UUID: expected five groups of hexadecimal digits";
    assert_eq!(refusal(&UuidSerde, "no uuid"), uuid);
}

#[test]
fn uuids_are_read_in_the_spellings_java_reads() {
    let uuid = Uuid::from_u128(0x1_0000_0000_0002);
    assert_eq!(read(&UuidSerde, "0-0-0-1-2"), Ok(uuid));
    let upper = "123E4567-E89B-12D3-A456-426614174000";
    assert_eq!(
        write(&UuidSerde, &read(&UuidSerde, upper).unwrap()).unwrap(),
        upper.to_lowercase().as_bytes()
    );
    for other in [
        "123e4567e89b12d3a456426614174000",
        "{123e4567-e89b-12d3-a456-426614174000}",
        "urn:uuid:123e4567-e89b-12d3-a456-426614174000",
        "1-2-3-4",
        "1-2-3-4-5-6",
        "1-2-3-4-g",
        "",
    ] {
        assert!(read(&UuidSerde, other).is_err(), "{other}");
    }
}

#[test]
fn json_that_is_none_is_refused_with_its_place() {
    assert_eq!(
        refusal::<Value>(&Json, "{\"a\":"),
        "not JSON: EOF while parsing a value at line 1 column 5"
    );
    assert_eq!(
        refusal::<Value>(&Json, "x"),
        "not JSON: expected value at line 1 column 1"
    );
    assert_eq!(
        refusal::<Value>(&Json, b"\"\xff\""),
        "not UTF-8: byte 1 is invalid"
    );
    assert!(refusal::<Value>(&Json, "1 2").starts_with("not JSON: trailing characters"));
    let deep = "[".repeat(100_000);
    assert!(refusal::<Value>(&Json, deep).starts_with("not JSON: recursion limit exceeded"));
}

#[test]
fn json_of_another_shape_is_refused_without_its_values() {
    let message = refusal::<User>(&Json, r#"{"name": "Ada", "age": "se, expected cret"}"#);
    let expected = "JSON of another shape: invalid type: string, expected u32 at line 1 column 42";
    assert_eq!(message, expected);
    let message = refusal::<User>(&Json, r#"{"name": "Ada"}"#);
    assert_eq!(
        message,
        "JSON of another shape: missing field `age` at line 1 column 15"
    );
    let message = refusal::<User>(&Json, r#"{"name": "Ada", "age": -70707}"#);
    assert!(!message.contains("70707"), "{message}");
    round_trip(&Json, Color::Red);
    let message = refusal::<Color>(&Json, "\"hidden\"");
    assert!(
        message.starts_with("JSON of another shape: unknown variant, expected"),
        "{message}"
    );
}

#[test]
fn a_value_without_json_leaves_nothing_behind() {
    let map = std::collections::HashMap::from([(vec![1_u8], 1)]);
    let mut buffer = b"kept".to_vec();
    let error = Json
        .serialize(TOPIC, &mut Headers::new(), &map, &mut buffer)
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot be written as JSON: key must be a string"
    );
    assert_eq!(buffer, b"kept");
}

#[test]
fn connect_json_keeps_the_form_it_came_in() {
    let bare = r#"{"op":"c","after":{"id":1}}"#;
    let wrapped = format!(r#"{{"schema":{{"type":"struct","fields":[]}},"payload":{bare}}}"#);
    for form in [bare, &wrapped] {
        let value: ConnectValue<Value> = read(&ConnectJson, form).unwrap();
        assert_eq!(value.payload["op"], "c");
        assert_eq!(value.is_wrapped(), form == wrapped);
        assert_eq!(write(&ConnectJson, &value).unwrap(), form.as_bytes());
    }
}

#[test]
fn connect_json_takes_only_an_object_of_both_fields_for_a_wrapper() {
    for bare in [
        r#"{"schema":{},"payload":{},"more":1}"#,
        r#"{"payload":{}}"#,
        r#"{"schema":{}}"#,
        r#"[{"schema":{},"payload":{}}]"#,
        "7",
        "null",
    ] {
        let value: ConnectValue<Value> = read(&ConnectJson, bare).unwrap();
        assert!(!value.is_wrapped(), "{bare}");
        assert_eq!(write(&ConnectJson, &value).unwrap(), bare.as_bytes());
    }
    let null: ConnectValue<Option<i32>> =
        read(&ConnectJson, r#"{"schema":null,"payload":null}"#).unwrap();
    assert!(null.is_wrapped() && null.payload.is_none());
}

#[test]
fn connect_json_says_what_is_wrong_with_the_payload() {
    let wrapped = r#"{"schema":{},"payload":{"name":"Ada"}}"#;
    let message = refusal::<ConnectValue<User>>(&ConnectJson, wrapped);
    assert!(message.contains("missing field `age`"), "{message}");
    let message = refusal::<ConnectValue<User>>(&ConnectJson, "not json");
    assert!(message.starts_with("not JSON: "), "{message}");
}

#[test]
fn a_damaged_list_is_refused() {
    let list = List(I32);
    let whole = write(&list, &vec![1, 2]).unwrap();
    for end in 0..whole.len() {
        assert!(read(&list, whole.get(..end).unwrap()).is_err());
    }
    let longer = [whole.as_slice(), b"x"].concat();
    assert_eq!(refusal(&list, longer), "1 bytes follow the list");
    assert_eq!(
        refusal(&list, [7]),
        "not a list: the first byte is neither 0 nor 1"
    );
    let texts = write(&List(Utf8), &vec!["a".to_owned()]).unwrap();
    assert_eq!(refusal(&list, texts), "a list of elements of another type");
    let endless = [&[1_u8][..], &i32::MAX.to_be_bytes()].concat();
    assert!(read(&List(Utf8), endless).is_err());
    let negative = [&[1_u8][..], &(-5_i32).to_be_bytes()].concat();
    assert_eq!(
        refusal(&List(Utf8), negative),
        "a list cannot have -5 elements or bytes"
    );
}
