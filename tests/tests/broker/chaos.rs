//! Processors that are killed, brokers that go away: afterwards every event is there once, and the
//! events of a key are in order.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::Value;
use streams_tests::{
    Cluster, DroppedMarkers, Expectation, Kafka, Message, Process, Record, wait_until,
};

const LIMIT: Duration = Duration::from_secs(120);
const KEYS: usize = 23;
const BATCH: usize = 20;
const OUTAGE_BATCH: usize = 2_000;
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

/// Writes numbered records until it is told to stop, and knows how many it has written.
pub(crate) struct Writer {
    stop: Sender<()>,
    written: Arc<AtomicUsize>,
    thread: JoinHandle<()>,
}

impl Writer {
    /// Has batches of records written, each by its numbers, from this number on.
    pub(crate) fn start(first: usize, write: impl Fn(Range<usize>) + Send + 'static) -> Self {
        let (stop, stopped) = channel();
        let written = Arc::new(AtomicUsize::new(first));
        let counter = Arc::clone(&written);
        let thread = thread::spawn(move || {
            while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(BETWEEN_BATCHES) {
                let first = counter.load(Ordering::Acquire);
                write(first..first + BATCH);
                counter.store(first + BATCH, Ordering::Release);
            }
        });
        Self {
            stop,
            written,
            thread,
        }
    }

    /// Writes events to a topic.
    fn of_events(cluster: &Cluster, topic: &str) -> Self {
        let topic = topic.to_owned();
        let cluster = Cluster::at(cluster.bootstrap_servers());
        Self::start(0, move |numbers| {
            cluster.produce(&topic, numbers.map(numbered))
        })
    }

    /// Waits until it has written so many records more.
    pub(crate) fn wait_for_more(&self, count: usize) {
        let goal = self.written.load(Ordering::Acquire) + count;
        let written = || (self.written.load(Ordering::Acquire) >= goal).then_some(());
        wait_until("more records to be written", LIMIT, written);
    }

    /// Stops it; returns the number after that of its last record.
    pub(crate) fn stop(self) -> usize {
        self.stop.send(()).unwrap();
        self.thread.join().unwrap();
        self.written.load(Ordering::Acquire)
    }
}

/// A numbered event; its key stays in its partition, whatever partitioner the writer has.
fn numbered(number: usize) -> Record {
    let key = number % KEYS;
    let record = Record::new(format!("user-{key}"), event(number));
    record.partition(i32::try_from(key).unwrap() % PARTITIONS)
}

/// What becomes of numbered events: the output and the dead letters.
fn expected(numbers: Range<usize>) -> (Expectation, Expectation) {
    let (mut good, mut bad) = (Expectation::default(), Expectation::default());
    for number in numbers {
        let side = if number % 10 == 9 {
            &mut bad
        } else {
            &mut good
        };
        side.push(format!("user-{}", number % KEYS), number.to_string());
    }
    (good, bad)
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
        let (good, bad) = expected(0..writer.stop());
        good.assert_topic_with(cluster, &self.output, LIMIT, key_and_number);
        bad.assert_topic_with(cluster, &self.dead, LIMIT, key_and_number);
    }
}

pub(crate) fn seeded() -> StdRng {
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
    let writer = Writer::of_events(&cluster, &topics.input);
    for kill in 0..24 {
        writer.wait_for_more(random.random_range(1..500));
        let member = &mut members[kill % 2];
        member.kill();
        if random.random_bool(0.2) {
            // Long enough for the other's next commits.
            writer.wait_for_more(random.random_range(1..300));
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
    let writer = Writer::of_events(&cluster, &topics.input);
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
    let writer = Writer::of_events(&cluster, &topics.input);
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
    let mut random = seeded();
    Kafka::through_outages(|kafka| three_outages(kafka, &mut random));
}

fn three_outages(kafka: &mut Kafka, random: &mut StdRng) -> Result<(), DroppedMarkers> {
    let cluster = Cluster::at(kafka.bootstrap_servers());
    let topics = Topics::create(&cluster);
    let group = cluster.unique("outage");
    let mut member = topics.processor(&cluster, &group, &[]);
    member.wait_for_line("READY", LIMIT);
    for outage in 0..3 {
        // The writer of this test knows nothing of brokers that go away, so it rests meanwhile.
        let batch = outage * OUTAGE_BATCH..(outage + 1) * OUTAGE_BATCH;
        let seen = cluster.read_committed(&topics.output).len();
        cluster.produce(&topics.input, batch.map(numbered));
        let goal = seen + random.random_range(0..OUTAGE_BATCH / 2);
        cluster.read_until(&topics.output, LIMIT, |messages| messages.len() >= goal);
        if outage % 2 == 0 {
            kafka.kill();
        } else {
            kafka.stop().unwrap();
        }
        kafka.restart_in_transactions()?;
    }
    let (good, bad) = expected(0..3 * OUTAGE_BATCH);
    good.assert_topic_with(&cluster, &topics.output, LIMIT, key_and_number);
    bad.assert_topic_with(&cluster, &topics.dead, LIMIT, key_and_number);
    assert!(member.terminate(Duration::from_secs(10)).success());
    Ok(())
}
