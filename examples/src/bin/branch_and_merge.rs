//! A stream splits into branches, each is treated in its own way, and they come together again.

use streams_dsl::serde::{I64, Utf8};
use streams_dsl::{Result, StreamsBuilder, Topic, Topology, TopologyTestDriver};

/// Amounts in cents, by account.
fn payments() -> Topic<String, i64> {
    Topic::new("payments", Utf8, I64)
}

/// What each payment costs in fees, in cents.
fn fees() -> Topic<String, i64> {
    Topic::new("fees", Utf8, I64)
}

fn refunds() -> Topic<String, i64> {
    Topic::new("refunds", Utf8, I64)
}

/// What is not a refund and below this is small.
const SMALL_MAX: i64 = 10_000;

fn topology() -> Result<Topology> {
    let builder = StreamsBuilder::new();
    // A record takes the first branch whose predicate holds.
    let mut split = builder.stream(&payments()).split().named("by-size-");
    let refunded = split.branch("refund", |_, amount| *amount < 0);
    let small = split.branch("small", |_, amount| *amount < SMALL_MAX);
    let large = split.default_branch("large");

    refunded.map_values(i64::abs).to(&refunds());
    small
        .map_values(|_| 25)
        .merge(large.map_values(|amount| amount / 200))
        .to(&fees());
    builder.build()
}

fn play(driver: &mut TopologyTestDriver) -> Result<()> {
    for (account, amount) in [("a", 900), ("b", 50_000), ("a", -900)] {
        driver.pipe(&payments(), &account.to_owned(), &amount, 0)?;
    }
    println!("{}", topology()?.describe());
    Ok(())
}

fn main() -> Result<()> {
    examples::run("branch-and-merge", topology()?, play)
}

#[test]
fn each_payment_takes_one_branch() {
    let mut driver = TopologyTestDriver::new(&topology().unwrap()).unwrap();
    play(&mut driver).unwrap();
    let fees = driver.read_all(&fees());
    assert_eq!(fees, [("a".to_owned(), 25), ("b".to_owned(), 250)]);
    assert_eq!(driver.read_all(&refunds()), [("a".to_owned(), 900)]);
}
