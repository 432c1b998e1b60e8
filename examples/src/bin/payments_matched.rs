//! Orders meet their payments, whichever comes first, if they are at most ten minutes apart; an
//! order that nobody has paid by then is told too (`KStream.leftJoin(KStream, JoinWindows)`).

use std::time::Duration;

use streams_dsl::serde::{I64, Utf8};
use streams_dsl::{JoinWindows, Result, StreamsBuilder, Topic, Topology, TopologyTestDriver};

/// Amounts in cents, by order.
fn orders() -> Topic<String, i64> {
    Topic::new("orders", Utf8, I64)
}

/// Amounts in cents, by order.
fn payments() -> Topic<String, i64> {
    Topic::new("payments", Utf8, I64)
}

fn order_states() -> Topic<String, String> {
    Topic::new("order-states", Utf8, Utf8)
}

fn topology() -> Result<Topology> {
    let ten_minutes = Duration::from_secs(600);
    let windows = JoinWindows::of_time_difference_with_no_grace(ten_minutes);
    let builder = StreamsBuilder::new();
    let payments = builder.stream(&payments());
    builder
        .stream(&orders())
        .left_join(payments, windows, |ordered, paid| match paid {
            None => "unpaid".to_owned(),
            Some(paid) if paid < ordered => format!("{} are missing", ordered - paid),
            Some(_) => "paid".to_owned(),
        })
        .to(&order_states());
    builder.build()
}

fn play(driver: &mut TopologyTestDriver) -> Result<()> {
    let minute_ms = 60_000;
    driver.pipe(&orders(), &"o1".to_owned(), &900, 0)?;
    driver.pipe(&orders(), &"o2".to_owned(), &500, minute_ms)?;
    driver.pipe(&payments(), &"o1".to_owned(), &900, 3 * minute_ms)?;
    driver.pipe(&payments(), &"o3".to_owned(), &200, 4 * minute_ms)?;
    driver.pipe(&orders(), &"o3".to_owned(), &300, 5 * minute_ms)?;
    // Time goes on by what comes: now nothing can come for the second order.
    driver.pipe(&payments(), &"o2".to_owned(), &500, 12 * minute_ms)?;
    println!("{}", topology()?.describe());
    Ok(())
}

fn main() -> Result<()> {
    examples::run("payments-matched", topology()?, play)
}

#[test]
fn an_order_is_paid_within_ten_minutes_or_it_is_not() {
    let mut driver = TopologyTestDriver::new(&topology().unwrap()).unwrap();
    play(&mut driver).unwrap();
    let states = driver.read_all(&order_states());
    let states: Vec<_> = states.iter().map(|(key, it)| (&**key, &**it)).collect();
    assert_eq!(
        states,
        [("o1", "paid"), ("o3", "100 are missing"), ("o2", "unpaid")]
    );
}
