//! Words counted: a stream grouped by a new key becomes a table that is kept in a store, sent to a
//! topic with every change, and can be asked (`groupBy`, `KGroupedStream.count`, `toStream`).

use streams_dsl::serde::{I64, Nullable, Utf8};
use streams_dsl::{
    Grouped, KeyValueStore, Result, StreamsBuilder, Topic, Topology, TopologyTestDriver,
};

fn lines() -> Topic<String, String> {
    Topic::new("lines", Utf8, Utf8)
}

/// How often each word was seen so far; the value is null where a row was deleted.
fn word_counts() -> Topic<String, Option<i64>> {
    Topic::new("word-counts", Utf8, Nullable(I64))
}

const COUNTS: KeyValueStore<String, i64> = KeyValueStore::named("counts");

fn topology() -> Result<Topology> {
    let builder = StreamsBuilder::new();
    builder
        .stream(&lines())
        .flat_map_values(|line| {
            let words = line.split_whitespace().map(str::to_lowercase);
            words.collect::<Vec<_>>()
        })
        // Words are new values, so it is said how they are written on their way to the table.
        .group_by_with(Grouped::with(Utf8, Utf8), |_, word| word.clone())
        .count(&COUNTS)
        .to_stream()
        .to(&word_counts());
    builder.build()
}

fn play(driver: &mut TopologyTestDriver) -> Result<()> {
    for (line, text) in [("1", "all streams lead to"), ("2", "Kafka Streams")] {
        driver.pipe(&lines(), &line.to_owned(), &text.to_owned(), 0)?;
    }
    for entry in driver.stores().timestamped_key_value(&COUNTS)?.all() {
        let (word, count) = entry?;
        println!("{word}: {}", count.value);
    }
    Ok(())
}

fn main() -> Result<()> {
    examples::run("word-count", topology()?, play)
}

#[test]
fn each_word_is_counted_whatever_its_line() {
    let mut driver = TopologyTestDriver::new(&topology().unwrap()).unwrap();
    play(&mut driver).unwrap();
    let counts = driver.read_all(&word_counts());
    let seen = |word: &str, count| (word.to_owned(), Some(count));
    assert_eq!(counts.len(), 6);
    assert_eq!(counts[1], seen("streams", 1));
    assert_eq!(counts[5], seen("streams", 2));
    let counts = driver.stores().timestamped_key_value(&COUNTS).unwrap();
    let kafka = counts.get(&"kafka".to_owned()).unwrap();
    assert_eq!(kafka.map(|it| it.value), Some(1));
}
