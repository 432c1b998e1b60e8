//! A capture's rows and messages, through the encoder.

use std::collections::BTreeMap;

use cdc_source::config::{ConnectorConfig, SnapshotMode};
use cdc_source::envelope::{
    Change, EnvelopeEncoder, Operation, OutgoingRecord, SnapshotMarker, SourcePosition,
    TableEncoder,
};

use crate::capture::Capture;
use crate::pgoutput::{Message, cells};

/// Encodes a capture's rows and messages in order.
pub(crate) struct Replay<'a> {
    config: ConnectorConfig,
    encoder: EnvelopeEncoder,
    capture: &'a Capture,
    encoders: BTreeMap<String, TableEncoder>,
    records: Vec<OutgoingRecord>,
}

impl<'a> Replay<'a> {
    pub(crate) fn new(capture: &'a Capture, connector: &str) -> Self {
        let config = ConnectorConfig::from_json(connector).unwrap();
        let encoder = EnvelopeEncoder::new(&config).unwrap();
        Self {
            config,
            encoder,
            capture,
            encoders: BTreeMap::new(),
            records: Vec::new(),
        }
    }

    pub(crate) fn run(mut self) -> Vec<OutgoingRecord> {
        self.read_snapshot();
        if self.config.snapshot.mode != SnapshotMode::InitialOnly {
            self.stream();
        }
        self.records
    }

    fn read_snapshot(&mut self) {
        let source = SourcePosition {
            snapshot: SnapshotMarker::True,
            transaction_id: Some(1),
            ..SourcePosition::default()
        };
        for (table, row) in self.capture.snapshot_rows() {
            let cells = cells(&row);
            let mut change = change(Operation::Read, &source);
            change.after = Some(&cells);
            self.encode(&table, &change);
        }
    }

    fn stream(&mut self) {
        let source = SourcePosition {
            transaction_id: Some(1),
            ..SourcePosition::default()
        };
        let mut relations = BTreeMap::new();
        for message in self.capture.messages() {
            match message {
                Message::Relation { id, table } => {
                    relations.insert(id, table);
                }
                Message::Row {
                    relation,
                    operation,
                    before,
                    old_key,
                    after,
                } => {
                    let [before, old_key, after] =
                        [&before, &old_key, &after].map(|row| row.as_ref().map(cells));
                    let mut change = change(operation, &source);
                    change.before = before.as_deref();
                    change.old_key = old_key.as_deref();
                    change.after = after.as_deref();
                    self.encode(&relations[&relation], &change);
                }
                Message::Truncate { relation_ids } => {
                    for id in relation_ids {
                        self.encode(&relations[&id], &change(Operation::Truncate, &source));
                    }
                }
                Message::Other => {}
            }
        }
    }

    fn encode(&mut self, name: &str, change: &Change<'_>) {
        let Some(table) = self.capture.table(name) else {
            panic!("no table {name}")
        };
        if !self.config.tables.includes(&table.schema, &table.name) {
            return;
        }
        let encoder = self
            .encoders
            .entry(name.to_owned())
            .or_insert_with(|| self.encoder.table(&table).unwrap());
        encoder
            .encode(change, 1_700_000_000_000_000, &mut self.records)
            .unwrap();
    }
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
