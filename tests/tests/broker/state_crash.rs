//! Applications with state that are killed: what comes out is exact, and what a restart restores is
//! what was committed to Kafka and not yet to the store.

use std::path::Path;
use std::time::Duration;

use rand::Rng as _;
use streams_core::store::StoreType;
use streams_tests::counting::{COUNTS, counts};
use streams_tests::{Process, ProcessBuilder, Record, wait_until, workspace_binary};

use crate::chaos::seeded;
use crate::state_app::{Counting, LIMIT, await_running};

impl Counting {
    /// The application as a process of its own.
    fn process(&self, settings: &[&str]) -> Process {
        self.process_of(Process::workspace("counter"), settings)
    }

    fn process_of(&self, builder: ProcessBuilder, settings: &[&str]) -> Process {
        let mut builder = builder
            .args(["--input", &self.input, "--output", &self.output])
            .args(["-X", &format!("application.id={}", self.id)])
            .args([
                "-X",
                &format!("bootstrap.servers={}", self.cluster.bootstrap_servers()),
            ])
            .args(["-X", &format!("state.dir={}", self.folder.path().display())])
            .args(["-X", "processing.guarantee=exactly_once_v2"])
            .args(["-X", "session.timeout.ms=6000"])
            .args(["-X", "heartbeat.interval.ms=500"]);
        for setting in settings {
            builder = builder.args(["-X", setting]);
        }
        builder.spawn()
    }
}

/// The same member after a restart, so that none waits for the session to end.
const SAME_MEMBER: &str = "group.instance.id=one";

/// The records that a process has restored until all its tasks ran.
fn restored(process: &mut Process) -> u64 {
    let line = process.wait_for_line("RUNNING restored=", LIMIT);
    let (_, records) = line.split_once("restored=").unwrap();
    records.trim().parse().unwrap()
}

#[test]
fn counts_of_an_application_killed_at_random_are_exact_and_never_rebuilt() {
    const KILLS: usize = 50;
    const BATCH_MAX: usize = 400;
    let mut random = seeded();
    let mut counting = Counting::new();
    let mut process = counting.process(&["commit.interval.ms=50", SAME_MEMBER]);
    assert_eq!(restored(&mut process), 0);
    counting.send(5_000);
    counting.check();
    let mut most = 0;
    for _ in 0..KILLS {
        let records = random.random_range(1..BATCH_MAX);
        let seen = counting.cluster.read_uncommitted(&counting.output).len();
        counting.send(records);
        // Anywhere between taking them and having committed them.
        let goal = seen + random.random_range(0..records.min(20));
        wait_until("some of the records were counted", LIMIT, || {
            let now = counting.cluster.read_uncommitted(&counting.output).len();
            (now >= goal).then_some(())
        });
        process.kill();
        process.restart();
        most = most.max(restored(&mut process));
    }
    counting.check();
    assert!(process.terminate(Duration::from_secs(10)).success());
    let changes = counting.cluster.read_committed(&counting.changelog()).len();
    println!("restored at most {most} of {changes} records");
    assert!(
        most <= BATCH_MAX as u64,
        "{most} of {changes} records restored"
    );

    // What is in the store is what has come out.
    let (mut streams, restored) = counting.app(counts(), &[]);
    streams.start().unwrap();
    await_running(&streams);
    assert_eq!(restored.records(), 0);
    let view = streams.store(&COUNTS).unwrap();
    let entries: Vec<_> = view.all().unwrap().collect::<Result<_, _>>().unwrap();
    assert_eq!(entries.len(), 50);
    for (key, count) in entries {
        let last = counting.cluster.read_committed(&counting.output);
        let last = last.iter().rfind(|message| message.key_text() == key);
        assert_eq!(last.unwrap().value_text(), count.to_string(), "{key}");
    }
    assert!(streams.close(Duration::from_secs(5)));
}

/// Tasks go to the other member, which has nothing or something old of them on its disk.
#[test]
fn counts_of_killed_members_are_exact_with_whoever_takes_over() {
    let mut random = seeded();
    let mut counting = Counting::new();
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let mut members: Vec<Process> = folders
        .iter()
        .map(|folder| {
            let folder = format!("state.dir={}", folder.path().display());
            counting.process(&["commit.interval.ms=50", &folder])
        })
        .collect();
    for member in &mut members {
        restored(member);
    }
    for kill in 0..8 {
        for _ in 0..random.random_range(1..10) {
            counting.send(random.random_range(1..300));
        }
        if random.random_bool(0.5) {
            counting.check();
        }
        let member = &mut members[kill % 2];
        member.kill();
        counting.send(random.random_range(1..300));
        if random.random_bool(0.5) {
            // Until the other one has them all.
            counting.check();
        }
        member.restart();
        if random.random_bool(0.5) {
            restored(member);
        }
    }
    counting.check();
    for mut member in members {
        assert!(member.terminate(Duration::from_secs(10)).success());
    }
}

const CHANGES: usize = 400_000;

/// A changelog of this many keys, whose application is to be run for the first time.
fn with_changelog() -> Counting {
    let counting = Counting::new();
    let configs = [("cleanup.policy", "compact")];
    let changelog = counting.changelog();
    counting
        .cluster
        .create_topic(&changelog, crate::state_app::PARTITIONS, &configs);
    let changes = (0..CHANGES).map(|number| {
        let change = Record::new(format!("other-{number}"), 7_i64.to_be_bytes());
        change.partition(i32::try_from(number).unwrap() % crate::state_app::PARTITIONS)
    });
    counting.cluster.produce(&changelog, changes);
    counting
}

#[test]
fn restore_that_was_killed_goes_on_where_it_was() {
    let counting = with_changelog();
    let mut process = counting.process(&[SAME_MEMBER]);
    process.wait_for_line("BATCH ", LIMIT);
    process.kill();
    let batches = process.log();
    let before: u64 = batches
        .lines()
        .filter_map(|line| line.rsplit_once("records=")?.1.parse::<u64>().ok())
        .sum();
    assert!(!batches.contains("RUNNING"), "it was not killed in time");
    process.restart();
    let after = restored(&mut process);
    println!("{before} records before the kill, {after} after it");
    assert!(before > 0 && after > 0);
    assert!(after <= CHANGES as u64 - before);
    assert!(process.terminate(Duration::from_secs(10)).success());

    let (mut streams, restored) = counting.app(counts(), &[]);
    streams.start().unwrap();
    await_running(&streams);
    assert_eq!(restored.records(), 0);
    let view = streams.store(&COUNTS).unwrap();
    assert_eq!(view.all().unwrap().count(), CHANGES);
    assert!(streams.close(Duration::from_secs(5)));
}

#[test]
fn application_runs_when_everything_is_restored_and_not_before() {
    let counting = with_changelog();
    let store = counts().with_store_type(StoreType::InMemory);
    let (mut streams, restored) = counting.app(store, &[]);
    streams.start().unwrap();
    let begun = std::time::Instant::now();
    await_running(&streams);
    println!(
        "{CHANGES} records restored to memory within {:?}",
        begun.elapsed()
    );
    assert_eq!(restored.records(), CHANGES as u64);
    assert!(streams.close(Duration::from_secs(5)));
}

/// A file that may not grow any more fails as one on a full disk does.
#[test]
fn full_disk_ends_the_application_with_the_place_and_loses_nothing() {
    let mut counting = Counting::new();
    let counter = workspace_binary("counter").unwrap();
    let script = "trap '' XFSZ; ulimit -f 100; exec \"$0\" \"$@\"";
    let shell = Process::program(Path::new("/bin/sh"))
        .args(["-c", script])
        .args([counter]);
    let mut process = counting.process_of(shell, &[SAME_MEMBER]);
    process.wait_for_line("RUNNING restored=0", LIMIT);
    counting.send(100);
    counting.check();
    counting.send_long_keys(200);
    assert!(!process.wait(LIMIT).success());
    let log = process.log();
    let error = log.lines().find(|line| line.starts_with("error: "));
    let error = error.unwrap_or_else(|| panic!("no error in {log}"));
    let path = counting.state().join("0_").display().to_string();
    assert!(
        error.contains("task=0_") && error.contains(&path) && error.contains("too large"),
        "{error}"
    );
    drop(process);

    let mut process = counting.process(&[SAME_MEMBER]);
    restored(&mut process);
    counting.check();
    assert!(process.terminate(Duration::from_secs(10)).success());
}
