//! Views counted per page and minute: a late record still counts during the grace period, and one
//! final result leaves when the window has closed (`TimeWindows`, `Suppressed.untilWindowCloses`).

use std::time::Duration;

use streams_dsl::serde::{I64, Nullable, TimeWindowed, Utf8};
use streams_dsl::{BufferConfig, Suppressed, TimeWindows, WindowStore, Windowed};
use streams_dsl::{Result, StreamsBuilder, Topic, Topology, TopologyTestDriver};

/// Pages, by who has seen them.
fn page_views() -> Topic<String, String> {
    Topic::new("page-views", Utf8, Utf8)
}

fn views_per_minute() -> Topic<Windowed<String>, Option<i64>> {
    let key = TimeWindowed::new(Utf8, 60_000);
    Topic::new("views-per-minute", key, Nullable(I64))
}

const VIEWS: WindowStore<String, i64> = WindowStore::named("views");

fn topology() -> Result<Topology> {
    let (minute, grace) = (Duration::from_secs(60), Duration::from_secs(10));
    let builder = StreamsBuilder::new();
    builder
        .stream(&page_views())
        .group_by(Utf8, |_, page| page.clone())
        .windowed_by(TimeWindows::of_size_and_grace(minute, grace))
        .count(&VIEWS)
        .suppress(Suppressed::until_window_closes(BufferConfig::unbounded()))
        .to_stream()
        .to(&views_per_minute());
    builder.build()
}

fn play(driver: &mut TopologyTestDriver) -> Result<()> {
    for (who, timestamp_ms) in [
        ("ada", 10_000),
        ("bob", 61_000),
        ("eve", 59_000),  // late, within the grace period
        ("ada", 70_000),  // the first minute is over, and so is its grace period
        ("tim", 59_000),  // too late: left out
        ("bob", 130_000), // closes the second minute
    ] {
        let page = "/prices".to_owned();
        driver.pipe(&page_views(), &who.to_owned(), &page, timestamp_ms)?;
    }
    for entry in driver.stores().timestamped_window(&VIEWS)?.all()? {
        let (page_and_minute, views) = entry?;
        println!("{page_and_minute}: {}", views.value);
    }
    Ok(())
}

fn main() -> Result<()> {
    examples::run("page-views-per-minute", topology()?, play)
}

#[test]
fn each_minute_has_one_result_without_what_came_too_late() {
    let mut driver = TopologyTestDriver::new(&topology().unwrap()).unwrap();
    play(&mut driver).unwrap();
    let views = driver.read_all(&views_per_minute());
    let views = views.iter().map(|(key, views)| (key.to_string(), *views));
    assert_eq!(
        views.collect::<Vec<_>>(),
        [
            ("[/prices@0/60000]".to_owned(), Some(2)),
            ("[/prices@60000/120000]".to_owned(), Some(2)),
        ]
    );
}
