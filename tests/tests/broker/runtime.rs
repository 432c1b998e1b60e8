//! The run time on a real broker: groups, transactions, errors.

use std::error::Error;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use streams_core::processor::{
    ErrorContext, ExceptionHandler, HandlerResponse, Processor, ProcessorContext, ProcessorError,
    SinkTopic, StreamsHandlers,
};
use streams_core::serde::Utf8;
use streams_core::topology::{Sink, Source};
use streams_core::{
    KafkaStreams, Record, RecordMetadata, State, StreamsConfig, Topology, TopologyBuilder,
    UncaughtErrorResponse,
};
use streams_tests::{Cluster, Expectation, Message, wait_until};

const LIMIT: Duration = Duration::from_secs(60);

/// Forwards every record, and fails on the value `bad`.
struct Relay;

impl Processor<String, String, String, String> for Relay {
    fn process(
        &mut self,
        context: &mut ProcessorContext<'_, String, String>,
        record: Record<String, String>,
    ) -> Result<(), ProcessorError> {
        if record.value == "bad" {
            return Err("the value is bad".into());
        }
        context.forward(record);
        Ok(())
    }
}

fn relay(input: &str, output: &str) -> Topology {
    let mut builder = TopologyBuilder::new();
    let source = Source::topics([input], Arc::new(Utf8), Arc::new(Utf8));
    let source = builder.add_source("source", source).unwrap();
    let relay = builder.add_processor("relay", || Relay, &[source]).unwrap();
    let topic = SinkTopic::Fixed(output.into());
    let sink = Sink::new(topic, Arc::new(Utf8), Arc::new(Utf8));
    builder.add_sink("sink", sink, &[relay]).unwrap();
    builder.build().unwrap()
}

struct App {
    streams: KafkaStreams,
    _folder: tempfile::TempDir,
}

impl App {
    fn start(cluster: &Cluster, id: &str, topology: Topology, settings: &[(&str, &str)]) -> Self {
        let mut app = Self::new(cluster, id, topology, settings);
        app.streams.start().unwrap();
        app
    }

    fn new(cluster: &Cluster, id: &str, topology: Topology, settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = StreamsConfig::builder()
            .set("application.id", id)
            .set("bootstrap.servers", cluster.bootstrap_servers())
            .set("state.dir", folder.path().display().to_string())
            .set("processing.guarantee", "exactly_once_v2")
            .set("session.timeout.ms", "6000")
            .set("heartbeat.interval.ms", "500")
            .set_all(settings.iter().copied())
            .build()
            .unwrap();
        let streams = KafkaStreams::new(topology, config).unwrap();
        Self {
            streams,
            _folder: folder,
        }
    }

    fn await_running(&self) {
        assert_eq!(
            self.streams.wait_for_state(State::Running, LIMIT),
            State::Running
        );
    }
}

fn numbers(count: usize) -> Expectation {
    let mut expected = Expectation::default();
    for number in 0..count {
        expected.push(format!("key-{}", number % 37), number.to_string());
    }
    expected
}

#[test]
fn every_record_comes_out_once_and_the_lag_ends_at_zero() {
    for guarantee in ["exactly_once_v2", "at_least_once"] {
        let cluster = Cluster::shared();
        let (input, output) = (cluster.topic("in", 4), cluster.topic("out", 4));
        let expected = numbers(2_000);
        cluster.produce(&input, expected.records());
        let id = cluster.unique("relay");
        let settings = [
            ("processing.guarantee", guarantee),
            ("num.stream.threads", "2"),
        ];
        let mut app = App::start(&cluster, &id, relay(&input, &output), &settings);
        expected.assert_topic(&cluster, &output, LIMIT);
        app.await_running();
        assert!(app.streams.close(Duration::from_secs(5)));
        assert_eq!(app.streams.state(), State::NotRunning);
        assert_eq!(cluster.committed(&id, &input), cluster.end_offsets(&input));
        assert!(cluster.group_members(&id).is_empty());
    }
}

#[test]
fn members_that_come_and_go_share_the_partitions() {
    let cluster = Cluster::shared();
    let (input, output) = (cluster.topic("in", 4), cluster.topic("out", 4));
    let id = cluster.unique("relay");
    let topology = relay(&input, &output);
    let expected = numbers(4_000);
    let records = expected.records();
    let mut first = App::start(&cluster, &id, topology.clone(), &[]);
    cluster.produce(&input, records[..1_000].to_vec());
    first.await_running();
    let mut second = App::start(&cluster, &id, topology.clone(), &[]);
    cluster.produce(&input, records[1_000..2_000].to_vec());
    second.await_running();
    cluster.wait_for_members(&id, 2, LIMIT);
    cluster.produce(&input, records[2_000..3_000].to_vec());
    assert!(first.streams.close(Duration::from_secs(5)));
    cluster.produce(&input, records[3_000..].to_vec());
    expected.assert_topic(&cluster, &output, LIMIT);
    assert!(second.streams.close(Duration::from_secs(5)));
}

#[test]
fn failed_record_goes_to_the_dead_letter_topic_with_its_cause_and_its_bytes() {
    let cluster = Cluster::shared();
    let (input, output) = (cluster.topic("in", 1), cluster.topic("out", 1));
    let dead = cluster.topic("dead", 1);
    cluster.produce(&input, [("a", "1"), ("b", "bad"), ("c", "3")]);
    let settings = [
        ("processing.exception.handler", "dead-letter"),
        ("errors.dead.letter.queue.topic.name", dead.as_str()),
    ];
    let id = cluster.unique("relay");
    let mut app = App::start(&cluster, &id, relay(&input, &output), &settings);
    let good = cluster.read_count(&output, 2, LIMIT);
    assert_eq!(
        good.iter().map(Message::key_text).collect::<Vec<_>>(),
        ["a", "c"]
    );
    let letters = cluster.read_count(&dead, 1, LIMIT);
    assert_eq!(letters[0].key_text(), "b");
    assert_eq!(letters[0].value.as_deref(), Some(&b"bad"[..]));
    let header = |name: &str| letters[0].header(name).unwrap_or_default();
    assert_eq!(header("__streams.errors.message"), "the value is bad");
    assert_eq!(header("__streams.errors.topic"), input);
    assert_eq!(header("__streams.errors.partition"), "0");
    assert_eq!(header("__streams.errors.offset"), "1");
    assert!(app.streams.close(Duration::from_secs(5)));
}

#[test]
fn failed_thread_is_replaced_or_ends_the_application_as_its_handler_says() {
    let cluster = Cluster::shared();
    let (input, output) = (cluster.topic("in", 1), cluster.topic("out", 1));
    cluster.produce(&input, [("a", "1"), ("b", "bad")]);
    let failures = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&failures);
    let mut app = App::new(
        &cluster,
        &cluster.unique("relay"),
        relay(&input, &output),
        &[],
    );
    app.streams = app.streams.with_uncaught_error_handler(move |_| {
        match seen.fetch_add(1, Ordering::SeqCst) {
            0 => UncaughtErrorResponse::ReplaceThread,
            _ => UncaughtErrorResponse::ShutdownClient,
        }
    });
    app.streams.start().unwrap();
    assert_eq!(
        app.streams.wait_for_state(State::Error, LIMIT),
        State::Error
    );
    assert_eq!(failures.load(Ordering::SeqCst), 2);
    let error = app.streams.error().unwrap().to_string();
    assert!(
        error.contains("node=relay") && error.contains("the value is bad"),
        "{error}"
    );
}

#[test]
fn missing_source_topic_ends_the_application_with_its_name() {
    let cluster = Cluster::shared();
    let output = cluster.topic("out", 1);
    let id = cluster.unique("relay");
    let app = App::start(&cluster, &id, relay("no-such-topic", &output), &[]);
    assert_eq!(
        app.streams.wait_for_state(State::Error, LIMIT),
        State::Error
    );
    let error = app.streams.error().unwrap();
    assert_eq!(error.kind(), streams_core::ErrorKind::Config);
    assert!(error.to_string().contains("no-such-topic"), "{error}");
}

#[test]
fn record_that_the_broker_refuses_ends_the_application_instead_of_being_tried_for_ever() {
    let cluster = Cluster::shared();
    let (input, output) = (cluster.topic("in", 1), cluster.unique("small"));
    cluster.create_topic(&output, 1, &[("max.message.bytes", "1000")]);
    cluster.produce(&input, [("a", "x".repeat(5_000))]);
    let id = cluster.unique("relay");
    let app = App::start(&cluster, &id, relay(&input, &output), &[]);
    assert_eq!(
        app.streams.wait_for_state(State::Error, LIMIT),
        State::Error
    );
    let error = app.streams.error().unwrap();
    assert_eq!(error.kind(), streams_core::ErrorKind::Production);
    assert!(error.to_string().contains(&output), "{error}");
}

/// Sends what is `large` to a topic of its own.
fn sort_out(input: &str, large: &str, output: &str) -> Topology {
    let mut builder = TopologyBuilder::new();
    let source = Source::topics([input], Arc::new(Utf8), Arc::new(Utf8));
    let source = builder.add_source("source", source).unwrap();
    let (large, output): (Arc<str>, Arc<str>) = (large.into(), output.into());
    let topic = move |record: &Record<String, String>, _: Option<RecordMetadata<'_>>| {
        Arc::clone(if record.key == "large" {
            &large
        } else {
            &output
        })
    };
    let topic = SinkTopic::Extracted(Arc::new(topic));
    let sink = Sink::new(topic, Arc::new(Utf8), Arc::new(Utf8));
    builder.add_sink("sink", sink, &[source]).unwrap();
    builder.build().unwrap()
}

/// Notes the topics of records that the broker refuses, and leaves them out.
#[derive(Default)]
struct Refused(Mutex<Vec<String>>);

impl ExceptionHandler for Refused {
    fn handle(&self, context: &ErrorContext<'_>, _: &(dyn Error + 'static)) -> HandlerResponse {
        self.0.lock().unwrap().push(context.topic.to_owned());
        HandlerResponse::Continue
    }
}

#[test]
fn refused_record_is_named_although_those_behind_it_fail_with_it() {
    let cluster = Cluster::shared();
    let (input, output) = (cluster.topic("in", 2), cluster.topic("out", 2));
    let large = cluster.unique("large");
    cluster.create_topic(&large, 1, &[("max.message.bytes", "1000")]);
    cluster.produce(&input, [("large", "x".repeat(5_000))]);
    let settings = [("commit.interval.ms", "3000"), ("producer.linger.ms", "0")];
    let id = cluster.unique("sorter");
    let mut app = App::new(&cluster, &id, sort_out(&input, &large, &output), &settings);
    let refused = Arc::new(Refused::default());
    app.streams = app.streams.with_handlers(StreamsHandlers {
        production: Arc::clone(&refused) as _,
        ..StreamsHandlers::default()
    });
    app.streams.start().unwrap();
    // Both tasks have something to send at any time between two commits.
    wait_until("the application has ended", LIMIT, || {
        let small = (0..1_000).map(|number| (format!("key-{number}"), number.to_string()));
        cluster.produce(&input, small);
        (app.streams.state() == State::Error).then_some(())
    });
    let error = app.streams.error().unwrap();
    assert_eq!(error.kind(), streams_core::ErrorKind::Production, "{error}");
    assert!(error.to_string().contains(&large), "{error}");
    assert_eq!(*refused.0.lock().unwrap(), [large]);
}

#[test]
fn paused_application_rests_and_goes_on_when_it_is_resumed() {
    let cluster = Cluster::shared();
    let (input, output) = (cluster.topic("in", 2), cluster.topic("out", 2));
    let expected = numbers(20_000);
    let id = cluster.unique("relay");
    let app = App::start(&cluster, &id, relay(&input, &output), &[]);
    app.await_running();
    app.streams.pause();
    cluster.produce(&input, expected.records());
    cluster.wait_for_members(&id, 1, LIMIT);
    assert!(cluster.read_settled(&output, LIMIT).is_empty());
    app.streams.resume();
    expected.assert_topic(&cluster, &output, LIMIT);
}
