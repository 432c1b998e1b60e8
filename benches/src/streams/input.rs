//! The input that all contenders read: seeded, and the same at every run.

use std::collections::VecDeque;

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use streams_tests::{Cluster, Record};

use crate::Result;

/// The number of partitions of every topic but those of the idle workload.
pub(super) const PARTITIONS: i32 = 4;
/// Keys of the events.
const KEYS: u32 = 100_000;
const SEED: u64 = 4_301;
/// The first event's timestamp; each is a millisecond after the one before.
const FIRST_TIMESTAMP_MS: i64 = 1_700_000_000_000;
/// One in this many keys has no profile.
const WITHOUT_PROFILE: u32 = 5;
/// A right-hand event has the key of one of this many left-hand events before it: some are within
/// the join's window, some are not.
const RIGHT_DELAY_MAX: usize = 7_000;
/// The timestamps are old, and brokers delete what is.
pub(super) const KEEP: &[(&str, &str)] = &[("retention.ms", "-1")];
/// A changelog as Kafka Streams makes it.
pub(super) const COMPACTED: &[(&str, &str)] = &[("cleanup.policy", "compact")];
const BATCH: usize = 20_000;

/// A record of a topic.
pub(super) struct Event {
    pub(super) key: String,
    pub(super) value: Vec<u8>,
    pub(super) timestamp_ms: i64,
}

impl From<Event> for Record {
    fn from(event: Event) -> Self {
        Self::new(event.key, event.value).timestamp_ms(event.timestamp_ms)
    }
}

/// Events of about 200 bytes; one in a hundred has no `op`.
pub(super) fn events(count: usize) -> impl Iterator<Item = Event> {
    let mut random = StdRng::seed_from_u64(SEED);
    (0..count).map(move |number| {
        let id = random.random_range(0..KEYS);
        let operation = match random.random_range(0..300) {
            0..3 => "",
            3..102 => "\"op\":\"c\",",
            102..201 => "\"op\":\"u\",",
            _ => "\"op\":\"d\",",
        };
        let score: u32 = random.random_range(0..1_000_000);
        let word: u64 = random.random();
        let timestamp_ms = timestamp_ms(number);
        let value = format!(
            "{{{operation}\"after\":{{\"id\":{id},\"name\":\"user {id}\",\
             \"email\":\"user{id}@example.com\",\"score\":{score},\"token\":\"{word:016x}\",\
             \"city\":\"somewhere {}\"}},\"ts_ms\":{timestamp_ms}}}",
            id % 977,
        );
        Event {
            key: key(id),
            value: value.into_bytes(),
            timestamp_ms,
        }
    })
}

/// The table of the stream-table join, older than every event.
pub(super) fn profiles() -> impl Iterator<Item = Event> {
    let known = (0..KEYS).filter(|id| id % WITHOUT_PROFILE != 0);
    known.map(|id| Event {
        key: key(id),
        value: format!(
            "{{\"tier\":\"{}\",\"since\":{},\"newsletter\":{},\"note\":\"profile of user {id}\"}}",
            if id % 3 == 0 { "gold" } else { "silver" },
            2000 + id % 25,
            id % 2 == 0,
        )
        .into_bytes(),
        timestamp_ms: FIRST_TIMESTAMP_MS - 1,
    })
}

/// The right-hand side of the stream-stream join: one event for each left-hand one.
pub(super) fn orders(count: usize) -> impl Iterator<Item = Event> {
    let mut random = StdRng::seed_from_u64(SEED + 1);
    let mut recent = VecDeque::with_capacity(RIGHT_DELAY_MAX);
    events(count).enumerate().map(move |(number, left)| {
        if recent.len() == RIGHT_DELAY_MAX {
            recent.pop_back();
        }
        recent.push_front(left.key);
        let delay = random.random_range(0..recent.len());
        let amount = random.random_range(1..100_000);
        Event {
            key: recent.get(delay).cloned().unwrap_or_default(),
            value: format!("{{\"order\":{number},\"amount\":{amount},\"currency\":\"EUR\"}}")
                .into_bytes(),
            timestamp_ms: timestamp_ms(number),
        }
    })
}

/// The changelog of a store of counts that has `keys` keys, in the JVM's bytes.
pub(super) fn counts(keys: u32) -> impl Iterator<Item = Event> {
    (0..keys).map(|id| Event {
        key: key(id),
        value: count_before(id).to_be_bytes().to_vec(),
        timestamp_ms: FIRST_TIMESTAMP_MS,
    })
}

/// What [`counts`] has for a key.
pub(super) fn count_before(id: u32) -> i64 {
    i64::from(id % 7) + 1
}

/// Events for a store of counts with `keys` keys: the ids in their order.
pub(super) fn ids(keys: u32, count: usize) -> impl Iterator<Item = u32> {
    let mut random = StdRng::seed_from_u64(SEED + 2);
    (0..count).map(move |_| random.random_range(0..keys))
}

/// The events of these ids.
pub(super) fn events_of(ids: impl Iterator<Item = u32>) -> impl Iterator<Item = Event> {
    ids.enumerate().map(|(number, id)| Event {
        key: key(id),
        value: format!("{{\"op\":\"u\",\"after\":{{\"id\":{id},\"number\":{number}}}}}")
            .into_bytes(),
        timestamp_ms: timestamp_ms(number),
    })
}

/// The key of an id.
pub(super) fn key(id: u32) -> String {
    format!("user-{id}")
}

fn timestamp_ms(number: usize) -> i64 {
    FIRST_TIMESTAMP_MS + i64::try_from(number).unwrap_or(i64::MAX)
}

/// Makes a topic that keeps old records and writes events into it.
pub(super) fn produce(
    cluster: &Cluster,
    topic: &str,
    configs: &[(&str, &str)],
    events: impl Iterator<Item = Event>,
) -> Result<()> {
    cluster.try_create_topic(topic, PARTITIONS, configs)?;
    let mut events = events.peekable();
    while events.peek().is_some() {
        cluster.try_produce(topic, events.by_ref().take(BATCH))?;
    }
    Ok(())
}
