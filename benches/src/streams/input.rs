//! The input that all contenders read: seeded, and the same at every run.

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use streams_tests::{Cluster, Record};

/// The number of partitions of every topic.
pub const PARTITIONS: i32 = 4;
const KEYS: u32 = 100_000;
const SEED: u64 = 4_301;
/// The first record's timestamp; each is a millisecond after the one before.
const FIRST_TIMESTAMP_MS: i64 = 1_700_000_000_000;
const BATCH: usize = 20_000;

/// Writes `count` events of about 200 bytes; one in a hundred has no `op`. Returns how many have
/// none.
pub fn produce(cluster: &Cluster, topic: &str, count: usize) -> usize {
    let mut random = StdRng::seed_from_u64(SEED);
    let mut without_op = 0;
    let mut number = 0;
    while number < count {
        let batch: Vec<Record> = (number..count.min(number + BATCH))
            .map(|number| {
                let event = event(&mut random, number);
                without_op += usize::from(!event.1.contains("\"op\""));
                Record::new(event.0, event.1)
                    .timestamp_ms(FIRST_TIMESTAMP_MS + i64::try_from(number).unwrap_or(i64::MAX))
            })
            .collect();
        number += batch.len();
        cluster.produce(topic, batch);
    }
    without_op
}

fn event(random: &mut StdRng, number: usize) -> (String, String) {
    let id = random.random_range(0..KEYS);
    let operation = ["c", "u", "d"][random.random_range(0..3)];
    let operation = match random.random_range(0..100) {
        0 => String::new(),
        _ => format!("\"op\":\"{operation}\","),
    };
    let score: u32 = random.random_range(0..1_000_000);
    let word: u64 = random.random();
    let value = format!(
        "{{{operation}\"after\":{{\"id\":{id},\"name\":\"user {id}\",\"email\":\"user{id}@example.com\",\
         \"score\":{score},\"token\":\"{word:016x}\",\"city\":\"somewhere {}\"}},\"ts_ms\":{}}}",
        id % 977,
        FIRST_TIMESTAMP_MS + i64::try_from(number).unwrap_or(i64::MAX),
    );
    (format!("user-{id}"), value)
}
