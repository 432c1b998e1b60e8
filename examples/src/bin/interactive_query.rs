//! The best score of each player, asked while the program runs: in the process by the store's name,
//! and over HTTP, from whichever instance has it (`KafkaStreams.store`, `application.server`).
//!
//! ```console
//! $ cargo run -p examples --bin interactive_query -- 127.0.0.1:9092 &
//! $ curl http://127.0.0.1:8080/stores/best/keys/ada
//! ```

use std::thread;
use std::time::Duration;

use streams_core::observability::ShutdownSignal;
use streams_core::{QueryServer, StreamsQueries};
use streams_dsl::serde::{I64, Utf8};
use streams_dsl::{KafkaStreams, KeyValueStore, Result, StreamsBuilder};
use streams_dsl::{Topic, Topology, TopologyTestDriver};

/// Scores, by player.
fn scores() -> Topic<String, i64> {
    Topic::new("scores", Utf8, I64)
}

const BEST: KeyValueStore<String, i64> = KeyValueStore::named("best");

/// Where this instance answers, and the others find it.
const ADDRESS: &str = "127.0.0.1:8080";

fn topology() -> Result<Topology> {
    let builder = StreamsBuilder::new();
    let scores = builder.stream(&scores()).group_by_key();
    scores.reduce(i64::max, &BEST);
    builder.build()
}

/// Prints what is committed; a view cannot be had while the store's tasks are being restored.
fn print_best(queries: &StreamsQueries) -> Result<()> {
    for entry in queries.store(&BEST)?.all()? {
        let (player, score) = entry?;
        println!("{player}: {score}");
    }
    Ok(())
}

fn play(driver: &mut TopologyTestDriver) -> Result<()> {
    for (player, score) in [("ada", 7), ("bob", 4), ("ada", 5)] {
        driver.pipe(&scores(), &player.to_owned(), &score, 0)?;
    }
    for entry in driver.stores().timestamped_key_value(&BEST)?.all() {
        let (player, score) = entry?;
        println!("{player}: {}", score.value);
    }
    Ok(())
}

fn main() -> Result<()> {
    let Some(settings) = examples::settings("interactive-query")? else {
        return play(&mut TopologyTestDriver::new(&topology()?)?);
    };
    let config = settings.set("application.server", ADDRESS).build()?;
    let streams = KafkaStreams::new(topology()?, config)?;
    let shutdown = ShutdownSignal::install()?;
    let server = QueryServer::builder(streams.queries()).key_value(&BEST, Utf8);
    let _server = server.serve(ADDRESS)?;
    let (queries, stop) = (streams.queries(), shutdown.clone());
    thread::spawn(move || {
        while !stop.wait_for(Duration::from_secs(5)) {
            print_best(&queries).unwrap_or_else(|error| println!("{error}"));
        }
    });
    streams.run_until(&shutdown)
}

#[test]
fn the_best_score_stays() {
    let mut driver = TopologyTestDriver::new(&topology().unwrap()).unwrap();
    play(&mut driver).unwrap();
    let best = driver.stores().timestamped_key_value(&BEST).unwrap();
    let ada = best.get(&"ada".to_owned()).unwrap();
    assert_eq!(ada.map(|it| it.value), Some(7));
}
