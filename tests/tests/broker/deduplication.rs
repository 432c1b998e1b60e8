//! Streams without their duplicates on a broker: what was seen outlives the process and its disk.

use std::fs;
use std::time::Duration;

use streams_core::Topology;
use streams_dsl::serde::Utf8;
use streams_dsl::{Deduplicated, StreamsBuilder, Topic};
use streams_tests::{Expectation, Record};

use crate::state_app::{Counting, LIMIT, await_running};

const INTERVAL: Duration = Duration::from_millis(100);

fn topology(input: &str, output: &str) -> Topology {
    let topic = |name: &str| Topic::<String, String>::new(name, Utf8, Utf8);
    let builder = StreamsBuilder::new();
    let stream = builder.stream(&topic(input));
    let once = Deduplicated::new().named("once");
    stream
        .deduplicate_by_key_with(INTERVAL, once)
        .to(&topic(output));
    builder.build().unwrap()
}

/// An application that is started again and again.
struct Deduplicating {
    app: Counting,
    guarantee: &'static str,
    expected: Expectation,
}

impl Deduplicating {
    /// Runs the application until what passes of these records has come out, the last of which
    /// does: key, time, and whether it passes. Returns how many records were restored.
    fn run(&mut self, records: &[(&str, i64, bool)]) -> u64 {
        let topology = topology(&self.app.input, &self.app.output);
        let settings = [("processing.guarantee", self.guarantee)];
        let (mut streams, restored) = self.app.app_of(topology, &settings);
        streams.start().unwrap();
        await_running(&streams);
        let sent = records.iter().map(|(key, timestamp_ms, passes)| {
            let value = timestamp_ms.to_string();
            if *passes {
                self.expected.push(*key, value.clone());
            }
            let record = Record::new(*key, value).partition(0);
            record.timestamp_ms(*timestamp_ms)
        });
        let sent: Vec<Record> = sent.collect();
        self.app.cluster.produce(&self.app.input, sent);
        let (cluster, output) = (&self.app.cluster, &self.app.output);
        self.expected.assert_topic(cluster, output, LIMIT);
        assert!(streams.close(Duration::from_secs(5)));
        restored.records()
    }
}

#[test]
fn duplicates_are_known_to_the_next_process_and_after_the_loss_of_the_disk() {
    for guarantee in ["exactly_once_v2", "at_least_once"] {
        let mut deduplicating = Deduplicating {
            app: Counting::new(),
            guarantee,
            expected: Expectation::default(),
        };
        let records = [
            ("a", 1_000, true),
            ("b", 1_000, true),
            ("a", 1_001, false),
            ("c", 1_050, true),
        ];
        assert_eq!(deduplicating.run(&records), 0);
        let records = [
            ("b", 1_060, false),
            ("a", 1_100, false),
            ("d", 1_100, true),
            // Not kept, but time moves on.
            ("d", 1_190, false),
            ("f", 1_100, true),
        ];
        assert_eq!(deduplicating.run(&records), 0);
        fs::remove_dir_all(deduplicating.app.state().join("0_0")).unwrap();
        let records = [
            // Forgotten at 1_190, which is known although no record of then is kept.
            ("a", 1_095, true),
            ("a", 1_096, false),
            ("d", 1_150, false),
            ("e", 1_190, true),
        ];
        assert_eq!(deduplicating.run(&records), 5);
    }
}
