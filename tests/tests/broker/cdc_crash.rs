//! `kill -9` of a connector at random moments, under a live workload.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use streams_tests::{Cluster, Database};

use crate::cdc_connector::{Connector, LIMIT, envelope, operation};
use crate::cdc_workload::{Workload, assert_tells, create_table, create_workload_tables};

/// How often a connector is killed in each test.
const KILLS: u64 = 12;

/// Rows of the transaction that does not fit into one batch.
const ROWS: usize = 200_000;

/// `TRIBUTARY_SEED` repeats a run; without it every run differs.
fn seed() -> u64 {
    let given = std::env::var("TRIBUTARY_SEED")
        .ok()
        .and_then(|text| text.parse().ok());
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let seed = given.unwrap_or_else(|| u64::from(now.subsec_nanos()));
    eprintln!("TRIBUTARY_SEED={seed}");
    seed
}

fn setup(tables: &str) -> (Cluster, Database, Connector) {
    let (cluster, database) = (Cluster::shared(), Database::shared("crash"));
    database.execute(tables);
    let connector = Connector::new(&cluster, &database).set("tombstones.on.delete", "false");
    (cluster, database, connector)
}

fn create_filled_table(name: &str) -> String {
    let table = create_table(name);
    format!("{table} INSERT INTO {name} SELECT n, 1, 'y' FROM generate_series(1, 12000) n;")
}

#[test]
fn kills_while_streaming_neither_lose_nor_double_a_change() {
    let (cluster, database, connector) = setup(&create_workload_tables("t"));
    let mut random = StdRng::seed_from_u64(seed());
    connector.start().stop();
    let workload = Workload::start(&database.url(), "t", random.random());
    for _ in 0..KILLS {
        let mut running = connector.spawn();
        // Some die while they start, most while they stream.
        workload.wait_for_more(random.random_range(1..250));
        running.process.kill();
    }
    let running = connector.start();
    workload.wait_for_more(10);
    let history = workload.stop();
    assert_tells(&cluster, &connector.topic("t"), &history);
    running.stop();
}

#[test]
fn kills_during_the_snapshot_neither_lose_nor_double_a_row() {
    // Each of these tables fills a transaction of its own, so that kills fall between tables, too.
    let mut tables = create_workload_tables("t");
    let large = ["m1", "m2", "m3", "u1", "u2", "u3"];
    tables.extend(large.map(create_filled_table));
    let (cluster, database, connector) = setup(&tables);
    let mut random = StdRng::seed_from_u64(seed());
    let workload = Workload::start(&database.url(), "t", random.random());
    workload.wait_for_more(20);
    for _ in 0..KILLS {
        let mut running = connector.spawn();
        let begun = Instant::now();
        workload.wait_for_more(random.random_range(20..400));
        running.process.kill();
        // Rows of large tables change as well while the snapshot is in pieces.
        let table = large[random.random_range(0..large.len())];
        let row = random.random_range(1..=12_000);
        database.execute(&format!(
            "UPDATE {table} SET version = version + 1 WHERE id = {row}"
        ));
        eprintln!("killed after {:?}", begun.elapsed());
    }
    let running = connector.start();
    workload.wait_for_more(10);
    let history = workload.stop();
    assert_tells(&cluster, &connector.topic("t"), &history);
    for table in large {
        let total: usize = database
            .value(&format!("SELECT sum(version) FROM {table}"))
            .unwrap()
            .parse()
            .unwrap();
        let complete = |messages: &[streams_tests::Message]| messages.len() >= 12_000;
        cluster.read_until(&connector.topic(table), LIMIT, complete);
        let messages = cluster.read_settled(&connector.topic(table), LIMIT);
        let read: Vec<_> = messages.iter().filter(|m| operation(m) == "r").collect();
        assert_eq!(read.len(), 12_000, "{table}");
        // What the snapshot read and what the stream added come to what the table holds.
        let of_snapshot: u64 = read
            .iter()
            .filter_map(|m| envelope(m)["after"]["version"].as_u64())
            .sum();
        let streamed = messages.len() - read.len();
        assert_eq!(of_snapshot as usize + streamed, total, "{table}");
    }
    running.stop();
}

/// A transaction that is larger than a batch is written in several Kafka transactions, and a kill
/// between them goes on within it.
#[test]
fn kills_within_one_large_transaction_neither_lose_nor_double_a_change() {
    let (cluster, database, connector) = setup(&create_table("t"));
    let topic = connector.topic("t");
    connector.start().stop();
    database.execute(&format!(
        "INSERT INTO t SELECT n, 1, repeat('z', 700) FROM generate_series(1, {ROWS}) n"
    ));
    let mut random = StdRng::seed_from_u64(seed());
    let (mut seen, mut killed_within) = (0, 0);
    for _ in 0..3 {
        let mut running = connector.spawn();
        let goal = seen + random.random_range(1..1_000);
        seen = cluster
            .read_until(&topic, LIMIT, |messages| messages.len() >= goal)
            .len();
        running.process.kill();
        killed_within += usize::from(seen < ROWS);
        if seen >= ROWS {
            break;
        }
    }
    let running = connector.start();
    cluster.read_count(&topic, ROWS, LIMIT);
    running.stop();
    let mut ids: Vec<u64> = cluster
        .read_settled(&topic, LIMIT)
        .iter()
        .filter_map(|message| envelope(message)["after"]["id"].as_u64())
        .collect();
    assert!(
        killed_within > 0,
        "the transaction was written in one piece"
    );
    assert!(ids.is_sorted(), "out of order");
    assert_eq!(ids.len(), ROWS, "lost or doubled");
    ids.dedup();
    assert_eq!(ids.len(), ROWS);
}
