//! Each order is sent on with what is known of its customer when it comes: a stream looks up the
//! row of its key in a table (`KStream.leftJoin(KTable)`).

use serde::{Deserialize, Serialize};
use streams_dsl::serde::{Json, Utf8};
use streams_dsl::{Result, StreamsBuilder, Topic, Topology, TopologyTestDriver};

#[derive(Serialize, Deserialize)]
struct Customer {
    name: String,
    country: String,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Shipment {
    item: String,
    country: Option<String>,
}

/// The items that are ordered, by the customer.
fn orders() -> Topic<String, String> {
    Topic::new("orders", Utf8, Utf8)
}

fn customers() -> Topic<String, Customer> {
    Topic::new("customers", Utf8, Json)
}

fn shipments() -> Topic<String, Shipment> {
    Topic::new("shipments", Utf8, Json)
}

fn topology() -> Result<Topology> {
    let builder = StreamsBuilder::new();
    let customers = builder.table(&customers());
    builder
        .stream(&orders())
        .left_join_table(&customers, |item, customer| Shipment {
            item,
            country: customer.map(|it| it.country),
        })
        .to(&shipments());
    builder.build()
}

fn play(driver: &mut TopologyTestDriver) -> Result<()> {
    let order = |driver: &mut TopologyTestDriver, item: &str, timestamp_ms| {
        driver.pipe(&orders(), &"c1".to_owned(), &item.to_owned(), timestamp_ms)
    };
    let ada = |country: &str| Customer {
        name: "ada".to_owned(),
        country: country.to_owned(),
    };
    order(driver, "pen", 0)?;
    driver.pipe(&customers(), &"c1".to_owned(), &ada("UK"), 1)?;
    order(driver, "ink", 2)?;
    driver.pipe(&customers(), &"c1".to_owned(), &ada("FR"), 3)?;
    order(driver, "paper", 4)?;
    println!("{}", topology()?.describe());
    Ok(())
}

fn main() -> Result<()> {
    examples::run("orders-enriched", topology()?, play)
}

#[test]
fn an_order_has_the_country_of_its_customer_at_that_time() {
    let mut driver = TopologyTestDriver::new(&topology().unwrap()).unwrap();
    play(&mut driver).unwrap();
    let sent = driver.read_all(&shipments()).into_iter().map(|(_, it)| it);
    let sent: Vec<_> = sent.map(|it| (it.item, it.country)).collect();
    let expected = [("pen", None), ("ink", Some("UK")), ("paper", Some("FR"))];
    let expected = expected.map(|(item, country)| (item.to_owned(), country.map(str::to_owned)));
    assert_eq!(sent, expected);
}
