//! Processors that are killed, brokers that go away: afterwards every event is there once, and the
//! events of a key are in order.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::Value;
use streams_tests::{Cluster, Expectation, Kafka, KafkaOptions, Message, Process, Record, pause};

const LIMIT: Duration = Duration::from_secs(120);
const KEYS: usize = 23;
const BATCH: usize = 20;
const PARTITIONS: i32 = 4;
/// Events go on coming as long as there is something to break.
const BETWEEN_BATCHES: Duration = Duration::from_millis(20);

/// An event of the users topic whose row carries a number; one in ten is not valid.
fn event(number: usize) -> String {
    if number % 10 == 9 {
        return format!("{{\"payload\":{{\"number\":{number}}}}}");
    }
    let operation = ["c", "u", "d", "r"][number % 4];
    format!("{{\"payload\":{{\"op\":\"{operation}\",\"after\":{{\"number\":{number}}}}}}}")
}

/// The key of an event and the number it carries.
fn key_and_number(message: &Message) -> (String, String) {
    let json: Value = serde_json::from_str(&message.value_text()).unwrap_or_default();
    let payload = &json["payload"];
    let number = payload["number"]
        .as_u64()
        .or_else(|| payload["after"]["number"].as_u64());
    (
        message.key_text(),
        number.map_or_else(|| message.value_text(), |number| number.to_string()),
    )
}

/// Writes numbered events until it is told to stop, and knows what it has written.
struct Writer {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<usize>,
}

impl Writer {
    fn start(cluster: &Cluster, topic: &str) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (stopped, topic) = (Arc::clone(&stop), topic.to_owned());
        let cluster = Cluster::at(cluster.bootstrap_servers());
        let thread = thread::spawn(move || {
            let mut written = 0;
            while !stopped.load(Ordering::Acquire) {
                let batch = written..written + BATCH;
                written = batch.end;
                let records = batch.map(|number| {
                    let key = number % KEYS;
                    let record = Record::new(format!("user-{key}"), event(number));
                    // A key stays in its partition, whatever partitioner the writer has.
                    record.partition(i32::try_from(key).unwrap() % PARTITIONS)
                });
                cluster.produce(&topic, records);
                pause(BETWEEN_BATCHES);
            }
            written
        });
        Self { stop, thread }
    }

    /// What must be in the output and in the dead-letter topic.
    fn stop(self) -> (Expectation, Expectation) {
        self.stop.store(true, Ordering::Release);
        let written = self.thread.join().unwrap();
        let (mut good, mut bad) = (Expectation::default(), Expectation::default());
        for number in 0..written {
            let side = if number % 10 == 9 {
                &mut bad
            } else {
                &mut good
            };
            side.push(format!("user-{}", number % KEYS), number.to_string());
        }
        (good, bad)
    }
}

struct Topics {
    input: String,
    output: String,
    dead: String,
}

impl Topics {
    fn create(cluster: &Cluster) -> Self {
        Self {
            input: cluster.topic("users", PARTITIONS),
            output: cluster.topic("user-analytics", PARTITIONS),
            dead: cluster.topic("user-changes-dlq", PARTITIONS),
        }
    }

    fn processor(&self, cluster: &Cluster, group: &str, settings: &[&str]) -> Process {
        let builder = Process::workspace("processors");
        let state = builder.folder().display().to_string();
        let mut builder = builder
            .args(["users", "--bootstrap-servers", cluster.bootstrap_servers()])
            .args(["--application-id", group, "--input", &self.input])
            .args(["--output", &self.output, "--dead-letter", &self.dead])
            .args(["--state-dir", &state])
            .args([
                "-X",
                "session.timeout.ms=6000",
                "-X",
                "heartbeat.interval.ms=500",
            ]);
        for setting in settings {
            builder = builder.args(["-X", setting]);
        }
        builder.spawn()
    }

    fn check(&self, cluster: &Cluster, writer: Writer) {
        let (good, bad) = writer.stop();
        good.assert_topic_with(cluster, &self.output, LIMIT, key_and_number);
        bad.assert_topic_with(cluster, &self.dead, LIMIT, key_and_number);
    }
}

/// Lets a random time pass, in which anything may happen.
fn some_time(random: &mut StdRng, at_most: Duration) {
    let nanos = u64::try_from(at_most.as_nanos()).unwrap();
    let until = Instant::now() + Duration::from_nanos(random.random_range(0..nanos));
    pause(until.saturating_duration_since(Instant::now()));
}

fn seeded() -> StdRng {
    let seed = std::env::var("TRIBUTARY_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| rand::rng().random());
    println!("TRIBUTARY_SEED={seed}");
    StdRng::seed_from_u64(seed)
}

#[test]
fn processors_killed_at_random_lose_and_double_nothing() {
    let cluster = Cluster::shared();
    let mut random = seeded();
    let topics = Topics::create(&cluster);
    let group = cluster.unique("chaos");
    let mut members: Vec<Process> = ["one", "two"]
        .iter()
        .map(|name| topics.processor(&cluster, &group, &[&format!("group.instance.id={name}")]))
        .collect();
    for member in &mut members {
        member.wait_for_line("READY", LIMIT);
    }
    let writer = Writer::start(&cluster, &topics.input);
    for kill in 0..24 {
        some_time(&mut random, Duration::from_millis(700));
        let member = &mut members[kill % 2];
        member.kill();
        if random.random_bool(0.2) {
            // Long enough for the next commit of the other, not for the session.
            some_time(&mut random, Duration::from_millis(500));
        }
        member.restart();
        if random.random_bool(0.7) {
            member.wait_for_line("READY", LIMIT);
        }
    }
    topics.check(&cluster, writer);
    for mut member in members {
        assert!(member.terminate(Duration::from_secs(10)).success());
    }
}

#[test]
fn another_member_takes_over_within_the_session_timeout() {
    let cluster = Cluster::shared();
    let topics = Topics::create(&cluster);
    let group = cluster.unique("takeover");
    let mut first = topics.processor(&cluster, &group, &[]);
    first.wait_for_line("READY", LIMIT);
    let mut second = topics.processor(&cluster, &group, &[]);
    second.wait_for_line("READY", LIMIT);
    cluster.wait_for_members(&group, 2, LIMIT);
    let writer = Writer::start(&cluster, &topics.input);
    cluster.read_until(&topics.output, LIMIT, |messages| messages.len() > 200);
    first.kill();
    cluster.wait_for_members(&group, 1, LIMIT);
    topics.check(&cluster, writer);
    assert!(second.terminate(Duration::from_secs(10)).success());
}

#[test]
fn member_that_was_frozen_is_fenced_and_joins_again() {
    let cluster = Cluster::shared();
    let topics = Topics::create(&cluster);
    let group = cluster.unique("zombie");
    let mut frozen = topics.processor(&cluster, &group, &[]);
    frozen.wait_for_line("READY", LIMIT);
    let writer = Writer::start(&cluster, &topics.input);
    cluster.read_until(&topics.output, LIMIT, |messages| messages.len() > 200);
    frozen.pause();
    let mut other = topics.processor(&cluster, &group, &[]);
    other.wait_for_line("READY", LIMIT);
    let before = cluster.read_committed(&topics.output).len();
    cluster.read_until(&topics.output, LIMIT, |messages| {
        messages.len() > before + 200
    });
    frozen.resume();
    cluster.wait_for_members(&group, 2, LIMIT);
    topics.check(&cluster, writer);
    assert!(frozen.terminate(Duration::from_secs(10)).success());
    assert!(other.terminate(Duration::from_secs(10)).success());
}

#[test]
fn broker_restarted_in_the_middle_loses_and_doubles_nothing() {
    let mut kafka = Kafka::temporary(KafkaOptions::shared()).unwrap();
    let cluster = Cluster::at(kafka.bootstrap_servers());
    let mut random = seeded();
    let topics = Topics::create(&cluster);
    let group = cluster.unique("outage");
    let mut member = topics.processor(&cluster, &group, &[]);
    member.wait_for_line("READY", LIMIT);
    let mut written = 0;
    let (mut good, mut bad) = (Expectation::default(), Expectation::default());
    for outage in 0..3 {
        // The writer of this test knows nothing of brokers that go away, so it rests meanwhile.
        let records: Vec<Record> = (written..written + 2_000)
            .map(|number| {
                let side = if number % 10 == 9 {
                    &mut bad
                } else {
                    &mut good
                };
                let key = number % KEYS;
                side.push(format!("user-{key}"), number.to_string());
                let record = Record::new(format!("user-{key}"), event(number));
                record.partition(i32::try_from(key).unwrap() % PARTITIONS)
            })
            .collect();
        written += records.len();
        cluster.produce(&topics.input, records);
        some_time(&mut random, Duration::from_millis(300));
        if outage % 2 == 0 {
            kafka.kill();
        } else {
            kafka.stop().unwrap();
        }
        some_time(&mut random, Duration::from_millis(1_500));
        kafka.restart().unwrap();
    }
    good.assert_topic_with(&cluster, &topics.output, LIMIT, key_and_number);
    bad.assert_topic_with(&cluster, &topics.dead, LIMIT, key_and_number);
    assert!(member.terminate(Duration::from_secs(10)).success());
    kafka.stop().unwrap();
}
