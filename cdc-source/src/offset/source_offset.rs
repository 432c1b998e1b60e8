//! The offset's JSON.
//!
//! The fields are Debezium's (`PostgresOffsetContext`), so that either can take over from the
//! other. Three fields are ours, and Debezium passes over them: `tx_commit_lsn` and `tx_events`
//! tell how many changes of a transaction were emitted when an offset falls within one, and
//! `snapshot_tables` which tables a snapshot has read, and where in the log each was read.
//! Debezium identifies a change by its LSN alone, which neither is unique within a transaction
//! nor ordered across them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use thiserror::Error;

/// An offset record that cannot be understood.
#[derive(Debug, Error)]
#[error("the stored offset of the connector is unusable: {0}")]
pub struct OffsetError(String);

/// How far the connector has come.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SourceOffset {
    /// LSN of the last emitted event; after a snapshot, where the slot stood when it began.
    pub lsn: u64,
    /// End of the last transaction that was emitted as a whole; `None` until there is one.
    pub commit_lsn: Option<u64>,
    /// LSN of the last emitted change, for Debezium.
    pub processed_lsn: Option<u64>,
    /// The transaction of the last event.
    pub transaction_id: Option<u64>,
    /// Commit time of the last event, µs since 1970.
    pub timestamp_us: i64,
    /// Debezium's name for the last event's kind.
    pub message_type: Option<Cow<'static, str>>,
    /// The transaction that the offset falls within, if it does.
    pub open_transaction: Option<OpenTransaction>,
    /// The snapshot that the stream still has to be told apart from.
    pub snapshot: Option<SnapshotProgress>,
}

/// A transaction of which a first part is emitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenTransaction {
    /// LSN of its commit record: what a Begin message calls the final LSN.
    pub commit_lsn: u64,
    /// How many of its changes are done, counting every change of every table in pgoutput's order.
    pub events: u64,
}

/// Which tables are read, and which part of the stream their rows already hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SnapshotProgress {
    /// Whether every table is read.
    pub is_complete: bool,
    /// The consistent point per table, `schema.table`: what committed before is in its rows, what
    /// committed at it or later is in the stream.
    pub tables: BTreeMap<String, u64>,
}

impl SnapshotProgress {
    /// Where the stream has left the snapshot behind.
    pub fn stream_end(&self) -> Option<u64> {
        self.tables.values().max().copied()
    }
}

/// The key of a connector's offset: `["<connector>",{"server":"<topic.prefix>"}]`.
pub fn offset_key(connector: &str, topic_prefix: &str) -> Vec<u8> {
    json!([connector, { "server": topic_prefix }])
        .to_string()
        .into_bytes()
}

impl SourceOffset {
    /// Where the stream goes on: transactions that committed before are all emitted.
    pub fn stream_start(&self) -> u64 {
        self.commit_lsn.unwrap_or(self.lsn)
    }

    /// Whether a snapshot was begun and not brought to its end.
    pub fn is_snapshot_open(&self) -> bool {
        self.snapshot
            .as_ref()
            .is_some_and(|snapshot| !snapshot.is_complete)
    }

    /// The offset as the value of its record.
    pub fn to_json(&self) -> Vec<u8> {
        let mut map = Map::new();
        if let Some(snapshot) = &self.snapshot {
            map.insert("snapshot".into(), "INITIAL".into());
            map.insert("snapshot_completed".into(), snapshot.is_complete.into());
            map.insert("last_snapshot_record".into(), snapshot.is_complete.into());
            map.insert("snapshot_tables".into(), json!(snapshot.tables));
        }
        if let Some(lsn) = self.processed_lsn {
            map.insert("lsn_proc".into(), lsn.into());
        }
        if let Some(kind) = &self.message_type {
            map.insert("messageType".into(), kind.as_ref().into());
        }
        if let Some(lsn) = self.commit_lsn {
            map.insert("lsn_commit".into(), lsn.into());
        }
        map.insert("lsn".into(), self.lsn.into());
        if let Some(id) = self.transaction_id {
            map.insert("txId".into(), id.into());
        }
        map.insert("ts_usec".into(), self.timestamp_us.into());
        if let Some(open) = &self.open_transaction {
            map.insert("tx_commit_lsn".into(), open.commit_lsn.into());
            map.insert("tx_events".into(), open.events.into());
        }
        Value::Object(map).to_string().into_bytes()
    }

    /// Reads an offset that we or Debezium wrote.
    ///
    /// # Errors
    /// When the value is not a JSON object or has no position.
    pub fn from_json(bytes: &[u8]) -> Result<Self, OffsetError> {
        let map: Map<String, Value> =
            serde_json::from_slice(bytes).map_err(|error| OffsetError(error.to_string()))?;
        let number = |key: &str| map.get(key).and_then(Value::as_u64);
        let flag = |key: &str| {
            map.get(key)
                .is_some_and(|value| value == &Value::Bool(true) || value == "true")
        };
        // Older connectors write `true` where newer ones write the snapshot's type.
        let in_snapshot = map.get("snapshot").is_some_and(|value| match value {
            Value::Bool(flag) => *flag,
            Value::String(kind) => kind != "false",
            _ => false,
        });
        let tables = map.get("snapshot_tables").and_then(Value::as_object);
        let tables = tables.into_iter().flatten();
        let snapshot = in_snapshot.then(|| SnapshotProgress {
            is_complete: flag("snapshot_completed") || flag("last_snapshot_record"),
            tables: tables
                .filter_map(|(name, lsn)| Some((name.clone(), lsn.as_u64()?)))
                .collect(),
        });
        let lsn = number("lsn")
            .or_else(|| number("lsn_proc"))
            .or_else(|| number("lsn_commit"));
        Ok(Self {
            lsn: lsn.ok_or_else(|| OffsetError("it has no `lsn`".into()))?,
            commit_lsn: number("lsn_commit"),
            processed_lsn: number("lsn_proc"),
            transaction_id: number("txId"),
            timestamp_us: map
                .get("ts_usec")
                .and_then(Value::as_i64)
                .unwrap_or_default(),
            message_type: map
                .get("messageType")
                .and_then(Value::as_str)
                .map(|kind| Cow::Owned(kind.to_owned())),
            open_transaction: number("tx_commit_lsn")
                .zip(number("tx_events"))
                .map(|(commit_lsn, events)| OpenTransaction { commit_lsn, events }),
            snapshot,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_the_one_of_kafka_connect() {
        let expected = br#"["users-connector",{"server":"shop"}]"#;
        assert_eq!(offset_key("users-connector", "shop"), expected);
    }

    #[test]
    fn an_offset_survives_its_json() {
        let offset = SourceOffset {
            lsn: 24_023_128,
            commit_lsn: Some(24_023_119),
            processed_lsn: Some(24_023_128),
            transaction_id: Some(555),
            timestamp_us: 1_559_033_904_863_123,
            message_type: Some("INSERT".into()),
            open_transaction: Some(OpenTransaction {
                commit_lsn: 24_024_000,
                events: 3,
            }),
            snapshot: Some(SnapshotProgress {
                is_complete: true,
                tables: [("public.users".to_owned(), 24_000_000)].into(),
            }),
        };
        assert_eq!(SourceOffset::from_json(&offset.to_json()).unwrap(), offset);
        let bare = SourceOffset {
            lsn: 1,
            ..SourceOffset::default()
        };
        assert_eq!(SourceOffset::from_json(&bare.to_json()).unwrap(), bare);
    }

    #[test]
    fn a_streaming_offset_of_debezium_is_read() {
        let json = br#"{"lsn_proc":24023128,"messageType":"INSERT","lsn_commit":24023119,
            "lsn":24023128,"txId":555,"ts_usec":1559033904863123}"#;
        let offset = SourceOffset::from_json(json).unwrap();
        assert_eq!(offset.stream_start(), 24_023_119);
        assert_eq!(offset.open_transaction, None);
        assert!(!offset.is_snapshot_open());
    }

    #[test]
    fn an_unfinished_snapshot_of_debezium_is_seen_as_open() {
        for json in [
            r#"{"last_snapshot_record":false,"lsn":5,"ts_usec":1,"snapshot":"INITIAL",
                "snapshot_completed":false}"#,
            r#"{"last_snapshot_record":false,"lsn":5,"ts_usec":1,"snapshot":true}"#,
        ] {
            assert!(
                SourceOffset::from_json(json.as_bytes())
                    .unwrap()
                    .is_snapshot_open()
            );
        }
        let done = br#"{"lsn":5,"ts_usec":1,"snapshot":"INITIAL","snapshot_completed":true}"#;
        assert!(!SourceOffset::from_json(done).unwrap().is_snapshot_open());
    }

    #[test]
    fn the_stream_begins_where_the_slot_stood_until_a_commit_is_known() {
        let tables = [("a.b".to_owned(), 7), ("a.c".to_owned(), 8)].into();
        let snapshot = Some(SnapshotProgress {
            is_complete: true,
            tables,
        });
        let mut offset = SourceOffset {
            lsn: 6,
            snapshot,
            ..SourceOffset::default()
        };
        assert_eq!(offset.stream_start(), 6);
        offset.commit_lsn = Some(20);
        assert_eq!(offset.stream_start(), 20);
    }

    #[test]
    fn an_offset_without_a_position_is_refused() {
        for json in ["", "[]", "{}", r#"{"lsn":"x"}"#, r#"{"lsn":-1}"#] {
            assert!(SourceOffset::from_json(json.as_bytes()).is_err(), "{json}");
        }
    }
}
