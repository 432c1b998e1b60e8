//! The encoder against what the real Debezium 3.7 sent for the same rows, byte for byte.
//!
//! The scenarios stand in `tests/conformance/debezium`: a connector's JSON, the catalogue, the rows
//! that a snapshot reads and the pgoutput messages that follow, and the records that came of them.
//! Only what differs from run to run is masked: clocks, positions, ids.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a capture that is broken fails the test"
)]

#[path = "debezium/capture.rs"]
mod capture;
#[path = "debezium/mask.rs"]
mod mask;
#[path = "debezium/pgoutput.rs"]
mod pgoutput;
#[path = "debezium/replay.rs"]
mod replay;

use std::collections::BTreeMap;

use capture::{Capture, ExpectedRecord};
use cdc_source::config::ConnectorConfig;
use cdc_source::envelope::{EnvelopeEncoder, OutgoingRecord};
use mask::Mask;
use replay::Replay;

/// One record in a comparable form.
fn ours(record: &OutgoingRecord) -> ExpectedRecord {
    let text = |bytes: &Vec<u8>| String::from_utf8(bytes.clone()).unwrap();
    ExpectedRecord {
        topic: record.topic.to_string(),
        key: record.key.as_ref().map(text),
        value: record.value.as_ref().map(text),
        headers: record
            .headers
            .iter()
            .map(|header| {
                let value = header.value.as_ref().map(|bytes| text(&bytes.to_vec()));
                (header.key.to_string(), value)
            })
            .collect(),
    }
}

fn by_topic(
    records: Vec<ExpectedRecord>,
    differences: Differences<'_>,
) -> BTreeMap<String, Vec<ExpectedRecord>> {
    let mask = Mask::new(differences.columns);
    let mut topics: BTreeMap<String, Vec<ExpectedRecord>> = BTreeMap::new();
    for record in records {
        if !differences.topics.contains(&record.topic.as_str()) {
            let record = mask.apply(with_shortest(record, differences.floats));
            topics.entry(record.topic.clone()).or_default().push(record);
        }
    }
    topics
}

/// The record with the shortest digits where Java before 19 has others.
fn with_shortest(mut record: ExpectedRecord, floats: &[LongFloat<'_>]) -> ExpectedRecord {
    for (column, long, shortest) in floats {
        for end in [',', '}'] {
            let long = format!("\"{column}\":{long}{end}");
            let shortest = format!("\"{column}\":{shortest}{end}");
            record.value = record.value.map(|value| value.replace(&long, &shortest));
        }
    }
    record
}

/// Where two records part, with some of the text around it.
fn difference(ours: &ExpectedRecord, expected: &ExpectedRecord) -> Option<String> {
    if ours.headers != expected.headers {
        return Some(format!(
            "headers {:?} are not {:?}",
            ours.headers, expected.headers
        ));
    }
    let texts = [
        ("key", &ours.key, &expected.key),
        ("value", &ours.value, &expected.value),
    ];
    let (part, ours, expected) = texts
        .into_iter()
        .find(|(_, ours, expected)| ours != expected)?;
    let (Some(ours), Some(expected)) = (ours, expected) else {
        return Some(format!("{part} {ours:?} is not {expected:?}"));
    };
    let same = ours
        .chars()
        .zip(expected.chars())
        .take_while(|(a, b)| a == b)
        .count();
    let around = |text: &str| {
        text.chars()
            .skip(same.saturating_sub(80))
            .take(240)
            .collect::<String>()
    };
    Some(format!(
        "{part}\n  ours: …{}\n  Debezium: …{}",
        around(ours),
        around(expected)
    ))
}

/// What ours writes differently on purpose, or is not asked to write.
#[derive(Clone, Copy, Default)]
struct Differences<'a> {
    /// Columns that are not compared; `r:` before a name is for the rows of snapshots only.
    columns: &'a [&'a str],
    /// Topics that are not compared.
    topics: &'a [&'a str],
    /// Numbers that leave with their shortest digits instead of Java's.
    floats: &'a [LongFloat<'a>],
}

/// A column, a number of it as Java before 19 prints it, and its shortest digits.
type LongFloat<'a> = (&'a str, &'a str, &'a str);

/// No differences.
const NONE: Differences<'_> = Differences {
    columns: &[],
    topics: &[],
    floats: &[],
};

/// Compares a scenario's base run (the empty variant) or a variant with Debezium's records, topic
/// by topic.
fn assert_equal(scenario: &str, variant: &str, differences: Differences<'_>) {
    let capture = Capture::read(scenario);
    let records = Replay::new(&capture, &capture.connector(variant)).run();
    let by_topic = |records: Vec<ExpectedRecord>| by_topic(records, differences);
    let ours = by_topic(records.iter().map(ours).collect());
    let expected = by_topic(capture.records(variant));
    assert!(!expected.is_empty(), "{scenario}/{variant} has no records");
    for (topic, expected) in &expected {
        let ours = ours.get(topic).map(Vec::as_slice).unwrap_or_default();
        for (index, (ours, expected)) in ours.iter().zip(expected).enumerate() {
            if let Some(difference) = difference(ours, expected) {
                panic!("{scenario}/{variant}: record {index} of {topic}: {difference}");
            }
        }
        assert_eq!(
            ours.len(),
            expected.len(),
            "{scenario}/{variant}: records in {topic}"
        );
    }
    let topics: Vec<_> = ours
        .keys()
        .filter(|topic| !expected.contains_key(*topic))
        .collect();
    assert!(
        topics.is_empty(),
        "{scenario}/{variant}: topics that Debezium lacks: {topics:?}"
    );
}

/// Compares several variants of a scenario.
fn assert_all_equal(scenario: &str, variants: &[&str], differences: Differences<'_>) {
    for variant in variants {
        assert_equal(scenario, variant, differences);
    }
}

#[test]
fn the_envelope_is_debeziums() {
    assert_equal("envelope-schemas", "", NONE);
    assert_all_equal("envelope-plain", &["", "no-default-replacement"], NONE);
}

#[test]
fn snapshots_restarts_and_messages_are_debeziums() {
    assert_all_equal("snapshot", &["", "initial-only", "one-row"], NONE);
    assert_equal("restart", "", NONE);
    // Logical decoding messages are not among what ours sends.
    let differences = Differences {
        topics: &["postgres-server.message"],
        ..NONE
    };
    assert_equal("messages", "plain", differences);
}

/// All the numbers of the capture that Java 17, on which it was made, prints with other digits than
/// the shortest (JDK-4511638, mended in 19). The rows are 3 of `number`, 1, 2, 3 and 5 of
/// `floating`, and the same rows that came through the stream.
const LONG_FLOATS: [LongFloat<'_>; 4] = [
    ("single", "-1.17549435E-38", "-1.1754944E-38"),
    ("twice", "9.999999999999999E22", "1.0E23"),
    ("twice", "1.9999999999999998E23", "2.0E23"),
    ("twice", "8.409999999999999E21", "8.41E21"),
];

#[test]
fn numbers_strings_and_moments_are_debeziums() {
    // `rounded` has a negative scale, which leaves as 2046 on the JVM. Dates before 1582 are wrong
    // in its snapshots.
    let differences = Differences {
        columns: &["rounded", "r:day"],
        floats: &LONG_FLOATS,
        ..NONE
    };
    assert_equal("types", "", differences);
}

#[test]
fn ours_prints_the_shortest_digits_where_an_old_java_does_not() {
    let capture = Capture::read("types");
    let expected = capture.records("");
    let ours: Vec<_> = Replay::new(&capture, &capture.connector(""))
        .run()
        .iter()
        .map(ours)
        .collect();
    let holds = |records: &[ExpectedRecord], column: &str, number: &str| {
        let field = format!("\"{column}\":{number},");
        let last_field = format!("\"{column}\":{number}}}");
        let mut values = records.iter().filter_map(|record| record.value.as_ref());
        values.any(|value| value.contains(&field) || value.contains(&last_field))
    };
    for (column, long, shortest) in LONG_FLOATS {
        let differs = holds(&expected, column, long);
        assert_eq!(
            holds(&ours, column, shortest),
            differs,
            "{column} {shortest}"
        );
        assert!(differs, "{column} {long} is not in the capture");
        assert!(!holds(&ours, column, long), "{column} {long}");
    }
}

#[test]
fn handling_modes_are_debeziums() {
    // `cost` is money, which is not among the types yet.
    let differences = Differences {
        columns: &["rounded", "cost", "r:day"],
        ..NONE
    };
    let variants = [
        "",
        "decimal-double-binary-base64",
        "decimal-format-numeric",
        "decimal-string-binary-hex",
        "time-adaptive_time_microseconds",
        "time-connect",
        "time-isostring",
        "time-microseconds",
        "time-nanoseconds",
    ];
    assert_all_equal("modes", &variants, differences);
}

#[test]
fn odd_numbers_are_debeziums() {
    // A negative scale leaves as 2046 on the JVM.
    let differences = Differences {
        topics: &["postgres-server.public.negative_scale"],
        ..NONE
    };
    assert_all_equal("odd-numeric", &["", "double", "string"], differences);
}

#[test]
fn column_defaults_are_debeziums() {
    // Infinite defaults wrap around on the JVM; the others are new in each run.
    let differences = Differences {
        columns: &[
            "day_inf",
            "local_inf",
            "zoned_inf",
            "id_random",
            "today",
            "clock_now",
            "local_now",
            "zoned_now",
        ],
        ..NONE
    };
    let variants = [
        "",
        "plain",
        "no-replacement",
        "time-connect-decimal-string",
        "time-isostring-decimal-double",
    ];
    assert_all_equal("defaults", &variants, differences);
}

#[test]
fn keys_tombstones_and_skipped_operations_are_debeziums() {
    // A replica identity without the key's columns makes a key of zeros on the JVM.
    let differences = Differences {
        topics: &["postgres-server.public.indexed"],
        ..NONE
    };
    let variants = [
        "",
        "headers-off",
        "schemas",
        "skip-unchanged",
        "skipped-default",
        "skipped-update-delete",
        "tombstones-off",
    ];
    assert_all_equal("operations", &variants, differences);
}

#[test]
fn unchanged_toasted_values_are_debeziums() {
    // Arrays are not among the types yet.
    let arrays = ["postgres-server.public.toasted_array"];
    let differences = Differences {
        topics: &arrays,
        ..NONE
    };
    assert_all_equal(
        "toast",
        &["", "placeholder", "placeholder-hex", "schemas"],
        differences,
    );
    // Debezium leaves no trace of an unchanged bytea in base64.
    assert_equal(
        "toast",
        "base64",
        Differences {
            columns: &["raw"],
            topics: &arrays,
            ..NONE
        },
    );
}

#[test]
fn names_and_filters_are_debeziums() {
    // Debezium sends generated columns in snapshots only.
    let computed = ["postgres-server.public.computed"];
    assert_all_equal(
        "names",
        &["", "schemas"],
        Differences {
            topics: &computed,
            ..NONE
        },
    );
    let variants = [
        "",
        "message-key-schemas",
        "message-key-unknown-column",
        "schema-include",
        "table-exclude",
        "table-include",
        "topic-delimiter",
        "topic-prefix-dotted",
    ];
    assert_all_equal("filters", &variants, NONE);
    // Debezium takes a key that the replica identity does not log for zeros and nulls.
    let differences = Differences {
        topics: &["postgres-server.public.orders"],
        ..NONE
    };
    assert_equal("filters", "message-key", differences);
}

#[test]
fn a_schema_left_out_is_as_if_the_others_were_listed() {
    let capture = Capture::read("filters");
    let mut connector: serde_json::Value = serde_json::from_str(&capture.connector("")).unwrap();
    connector["config"]["schema.exclude.list"] = "pub.*".into();
    let records = Replay::new(&capture, &connector.to_string()).run();
    assert_eq!(
        by_topic(records.iter().map(ours).collect(), NONE),
        by_topic(capture.records("schema-include"), NONE)
    );
}

#[test]
fn transforms_are_debeziums() {
    let variants = [
        "add-fields",
        "add-fields-schemas",
        "delete-to-tombstone",
        "delete-to-tombstone-headers",
        "delete-to-tombstone-schemas",
        "drop",
        "rewrite",
        "rewrite-schemas",
        "rewrite-with-tombstone",
        "route-no-match",
        "route-only",
        "tombstone",
        "tombstone-headers",
        "unwrap-route-by-field",
    ];
    assert_all_equal("guide", &variants, NONE);
}

#[test]
fn tables_routed_to_one_topic_keep_all_their_records() {
    let capture = Capture::read("guide");
    let records = Replay::new(&capture, &capture.connector("route-one-topic")).run();
    let sorted = |records: Vec<ExpectedRecord>| {
        let mut topics = by_topic(records, NONE);
        for records in topics.values_mut() {
            records.sort_by_key(|record| (record.key.clone(), record.value.clone()));
        }
        topics
    };
    assert_eq!(
        sorted(records.iter().map(ours).collect()),
        sorted(capture.records("route-one-topic"))
    );
}

/// Debezium 3.7 ignores `delete.handling.mode` and `drop.tombstones`; under the guide's values its
/// earlier releases drop the delete and keep the tombstone.
#[test]
fn the_guides_connector_leaves_tombstones_where_debezium_leaves_the_text_null() {
    let capture = Capture::read("guide");
    for variant in ["", "plain", "no-default-replacement"] {
        let mut expected = capture.records(variant);
        for record in &mut expected {
            record
                .value
                .take_if(|text| *text == "null" || text.ends_with("\"payload\":null}"));
        }
        assert!(expected.iter().any(|record| record.value.is_none()));
        let records = Replay::new(&capture, &capture.connector(variant)).run();
        assert_eq!(
            by_topic(records.iter().map(ours).collect(), NONE),
            by_topic(expected, NONE),
            "{variant}"
        );
    }
}

#[test]
fn the_old_name_of_rewriting_deletes_does_what_the_new_one_does() {
    let capture = Capture::read("guide");
    let records = Replay::new(&capture, &capture.connector("old-rewrite")).run();
    assert_eq!(
        by_topic(records.iter().map(ours).collect(), NONE),
        by_topic(capture.records("rewrite"), NONE)
    );
}

#[test]
fn heartbeats_are_debeziums() {
    let capture = Capture::read("heartbeat");
    for variant in ["", "plain", "topic-prefix", "unwrapped"] {
        let config = ConnectorConfig::from_json(&capture.connector(variant)).unwrap();
        let heartbeat = EnvelopeEncoder::new(&config)
            .unwrap()
            .heartbeat(1_700_000_000_000_000);
        let mask = Mask::new(&[]);
        let ours = mask.apply(ours(&heartbeat));
        let expected = capture
            .all_records(variant)
            .into_iter()
            .find(|record| record.topic == ours.topic)
            .map(|record| mask.apply(record));
        assert_eq!(Some(ours), expected, "{variant}");
    }
}
