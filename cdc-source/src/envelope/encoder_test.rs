use super::*;
use crate::config::ConnectorConfig;
use crate::schema::{Column, ReplicaIdentity, Table};

fn config(settings: &[(&str, &str)]) -> ConnectorConfig {
    let mut map = serde_json::Map::new();
    for (key, value) in [
        ("name", "c"),
        (
            "connector.class",
            "io.debezium.connector.postgresql.PostgresConnector",
        ),
        ("topic.prefix", "server"),
        ("database.hostname", "localhost"),
        ("database.user", "u"),
        ("database.dbname", "d"),
        ("key.converter.schemas.enable", "false"),
        ("value.converter.schemas.enable", "false"),
        (
            "transforms.unwrap.type",
            "io.debezium.transforms.ExtractNewRecordState",
        ),
    ]
    .iter()
    .chain(settings)
    {
        map.insert((*key).to_owned(), (*value).into());
    }
    ConnectorConfig::from_json(&serde_json::Value::Object(map).to_string()).unwrap()
}

fn column(name: &str, type_oid: u32, nullable: bool) -> Column {
    Column {
        name: name.to_owned(),
        type_oid,
        type_modifier: -1,
        type_name: String::new(),
        nullable,
        default_expression: None,
    }
}

/// `t (id int4 PRIMARY KEY, code text NOT NULL, free numeric NOT NULL, shape polygon)`.
fn table() -> Table {
    Table {
        schema: "public".to_owned(),
        name: "t".to_owned(),
        columns: vec![
            column("id", 23, false),
            column("code", 25, false),
            column("free", 1700, false),
            column("shape", 604, true),
        ],
        key_columns: vec![0],
        replica_identity: ReplicaIdentity::Default,
    }
}

fn encode(settings: &[(&str, &str)], change: &Change<'_>) -> Result<Vec<OutgoingRecord>, String> {
    let encoder = EnvelopeEncoder::new(&config(settings)).unwrap();
    let mut out = Vec::new();
    let mut table = encoder.table(&table()).map_err(|error| error.to_string())?;
    table
        .encode(change, 1_000_000, &mut out)
        .map_err(|error| error.to_string())?;
    Ok(out)
}

fn change(operation: Operation, source: &SourcePosition) -> Change<'_> {
    Change {
        operation,
        before: None,
        old_key: None,
        after: None,
        source,
    }
}

fn text(bytes: Option<&Vec<u8>>) -> &str {
    std::str::from_utf8(bytes.unwrap()).unwrap()
}

const ROW: [Cell<'_>; 4] = [
    Cell::Text(b"1"),
    Cell::Text(b"a"),
    Cell::Text(b"1.50"),
    Cell::Text(b"((0,0),(1,1))"),
];

#[test]
fn values_of_unknown_types_are_passed_on_as_text() {
    let source = SourcePosition::default();
    let change = Change {
        after: Some(&ROW),
        ..change(Operation::Create, &source)
    };
    let records = encode(&[], &change).unwrap();
    assert_eq!(text(records[0].key.as_ref()), r#"{"id":1}"#);
    let value = text(records[0].value.as_ref());
    assert!(
        value.starts_with(concat!(
            r#"{"before":null,"after":{"id":1,"code":"a","free":{"scale":1,"value":"Dw=="},"#,
            r#""shape":"((0,0),(1,1))"},"source":"#
        )),
        "{value}"
    );
}

#[test]
fn a_delete_that_does_not_log_the_key_has_no_key_and_no_tombstone() {
    let source = SourcePosition::default();
    let old = [Cell::Null, Cell::Text(b"a"), Cell::Null, Cell::Null];
    let change = Change {
        old_key: Some(&old),
        ..change(Operation::Delete, &source)
    };
    let records = encode(&[], &change).unwrap();
    assert_eq!(records.len(), 1);
    assert_eq!(records[0].key, None);
    assert!(text(records[0].value.as_ref()).contains(r#""op":"d""#));
}

#[test]
fn an_update_that_does_not_log_the_old_key_is_no_change_of_key() {
    let source = SourcePosition::default();
    let old = [Cell::Null, Cell::Text(b"b"), Cell::Null, Cell::Null];
    let change = Change {
        old_key: Some(&old),
        after: Some(&ROW),
        ..change(Operation::Update, &source)
    };
    let records = encode(&[], &change).unwrap();
    assert_eq!(records.len(), 1);
    assert!(text(records[0].value.as_ref()).contains(r#""op":"u""#));
}

#[test]
fn a_number_that_has_no_place_in_a_required_decimal_is_an_error_and_leaves_nothing() {
    let source = SourcePosition::default();
    let row = [
        Cell::Text(b"1"),
        Cell::Text(b"a"),
        Cell::Text(b"NaN"),
        Cell::Null,
    ];
    let change = Change {
        after: Some(&row),
        ..change(Operation::Create, &source)
    };
    let encoder = EnvelopeEncoder::new(&config(&[])).unwrap();
    let mut out = Vec::new();
    let error = encoder
        .table(&table())
        .unwrap()
        .encode(&change, 0, &mut out)
        .unwrap_err();
    assert!(error.to_string().starts_with("public.t.free: "), "{error}");
    assert!(out.is_empty());
    let records = encode(&[("decimal.handling.mode", "string")], &change).unwrap();
    assert!(text(records[0].value.as_ref()).contains(r#""free":"NAN""#));
}

#[test]
fn a_failed_delete_and_create_leaves_neither() {
    let source = SourcePosition::default();
    let before = [
        Cell::Text(b"1"),
        Cell::Text(b"a"),
        Cell::Text(b"1"),
        Cell::Null,
    ];
    let after = [
        Cell::Text(b"2"),
        Cell::Text(b"a"),
        Cell::Text(b"NaN"),
        Cell::Null,
    ];
    let change = Change {
        before: Some(&before),
        after: Some(&after),
        ..change(Operation::Update, &source)
    };
    let encoder = EnvelopeEncoder::new(&config(&[])).unwrap();
    let mut out = Vec::new();
    assert!(
        encoder
            .table(&table())
            .unwrap()
            .encode(&change, 0, &mut out)
            .is_err()
    );
    assert!(out.is_empty());
}

#[test]
fn rows_of_another_width_are_refused() {
    let source = SourcePosition::default();
    let change = Change {
        after: Some(&ROW[..3]),
        ..change(Operation::Create, &source)
    };
    assert!(
        encode(&[], &change)
            .unwrap_err()
            .contains("3 values for 4 columns")
    );
}

#[test]
fn a_transform_that_does_not_fit_the_table_is_refused() {
    for (key, value) in [
        ("transforms.unwrap.route.by.field", "nosuch"),
        ("transforms.unwrap.route.by.field", "id"),
        ("transforms.unwrap.add.fields", "op:code"),
    ] {
        let settings = [
            ("transforms", "unwrap"),
            ("transforms.unwrap.add.fields.prefix", ""),
            (key, value),
        ];
        let encoder = EnvelopeEncoder::new(&config(&settings)).unwrap();
        assert!(encoder.table(&table()).is_err(), "{key}={value}");
    }
}

#[test]
fn rows_routed_by_a_field_pass_the_routers_behind() {
    let source = SourcePosition::default();
    let settings = [
        ("transforms", "unwrap,route"),
        ("transforms.unwrap.route.by.field", "code"),
        (
            "transforms.route.type",
            "org.apache.kafka.connect.transforms.RegexRouter",
        ),
        ("transforms.route.regex", "(.*)"),
        ("transforms.route.replacement", "routed-$1"),
    ];
    let with_code = |code| [Cell::Text(b"1"), code, Cell::Text(b"1"), Cell::Null];
    for (code, topic) in [
        (Cell::Text(b"a".as_slice()), "routed-a"),
        (Cell::Text(b" "), "routed-server.public.t"),
        (Cell::Null, "routed-server.public.t"),
    ] {
        let row = with_code(code);
        let change = Change {
            after: Some(&row),
            ..change(Operation::Create, &source)
        };
        assert_eq!(&*encode(&settings, &change).unwrap()[0].topic, topic);
    }
}

#[test]
fn positions_stand_in_the_source_block() {
    let source = SourcePosition {
        commit_timestamp_us: -1,
        snapshot: SnapshotMarker::LastInDataCollection,
        transaction_id: Some(7),
        lsn: 10,
        last_commit_lsn: Some(9),
        xmin: Some(3),
        origin: Some("up\"stream".into()),
        origin_lsn: Some(4),
    };
    let row = change(Operation::Read, &source);
    let records = encode(
        &[],
        &Change {
            after: Some(&ROW),
            ..row
        },
    )
    .unwrap();
    let value = text(records[0].value.as_ref());
    let expected = concat!(
        r#""ts_ms":-1,"snapshot":"last_in_data_collection","db":"d","sequence":"[\"9\",\"10\"]","#,
        r#""ts_us":-1,"ts_ns":-1000,"schema":"public","table":"t","txId":7,"lsn":10,"xmin":3,"#,
        r#""origin":"up\"stream","origin_lsn":4}"#
    );
    assert!(value.contains(expected), "{value}");
}

#[test]
fn rows_of_incremental_snapshots_have_no_place_in_the_log() {
    let source = SourcePosition {
        snapshot: SnapshotMarker::Incremental,
        transaction_id: Some(7),
        lsn: 10,
        ..SourcePosition::default()
    };
    let row = change(Operation::Read, &source);
    let records = encode(
        &[],
        &Change {
            after: Some(&ROW),
            ..row
        },
    )
    .unwrap();
    assert!(text(records[0].value.as_ref()).contains(r#""txId":null,"lsn":null,"#));
}

#[test]
fn names_that_no_topic_can_have_are_made_legal() {
    let mut table = table();
    table.name = "größe $".to_owned();
    let encoder = EnvelopeEncoder::new(&config(&[])).unwrap();
    let source = SourcePosition::default();
    let row = change(Operation::Create, &source);
    let mut out = Vec::new();
    let mut encoder = encoder.table(&table).unwrap();
    encoder
        .encode(
            &Change {
                after: Some(&ROW),
                ..row
            },
            0,
            &mut out,
        )
        .unwrap();
    assert_eq!(&*out[0].topic, "server.public.gr__e__");
}

#[test]
fn each_run_has_its_own_id() {
    let id = || {
        let encoder = EnvelopeEncoder::new(&config(&[])).unwrap();
        let source = SourcePosition::default();
        let row = change(Operation::Create, &source);
        let mut out = Vec::new();
        let change = Change {
            after: Some(&ROW),
            ..row
        };
        encoder
            .table(&table())
            .unwrap()
            .encode(&change, 0, &mut out)
            .unwrap();
        out[0].headers[3].clone()
    };
    let first = id();
    assert_eq!(&*first.key, "__debezium.context.runId");
    assert_ne!(first, id());
}
