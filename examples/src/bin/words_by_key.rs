//! One record becomes many, each gets a key of its own, and a repartition topic brings equal keys
//! together in one partition.

use streams_dsl::serde::Utf8;
use streams_dsl::{Repartitioned, Result, StreamsBuilder, Topic, Topology, TopologyTestDriver};

fn lines() -> Topic<String, String> {
    Topic::new("lines", Utf8, Utf8)
}

fn words() -> Topic<String, String> {
    Topic::new("words", Utf8, Utf8)
}

/// Too common to be of interest.
const STOP_WORDS: &[&str] = &["a", "and", "of", "the"];

fn topology() -> Result<Topology> {
    let builder = StreamsBuilder::new();
    let by_word = Repartitioned::new()
        .with_key_serde(Utf8)
        .with_value_serde(Utf8);
    builder
        .stream(&lines())
        .flat_map_values(|line| {
            let words = line.split_whitespace().map(str::to_lowercase);
            words.collect::<Vec<_>>()
        })
        .filter_not(|_, word| STOP_WORDS.contains(&word.as_str()))
        .select_key(|_, word| word.clone())
        .repartition(by_word)
        .named("by-word")
        .to(&words());
    builder.build()
}

fn play(driver: &mut TopologyTestDriver) -> Result<()> {
    let line = "The quick brown fox and the lazy dog".to_owned();
    driver.pipe(&lines(), &"line-1".to_owned(), &line, 0)?;
    println!("{}", topology()?.to_mermaid());
    Ok(())
}

fn main() -> Result<()> {
    examples::run("words-by-key", topology()?, play)
}

#[test]
fn words_come_out_under_their_own_keys() {
    let mut driver = TopologyTestDriver::new(&topology().unwrap()).unwrap();
    play(&mut driver).unwrap();
    let words = driver.read_all(&words());
    assert!(words.iter().all(|(key, word)| key == word));
    let words: Vec<&str> = words.iter().map(|(_, word)| word.as_str()).collect();
    assert_eq!(words, ["quick", "brown", "fox", "lazy", "dog"]);
}
