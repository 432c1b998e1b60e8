//! Reads what was captured from the JVM: `tests/conformance/streams/README.md` has the format.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::Value;
use streams_core::Headers;

/// The `application.id` of all captured programs.
pub(crate) const APPLICATION_ID: &str = "conformance";

const EXCEPTION: &str = "__streams.errors.exception";
const SERIALIZATION_EXCEPTION: &[u8] = b"org.apache.kafka.common.errors.SerializationException";

/// A scenario: how the program was configured, and its steps.
pub(crate) struct Scenario {
    pub(crate) application_id: String,
    pub(crate) config: BTreeMap<String, String>,
    pub(crate) steps: Vec<Step>,
}

/// What was done to the program, and what the JVM's program did then, a line each.
pub(crate) struct Step {
    pub(crate) action: Action,
    pub(crate) results: Vec<String>,
}

/// What is done to a program.
pub(crate) enum Action {
    /// Nothing: the program has just been started.
    Start,
    /// A record is piped in.
    Input {
        topic: String,
        key: Option<Vec<u8>>,
        value: Option<Vec<u8>>,
        timestamp_ms: i64,
        headers: Headers,
    },
    /// The wall clock moves.
    Advance { by_ms: u64 },
    /// The stores are looked into.
    Look,
    /// The program is closed.
    Close,
}

/// The folder of the captured data.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance/streams")
}

/// The text of the JVM's `Topology.describe()`.
pub(crate) fn description(program: &str) -> Option<String> {
    std::fs::read_to_string(folder().join("describe").join(format!("{program}.txt"))).ok()
}

/// The topics of a program.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Topics {
    /// Those that it reads by name.
    pub(crate) read: BTreeSet<String>,
    /// Those that it makes, with their partitions where the program says how many.
    pub(crate) made: BTreeMap<String, Option<i32>>,
    /// The changelogs, with the settings that they are made with.
    pub(crate) changelogs: BTreeMap<String, BTreeMap<String, String>>,
    /// Which must have as many partitions as each other.
    pub(crate) copartitioned: BTreeSet<BTreeSet<String>>,
}

/// The topics that the JVM's program reads and makes.
pub(crate) fn topics(program: &str) -> Option<Topics> {
    let lines = lines(&folder().join("topics").join(format!("{program}.jsonl")))?;
    let mut topics = Topics {
        read: BTreeSet::new(),
        made: BTreeMap::new(),
        changelogs: BTreeMap::new(),
        copartitioned: BTreeSet::new(),
    };
    for line in lines.iter().filter(|line| line["type"] == "copartitioned") {
        let group = line["topics"].as_array().expect("topics");
        topics
            .copartitioned
            .insert(group.iter().map(text).collect());
    }
    for line in lines.iter().filter(|line| line["type"] == "subtopology") {
        let read = line["source_topics"].as_array().expect("topics");
        topics.read.extend(read.iter().map(text));
        for made in line["repartition_topics"].as_array().expect("topics") {
            let partitions = made["partitions"].as_i64().map(|count| count as i32);
            topics.made.insert(text(&made["topic"]), partitions);
        }
        for made in line["changelog_topics"].as_array().expect("topics") {
            let config = made["config"].as_object().expect("settings").iter();
            let config = config.map(|(key, value)| (key.clone(), text(value)));
            topics
                .changelogs
                .insert(text(&made["topic"]), config.collect());
        }
    }
    Some(topics)
}

/// The scenario of a program, if it has one.
pub(crate) fn scenario(program: &str) -> Option<Scenario> {
    let path = folder().join("scenario").join(format!("{program}.jsonl"));
    let lines = lines(&path)?;
    let (head, lines) = lines.split_first().expect("a first line");
    let config = head["config"].as_object().expect("a config");
    let config = config
        .iter()
        .map(|(key, value)| (key.clone(), text(value)))
        .collect();
    Some(Scenario {
        application_id: text(&head["application_id"]),
        config,
        steps: steps(lines),
    })
}

/// The configuration of a program, from the index that the capture writes.
pub(crate) fn configuration(program: &str) -> BTreeMap<String, String> {
    let index = std::fs::read_to_string(folder().join("programs.md")).expect("an index");
    let row = format!("| {program} |");
    let row = index.lines().find(|line| line.starts_with(&row));
    let settings = row.and_then(|row| row.split_once('{')?.1.split_once('}'));
    let Some((settings, _)) = settings else {
        return BTreeMap::new();
    };
    let settings = settings
        .split(", ")
        .filter_map(|setting| setting.split_once('='));
    settings
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

/// The objects of a file of JSON lines.
pub(crate) fn lines(path: &Path) -> Option<Vec<Value>> {
    let lines = std::fs::read_to_string(path).ok()?;
    let lines = lines
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"));
    Some(lines.collect())
}

fn steps(lines: &[Value]) -> Vec<Step> {
    let mut steps = vec![Step {
        action: Action::Start,
        results: Vec::new(),
    }];
    for line in lines {
        if line["type"] == "store"
            && !matches!(steps.last().map(|step| &step.action), Some(Action::Look))
        {
            steps.push(Step {
                action: Action::Look,
                results: Vec::new(),
            });
        }
        if let Some(action) = action(line) {
            let results = Vec::new();
            steps.push(Step { action, results });
        } else if let (Some(result), Some(step)) = (result(line), steps.last_mut()) {
            step.results.push(result);
        }
    }
    steps
}

fn action(line: &Value) -> Option<Action> {
    match line["type"].as_str()? {
        "input" => Some(Action::Input {
            topic: text(&line["topic"]),
            key: bytes(&line["key"]),
            value: bytes(&line["value"]),
            timestamp_ms: line["timestamp"].as_i64()?,
            headers: headers(&line["headers"]),
        }),
        "advance" => Some(Action::Advance {
            by_ms: line["by_ms"].as_u64()?,
        }),
        "close" => Some(Action::Close),
        _ => None,
    }
}

/// What the line says that the program did.
fn result(line: &Value) -> Option<String> {
    match line["type"].as_str()? {
        "note" => Some(note(&text(&line["text"]))),
        "error" => Some(error()),
        "store" => Some(store(line)),
        "output" | "internal" | "changelog" => Some(record(
            &text(&line["topic"]),
            bytes(&line["key"]).as_deref(),
            bytes(&line["value"]).as_deref(),
            line["timestamp"].as_i64().unwrap_or(-1),
            &headers(&line["headers"]),
        )),
        _ => None,
    }
}

/// What a store held as a line, in no order: the JVM's stores in memory have another.
fn store(line: &Value) -> String {
    let entries = line["entries"].as_array().expect("entries").iter();
    let entries = entries.map(|entry| {
        let timestamp = entry["timestamp"].as_i64();
        let value = text(&entry["value"]);
        match unwrapped(&value) {
            Some((value, timestamp)) => store_entry(&text(&entry["key"]), value, timestamp),
            None => store_entry(&text(&entry["key"]), &value, timestamp),
        }
    });
    store_line(&text(&line["store"]), entries.collect())
}

/// The value and the time within what the JVM's driver wraps around some of them; a time of -1 is
/// none.
fn unwrapped(value: &str) -> Option<(&str, Option<i64>)> {
    let rest = value.strip_prefix("ValueTimestampHeaders{value=")?;
    let (value, rest) = rest.rsplit_once(", timestamp=")?;
    let (timestamp, _) = rest.split_once(',')?;
    let timestamp = timestamp.parse().ok()?;
    Some((value, (timestamp >= 0).then_some(timestamp)))
}

/// An entry of a store as text.
pub(crate) fn store_entry(key: &str, value: &str, timestamp_ms: Option<i64>) -> String {
    match timestamp_ms {
        Some(timestamp_ms) => format!("{key}={value} at {timestamp_ms}"),
        None => format!("{key}={value}"),
    }
}

/// A store's entries as a line.
pub(crate) fn store_line(name: &str, mut entries: Vec<String>) -> String {
    entries.sort();
    format!("store {name} [{}]", entries.join(", "))
}

/// A note of the program as a line.
pub(crate) fn note(text: &str) -> String {
    format!("note {text}")
}

/// A failed step as a line; how it is worded is each library's own.
pub(crate) fn error() -> String {
    "error".to_owned()
}

/// A record as a line.
pub(crate) fn record(
    topic: &str,
    key: Option<&[u8]>,
    value: Option<&[u8]>,
    timestamp_ms: i64,
    headers: &Headers,
) -> String {
    let is_serde_error = headers
        .last(EXCEPTION)
        .is_some_and(|header| header.value.as_deref() == Some(SERIALIZATION_EXCEPTION));
    let headers = headers.iter().map(|header| {
        let name = &*header.key;
        let value = shown(header.value.as_deref());
        // An error's class and its causes are each language's own. What a user's error says is the
        // same; what a serde says is each library's own.
        let is_compared = match name {
            "__streams.errors.stacktrace" => false,
            "__streams.errors.message" => !is_serde_error,
            EXCEPTION => is_serde_error,
            _ => true,
        };
        let value = if is_compared {
            &value
        } else {
            "(not compared)"
        };
        format!("{name}={value}")
    });
    let headers = headers.collect::<Vec<_>>().join(", ");
    let (key, value) = (shown(key), shown(value));
    format!("record {topic} {key}={value} at {timestamp_ms} headers [{headers}]")
}

fn shown(bytes: Option<&[u8]>) -> String {
    bytes.map_or_else(
        || "null".to_owned(),
        |bytes| format!("'{}'", bytes.escape_ascii()),
    )
}

/// Bytes as the fixtures write them: null, text, or base64.
pub(crate) fn bytes(value: &Value) -> Option<Vec<u8>> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone().into_bytes()),
        Value::Object(object) if object.contains_key("volatile") => Some(Vec::new()),
        other => {
            let base64 = other["base64"].as_str().expect("base64");
            Some(BASE64.decode(base64).expect("base64"))
        }
    }
}

fn headers(value: &Value) -> Headers {
    let mut headers = Headers::new();
    for pair in value.as_array().expect("headers") {
        let name = text(&pair[0]);
        match bytes(&pair[1]) {
            Some(value) => headers.add(name, value),
            None => headers.add_null(name),
        };
    }
    headers
}

/// A JSON string.
pub(crate) fn text(value: &Value) -> String {
    value.as_str().expect("a string").to_owned()
}
