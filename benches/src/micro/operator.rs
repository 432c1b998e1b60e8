//! A record through a topology, without a broker.

use std::error::Error;
use std::hint::black_box;
use std::time::Duration;

use streams_dsl::serde::{I64, Utf8};
use streams_dsl::{
    Materialized, StreamsBuilder, TimeWindows, Topic, Topology, TopologyTestDriver, WindowStore,
};

use super::steps::Steps;
use crate::Result;

const COUNTS: WindowStore<String, i64> = WindowStore::named("counts");
const WINDOW: Duration = Duration::from_secs(60);
const KEYS: usize = 10_000;

fn numbers() -> Topic<String, i64> {
    Topic::new("numbers", Utf8, I64)
}

/// A chain of so many operators.
fn chain(hops: usize) -> Result<Topology> {
    let builder = StreamsBuilder::new();
    let mut stream = builder.stream(&numbers());
    for _ in 0..hops {
        stream = stream.map_values(|number| number.wrapping_add(1));
    }
    stream.for_each(|_, number| {
        black_box(number);
    });
    Ok(builder.build()?)
}

fn windowed() -> Result<Topology> {
    let builder = StreamsBuilder::new();
    let grouped = builder.stream(&numbers()).group_by_key();
    let windows = TimeWindows::of_size_with_no_grace(WINDOW);
    let store = Materialized::from(&COUNTS)
        .without_caching()
        .without_logging();
    let counts = grouped.windowed_by(windows).count(store);
    counts.to_stream().for_each(|_, count| {
        black_box(count);
    });
    Ok(builder.build()?)
}

/// Measures chains and a windowed count; each record is one commit of the driver's.
pub(super) fn measure(steps: &mut Steps) -> Result<()> {
    for hops in [0, 1, 6] {
        feed(steps, &format!("topology/{hops} hops"), &chain(hops)?)?;
    }
    feed(steps, "topology/windowed count", &windowed()?)
}

fn feed(steps: &mut Steps, name: &str, topology: &Topology) -> Result<()> {
    let mut driver = TopologyTestDriver::new(topology)?;
    let keys: Vec<String> = (0..KEYS).map(|number| format!("user-{number}")).collect();
    let topic = numbers();
    let mut timestamp_ms = 0;
    let mut keys = keys.iter().cycle();
    steps.step(name, || {
        timestamp_ms += 1;
        let key = keys.next().ok_or("there are no keys")?;
        let piped = driver.pipe(&topic, key, black_box(&7), timestamp_ms);
        piped.map_err(Box::<dyn Error>::from)
    })
}
