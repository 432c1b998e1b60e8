//! A table of orders joined with the customers that they point at: many rows with one, by a key
//! that is in the value, and kept up to date from both sides (`KTable.join` with a foreign key).

use serde::{Deserialize, Serialize};
use streams_dsl::serde::{Json, Nullable, Utf8};
use streams_dsl::{Result, StreamsBuilder, Topic, Topology, TopologyTestDriver};

#[derive(Serialize, Deserialize)]
struct Order {
    customer: String,
    item: String,
}

fn orders() -> Topic<String, Order> {
    Topic::new("orders", Utf8, Json)
}

/// Names, by customer.
fn customers() -> Topic<String, String> {
    Topic::new("customers", Utf8, Utf8)
}

/// Lines to print, by order; null where the order is gone.
fn labels() -> Topic<String, Option<String>> {
    Topic::new("labels", Utf8, Nullable(Utf8))
}

fn topology() -> Result<Topology> {
    let builder = StreamsBuilder::new();
    let customers = builder.table(&customers());
    builder
        .table(&orders())
        .join_foreign_key(
            customers,
            |_, order| order.customer.clone(),
            |order, name| format!("{} for {name}", order.item),
        )
        .to_stream()
        .to(&labels());
    builder.build()
}

fn play(driver: &mut TopologyTestDriver) -> Result<()> {
    driver.pipe(&customers(), &"c1".to_owned(), &"Ada Byron".to_owned(), 0)?;
    for (order, item) in [("o1", "pen"), ("o2", "ink")] {
        let (customer, item) = ("c1".to_owned(), item.to_owned());
        driver.pipe(&orders(), &order.to_owned(), &Order { customer, item }, 1)?;
    }
    let name = "Ada Lovelace".to_owned();
    driver.pipe(&customers(), &"c1".to_owned(), &name, 2)?;
    println!("{}", topology()?.describe());
    Ok(())
}

fn main() -> Result<()> {
    examples::run("orders-with-customers", topology()?, play)
}

#[test]
fn a_new_name_reaches_every_order_of_the_customer() {
    let mut driver = TopologyTestDriver::new(&topology().unwrap()).unwrap();
    play(&mut driver).unwrap();
    let labels = driver.read_all(&labels());
    let label = |order: &str, text: &str| (order.to_owned(), Some(text.to_owned()));
    assert_eq!(
        labels,
        [
            label("o1", "pen for Ada Byron"),
            label("o2", "ink for Ada Byron"),
            label("o1", "pen for Ada Lovelace"),
            label("o2", "ink for Ada Lovelace"),
        ]
    );
}
