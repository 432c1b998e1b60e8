//! Two instances of an application that answer queries: each knows which of them has a key, and
//! asks the other for what it has not.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};
use streams_core::{ErrorKind, HostInfo, KafkaStreams, QueryServer, StreamsConfig, Topology};
use streams_dsl::serde::Utf8;
use streams_dsl::{KeyValueStore, Materialized, StreamsBuilder, TimeWindows, Topic, WindowStore};
use streams_tests::{Cluster, Record, free_port, http_get, wait_until};
use tempfile::TempDir;

use crate::state_app::{LIMIT, await_running, now_ms};

/// Kept behind a repartition topic.
const BY_WORD: KeyValueStore<String, i64> = KeyValueStore::named("by-word");
/// Kept by the key of the input.
const PER_MINUTE: WindowStore<String, i64> = WindowStore::named("per-minute");
const PARTITIONS: i32 = 4;
const MINUTE: Duration = Duration::from_secs(60);
const MINUTE_MS: i64 = 60_000;

fn topology(input: &str) -> Topology {
    let builder = StreamsBuilder::new();
    let lines = builder.stream(&Topic::<String, String>::new(input.to_owned(), Utf8, Utf8));
    let words = lines.clone().group_by(Utf8, |_, word| word.clone());
    words.count(Materialized::named(BY_WORD.name()));
    let minutes = TimeWindows::of_size_and_grace(MINUTE, MINUTE * 60);
    let minutes = lines.group_by_key().windowed_by(minutes);
    minutes.count(Materialized::named(PER_MINUTE.name()));
    builder.build().unwrap()
}

/// An instance that answers queries over HTTP, with a state directory of its own.
struct Instance {
    streams: KafkaStreams,
    server: QueryServer,
    host: HostInfo,
    _folder: TempDir,
}

impl Instance {
    fn start(cluster: &Cluster, id: &str, input: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let host = HostInfo {
            host: "127.0.0.1".to_owned(),
            port: free_port(),
        };
        let config = StreamsConfig::builder()
            .set("application.id", id)
            .set("application.server", host.to_string())
            .set("bootstrap.servers", cluster.bootstrap_servers())
            .set("state.dir", folder.path().display().to_string())
            .set("processing.guarantee", "exactly_once_v2")
            .set("session.timeout.ms", "6000")
            .set("heartbeat.interval.ms", "500")
            .build()
            .unwrap();
        let mut streams = KafkaStreams::new(topology(input), config).unwrap();
        let server = QueryServer::builder(streams.queries())
            .key_value(&BY_WORD, Utf8)
            .window(&PER_MINUTE, Utf8)
            .serve(host.to_string())
            .unwrap();
        streams.start().unwrap();
        Self {
            streams,
            server,
            host,
            _folder: folder,
        }
    }

    /// Whether a partition of a store is here, with a value of the key.
    fn has(&self, store: &str, partition: i32, key: &String, begin_ms: i64) -> bool {
        let queries = self.streams.queries();
        let found = match store == BY_WORD.name() {
            true => queries
                .store_partition(&BY_WORD, partition)
                .and_then(|view| view.get(key)),
            false => queries
                .store_partition(&PER_MINUTE, partition)
                .and_then(|view| view.fetch(key, begin_ms)),
        };
        match found {
            Ok(found) => {
                assert!(found.is_some(), "{store} has no {key}");
                true
            }
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
                false
            }
        }
    }

    /// The status and the answer to a path; `None` while nobody answers.
    fn get(&self, path: &str) -> Option<(u16, Value)> {
        let (status, body) = http_get(self.server.address().port(), path)?;
        let answer = serde_json::from_str(&body);
        Some((
            status,
            answer.unwrap_or_else(|error| panic!("{path}: {error}: {body}")),
        ))
    }

    /// Waits until this instance knows that these have all partitions of a store, and how many each
    /// has.
    fn await_hosts(&self, store: &str, expected: &[(&HostInfo, usize)]) {
        let expected: BTreeMap<_, _> = expected.iter().copied().collect();
        let topic_part = |topic: &str| topic.ends_with("-repartition") == (store == BY_WORD.name());
        wait_until(
            &format!("{} knows who has {store}", self.host),
            LIMIT,
            || {
                let clients = self.streams.queries().metadata_for_store(store).ok()?;
                let known = clients.iter().map(|client| {
                    let partitions = client.partitions.iter();
                    let partitions = partitions.filter(|partition| topic_part(&partition.topic));
                    Some((client.host.as_ref()?, partitions.count()))
                });
                (known.collect::<Option<BTreeMap<_, _>>>()? == expected).then_some(())
            },
        );
    }

    /// Waits until the count of a word is that, whichever instance has it.
    fn await_count(&self, word: &str, count: i64) {
        let what = format!("{} answers `{word}` with {count}", self.host);
        wait_until(&what, LIMIT, || {
            let (status, answer) = self.get(&format!("/stores/by-word/keys/{}", encoded(word)))?;
            let is_right = answer["key"] == word && answer["value"] == count;
            (status == 200 && is_right).then_some(())
        });
    }
}

/// A key as it stands in a URL.
fn encoded(key: &str) -> String {
    key.replace(' ', "%20").replace('/', "%2F")
}

/// Words, and how often each of them is sent.
fn words() -> BTreeMap<String, i64> {
    let mut words: BTreeMap<String, i64> = (1..=30).map(|n| (format!("word-{n}"), n % 4)).collect();
    words.retain(|_, count| *count > 0);
    // Whichever instance has these, the other one has to pass them on.
    words.extend((1..=4).map(|n| (format!("a word/with {n}"), 2)));
    words
}

/// Sends the words by keys of their own, one a minute.
fn send(cluster: &Cluster, input: &str, begin_ms: i64) {
    let records = words().into_iter().flat_map(|(word, count)| {
        (0..count).map(move |nth| {
            let time = begin_ms + nth * MINUTE_MS;
            Record::new(format!("by {word}"), word.clone()).timestamp_ms(time)
        })
    });
    cluster.produce(input, records);
}

/// Both instances name the same one for each key of a store, and it is the one that has the key.
/// Returns the instances that have some of the keys.
fn check_metadata(
    both: [&Instance; 2],
    store: &str,
    keys: &[String],
    begin_ms: i64,
) -> BTreeSet<HostInfo> {
    let mut found = BTreeSet::new();
    for key in keys {
        let [first, second] = both.map(|instance| {
            let queries = instance.streams.queries();
            queries.query_metadata_for_key(store, key, &Utf8).unwrap()
        });
        assert_eq!(first, second, "{key}");
        let host = first.active_host.unwrap();
        for instance in both {
            let has_it = instance.has(store, first.partition, key, begin_ms);
            assert_eq!(has_it, instance.host == host, "{key} at {}", instance.host);
        }
        found.insert(host);
    }
    found
}

/// What an instance says of all words and of the windows of each of their keys.
fn check_answers(instance: &Instance, begin_ms: i64) {
    let words = words();
    for (word, count) in &words {
        instance.await_count(word, *count);
        let windows = (0..*count).map(|nth| {
            let start = begin_ms + nth * MINUTE_MS;
            let window = json!({"start": start, "end": start + MINUTE_MS});
            json!({"key": format!("by {word}"), "window": window, "value": 1})
        });
        let windows: Vec<Value> = windows.collect();
        let path = format!(
            "/stores/per-minute/windows/{}",
            encoded(&format!("by {word}"))
        );
        let all = json!({"entries": windows});
        wait_until(&format!("{} answers {path}", instance.host), LIMIT, || {
            (instance.get(&path)? == (200, all.clone())).then_some(())
        });
        // What stands behind the path is passed on, too.
        let first = json!({"entries": windows[..1]});
        let limited = format!("{path}?from={begin_ms}&to={begin_ms}");
        assert_eq!(instance.get(&limited), Some((200, first)), "{limited}");
    }
    for number in 0..8 {
        let path = format!("/stores/by-word/keys/unknown-{number}");
        assert_eq!(instance.get(&path).unwrap().0, 404, "{path}");
    }
    let entries = instance
        .get("/stores/by-word/entries?limit=1000")
        .unwrap()
        .1;
    let entries = entries["entries"].as_array().unwrap().iter();
    let entries = entries.map(|entry| {
        let (key, value) = (entry["key"].as_str(), entry["value"].as_i64());
        (key.unwrap().to_owned(), value.unwrap())
    });
    assert_eq!(entries.clone().count(), words.len());
    assert_eq!(entries.collect::<BTreeMap<_, _>>(), words);
}

#[test]
fn instances_answer_for_one_another_and_the_last_one_for_all() {
    let cluster = Cluster::shared();
    let (id, input) = (
        cluster.unique("queries"),
        cluster.topic("words", PARTITIONS),
    );
    // A broker deletes records that are too old.
    let begin_ms = now_ms() / MINUTE_MS * MINUTE_MS;
    let first = Instance::start(&cluster, &id, &input);
    await_running(&first.streams);
    let mut second = Instance::start(&cluster, &id, &input);
    let both = [&first, &second];
    for instance in both {
        for store in [BY_WORD.name(), PER_MINUTE.name()] {
            instance.await_hosts(store, &[(&first.host, 2), (&second.host, 2)]);
        }
        await_running(&instance.streams);
    }
    send(&cluster, &input, begin_ms);
    for instance in both {
        check_answers(instance, begin_ms);
    }
    let words: Vec<String> = words().into_keys().collect();
    let keys: Vec<String> = words.iter().map(|word| format!("by {word}")).collect();
    let hosts = BTreeSet::from([first.host.clone(), second.host.clone()]);
    for (store, keys) in [(BY_WORD.name(), &words), (PER_MINUTE.name(), &keys)] {
        let found = check_metadata(both, store, keys, begin_ms);
        assert_eq!(found, hosts, "{store}");
    }

    assert!(second.streams.close(Duration::from_secs(10)));
    drop(second.server);
    for (store, keys) in [(BY_WORD.name(), &words), (PER_MINUTE.name(), &keys)] {
        first.await_hosts(store, &[(&first.host, 4)]);
        let queries = first.streams.queries();
        for key in keys {
            let metadata = queries.query_metadata_for_key(store, key, &Utf8).unwrap();
            assert_eq!(metadata.active_host.as_ref(), Some(&first.host), "{key}");
        }
    }
    await_running(&first.streams);
    check_answers(&first, begin_ms);
    let Instance { mut streams, .. } = first;
    assert!(streams.close(Duration::from_secs(10)));
}
