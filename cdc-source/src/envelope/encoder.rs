//! One encoder per connector: it prepares one encoder per table.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use uuid::Uuid;

use super::heartbeat::Heartbeat;
use super::table::TableEncoder;
use super::{Header, OutgoingRecord};
use crate::Result;
use crate::config::ConnectorConfig;
use crate::schema::Table;

/// Builds the per-table encoders of one connector's run.
#[derive(Debug)]
pub struct EnvelopeEncoder {
    config: ConnectorConfig,
    /// The headers of every data record (`DebeziumHeaderProducer`).
    headers: Arc<[Header]>,
    heartbeat: Heartbeat,
    /// Columns of unknown types that the user was told of.
    warned_columns: Mutex<BTreeSet<String>>,
}

impl EnvelopeEncoder {
    /// Prepares the encoder of a connector's run. Each run has its own `runId` header.
    pub fn new(config: &ConnectorConfig) -> Result<Self> {
        Ok(Self {
            headers: context_headers(config),
            heartbeat: Heartbeat::new(config),
            config: config.clone(),
            warned_columns: Mutex::new(BTreeSet::new()),
        })
    }

    /// Pre-builds everything that is the same for all rows of a table: column encoders, schema
    /// text, topic names after the transforms. To be called again when the table's shape changes.
    ///
    /// # Errors
    /// If a transform does not fit the table: `route.by.field` names no text column, or
    /// `add.fields` a field that is there already.
    pub fn table(&self, table: &Table) -> Result<TableEncoder> {
        let encoder = TableEncoder::new(&self.config, table, Arc::clone(&self.headers))?;
        for column in encoder.unknown_columns() {
            let mut warned = self
                .warned_columns
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            if warned.insert(column.clone()) {
                tracing::warn!(%column, "the column's type is not known; its text is passed on");
            }
        }
        Ok(encoder)
    }

    /// The heartbeat record at `now_us` (µs since 1970), as the transforms leave it.
    pub fn heartbeat(&self, now_us: i64) -> OutgoingRecord {
        self.heartbeat.record(now_us)
    }
}

fn context_headers(config: &ConnectorConfig) -> Arc<[Header]> {
    if !config.extended_headers {
        return Arc::from([]);
    }
    let run_id = Uuid::new_v4().to_string();
    [
        ("connectorLogicalName", config.topic_prefix.as_str()),
        ("taskId", "0"),
        ("connectorName", "postgresql"),
        ("runId", &run_id),
    ]
    .into_iter()
    .map(|(key, value)| Header {
        key: format!("__debezium.context.{key}").into(),
        value: Some(value.as_bytes().into()),
    })
    .collect()
}
