//! The calls of stores in `tests/conformance/streams/stores.jsonl`, and what the JVM's returned.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::{Harness, Place, shared};
use crate::error::{Error, Result};
use crate::serde::Utf8;
use crate::store::{
    KeyValueStore, SessionStore, StoreBuilder, TaskKeyValueStore, TaskSessionStore,
    TaskVersionedStore, TaskWindowStore, VersionedKeyValueStore, VersionedPut, VersionedRecord,
    VersionedStoreSettings, WindowStore, WindowStoreSettings,
};
use crate::window::{Window, Windowed};

const STORE: &str = "store";

/// The stores of a kind in the file, each with the calls that follow it.
fn walks(kind: &str) -> Vec<(Value, Vec<Value>)> {
    let file =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/conformance/streams/stores.jsonl");
    let mut walks: Vec<(Value, Vec<Value>)> = Vec::new();
    for line in fs::read_to_string(file).unwrap().lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        match walks.last_mut() {
            Some((_, calls)) if line["type"] != "store" => calls.push(line),
            _ => walks.push((line, Vec::new())),
        }
    }
    walks.retain(|(store, _)| store["kind"] == kind);
    assert!(!walks.is_empty(), "the file holds calls of {kind} stores");
    walks
}

/// Where the stores are, and after how many calls they are committed and opened again.
const RUNS: [(Place, usize); 3] = [
    (Place::Memory, usize::MAX),
    (Place::Memory, 1),
    (Place::Disk, 100),
];

/// Makes the calls of every store of a kind, and compares what they return.
fn compare(
    kind: &str,
    builder: impl Fn(&Value) -> StoreBuilder,
    make: impl Fn(&Harness, &Value) -> Value,
) {
    for (store, calls) in walks(kind) {
        for (place, every) in RUNS {
            let mut harness = Harness::new(place, &[builder(&store)], 0);
            for (number, call) in calls.iter().enumerate() {
                if number % every == every - 1 {
                    harness.commit();
                    harness.reopen();
                }
                let result = make(&harness, call);
                assert_eq!(
                    result, call["result"],
                    "{store} {place:?} call {number}: {call}"
                );
            }
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn maybe_text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn number(value: &Value) -> i64 {
    value.as_i64().unwrap()
}

/// The entries as the file has them, their keys by `key`.
fn list<T>(found: impl Iterator<Item = Result<T>>, entry: impl Fn(T) -> (Value, String)) -> Value {
    let entries = found.map(|found| {
        let (key, value) = entry(found.unwrap());
        json!([key, value])
    });
    Value::Array(entries.collect())
}

fn windowed((key, value): (Windowed<String>, String)) -> (Value, String) {
    let Windowed { key, window } = key;
    (json!([key, window.start_ms, window.end_ms]), value)
}

#[test]
fn key_value_stores_answer_as_the_jvms() {
    const NAME: KeyValueStore<String, String> = KeyValueStore::named(STORE);
    let builder = |_: &Value| StoreBuilder::key_value(STORE, shared(Utf8), shared(Utf8));
    compare("key-value", builder, |harness, call| {
        key_value_call(&harness.access().key_value(&NAME).unwrap(), call).unwrap()
    });
}

fn key_value_call(store: &TaskKeyValueStore<String, String>, call: &Value) -> Result<Value> {
    let entry = |(key, value): (String, String)| (Value::from(key), value);
    let bounds = || (maybe_text(&call["lower"]), maybe_text(&call["upper"]));
    Ok(match call["type"].as_str().unwrap() {
        "put" => {
            store.put(&text(&call["key"]), maybe_text(&call["value"]).as_ref())?;
            Value::Null
        }
        "delete" => store.delete(&text(&call["key"]))?.into(),
        "put_if_absent" => {
            let value = text(&call["value"]);
            store.put_if_absent(&text(&call["key"]), &value)?.into()
        }
        "get" => store.get(&text(&call["key"]))?.into(),
        "range" => {
            let (lower, upper) = bounds();
            list(store.range(lower.as_ref(), upper.as_ref())?, entry)
        }
        "reverse_range" => {
            let (lower, upper) = bounds();
            list(store.reverse_range(lower.as_ref(), upper.as_ref())?, entry)
        }
        "prefix_scan" => list(store.prefix_scan(&text(&call["prefix"]), &Utf8)?, entry),
        other => panic!("no call of a key-value store: {other}"),
    })
}

#[test]
fn window_stores_answer_as_the_jvms() {
    const NAME: WindowStore<String, String> = WindowStore::named(STORE);
    let builder = |store: &Value| {
        let settings = WindowStoreSettings {
            retain_duplicates: store["duplicates"].as_bool().unwrap(),
            ..WindowStoreSettings::new(number(&store["retention_ms"]), 1_000)
        };
        StoreBuilder::window(STORE, shared(Utf8), shared(Utf8), settings)
    };
    compare("window", builder, |harness, call| {
        window_call(&harness.access().window(&NAME).unwrap(), call).unwrap()
    });
}

fn window_call(store: &TaskWindowStore<String, String>, call: &Value) -> Result<Value> {
    let key = || text(&call["key"]);
    let times = || (number(&call["from"]), number(&call["to"]));
    let of_key = |(start_ms, value): (i64, String)| (Value::from(start_ms), value);
    let bounds = || (maybe_text(&call["lower"]), maybe_text(&call["upper"]));
    Ok(match call["type"].as_str().unwrap() {
        "put" => {
            let value = maybe_text(&call["value"]);
            store.put(&key(), value.as_ref(), number(&call["start"]))?;
            Value::Null
        }
        "fetch" => store.fetch(&key(), number(&call["start"]))?.into(),
        "fetch_range" => {
            let (from_ms, to_ms) = times();
            let mut visited = Vec::new();
            store.visit_range(&key(), from_ms, to_ms, |start_ms, value| {
                visited.push(Ok((start_ms, value)));
                Ok::<_, Error>(())
            })?;
            let visited = list(visited.into_iter(), of_key);
            let found = list(store.fetch_range(&key(), from_ms, to_ms)?, of_key);
            assert_eq!(visited, found);
            found
        }
        "backward_fetch_range" => {
            let (from_ms, to_ms) = times();
            list(store.backward_fetch_range(&key(), from_ms, to_ms)?, of_key)
        }
        "fetch_keys" => {
            let ((lower, upper), (from_ms, to_ms)) = (bounds(), times());
            let found = store.fetch_keys(lower.as_ref(), upper.as_ref(), from_ms, to_ms)?;
            list(found, windowed)
        }
        "backward_fetch_keys" => {
            let ((lower, upper), (from_ms, to_ms)) = (bounds(), times());
            let (lower, upper) = (lower.as_ref(), upper.as_ref());
            let found = store.backward_fetch_keys(lower, upper, from_ms, to_ms)?;
            list(found, windowed)
        }
        "fetch_all" => {
            let (from_ms, to_ms) = times();
            list(store.fetch_all(from_ms, to_ms)?, windowed)
        }
        "all" => list(store.all()?, windowed),
        other => panic!("no call of a window store: {other}"),
    })
}

#[test]
fn session_stores_answer_as_the_jvms() {
    const NAME: SessionStore<String, String> = SessionStore::named(STORE);
    let builder = |store: &Value| {
        let retention_ms = number(&store["retention_ms"]);
        StoreBuilder::session(STORE, shared(Utf8), shared(Utf8), retention_ms)
    };
    compare("session", builder, |harness, call| {
        session_call(&harness.access().session(&NAME).unwrap(), call).unwrap()
    });
}

fn session_call(store: &TaskSessionStore<String, String>, call: &Value) -> Result<Value> {
    let key = || text(&call["key"]);
    let window = || Window::new(number(&call["start"]), number(&call["end"]));
    let sought = || (number(&call["earliest_end"]), number(&call["latest_start"]));
    Ok(match call["type"].as_str().unwrap() {
        "put" => {
            let session = Windowed::new(key(), window());
            store.put(&session, maybe_text(&call["value"]).as_ref())?;
            Value::Null
        }
        "fetch" => list(store.fetch(&key())?, windowed),
        "fetch_session" => {
            let Window { start_ms, end_ms } = window();
            store.fetch_session(&key(), start_ms, end_ms)?.into()
        }
        "find_sessions" => {
            let (earliest_end_ms, latest_start_ms) = sought();
            let found = store.find_sessions(&key(), earliest_end_ms, latest_start_ms)?;
            list(found, windowed)
        }
        "backward_find_sessions" => {
            let (earliest_end_ms, latest_start_ms) = sought();
            let found = store.backward_find_sessions(&key(), earliest_end_ms, latest_start_ms)?;
            list(found, windowed)
        }
        "fetch_keys" => {
            let (lower, upper) = (maybe_text(&call["lower"]), maybe_text(&call["upper"]));
            list(store.fetch_keys(lower.as_ref(), upper.as_ref())?, windowed)
        }
        other => panic!("no call of a session store: {other}"),
    })
}

#[test]
fn versioned_stores_answer_as_the_jvms() {
    const NAME: VersionedKeyValueStore<String, String> = VersionedKeyValueStore::named(STORE);
    let builder = |store: &Value| {
        let settings = VersionedStoreSettings {
            history_retention_ms: number(&store["retention_ms"]),
            segment_interval_ms: store["segment_ms"].as_i64(),
        };
        StoreBuilder::versioned(STORE, shared(Utf8), shared(Utf8), settings)
    };
    compare("versioned", builder, |harness, call| {
        versioned_call(&harness.access().versioned(&NAME).unwrap(), call).unwrap()
    });
}

fn versioned_call(store: &TaskVersionedStore<String, String>, call: &Value) -> Result<Value> {
    let key = text(&call["key"]);
    let timestamp_ms = || number(&call["timestamp"]);
    let record = |record: Option<VersionedRecord<String>>| match record {
        Some(record) => json!([record.value, record.timestamp_ms]),
        None => Value::Null,
    };
    Ok(match call["type"].as_str().unwrap() {
        "put" => {
            let value = maybe_text(&call["value"]);
            let put = store.put(&key, value.as_ref(), timestamp_ms())?;
            Value::from(match put {
                VersionedPut::Latest => -1,
                VersionedPut::ValidTo(to_ms) => to_ms,
                VersionedPut::NotPut => i64::MIN,
            })
        }
        "delete" => record(store.delete(&key, timestamp_ms())?),
        "get" => record(store.get(&key)?),
        "get_as_of" => record(store.get_as_of(&key, timestamp_ms())?),
        other => panic!("no call of a versioned store: {other}"),
    })
}
