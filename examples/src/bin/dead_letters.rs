//! What fails for a time is tried again; what fails for good goes to the dead-letter topic as it
//! came, with the reason and the place in its headers (KIP-1034).

use std::time::Duration;

use streams_dsl::serde::Utf8;
use streams_dsl::{Result, RetryPolicy, Retryable, StreamsBuilder};
use streams_dsl::{Topic, Topology, TopologyTestDriver};

fn readings() -> Topic<String, String> {
    Topic::new("readings", Utf8, Utf8)
}

fn celsius() -> Topic<String, String> {
    Topic::new("celsius", Utf8, Utf8)
}

fn dead_letters() -> Topic<String, String> {
    Topic::new("readings-dlq", Utf8, Utf8)
}

#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("the reading is not a number")]
    NotANumber(#[from] std::num::ParseFloatError),
    #[error("the sensor was busy")]
    SensorBusy,
}

impl Retryable for Failure {
    fn is_temporary(&self) -> bool {
        matches!(self, Self::SensorBusy)
    }
}

fn convert(fahrenheit: &str) -> Result<String, Failure> {
    if fahrenheit == "busy" {
        return Err(Failure::SensorBusy);
    }
    let degrees: f64 = fahrenheit.parse()?;
    Ok(format!("{:.1}", (degrees - 32.0) / 1.8))
}

fn topology() -> Result<Topology> {
    let builder = StreamsBuilder::new();
    let policy = RetryPolicy::new(2, Duration::from_millis(100));
    let (converted, failed) = builder
        .stream(&readings())
        .try_map_values_retrying(policy, |_, value| convert(value));
    converted.to(&celsius());
    failed.into_dead_letters().to(&dead_letters());
    builder.build()
}

fn play(driver: &mut TopologyTestDriver) -> Result<()> {
    for value in ["451", "warm", "busy", "-40"] {
        driver.pipe(&readings(), &"s1".to_owned(), &value.to_owned(), 0)?;
    }
    Ok(())
}

fn main() -> Result<()> {
    examples::run("dead-letters", topology()?, play)
}

#[test]
fn bad_readings_are_set_aside_and_the_next_is_converted() {
    let mut driver = TopologyTestDriver::new(&topology().unwrap()).unwrap();
    play(&mut driver).unwrap();
    let converted = driver.read_all(&celsius()).into_iter().map(|(_, it)| it);
    assert_eq!(converted.collect::<Vec<_>>(), ["232.8", "-40.0"]);
    let letter = driver.read_record(&dead_letters()).unwrap().unwrap();
    let reason = letter.headers.last("__streams.errors.message").unwrap();
    assert_eq!(letter.value, "warm");
    assert_eq!(
        reason.value.as_deref(),
        Some(&b"the reading is not a number"[..])
    );
    assert_eq!(driver.wall_clock_ms(), 100 + 200);
}
