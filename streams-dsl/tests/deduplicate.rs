//! Streams without their duplicates: KIP-655 by example and against a naive reference. The JVM has
//! no release to capture; the examples are the KIP's and those of its draft's tests.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use streams_dsl::serde::{I64, Utf8};
use streams_dsl::{
    Deduplicated, Headers, KStream, KeyValueStore, Record, Result, StreamsBuilder, Topic,
    TopologyTestDriver,
};

type Texts = KStream<String, String>;

const INTERVAL_MS: i64 = 100;
const INTERVAL: Duration = Duration::from_millis(INTERVAL_MS as u64);
/// The store of an operator that follows the source.
const STORE: &str = "KSTREAM-DEDUPLICATE-STATE-STORE-0000000001";

fn topic(name: &str) -> Topic<String, String> {
    Topic::new(name, Utf8, Utf8)
}

fn driver(deduplicate: impl FnOnce(Texts) -> Texts) -> TopologyTestDriver {
    let builder = StreamsBuilder::new();
    deduplicate(builder.stream(&topic("in"))).to(&topic("out"));
    TopologyTestDriver::new(&builder.build().unwrap()).unwrap()
}

fn by_key() -> TopologyTestDriver {
    driver(|stream| stream.deduplicate_by_key(INTERVAL))
}

/// Records are told by their values beside their keys; `-` stands for nothing.
fn by_key_value() -> TopologyTestDriver {
    driver(|stream| {
        stream.deduplicate_by_key_value(Utf8, INTERVAL, |_, value| {
            (value != "-").then(|| value.clone())
        })
    })
}

/// Which of these records pass, by their places.
fn passing(driver: &mut TopologyTestDriver, records: &[(&str, &str, i64)]) -> Vec<usize> {
    let mut places = Vec::new();
    for (place, (key, value, timestamp_ms)) in records.iter().enumerate() {
        let (key, value) = ((*key).to_owned(), (*value).to_owned());
        let input = topic("in");
        driver.pipe(&input, &key, &value, *timestamp_ms).unwrap();
        let passed = driver.read_all(&topic("out"));
        assert!(passed.is_empty() || passed == [(key, value)]);
        places.extend((!passed.is_empty()).then_some(place));
    }
    places
}

/// Which of the records of these keys and times pass, by the key alone.
fn passing_by_key(records: &[(&str, i64)]) -> Vec<usize> {
    let records = records.iter().map(|(key, time_ms)| (*key, "v", *time_ms));
    let records = records.collect::<Vec<_>>();
    let alone = passing(&mut by_key(), &records);
    // What has the same value is told by its key in the other form too.
    assert_eq!(passing(&mut by_key_value(), &records), alone);
    alone
}

#[test]
fn both_ends_of_the_interval_belong_to_it() {
    assert_eq!(passing_by_key(&[("k", 0), ("k", 100)]), [0]);
    assert_eq!(passing_by_key(&[("k", 0), ("k", 101)]), [0, 1]);
    assert_eq!(passing_by_key(&[("k", 100), ("k", 0)]), [0]);
    assert_eq!(passing_by_key(&[("k", 101), ("k", 0)]), [0, 1]);
}

#[test]
fn what_is_left_out_does_not_lengthen_the_interval() {
    // KIP-655: 8 s after the first and 11 s after it, with an interval of 10 s.
    assert_eq!(passing_by_key(&[("k", 0), ("k", 80), ("k", 110)]), [0, 2]);
    assert_eq!(passing_by_key(&[("k", 110), ("k", 30), ("k", 0)]), [0, 2]);
}

#[test]
fn keys_do_not_know_of_each_other() {
    let records = [("a", 0), ("b", 0), ("a", 50), ("b", 50)];
    assert_eq!(passing_by_key(&records), [0, 1]);
}

#[test]
fn record_out_of_order_is_left_out_near_one_that_is_known() {
    assert_eq!(passing_by_key(&[("k", 50), ("k", 30)]), [0]);
    // Late as it is: KIP-655's k1 at 10 s, k2 at 20 s, k1 at 9 s.
    assert_eq!(passing_by_key(&[("a", 100), ("b", 200), ("a", 90)]), [0, 1]);
    // One millisecond later the first would have been forgotten.
    let records = [("a", 100), ("b", 201), ("a", 90)];
    assert_eq!(passing_by_key(&records), [0, 1, 2]);
}

#[test]
fn late_record_passes_and_is_not_remembered() {
    assert_eq!(passing_by_key(&[("k", 200), ("k", 50)]), [0, 1]);
    let records = [("other", 200), ("k", 50), ("k", 50), ("k", 10)];
    assert_eq!(passing_by_key(&records), [0, 1, 2, 3]);
    // The first that is not late is remembered.
    let records = [("other", 200), ("k", 99), ("k", 100), ("k", 100)];
    assert_eq!(passing_by_key(&records), [0, 1, 2]);
    // It does not take the place of what is known.
    let records = [("k", 300), ("k", 150), ("k", 320), ("k", 350)];
    assert_eq!(passing_by_key(&records), [0, 1]);
}

#[test]
fn time_goes_on_with_records_that_are_left_out() {
    // By the third record the first of `b` is forgotten.
    let records = [("a", 100), ("b", 40), ("a", 200), ("b", 99)];
    assert_eq!(passing_by_key(&records), [0, 1, 3]);
}

#[test]
fn zero_interval_leaves_out_what_has_the_same_time() {
    let mut driver = driver(|stream| stream.deduplicate_by_key(Duration::ZERO));
    let records = [("k", "v", 5), ("k", "v", 5), ("k", "v", 6), ("k", "v", 5)];
    assert_eq!(passing(&mut driver, &records), [0, 2, 3]);
}

#[test]
fn endless_interval_leaves_out_all_but_the_first() {
    let mut driver = driver(|stream| stream.deduplicate_by_key(Duration::MAX));
    let far = 1 << 60;
    let records = [("k", "v", 5), ("k", "v", far), ("k", "v", 0), ("l", "v", 0)];
    assert_eq!(passing(&mut driver, &records), [0, 3]);
}

#[test]
fn key_and_value_tell_records_together() {
    let records = [
        ("a", "1", 0),
        ("a", "2", 0),
        ("b", "1", 0),
        ("a", "1", 50),
        ("a", "-", 50),
        ("a", "-", 50),
        ("a1", "", 50),
    ];
    assert_eq!(passing(&mut by_key_value(), &records), [0, 1, 2, 4, 5, 6]);
    // The end of a key is not taken for the beginning of what follows.
    let records = [("a", "bc", 0), ("ab", "c", 0)];
    assert_eq!(passing(&mut by_key_value(), &records), [0, 1]);
}

#[test]
fn record_passes_as_it_is_and_others_are_counted_as_dropped() {
    let mut driver = by_key();
    let mut headers = Headers::new();
    headers.add("trace", *b"7");
    for value in ["one", "other"] {
        let record = Record::new("k".to_owned(), value.to_owned(), 17);
        let record = record.with_headers(headers.clone());
        driver.pipe_record(&topic("in"), record).unwrap();
    }
    let passed = driver.read_record(&topic("out")).unwrap().unwrap();
    assert_eq!((passed.value.as_str(), passed.timestamp_ms), ("one", 17));
    assert_eq!(passed.headers, headers);
    assert_eq!(driver.take_counts().dropped, 1);
}

#[test]
fn duplicates_of_one_source_record_are_left_out() {
    let mut driver = driver(|stream| {
        let stream = stream.flat_map_values(|text| {
            let words = text.split(' ').map(str::to_owned);
            words.collect::<Vec<_>>()
        });
        stream.deduplicate_by_key_value(Utf8, INTERVAL, |_, word| Some(word.clone()))
    });
    let (key, value) = ("k".to_owned(), "a b a a b".to_owned());
    driver.pipe(&topic("in"), &key, &value, 0).unwrap();
    let words = ["a", "b"].map(|word| (key.clone(), word.to_owned()));
    assert_eq!(driver.read_all(&topic("out")), words);
}

#[test]
fn duplicates_of_equal_offsets_in_other_topics_are_left_out() {
    let (one, other) = (topic("one"), topic("other"));
    let builder = StreamsBuilder::new();
    let both = builder.stream(&one).merge(builder.stream(&other));
    both.deduplicate_by_key(INTERVAL).to(&topic("out"));
    let mut driver = TopologyTestDriver::new(&builder.build().unwrap()).unwrap();
    for topic in [&one, &other] {
        driver.pipe(topic, &"k".into(), &"v".into(), 0).unwrap();
    }
    assert_eq!(driver.unread("out"), 1);
}

/// By the book: every record that has passed is known until any record is more than the interval
/// younger, and what was that old already is not.
fn reference(records: &[(&str, &str, i64)], with_value: bool) -> Vec<usize> {
    let (mut known, mut places): (Vec<(&str, &str, i64)>, _) = (Vec::new(), Vec::new());
    let mut now = i64::MIN;
    for (place, (key, value, time)) in records.iter().enumerate() {
        now = now.max(*time);
        known.retain(|(_, _, known_time)| now - known_time <= INTERVAL_MS);
        let has_id = !with_value || *value != "-";
        let is_duplicate = known.iter().any(|(known_key, known_value, known_time)| {
            let is_same = known_key == key && (!with_value || known_value == value);
            is_same && (known_time - time).abs() <= INTERVAL_MS
        });
        if has_id && is_duplicate {
            continue;
        }
        places.push(place);
        if has_id && now - time <= INTERVAL_MS {
            known.push((*key, *value, *time));
        }
    }
    places
}

/// Records whose times move on, and back by more than the interval.
fn records() -> impl Strategy<Value = Vec<(&'static str, &'static str, i64)>> {
    let key = prop_oneof![Just("a"), Just("b"), Just("c")];
    let value = prop_oneof![Just("x"), Just("y"), Just("-")];
    let step = prop_oneof![0..60_i64, Just(100), Just(101), -60..0_i64, -250..0_i64];
    vec((key, value, step), 1..80).prop_map(|records| {
        let mut now = 1_000;
        let records = records.into_iter().map(|(key, value, step)| {
            let time = now + step;
            now = now.max(time);
            (key, value, time)
        });
        records.collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn streams_are_rid_of_duplicates_as_by_the_book(records in records()) {
        prop_assert_eq!(passing(&mut by_key(), &records), reference(&records, false));
        prop_assert_eq!(passing(&mut by_key_value(), &records), reference(&records, true));
    }
}

fn describe(deduplicate: impl FnOnce(Texts) -> Texts) -> String {
    let builder = StreamsBuilder::new();
    deduplicate(builder.stream(&topic("in"))).to(&topic("out"));
    builder.build().unwrap().describe()
}

#[test]
fn operator_and_store_have_names_with_numbers() {
    let expected = "Topologies:\n   Sub-topology: 0\n    \
        Source: KSTREAM-SOURCE-0000000000 (topics: [in])\n      \
        --> KSTREAM-DEDUPLICATE-0000000002\n    \
        Processor: KSTREAM-DEDUPLICATE-0000000002 \
        (stores: [KSTREAM-DEDUPLICATE-STATE-STORE-0000000001])\n      \
        --> KSTREAM-SINK-0000000003\n      <-- KSTREAM-SOURCE-0000000000\n    \
        Sink: KSTREAM-SINK-0000000003 (topic: out)\n      \
        <-- KSTREAM-DEDUPLICATE-0000000002\n\n";
    assert_eq!(
        describe(|stream| stream.deduplicate_by_key(INTERVAL)),
        expected
    );
    let by_value = |stream: Texts| {
        stream.deduplicate_by_key_value(Utf8, INTERVAL, |_, value| Some(value.clone()))
    };
    assert_eq!(describe(by_value), expected);
}

#[test]
fn operator_and_store_can_be_named() {
    let named =
        |deduplicated| describe(|stream| stream.deduplicate_by_key_with(INTERVAL, deduplicated));
    let text = named(Deduplicated::new().named("once"));
    assert!(text.contains("Processor: once (stores: [once])"), "{text}");
    let text = named(Deduplicated::new().named("once").with_store_name("seen"));
    assert!(text.contains("Processor: once (stores: [seen])"), "{text}");
    let text = named(Deduplicated::new().with_store_name("seen"));
    let expected = "Processor: KSTREAM-DEDUPLICATE-0000000001 (stores: [seen])";
    assert!(text.contains(expected), "{text}");
    let text = describe(|stream| stream.deduplicate_by_key(INTERVAL).named("once"));
    assert!(text.contains("Processor: once (stores: [once])"), "{text}");
}

#[test]
fn changed_keys_come_together_through_a_topic() {
    let by_length = |stream: Texts| {
        let stream = stream.select_key(|_, word| word.len().to_string());
        let deduplicated = Deduplicated::new().with_key_serde(Utf8);
        stream.deduplicate_by_key_with(INTERVAL, deduplicated)
    };
    let store = "KSTREAM-DEDUPLICATE-STATE-STORE-0000000002";
    let expected = format!(
        "Topologies:\n   Sub-topology: 0\n    \
        Source: KSTREAM-SOURCE-0000000000 (topics: [in])\n      \
        --> KSTREAM-KEY-SELECT-0000000001\n    \
        Processor: KSTREAM-KEY-SELECT-0000000001 (stores: [])\n      \
        --> KSTREAM-FILTER-0000000005\n      <-- KSTREAM-SOURCE-0000000000\n    \
        Processor: KSTREAM-FILTER-0000000005 (stores: [])\n      \
        --> KSTREAM-SINK-0000000004\n      <-- KSTREAM-KEY-SELECT-0000000001\n    \
        Sink: KSTREAM-SINK-0000000004 (topic: {store}-repartition)\n      \
        <-- KSTREAM-FILTER-0000000005\n\n  \
        Sub-topology: 1\n    \
        Source: KSTREAM-SOURCE-0000000006 (topics: [{store}-repartition])\n      \
        --> KSTREAM-DEDUPLICATE-0000000003\n    \
        Processor: KSTREAM-DEDUPLICATE-0000000003 (stores: [{store}])\n      \
        --> KSTREAM-SINK-0000000007\n      <-- KSTREAM-SOURCE-0000000006\n    \
        Sink: KSTREAM-SINK-0000000007 (topic: out)\n      \
        <-- KSTREAM-DEDUPLICATE-0000000003\n\n"
    );
    assert_eq!(describe(by_length), expected);
    let named = describe(|stream| by_length(stream).named("once"));
    assert!(named.contains("(topic: once-repartition)"), "{named}");
    let mut driver = driver(by_length);
    for (time, word) in ["ash", "oak", "alder"].into_iter().enumerate() {
        let (key, word) = (time.to_string(), word.to_owned());
        driver.pipe(&topic("in"), &key, &word, time as i64).unwrap();
    }
    let expected = [("3", "ash"), ("5", "alder")].map(|(key, word)| (key.into(), word.into()));
    assert_eq!(driver.read_all(&topic("out")), expected);
}

#[test]
fn what_follows_needs_no_other_topic() {
    let stream = StreamsBuilder::new().stream(&topic("in"));
    let stream = stream.select_key(|_, word| word.clone());
    assert!(stream.is_repartition_required());
    let deduplicated = Deduplicated::new().with_key_serde(Utf8);
    let stream = stream.deduplicate_by_key_with(INTERVAL, deduplicated);
    assert!(!stream.is_repartition_required());
}

#[test]
fn missing_serde_is_told_with_the_operator() {
    let failure = |deduplicate: fn(Texts) -> Texts| {
        let builder = StreamsBuilder::new();
        deduplicate(builder.stream(&topic("in"))).to(&topic("out"));
        builder.build().unwrap_err().to_string()
    };
    let error = failure(|stream| {
        let stream = stream.flat_map(|key, value| [(key, value)]);
        stream.deduplicate_by_key(INTERVAL)
    });
    assert!(
        error.contains("repartitions, but has no key serde"),
        "{error}"
    );
    let error = failure(|stream| {
        let select = |_: &String, value: &String| Some(value.clone());
        stream.deduplicate_by_key_value_with(INTERVAL, Deduplicated::new(), select)
    });
    let expected = "node KSTREAM-DEDUPLICATE-0000000002 remembers records, but has no id serde";
    assert!(error.contains(expected), "{error}");
}

/// The changelog's records of the store: key, whether it is a tombstone, and time.
fn changes(driver: &mut TopologyTestDriver) -> Vec<(Vec<u8>, bool, i64)> {
    let topic = format!("test-app-{STORE}-changelog");
    let records = std::iter::from_fn(|| driver.read_bytes(&topic));
    let changes = records.map(|record| {
        let key = record.key().unwrap_or_default().to_vec();
        (key, record.value().is_none(), record.timestamp_ms)
    });
    changes.collect()
}

#[test]
fn what_passes_is_logged_and_nothing_else() {
    let mut driver = by_key();
    let records = [
        ("a", "v", 200),
        ("a", "v", 210),
        ("b", "v", 220),
        ("c", "v", 7),
    ];
    assert_eq!(passing(&mut driver, &records), [0, 2, 3]);
    let expected = [("a", 200), ("b", 220)];
    let expected = expected.map(|(key, time_ms)| (key.as_bytes().to_vec(), false, time_ms));
    assert_eq!(changes(&mut driver), expected);
    let seen = KeyValueStore::<String, Vec<u8>>::new(STORE);
    let seen = driver.stores().timestamped_key_value(&seen).unwrap();
    let times = seen
        .all()
        .map(|entry| entry.map(|(key, seen)| (key, seen.timestamp_ms)));
    let times: Vec<_> = times.collect::<Result<_>>().unwrap();
    assert_eq!(times, [("a".to_owned(), 200), ("b".to_owned(), 220)]);
}

#[test]
fn state_is_bounded_by_the_interval() {
    let mut driver = by_key();
    let mut kept = BTreeSet::new();
    for time_ms in 0..20 * INTERVAL_MS {
        let (key, value) = (time_ms.to_string(), "v".to_owned());
        driver.pipe(&topic("in"), &key, &value, time_ms).unwrap();
        for (key, is_tombstone, _) in changes(&mut driver) {
            match is_tombstone {
                true => assert!(kept.remove(&key)),
                false => assert!(kept.insert(key)),
            }
        }
        // Those of the interval, and what is yet to be deleted.
        assert!(kept.len() as i64 <= 2 * INTERVAL_MS + 256);
    }
    assert_eq!(driver.unread("out") as i64, 20 * INTERVAL_MS);
}

#[test]
fn store_may_have_no_changelog() {
    let mut driver = driver(|stream| {
        let deduplicated = Deduplicated::new().without_logging();
        stream.deduplicate_by_key_with(INTERVAL, deduplicated)
    });
    assert_eq!(passing(&mut driver, &[("k", "v", 0), ("k", "v", 1)]), [0]);
    assert_eq!(driver.written_topics(), ["out"]);
}

#[test]
fn keys_of_any_type_are_told_by_their_bytes() {
    let (numbers, out) = (
        Topic::<i64, i64>::new("in", I64, I64),
        Topic::new("out", I64, I64),
    );
    let builder = StreamsBuilder::new();
    builder
        .stream(&numbers)
        .deduplicate_by_key(INTERVAL)
        .to(&out);
    let mut driver = TopologyTestDriver::new(&builder.build().unwrap()).unwrap();
    for (key, time_ms) in [(1, 0), (256, 0), (1, 1)] {
        driver.pipe(&numbers, &key, &time_ms, time_ms).unwrap();
    }
    assert_eq!(driver.read_all(&out), [(1, 0), (256, 0)]);
}
