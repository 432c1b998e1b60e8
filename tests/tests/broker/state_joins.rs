//! A joining application that is killed: what comes out and what its stores hold is what its input
//! says, and no store is rebuilt.

use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

use rand::Rng as _;
use streams_core::store::WindowStore;
use streams_core::{KafkaStreams, StreamsConfig};
use streams_tests::joining::{
    CLICKS, EVENTS, EVENTS_BY_KEY, JoiningTopics, PAIR_DIFFERENCE, PROFILES, topology,
};
use streams_tests::killable::Restored;
use streams_tests::{Cluster, Expectation, Message, Process, Record, wait_until};
use tempfile::TempDir;

use crate::chaos::{Writer, seeded};
use crate::state_app::{await_running, now_ms};

const LIMIT: Duration = Duration::from_secs(60);
const PARTITIONS: i32 = 4;
const KEYS: usize = 50;
const EVENT_INTERVAL_MS: i64 = 10;
/// So many events later a click is written: what it is joined with is in a store by then.
const CLICK_DELAY: usize = 200;
const CLICK_EVERY: usize = 3;
const PROFILE_EVERY: usize = 7;
/// So many events are there before anything is killed.
const BEFORE: usize = 3_000;

/// What is written: events by number, clicks on some of them, profiles that change all the time.
struct Input {
    cluster: Cluster,
    topics: JoiningTopics,
    begin_ms: i64,
}

/// The application's input, its id and its state.
struct Joining {
    cluster: Cluster,
    id: String,
    topics: JoiningTopics,
    begin_ms: i64,
    folder: TempDir,
}

fn key(number: usize) -> String {
    format!("key-{}", number % KEYS)
}

fn is_clicked(number: usize) -> bool {
    number.is_multiple_of(CLICK_EVERY)
}

/// One key in five has no profile.
fn has_profile(number: usize) -> bool {
    !(number % KEYS).is_multiple_of(5)
}

fn changes_profile(number: usize) -> bool {
    has_profile(number) && number.is_multiple_of(PROFILE_EVERY)
}

impl Input {
    fn record(&self, number: usize, value: String) -> Record {
        let time = i64::try_from(number).unwrap() * EVENT_INTERVAL_MS;
        Record::new(key(number), value).timestamp_ms(self.begin_ms + time)
    }

    /// The first profiles, which all events find.
    fn write_profiles(&self) {
        let numbers = (0..KEYS).filter(|number| has_profile(*number));
        let profiles = numbers.map(|number| {
            let record = Record::new(key(number), format!("profile of {}:0", key(number)));
            record.timestamp_ms(self.begin_ms - 1)
        });
        self.cluster.produce(&self.topics.profiles, profiles);
    }

    fn write(&self, numbers: std::ops::Range<usize>) {
        let profiles = numbers.clone().filter(|number| changes_profile(*number));
        let profiles = profiles
            .map(|number| self.record(number, format!("profile of {}:{number}", key(number))));
        self.cluster.produce(&self.topics.profiles, profiles);
        let events = numbers.clone();
        let events = events.map(|number| self.record(number, format!("event-{number}")));
        self.cluster.produce(&self.topics.events, events);
        let clicks = clicks_of(numbers.start)..clicks_of(numbers.end);
        let clicks = clicks.filter(|number| is_clicked(*number));
        let clicks = clicks.map(|number| self.record(number, format!("click-{number}")));
        self.cluster.produce(&self.topics.clicks, clicks);
    }
}

/// Events with lower numbers than this have had their clicks once so many events were written.
fn clicks_of(events: usize) -> usize {
    events.saturating_sub(CLICK_DELAY)
}

impl Joining {
    fn new() -> Self {
        let cluster = Cluster::shared();
        let id = cluster.unique("joining");
        let topics = JoiningTopics::new(&format!("{id}-"));
        for topic in topics.names() {
            cluster.create_topic(topic, PARTITIONS, &[]);
        }
        Self {
            cluster,
            id,
            topics,
            // A broker deletes records that are too old.
            begin_ms: now_ms(),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn input(&self) -> Input {
        Input {
            cluster: Cluster::at(self.cluster.bootstrap_servers()),
            topics: self.topics.clone(),
            begin_ms: self.begin_ms,
        }
    }

    fn settings(&self) -> Vec<(String, String)> {
        let settings = [
            ("application.id", self.id.as_str()),
            ("bootstrap.servers", self.cluster.bootstrap_servers()),
            ("state.dir", &self.folder.path().display().to_string()),
            ("processing.guarantee", "exactly_once_v2"),
            ("group.instance.id", "one"),
            ("session.timeout.ms", "6000"),
            ("heartbeat.interval.ms", "500"),
            // Most of the time a transaction is open that the broker knows of.
            ("commit.interval.ms", "300"),
            // Partitions pause and go on all the time, at their ends too.
            ("buffered.records.per.partition", "20"),
            ("producer.linger.ms", "1"),
            // Every count comes out.
            ("statestore.cache.max.bytes", "0"),
        ];
        settings
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .to_vec()
    }

    fn process(&self) -> Process {
        let builder = Process::workspace("joiner");
        let mut builder = builder.args(["--prefix", &format!("{}-", self.id)]);
        for (key, value) in self.settings() {
            builder = builder.args(["-X", &format!("{key}={value}")]);
        }
        builder.spawn()
    }

    fn changelog(&self, store: &str) -> String {
        format!("{}-{store}-changelog", self.id)
    }

    /// The ends of all changelog partitions, by `topic-partition`.
    fn changelog_ends(&self) -> BTreeMap<String, i64> {
        let changelogs = [
            self.changelog(EVENTS_BY_KEY.name()),
            self.changelog(PROFILES.name()),
            self.changelog(EVENTS.name()),
            self.changelog(CLICKS.name()),
        ];
        let ends_of = |changelog: &String| {
            let ends = self.cluster.end_offsets(changelog).into_iter();
            let ends = ends.map(|(partition, end)| (format!("{changelog}-{partition}"), end));
            ends.collect::<Vec<_>>()
        };
        // Each of them has a client of its own to wait for.
        thread::scope(|scope| {
            let ends_of = &ends_of;
            let ends = changelogs
                .each_ref()
                .map(|it| scope.spawn(move || ends_of(it)));
            ends.into_iter()
                .flat_map(|ends| ends.join().unwrap())
                .collect()
        })
    }

    fn read_offsets(&self, topic: &str) -> i64 {
        self.cluster.committed(&self.id, topic).values().sum()
    }

    /// Waits until the first profiles are in the table.
    fn await_profiles(&self) {
        let profiles = &self.topics.profiles;
        let all = self.cluster.end_offsets(profiles).values().sum();
        wait_until("the first profiles were read", LIMIT, || {
            (self.read_offsets(profiles) >= all).then_some(())
        });
    }

    /// Waits until more events are committed than now. The next transaction begins at once.
    fn await_commit(&self) {
        let before = self.read_offsets(&self.topics.events);
        wait_until("the application commits", LIMIT, || {
            (self.read_offsets(&self.topics.events) > before).then_some(())
        });
    }
}

/// The checks at the end.
impl Joining {
    /// What has come out is what had to, each record once.
    fn check_output(&self, events: usize) {
        let reference = Reference::of(events);
        let (cluster, topics) = (&self.cluster, &self.topics);
        let as_is = |message: &Message| (message.key_text(), message.value_text());
        // Which of two clicks at other times comes first is not said: pairs are a set.
        let by_value = |message: &Message| (message.value_text(), message.key_text());
        let Reference {
            looked_up,
            counted,
            paired,
            ..
        } = reference;
        counted.assert_topic_with(cluster, &topics.counted, LIMIT, as_is);
        looked_up.assert_topic_with(cluster, &topics.looked_up, LIMIT, without_version);
        paired.assert_topic_with(cluster, &topics.paired, LIMIT, by_value);
        check_versions(&cluster.read_committed(&topics.looked_up));
        // What a transaction that was killed has sent stays in the topic, and is not committed.
        let aborted = cluster.read_uncommitted(&topics.counted).len() - counted.len();
        println!("{aborted} counts were aborted");
        assert!(aborted > 0, "no kill has met an open transaction");
    }

    /// The stores of the application, which runs in this process now, hold what they must.
    fn check_stores(&self, events: usize) {
        let config = StreamsConfig::from_map(self.settings()).unwrap();
        let restored = Restored::default();
        let streams = KafkaStreams::new(topology(&self.topics).unwrap(), config).unwrap();
        let mut streams = streams.with_state_restore_listener(restored.clone());
        streams.start().unwrap();
        await_running(&streams);
        assert_eq!(restored.records(), 0);
        let Reference {
            profiles, counts, ..
        } = Reference::of(events);
        let found = streams.store(&EVENTS_BY_KEY).unwrap();
        let found: Result<_, _> = found.all().unwrap().collect();
        assert_eq!(found.map_err(|error| error.to_string()), Ok(counts));
        let found = streams.store(&PROFILES).unwrap();
        let found: Result<_, _> = found.all().unwrap().collect();
        assert_eq!(found.map_err(|error| error.to_string()), Ok(profiles));
        let kept = |store: &WindowStore<String, String>| {
            let found = streams.store(store).unwrap().all().unwrap();
            let found = found.map(|entry| {
                let (key, value) = entry.unwrap();
                (key.window.start_ms - self.begin_ms, key.key, value)
            });
            let mut found: Vec<_> = found.collect();
            found.sort();
            found
        };
        let all = |numbers: std::ops::Range<usize>, stem: &str| -> Vec<_> {
            let time = |number| i64::try_from(number).unwrap() * EVENT_INTERVAL_MS;
            let entry = |number| (time(number), key(number), format!("{stem}-{number}"));
            numbers.map(entry).collect()
        };
        assert_eq!(kept(&EVENTS), all(0..events, "event"));
        let mut clicks = all(0..clicks_of(events), "click");
        clicks = clicks.into_iter().step_by(CLICK_EVERY).collect();
        assert_eq!(kept(&CLICKS), clicks);
        assert!(streams.close(Duration::from_secs(5)));
    }
}

/// What so many events, their clicks and the profiles must have led to.
struct Reference {
    looked_up: Expectation,
    counted: Expectation,
    paired: Expectation,
    profiles: BTreeMap<String, String>,
    counts: BTreeMap<String, i64>,
}

impl Reference {
    fn of(events: usize) -> Self {
        let mut reference = Self {
            looked_up: Expectation::default(),
            counted: Expectation::default(),
            paired: Expectation::default(),
            profiles: BTreeMap::new(),
            counts: BTreeMap::new(),
        };
        for number in 0..events {
            let key = key(number);
            let count = reference.counts.entry(key.clone()).or_default();
            *count += 1;
            reference.counted.push(&key, count.to_string());
            if number < KEYS && has_profile(number) {
                let profile = format!("profile of {key}:0");
                reference.profiles.insert(key.clone(), profile);
            }
            if changes_profile(number) {
                let profile = format!("profile of {key}:{number}");
                reference.profiles.insert(key.clone(), profile);
            }
            let profile = match has_profile(number) {
                true => format!("profile of {key}"),
                false => "none".to_owned(),
            };
            reference
                .looked_up
                .push(key, format!("event-{number}/{profile}"));
        }
        reference.add_pairs(events);
        reference
    }

    /// Looks for the partners of each click among all events.
    fn add_pairs(&mut self, events: usize) {
        let far = i64::try_from(PAIR_DIFFERENCE.as_millis()).unwrap() / EVENT_INTERVAL_MS;
        let far = usize::try_from(far).unwrap();
        for click in (0..clicks_of(events)).filter(|number| is_clicked(*number)) {
            for event in (click % KEYS..events).step_by(KEYS) {
                if event.abs_diff(click) <= far {
                    self.paired
                        .push(format!("event-{event}+click-{click}"), key(click));
                }
            }
        }
    }
}

/// The key of a looked-up event, and the event with its profile, whichever version that was.
fn without_version(message: &Message) -> (String, String) {
    let value = message.value_text();
    let value = value.split_once(':').map_or(&*value, |(value, _)| value);
    (message.key_text(), value.to_owned())
}

/// No event may find an older profile than the one before it.
fn check_versions(messages: &[Message]) {
    let mut latest: BTreeMap<String, usize> = BTreeMap::new();
    for message in messages {
        let value = message.value_text();
        if let Some((_, version)) = value.split_once(':') {
            let version: usize = version.parse().unwrap();
            let latest = latest.entry(message.key_text()).or_default();
            assert!(
                *latest <= version,
                "{value}: there was version {latest} before"
            );
            *latest = version;
        }
    }
}

/// The records that a process has restored since its start, by changelog partition.
fn restored(process: &Process) -> BTreeMap<String, i64> {
    let mut restored = BTreeMap::new();
    let log = process.log();
    for line in log.lines().filter(|line| line.starts_with("BATCH ")) {
        let field = |name: &str| {
            let mut fields = line.split(' ');
            fields.find_map(|field| field.strip_prefix(name)).unwrap()
        };
        let records: i64 = field("records=").parse().unwrap();
        *restored.entry(field("partition=").to_owned()).or_default() += records;
    }
    restored
}

/// Adds up what each restart has restored, and knows what that may be at most.
#[derive(Default)]
struct Restores {
    /// The changelogs' ends when the application had run and was killed, the last two times, the
    /// older one first.
    killed: [BTreeMap<String, i64>; 2],
    /// What was restored since the last of them.
    records: BTreeMap<String, i64>,
    sum: i64,
}

impl Restores {
    /// The process has restored all that it will.
    fn add(&mut self, process: &Process) {
        for (partition, records) in restored(process) {
            *self.records.entry(partition).or_default() += records;
            self.sum += records;
        }
    }

    /// The application has run and was killed, and the changelogs end there. What was restored
    /// since it ran the last time must have come after it was killed before that: what was older
    /// was in the stores by then.
    fn check(&mut self, ends: BTreeMap<String, i64>) {
        let [before, last] = std::mem::replace(&mut self.killed, [BTreeMap::new(), ends]);
        for (partition, records) in std::mem::take(&mut self.records) {
            // At the first kill nothing was old.
            let most = self.killed[1][&partition] - before.get(&partition).unwrap_or(&0);
            assert!(
                records <= most,
                "{records} records of {partition} were restored, but {most} were new"
            );
        }
        self.killed[0] = last;
    }
}

#[test]
fn joins_of_an_application_killed_at_random_are_exact_and_never_rebuilt() {
    const KILLS: usize = 50;
    let mut random = seeded();
    let joining = Joining::new();
    let input = joining.input();
    input.write_profiles();
    let mut process = joining.process();
    process.wait_for_line("RUNNING restored=0", LIMIT);
    joining.await_profiles();
    input.write(0..BEFORE);
    let writer = Writer::start(BEFORE, move |numbers| input.write(numbers));
    let mut restores = Restores::default();
    for _ in 0..KILLS {
        // The others are killed somewhere in their start.
        let runs = random.random_bool(0.5);
        if runs {
            process.wait_for_line("RUNNING restored=", LIMIT);
            joining.await_commit();
        }
        writer.wait_for_more(random.random_range(1..80));
        process.kill();
        restores.add(&process);
        if runs {
            restores.check(joining.changelog_ends());
        }
        process.restart();
    }
    process.wait_for_line("RUNNING restored=", LIMIT);
    restores.add(&process);
    let events = writer.stop();
    restores.check(joining.changelog_ends());
    joining.check_output(events);
    assert!(process.terminate(Duration::from_secs(10)).success());
    println!("{} records of {events} events restored", restores.sum);
    joining.check_stores(events);
}
