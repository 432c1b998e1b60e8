//! Clicks become visits, which last as long as clicks come; a late click can make two visits one
//! (`SessionWindows`, `SessionWindowedKStream.count`).

use std::time::Duration;

use streams_dsl::serde::{I64, Nullable, SessionWindowed, Utf8};
use streams_dsl::{Result, StreamsBuilder, Topic, Topology, TopologyTestDriver};
use streams_dsl::{SessionStore, SessionWindows, Windowed};

/// Pages, by who has clicked.
fn clicks() -> Topic<String, String> {
    Topic::new("clicks", Utf8, Utf8)
}

/// Clicks of each visit; null where the visit has become part of another.
fn visits() -> Topic<Windowed<String>, Option<i64>> {
    Topic::new("visits", SessionWindowed(Utf8), Nullable(I64))
}

const VISITS: SessionStore<String, i64> = SessionStore::named("visits");

fn topology() -> Result<Topology> {
    let (half_an_hour, grace) = (Duration::from_secs(1_800), Duration::from_secs(3_600));
    let builder = StreamsBuilder::new();
    builder
        .stream(&clicks())
        .group_by_key()
        .windowed_by(SessionWindows::of_inactivity_gap_and_grace(
            half_an_hour,
            grace,
        ))
        .count(&VISITS)
        .to_stream()
        .to(&visits());
    builder.build()
}

fn play(driver: &mut TopologyTestDriver) -> Result<()> {
    for minute in [0, 40, 20] {
        let page = "/prices".to_owned();
        driver.pipe(&clicks(), &"ada".to_owned(), &page, minute * 60_000)?;
    }
    for visit in driver.stores().session(&VISITS)?.fetch(&"ada".to_owned())? {
        let (visit, clicks) = visit?;
        println!("{visit}: {clicks} clicks");
    }
    Ok(())
}

fn main() -> Result<()> {
    examples::run("visits", topology()?, play)
}

#[test]
fn a_click_between_two_visits_makes_them_one() {
    let mut driver = TopologyTestDriver::new(&topology().unwrap()).unwrap();
    play(&mut driver).unwrap();
    let visits = driver.read_all(&visits()).into_iter();
    let visits: Vec<_> = visits.map(|(key, it)| (key.to_string(), it)).collect();
    let visit = |key: &str, clicks| (key.to_owned(), clicks);
    assert_eq!(
        visits,
        [
            visit("[ada@0/0]", Some(1)),
            visit("[ada@2400000/2400000]", Some(1)),
            visit("[ada@0/0]", None),
            visit("[ada@2400000/2400000]", None),
            visit("[ada@0/2400000]", Some(3)),
        ]
    );
}
