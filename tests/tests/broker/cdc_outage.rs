//! Servers that go away and come back, and a second instance of a connector.

use std::time::Duration;

use streams_tests::{
    Cluster, Database, DroppedMarkers, Kafka, KafkaOptions, Postgres, PostgresOptions,
};

use crate::cdc_connector::{Connector, LIMIT};
use crate::cdc_workload::{Workload, assert_tells, create_workload_tables};

#[test]
fn a_restarted_postgres_loses_and_doubles_nothing() {
    let mut postgres = Postgres::temporary(PostgresOptions::default()).unwrap();
    let cluster = Cluster::shared();
    let database = Database::on(&postgres, "restart").unwrap();
    database.execute(&create_workload_tables("t"));
    let connector = Connector::new(&cluster, &database).set("tombstones.on.delete", "false");
    let mut running = connector.start();
    let workload = Workload::start(&database.url(), "t", 1);
    for _ in 0..3 {
        workload.wait_for_more(50);
        postgres.restart().unwrap();
        workload.wait_for_more(1);
        running.wait_ready();
    }
    workload.wait_for_more(20);
    let history = workload.stop();
    assert_tells(&cluster, &connector.topic("t"), &history);
    running.stop();
}

#[test]
fn a_restarted_kafka_loses_and_doubles_nothing() {
    Kafka::through_outages(two_outages);
}

fn two_outages(kafka: &mut Kafka) -> Result<(), DroppedMarkers> {
    let cluster = Cluster::at(kafka.bootstrap_servers());
    let database = Database::shared("restart");
    database.execute(&create_workload_tables("t"));
    let connector = Connector::new(&cluster, &database).set("tombstones.on.delete", "false");
    let mut running = connector.start();
    let workload = Workload::start(&database.url(), "t", 2);
    for _ in 0..2 {
        workload.wait_for_more(50);
        kafka.restart_in_transactions()?;
        workload.wait_for_more(50);
        running.wait_ready();
    }
    let history = workload.stop();
    assert_tells(&cluster, &connector.topic("t"), &history);
    running.stop();
    Ok(())
}

#[test]
fn a_connector_waits_for_servers_that_are_not_up_yet() {
    let mut postgres = Postgres::temporary(PostgresOptions::default()).unwrap();
    let mut kafka = Kafka::temporary(KafkaOptions::shared()).unwrap();
    let cluster = Cluster::at(kafka.bootstrap_servers());
    let database = Database::on(&postgres, "later").unwrap();
    database.execute("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)");
    let connector = Connector::new(&cluster, &database);
    postgres.stop().unwrap();
    kafka.kill();

    let mut running = connector.spawn();
    let line = running.process.wait_for_line("trying again", LIMIT);
    assert!(
        line.contains("database.hostname") && line.contains("refused"),
        "{line}"
    );
    postgres.restart().unwrap();
    let line = running
        .process
        .wait_for_line(&kafka.bootstrap_servers(), LIMIT);
    assert!(!line.contains("panicked"), "{line}");
    kafka.restart().unwrap();
    running.wait_ready();
    assert_eq!(cluster.read_count(&connector.topic("t"), 1, LIMIT).len(), 1);
    running.stop();
}

#[test]
fn a_stop_while_kafka_is_away_takes_less_than_five_seconds() {
    Kafka::through_outages(stop_while_away);
}

fn stop_while_away(kafka: &mut Kafka) -> Result<(), DroppedMarkers> {
    let cluster = Cluster::at(kafka.bootstrap_servers());
    let database = Database::shared("away");
    database.execute("CREATE TABLE t (id int PRIMARY KEY)");
    let connector = Connector::new(&cluster, &database);
    let running = connector.start();
    kafka.kill();
    database.execute("INSERT INTO t SELECT generate_series(1, 1000)");
    running.stop();
    kafka.restart_in_transactions()?;
    let running = connector.start();
    assert_eq!(
        cluster
            .read_count(&connector.topic("t"), 1_000, LIMIT)
            .len(),
        1_000
    );
    running.stop();
    Ok(())
}

#[test]
fn a_second_instance_waits_until_the_first_is_gone() {
    let (cluster, database) = (Cluster::shared(), Database::shared("second"));
    database.execute(&create_workload_tables("t"));
    let connector = Connector::new(&cluster, &database).set("tombstones.on.delete", "false");
    let mut first = connector.start();
    let workload = Workload::start(&database.url(), "t", 3);
    let mut second = connector.spawn();
    let line = second.process.wait_for_line("trying again", LIMIT);
    assert!(
        line.contains("slot.name") && line.contains(&connector.slot()),
        "{line}"
    );
    workload.wait_for_more(50);
    first.process.kill();
    second.wait_ready();
    workload.wait_for_more(50);
    let history = workload.stop();
    assert_tells(&cluster, &connector.topic("t"), &history);
    second.stop();
}

#[test]
fn a_slot_that_another_program_streams_from_is_waited_for() {
    let (cluster, database) = (Cluster::shared(), Database::shared("foreign"));
    database.execute("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)");
    let connector = Connector::new(&cluster, &database).set("slot.retry.delay.ms", "200");
    connector.start().stop();
    let holder = Hold::start(&database, &connector.slot());
    let mut waiting = connector.spawn();
    let line = waiting.process.wait_for_line("trying again", LIMIT);
    assert!(
        line.contains("slot.name") && line.contains("is active"),
        "{line}"
    );
    holder.end();
    waiting.wait_ready();
    waiting.stop();
}

/// An instance that was cut off and comes back finds itself fenced, and waits behind its successor.
#[test]
fn a_zombie_writes_nothing_after_its_successor_has_taken_over() {
    let (cluster, database) = (Cluster::shared(), Database::shared("zombie"));
    database.execute(&create_workload_tables("t"));
    let connector = Connector::new(&cluster, &database).set("tombstones.on.delete", "false");
    let mut zombie = connector.start();
    let workload = Workload::start(&database.url(), "t", 4);
    workload.wait_for_more(50);
    zombie.process.pause();
    // What the server would do by itself when it has not heard of a client for long enough.
    database.execute(&format!(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
           WHERE datname = '{}' AND application_name LIKE 'cdc-source%'",
        database.name()
    ));
    let mut successor = connector.start();
    workload.wait_for_more(50);
    zombie.process.resume();
    zombie.process.wait_for_line("trying again", LIMIT);
    workload.wait_for_more(100);
    let history = workload.stop();
    assert_tells(&cluster, &connector.topic("t"), &history);
    zombie.process.terminate(Duration::from_secs(5));
    successor.wait_ready();
    successor.stop();
}

/// Holds a slot as a session that streams from it does.
struct Hold {
    child: std::process::Child,
}

impl Hold {
    fn start(database: &Database, slot: &str) -> Self {
        let receive = std::process::Command::new("pg_recvlogical")
            .env("PGPASSWORD", database.password())
            .args(["--dbname", database.name(), "--host", database.host()])
            .args([
                "--port",
                &database.port().to_string(),
                "--username",
                database.user(),
            ])
            .args(["--slot", slot, "--start", "--file", "-", "--no-loop"])
            .args(["--option", "proto_version=1"])
            .args([
                "--option",
                &format!("publication_names={}_publication", database.name()),
            ])
            .stdout(std::process::Stdio::null())
            .spawn();
        let child = receive.unwrap();
        let active = format!("SELECT active FROM pg_replication_slots WHERE slot_name = '{slot}'");
        streams_tests::wait_until("the slot was in use", LIMIT, || {
            (database.value(&active).as_deref() == Some("t")).then_some(())
        });
        Self { child }
    }

    fn end(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}
