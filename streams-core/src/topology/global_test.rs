//! Global stores, against what the JVM says about the same program.

use std::sync::Arc;

use crate::processor::{Processor, ProcessorContext, ProcessorError, SinkTopic};
use crate::record::Record;
use crate::serde::{Nullable, Utf8};
use crate::store::{KeyValueStore, StoreBuilder, TaskTimestampedKeyValueStore};
use crate::testing::TopologyTestDriver;
use crate::topology::{Sink, Source};
use crate::{Topic, Topology, TopologyBuilder};

const USERS: KeyValueStore<String, String> = KeyValueStore::named("users");

type Store = TaskTimestampedKeyValueStore<String, String>;

/// Fills the store.
struct Fill(Store);

impl Processor<String, Option<String>, (), ()> for Fill {
    fn process(
        &mut self,
        _: &mut ProcessorContext<'_, (), ()>,
        record: Record<String, Option<String>>,
    ) -> Result<(), ProcessorError> {
        let Record { key, value, .. } = record;
        Ok(self.0.put(&key, value.as_ref(), record.timestamp_ms)?)
    }
}

/// Forwards what the store has for a record's value; writes to the store if the value is `write`.
struct Join(Store);

impl Processor<String, String, String, String> for Join {
    fn process(
        &mut self,
        context: &mut ProcessorContext<'_, String, String>,
        record: Record<String, String>,
    ) -> Result<(), ProcessorError> {
        if record.value == "write" {
            self.0.put(&record.value, Some(&record.key), 0)?;
        }
        let user = self.0.get(&record.value)?;
        let user = user.map_or("nobody".to_owned(), |user| user.value);
        context.forward(record.with_value(user));
        Ok(())
    }
}

fn source<V: 'static>(
    topic: &str,
    value: Arc<dyn crate::serde::Deserializer<V>>,
) -> Source<String, V> {
    Source::topics([topic], Arc::new(Utf8), value)
}

fn add_users(builder: &mut TopologyBuilder) {
    let store = StoreBuilder::timestamped_key_value("users", Arc::new(Utf8), Arc::new(Utf8));
    let users = source("users", Arc::new(Nullable(Utf8)));
    let fill =
        |stores: &crate::store::StoreAccess<'_>| Ok(Fill(stores.timestamped_key_value(&USERS)?));
    builder
        .add_global_store(store, "users-source", users, "users-fill", fill)
        .unwrap();
}

fn topology() -> Topology {
    let mut builder = TopologyBuilder::new();
    let clicks = builder
        .add_source("clicks-source", source("clicks", Arc::new(Utf8)))
        .unwrap();
    add_users(&mut builder);
    let join = builder
        .add_stateful_processor(
            "join",
            |stores| Ok(Join(stores.timestamped_key_value(&USERS)?)),
            &[clicks],
            &[],
        )
        .unwrap();
    let topic = SinkTopic::Fixed("out".into());
    let sink = Sink::new(topic, Arc::new(Utf8), Arc::new(Utf8));
    builder.add_sink("sink", sink, &[join]).unwrap();
    builder.build().unwrap()
}

/// `global-join.txt` of the conformance fixtures, with these names.
#[test]
fn global_store_is_described_as_a_sub_topology_without_tasks() {
    let expected = "Topologies:\n   Sub-topology: 0\n    Source: clicks-source (topics: [clicks])\n      --> join\n    Processor: join (stores: [])\n      --> sink\n      <-- clicks-source\n    Sink: sink (topic: out)\n      <-- join\n\n  Sub-topology: 1 for global store (will not generate tasks)\n    Source: users-source (topics: [users])\n      --> users-fill\n    Processor: users-fill (stores: [users])\n      --> none\n      <-- users-source\n";
    assert_eq!(topology().describe(), expected);
}

#[test]
fn processor_reads_a_global_store_to_which_it_is_not_connected() {
    let clicks = Topic::new("clicks", Utf8, Utf8);
    let users = Topic::new("users", Utf8, Nullable(Utf8));
    let out = Topic::new("out", Utf8, Utf8);
    let mut driver = TopologyTestDriver::new(&topology()).unwrap();
    let (key, ada) = (String::from("1"), String::from("ada"));
    driver.pipe(&clicks, &key, &ada, 0).unwrap();
    driver
        .pipe(&users, &ada, &Some(String::from("Ada")), 1)
        .unwrap();
    driver.pipe(&clicks, &key, &ada, 2).unwrap();
    driver.pipe(&users, &ada, &None, 3).unwrap();
    driver.pipe(&clicks, &key, &ada, 4).unwrap();
    let seen: Vec<String> = driver
        .read_all(&out)
        .into_iter()
        .map(|(_, user)| user)
        .collect();
    assert_eq!(seen, ["nobody", "Ada", "nobody"]);
    // Nothing is logged: the topic itself is what the store is restored from.
    assert_eq!(driver.written_topics(), ["out"]);
}

#[test]
fn processor_that_writes_to_a_global_store_fails() {
    let clicks = Topic::new("clicks", Utf8, Utf8);
    let mut driver = TopologyTestDriver::new(&topology()).unwrap();
    let write = String::from("write");
    let error = driver.pipe(&clicks, &write, &write, 0).unwrap_err();
    let error = error.to_string();
    assert!(
        error.contains("node=join") && error.contains("store=users is global"),
        "{error}"
    );
}

#[test]
fn processor_that_is_connected_to_a_global_store_is_refused() {
    let mut builder = TopologyBuilder::new();
    add_users(&mut builder);
    let clicks = builder
        .add_source("clicks-source", source("clicks", Arc::new(Utf8)))
        .unwrap();
    let stores: [Arc<str>; 1] = ["users".into()];
    builder
        .add_stateful_processor::<_, _, String, String, _>(
            "join",
            |stores| Ok(Join(stores.timestamped_key_value(&USERS)?)),
            &[clicks],
            &stores,
        )
        .unwrap();
    let error = builder.build().unwrap_err().to_string();
    assert!(
        error.contains("processor join is connected to the global store users"),
        "{error}"
    );
}
