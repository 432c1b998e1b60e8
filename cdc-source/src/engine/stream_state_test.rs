use std::sync::{Arc, Mutex};

use bytes::Bytes;
use prometheus::Registry;
use serde_json::Value;

use super::*;
use crate::config::ConnectorConfig;
use crate::envelope::EnvelopeEncoder;
use crate::metrics::Metrics;
use crate::offset::SnapshotProgress;
use crate::schema::{Column, ReplicaIdentity, Table};
use crate::sink::{MemoryLog, MemorySink};

const USERS: u32 = 16_385;
const OTHER: u32 = 16_386;

struct Fixture {
    state: StreamState<MemorySink>,
    log: Arc<Mutex<MemoryLog>>,
}

fn table() -> Table {
    let column = Column {
        name: "id".into(),
        type_oid: 23,
        type_modifier: -1,
        type_name: "int4".into(),
        nullable: false,
        default_expression: None,
    };
    Table {
        schema: "public".into(),
        name: "users".into(),
        columns: vec![column],
        key_columns: vec![0],
        replica_identity: ReplicaIdentity::Default,
    }
}

/// A stream that goes on from `offset`, with a captured table `USERS` and another one beside it.
fn stream_from(offset: SourceOffset) -> Fixture {
    let config = ConnectorConfig::from_json(
        r#"{"name": "c", "config": {
            "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
            "topic.prefix": "shop", "database.hostname": "h", "database.user": "u",
            "database.password": "p", "database.dbname": "d", "plugin.name": "pgoutput",
            "key.converter": "org.apache.kafka.connect.json.JsonConverter",
            "value.converter": "org.apache.kafka.connect.json.JsonConverter",
            "key.converter.schemas.enable": "false", "value.converter.schemas.enable": "false"}}"#,
    );
    let config = config.unwrap();
    let encoders = EnvelopeEncoder::new(&config).unwrap();
    let snapshot = offset.snapshot.clone().unwrap_or_default().tables;
    let mut tables = TableCache::new(config.tables.clone(), &[], snapshot);
    tables.insert(USERS, &table(), &encoders);
    tables.exclude(OTHER);
    let log = Arc::new(Mutex::new(MemoryLog::default()));
    let sink = MemorySink::new(log.clone());
    let metrics = Metrics::register(&Registry::new(), "shop").unwrap();
    Fixture {
        state: StreamState::new(
            offset,
            tables,
            sink,
            config.processing_failure,
            metrics.streaming,
        ),
        log,
    }
}

fn lsn(value: u64) -> pgwire_replication::Lsn {
    pgwire_replication::Lsn::from_u64(value)
}

fn insert(relation: u32, id: u32) -> Vec<u8> {
    let text = id.to_string();
    let mut bytes = vec![b'I'];
    bytes.extend(relation.to_be_bytes());
    bytes.extend([b'N', 0, 1, b't']);
    bytes.extend((text.len() as u32).to_be_bytes());
    bytes.extend(text.as_bytes());
    bytes
}

impl Fixture {
    fn begin(&mut self, commit_lsn: u64) {
        let event = ReplicationEvent::Begin {
            final_lsn: lsn(commit_lsn),
            xid: 7,
            commit_time_micros: 0,
        };
        assert_eq!(self.state.handle(&event).unwrap(), Next::Continue);
    }

    fn insert(&mut self, at: u64, relation: u32, id: u32) {
        let event = ReplicationEvent::XLogData {
            wal_start: lsn(at),
            wal_end: lsn(at),
            server_time_micros: 0,
            data: Bytes::from(insert(relation, id)),
        };
        assert_eq!(self.state.handle(&event).unwrap(), Next::Continue);
    }

    fn end(&mut self, commit_lsn: u64, end_lsn: u64) {
        let event = ReplicationEvent::Commit {
            lsn: lsn(commit_lsn),
            end_lsn: lsn(end_lsn),
            commit_time_micros: 0,
        };
        assert_eq!(self.state.handle(&event).unwrap(), Next::TransactionEnd);
    }

    /// The ids that were committed, and the offset that was committed last.
    fn committed(&self) -> (Vec<u64>, SourceOffset) {
        let log = self.log.lock().unwrap();
        let id = |record: &OutgoingRecord| {
            let value: Value = serde_json::from_slice(record.value.as_ref().unwrap()).unwrap();
            value.pointer("/after/id").and_then(Value::as_u64).unwrap()
        };
        let offset = SourceOffset::from_json(log.offsets.last().unwrap()).unwrap();
        (log.records.iter().map(id).collect(), offset)
    }
}

#[test]
fn a_transaction_is_confirmed_by_its_end_once_it_is_committed() {
    let mut fixture = stream_from(SourceOffset::default());
    fixture.begin(100);
    fixture.insert(90, USERS, 1);
    fixture.end(100, 110);
    assert_eq!(fixture.state.commit().unwrap(), Some(Lsn(110)));
    let (ids, offset) = fixture.committed();
    assert_eq!(ids, [1]);
    assert_eq!((offset.lsn, offset.commit_lsn), (90, Some(110)));
    assert_eq!(offset.open_transaction, None);
}

#[test]
fn a_restart_within_a_transaction_goes_on_behind_the_last_committed_change() {
    let mut first = stream_from(SourceOffset::default());
    first.begin(100);
    first.insert(90, USERS, 1);
    first.insert(91, OTHER, 8);
    first.insert(91, USERS, 2);
    assert_eq!(
        first.state.commit().unwrap(),
        None,
        "the server must keep the transaction"
    );
    let (ids, offset) = first.committed();
    assert_eq!(ids, [1, 2]);

    // The server sends the whole transaction again; two changes even share an LSN.
    let mut second = stream_from(offset);
    second.begin(100);
    second.insert(90, USERS, 1);
    second.insert(91, OTHER, 8);
    second.insert(91, USERS, 2);
    second.insert(91, USERS, 3);
    second.end(100, 110);
    second.begin(120);
    second.insert(115, USERS, 4);
    second.end(120, 130);
    assert_eq!(second.state.commit().unwrap(), Some(Lsn(130)));
    assert_eq!(second.committed().0, [3, 4]);
}

#[test]
fn a_commit_before_the_open_transaction_comes_again_keeps_its_place() {
    let open_transaction = Some(OpenTransaction {
        commit_lsn: 100,
        events: 2,
    });
    let offset = SourceOffset {
        lsn: 91,
        commit_lsn: Some(50),
        open_transaction,
        ..SourceOffset::default()
    };
    let mut fixture = stream_from(offset);
    fixture.state.commit().unwrap();
    assert_eq!(fixture.committed().1.open_transaction, open_transaction);
    fixture.begin(100);
    fixture.insert(90, USERS, 1);
    fixture.state.commit().unwrap();
    assert_eq!(fixture.committed().1.open_transaction, open_transaction);
}

#[test]
fn a_transaction_that_the_server_sends_again_is_passed_over() {
    let offset = SourceOffset {
        lsn: 90,
        commit_lsn: Some(110),
        ..SourceOffset::default()
    };
    let mut fixture = stream_from(offset);
    fixture.begin(100);
    fixture.insert(90, USERS, 1);
    fixture.end(100, 110);
    fixture.begin(110);
    // Changes of transactions that ran side by side: a lower LSN is no older change.
    fixture.insert(80, USERS, 2);
    fixture.end(110, 120);
    fixture.state.commit().unwrap();
    assert_eq!(fixture.committed().0, [2]);
}

#[test]
fn a_change_that_the_snapshot_of_its_table_holds_is_passed_over() {
    let tables = [("public.users".to_owned(), 200)].into();
    let snapshot = Some(SnapshotProgress {
        is_complete: true,
        tables,
    });
    let mut fixture = stream_from(SourceOffset {
        lsn: 100,
        snapshot,
        ..SourceOffset::default()
    });
    fixture.begin(199);
    fixture.insert(150, USERS, 1);
    fixture.end(199, 200);
    fixture.begin(200);
    fixture.insert(150, USERS, 2);
    fixture.end(200, 210);
    fixture.state.commit().unwrap();
    let (ids, offset) = fixture.committed();
    assert_eq!(ids, [2]);
    assert_eq!(
        offset.snapshot, None,
        "the stream has left the snapshot behind"
    );
}

#[test]
fn an_offset_of_debezium_within_a_transaction_repeats_only_the_last_lsn() {
    let offset = SourceOffset {
        lsn: 91,
        commit_lsn: Some(50),
        processed_lsn: Some(91),
        ..SourceOffset::default()
    };
    let mut fixture = stream_from(offset);
    fixture.begin(100);
    fixture.insert(90, USERS, 1);
    fixture.insert(91, USERS, 2);
    fixture.insert(91, USERS, 3);
    fixture.end(100, 110);
    fixture.begin(120);
    fixture.insert(60, USERS, 4);
    fixture.end(120, 130);
    fixture.state.commit().unwrap();
    assert_eq!(fixture.committed().0, [2, 3, 4]);
}

#[test]
fn a_change_without_its_relation_or_its_transaction_ends_the_session() {
    let mut fixture = stream_from(SourceOffset::default());
    let event = ReplicationEvent::XLogData {
        wal_start: lsn(1),
        wal_end: lsn(1),
        server_time_micros: 0,
        data: Bytes::from(insert(1, 1)),
    };
    assert!(fixture.state.handle(&event).is_err());
    fixture.begin(100);
    assert!(fixture.state.handle(&event).is_err());
}

#[test]
fn a_change_that_cannot_be_encoded_stops_the_stream_or_is_left_out_as_was_asked() {
    let broken = [
        insert(USERS, 1).as_slice()[..5].to_vec(),
        vec![b'N', 0, 1, b't', 0, 0, 0, 1, b'x'],
    ]
    .concat();
    let event = ReplicationEvent::XLogData {
        wal_start: lsn(91),
        wal_end: lsn(91),
        server_time_micros: 0,
        data: Bytes::from(broken),
    };
    let mut fixture = stream_from(SourceOffset::default());
    fixture.begin(100);
    let failed = fixture.state.handle(&event);
    assert!(matches!(failed, Err(Error::Value { .. })), "{failed:?}");

    for mode in [ProcessingFailure::Warn, ProcessingFailure::Skip] {
        let mut fixture = stream_from(SourceOffset::default());
        fixture.state.on_failure = mode;
        fixture.begin(100);
        fixture.insert(90, USERS, 1);
        assert_eq!(fixture.state.handle(&event).unwrap(), Next::Continue);
        fixture.insert(92, USERS, 2);
        fixture.end(100, 110);
        fixture.state.commit().unwrap();
        assert_eq!(fixture.committed().0, [1, 2]);
    }
}
