//! The prepared encoder of one table, and which records a change becomes.

use std::sync::Arc;

use super::emission::{Emission, ValuePlan};
use super::{
    Cell, Change, EventContext, Header, NullPolicy, Operation, OutgoingRecord, Row, RowEncoder,
    SourceBlock, SourcePosition,
};
use crate::config::{ConnectorConfig, DecimalFormat, SkippedOperations};
use crate::postgres::value::ColumnKind;
use crate::schema::{StructSchema, Table};
use crate::transform::TransformPlan;
use crate::{Error, Result};

/// Writes the changes of one table as records.
#[derive(Debug)]
pub struct TableEncoder {
    /// `schema.table`, for messages.
    name: String,
    column_count: usize,
    key: Option<KeyEncoder>,
    emission: Emission,
    skipped: SkippedOperations,
    tombstones: bool,
    /// The columns to compare if updates that change none of them are skipped.
    compared_columns: Option<Vec<usize>>,
    unknown_columns: Vec<String>,
}

/// Writes the keys of one table's records.
#[derive(Debug)]
struct KeyEncoder {
    row: RowEncoder,
    header_row: RowEncoder,
    /// What stands before the key's object: the schema, if it is enabled.
    prefix: Vec<u8>,
    closing: &'static [u8],
    /// The key's columns, with whether each may be null.
    columns: Vec<(usize, bool)>,
}

/// What distinguishes the records of one change.
#[derive(Debug, Clone, Copy)]
struct Event<'a> {
    operation: &'static str,
    key: Option<Row<'a>>,
    before: Option<Row<'a>>,
    after: Option<Row<'a>>,
}

impl TableEncoder {
    pub(super) fn new(
        config: &ConnectorConfig,
        table: &Table,
        headers: Arc<[Header]>,
    ) -> Result<Self> {
        let topic = data_topic(config, table);
        let columns = included_columns(config, table);
        let key_columns = key_columns(config, table);
        let policy = NullPolicy {
            replace_with_default: config.value_converter.replace_null_with_default,
            on_failure: config.values.conversion_failure,
        };
        let plan = TransformPlan::new(config, table, &topic, &columns)?;
        let source = SourceBlock::new(
            config,
            &table.schema,
            &table.name,
            config.value_converter.replace_null_with_default,
        );
        let value = ValuePlan::new(config, table, &topic, &columns, policy, &plan)?;
        Ok(Self {
            name: format!("{}.{}", table.schema, table.name),
            column_count: table.columns.len(),
            key: KeyEncoder::new(config, table, &topic, &key_columns),
            emission: Emission::new(plan, value, source, headers),
            skipped: config.skipped_operations,
            tombstones: config.tombstones_on_delete,
            unknown_columns: unknown_columns(config, table, &columns),
            compared_columns: config.skip_messages_without_change.then_some(columns),
        })
    }

    /// The columns whose types are not known, as `schema.table.column`.
    pub(super) fn unknown_columns(&self) -> &[String] {
        &self.unknown_columns
    }

    /// Appends the records that this change becomes: none (skipped, filtered, no row logged) up to
    /// three (a changed key is a delete, a tombstone and a create).
    ///
    /// `now_us` is the connector's clock in µs since 1970. On an error `out` is as it was.
    ///
    /// # Errors
    /// [`Error::Value`] if the change does not fit the table, or holds a value that its column's
    /// type in events has no place for.
    pub fn encode(
        &mut self,
        change: &Change<'_>,
        now_us: i64,
        out: &mut Vec<OutgoingRecord>,
    ) -> Result<()> {
        let start = out.len();
        let result = self.encode_all(change, now_us, out);
        if result.is_err() {
            out.truncate(start);
        }
        result
    }

    fn encode_all(
        &mut self,
        change: &Change<'_>,
        now_us: i64,
        out: &mut Vec<OutgoingRecord>,
    ) -> Result<()> {
        for cells in [change.before, change.old_key, change.after]
            .into_iter()
            .flatten()
        {
            self.check_width(cells)?;
        }
        let old = change.before.or(change.old_key);
        let at = (change.source, now_us);
        match change.operation {
            Operation::Read | Operation::Create => {
                let after = self.required_row(change)?;
                let is_read = change.operation == Operation::Read;
                let operation = if is_read { "r" } else { "c" };
                let event = Event {
                    operation,
                    key: Some(after),
                    before: None,
                    after: Some(after),
                };
                self.emit(event, None, at, out)
            }
            Operation::Update => self.encode_update(change, old, at, out),
            Operation::Delete => {
                let Some(old) = old.map(Row::new) else {
                    return Ok(());
                };
                let event = Event {
                    operation: "d",
                    key: Some(old),
                    before: Some(old),
                    after: None,
                };
                self.emit(event, None, at, out)
            }
            Operation::Truncate => {
                let event = Event {
                    operation: "t",
                    key: None,
                    before: None,
                    after: None,
                };
                self.emit(event, None, at, out)
            }
        }
    }

    fn encode_update<'a>(
        &mut self,
        change: &Change<'a>,
        old: Option<&'a [Cell<'a>]>,
        at: (&SourcePosition, i64),
        out: &mut Vec<OutgoingRecord>,
    ) -> Result<()> {
        let after = self.required_row(change)?;
        if let (Some(columns), Some(before)) = (&self.compared_columns, change.before) {
            let before = Row::new(before);
            if columns
                .iter()
                .all(|&index| before.cell(index) == after.cell(index))
            {
                return Ok(());
            }
        }
        let old = old.map(Row::new);
        let changed_key = match (&self.key, old) {
            (Some(key), Some(old)) => key.headers_of_change(old, after)?,
            _ => None,
        };
        let Some((new_key, old_key)) = changed_key else {
            let event = Event {
                operation: "u",
                key: Some(after),
                before: old,
                after: Some(after),
            };
            return self.emit(event, None, at, out);
        };
        let delete = Event {
            operation: "d",
            key: old,
            before: old,
            after: None,
        };
        self.emit(delete, Some(("__debezium.newkey", new_key)), at, out)?;
        let create = Event {
            operation: "c",
            key: Some(after),
            before: None,
            after: Some(after),
        };
        self.emit(create, Some(("__debezium.oldkey", old_key)), at, out)
    }

    /// Appends an event's record, and the tombstone behind a delete.
    fn emit(
        &mut self,
        event: Event<'_>,
        header: Option<(&str, Vec<u8>)>,
        (position, now_us): (&SourcePosition, i64),
        out: &mut Vec<OutgoingRecord>,
    ) -> Result<()> {
        if self.is_skipped(event.operation) {
            return Ok(());
        }
        let (key, is_known) = match (&self.key, event.key) {
            (Some(encoder), Some(row)) if encoder.is_known(row) => {
                (Some(encoder.encode(row)?), true)
            }
            (Some(_), Some(_)) => (None, false),
            _ => (None, true),
        };
        let context = EventContext {
            position,
            operation: event.operation,
            now_us,
        };
        // A tombstone without the key of its row would delete nothing.
        let has_tombstone = event.operation == "d" && self.tombstones && is_known;
        let tombstone_key = has_tombstone.then(|| key.clone());
        let headers = self
            .emission
            .push(&context, key, event.before, event.after, header, out)?;
        if let Some(key) = tombstone_key {
            self.emission.push_tombstone(key, headers, out);
        }
        Ok(())
    }

    fn is_skipped(&self, operation: &str) -> bool {
        match operation {
            "c" => self.skipped.create,
            "u" => self.skipped.update,
            "d" => self.skipped.delete,
            "t" => self.skipped.truncate,
            _ => false,
        }
    }

    fn required_row<'a>(&self, change: &Change<'a>) -> Result<Row<'a>> {
        match change.after {
            Some(after) => Ok(Row::after(after, change.before)),
            None => Err(Error::value(
                &self.name,
                "a change of this kind has a new row",
            )),
        }
    }

    fn check_width(&self, cells: &[Cell<'_>]) -> Result<()> {
        if cells.len() == self.column_count {
            return Ok(());
        }
        Err(Error::value(
            &self.name,
            format!(
                "a row of {} values for {} columns",
                cells.len(),
                self.column_count
            ),
        ))
    }
}

impl KeyEncoder {
    fn new(
        config: &ConnectorConfig,
        table: &Table,
        topic: &str,
        indexes: &[usize],
    ) -> Option<Self> {
        if indexes.is_empty() {
            return None;
        }
        let converter = &config.key_converter;
        let row = |format, replace_with_default| {
            let policy = NullPolicy {
                replace_with_default,
                on_failure: config.values.conversion_failure,
            };
            RowEncoder::new(table, indexes, &config.values, format, policy)
        };
        let encoder = row(
            converter.decimal_format,
            converter.replace_null_with_default,
        );
        let (prefix, closing) = if converter.schemas_enable {
            let schema = StructSchema::new(format!("{topic}.Key"), encoder.fields.clone());
            let prefix = format!("{{\"schema\":{},\"payload\":", schema.to_json());
            (prefix.into_bytes(), b"}".as_slice())
        } else {
            (Vec::new(), b"".as_slice())
        };
        let columns = indexes
            .iter()
            .filter_map(|&index| {
                table
                    .columns
                    .get(index)
                    .map(|column| (index, column.nullable))
            })
            .collect();
        Some(Self {
            row: encoder,
            header_row: row(DecimalFormat::Numeric, true).for_header(),
            prefix,
            closing,
            columns,
        })
    }

    /// Whether the row holds the key. The old tuple of a table whose replica identity is another
    /// index than its key does not: there Debezium writes a key of zeros, this writes none.
    fn is_known(&self, row: Row<'_>) -> bool {
        self.columns
            .iter()
            .all(|&(index, nullable)| nullable || row.cell(index) != Cell::Null)
    }

    fn encode(&self, row: Row<'_>) -> Result<Vec<u8>> {
        let mut out = Vec::with_capacity(self.prefix.len() + 16 * self.columns.len() + 8);
        out.extend_from_slice(&self.prefix);
        self.row.push(row, &mut out)?;
        out.extend_from_slice(self.closing);
        Ok(out)
    }

    /// The texts of the headers with the new key and the old one, if the key changed.
    fn headers_of_change(&self, old: Row<'_>, new: Row<'_>) -> Result<Option<(Vec<u8>, Vec<u8>)>> {
        let is_same = |&(index, _): &(usize, bool)| {
            old.cell(index) == new.cell(index) || new.cell(index) == Cell::UnchangedToast
        };
        if !self.is_known(old) || self.columns.iter().all(is_same) {
            return Ok(None);
        }
        let (mut old_key, mut new_key) = (Vec::new(), Vec::new());
        self.header_row.push(old, &mut old_key)?;
        self.header_row.push(new, &mut new_key)?;
        Ok((old_key != new_key).then_some((new_key, old_key)))
    }
}

/// `<prefix>.<schema>.<table>`, with `_` for what a topic's name cannot hold
/// (`AbstractTopicNamingStrategy#sanitizedTopicName`).
fn data_topic(config: &ConnectorConfig, table: &Table) -> String {
    const NAME_LENGTH_MAX: usize = 249;
    let delimiter = &config.topic_delimiter;
    let name = format!(
        "{}{delimiter}{}{delimiter}{}",
        config.topic_prefix, table.schema, table.name
    );
    name.encode_utf16()
        .map(|unit| match u8::try_from(unit) {
            Ok(byte @ (b'.' | b'_' | b'-' | b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9')) => {
                char::from(byte)
            }
            _ => '_',
        })
        .take(NAME_LENGTH_MAX)
        .collect()
}

fn included_columns(config: &ConnectorConfig, table: &Table) -> Vec<usize> {
    let filter = &config.columns.filter;
    table
        .columns
        .iter()
        .enumerate()
        .filter(|(_, column)| filter.includes(&table.schema, &table.name, &column.name))
        .map(|(index, _)| index)
        .collect()
}

/// The columns of `message.key.columns` in the order of its expressions, else the table's key.
fn key_columns(config: &ConnectorConfig, table: &Table) -> Vec<usize> {
    let chosen: Vec<usize> = config
        .columns
        .keys
        .iter()
        .flat_map(|pattern| {
            table
                .columns
                .iter()
                .enumerate()
                .filter(|(_, column)| pattern.matches(&table.schema, &table.name, &column.name))
        })
        .map(|(index, _)| index)
        .collect();
    if chosen.is_empty() {
        table.key_columns.clone()
    } else {
        chosen
    }
}

fn unknown_columns(config: &ConnectorConfig, table: &Table, indexes: &[usize]) -> Vec<String> {
    indexes
        .iter()
        .filter_map(|&index| table.columns.get(index))
        .filter(|column| {
            !ColumnKind::new(column, &config.values, DecimalFormat::default()).is_known
        })
        .map(|column| format!("{}.{}.{}", table.schema, table.name, column.name))
        .collect()
}
