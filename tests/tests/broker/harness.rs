//! The harness itself, on the servers that every other test relies on.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use streams_tests::{
    Cluster, Database, Expectation, Kafka, KafkaOptions, Postgres, PostgresOptions, Process,
    Record, wait_until,
};

const LIMIT: Duration = Duration::from_secs(60);

#[test]
fn records_come_out_as_they_went_in() {
    let cluster = Cluster::shared();
    let topic = cluster.topic("in-out", 2);
    let record = Record::new("k", "v")
        .partition(1)
        .timestamp_ms(1_234)
        .header("h", "x");
    cluster.produce(&topic, [record, Record::tombstone("gone").partition(0)]);

    let messages = cluster.read_committed(&topic);
    assert_eq!(messages.len(), 2);
    assert_eq!(
        (messages[0].key_text().as_str(), &messages[0].value),
        ("gone", &None)
    );
    assert_eq!(
        (messages[1].partition, messages[1].timestamp_ms),
        (1, 1_234)
    );
    assert_eq!(messages[1].header("h").as_deref(), Some("x"));
}

#[test]
fn committed_reads_see_neither_aborted_nor_open_transactions() {
    let cluster = Cluster::shared();
    let topic = cluster.topic("transactions", 1);
    let mut expected = Expectation::default();
    for (number, commits) in [(0, true), (1, false), (2, true)] {
        let id = cluster.unique("writer");
        let transaction = cluster.begin_transaction(&id, LIMIT);
        transaction.produce(&topic, [("key", number.to_string())]);
        if commits {
            transaction.commit();
            expected.push("key", number.to_string());
        } else {
            transaction.abort();
        }
    }
    let open = cluster.begin_transaction(&cluster.unique("writer"), LIMIT);
    open.produce(&topic, [("key", "open")]);

    expected.assert(&cluster.read_committed(&topic));
    assert_eq!(cluster.read_uncommitted(&topic).len(), 4);
    assert!(
        cluster
            .try_read_settled(&topic, Duration::from_millis(300))
            .is_err()
    );
    open.commit();
    expected.push("key", "open");
    expected.assert_topic(&cluster, &topic, LIMIT);
}

#[test]
fn transaction_whose_owner_is_gone_is_aborted_by_the_broker() {
    let cluster = Cluster::shared();
    let topic = cluster.topic("orphan", 1);
    let orphan = cluster.begin_transaction(&cluster.unique("orphan"), Duration::from_secs(1));
    orphan.produce(&topic, [("key", "lost")]);
    drop(orphan);
    assert!(cluster.read_settled(&topic, LIMIT).is_empty());
}

#[test]
fn killed_broker_comes_back_at_its_address_with_its_records() {
    let mut kafka = Kafka::temporary(KafkaOptions::shared()).unwrap();
    let cluster = Cluster::at(kafka.bootstrap_servers());
    let topic = cluster.topic("survivors", 1);
    let mut expected = Expectation::default();
    for number in 0..100 {
        expected.push(format!("key-{}", number % 3), number.to_string());
    }
    cluster.produce(&topic, expected.records());
    kafka.kill();
    assert!(kafka.child().exit_status().is_some());
    kafka.restart().unwrap();
    expected.assert(&cluster.read_committed(&topic));
    kafka.stop().unwrap();
}

#[test]
fn databases_are_private_and_go_with_their_slots() {
    let database = Database::shared("shop");
    let slot = format!("{}_slot", database.name());
    database.execute("CREATE TABLE users (id int PRIMARY KEY, name text)");
    database.execute("INSERT INTO users VALUES (1, 'ada'), (2, NULL)");
    let create = format!("SELECT pg_create_logical_replication_slot('{slot}', 'pgoutput')");
    database.execute(&create);
    let rows = database.query("SELECT * FROM users ORDER BY id");
    assert_eq!(
        rows[0],
        [Some(String::from("1")), Some(String::from("ada"))]
    );
    assert_eq!(rows[1][1], None);
    drop(database);

    let other = Database::shared("shop");
    let slots = format!("SELECT count(*) FROM pg_replication_slots WHERE slot_name = '{slot}'");
    assert_eq!(other.value(&slots).as_deref(), Some("0"));
}

#[test]
fn crashed_postgres_comes_back_with_its_rows_and_new_settings() {
    let options = PostgresOptions::default().wal_level("replica");
    let mut postgres = Postgres::temporary(options).unwrap();
    let session = postgres.connect("postgres").unwrap();
    assert_eq!(
        session.value("SHOW wal_level").unwrap().as_deref(),
        Some("replica")
    );
    session
        .execute("CREATE TABLE t (id int); INSERT INTO t VALUES (7)")
        .unwrap();
    postgres.kill();
    assert!(session.execute("SELECT 1").is_err());

    postgres.set("wal_level", "logical");
    postgres.restart().unwrap();
    let session = postgres.connect("postgres").unwrap();
    assert_eq!(
        session.value("SHOW wal_level").unwrap().as_deref(),
        Some("logical")
    );
    assert_eq!(
        session.value("SELECT id FROM t").unwrap().as_deref(),
        Some("7")
    );
    postgres.stop().unwrap();
}

#[test]
fn program_is_watched_by_its_output_and_restarted_in_its_folder() {
    let script = "echo start >> runs; cat runs; echo ready; exec sleep 600";
    let builder = Process::program(Path::new("/bin/sh"));
    let mark = builder.folder().to_path_buf();
    let script = format!("cd {}; {script}", mark.display());
    let mut process = builder.args(["-c", &script]).spawn();
    process.wait_for_line("ready", LIMIT);
    let first = process.id();
    assert!(process.resident_bytes() > 0);

    process.restart();
    process.wait_for_line("ready", LIMIT);
    assert_ne!(process.id(), first);
    assert_eq!(process.log(), "start\nstart\nready\n");
    assert_eq!(
        process.terminate(LIMIT).signal(),
        Some(Signal::SIGTERM as i32)
    );
    drop(process);
    assert!(!mark.exists());
}

#[test]
#[should_panic(expected = "sh ended with exit status: 3; its log ends with:\nno good")]
fn program_that_ends_early_is_reported_with_its_log() {
    let script = ["-c", "echo no good; exit 3"];
    Process::program(Path::new("/bin/sh"))
        .args(script)
        .spawn()
        .wait_for_line("ready", LIMIT);
}

/// Not even `kill -9` of the process that started the servers leaves one behind.
#[test]
fn servers_die_with_the_process_that_started_them() {
    let folder = tempfile::tempdir().unwrap();
    let (mut run, children) = run_command_with_servers(folder.path());
    run.kill().unwrap();
    run.wait().unwrap();
    wait_until_gone(&children);
}

#[test]
fn interrupted_run_stops_its_servers_and_removes_their_data() {
    let folder = tempfile::tempdir().unwrap();
    let (mut run, children) = run_command_with_servers(folder.path());
    // Waiting would close it, and that would end the command by itself.
    let stdin = run.stdin.take();
    kill(Pid::from_raw(run.id() as i32), Signal::SIGINT).unwrap();
    assert!(!run.wait().unwrap().success());
    drop(stdin);
    wait_until_gone(&children);
    let left = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    assert_eq!(left.collect::<Vec<_>>(), ["pids"]);
}

#[test]
fn run_ends_with_the_exit_code_of_its_command() {
    let folder = tempfile::tempdir().unwrap();
    let mut run = stack(folder.path());
    let status = run
        .args(["run", "--", "sh", "-c", "exit 7"])
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(7));
}

#[test]
fn servers_in_the_background_stay_up_until_they_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let call = |arguments: &[&str]| {
        let output = stack(folder.path()).args(arguments).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        (output.status.code(), text)
    };
    assert_eq!(call(&["status"]).0, Some(3));
    let (code, exports) = call(&["up"]);
    assert_eq!(code, Some(0));
    assert_eq!(call(&["up"]).1, exports, "a second `up` finds the first");
    let address = exports
        .lines()
        .find_map(|line| line.strip_prefix("export TRIBUTARY_BOOTSTRAP_SERVERS="));
    let cluster = Cluster::at(address.unwrap());
    let topic = cluster.topic("background", 1);
    cluster.produce(&topic, [("key", "value")]);
    assert_eq!(cluster.read_committed(&topic).len(), 1);
    assert!(call(&["logs", "kafka"]).1.contains("Kafka Server started"));

    assert_eq!(call(&["down"]).0, Some(0));
    assert_eq!(call(&["status"]), (Some(3), String::from("down\n")));
}

fn stack(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stack"));
    command.arg("--directory").arg(folder);
    command
}

/// A stack whose command waits for ever, and the ids of its children: Kafka, Postgres, the command.
fn run_command_with_servers(folder: &Path) -> (Child, Vec<String>) {
    let pids = folder.join("pids");
    let script = format!(
        "ps -o pid= --ppid $PPID > {0}.new; mv {0}.new {0}; cat",
        pids.display()
    );
    let run = stack(folder)
        .args(["run", "--", "sh", "-c", &script])
        .stdin(Stdio::piped())
        .spawn();
    let children = wait_until("the servers' ids were written", LIMIT, || {
        fs::read_to_string(&pids).ok()
    });
    let children: Vec<String> = children.split_whitespace().map(str::to_owned).collect();
    assert!(
        children.len() >= 3,
        "Kafka, Postgres and the command: {children:?}"
    );
    (run.unwrap(), children)
}

fn wait_until_gone(processes: &[String]) {
    wait_until("the servers were gone", LIMIT, || {
        let gone = |id: &String| !Path::new("/proc").join(id).exists();
        processes.iter().all(gone).then_some(())
    });
}
