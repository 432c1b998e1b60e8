//! Default partitions of captured keys.

use serde_json::Value;
use streams_core::broker::partition_for_key;

use crate::fixture;

#[test]
fn every_key_has_the_partition_that_the_jvm_gives_it() {
    let lines = fixture::lines(&fixture::folder().join("partition.jsonl")).expect("a capture");
    let mut compared = 0;
    for line in lines.iter().filter(|line| line["type"] == "partition") {
        let Some(key) = fixture::bytes(&line["key"]) else {
            continue;
        };
        for (count, partition) in line["partitions"].as_object().expect("partitions") {
            let count: i32 = count.parse().expect("a number");
            let actual = Value::from(partition_for_key(&key, count));
            assert_eq!(actual, *partition, "{key:?} of {count}");
            compared += 1;
        }
    }
    assert!(compared > 100, "only {compared} were compared");
}
