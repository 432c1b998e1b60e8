//! A row's cells into a JSON object: one prepared encoder per column.

use std::sync::atomic::{AtomicBool, Ordering};

use super::Cell;
use crate::config::{ConversionFailure, DecimalFormat, ValueConfig};
use crate::postgres::value::{ColumnKind, ValueEncoder};
use crate::schema::{ConnectSchema, Table};
use crate::{Error, Result};

/// A row's cells, and those of the row before it where they are known.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row<'a> {
    cells: &'a [Cell<'a>],
    previous: Option<&'a [Cell<'a>]>,
}

impl<'a> Row<'a> {
    pub(crate) fn new(cells: &'a [Cell<'a>]) -> Self {
        Self {
            cells,
            previous: None,
        }
    }

    /// A row whose unchanged TOAST values are those of `previous`, where that has them.
    pub(crate) fn after(cells: &'a [Cell<'a>], previous: Option<&'a [Cell<'a>]>) -> Self {
        Self { cells, previous }
    }

    /// The cell of a column.
    pub(crate) fn cell(&self, index: usize) -> Cell<'a> {
        match self.cells.get(index) {
            Some(Cell::UnchangedToast) => {
                match self.previous.and_then(|previous| previous.get(index)) {
                    Some(Cell::Text(text)) => Cell::Text(text),
                    _ => Cell::UnchangedToast,
                }
            }
            Some(cell) => *cell,
            None => Cell::Null,
        }
    }
}

/// What becomes of nulls, and of values that do not convert.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NullPolicy {
    /// Whether a null in a column that has a default leaves as that default.
    pub(crate) replace_with_default: bool,
    /// `event.converting.failure.handling.mode`.
    pub(crate) on_failure: ConversionFailure,
}

#[derive(Debug)]
struct ColumnEncoder {
    index: usize,
    /// What stands before the value: a comma where needed, and the quoted name with its colon.
    prefix: Vec<u8>,
    encoder: ValueEncoder,
    null: Vec<u8>,
    /// What stands for a value that does not convert; `None` if nothing can.
    inconvertible: Option<Vec<u8>>,
    /// What stands for a TOAST value that was not logged; `None` if nothing can.
    placeholder: Option<Vec<u8>>,
    /// `schema.table.column`, for messages.
    context: String,
    has_warned: AtomicBool,
    warns: bool,
}

/// Writes some columns of a table's rows as a JSON object.
#[derive(Debug)]
pub(crate) struct RowEncoder {
    columns: Vec<ColumnEncoder>,
    /// The object's fields with their schemas.
    pub(crate) fields: Vec<(String, ConnectSchema)>,
}

impl RowEncoder {
    /// Prepares the encoder of the columns at `indexes`.
    pub(crate) fn new(
        table: &Table,
        indexes: &[usize],
        values: &ValueConfig,
        decimal_format: DecimalFormat,
        policy: NullPolicy,
    ) -> Self {
        let mut columns = Vec::with_capacity(indexes.len());
        let mut fields = Vec::with_capacity(indexes.len());
        for &index in indexes {
            let Some(column) = table.columns.get(index) else {
                continue;
            };
            let kind = ColumnKind::new(column, values, decimal_format);
            let context = format!("{}.{}.{}", table.schema, table.name, column.name);
            let separator = if columns.is_empty() { '{' } else { ',' };
            let prefix = format!("{separator}{}:", super::quoted(&column.name)).into_bytes();
            columns.push(ColumnEncoder::new(
                index, prefix, &kind, context, values, policy,
            ));
            fields.push((column.name.clone(), kind.schema));
        }
        Self { columns, fields }
    }

    /// The same encoder for a header (`SimpleHeaderConverter`), which escapes strings its own way.
    pub(crate) fn for_header(mut self) -> Self {
        for column in &mut self.columns {
            if column.encoder == ValueEncoder::Text {
                column.encoder = ValueEncoder::HeaderText;
            }
        }
        self
    }

    /// Appends the row, without the closing brace so that fields can follow.
    pub(crate) fn push_open(&self, row: Row<'_>, out: &mut Vec<u8>) -> Result<()> {
        if self.columns.is_empty() {
            out.push(b'{');
        }
        for column in &self.columns {
            out.extend_from_slice(&column.prefix);
            match row.cell(column.index) {
                Cell::Text(text) => column.push_text(text, out)?,
                Cell::Null => out.extend_from_slice(&column.null),
                Cell::UnchangedToast => column.push_placeholder(out)?,
            }
        }
        Ok(())
    }

    /// Appends the row.
    pub(crate) fn push(&self, row: Row<'_>, out: &mut Vec<u8>) -> Result<()> {
        self.push_open(row, out)?;
        out.push(b'}');
        Ok(())
    }
}

impl ColumnEncoder {
    fn new(
        index: usize,
        prefix: Vec<u8>,
        kind: &ColumnKind,
        context: String,
        values: &ValueConfig,
        policy: NullPolicy,
    ) -> Self {
        let default = kind
            .schema
            .default
            .as_ref()
            .map(|json| json.clone().into_bytes());
        let replacement = default.clone().filter(|_| policy.replace_with_default);
        let optional_null = kind.schema.optional.then(|| b"null".to_vec());
        let null = if kind.schema.optional {
            replacement.clone().unwrap_or_else(|| b"null".to_vec())
        } else {
            default.unwrap_or_else(|| kind.fallback.clone().into_bytes())
        };
        let inconvertible = replacement
            .or(optional_null)
            .filter(|_| policy.on_failure != ConversionFailure::Fail);
        let placeholder = kind
            .encoder
            .placeholder(&values.unavailable_placeholder)
            .or_else(|| inconvertible.clone());
        Self {
            index,
            prefix,
            encoder: kind.encoder,
            null,
            inconvertible,
            placeholder,
            context,
            has_warned: AtomicBool::new(false),
            warns: policy.on_failure == ConversionFailure::Warn,
        }
    }

    fn push_text(&self, text: &[u8], out: &mut Vec<u8>) -> Result<()> {
        let start = out.len();
        if self.encoder.push(text, out).is_ok() {
            return Ok(());
        }
        out.truncate(start);
        let Some(replacement) = &self.inconvertible else {
            return Err(Error::value(
                &self.context,
                "the value has no counterpart in the type that the column has in events",
            ));
        };
        out.extend_from_slice(replacement);
        if self.warns && !self.has_warned.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                column = %self.context,
                "a value has no counterpart in the type that the column has in events; \
                 such values leave as null"
            );
        }
        Ok(())
    }

    fn push_placeholder(&self, out: &mut Vec<u8>) -> Result<()> {
        let Some(placeholder) = &self.placeholder else {
            return Err(Error::value(
                &self.context,
                "the update did not log the column's TOAST value and its type has no \
                 placeholder; REPLICA IDENTITY FULL logs it",
            ));
        };
        out.extend_from_slice(placeholder);
        Ok(())
    }
}
