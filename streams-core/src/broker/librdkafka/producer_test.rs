use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};

use super::*;

const LIMIT: Duration = Duration::from_secs(30);

fn producer(settings: &[(&str, &str)]) -> TransactionalProducer {
    let own = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    TransactionalProducer::new(&settings.iter().map(own).collect()).unwrap()
}

fn record(value: &[u8]) -> OutgoingRecord<'_> {
    OutgoingRecord {
        topic: "out",
        partition: Some(0),
        key: None,
        value: Some(value),
        timestamp_ms: 0,
        headers: const { &Headers::new() },
    }
}

/// Sends until a record is not taken.
fn send_until_refused(producer: &TransactionalProducer) -> Error {
    let begun = Instant::now();
    loop {
        assert!(begun.elapsed() < LIMIT, "every record is taken");
        match producer.send(&record(b"value")) {
            Ok(()) => producer.try_flush(Duration::from_millis(50)),
            Err(error) => return error,
        };
    }
}

#[test]
fn after_a_record_has_timed_out_it_is_the_transaction_that_fails() {
    let cluster = MockCluster::<DefaultProducerContext>::new(1).unwrap();
    cluster.create_topic("out", 1, 1).unwrap();
    let producer = producer(&[
        ("bootstrap.servers", &cluster.bootstrap_servers()),
        ("transactional.id", "late"),
        ("transaction.timeout.ms", "5000"),
        ("message.timeout.ms", "1000"),
    ]);
    producer.init_transactions(LIMIT).unwrap();
    producer.begin_transaction().unwrap();
    producer.send(&record(b"value")).unwrap();
    assert!(producer.try_flush(LIMIT));
    cluster.broker_down(1).unwrap();
    let error = send_until_refused(&producer);
    // Not of the record: no handler is asked what becomes of it.
    assert_eq!(error.kind(), ErrorKind::Broker, "{error}");
}

#[test]
fn record_that_is_refused_is_told_from_those_given_up_with_it() {
    let cluster = MockCluster::<DefaultProducerContext>::new(1).unwrap();
    cluster.create_topic("out", 1, 1).unwrap();
    let refusal = RDKafkaRespErr::RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE;
    cluster.request_errors(RDKafkaApiKey::Produce, &[refusal]);
    let producer = producer(&[
        ("bootstrap.servers", &cluster.bootstrap_servers()),
        ("transactional.id", "large"),
        ("linger.ms", "0"),
    ]);
    producer.init_transactions(LIMIT).unwrap();
    producer.begin_transaction().unwrap();
    producer.send(&record(b"large")).unwrap();
    let error = send_until_refused(&producer);
    assert_eq!(error.kind(), ErrorKind::Broker, "{error}");
    assert!(producer.try_flush(LIMIT));
    let failure = producer.take_failure().unwrap().error;
    assert_eq!(failure.kind(), ErrorKind::Production, "{failure}");
}

#[test]
fn record_at_fault_is_reported_before_those_given_up_with_it() {
    let mut failures = Failures::default();
    let mut fail = |partition, code| {
        failures.add("out", partition, &KafkaError::MessageProduction(code));
    };
    for partition in [0, 1, 0, 1, 0] {
        fail(partition, RDKafkaErrorCode::PurgeQueue);
    }
    fail(0, RDKafkaErrorCode::InvalidRecord);
    let mut cause = || Some(FailureCause::of(&failures.take()?.error));
    let causes: Vec<_> = std::iter::from_fn(&mut cause).collect();
    assert_eq!(causes, [FailureCause::Other, FailureCause::GivenUp]);
    assert!(failures.is_empty());
}

#[test]
fn failures_of_a_partition_are_counted_for_each_reason() {
    let mut failures = Failures::default();
    for index in 0..1000 {
        let (partition, code) = match index % 4 {
            0 => (1, RDKafkaErrorCode::InvalidRecord),
            1 => (0, RDKafkaErrorCode::MessageTimedOut),
            _ => (0, RDKafkaErrorCode::InvalidRecord),
        };
        failures.add("out", partition, &KafkaError::MessageProduction(code));
    }
    let taken = std::iter::from_fn(|| failures.take());
    let taken: Vec<_> = taken
        .map(|failure| (failure.partition, failure.error.kind(), failure.records))
        .collect();
    let (refused, late) = (ErrorKind::Production, ErrorKind::Broker);
    assert_eq!(
        taken,
        [(1, refused, 250), (0, late, 250), (0, refused, 500)]
    );
}

#[test]
fn after_a_fatal_error_no_record_is_at_fault() {
    for transactional_id in [None, Some(("transactional.id", "id"))] {
        let mut settings = vec![
            ("bootstrap.servers", "127.0.0.1:1"),
            ("enable.idempotence", "true"),
        ];
        settings.extend(transactional_id);
        let producer = producer(&settings);
        producer.raise_fatal_error();
        // A handler that leaves out what is at fault would leave out all that comes from here on.
        let error = producer.send(&record(b"value")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Broker, "{error}");
    }
}

#[test]
fn record_that_the_queue_is_too_small_for_is_refused() {
    let producer = producer(&[
        ("bootstrap.servers", "127.0.0.1:1"),
        ("queue.buffering.max.kbytes", "8"),
    ]);
    let sent = producer.send(&record(&[0; 16 * 1024]));
    assert_eq!(sent.unwrap_err().kind(), ErrorKind::Production);
}
