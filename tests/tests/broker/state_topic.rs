//! Stores that are filled from users' topics: global ones, and tables whose source topic stands for
//! their changelog.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use streams_core::processor::{Processor, ProcessorContext, ProcessorError, SinkTopic};
use streams_core::serde::{Nullable, Utf8};
use streams_core::store::{
    KeyValueStore, StoreAccess, StoreBuilder, StoreType, TaskTimestampedKeyValueStore,
};
use streams_core::topology::{Sink, Source};
use streams_core::{Topology, TopologyBuilder};
use streams_tests::{Record, wait_until};

use crate::state_app::{Counting, LIMIT, await_running};

const USERS: KeyValueStore<String, String> = KeyValueStore::named("users");

type Users = TaskTimestampedKeyValueStore<String, String>;

fn users(store_type: StoreType) -> StoreBuilder {
    let store = StoreBuilder::timestamped_key_value(USERS.name(), Arc::new(Utf8), Arc::new(Utf8));
    store.with_store_type(store_type)
}

/// Keeps the newest value of each key.
struct Fill(Users);

impl Processor<String, Option<String>, (), ()> for Fill {
    fn process(
        &mut self,
        _: &mut ProcessorContext<'_, (), ()>,
        record: streams_core::Record<String, Option<String>>,
    ) -> Result<(), ProcessorError> {
        let (key, value) = (&record.key, record.value.as_ref());
        Ok(self.0.put(key, value, record.timestamp_ms)?)
    }
}

fn fill(stores: &StoreAccess<'_>) -> streams_core::Result<Fill> {
    Ok(Fill(stores.timestamped_key_value(&USERS)?))
}

/// Forwards the user that a value names.
struct Join(Users);

impl Processor<String, String, String, String> for Join {
    fn process(
        &mut self,
        context: &mut ProcessorContext<'_, String, String>,
        record: streams_core::Record<String, String>,
    ) -> Result<(), ProcessorError> {
        let user = self.0.get(&record.value)?;
        let user = user.map_or("nobody".to_owned(), |user| user.value);
        context.forward(record.with_value(user));
        Ok(())
    }
}

fn users_source(topic: &str) -> Source<String, Option<String>> {
    Source::topics([topic], Arc::new(Utf8), Arc::new(Nullable(Utf8)))
}

fn global_join(counting: &Counting, topic: &str, store_type: StoreType) -> Topology {
    let mut builder = TopologyBuilder::new();
    let source = Source::topics([counting.input.as_str()], Arc::new(Utf8), Arc::new(Utf8));
    let source = builder.add_source("source", source).unwrap();
    builder
        .add_global_store(
            users(store_type),
            "users",
            users_source(topic),
            "fill",
            fill,
        )
        .unwrap();
    let join = builder
        .add_stateful_processor(
            "join",
            |stores| Ok(Join(stores.timestamped_key_value(&USERS)?)),
            &[source],
            &[],
        )
        .unwrap();
    let topic = SinkTopic::Fixed(counting.output.as_str().into());
    let sink = Sink::new(topic, Arc::new(Utf8), Arc::new(Utf8));
    builder.add_sink("sink", sink, &[join]).unwrap();
    builder.build().unwrap()
}

fn user(number: usize) -> Record {
    Record::new(format!("user-{number}"), format!("name-{number}"))
}

#[test]
fn global_store_is_full_before_the_first_record_and_is_kept_up_to_date() {
    for store_type in [StoreType::RocksDb, StoreType::InMemory] {
        let counting = Counting::new();
        let topic = counting.cluster.topic("users", 3);
        counting.cluster.produce(&topic, (0..3_000).map(user));
        let clicks = |users: std::ops::Range<usize>| {
            let clicks = users.map(|number| Record::new("click", format!("user-{number}")));
            counting.cluster.produce(&counting.input, clicks);
        };
        clicks(0..3_000);
        let mut seen = 3_000;
        let names = |count: usize| {
            let messages = counting.cluster.read_count(&counting.output, count, LIMIT);
            let names = messages.iter().map(streams_tests::Message::value_text);
            names.collect::<Vec<_>>()
        };
        // The second round finds what the first has left on disk.
        for round in 0..2 {
            let topology = global_join(&counting, &topic, store_type);
            let (mut streams, _) = counting.app_of(topology, &[]);
            streams.start().unwrap();
            await_running(&streams);
            assert!(!names(seen).contains(&"nobody".to_owned()));

            let fresh = 3_000 + round;
            counting.cluster.produce(&topic, [user(fresh)]);
            let view = streams.store(&USERS).unwrap();
            let key = format!("user-{fresh}");
            wait_until("the new user was there", LIMIT, || view.get(&key).unwrap());
            clicks(fresh..fresh + 1);
            seen += 1;
            assert_eq!(names(seen).last().unwrap(), &format!("name-{fresh}"));
            assert!(streams.close(Duration::from_secs(5)));
        }
        let on_disk = counting.state().join("global/rocksdb").exists();
        assert_eq!(on_disk, store_type == StoreType::RocksDb);
    }
}

#[test]
fn application_of_global_stores_alone_runs() {
    let counting = Counting::new();
    let topic = counting.cluster.topic("users", 3);
    counting.cluster.produce(&topic, (0..100).map(user));
    let mut builder = TopologyBuilder::new();
    builder
        .add_global_store(
            users(StoreType::RocksDb),
            "users",
            users_source(&topic),
            "fill",
            fill,
        )
        .unwrap();
    let (mut streams, _) = counting.app_of(builder.build().unwrap(), &[]);
    streams.start().unwrap();
    await_running(&streams);
    let view = streams.store(&USERS).unwrap();
    assert_eq!(view.all().unwrap().count(), 100);
    assert!(streams.close(Duration::from_secs(5)));
}

#[test]
fn store_of_a_source_topic_is_restored_from_it_as_far_as_it_was_processed() {
    let counting = Counting::new();
    let table = || {
        let mut builder = TopologyBuilder::new();
        let source = builder
            .add_source("users", users_source(&counting.input))
            .unwrap();
        let store = users(StoreType::RocksDb).with_source_topic(counting.input.as_str());
        builder.add_state_store(store).unwrap();
        builder
            .add_stateful_processor::<_, _, (), (), _>(
                "fill",
                fill,
                &[source],
                &[USERS.name().into()],
            )
            .unwrap();
        counting.app_of(builder.build().unwrap(), &[])
    };
    counting
        .cluster
        .produce(&counting.input, (0..500).map(user));
    let await_users = |streams: &streams_core::KafkaStreams, count: usize| {
        wait_until("the table was full", LIMIT, || {
            let view = streams.store(&USERS).ok()?;
            (view.all().unwrap().count() == count).then_some(())
        });
    };
    let (mut streams, restored) = table();
    streams.start().unwrap();
    await_users(&streams, 500);
    assert!(streams.close(Duration::from_secs(5)));
    assert_eq!(restored.records(), 0);

    counting
        .cluster
        .produce(&counting.input, (500..700).map(user));
    fs::remove_dir_all(counting.state()).unwrap();
    let (mut streams, restored) = table();
    streams.start().unwrap();
    await_users(&streams, 700);
    assert!(streams.close(Duration::from_secs(5)));
    // The rest has come through the processor.
    assert_eq!(restored.records(), 500);
    let changelog = format!("{}-users-changelog", counting.id);
    assert!(!counting.cluster.topics().contains(&changelog));

    let (mut streams, restored) = table();
    streams.start().unwrap();
    await_users(&streams, 700);
    assert_eq!(restored.records(), 0);
    assert!(streams.close(Duration::from_secs(5)));
}
