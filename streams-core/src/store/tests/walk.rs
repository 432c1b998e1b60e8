//! The calls of stores in `tests/conformance/streams/stores.jsonl`, and what the JVM's returned.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::{Harness, Place, shared};
use crate::serde::Utf8;
use crate::store::{
    StoreBuilder, TaskVersionedStore, VersionedKeyValueStore, VersionedPut, VersionedRecord,
    VersionedStoreSettings,
};

const VERSIONS: VersionedKeyValueStore<String, String> = VersionedKeyValueStore::named("store");

/// The stores of the file, each with the calls that follow it.
fn walks() -> Vec<(Value, Vec<Value>)> {
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
    walks
}

/// Where the stores are, and after how many calls they are committed and opened again.
const RUNS: [(Place, usize); 3] = [
    (Place::Memory, usize::MAX),
    (Place::Memory, 1),
    (Place::Disk, 50),
];

#[test]
fn versioned_stores_answer_as_the_jvms() {
    let mut compared = 0;
    for (store, calls) in walks() {
        if store["kind"] != "versioned" {
            continue;
        }
        let settings = VersionedStoreSettings {
            history_retention_ms: store["retention_ms"].as_i64().unwrap(),
            segment_interval_ms: store["segment_ms"].as_i64(),
        };
        let builder =
            StoreBuilder::versioned(VERSIONS.name(), shared(Utf8), shared(Utf8), settings);
        for (place, every) in RUNS {
            let mut harness = Harness::new(place, std::slice::from_ref(&builder), 0);
            for (number, call) in calls.iter().enumerate() {
                if number % every == every - 1 {
                    harness.commit();
                    harness.reopen();
                }
                let versions = harness.access().versioned(&VERSIONS).unwrap();
                let result = versioned_call(&versions, call);
                assert_eq!(result, call["result"], "{store} call {number}: {call}");
                compared += 1;
            }
        }
    }
    assert!(compared > 1_000, "the file holds calls: {compared}");
}

fn versioned_call(store: &TaskVersionedStore<String, String>, call: &Value) -> Value {
    let key = call["key"].as_str().unwrap().to_owned();
    let timestamp_ms = call["timestamp"].as_i64();
    let record = |record: Option<VersionedRecord<String>>| match record {
        Some(record) => serde_json::json!([record.value, record.timestamp_ms]),
        None => Value::Null,
    };
    match call["type"].as_str().unwrap() {
        "put" => {
            let value = call["value"].as_str().map(str::to_owned);
            let put = store.put(&key, value.as_ref(), timestamp_ms.unwrap());
            Value::from(match put.unwrap() {
                VersionedPut::Latest => -1,
                VersionedPut::ValidTo(to_ms) => to_ms,
                VersionedPut::NotPut => i64::MIN,
            })
        }
        "delete" => record(store.delete(&key, timestamp_ms.unwrap()).unwrap()),
        "get" => record(store.get(&key).unwrap()),
        "get_as_of" => record(store.get_as_of(&key, timestamp_ms.unwrap()).unwrap()),
        other => panic!("no call of a versioned store: {other}"),
    }
}
