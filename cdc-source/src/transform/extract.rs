//! `io.debezium.transforms.ExtractNewRecordState` for one table.

use std::borrow::Cow;
use std::sync::Arc;

use crate::config::{ConnectorConfig, DecimalFormat, DeletedRow, ExtractConfig, RouteConfig};
use crate::envelope::{EnvelopeField, EventContext, Header, Scalar, SourceBlock, SourceField};
use crate::postgres::value::{ColumnKind, ValueEncoder};
use crate::schema::Table;
use crate::{Error, Result};

/// What the transform does to the records of a table.
#[derive(Debug)]
pub(crate) struct ExtractPlan {
    pub(crate) deleted_row: DeletedRow,
    pub(crate) keeps_tombstones: bool,
    pub(crate) replace_null_with_default: bool,
    pub(crate) add_fields: Vec<(String, EnvelopeField)>,
    add_headers: Vec<(Arc<str>, EnvelopeField)>,
    pub(crate) route: Option<RouteByField>,
    /// Whether a delete and its tombstone still share their headers when they get here: then what
    /// is added to the one is on the other too, as on the JVM.
    shares_headers: bool,
}

/// `route.by.field`.
#[derive(Debug)]
pub(crate) struct RouteByField {
    /// The column whose value names the topic.
    pub(crate) column: usize,
    /// The text that stands for a null.
    pub(crate) null: String,
    /// The routers behind this transform.
    pub(crate) later: Vec<RouteConfig>,
}

impl RouteByField {
    /// The topic after the routers behind this transform.
    pub(crate) fn apply_later(&self, mut topic: String) -> String {
        for route in &self.later {
            topic = route.apply(&topic).unwrap_or(topic);
        }
        topic
    }
}

impl ExtractPlan {
    pub(super) fn new(
        config: &ConnectorConfig,
        settings: &ExtractConfig,
        table: &Table,
        columns: &[usize],
        shares_headers: bool,
    ) -> Result<Self> {
        let route = match &settings.route_by_field {
            Some(field) => Some(route_by_field(config, field, table, columns)?),
            None => None,
        };
        let known = |references: &[crate::config::FieldReference]| {
            references
                .iter()
                .filter_map(|reference| {
                    let field = resolve(reference.structure.as_deref(), &reference.field)?;
                    Some((reference.new_name.clone(), field))
                })
                .collect::<Vec<_>>()
        };
        Ok(Self {
            deleted_row: settings.deleted_row,
            keeps_tombstones: settings.keeps_tombstones,
            replace_null_with_default: settings.replace_null_with_default,
            add_fields: known(&settings.add_fields),
            add_headers: known(&settings.add_headers)
                .into_iter()
                .map(|(name, field)| (name.into(), field))
                .collect(),
            route,
            shares_headers,
        })
    }

    /// Whether rows leave with `__deleted`.
    pub(crate) fn rewrites(&self) -> bool {
        self.deleted_row == DeletedRow::Rewrite
    }

    /// The record's headers with `add.headers` behind them.
    pub(crate) fn with_headers(
        &self,
        headers: &Arc<[Header]>,
        source: &SourceBlock,
        event: &EventContext<'_>,
    ) -> Arc<[Header]> {
        self.extended(headers, |field| Some(field.value(source, event)))
    }

    /// A tombstone's headers: of `add.headers`, only the operation is known.
    pub(crate) fn with_tombstone_headers(&self, headers: Arc<[Header]>) -> Arc<[Header]> {
        self.extended(&headers, |field| {
            (field == EnvelopeField::Operation).then_some(Scalar::Text(Cow::Borrowed("d")))
        })
    }

    fn extended<'a>(
        &self,
        headers: &Arc<[Header]>,
        value: impl Fn(EnvelopeField) -> Option<Scalar<'a>>,
    ) -> Arc<[Header]> {
        if self.add_headers.is_empty() {
            return Arc::clone(headers);
        }
        let added = self.add_headers.iter().filter_map(|(name, field)| {
            let value = value(*field)?.to_header().map(Arc::from);
            Some(Header {
                key: Arc::clone(name),
                value,
            })
        });
        headers.iter().cloned().chain(added).collect()
    }

    /// The headers that a tombstone has, before its own are added.
    pub(crate) fn shared(&self, plain: Arc<[Header]>, added: Arc<[Header]>) -> Arc<[Header]> {
        if self.shares_headers { added } else { plain }
    }
}

/// Finds a field as `FieldReference` does: in its structure, else in the envelope itself.
fn resolve(structure: Option<&str>, field: &str) -> Option<EnvelopeField> {
    let of_transaction = || match field {
        "id" => Some(EnvelopeField::TransactionId),
        "total_order" | "data_collection_order" => Some(EnvelopeField::TransactionOrder),
        _ => None,
    };
    let of_source = || SourceField::named(field).map(EnvelopeField::Source);
    let of_envelope = || match field {
        "op" => Some(EnvelopeField::Operation),
        "ts_ms" => Some(EnvelopeField::TsMs),
        "ts_us" => Some(EnvelopeField::TsUs),
        "ts_ns" => Some(EnvelopeField::TsNs),
        _ => None,
    };
    match structure {
        Some("transaction") => of_transaction().or_else(of_envelope),
        Some(_) => of_source().or_else(of_envelope),
        None => of_transaction().or_else(of_envelope).or_else(of_source),
    }
}

fn route_by_field(
    config: &ConnectorConfig,
    field: &str,
    table: &Table,
    columns: &[usize],
) -> Result<RouteByField> {
    let wrong = |problem: String| Error::value(format!("{}.{}", table.schema, table.name), problem);
    let Some((index, column)) = columns
        .iter()
        .filter_map(|&index| table.columns.get(index).map(|column| (index, column)))
        .find(|(_, column)| column.name == field)
    else {
        return Err(wrong(format!(
            "route.by.field names `{field}`, which is no column of it"
        )));
    };
    let kind = ColumnKind::new(column, &config.values, DecimalFormat::default());
    if kind.encoder != ValueEncoder::Text {
        return Err(wrong(format!(
            "route.by.field names `{field}`, which is no text column"
        )));
    }
    let null = match (kind.schema.default, column.nullable) {
        (Some(default), _) => default,
        (None, false) => kind.fallback,
        (None, true) => String::new(),
    };
    let null = serde_json::from_str(&null).unwrap_or_default();
    Ok(RouteByField {
        column: index,
        null,
        later: Vec::new(),
    })
}
