//! A counting application on the Processor API: for tests of state, which run it in the test's
//! process or, as the program `counter`, in one to be killed.

use std::sync::Arc;

use streams_core::processor::{Processor, ProcessorContext, ProcessorError, SinkTopic};
use streams_core::serde::{I64, Utf8};
use streams_core::store::{KeyValueStore, StoreBuilder, TaskTimestampedKeyValueStore};
use streams_core::topology::{Sink, Source};
use streams_core::{Record, Result, Topology, TopologyBuilder};

/// How often each key has been seen.
pub const COUNTS: KeyValueStore<String, i64> = KeyValueStore::named("counts");

/// The store of the counts.
pub fn counts() -> StoreBuilder {
    StoreBuilder::timestamped_key_value(COUNTS.name(), Arc::new(Utf8), Arc::new(I64))
}

struct Count(TaskTimestampedKeyValueStore<String, i64>);

impl Processor<String, String, String, String> for Count {
    fn process(
        &mut self,
        context: &mut ProcessorContext<'_, String, String>,
        record: Record<String, String>,
    ) -> Result<(), ProcessorError> {
        let before = self.0.get(&record.key)?;
        let count = before.map_or(0, |before| before.value) + 1;
        self.0.put(&record.key, Some(&count), record.timestamp_ms)?;
        context.forward(record.with_value(count.to_string()));
        Ok(())
    }
}

/// Counts the records of `input` by key in `store`, and sends each count to `output`.
///
/// # Errors
/// If the names are not usable.
pub fn topology(input: &str, output: &str, store: StoreBuilder) -> Result<Topology> {
    let mut builder = TopologyBuilder::new();
    let source = Source::topics([input], Arc::new(Utf8), Arc::new(Utf8));
    let source = builder.add_source("source", source)?;
    let stores = [Arc::clone(store.name())];
    builder.add_state_store(store)?;
    let count = builder.add_stateful_processor(
        "count",
        |stores| Ok(Count(stores.timestamped_key_value(&COUNTS)?)),
        &[source],
        &stores,
    )?;
    let topic = SinkTopic::Fixed(output.into());
    let sink = Sink::new(topic, Arc::new(Utf8), Arc::new(Utf8));
    builder.add_sink("sink", sink, &[count])?;
    builder.build()
}
