//! One event's key and rows into its record: the envelope, or what the transforms leave of it.

use std::collections::HashMap;
use std::sync::Arc;

use super::{
    Cell, EnvelopeField, EventContext, Header, Moment, NullPolicy, OutgoingRecord, Row, RowEncoder,
    SourceBlock, quoted,
};
use crate::config::{ConnectorConfig, DeletedRow};
use crate::schema::{ConnectSchema, StructSchema, Table};
use crate::transform::{ExtractPlan, TransformPlan};
use crate::{Error, Result};

/// How many topics of `route.by.field` are remembered.
const ROUTED_TOPICS_MAX: usize = 1000;

/// The prepared text of the values of one table's records.
#[derive(Debug)]
pub(super) enum ValuePlan {
    Envelope(EnvelopeText),
    Row(RowText),
}

#[derive(Debug)]
pub(super) struct EnvelopeText {
    row: RowEncoder,
    /// Up to the value of `before`.
    head: Vec<u8>,
    closing: &'static [u8],
    capacity: Capacity,
}

/// How much room the next value is given: values of a table are about as long as the one before.
#[derive(Debug, Default)]
struct Capacity(usize);

impl Capacity {
    fn buffer(&self) -> Vec<u8> {
        Vec::with_capacity(self.0)
    }

    /// A value was this long; the next may be an eighth longer.
    fn learn(&mut self, length: usize) {
        self.0 = length + length / 8;
    }
}

#[derive(Debug)]
pub(super) struct RowText {
    row: RowEncoder,
    /// Up to the row's opening brace.
    head: Vec<u8>,
    closing: &'static [u8],
    capacity: Capacity,
    /// `__deleted` of a row that is there and of one that is not; empty unless rows are rewritten.
    kept: &'static [u8],
    deleted: &'static [u8],
    /// The added fields, each with its comma, name and colon.
    added: Vec<(Vec<u8>, EnvelopeField)>,
    /// A null value that still has its schema.
    null: Vec<u8>,
}

impl ValuePlan {
    pub(super) fn new(
        config: &ConnectorConfig,
        table: &Table,
        topic: &str,
        columns: &[usize],
        policy: NullPolicy,
        plan: &TransformPlan,
    ) -> Result<Self> {
        let converter = &config.value_converter;
        let row = |policy| {
            RowEncoder::new(
                table,
                columns,
                &config.values,
                converter.decimal_format,
                policy,
            )
        };
        let has_schema = converter.schemas_enable;
        match &plan.extract {
            None => Ok(Self::Envelope(EnvelopeText::new(
                row(policy),
                topic,
                has_schema,
            ))),
            Some(extract) => {
                // Only the step that inserts `__deleted` copies the row's fields with their
                // defaults (`InsertField#getFieldValue`).
                let replaces = extract.rewrites() && extract.replace_null_with_default;
                let policy = NullPolicy {
                    replace_with_default: policy.replace_with_default || replaces,
                    ..policy
                };
                RowText::new(row(policy), topic, has_schema, extract).map(Self::Row)
            }
        }
    }
}

impl EnvelopeText {
    fn new(row: RowEncoder, topic: &str, has_schema: bool) -> Self {
        let (head, closing) = if has_schema {
            let schema = envelope_schema(&row, topic).to_json();
            (
                format!("{{\"schema\":{schema},\"payload\":{{\"before\":"),
                b"}}".as_slice(),
            )
        } else {
            ("{\"before\":".to_owned(), b"}".as_slice())
        };
        Self {
            row,
            head: head.into_bytes(),
            closing,
            capacity: Capacity::default(),
        }
    }

    fn value(
        &mut self,
        source: &SourceBlock,
        event: &EventContext<'_>,
        before: Option<Row<'_>>,
        after: Option<Row<'_>>,
    ) -> Result<Vec<u8>> {
        let mut out = self.capacity.buffer();
        out.extend_from_slice(&self.head);
        self.push_row(before, &mut out)?;
        out.extend_from_slice(b",\"after\":");
        self.push_row(after, &mut out)?;
        out.extend_from_slice(b",\"source\":");
        source.push(event.position, &mut out);
        out.extend_from_slice(b",\"transaction\":null,\"op\":\"");
        out.extend_from_slice(event.operation.as_bytes());
        let now = Moment::of(event.now_us);
        out.extend_from_slice(b"\",\"ts_ms\":");
        now.push_millis(&mut out);
        out.extend_from_slice(b",\"ts_us\":");
        now.push_micros(&mut out);
        out.extend_from_slice(b",\"ts_ns\":");
        now.push_nanos(&mut out);
        out.extend_from_slice(self.closing);
        self.capacity.learn(out.len());
        Ok(out)
    }

    fn push_row(&self, row: Option<Row<'_>>, out: &mut Vec<u8>) -> Result<()> {
        let Some(row) = row else {
            out.extend_from_slice(b"null");
            return Ok(());
        };
        self.row.push(row, out)
    }
}

/// `<topic>.Envelope`, version 2 (`SchemaFactory#datatypeEnvelopeSchema`).
fn envelope_schema(row: &RowEncoder, topic: &str) -> StructSchema {
    let row = ConnectSchema::of_struct(
        &StructSchema::new(format!("{topic}.Value"), row.fields.clone()).optional(),
    );
    let transaction = StructSchema::new(
        "event.block",
        vec![
            ("id".to_owned(), ConnectSchema::primitive("string")),
            ("total_order".to_owned(), ConnectSchema::primitive("int64")),
            (
                "data_collection_order".to_owned(),
                ConnectSchema::primitive("int64"),
            ),
        ],
    )
    .with_version(1)
    .optional();
    let time = || ConnectSchema::primitive("int64").optional();
    let fields = [
        ("before", row.clone()),
        ("after", row),
        ("source", ConnectSchema::of_struct(&SourceBlock::schema())),
        ("transaction", ConnectSchema::of_struct(&transaction)),
        ("op", ConnectSchema::primitive("string")),
        ("ts_ms", time()),
        ("ts_us", time()),
        ("ts_ns", time()),
    ];
    let fields = fields
        .into_iter()
        .map(|(name, schema)| (name.to_owned(), schema))
        .collect();
    StructSchema::new(format!("{topic}.Envelope"), fields).with_version(2)
}

impl RowText {
    fn new(row: RowEncoder, topic: &str, has_schema: bool, extract: &ExtractPlan) -> Result<Self> {
        let name = format!("{topic}.Value");
        let mut fields = row.fields.clone();
        if extract.rewrites() {
            let schema = ConnectSchema::primitive("string").optional();
            fields.push(("__deleted".to_owned(), schema));
        }
        let mut added = Vec::with_capacity(extract.add_fields.len());
        for (field_name, field) in &extract.add_fields {
            if fields.iter().any(|(known, _)| known == field_name) {
                return Err(Error::value(
                    name,
                    format!("add.fields adds `{field_name}`, which the row has already"),
                ));
            }
            fields.push((field_name.clone(), field.schema()));
            added.push((format!(",{}:", quoted(field_name)).into_bytes(), *field));
        }
        let (head, closing, null) = if has_schema {
            let schema = StructSchema::new(&name, fields).to_json();
            let row_schema = StructSchema::new(&name, row.fields.clone())
                .optional()
                .to_json();
            (
                format!("{{\"schema\":{schema},\"payload\":"),
                b"}}".as_slice(),
                format!("{{\"schema\":{row_schema},\"payload\":null}}"),
            )
        } else {
            (String::new(), b"}".as_slice(), "null".to_owned())
        };
        let (kept, deleted): (&[u8], &[u8]) = if extract.rewrites() {
            (b",\"__deleted\":\"false\"", b",\"__deleted\":\"true\"")
        } else {
            (b"", b"")
        };
        let (head, null) = (head.into_bytes(), null.into_bytes());
        Ok(Self {
            row,
            head,
            closing,
            capacity: Capacity::default(),
            kept,
            deleted,
            added,
            null,
        })
    }

    fn value(
        &mut self,
        source: &SourceBlock,
        event: &EventContext<'_>,
        row: Row<'_>,
        is_deleted: bool,
    ) -> Result<Vec<u8>> {
        let mut out = self.capacity.buffer();
        out.extend_from_slice(&self.head);
        self.row.push_open(row, &mut out)?;
        out.extend_from_slice(if is_deleted { self.deleted } else { self.kept });
        for (prefix, field) in &self.added {
            out.extend_from_slice(prefix);
            field.value(source, event).push_json(&mut out);
        }
        out.extend_from_slice(self.closing);
        self.capacity.learn(out.len());
        Ok(out)
    }
}

/// Makes the records of one table's events.
#[derive(Debug)]
pub(super) struct Emission {
    plan: TransformPlan,
    value: ValuePlan,
    source: SourceBlock,
    headers: Arc<[Header]>,
    routed_topics: HashMap<Vec<u8>, Arc<str>>,
}

impl Emission {
    pub(super) fn new(
        plan: TransformPlan,
        value: ValuePlan,
        source: SourceBlock,
        headers: Arc<[Header]>,
    ) -> Self {
        Self {
            plan,
            value,
            source,
            headers,
            routed_topics: HashMap::new(),
        }
    }

    /// Appends the event's record, unless a transform drops it. Gives the headers that a tombstone
    /// behind it starts from.
    pub(super) fn push(
        &mut self,
        event: &EventContext<'_>,
        key: Option<Vec<u8>>,
        before: Option<Row<'_>>,
        after: Option<Row<'_>>,
        header: Option<(&str, Vec<u8>)>,
        out: &mut Vec<OutgoingRecord>,
    ) -> Result<Arc<[Header]>> {
        let headers = match header {
            None => Arc::clone(&self.headers),
            Some((name, value)) => {
                let header = Header {
                    key: name.into(),
                    value: Some(value.into()),
                };
                std::iter::once(header)
                    .chain(self.headers.iter().cloned())
                    .collect()
            }
        };
        let (value, row, record_headers) = match (&mut self.value, &self.plan.extract) {
            (ValuePlan::Row(text), Some(extract)) => {
                let Some(row) = after.or(before) else {
                    return Ok(headers);
                };
                let record_headers = extract.with_headers(&headers, &self.source, event);
                let is_deleted = after.is_none();
                let value = match extract.deleted_row {
                    _ if !is_deleted => Some(text.value(&self.source, event, row, false)?),
                    DeletedRow::Rewrite => Some(text.value(&self.source, event, row, true)?),
                    DeletedRow::NullWithSchema => Some(text.null.clone()),
                    DeletedRow::Null => None,
                    DeletedRow::Drop => return Ok(extract.shared(headers, record_headers)),
                };
                (value, Some(row), record_headers)
            }
            (ValuePlan::Envelope(text), _) => {
                let value = text.value(&self.source, event, before, after)?;
                (Some(value), None, Arc::clone(&headers))
            }
            (ValuePlan::Row(_), None) => return Ok(headers),
        };
        let topic = match row {
            Some(row) => self.routed_topic(row),
            None => Arc::clone(&self.plan.topic),
        };
        out.push(OutgoingRecord {
            topic,
            key,
            value,
            headers: Arc::clone(&record_headers),
            timestamp_ms: None,
        });
        Ok(match &self.plan.extract {
            Some(extract) => extract.shared(headers, record_headers),
            None => headers,
        })
    }

    /// Appends the tombstone behind a delete, unless a transform drops it.
    pub(super) fn push_tombstone(
        &self,
        key: Option<Vec<u8>>,
        headers: Arc<[Header]>,
        out: &mut Vec<OutgoingRecord>,
    ) {
        let headers = match &self.plan.extract {
            None => headers,
            Some(extract) if extract.keeps_tombstones => extract.with_tombstone_headers(headers),
            Some(_) => return,
        };
        out.push(OutgoingRecord {
            topic: Arc::clone(&self.plan.topic),
            key,
            value: None,
            headers,
            timestamp_ms: None,
        });
    }

    fn routed_topic(&mut self, row: Row<'_>) -> Arc<str> {
        let Some(route) = self
            .plan
            .extract
            .as_ref()
            .and_then(|extract| extract.route.as_ref())
        else {
            return Arc::clone(&self.plan.topic);
        };
        let value = match row.cell(route.column) {
            Cell::Text(text) => text,
            Cell::Null | Cell::UnchangedToast => route.null.as_bytes(),
        };
        if let Some(topic) = self.routed_topics.get(value) {
            return Arc::clone(topic);
        }
        let name = String::from_utf8_lossy(value);
        let topic = if name.trim().is_empty() {
            Arc::clone(&self.plan.topic)
        } else {
            Arc::from(route.apply_later(name.into_owned()))
        };
        if self.routed_topics.len() >= ROUTED_TOPICS_MAX {
            self.routed_topics.clear();
        }
        self.routed_topics
            .insert(value.to_vec(), Arc::clone(&topic));
        topic
    }
}
