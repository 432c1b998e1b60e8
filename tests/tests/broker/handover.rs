//! An application handed over from the JVM to ours and back: the same program on the same
//! `application.id` goes on with its counts, windows, sessions and joins.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;
use std::time::Duration;

use streams_core::{KafkaStreams, State, StreamsConfig, Topology};
use streams_dsl::serde::{I64, Nullable, Utf8};
use streams_dsl::{
    JoinWindows, Materialized, SessionWindows, StreamJoined, StreamsBuilder, TimeWindows, Topic,
};
use streams_tests::{Cluster, Message, Process, Record};

use crate::state_app::now_ms;

const LIMIT: Duration = Duration::from_secs(120);
const HOUR: Duration = Duration::from_secs(3_600);

/// The twin of `tests/handover/Handover.java`.
fn topology(prefix: &str) -> Topology {
    let name = |stem: &str| format!("{prefix}{stem}");
    let text = |stem: &str| Topic::<String, String>::new(name(stem), Utf8, Utf8);
    let counts = |stem: &str| Topic::new(name(stem), Utf8, Nullable(I64));
    let builder = StreamsBuilder::new();
    let events = builder.stream(&text("events"));
    let clicks = builder.stream(&text("clicks"));
    let counted = events.clone().group_by_key();
    let counted = counted.count(Materialized::named("counts"));
    counted.to_stream().to(&counts("counts"));
    let minutes = TimeWindows::of_size_and_grace(Duration::from_secs(60), HOUR);
    let minutes = events.clone().group_by_key().windowed_by(minutes);
    let minutes = minutes.count(Materialized::named("per-minute"));
    let by_start =
        minutes.to_stream_with_key(|key, _| format!("{}@{}", key.key, key.window.start_ms));
    by_start.to(&counts("minutes"));
    let sessions = SessionWindows::of_inactivity_gap_and_grace(Duration::from_secs(30), HOUR);
    let sessions = events.clone().group_by_key().windowed_by(sessions);
    let sessions = sessions.count(Materialized::named("sessions"));
    let by_session = sessions.to_stream_with_key(|key, _| {
        let window = key.window;
        format!("{}@{}-{}", key.key, window.start_ms, window.end_ms)
    });
    by_session.to(&counts("sessions"));
    let first_letter = |_: &String, value: &String| value.chars().take(1).collect();
    let letters = events.clone().group_by(Utf8, first_letter);
    let letters = letters.reduce(
        |one, other| format!("{one},{other}"),
        Materialized::named("by-letter").with_value_serde(Utf8),
    );
    letters
        .to_stream()
        .to(&Topic::new(name("letters"), Utf8, Nullable(Utf8)));
    let profiles = builder.table_as(&text("profiles"), Materialized::named("profiles"));
    let joined = events.clone().left_join_table(&profiles, |event, profile| {
        format!("{event}/{}", profile.unwrap_or_else(|| "null".to_owned()))
    });
    joined.to(&text("joined"));
    let near = JoinWindows::of_time_difference_and_grace(Duration::from_secs(5), HOUR);
    let pairs = StreamJoined::new().with_store_name("pairs");
    let paired = events.join_with(clicks, near, pairs, |_, event, click| {
        format!("{event}+{click}")
    });
    paired.to(&text("paired"));
    builder.build().unwrap()
}

/// The last value of each key of a topic, as text; numbers are read as such.
fn last_values(cluster: &Cluster, topic: &str) -> BTreeMap<String, String> {
    let messages = cluster.read_settled(topic, LIMIT);
    let values = messages.iter().map(|message| {
        let bytes = message.value.as_deref().unwrap_or_default();
        let number = <[u8; 8]>::try_from(bytes)
            .ok()
            .filter(|bytes| bytes[0] == 0);
        let value = number.map_or_else(
            || message.value_text(),
            |bytes| i64::from_be_bytes(bytes).to_string(),
        );
        (message.key_text(), value)
    });
    values.collect()
}

/// A time of the input, in milliseconds since the epoch. It is not long ago: the broker deletes old
/// records, those of the changelogs of windows and sessions within seconds.
fn at(second: i64) -> i64 {
    static BEGIN_MS: LazyLock<i64> = LazyLock::new(now_ms);
    *BEGIN_MS + second * 1_000
}

/// One part of the input; each begins where the one before has ended, within the same windows.
fn send(cluster: &Cluster, prefix: &str, part: i64) {
    let at = |second: i64| at(part * 10 + second);
    let event = |key: &str, second: i64| {
        Record::new(key, format!("{}{part}-{second}", &key[..1])).timestamp_ms(at(second))
    };
    let profile = Record::new("ada", format!("profile-{part}")).timestamp_ms(at(0));
    cluster.produce(&format!("{prefix}profiles"), [profile]);
    let clicks = [("ada", 1), ("bob", 4)];
    let clicks = clicks
        .map(|(key, second)| Record::new(key, format!("click{part}")).timestamp_ms(at(second)));
    cluster.produce(&format!("{prefix}clicks"), clicks);
    let events = [event("ada", 2), event("bob", 3), event("ada", 5)];
    cluster.produce(&format!("{prefix}events"), events);
}

/// Waits until the counts say that all parts up to this one have been counted.
fn await_part(cluster: &Cluster, prefix: &str, part: i64) {
    let (ada, bob) = (((part + 1) * 2).to_string(), (part + 1).to_string());
    let topic = format!("{prefix}counts");
    streams_tests::wait_until(&format!("part {part} was counted"), LIMIT, || {
        let counts = last_values(cluster, &topic);
        let is_counted = counts.get("ada") == Some(&ada) && counts.get("bob") == Some(&bob);
        is_counted.then_some(())
    });
}

fn settings(cluster: &Cluster, id: &str, folder: &Path) -> Vec<(String, String)> {
    let settings = [
        ("application.id", id.to_owned()),
        ("bootstrap.servers", cluster.bootstrap_servers().to_owned()),
        ("state.dir", folder.display().to_string()),
        ("processing.guarantee", "exactly_once_v2".to_owned()),
        ("statestore.cache.max.bytes", "0".to_owned()),
        ("consumer.auto.offset.reset", "earliest".to_owned()),
    ];
    settings
        .map(|(key, value)| (key.to_owned(), value))
        .to_vec()
}

fn run_jvm(cluster: &Cluster, id: &str, prefix: &str, part: i64) {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("handover/Handover.java");
    let builder = Process::java(&source, "Handover");
    let settings = settings(cluster, id, &builder.folder().join("state"));
    let settings = settings
        .into_iter()
        .map(|(key, value)| format!("{key}={value}"));
    let mut jvm = builder.args([prefix]).args(settings).spawn();
    jvm.wait_for_line("READY", LIMIT);
    send(cluster, prefix, part);
    await_part(cluster, prefix, part);
    jvm.terminate(Duration::from_secs(30));
}

fn run_ours(cluster: &Cluster, id: &str, prefix: &str, part: i64) {
    let folder = tempfile::tempdir().unwrap();
    let config = StreamsConfig::from_map(settings(cluster, id, folder.path())).unwrap();
    let mut streams = KafkaStreams::new(topology(prefix), config).unwrap();
    streams.start().unwrap();
    let state = streams.wait_for_state(State::Running, LIMIT);
    assert_eq!(state, State::Running, "{:?}", streams.error());
    send(cluster, prefix, part);
    await_part(cluster, prefix, part);
    assert!(streams.close(Duration::from_secs(20)));
}

#[test]
fn application_goes_from_the_jvm_to_ours_and_back_with_its_state() {
    let cluster = Cluster::shared();
    let id = cluster.unique("handover");
    let prefix = format!("{id}-");
    for stem in [
        "events", "clicks", "profiles", "counts", "minutes", "sessions", "letters", "joined",
        "paired",
    ] {
        cluster.create_topic(&format!("{prefix}{stem}"), 2, &[]);
    }
    run_jvm(&cluster, &id, &prefix, 0);
    run_ours(&cluster, &id, &prefix, 1);
    run_jvm(&cluster, &id, &prefix, 2);
    let last = |stem: &str| last_values(&cluster, &format!("{prefix}{stem}"));
    let letters = last("letters");
    assert_eq!(letters["a"], "a0-2,a0-5,a1-2,a1-5,a2-2,a2-5");
    assert_eq!(letters["b"], "b0-3,b1-3,b2-3");
    let sessions = last("sessions");
    let session = |key: &str, first, last| &sessions[&format!("{key}@{}-{}", at(first), at(last))];
    assert_eq!(session("ada", 2, 25), "6");
    assert_eq!(session("bob", 3, 23), "3");
    assert_eq!(last("joined")["ada"], "a2-5/profile-2");
    assert_eq!(last("joined")["bob"], "b2-3/null");
    let minutes: i64 = last("minutes")
        .values()
        .map(|it| it.parse::<i64>().unwrap())
        .sum();
    assert_eq!(minutes, 9);
    let paired = cluster.read_settled(&format!("{prefix}paired"), LIMIT);
    let mut paired: Vec<String> = paired.iter().map(Message::value_text).collect();
    paired.sort();
    let expected = (0..3).flat_map(|part| {
        let pair = |event: &str, second| format!("{event}{part}-{second}+click{part}");
        [pair("a", 2), pair("a", 5), pair("b", 3)]
    });
    let mut expected: Vec<String> = expected.collect();
    expected.sort();
    assert_eq!(paired, expected);
}
