//! The `processors` binary on a real broker, as a user runs it.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use streams_tests::{
    Cluster, Expectation, Kafka, KafkaOptions, Message, Process, ProcessBuilder, Record, free_port,
    http_get, wait_until,
};

const LIMIT: Duration = Duration::from_secs(60);
/// What a process may take to end after SIGTERM.
const STOP_LIMIT: Duration = Duration::from_secs(5);

/// A processor's topics and group.
struct Setup {
    cluster: Cluster,
    input: String,
    output: String,
    dead_letter: String,
    id: String,
}

impl Setup {
    fn new(partitions: i32) -> Self {
        let cluster = Cluster::shared();
        Self {
            input: cluster.topic("users", partitions),
            output: cluster.topic("user-analytics", partitions),
            dead_letter: cluster.topic("user-changes-dlq", 1),
            id: cluster.unique("processor"),
            cluster,
        }
    }

    fn users(&self) -> ProcessBuilder {
        self.processor("users").args(["--output", &self.output])
    }

    fn processor(&self, name: &str) -> ProcessBuilder {
        let builder = Process::workspace("processors");
        let state_dir = builder.folder().join("state").display().to_string();
        builder
            .args([
                name,
                "--bootstrap-servers",
                self.cluster.bootstrap_servers(),
            ])
            .args(["--application-id", &self.id, "--state-dir", &state_dir])
            .args(["--input", &self.input, "--dead-letter", &self.dead_letter])
            .args(["-X", "consumer.session.timeout.ms=6000"])
            .args(["-X", "consumer.heartbeat.interval.ms=500"])
    }
}

/// Change number `number`, of one of a few rows.
fn change(number: usize) -> (String, String) {
    let row = number % 17;
    let op = ["c", "u", "r", "d"][number % 4];
    let rows = format!(r#""before":{{"id":{row}}},"after":{{"id":{row},"n":{number}}}"#);
    let value = format!(r#"{{"schema":null,"payload":{{{rows},"op":"{op}"}}}}"#);
    (row.to_string(), value)
}

/// What comes out for the changes, without the time.
fn expected(changes: &[(String, String)]) -> Expectation {
    let mut expected = Expectation::default();
    for (key, value) in changes {
        expected.push(key.as_str(), value.as_str());
    }
    expected
}

/// A message without the time that the processor has added.
fn without_time(message: &Message) -> (String, String) {
    let value = message.value_text();
    let (before, time) = value.rsplit_once(",\"processed_at\":").unwrap();
    assert!(time.trim_end_matches('}').parse::<i64>().is_ok(), "{value}");
    (message.key_text(), format!("{before}}}"))
}

#[test]
fn users_sends_good_events_on_and_bad_ones_aside() {
    let setup = Setup::new(2);
    let changes: Vec<_> = (0..200).map(change).collect();
    let bad: [Record; 7] = [
        Record::new("a", "no json"),
        Record::new("b", r#"{"payload":{}}"#),
        Record::tombstone("c"),
        Record::new("d", r#"{"op":"x"}"#),
        Record::new("e", vec![b'x'; 900 * 1024]),
        Record::new("f", vec![0xff, 0xfe]),
        Record::new(vec![0xff], change(0).1).header("trace", "t-1"),
    ];
    let mut processor = setup.users().spawn();
    processor.wait_for_line("READY", LIMIT);
    setup.cluster.produce(&setup.input, changes[..100].to_vec());
    setup.cluster.produce(&setup.input, bad.clone());
    setup.cluster.produce(&setup.input, changes[100..].to_vec());

    let expected = expected(&changes);
    expected.assert_topic_with(&setup.cluster, &setup.output, LIMIT, without_time);
    let letters = setup
        .cluster
        .read_count(&setup.dead_letter, bad.len(), LIMIT);
    assert_eq!(letters.len(), bad.len());
    for letter in &letters {
        let came = Record::default();
        let came = letter
            .key
            .iter()
            .fold(came, |came, key| came.key(key.clone()));
        let came = letter
            .value
            .iter()
            .fold(came, |came, value| came.value(value.clone()));
        let traced = letter.header("trace");
        let came = traced
            .iter()
            .fold(came, |came, trace| came.header("trace", trace.as_str()));
        assert!(bad.contains(&came), "the bytes are those that came");
        let header = |name: &str| letter.header(&format!("__streams.errors.{name}"));
        assert_eq!(header("topic").as_ref(), Some(&setup.input));
        assert!(header("message").is_some_and(|reason| !reason.is_empty()));
        assert!(header("offset").is_some() && header("partition").is_some());
    }
    assert!(processor.terminate(STOP_LIMIT).success());
    let committed = setup.cluster.committed(&setup.id, &setup.input);
    assert_eq!(committed, setup.cluster.end_offsets(&setup.input));
}

#[test]
fn events_names_the_events_of_each_topic_and_documents_what_fails() {
    let setup = Setup::new(1);
    let orders = setup.cluster.topic("orders", 1);
    for input in [&setup.input, &orders] {
        setup
            .cluster
            .create_topic(&format!("{input}-processed"), 1, &[]);
        let event = |op: &str, table: &str| {
            format!(r#"{{"op":"{op}","after":{{"id":1}},"source":{{"table":"{table}"}}}}"#)
        };
        let table = if *input == orders { "orders" } else { "users" };
        let bad = r#"{"op":"c","after":{"id":null},"source":{"table":"orders"}}"#;
        let values = [event("c", table), bad.to_owned(), event("u", table)];
        setup
            .cluster
            .produce(input, values.map(|value| ("1", value)));
    }
    let mut processor = setup
        .processor("events")
        .args(["--input", &orders, "--output", "{topic}-processed"])
        .spawn();
    for (input, row) in [(&setup.input, "user"), (&orders, "order")] {
        let output = format!("{input}-processed");
        let good = setup.cluster.read_count(&output, 2, LIMIT);
        let named: Vec<Value> = good
            .iter()
            .map(|m| m.json()["event_type"].clone())
            .collect();
        assert_eq!(named, [format!("{row}_created"), format!("{row}_updated")]);
        for event in &good {
            assert_eq!(event.json()["processor"], json!(setup.id));
            assert!(event.json()["processed_at"].as_i64() > Some(1_700_000_000_000));
        }
    }
    let letters = setup.cluster.read_count(&setup.dead_letter, 2, LIMIT);
    for letter in &letters {
        let document = letter.json();
        assert_eq!(document["original_event"]["op"], "c");
        assert_eq!(document["error"], "data: column=id is null");
        assert_eq!(document["retry_count"], 0);
        assert_eq!(document["source_offset"], 1);
        assert_eq!(
            letter.header("dead_letter.format").as_deref(),
            Some("document")
        );
    }
    assert!(processor.terminate(STOP_LIMIT).success());
}

/// Runs the binary to its end, and returns the exit code and what it wrote.
fn run(args: &[&str]) -> (Option<i32>, String) {
    let builder = Process::workspace("processors");
    let state_dir = builder.folder().join("state").display().to_string();
    let mut process = builder
        .args(args)
        .args(["-X", &format!("state.dir={state_dir}")])
        .spawn();
    let status = process.wait(LIMIT);
    (status.code(), process.log())
}

#[test]
fn mistakes_of_the_configuration_are_one_line_and_exit_code_2() {
    let missing = Cluster::shared().unique("missing");
    let cluster = Cluster::shared();
    let broker = ["--bootstrap-servers", cluster.bootstrap_servers()];
    let port = free_port();
    let taken = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
    let metrics = taken.local_addr().unwrap().to_string();
    let mistakes: [(&[&str], &str); 9] = [
        (
            &["users", "-X", "aplication.id=x"],
            "`aplication.id` is unknown, did you mean",
        ),
        (
            &["users", "--processing-guarantee", "twice"],
            "`processing.guarantee` must be one of",
        ),
        (
            &["users", "--num-stream-threads", "0"],
            "`num.stream.threads` must be",
        ),
        (
            &["users", "--bootstrap-servers", "here"],
            "`bootstrap.servers` must be host:port",
        ),
        (
            &["users", "--config", "no-such-file"],
            "cannot open the properties file `no-such-file`",
        ),
        (
            &["users", "--output", "users"],
            "`--output` writes topic users, which `--input` reads",
        ),
        (
            &["events", "--tries-max", "0"],
            "`--tries-max` must be at least 1",
        ),
        (
            &["users", "--metrics-addr", &metrics],
            "`--metrics-addr`: cannot serve",
        ),
        (
            &["users", "--input", &missing, broker[0], broker[1]],
            "`--input`: source topic missing",
        ),
    ];
    for (args, complaint) in mistakes {
        let (code, log) = run(args);
        assert_eq!(code, Some(2), "{log}");
        let errors: Vec<&str> = log
            .lines()
            .filter(|line| line.starts_with("error: "))
            .collect();
        assert_eq!(errors.len(), 1, "{log}");
        assert!(errors[0].contains(complaint), "{}", errors[0]);
        assert!(!log.contains("panicked") && !log.contains("READY"), "{log}");
    }
    for args in [
        &["users", "--tombstones", "eat"][..],
        &["users", "-X", "x"],
        &["people"],
        &[],
    ] {
        assert_eq!(run(args).0, Some(2));
    }
}

#[test]
fn topic_to_write_that_nobody_makes_is_named() {
    let options = KafkaOptions::shared().property("auto.create.topics.enable", "false");
    let kafka = Kafka::temporary(options).unwrap();
    let cluster = Cluster::at(kafka.bootstrap_servers());
    cluster.create_topic("users", 1, &[]);
    let args = ["users", "--bootstrap-servers", cluster.bootstrap_servers()];
    let (code, log) = run(&args);
    assert_eq!(code, Some(2), "{log}");
    assert!(
        log.contains("`--output`: topic user-analytics does not exist"),
        "{log}"
    );
    cluster.create_topic("user-analytics", 1, &[]);
    let (code, log) = run(&args);
    assert_eq!(code, Some(2), "{log}");
    assert!(
        log.contains("`--dead-letter`: topic user-changes-dlq does not exist"),
        "{log}"
    );
}

#[test]
fn broker_that_does_not_answer_is_asked_again_until_the_process_is_told_to_end() {
    let port = free_port();
    let servers = format!("127.0.0.1:{port}");
    for (command, done) in [("users", "trying again"), ("lag", "trying again")] {
        let builder = Process::workspace("processors");
        let state_dir = builder.folder().join("state").display().to_string();
        let mut process = builder
            .args([command, "--bootstrap-servers", &servers])
            .args(["-X", &format!("state.dir={state_dir}")])
            .spawn();
        let line = process.wait_for_line(done, LIMIT);
        assert!(
            line.contains(&format!("bootstrap.servers={servers}")),
            "{line}"
        );
        assert!(process.terminate(STOP_LIMIT).success());
        assert!(!process.log().contains("panicked"), "{}", process.log());
    }
}

#[test]
fn settings_come_from_a_file_and_flags_win_over_it() {
    let setup = Setup::new(1);
    let builder = Process::workspace("processors");
    let file = builder.folder().join("users.properties");
    let id = setup.cluster.unique("from-file");
    let settings = format!(
        "bootstrap.servers={}\napplication.id={id}\nstate.dir={}\n\
         errors.dead.letter.queue.topic.name={}\nprocessing.guarantee=at_least_once\n\
         commit.interval.ms=50\n",
        setup.cluster.bootstrap_servers(),
        builder.folder().join("state").display(),
        setup.dead_letter,
    );
    fs::write(&file, settings).unwrap();
    setup.cluster.produce(&setup.input, [("k", "bad")]);
    let mut processor = builder
        .args(["users", "--input", &setup.input, "--output", &setup.output])
        .args(["--config", &file.display().to_string()])
        .args([
            "--processing-guarantee",
            "exactly_once_v2",
            "--log-format",
            "json",
        ])
        .spawn();
    assert_eq!(
        setup.cluster.read_count(&setup.dead_letter, 1, LIMIT).len(),
        1
    );
    setup.cluster.wait_for_members(&id, 1, LIMIT);
    assert!(processor.terminate(STOP_LIMIT).success());
    let log = processor.log();
    let mut lines = log.lines().filter(|line| *line != "READY");
    assert!(
        lines.all(|line| serde_json::from_str::<Value>(line).is_ok()),
        "{log}"
    );
}

#[test]
fn health_and_metrics_are_served() {
    let setup = Setup::new(1);
    let port = free_port();
    let mut processor = setup
        .users()
        .args(["--metrics-addr", &format!("127.0.0.1:{port}")])
        .spawn();
    processor.wait_ready(port, LIMIT);
    processor.wait_for_line("READY", LIMIT);
    setup.cluster.produce(&setup.input, (0..10).map(change));
    setup.cluster.read_count(&setup.output, 10, LIMIT);
    assert_eq!(http_get(port, "/healthz").unwrap().0, 200);
    let counted = "kafka_streams_stream_thread_metrics_process_total";
    wait_until("ten records were counted", LIMIT, || {
        let (_, text) = http_get(port, "/metrics")?;
        let mut lines = text.lines().filter(|line| line.starts_with(counted));
        lines.any(|line| line.ends_with(" 10")).then_some(())
    });
    assert!(processor.terminate(STOP_LIMIT).success());
    assert!(http_get(port, "/readyz").is_none());
}

#[test]
fn survivor_takes_over_when_one_of_two_members_is_killed() {
    let setup = Setup::new(4);
    let changes: Vec<_> = (0..4_000).map(change).collect();
    let mut killed = setup.users().spawn();
    let mut survivor = setup.users().spawn();
    setup.cluster.wait_for_members(&setup.id, 2, LIMIT);
    killed.wait_for_line("READY", LIMIT);
    survivor.wait_for_line("READY", LIMIT);
    setup
        .cluster
        .produce(&setup.input, changes[..2_000].to_vec());
    setup.cluster.read_count(&setup.output, 1, LIMIT);
    killed.kill();
    let death = Instant::now();
    setup
        .cluster
        .produce(&setup.input, changes[2_000..].to_vec());
    let expected = expected(&changes);
    expected.assert_topic_with(&setup.cluster, &setup.output, LIMIT, without_time);
    // The session time-out is 6 s; the machine that runs the tests may be busy.
    assert!(
        death.elapsed() < Duration::from_secs(30),
        "{:?}",
        death.elapsed()
    );
    assert!(survivor.terminate(STOP_LIMIT).success());
    assert_eq!(setup.cluster.read_committed(&setup.dead_letter), []);
}

#[test]
fn lag_is_what_a_group_has_left_to_read() {
    let setup = Setup::new(2);
    let produce = |from: usize, to: usize| {
        setup.cluster.produce(&setup.input, (from..to).map(change));
    };
    let look = |extra: &[&str]| {
        let servers = setup.cluster.bootstrap_servers();
        let args = ["lag", "--once", "--bootstrap-servers", servers];
        let which = ["--topics", &setup.input, "--groups", &setup.id];
        let (code, log) = run(&[&args[..], &which, extra].concat());
        assert_eq!(code, Some(0), "{log}");
        log
    };
    let total = |log: &str| {
        let line = log.lines().find(|line| line.starts_with('{')).unwrap();
        let report: Value = serde_json::from_str(line).unwrap();
        let lag = &report["lags"][0];
        assert_eq!(
            (&lag["topic"], &lag["group"]),
            (&json!(setup.input), &json!(setup.id))
        );
        let partitions = lag["partitions"].as_array().unwrap();
        let sum: u64 = partitions
            .iter()
            .map(|it| it["lag"].as_u64().unwrap())
            .sum();
        assert_eq!(lag["total_lag"], json!(sum));
        (sum, partitions.len())
    };
    produce(0, 50);
    assert_eq!(total(&look(&["--json"])), (50, 2));

    let mut processor = setup.users().spawn();
    setup.cluster.read_count(&setup.output, 50, LIMIT);
    assert!(processor.terminate(STOP_LIMIT).success());
    assert_eq!(total(&look(&["--json"])), (0, 2));

    produce(50, 60);
    let table = look(&["--warn-above", "9"]);
    assert!(table.contains("high lag detected"), "{table}");
    let row = table.lines().find(|line| line.contains(" total ")).unwrap();
    assert!(row.ends_with("10  WARNING: high lag"), "{row}");
    assert!(!look(&["--warn-above", "10"]).contains("high lag"));
}

#[test]
fn lag_of_a_missing_topic_is_a_mistake_of_the_configuration() {
    let cluster = Cluster::shared();
    let missing = cluster.unique("missing");
    let servers = ["--bootstrap-servers", cluster.bootstrap_servers()];
    let (code, log) = run(&[&["lag", "--once", "--topics", &missing][..], &servers].concat());
    assert_eq!(code, Some(2), "{log}");
    assert!(
        log.contains(&format!("`--topics`: topic {missing} does not exist")),
        "{log}"
    );
}
