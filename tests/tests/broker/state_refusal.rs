//! State that cannot be used: each time an error that says what, of which store and task, and
//! where; and nothing is deleted.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use streams_core::KafkaStreams;
use streams_core::processor::{Processor, ProcessorContext, ProcessorError};
use streams_core::serde::{I64, Utf8};
use streams_core::store::{StoreBuilder, WindowStoreSettings};
use streams_core::topology::Source;
use streams_core::{Topology, TopologyBuilder};
use streams_tests::Record;
use streams_tests::counting::{counts, topology};

use crate::state_app::{Counting, await_running, refused};

/// Asserts that a text contains each of these.
#[track_caller]
fn assert_says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "no `{part}` in: {text}");
    }
}

#[test]
fn directory_that_another_process_uses_is_refused() {
    let counting = Counting::new();
    let (mut first, _) = counting.app(counts(), &[]);
    first.start().unwrap();
    await_running(&first);
    let (mut second, _) = counting.app(counts(), &[]);
    let path = counting.state().display().to_string();
    assert_says(&refused(&mut second), &["locked by another process", &path]);
    let error = second.clean_up().unwrap_err().to_string();
    assert_says(&error, &["locked by another process", &path]);
    assert!(first.close(Duration::from_secs(5)));
}

#[test]
fn state_of_another_application_is_refused() {
    let mut counting = Counting::new();
    counting.run(1_000, counts(), &[]);
    let old = std::mem::replace(&mut counting.id, counting.cluster.unique("other"));
    let moved = counting.state();
    fs::rename(counting.folder.path().join(&old), &moved).unwrap();
    let (mut streams, _) = counting.app(counts(), &[]);
    let error = refused(&mut streams);
    let path = moved.join("0_").display().to_string();
    assert_says(&error, &["another application", &old, &counting.id, &path]);
    assert!(moved.join("0_0/rocksdb/CURRENT").exists());
}

type Damage = fn(&std::path::Path);

#[test]
fn damaged_state_is_refused_and_rebuilt_when_it_is_told_to() {
    let damages: [(&str, Damage); 3] = [
        ("CURRENT", |file| fs::write(file, "nonsense").unwrap()),
        ("MANIFEST", |file| fs::remove_file(file).unwrap()),
        ("CURRENT", |file| fs::remove_file(file).unwrap()),
    ];
    for (name, damage) in damages {
        let mut counting = Counting::new();
        counting.run(1_000, counts(), &[]);
        let folder = counting.state().join("0_2/rocksdb");
        let files = fs::read_dir(&folder).unwrap();
        let mut files = files.map(|file| file.unwrap().path());
        let file = files.find(|file| {
            file.file_name()
                .unwrap()
                .to_string_lossy()
                .starts_with(name)
        });
        damage(&file.unwrap());

        let (mut streams, _) = counting.app(counts(), &[]);
        let path = folder.display().to_string();
        assert_says(
            &refused(&mut streams),
            &["damaged", "task=0_2", &path, "clean_up"],
        );
        assert!(folder.exists());
        streams.clean_up().unwrap();
        drop(streams);
        assert!(!folder.exists());
        assert_eq!(counting.run(1_000, counts(), &[]), 1_000);
    }
}

#[test]
fn directory_that_cannot_be_written_is_refused() {
    let counting = Counting::new();
    let folder = counting.folder.path().join("file");
    fs::write(&folder, "").unwrap();
    for folder in [folder, "/proc/no-such-directory".into()] {
        let topology = topology(&counting.input, &counting.output, counts()).unwrap();
        let config = counting.config(&folder, &[]);
        let mut streams = KafkaStreams::new(topology, config).unwrap();
        let path = folder.display().to_string();
        assert_says(&refused(&mut streams), &["state.dir", &path]);
    }
}

#[test]
fn changelog_of_another_number_of_partitions_is_refused() {
    let counting = Counting::new();
    let changelog = counting.changelog();
    counting.cluster.create_topic(&changelog, 3, &[]);
    let (mut streams, _) = counting.app(counts(), &[]);
    let error = refused(&mut streams);
    assert_says(&error, &[&changelog, "has 3 partitions", "should have 4"]);
}

#[test]
fn changelog_that_was_made_anew_is_refused() {
    let mut counting = Counting::new();
    counting.run(1_000, counts(), &[]);
    counting.cluster.delete_topic(&counting.changelog());
    let (mut streams, _) = counting.app(counts(), &[]);
    let error = refused(&mut streams);
    assert_says(
        &error,
        &["store=counts", "task=0_", "made anew", "clean_up"],
    );
}

struct Nothing;

impl Processor<String, String, (), ()> for Nothing {
    fn process(
        &mut self,
        _: &mut ProcessorContext<'_, (), ()>,
        _: streams_core::Record<String, String>,
    ) -> Result<(), ProcessorError> {
        Ok(())
    }
}

/// Reads these topics in one sub-topology, with this store.
fn reader(topics: &[&str], store: StoreBuilder) -> Topology {
    let mut builder = TopologyBuilder::new();
    let names: Vec<Arc<str>> = topics.iter().map(|topic| (*topic).into()).collect();
    let sources: Vec<_> = names
        .iter()
        .map(|topic| {
            let source = Source::topics([Arc::clone(topic)], Arc::new(Utf8), Arc::new(Utf8));
            builder.add_source(topic, source).unwrap()
        })
        .collect();
    builder.copartition_sources(&names);
    let stores = [Arc::clone(store.name())];
    builder.add_state_store(store).unwrap();
    builder
        .add_stateful_processor::<_, _, (), (), _>("end", |_| Ok(Nothing), &sources, &stores)
        .unwrap();
    builder.build().unwrap()
}

#[test]
fn joined_topics_of_unlike_partitions_are_refused_with_their_numbers() {
    let counting = Counting::new();
    let other = counting.cluster.topic("other", 3);
    let topology = reader(&[&counting.input, &other], counts());
    let (mut streams, _) = counting.app_of(topology, &[]);
    let (one, two) = (
        format!("{} has 4", counting.input),
        format!("{other} has 3"),
    );
    assert_says(&refused(&mut streams), &[&one, &two]);
}

#[test]
fn changelog_record_that_no_such_store_has_written_is_refused_with_its_place() {
    let counting = Counting::new();
    let settings = WindowStoreSettings::new(60_000, 1_000);
    let store = StoreBuilder::window("counts", Arc::new(Utf8), Arc::new(I64), settings);
    let changelog = counting.changelog();
    counting.cluster.create_topic(&changelog, 4, &[]);
    let change = Record::new("key", "value").partition(3);
    let good = Record::new("a-key-that-is-long-enough", "value").partition(3);
    counting.cluster.produce(&changelog, [good, change]);
    let (mut streams, _) = counting.app_of(reader(&[&counting.input], store), &[]);
    let place = format!("{changelog}-3 offset=1");
    assert_says(
        &refused(&mut streams),
        &["store=counts", "task=0_3", &place, "key of 3 bytes"],
    );
}
