//! A change of Postgres from the message of its plugin to the bytes of its event.

use std::hint::black_box;

use cdc_source::config::ConnectorConfig;
use cdc_source::envelope::{Cell, Change, EnvelopeEncoder, Operation, SourcePosition};
use cdc_source::postgres::pgoutput::{Row, decode};
use cdc_source::schema::{Column, ReplicaIdentity, Table};

use super::steps::Steps;
use crate::Result;

const CONNECTOR: &str = r#"{
    "name": "c",
    "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
    "topic.prefix": "server",
    "database.hostname": "localhost",
    "database.user": "u",
    "database.dbname": "d",
    "key.converter.schemas.enable": "false",
    "value.converter.schemas.enable": "false"
}"#;

const ROW: [Cell<'_>; 5] = [
    Cell::Text(b"4711"),
    Cell::Text(b"user 4711"),
    Cell::Text(b"user4711@example.com"),
    Cell::Text(b"1234.50"),
    Cell::Text(b"2026-01-02 03:04:05.678901"),
];

const INT4: u32 = 23;
const TEXT: u32 = 25;
const NUMERIC: u32 = 1_700;
const TIMESTAMP: u32 = 1_114;
const RELATION_ID: u32 = 16_385;

fn table() -> Table {
    let columns = [
        ("id", INT4),
        ("name", TEXT),
        ("email", TEXT),
        ("balance", NUMERIC),
        ("updated_at", TIMESTAMP),
    ];
    let columns = columns.map(|(name, type_oid)| Column {
        name: name.to_owned(),
        type_oid,
        type_modifier: -1,
        type_name: String::new(),
        nullable: name != "id",
        default_expression: None,
    });
    Table {
        schema: "public".to_owned(),
        name: "users".to_owned(),
        columns: columns.to_vec(),
        key_columns: vec![0],
        replica_identity: ReplicaIdentity::Default,
    }
}

/// The row as an `Insert` message of pgoutput.
fn insert_message() -> Vec<u8> {
    let mut bytes = vec![b'I'];
    bytes.extend(RELATION_ID.to_be_bytes());
    bytes.push(b'N');
    bytes.extend((ROW.len() as u16).to_be_bytes());
    for cell in ROW {
        if let Cell::Text(text) = cell {
            bytes.push(b't');
            bytes.extend((text.len() as u32).to_be_bytes());
            bytes.extend(text);
        }
    }
    bytes
}

/// Measures decoding and encoding.
pub(super) fn measure(steps: &mut Steps) -> Result<()> {
    let message = insert_message();
    decode(&message, &mut Row::default(), &mut Row::default())?;
    let (mut old, mut new) = (Row::default(), Row::default());
    steps.step("cdc/pgoutput decode", || {
        let decoded = decode(black_box(&message), &mut old, &mut new);
        decoded.map(|_| new.cells.len())
    })?;
    let encoder = EnvelopeEncoder::new(&ConnectorConfig::from_json(CONNECTOR)?)?;
    let mut table = encoder.table(&table())?;
    let source = SourcePosition::default();
    let change = Change {
        operation: Operation::Create,
        before: None,
        old_key: None,
        after: Some(&ROW),
        source: &source,
    };
    let mut events = Vec::new();
    table.encode(&change, 1_000_000, &mut events)?;
    steps.step("cdc/envelope encode", || {
        events.clear();
        table.encode(black_box(&change), 1_000_000, &mut events)
    })
}
