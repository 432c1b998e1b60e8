//! A connector that nothing disturbs: snapshot, stream, every operation, restarts.

use serde_json::{Value, json};
use streams_tests::{Cluster, Database, Message, wait_until};

use crate::cdc_connector::{Connector, LIMIT, envelope, operation};

fn operations(messages: &[Message]) -> Vec<String> {
    messages.iter().map(operation).collect()
}

fn sources(messages: &[Message], field: &str) -> Vec<Value> {
    let field = |message| envelope(message)["source"][field].clone();
    messages.iter().map(field).collect()
}

fn setup(tables: &str) -> (Cluster, Database, Connector) {
    let (cluster, database) = (Cluster::shared(), Database::shared("cdc"));
    database.execute(tables);
    let connector = Connector::new(&cluster, &database);
    (cluster, database, connector)
}

#[test]
fn snapshot_rows_come_first_and_are_marked_then_the_stream_goes_on() {
    let (cluster, database, connector) = setup(
        "CREATE TABLE a (id int PRIMARY KEY, name text); CREATE TABLE b (id int PRIMARY KEY);
         CREATE TABLE c (id int PRIMARY KEY);
         INSERT INTO a VALUES (1, 'x'), (2, NULL), (3, E'tab\\tback\\\\slash\\nline \\\\N');
         INSERT INTO b VALUES (1), (2)",
    );
    let running = connector.start();
    database.execute("INSERT INTO a VALUES (4, 'streamed')");

    let a = cluster.read_count(&connector.topic("a"), 4, LIMIT);
    assert_eq!(operations(&a), ["r", "r", "r", "c"]);
    assert_eq!(
        sources(&a, "snapshot"),
        ["first", "true", "last_in_data_collection", "false"]
    );
    let names: Vec<Value> = a
        .iter()
        .map(|m| envelope(m)["after"]["name"].clone())
        .collect();
    let expected = json!(["x", null, "tab\tback\\slash\nline \\N", "streamed"]);
    assert_eq!(Value::from(names), expected);
    let b = cluster.read_count(&connector.topic("b"), 2, LIMIT);
    assert_eq!(
        sources(&b, "snapshot"),
        ["first_in_data_collection", "last"]
    );
    assert_eq!(
        envelope(&b[0])["source"]["sequence"]
            .as_str()
            .map(|text| &text[..6]),
        Some("[null,")
    );
    running.stop();
}

#[test]
fn every_operation_becomes_what_debezium_makes_of_it() {
    let (cluster, database, connector) = setup(
        "CREATE TABLE t (id int PRIMARY KEY, name text);
         CREATE TABLE whole (id int PRIMARY KEY, name text);
         ALTER TABLE whole REPLICA IDENTITY FULL",
    );
    let connector = connector.set("skipped.operations", "none");
    let running = connector.start();
    database.execute("INSERT INTO t VALUES (1, 'a')");
    database.execute("UPDATE t SET name = 'b' WHERE id = 1");
    database.execute("UPDATE t SET id = 2 WHERE id = 1");
    database.execute("DELETE FROM t WHERE id = 2");
    database.execute("TRUNCATE t");
    database.execute("INSERT INTO whole VALUES (1, 'a'); UPDATE whole SET name = 'b'");
    database.execute("DELETE FROM whole");

    let t = cluster.read_count(&connector.topic("t"), 8, LIMIT);
    let expected = ["c", "u", "d", "tombstone", "c", "d", "tombstone", "t"];
    assert_eq!(operations(&t), expected);
    let key = |message: &Message| match &message.key {
        Some(key) => serde_json::from_slice::<Value>(key).unwrap()["id"].clone(),
        None => Value::Null,
    };
    let keys: Vec<Value> = t.iter().map(key).collect();
    assert_eq!(Value::from(keys), json!([1, 1, 1, 1, 2, 2, 2, null]));
    assert_eq!(envelope(&t[1])["before"], Value::Null);
    assert_eq!(envelope(&t[1])["after"], json!({"id": 1, "name": "b"}));

    let whole = cluster.read_count(&connector.topic("whole"), 4, LIMIT);
    assert_eq!(operations(&whole), ["c", "u", "d", "tombstone"]);
    assert_eq!(envelope(&whole[1])["before"], json!({"id": 1, "name": "a"}));
    assert_eq!(envelope(&whole[2])["before"], json!({"id": 1, "name": "b"}));
    running.stop();
}

#[test]
fn a_restarted_connector_goes_on_where_it_stopped() {
    let (cluster, database, connector) =
        setup("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (0)");
    for round in 0..3 {
        // What is written while nobody streams waits in the slot.
        database.execute(&format!(
            "INSERT INTO t VALUES ({}1), ({}2)",
            round + 1,
            round + 1
        ));
        let running = connector.start();
        database.execute(&format!("INSERT INTO t VALUES ({}3)", round + 1));
        cluster.read_count(&connector.topic("t"), 4 + 3 * round, LIMIT);
        running.stop();
    }
    let messages = cluster.read_count(&connector.topic("t"), 10, LIMIT);
    let ids: Vec<Value> = messages
        .iter()
        .map(|m| envelope(m)["after"]["id"].clone())
        .collect();
    assert_eq!(
        Value::from(ids),
        json!([0, 11, 12, 13, 21, 22, 23, 31, 32, 33])
    );
    let expected: Vec<&str> = [["r"; 3].as_slice(), &["c"; 7]].concat();
    assert_eq!(operations(&messages), expected);
}

#[test]
fn a_changed_table_is_written_with_its_new_columns() {
    let (cluster, database, connector) = setup("CREATE TABLE t (id int PRIMARY KEY)");
    let running = connector.start();
    database.execute("INSERT INTO t VALUES (1)");
    database.execute("ALTER TABLE t ADD COLUMN note text DEFAULT 'none'; INSERT INTO t VALUES (2)");
    database.execute("ALTER TABLE t DROP COLUMN note; INSERT INTO t VALUES (3)");
    database.execute("CREATE TABLE late (id int PRIMARY KEY); INSERT INTO late VALUES (9)");
    let rows: Vec<Value> = cluster
        .read_count(&connector.topic("t"), 3, LIMIT)
        .iter()
        .map(|message| envelope(message)["after"].clone())
        .collect();
    assert_eq!(
        Value::from(rows),
        json!([{"id": 1}, {"id": 2, "note": "none"}, {"id": 3}])
    );
    assert_eq!(
        cluster.read_count(&connector.topic("late"), 1, LIMIT).len(),
        1
    );
    running.stop();
}

#[test]
fn an_idle_connector_lets_the_server_forget_what_others_write() {
    let (_, database, connector) = setup(
        "CREATE TABLE captured (id int PRIMARY KEY); CREATE TABLE other (id int, filler text)",
    );
    let connector = connector
        .set("table.include.list", "public.captured")
        .set("publication.autocreate.mode", "filtered")
        .set("status.update.interval.ms", "200");
    let running = connector.start();
    let behind = format!(
        "SELECT pg_current_wal_lsn() - confirmed_flush_lsn < 100000 FROM pg_replication_slots
           WHERE slot_name = '{}'",
        connector.slot()
    );
    database
        .execute("INSERT INTO other SELECT n, repeat('x', 200) FROM generate_series(1, 20000) n");
    wait_until("the slot had passed the other table's rows", LIMIT, || {
        (database.value(&behind).as_deref() == Some("t")).then_some(())
    });
    running.stop();
}

#[test]
fn heartbeats_are_written_and_run_their_query() {
    let (cluster, database, connector) =
        setup("CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE beats (id serial PRIMARY KEY)");
    let connector = connector
        .set("table.include.list", "public.t")
        .set("heartbeat.interval.ms", "100")
        .set("heartbeat.action.query", "INSERT INTO beats DEFAULT VALUES");
    let running = connector.start();
    let topic = format!("__debezium-heartbeat.{}", database.name());
    let beats = wait_until("there were three heartbeats", LIMIT, || {
        let beats = cluster.try_read_until(&topic, LIMIT, |beats| beats.len() >= 3);
        beats.ok()
    });
    assert_eq!(
        beats[0].key_text(),
        format!(r#"{{"serverName":"{}"}}"#, database.name())
    );
    assert!(beats[0].json()["ts_ms"].is_i64());
    wait_until("the query had run three times", LIMIT, || {
        let count = database.value("SELECT count(*) >= 3 FROM beats");
        (count.as_deref() == Some("t")).then_some(())
    });
    running.stop();
}

#[test]
fn the_offset_is_the_one_that_debezium_would_write() {
    let (cluster, database, connector) = setup("CREATE TABLE t (id int PRIMARY KEY)");
    let running = connector.start();
    database.execute("INSERT INTO t VALUES (1)");
    cluster.read_count(&connector.topic("t"), 1, LIMIT);
    let offsets = cluster.read_committed(&connector.offset_topic());
    let latest = offsets.last().unwrap();
    let name = database.name();
    assert_eq!(
        latest.key_text(),
        format!(r#"["{name}",{{"server":"{name}"}}]"#)
    );
    let offset = latest.json();
    assert_eq!(offset["messageType"], "INSERT");
    for field in ["lsn", "lsn_proc", "lsn_commit", "txId", "ts_usec"] {
        assert!(offset[field].is_u64(), "{field} in {offset}");
    }
    assert!(running.metric("debezium_metrics_TotalNumberOfCreateEventsSeen") >= Some(1.0));
    running.stop();
}

#[test]
fn an_initial_only_connector_stops_after_its_snapshot() {
    let (cluster, _database, connector) =
        setup("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)");
    let connector = connector.set("snapshot.mode", "initial_only");
    for _ in 0..2 {
        let (code, log) = connector.spawn().end();
        assert_eq!(code, Some(0), "{log}");
    }
    assert_eq!(
        operations(&cluster.read_committed(&connector.topic("t"))),
        ["r"]
    );
}

#[test]
fn a_slot_that_was_made_beforehand_is_used() {
    let (cluster, database, connector) =
        setup("CREATE TABLE t (id int PRIMARY KEY); CREATE PUBLICATION made FOR ALL TABLES");
    let connector = connector
        .set("publication.name", "made")
        .set("publication.autocreate.mode", "disabled");
    let slot = connector.slot();
    database.execute(&format!(
        "SELECT pg_create_logical_replication_slot('{slot}', 'pgoutput')"
    ));
    // These are in the slot's stream and in the snapshot: they must come once.
    database.execute("INSERT INTO t VALUES (1); INSERT INTO t VALUES (2)");
    let running = connector.start();
    database.execute("INSERT INTO t VALUES (3)");
    let messages = cluster.read_count(&connector.topic("t"), 3, LIMIT);
    assert_eq!(operations(&messages), ["r", "r", "c"]);
    running.stop();
}
