//! Counts: by key, by key and minute, and in several stores that nobody writes to.

use std::time::Duration;

use streams_dsl::serde::{ByteSerde, Utf8};
use streams_dsl::{
    KGroupedStream, KeyValueStore, Materialized, Result, StreamsBuilder, TimeWindows, Topic,
    Topology, WindowStore,
};

type Bytes = Vec<u8>;

const COUNTS: KeyValueStore<String, i64> = KeyValueStore::named("counts");
const WINDOWED_COUNTS: WindowStore<String, i64> = WindowStore::named("counts");
const WINDOW: Duration = Duration::from_secs(60);
const IDLE_STORES: u32 = 3;

fn grouped(builder: &StreamsBuilder, input: &str) -> KGroupedStream<String, Bytes> {
    let input = Topic::<String, Bytes>::new(input, Utf8, ByteSerde);
    builder.stream(&input).group_by_key()
}

/// The workload `count`: the number of records of each key so far, as ASCII.
pub(super) fn count(input: &str, output: &str) -> Result<Topology> {
    let builder = StreamsBuilder::new();
    grouped(&builder, input)
        .count(Materialized::from(&COUNTS).without_caching())
        .to_stream()
        .map_values(|count| count.unwrap_or_default().to_string())
        .to(&Topic::new(output, Utf8, Utf8));
    builder.build()
}

/// The workload `windowed`: the same in tumbling windows of 60 s by the records' times, the key
/// followed by `@` and the window's beginning.
pub(super) fn windowed(input: &str, output: &str) -> Result<Topology> {
    let builder = StreamsBuilder::new();
    grouped(&builder, input)
        .windowed_by(TimeWindows::of_size_with_no_grace(WINDOW))
        .count(Materialized::from(&WINDOWED_COUNTS).without_caching())
        .to_stream()
        .map(|windowed, count| {
            let key = windowed.key + "@" + &windowed.window.start_ms.to_string();
            (key, count.unwrap_or_default().to_string())
        })
        .to(&Topic::new(output, Utf8, Utf8));
    builder.build()
}

/// The workload `idle`: three stores of counts, and nothing to count.
pub(super) fn idle(input: &str) -> Result<Topology> {
    let builder = StreamsBuilder::new();
    let events = builder.stream(&Topic::<String, Bytes>::new(input, Utf8, ByteSerde));
    for number in 1..=IDLE_STORES {
        let store = Materialized::named(format!("counts-{number}")).without_caching();
        events.clone().group_by_key().count(store);
    }
    builder.build()
}
