//! The envelope's `source` block, and its other fields by name.

use std::borrow::Cow;

use super::{
    Moment, SnapshotMarker, SourcePosition, push_int, push_optional_int, push_string, quoted,
};
use crate::config::ConnectorConfig;
use crate::schema::{ConnectSchema, StructSchema};

/// The version of Debezium whose envelope this is: what consumers find in `source.version`.
const DEBEZIUM_VERSION: &str = "3.7.0.Final";

/// What an event's fields are taken from, besides its row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EventContext<'a> {
    pub(crate) position: &'a SourcePosition,
    /// `op`: one letter.
    pub(crate) operation: &'static str,
    /// The connector's clock, µs since 1970.
    pub(crate) now_us: i64,
}

/// A field's value outside of the row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Scalar<'a> {
    Null,
    Int(i64),
    Text(Cow<'a, str>),
}

impl Scalar<'_> {
    /// Appends the value's JSON.
    pub(crate) fn push_json(&self, out: &mut Vec<u8>) {
        match self {
            Self::Null => out.extend_from_slice(b"null"),
            Self::Int(value) => push_int(*value, out),
            Self::Text(text) => push_string(text.as_bytes(), out),
        }
    }

    /// The bytes of a header that holds the value (`SimpleHeaderConverter`).
    pub(crate) fn to_header(&self) -> Option<Vec<u8>> {
        match self {
            Self::Null => None,
            Self::Int(value) => Some(value.to_string().into_bytes()),
            Self::Text(text) => Some(text.as_bytes().to_vec()),
        }
    }
}

/// The fields of `io.debezium.connector.postgresql.Source`, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SourceField {
    Version,
    Connector,
    Name,
    TsMs,
    Snapshot,
    Db,
    Sequence,
    TsUs,
    TsNs,
    Schema,
    Table,
    TxId,
    Lsn,
    Xmin,
    Origin,
    OriginLsn,
}

impl SourceField {
    const ALL: [(Self, &'static str); 16] = [
        (Self::Version, "version"),
        (Self::Connector, "connector"),
        (Self::Name, "name"),
        (Self::TsMs, "ts_ms"),
        (Self::Snapshot, "snapshot"),
        (Self::Db, "db"),
        (Self::Sequence, "sequence"),
        (Self::TsUs, "ts_us"),
        (Self::TsNs, "ts_ns"),
        (Self::Schema, "schema"),
        (Self::Table, "table"),
        (Self::TxId, "txId"),
        (Self::Lsn, "lsn"),
        (Self::Xmin, "xmin"),
        (Self::Origin, "origin"),
        (Self::OriginLsn, "origin_lsn"),
    ];

    /// The field of this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .find(|(_, known)| *known == name)
            .map(|(field, _)| *field)
    }

    fn schema(self) -> ConnectSchema {
        match self {
            Self::Version
            | Self::Connector
            | Self::Name
            | Self::Db
            | Self::Schema
            | Self::Table => ConnectSchema::primitive("string"),
            Self::TsMs => ConnectSchema::primitive("int64"),
            Self::Snapshot => ConnectSchema::named("string", "io.debezium.data.Enum")
                .with_parameter(
                    "allowed",
                    "true,first,first_in_data_collection,last_in_data_collection,last,false,\
                     incremental"
                        .to_owned(),
                )
                .with_default(Some("\"false\"".to_owned()))
                .optional(),
            Self::Sequence | Self::Origin => ConnectSchema::primitive("string").optional(),
            Self::TsUs | Self::TsNs | Self::TxId | Self::Lsn | Self::Xmin | Self::OriginLsn => {
                ConnectSchema::primitive("int64").optional()
            }
        }
    }
}

/// A field of the envelope that a transform can add to rows or headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EnvelopeField {
    Operation,
    TsMs,
    TsUs,
    TsNs,
    Source(SourceField),
    /// `transaction.id`: always null, since transaction metadata is not provided.
    TransactionId,
    /// `transaction.total_order` and `transaction.data_collection_order`: always null.
    TransactionOrder,
}

impl EnvelopeField {
    /// The field's schema once it stands outside of the envelope: optional and without a default
    /// (`SchemaUtil#copySchemaBasics`).
    pub(crate) fn schema(self) -> ConnectSchema {
        match self {
            Self::Operation | Self::TransactionId => ConnectSchema::primitive("string"),
            Self::TsMs | Self::TsUs | Self::TsNs | Self::TransactionOrder => {
                ConnectSchema::primitive("int64")
            }
            Self::Source(field) => field.schema().with_default(None),
        }
        .optional()
    }

    /// The field's value in one event.
    pub(crate) fn value<'a>(self, block: &'a SourceBlock, event: &EventContext<'a>) -> Scalar<'a> {
        match self {
            Self::Operation => Scalar::Text(Cow::Borrowed(event.operation)),
            Self::TsMs => Scalar::Int(event.now_us.div_euclid(1000)),
            Self::TsUs => Scalar::Int(event.now_us),
            Self::TsNs => Scalar::Int(event.now_us.saturating_mul(1000)),
            Self::Source(field) => block.value(field, event.position),
            Self::TransactionId | Self::TransactionOrder => Scalar::Null,
        }
    }
}

/// Writes the `source` blocks of one table's events.
#[derive(Debug)]
pub(crate) struct SourceBlock {
    name: String,
    database: String,
    schema: String,
    table: String,
    /// From the start to the value of `ts_ms`.
    head: Vec<u8>,
    /// From behind `snapshot`'s value to that of `sequence`.
    database_part: Vec<u8>,
    /// From behind `ts_ns`'s value to that of `txId`.
    table_part: Vec<u8>,
    /// What stands for the snapshot marker of a streamed event.
    streamed: &'static [u8],
}

impl SourceBlock {
    /// `replace_null` is the value converter's `replace.null.with.default`: the marker of a
    /// streamed event is a null whose default is `false`.
    pub(crate) fn new(
        config: &ConnectorConfig,
        schema: &str,
        table: &str,
        replace_null: bool,
    ) -> Self {
        let head = format!(
            "{{\"version\":\"{DEBEZIUM_VERSION}\",\"connector\":\"postgresql\",\"name\":{},\
             \"ts_ms\":",
            quoted(&config.topic_prefix)
        );
        let database = format!(",\"db\":{},\"sequence\":", quoted(&config.database.name));
        let place = format!(
            ",\"schema\":{},\"table\":{},\"txId\":",
            quoted(schema),
            quoted(table)
        );
        Self {
            name: config.topic_prefix.clone(),
            database: config.database.name.clone(),
            schema: schema.to_owned(),
            table: table.to_owned(),
            head: head.into_bytes(),
            database_part: database.into_bytes(),
            table_part: place.into_bytes(),
            streamed: if replace_null { b"\"false\"" } else { b"null" },
        }
    }

    /// The block's schema.
    pub(crate) fn schema() -> StructSchema {
        let fields = SourceField::ALL
            .iter()
            .map(|(field, name)| ((*name).to_owned(), field.schema()))
            .collect();
        StructSchema::new("io.debezium.connector.postgresql.Source", fields).with_version(1)
    }

    /// Appends the block of an event.
    pub(crate) fn push(&self, position: &SourcePosition, out: &mut Vec<u8>) {
        let commit = Moment::of(position.commit_timestamp_us);
        out.extend_from_slice(&self.head);
        commit.push_millis(out);
        out.extend_from_slice(b",\"snapshot\":");
        match marker_text(position.snapshot) {
            Some(marker) => push_string(marker.as_bytes(), out),
            None => out.extend_from_slice(self.streamed),
        }
        out.extend_from_slice(&self.database_part);
        push_sequence(position, out);
        out.extend_from_slice(b",\"ts_us\":");
        commit.push_micros(out);
        out.extend_from_slice(b",\"ts_ns\":");
        commit.push_nanos(out);
        out.extend_from_slice(&self.table_part);
        push_optional_int(transaction_id(position), out);
        out.extend_from_slice(b",\"lsn\":");
        push_optional_int(lsn(position), out);
        out.extend_from_slice(b",\"xmin\":");
        push_optional_int(xmin(position), out);
        out.extend_from_slice(b",\"origin\":");
        match &position.origin {
            Some(origin) => push_string(origin.as_bytes(), out),
            None => out.extend_from_slice(b"null"),
        }
        out.extend_from_slice(b",\"origin_lsn\":");
        push_optional_int(position.origin_lsn.map(|lsn| lsn as i64), out);
        out.push(b'}');
    }

    fn value<'a>(&'a self, field: SourceField, position: &'a SourcePosition) -> Scalar<'a> {
        let text = |text: &'a str| Scalar::Text(Cow::Borrowed(text));
        let int = |value: Option<i64>| value.map_or(Scalar::Null, Scalar::Int);
        let commit_us = position.commit_timestamp_us;
        match field {
            SourceField::Version => text(DEBEZIUM_VERSION),
            SourceField::Connector => text("postgresql"),
            SourceField::Name => text(&self.name),
            SourceField::TsMs => Scalar::Int(commit_us.div_euclid(1000)),
            SourceField::Snapshot => marker_text(position.snapshot).map_or(Scalar::Null, text),
            SourceField::Db => text(&self.database),
            SourceField::Sequence => Scalar::Text(Cow::Owned(sequence_text(position))),
            SourceField::TsUs => Scalar::Int(commit_us),
            SourceField::TsNs => Scalar::Int(commit_us.saturating_mul(1000)),
            SourceField::Schema => text(&self.schema),
            SourceField::Table => text(&self.table),
            SourceField::TxId => int(transaction_id(position)),
            SourceField::Lsn => int(lsn(position)),
            SourceField::Xmin => int(xmin(position)),
            SourceField::Origin => position.origin.as_deref().map_or(Scalar::Null, text),
            SourceField::OriginLsn => int(position.origin_lsn.map(|lsn| lsn as i64)),
        }
    }
}

/// The marker's text; a streamed event carries none (`SnapshotRecord#toSource`).
fn marker_text(marker: SnapshotMarker) -> Option<&'static str> {
    match marker {
        SnapshotMarker::False => None,
        SnapshotMarker::True => Some("true"),
        SnapshotMarker::First => Some("first"),
        SnapshotMarker::FirstInDataCollection => Some("first_in_data_collection"),
        SnapshotMarker::LastInDataCollection => Some("last_in_data_collection"),
        SnapshotMarker::Last => Some("last"),
        SnapshotMarker::Incremental => Some("incremental"),
    }
}

/// Rows of incremental snapshots have no place in the log.
fn is_logged(position: &SourcePosition) -> bool {
    position.snapshot != SnapshotMarker::Incremental
}

fn transaction_id(position: &SourcePosition) -> Option<i64> {
    position
        .transaction_id
        .filter(|_| is_logged(position))
        .map(i64::from)
}

fn lsn(position: &SourcePosition) -> Option<i64> {
    is_logged(position).then_some(position.lsn as i64)
}

fn xmin(position: &SourcePosition) -> Option<i64> {
    position
        .xmin
        .filter(|_| is_logged(position))
        .map(|xmin| xmin as i64)
}

/// `["<last commit LSN>","<LSN>"]` as a JSON string, that is with its quotes escaped.
fn push_sequence(position: &SourcePosition, out: &mut Vec<u8>) {
    out.extend_from_slice(b"\"[");
    match position.last_commit_lsn {
        Some(commit) => {
            out.extend_from_slice(b"\\\"");
            push_int(commit as i64, out);
            out.extend_from_slice(b"\\\",\\\"");
        }
        None => out.extend_from_slice(b"null,\\\""),
    }
    push_int(position.lsn as i64, out);
    out.extend_from_slice(b"\\\"]\"");
}

fn sequence_text(position: &SourcePosition) -> String {
    match position.last_commit_lsn {
        Some(commit) => format!("[\"{commit}\",\"{}\"]", position.lsn),
        None => format!("[null,\"{}\"]", position.lsn),
    }
}
