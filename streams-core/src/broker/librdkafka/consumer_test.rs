//! A member of a group against librdkafka's own mock of a cluster.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use rdkafka::mocking::MockCluster;
use rdkafka::producer::{BaseProducer, BaseRecord, DefaultProducerContext, Producer as _};

use rdkafka::ClientConfig;

use crate::broker::librdkafka::consumer::{Assignment, ConsumerEvent, GroupConsumer, StartAt};
use crate::id::TopicPartition;

const TOPIC: &str = "input";
const LIMIT: Duration = Duration::from_secs(20);

struct Broker {
    cluster: MockCluster<'static, DefaultProducerContext>,
    producer: BaseProducer,
}

impl Broker {
    fn start() -> Self {
        let cluster = MockCluster::new(1).unwrap();
        cluster.create_topic(TOPIC, 2, 1).unwrap();
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", cluster.bootstrap_servers());
        config.set("linger.ms", "300");
        let producer = config.create().unwrap();
        Self { cluster, producer }
    }

    fn consumer(&self) -> GroupConsumer {
        let servers = self.cluster.bootstrap_servers();
        let settings = [
            ("bootstrap.servers", servers.as_str()),
            ("group.id", "group"),
            ("enable.auto.commit", "false"),
            ("enable.auto.offset.store", "false"),
            ("enable.partition.eof", "true"),
            ("auto.offset.reset", "earliest"),
        ];
        let own = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
        let settings: BTreeMap<_, _> = settings.into_iter().map(own).collect();
        GroupConsumer::new(&settings).unwrap()
    }

    /// Writes records whose values are these numbers.
    fn send(&self, partition: i32, numbers: impl Iterator<Item = i64>) {
        self.send_soon(partition, numbers);
        self.producer.flush(LIMIT).unwrap();
    }

    /// Writes records after this has returned.
    fn send_soon(&self, partition: i32, numbers: impl Iterator<Item = i64>) {
        for number in numbers {
            let value = number.to_string();
            let record = BaseRecord::<(), str>::to(TOPIC).partition(partition);
            let sent = self.producer.send(record.payload(&value));
            sent.map_err(|(error, _)| error).unwrap();
        }
    }
}

fn at(partition: i32, offset: i64) -> Assignment {
    Assignment {
        partition: place(partition),
        start: StartAt::Offset(offset),
        is_paused: false,
    }
}

fn place(partition: i32) -> TopicPartition {
    TopicPartition {
        topic: TOPIC.into(),
        partition,
    }
}

/// Polls until all these offsets of the partitions have come, each once and in order.
fn expect(consumer: &mut GroupConsumer, expected: &[(i32, std::ops::Range<i64>)]) {
    let mut left: BTreeMap<i32, VecDeque<i64>> = expected
        .iter()
        .map(|(partition, offsets)| (*partition, offsets.clone().collect()))
        .collect();
    let begun = Instant::now();
    while left.values().any(|offsets| !offsets.is_empty()) {
        assert!(begun.elapsed() < LIMIT, "still expected: {left:?}");
        match consumer.poll(Duration::from_millis(100), 7) {
            Some(ConsumerEvent::Record { partition, raw, .. }) => {
                let next = left.get_mut(&partition).and_then(VecDeque::pop_front);
                assert_eq!(Some(raw.offset), next, "of partition {partition}");
            }
            Some(ConsumerEvent::Failed(error)) => panic!("{error}"),
            _ => {}
        }
    }
}

/// Polls for a while in which no record may come.
fn expect_nothing(consumer: &mut GroupConsumer) {
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_millis(700) {
        let event = consumer.poll(Duration::from_millis(100), 7);
        if let Some(ConsumerEvent::Record { partition, raw, .. }) = event {
            panic!("partition {partition}: offset {}", raw.offset);
        }
    }
}

#[test]
fn records_and_ends_come_in_order() {
    let broker = Broker::start();
    broker.send(0, 0..100);
    let mut consumer = broker.consumer();
    consumer.assign(&[at(0, 0)]).unwrap();
    expect(&mut consumer, &[(0, 0..100)]);
    expect_end(&mut consumer, 100);
}

#[test]
fn partitions_that_are_assigned_again_go_on() {
    let broker = Broker::start();
    broker.send(0, 0..50);
    broker.send(1, 0..50);
    let mut consumer = broker.consumer();
    for round in 0..20 {
        consumer.assign(&[at(0, round), at(1, round)]).unwrap();
        expect(&mut consumer, &[(0, round..50), (1, round..50)]);
        // Every other time what is assigned has not been given up before.
        if round % 2 == 0 {
            consumer.unassign().unwrap();
        }
    }
}

#[test]
fn an_assignment_that_replaces_another_at_once_is_read() {
    let broker = Broker::start();
    broker.send(0, 0..50);
    let mut consumer = broker.consumer();
    for round in 0..20 {
        consumer.assign(&[at(0, 0), at(1, 0)]).unwrap();
        consumer.assign(&[at(0, round)]).unwrap();
    }
    expect(&mut consumer, &[(0, 19..50)]);
}

#[test]
fn nothing_comes_of_partitions_that_were_given_up() {
    let broker = Broker::start();
    broker.send(0, 0..50);
    let mut consumer = broker.consumer();
    consumer.assign(&[at(0, 0)]).unwrap();
    // Some records have been taken from librdkafka, others wait there.
    expect(&mut consumer, &[(0, 0..10)]);
    consumer.unassign().unwrap();
    expect_nothing(&mut consumer);
    consumer.assign(&[at(1, 0)]).unwrap();
    expect_nothing(&mut consumer);
    consumer.assign(&[at(0, 10)]).unwrap();
    expect(&mut consumer, &[(0, 10..50)]);
}

#[test]
fn a_paused_partition_goes_on_where_it_stopped() {
    let broker = Broker::start();
    broker.send(0, 0..50);
    let mut consumer = broker.consumer();
    consumer.assign(&[at(0, 0), at(1, 0)]).unwrap();
    expect(&mut consumer, &[(0, 0..1)]);
    consumer.pause(&place(0));
    // What has been fetched may still come.
    let mut next = 1;
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_millis(500) {
        let event = consumer.poll(Duration::from_millis(50), 7);
        if let Some(ConsumerEvent::Record { raw, .. }) = event {
            assert_eq!(raw.offset, next);
            next += 1;
        }
    }
    broker.send(0, 50..60);
    broker.send(1, 0..10);
    expect(&mut consumer, &[(1, 0..10)]);
    expect_nothing(&mut consumer);
    consumer.resume(&[place(0)]).unwrap();
    expect(&mut consumer, &[(0, next..60)]);
}

/// librdkafka counts the end of a partition as a record when it pauses, and would leave out the
/// next one, or begin anew if there is none yet.
#[test]
fn a_partition_that_was_read_to_its_end_goes_on_behind_it() {
    let broker = Broker::start();
    broker.send(0, 0..50);
    let mut consumer = broker.consumer();
    consumer.assign(&[at(0, 0)]).unwrap();
    expect(&mut consumer, &[(0, 0..50)]);
    expect_end(&mut consumer, 50);
    for is_late in [true, false] {
        consumer.pause(&place(0));
        expect_nothing(&mut consumer);
        if is_late {
            consumer.resume(&[place(0)]).unwrap();
            expect_nothing(&mut consumer);
        }
        let next = if is_late { 50 } else { 51 };
        broker.send(0, next..=next);
        consumer.resume(&[place(0)]).unwrap();
        expect(&mut consumer, &[(0, next..next + 1)]);
        expect_end(&mut consumer, next + 1);
    }
}

#[test]
fn a_partition_that_is_assigned_paused_is_read_at_once_when_it_is_resumed() {
    let broker = Broker::start();
    broker.send(0, 0..9);
    let mut consumer = broker.consumer();
    let mut waited = Duration::ZERO;
    for number in 0..9 {
        let mut paused = at(0, number);
        paused.is_paused = true;
        if number == 0 {
            paused.start = StartAt::Earliest;
        }
        consumer.assign(&[paused, at(1, 0)]).unwrap();
        expect_nothing(&mut consumer);
        let begun = Instant::now();
        consumer.resume(&[place(0)]).unwrap();
        expect(&mut consumer, &[(0, number..9)]);
        waited += begun.elapsed();
    }
    // librdkafka alone takes half a second on the average for each.
    assert!(waited < Duration::from_secs(3), "{waited:?}");
}

#[test]
fn a_record_ends_a_wait() {
    let broker = Broker::start();
    let mut consumer = broker.consumer();
    consumer.assign(&[at(0, 0)]).unwrap();
    for number in 0..5 {
        expect_end(&mut consumer, number);
        broker.send_soon(0, number..=number);
        let begun = Instant::now();
        expect_next(&mut consumer, number);
        assert!(begun.elapsed() < LIMIT / 2, "{:?}", begun.elapsed());
    }
}

/// Waits for a record, which must be the next event.
fn expect_next(consumer: &mut GroupConsumer, offset: i64) {
    match consumer.poll(LIMIT, 7) {
        Some(ConsumerEvent::Record { raw, .. }) => assert_eq!(raw.offset, offset),
        _ => panic!("no record came"),
    }
}

/// Polls until the end of the first partition is at this offset.
fn expect_end(consumer: &mut GroupConsumer, expected: i64) {
    let begun = Instant::now();
    loop {
        assert!(begun.elapsed() < LIMIT, "the end did not come");
        if let Some(ConsumerEvent::End(partition, end)) = consumer.poll(LIMIT, 7) {
            assert_eq!(partition, place(0));
            assert_eq!(end, expected);
            return;
        }
    }
}

#[test]
fn a_group_gives_partitions_and_their_records() {
    let broker = Broker::start();
    broker.send(0, 0..50);
    broker.send(1, 0..50);
    let mut consumer = broker.consumer();
    consumer.subscribe(&[TOPIC]).unwrap();
    let begun = Instant::now();
    loop {
        assert!(begun.elapsed() < LIMIT);
        if let Some(ConsumerEvent::Assigned(partitions)) = consumer.poll(LIMIT, 7) {
            assert_eq!(partitions.len(), 2);
            break;
        }
    }
    consumer.assign(&[at(0, 0), at(1, 25)]).unwrap();
    expect(&mut consumer, &[(0, 0..50), (1, 25..50)]);
}
