use super::*;

const MAX: usize = 1_000;

fn read(value: &str) -> Result<ChangeEvent<'_>, EventError> {
    ChangeEvent::read(None, Some(value.as_bytes()), MAX)
}

fn stamped(value: &str, stamp: &Stamp<'_>) -> String {
    String::from_utf8(read(value).unwrap().stamped(stamp)).unwrap()
}

#[test]
fn wrapped_event_keeps_its_form_its_order_and_its_digits() {
    let value = concat!(
        r#"{"schema":{"type":"struct"},"payload":{"z":1.10,"#,
        r#""after":{"b":12345678901234567890123,"a":1E5},"op":"c"}}"#
    );
    let stamp = Stamp {
        processed_at_ms: 7,
        ..Stamp::default()
    };
    let expected = format!("{},\"processed_at\":7}}", &value[..value.len() - 1]);
    assert_eq!(stamped(value, &stamp), expected);
    assert!(read(value).unwrap().is_wrapped());
}

#[test]
fn event_without_the_wrapper_has_the_fields_beside_op() {
    let value = "{\"before\":null,\"op\":\"u\"}\n";
    let stamp = Stamp {
        processed_at_ms: 7,
        processor: Some("say \"hi\""),
        event_type: Some("user_updated"),
    };
    assert_eq!(
        stamped(value, &stamp),
        concat!(
            r#"{"before":null,"op":"u","processed_at":7,"#,
            r#""processor":"say \"hi\"","event_type":"user_updated"}"#
        )
    );
    assert!(!read(value).unwrap().is_wrapped());
}

#[test]
fn fields_of_an_earlier_processor_are_replaced_where_they_stand() {
    let value = r#"{"event_type" : null,"payload":{"op":"d"}, "processed_at": 123456 , "x":1}"#;
    let stamp = Stamp {
        processed_at_ms: 7,
        processor: Some("p"),
        event_type: Some("user_deleted"),
    };
    assert_eq!(
        stamped(value, &stamp),
        concat!(
            r#"{"event_type" : "user_deleted","payload":{"op":"d"}, "#,
            r#""processed_at": 7 , "x":1,"processor":"p"}"#
        )
    );
}

#[test]
fn every_operation_of_debezium_is_read_and_no_other() {
    for (op, operation) in [
        ("c", Operation::Create),
        ("u", Operation::Update),
        ("d", Operation::Delete),
        ("r", Operation::Read),
        ("\\u0063", Operation::Create),
    ] {
        let value = format!(r#"{{"payload":{{"op":"{op}"}}}}"#);
        assert_eq!(read(&value).unwrap().operation(), operation);
    }
    for op in [
        r#""x""#,
        r#""C""#,
        r#""""#,
        "1",
        "-1",
        "1.5",
        "true",
        r#"["c"]"#,
        r#"{"c":1}"#,
    ] {
        let value = format!(r#"{{"payload":{{"op":{op}}}}}"#);
        assert_eq!(
            read(&value).unwrap_err(),
            EventError::OperationUnknown,
            "{op}"
        );
    }
}

#[test]
fn each_thing_that_is_no_event_has_its_reason() {
    let reason = |value: &str| read(value).unwrap_err().to_string();
    assert_eq!(
        reason(r#"{"payload":{"after":{}}}"#),
        "payload.op is missing"
    );
    assert_eq!(reason(r#"{"payload":null}"#), "payload.op is missing");
    assert_eq!(
        reason(r#"{"payload":{"op":null}}"#),
        "payload.op is missing"
    );
    // In the wrapped form the operation is in the payload, and nowhere else.
    assert_eq!(
        reason(r#"{"op":"c","payload":{}}"#),
        "payload.op is missing"
    );
    let unwrapped = "payload.op is missing, and so is op: the value is no envelope";
    assert_eq!(reason(r#"{"id":1,"name":"Ada"}"#), unwrapped);
    assert_eq!(reason("{}"), unwrapped);
    for value in ["", "secret", "{", r#"{"payload":{"op":"c"}"#, "{} {}"] {
        let reason = reason(value);
        assert!(reason.starts_with("the value is not JSON: "), "{reason}");
        assert!(!reason.contains("secret"), "{reason}");
    }
    for value in [r#""secret""#, "17", "[]", "null", r#"{"payload":"secret"}"#] {
        let reason = reason(value);
        assert!(
            reason.starts_with("the value is no change event: "),
            "{reason}"
        );
        assert!(!reason.contains("secret"), "{reason}");
    }
}

#[test]
fn bytes_that_are_no_text_are_refused_with_their_place() {
    let read = |key, value| ChangeEvent::read(key, value, MAX).unwrap_err().to_string();
    let good = br#"{"op":"c"}"#;
    assert_eq!(
        read(Some(b"k\xff"), Some(good)),
        "the key is not UTF-8: byte 1 is invalid"
    );
    assert_eq!(
        read(None, Some(b"{\"op\":\"\xc3\"}")),
        "the value is not UTF-8: byte 7 is invalid"
    );
    assert_eq!(read(None, None), "the value is null");
    assert_eq!(
        read(None, Some(&[b' '; MAX + 1])),
        "the value has 1001 bytes, and at most 1000 are taken (--value-bytes-max)"
    );
}

#[test]
fn deep_nesting_is_no_danger() {
    let deep = format!(
        r#"{{"x":{}{},"op":"c"}}"#,
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    let event = ChangeEvent::read(None, Some(deep.as_bytes()), deep.len()).unwrap();
    assert_eq!(event.operation(), Operation::Create);
}

#[test]
fn columns_and_table_are_read_from_the_change() {
    let value = concat!(
        r#"{"payload":{"op":"u","after":{"id":1,"na\u006de":"Ada","x":null},"#,
        r#""source":{"db":"shop","table":"us\u0065rs"}}}"#
    );
    let event = read(value).unwrap();
    assert_eq!(event.table(), Some("users"));
    let row = event.row().unwrap().unwrap();
    let names: Vec<_> = row.columns().iter().map(|column| &*column.name).collect();
    assert_eq!(names, ["id", "name", "x"]);
    let column = |name| row.column(name).unwrap();
    assert_eq!(column("id").number(), Some(1.0));
    assert_eq!(column("name").text().as_deref(), Some("Ada"));
    assert!(column("x").is_null());
    assert!(row.column("y").is_none());
}
