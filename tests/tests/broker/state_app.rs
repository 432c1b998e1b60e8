//! A counting application in the test's process, with a state directory that outlives it.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use streams_core::store::StoreBuilder;
use streams_core::{KafkaStreams, State, StreamsConfig, Topology};
use streams_tests::counting::topology;
use streams_tests::killable::Restored;
use streams_tests::{Cluster, Expectation, Record};
use tempfile::TempDir;

pub(crate) const LIMIT: Duration = Duration::from_secs(60);
pub(crate) const PARTITIONS: i32 = 4;

/// Topics, an application id and a state directory, for one application after the other.
pub(crate) struct Counting {
    pub(crate) cluster: Cluster,
    pub(crate) id: String,
    pub(crate) input: String,
    pub(crate) output: String,
    pub(crate) folder: TempDir,
    /// How often each key has been sent.
    sent: usize,
    expected: Expectation,
}

const KEYS: usize = 50;

impl Counting {
    pub(crate) fn new() -> Self {
        let cluster = Cluster::shared();
        Self {
            id: cluster.unique("counting"),
            input: cluster.topic("in", PARTITIONS),
            output: cluster.topic("out", PARTITIONS),
            folder: tempfile::tempdir().unwrap(),
            sent: 0,
            expected: Expectation::default(),
            cluster,
        }
    }

    /// The changelog of the counts.
    pub(crate) fn changelog(&self) -> String {
        format!("{}-counts-changelog", self.id)
    }

    /// Where the application's state is.
    pub(crate) fn state(&self) -> std::path::PathBuf {
        self.folder.path().join(&self.id)
    }

    /// The settings of the application, with these over them.
    pub(crate) fn config(&self, folder: &Path, settings: &[(&str, &str)]) -> StreamsConfig {
        StreamsConfig::builder()
            .set("application.id", &self.id)
            .set("bootstrap.servers", self.cluster.bootstrap_servers())
            .set("state.dir", folder.display().to_string())
            .set("processing.guarantee", "exactly_once_v2")
            .set("session.timeout.ms", "6000")
            .set("heartbeat.interval.ms", "500")
            .set_all(settings.iter().copied())
            .build()
            .unwrap()
    }

    /// The application, not started, and what it restores.
    pub(crate) fn app_of(
        &self,
        topology: Topology,
        settings: &[(&str, &str)],
    ) -> (KafkaStreams, Restored) {
        let restored = Restored::default();
        let config = self.config(self.folder.path(), settings);
        let streams = KafkaStreams::new(topology, config).unwrap();
        (
            streams.with_state_restore_listener(restored.clone()),
            restored,
        )
    }

    /// As [`Self::app_of`], with the counts in this store.
    pub(crate) fn app(
        &self,
        store: StoreBuilder,
        settings: &[(&str, &str)],
    ) -> (KafkaStreams, Restored) {
        let topology = topology(&self.input, &self.output, store).unwrap();
        self.app_of(topology, settings)
    }

    /// Runs the application until it has counted `records` records more, and closes it; returns how
    /// many records it restored.
    pub(crate) fn run(
        &mut self,
        records: usize,
        store: StoreBuilder,
        settings: &[(&str, &str)],
    ) -> u64 {
        let (mut streams, restored) = self.app(store, settings);
        streams.start().unwrap();
        await_running(&streams);
        self.send(records);
        self.expected
            .assert_topic(&self.cluster, &self.output, LIMIT);
        assert!(streams.close(Duration::from_secs(5)));
        restored.records()
    }

    /// Sends records to be counted.
    pub(crate) fn send(&mut self, records: usize) {
        let numbers = self.sent..self.sent + records;
        let sent: Vec<Record> = numbers.clone().map(record).collect();
        for number in numbers {
            let (key, count) = key_and_count(number);
            self.expected.push(key, count);
        }
        self.sent += records;
        self.cluster.produce(&self.input, sent);
    }

    /// Sends records to be counted, of a key of a kilobyte each.
    pub(crate) fn send_long_keys(&mut self, records: usize) {
        let keys = (0..records).map(|number| format!("{number:01000}"));
        let sent = keys.enumerate().map(|(number, key)| {
            self.expected.push(&key, "1");
            Record::new(key, "x").partition(i32::try_from(number).unwrap() % PARTITIONS)
        });
        let sent: Vec<Record> = sent.collect();
        self.cluster.produce(&self.input, sent);
    }

    /// Waits until each count has come out once, in order.
    pub(crate) fn check(&self) {
        self.expected
            .assert_topic(&self.cluster, &self.output, LIMIT);
    }
}

/// A record to be counted; keys keep their partitions.
pub(crate) fn record(number: usize) -> Record {
    let key = number % KEYS;
    let record = Record::new(format!("key-{key}"), "x");
    record.partition(i32::try_from(key).unwrap() % PARTITIONS)
}

/// The key of a record, and what it is counted as.
pub(crate) fn key_and_count(number: usize) -> (String, String) {
    let (key, count) = (number % KEYS, number / KEYS + 1);
    (format!("key-{key}"), count.to_string())
}

pub(crate) fn await_running(streams: &KafkaStreams) {
    let state = streams.wait_for_state(State::Running, LIMIT);
    assert_eq!(state, State::Running, "{:?}", streams.error());
}

/// Starts an application that cannot run, and returns why.
pub(crate) fn refused(streams: &mut KafkaStreams) -> String {
    if let Err(error) = streams.start() {
        return error.to_string();
    }
    let state = streams.wait_for_state(State::Error, LIMIT);
    assert_eq!(state, State::Error);
    streams.error().unwrap().to_string()
}

/// The time, in milliseconds since the epoch.
pub(crate) fn now_ms() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(now.as_millis()).unwrap()
}
