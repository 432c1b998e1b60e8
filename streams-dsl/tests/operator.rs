//! What operators do to records: their order, headers and timestamps, and which are dropped.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use streams_dsl::serde::{ByteSerde, I64, Nullable, Utf8};
use streams_dsl::{
    Headers, KStream, Produced, Record, Rejected, Repartitioned, RetryPolicy, Retryable,
    StreamsBuilder, Topic, TopicPattern, TopologyTestDriver,
};

type Text = Topic<String, String>;

fn topic(name: &str) -> Text {
    Topic::new(name, Utf8, Utf8)
}

fn pair(key: &str, value: &str) -> (String, String) {
    (key.to_owned(), value.to_owned())
}

fn driver(builder: &StreamsBuilder) -> TopologyTestDriver {
    TopologyTestDriver::new(&builder.build().unwrap()).unwrap()
}

/// Pipes these into `in` and returns what comes out of `out`.
fn through(
    program: impl FnOnce(KStream<String, String>) -> KStream<String, String>,
    records: &[(&str, &str)],
) -> Vec<(String, String)> {
    let builder = StreamsBuilder::new();
    program(builder.stream(&topic("in"))).to(&topic("out"));
    let mut driver = driver(&builder);
    for (key, value) in records {
        let (key, value) = pair(key, value);
        driver.pipe(&topic("in"), &key, &value, 0).unwrap();
    }
    driver.read_all(&topic("out"))
}

#[test]
fn timestamps_and_headers_go_through_every_operator() {
    let builder = StreamsBuilder::new();
    let (good, _) = builder
        .stream(&topic("in"))
        .filter(|_, _| true)
        .map(|key, value| (key, value))
        .map_values(|value| value)
        .flat_map(|key, value| [(key.clone(), value.clone()), (key, value)])
        .flat_map_values(|value| [value.clone(), value])
        .select_key(|key, _| key.clone())
        .peek(|_, _| ())
        .try_map_values(|_, value| Ok::<_, String>(value));
    let mut split = good.split();
    let branch = split.branch("all", |_, _| true);
    let repartitioned = Repartitioned::new()
        .with_key_serde(Utf8)
        .with_value_serde(Utf8);
    branch.repartition(repartitioned).to(&topic("out"));
    let mut driver = driver(&builder);
    let mut headers = Headers::new();
    headers.add("trace", *b"7").add_null("empty");
    let record = Record::new("k".to_owned(), "v".to_owned(), 42).with_headers(headers);
    driver.pipe_record(&topic("in"), record.clone()).unwrap();
    for _ in 0..4 {
        assert_eq!(
            driver.read_record(&topic("out")).unwrap().as_ref(),
            Some(&record)
        );
    }
    assert_eq!(driver.unread("out"), 0);
}

#[test]
fn a_flat_map_of_nothing_sends_nothing() {
    let records = [("a", "x"), ("b", "y")];
    assert_eq!(through(|s| s.flat_map(|_, _| []), &records), []);
    assert_eq!(through(|s| s.flat_map_values(|_| Vec::new()), &records), []);
}

#[test]
fn a_record_goes_to_the_first_branch_that_takes_it() {
    let builder = StreamsBuilder::new();
    let mut split = builder.stream(&topic("in")).split();
    split
        .branch("long", |_, value| value.len() > 2)
        .to(&topic("long"));
    split
        .branch("a", |_, value| value.starts_with('a'))
        .to(&topic("a"));
    split
        .branch("again", |_, value| value.len() > 2)
        .to(&topic("again"));
    let mut driver = driver(&builder);
    for value in ["abc", "ab", "x"] {
        driver
            .pipe(&topic("in"), &"k".into(), &value.into(), 0)
            .unwrap();
    }
    assert_eq!(driver.read_all(&topic("long")), [pair("k", "abc")]);
    assert_eq!(driver.read_all(&topic("a")), [pair("k", "ab")]);
    assert_eq!(driver.read_all(&topic("again")), []);
    assert_eq!(
        driver.take_counts().dropped,
        0,
        "no branch is no drop, as on the JVM"
    );
}

#[test]
fn a_cloned_stream_is_processed_depth_first_in_the_order_of_use() {
    let builder = StreamsBuilder::new();
    let stream = builder.stream(&topic("in"));
    let twice = stream
        .clone()
        .flat_map_values(|value| [value.clone(), value]);
    twice.to(&topic("out"));
    stream
        .map_values(|value| value.to_uppercase())
        .to(&topic("out"));
    let mut driver = driver(&builder);
    for value in ["x", "y"] {
        driver
            .pipe(&topic("in"), &"k".into(), &value.into(), 0)
            .unwrap();
    }
    let values = driver
        .read_all(&topic("out"))
        .into_iter()
        .map(|(_, value)| value);
    assert_eq!(values.collect::<Vec<_>>(), ["x", "x", "X", "y", "y", "Y"]);
}

#[test]
fn a_topic_read_twice_gives_both_streams_each_record() {
    struct Unique(String);
    let builder = StreamsBuilder::new();
    for to in ["one", "other"] {
        let stream = builder.stream(&topic("in")).map_values(Unique);
        stream.map_values(|Unique(value)| value).to(&topic(to));
    }
    let mut driver = driver(&builder);
    driver
        .pipe(&topic("in"), &"k".into(), &"v".into(), 5)
        .unwrap();
    assert_eq!(driver.read_all(&topic("one")), [pair("k", "v")]);
    assert_eq!(driver.read_all(&topic("other")), [pair("k", "v")]);
}

#[test]
fn each_of_several_topics_is_read_with_its_own_serde() {
    struct Reversed;
    impl streams_dsl::serde::Serializer<String> for Reversed {
        fn serialize(
            &self,
            topic: &str,
            headers: &mut Headers,
            data: &String,
            buffer: &mut Vec<u8>,
        ) -> Result<streams_dsl::serde::Presence, streams_dsl::serde::SerdeError> {
            Utf8.serialize(topic, headers, &data.chars().rev().collect(), buffer)
        }
    }
    impl streams_dsl::serde::Deserializer<String> for Reversed {
        fn deserialize(
            &self,
            topic: &str,
            headers: &Headers,
            data: Option<&[u8]>,
        ) -> Result<String, streams_dsl::serde::SerdeError> {
            let text: String = Utf8.deserialize(topic, headers, data)?;
            Ok(text.chars().rev().collect())
        }
    }
    let topics = [topic("plain"), Topic::new("reversed", Utf8, Reversed)];
    let builder = StreamsBuilder::new();
    builder.stream(&topics).to(&topic("out"));
    let mut driver = driver(&builder);
    for topic in &topics {
        driver
            .pipe_bytes(topic.name(), Some(b"k"), Some(b"ab"), 0, Headers::new())
            .unwrap();
    }
    assert_eq!(
        driver.read_all(&topic("out")),
        [pair("k", "ab"), pair("k", "ba")]
    );
}

#[test]
fn a_pattern_reads_every_topic_that_it_matches_whole() {
    let builder = StreamsBuilder::new();
    builder
        .stream(&TopicPattern::new("in-[a-z]", Utf8, Utf8).unwrap())
        .to(&topic("out"));
    let mut driver = driver(&builder);
    driver
        .pipe(&topic("in-a"), &"k".into(), &"v".into(), 0)
        .unwrap();
    assert!(
        driver
            .pipe(&topic("in-ab"), &"k".into(), &"v".into(), 0)
            .is_err()
    );
    assert_eq!(driver.read_all(&topic("out")), [pair("k", "v")]);
}

#[test]
fn a_partitioner_can_leave_a_record_out() {
    let builder = StreamsBuilder::new();
    let by_value = |_: &str, _: &String, value: &String, _: i32| {
        if value.is_empty() {
            Some(Vec::new())
        } else {
            None
        }
    };
    let produced = Produced::new().with_partitioner(by_value);
    builder
        .stream(&topic("in"))
        .to_with(&topic("out"), produced);
    let mut driver = driver(&builder);
    for value in ["", "v"] {
        driver
            .pipe(&topic("in"), &"k".into(), &value.into(), 0)
            .unwrap();
    }
    assert_eq!(driver.read_all(&topic("out")), [pair("k", "v")]);
}

#[test]
fn null_keys_and_values_are_dropped_and_counted() {
    let input: Topic<Option<String>, Option<String>> =
        Topic::new("in", Nullable(Utf8), Nullable(Utf8));
    let builder = StreamsBuilder::new();
    builder
        .stream(&input)
        .skip_null_keys()
        .skip_null_values()
        .to(&topic("out"));
    let mut driver = driver(&builder);
    for (key, value) in [(None, Some("v")), (Some("k"), None), (Some("k"), Some("v"))] {
        let (key, value) = (key.map(str::to_owned), value.map(str::to_owned));
        driver.pipe(&input, &key, &value, 0).unwrap();
    }
    assert_eq!(driver.read_all(&topic("out")), [pair("k", "v")]);
    assert_eq!(driver.take_counts().dropped, 2);
}

#[test]
fn a_dead_letter_has_the_bytes_that_failed_and_why() {
    let raw: Topic<String, Vec<u8>> = Topic::new("raw", Utf8, ByteSerde);
    let letters: Topic<String, Vec<u8>> = Topic::new("letters", Utf8, ByteSerde);
    let builder = StreamsBuilder::new();
    let (texts, rejected) = builder
        .stream(&raw)
        .try_map_values_keeping(|_, bytes| String::from_utf8(bytes.clone()));
    texts.to(&topic("texts"));
    rejected.into_dead_letters().to(&letters);
    let mut driver = driver(&builder);
    let mut headers = Headers::new();
    headers.add("trace", *b"7");
    driver
        .pipe(&raw, &"a".into(), &b"fine".to_vec(), 1)
        .unwrap();
    let bad = Record::new("b".to_owned(), vec![0xff, 0x00], 2).with_headers(headers);
    driver.pipe_record(&raw, bad.clone()).unwrap();
    assert_eq!(driver.read_all(&topic("texts")), [pair("a", "fine")]);
    let letter = driver.read_record(&letters).unwrap().unwrap();
    assert_eq!(
        (&letter.key, &letter.value, letter.timestamp_ms),
        (&bad.key, &bad.value, 2)
    );
    let header = |name: &str| {
        let header = letter
            .headers
            .last(name)
            .unwrap_or_else(|| panic!("no header {name}"));
        String::from_utf8(header.value.clone().unwrap().into_vec()).unwrap()
    };
    assert_eq!(header("trace"), "7");
    assert_eq!(header("__streams.errors.topic"), "raw");
    assert_eq!(header("__streams.errors.partition"), "0");
    assert_eq!(header("__streams.errors.offset"), "1");
    assert!(header("__streams.errors.exception").ends_with("FromUtf8Error"));
    assert!(header("__streams.errors.message").starts_with("invalid utf-8"));
    assert_eq!(driver.take_counts().dropped, 0);
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Trouble {
    Down,
    Wrong,
}

impl Retryable for Trouble {
    fn is_temporary(&self) -> bool {
        *self == Self::Down
    }
}

/// Calls a step that answers like `answers`, one after the other; returns what came of it, how
/// often it was called, and how long it waited.
fn retry(answers: &'static [Result<&str, Trouble>]) -> (Option<String>, String, u32, i64) {
    let rejections: Topic<String, i64> = Topic::new("rejections", Utf8, I64);
    let calls = Arc::new(AtomicU32::new(0));
    let builder = StreamsBuilder::new();
    let policy = RetryPolicy::new(3, Duration::from_millis(100));
    let counter = Arc::clone(&calls);
    let (good, rejected) =
        builder
            .stream(&topic("in"))
            .try_map_values_retrying(policy, move |_, _| {
                let call = counter.fetch_add(1, Ordering::SeqCst) as usize;
                answers[call].clone().map(str::to_owned)
            });
    good.to(&topic("good"));
    let rejected = rejected.map(
        |_,
         Rejected {
             value,
             error,
             retries,
         }| { (format!("{value} {error:?}"), i64::from(retries)) },
    );
    rejected.to(&rejections);
    let mut driver = driver(&builder);
    driver
        .pipe(&topic("in"), &"k".into(), &"v".into(), 0)
        .unwrap();
    let good = driver.read(&topic("good")).map(|(_, value)| value);
    let rejected = driver.read(&rejections);
    let rejected = rejected.map_or(String::new(), |(what, retries)| format!("{what} {retries}"));
    (
        good,
        rejected,
        calls.load(Ordering::SeqCst),
        driver.wall_clock_ms(),
    )
}

#[test]
fn a_temporary_failure_is_tried_again_with_doubling_waits() {
    let answers = &[Err(Trouble::Down), Err(Trouble::Down), Ok("there")];
    assert_eq!(
        retry(answers),
        (Some("there".into()), String::new(), 3, 300)
    );
}

#[test]
fn a_permanent_failure_is_not_tried_again() {
    let answers = &[Err(Trouble::Down), Err(Trouble::Wrong)];
    assert_eq!(retry(answers), (None, "v Wrong 1".into(), 2, 100));
}

#[test]
fn a_failure_that_does_not_pass_is_rejected_after_the_last_try() {
    let answers = &[const { Err(Trouble::Down) }; 4];
    assert_eq!(retry(answers), (None, "v Down 3".into(), 4, 700));
}

#[test]
fn both_streams_of_a_fallible_step_keep_the_order() {
    let builder = StreamsBuilder::new();
    let (even, odd) = builder.stream(&topic("in")).try_map_values(|key, value| {
        let (key, length) = (key.clone(), value.len());
        if length % 2 == 0 {
            Ok(value)
        } else {
            Err(format!("{key} {length}"))
        }
    });
    even.merge(odd).to(&topic("out"));
    let mut driver = driver(&builder);
    for value in ["", "a", "bb", "ccc"] {
        driver
            .pipe(&topic("in"), &"k".into(), &value.into(), 0)
            .unwrap();
    }
    let values = driver
        .read_all(&topic("out"))
        .into_iter()
        .map(|(_, value)| value);
    assert_eq!(values.collect::<Vec<_>>(), ["", "k 1", "bb", "k 3"]);
}

#[test]
fn a_stream_needs_repartitioning_from_the_change_of_its_key_to_the_next_topic() {
    let builder = StreamsBuilder::new();
    let stream = builder
        .stream(&topic("in"))
        .filter(|_, _| true)
        .map_values(|value| value);
    assert!(!stream.is_repartition_required());
    let rekeyed = stream.select_key(|_, value| value.clone()).peek(|_, _| ());
    assert!(rekeyed.is_repartition_required());
    let merged = builder.stream(&topic("other")).merge(rekeyed);
    assert!(merged.is_repartition_required());
    let repartitioned = merged.repartition(Repartitioned::new());
    assert!(!repartitioned.is_repartition_required());
    assert!(
        builder
            .stream(&topic("third"))
            .map(|k, v| (k, v))
            .is_repartition_required()
    );
}
