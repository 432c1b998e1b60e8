//! Every program of these families that was captured has a twin.

use std::collections::BTreeSet;

use crate::{
    aggregate, failure, fixture, global_table, optimization, papi, process, punctuation,
    repartition, shape, sink, source, split, stateless, stream_join, suppress, table,
    table_aggregate, table_join, window,
};

/// The Java files whose programs have twins.
const FAMILIES: &[&str] = &[
    "Stateless",
    "Source",
    "Split",
    "Repartition",
    "Sink",
    "Process",
    "Punctuation",
    "Failure",
    "Papi",
    "Shape",
    "GlobalTable",
    "TableJoin",
    "StreamJoin",
    "Table",
    "Aggregate",
    "TableAggregate",
    "Optimization",
    "Window",
    "Suppress",
];

/// Programs without a twin, and why.
const WITHOUT: &[(&str, &str)] = &[
    (
        "stream-join-in-memory",
        "with suppliers of its own the JVM keeps times and compacts the changelogs, against KIP-591",
    ),
    (
        "process-null-message-dead-letter",
        "an error here always has a message",
    ),
];

#[test]
fn every_program_has_a_twin() {
    let twins = [
        stateless::programs(),
        source::programs(),
        split::programs(),
        repartition::programs(),
        sink::programs(),
        process::programs(),
        punctuation::programs(),
        failure::programs(),
        papi::programs(),
        shape::programs(),
        global_table::programs(),
        table_join::programs(),
        stream_join::programs(),
        table::programs(),
        aggregate::programs(),
        table_aggregate::programs(),
        optimization::programs(),
        window::programs(),
        suppress::programs(),
    ];
    let twins: BTreeSet<_> = twins
        .concat()
        .iter()
        .map(|program| program.name.to_owned())
        .collect();
    let without: BTreeSet<_> = WITHOUT.iter().map(|(name, _)| (*name).to_owned()).collect();
    let known: BTreeSet<_> = twins.union(&without).cloned().collect();
    let captured: BTreeSet<_> = captured().into_iter().collect();
    let missing: Vec<_> = captured.difference(&known).collect();
    assert!(missing.is_empty(), "without a twin: {missing:?}");
    let unknown: Vec<_> = known.difference(&captured).collect();
    assert!(unknown.is_empty(), "never captured: {unknown:?}");
}

/// The programs of the families, from the index that the capture writes.
fn captured() -> Vec<String> {
    let index = std::fs::read_to_string(fixture::folder().join("programs.md")).expect("an index");
    let mut names = Vec::new();
    let mut is_family = false;
    for line in index.lines() {
        if let Some(family) = line.strip_prefix("## ") {
            is_family = FAMILIES.contains(&family.trim_end_matches(".java"));
        } else if let Some(row) = line.strip_prefix("| ").filter(|_| is_family) {
            let name = row.split(" |").next().unwrap_or_default();
            if !["program", "---"].contains(&name) {
                names.push(name.to_owned());
            }
        }
    }
    names
}
