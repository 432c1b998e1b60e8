//! Mistakes in the configuration: one clear line that names the setting, and exit code 2.

use streams_tests::{Cluster, Database, Postgres, PostgresOptions};

use crate::cdc_connector::{Connector, Running};

/// The process has to end with code 2, and the last line of its log has to have all `parts`.
#[track_caller]
fn assert_refused(running: Running, parts: &[&str]) {
    let (code, log) = running.end();
    assert_eq!(code, Some(2), "{log}");
    let line = log.lines().last().unwrap_or_default();
    for part in parts {
        assert!(line.contains(part), "no `{part}` in: {line}");
    }
    assert!(!log.contains("panicked"), "{log}");
    assert!(
        !log.contains("tributary"),
        "the password is in the log: {log}"
    );
}

fn setup() -> (Cluster, Database, Connector) {
    let (cluster, database) = (Cluster::shared(), Database::shared("refused"));
    database.execute("CREATE TABLE t (id int PRIMARY KEY)");
    let connector = Connector::new(&cluster, &database);
    (cluster, database, connector)
}

#[test]
fn json_that_is_none_is_refused() {
    let (_, _database, connector) = setup();
    for text in ["", "{", "[]", r#"{"name": 1}"#] {
        assert_refused(connector.spawn_with(text), &["connector"]);
    }
}

#[test]
fn all_mistakes_of_a_configuration_are_told_at_once() {
    let (_, _database, connector) = setup();
    let connector = connector
        .set("snapshot.mode", "sometimes")
        .set("slot.name", "Not A Slot");
    assert_refused(connector.spawn(), &["snapshot.mode", "slot.name"]);
}

#[test]
fn a_wrong_password_is_refused() {
    let (_, _database, connector) = setup();
    let connector = connector.set("database.password", "wrong");
    assert_refused(
        connector.spawn(),
        &["database.password", "authentication failed"],
    );
}

#[test]
fn an_unknown_database_is_refused() {
    let (_, _database, connector) = setup();
    let connector = connector.set("database.dbname", "nowhere");
    assert_refused(connector.spawn(), &["database.dbname", "nowhere"]);
}

#[test]
fn a_server_without_logical_replication_is_refused() {
    let options = PostgresOptions::default().wal_level("replica");
    let postgres = Postgres::temporary(options).unwrap();
    let database = Database::on(&postgres, "replica").unwrap();
    let connector = Connector::new(&Cluster::shared(), &database);
    assert_refused(connector.spawn(), &["wal_level", "replica", "logical"]);
}

#[test]
fn a_user_that_may_not_replicate_is_refused() {
    let (_, database, connector) = setup();
    let role = format!("{}_plain", database.name());
    database.execute(&format!("CREATE ROLE {role} LOGIN PASSWORD 'p'"));
    let connector = connector
        .set("database.user", &role)
        .set("database.password", "p");
    assert_refused(connector.spawn(), &["database.user", &role, "REPLICATION"]);
    database.execute(&format!("DROP ROLE {role}"));
}

#[test]
fn a_user_that_may_not_publish_or_read_is_refused() {
    let (_, database, connector) = setup();
    let role = format!("{}_reader", database.name());
    database.execute(&format!(
        "CREATE ROLE {role} LOGIN REPLICATION PASSWORD 'p'"
    ));
    let connector = connector
        .set("database.user", &role)
        .set("database.password", "p");
    assert_refused(connector.spawn(), &["publication.name", &role]);

    database.execute("CREATE PUBLICATION made FOR TABLE t");
    let connector = connector.set("publication.name", "made");
    assert_refused(
        connector.spawn(),
        &["database.user", &role, "public.t", "SELECT"],
    );
    database.execute(&format!("DROP OWNED BY {role}; DROP ROLE {role}"));
}

#[test]
fn a_publication_that_is_missing_and_may_not_be_made_is_refused() {
    let (_, _database, connector) = setup();
    let connector = connector.set("publication.autocreate.mode", "disabled");
    assert_refused(connector.spawn(), &["publication.name", "does not exist"]);
}

#[test]
fn a_table_that_does_not_exist_is_refused() {
    let (_, _database, connector) = setup();
    let connector = connector.set("table.include.list", "public.t,public.missing");
    assert_refused(connector.spawn(), &["table.include.list", "public.missing"]);
}

#[test]
fn an_unknown_setting_of_the_producer_is_refused() {
    let (_, _database, connector) = setup();
    let connector = connector.argument("-X").argument("no.such.setting=1");
    assert_refused(connector.spawn(), &["no.such.setting"]);
}

#[test]
fn a_slot_of_another_plugin_is_refused() {
    let (_, database, connector) = setup();
    let slot = connector.slot();
    database.execute(&format!(
        "SELECT pg_create_logical_replication_slot('{slot}', 'test_decoding')"
    ));
    assert_refused(connector.spawn(), &["slot.name", "test_decoding"]);
}

#[test]
fn a_slot_that_is_gone_is_refused_unless_a_new_snapshot_is_allowed() {
    let (cluster, database, connector) = setup();
    connector.start().stop();
    database.execute(&format!(
        "SELECT pg_drop_replication_slot('{}')",
        connector.slot()
    ));
    database.execute("INSERT INTO t VALUES (1)");
    assert_refused(connector.spawn(), &["slot.name", "when_needed"]);

    let running = connector.set("snapshot.mode", "when_needed").start();
    let topic = format!("{}.public.t", database.name());
    assert_eq!(cluster.read_committed(&topic).len(), 1);
    running.stop();
}
