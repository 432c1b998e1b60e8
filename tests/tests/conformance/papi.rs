//! Papi.java: topologies wired by hand.

use std::sync::Arc;

use regex::Regex;
use streams_core::processor::{Processor, ProcessorContext, ProcessorError, SinkTopic};
use streams_core::store::{StoreBuilder, StoreType};
use streams_core::topology::{NodeHandle, Sink, Source};
use streams_core::{Record, Result, Topology, TopologyBuilder};

use crate::optimization::{Count, counts_store};
use crate::program::{Program, check};
use crate::sink::{by_key, by_length};
use crate::text::{TEXT, Text, or_null};

type Node = NodeHandle<Text, Text>;

/// Appends its text to the value.
struct Append(String);

impl Processor<Text, Text, Text, Text> for Append {
    fn process(
        &mut self,
        context: &mut ProcessorContext<'_, Text, Text>,
        record: Record<Text, Text>,
    ) -> std::result::Result<(), ProcessorError> {
        let value = format!("{}{}", or_null(&record.value), self.0);
        context.forward(record.with_value(Some(value)));
        Ok(())
    }
}

/// Sends short values to its first child and long ones to its second.
struct ByLength;

impl Processor<Text, Text, Text, Text> for ByLength {
    fn process(
        &mut self,
        context: &mut ProcessorContext<'_, Text, Text>,
        record: Record<Text, Text>,
    ) -> std::result::Result<(), ProcessorError> {
        let longer = record.value.as_ref().is_some_and(|value| value.len() > 3);
        context.forward_to(usize::from(longer), record);
        Ok(())
    }
}

struct Wiring(TopologyBuilder);

impl Wiring {
    fn new() -> Self {
        Self(TopologyBuilder::new())
    }

    fn source(&mut self, name: &str, topics: &[&str]) -> Result<Node> {
        let source = Source::topics(topics.iter().copied(), Arc::new(TEXT), Arc::new(TEXT));
        self.shared(name, source)
    }

    fn shared(&mut self, name: &str, source: Source<Text, Text>) -> Result<Node> {
        let node = self.0.add_source(name, source)?;
        self.0.allow_fan_out(node);
        Ok(node)
    }

    fn append(&mut self, name: &str, text: &str, parents: &[Node]) -> Result<Node> {
        let text = text.to_owned();
        let supplier = move || Append(text.clone());
        let node = self.0.add_processor(name, supplier, parents)?;
        self.0.allow_fan_out(node);
        Ok(node)
    }

    fn sink(&mut self, name: &str, topic: &str, parents: &[Node]) -> Result<()> {
        let topic = SinkTopic::Fixed(topic.into());
        self.0.add_sink(
            name,
            Sink::new(topic, Arc::new(TEXT), Arc::new(TEXT)),
            parents,
        )
    }
}

fn build(wire: impl FnOnce(&mut Wiring) -> Result<()>) -> Result<Topology> {
    let mut wiring = Wiring::new();
    wire(&mut wiring)?;
    wiring.0.build()
}

fn route(w: &mut Wiring) -> Result<()> {
    let source = w.source("source", &["in"])?;
    let routed = w.0.add_processor("route", || ByLength, &[source])?;
    w.0.mark_router(routed);
    w.sink("short", "out-short", &[routed])?;
    w.sink("long", "out-long", &[routed])
}

fn extractor(w: &mut Wiring) -> Result<()> {
    let source = w.source("source", &["in"])?;
    let topic = SinkTopic::Extracted(Arc::new(by_key));
    w.0.add_sink(
        "sink",
        Sink::new(topic, Arc::new(TEXT), Arc::new(TEXT)),
        &[source],
    )
}

fn partitioner(w: &mut Wiring) -> Result<()> {
    let source = w.source("source", &["in"])?;
    let sink = Sink::new(
        SinkTopic::Fixed("out".into()),
        Arc::new(TEXT),
        Arc::new(TEXT),
    );
    w.0.add_sink(
        "sink",
        sink.with_partitioner(Arc::new(by_length)),
        &[source],
    )
}

/// Adds a processor that counts per key in the store `counts`.
fn count(w: &mut Wiring, name: &str, parent: Node) -> Result<Node> {
    let stores = ["counts".into()];
    w.0.add_stateful_processor(name, Count::new, &[parent], &stores)
}

fn stored(w: &mut Wiring, store: StoreBuilder) -> Result<()> {
    let source = w.source("source", &["in"])?;
    let counted = count(w, "count", source)?;
    w.0.add_state_store(store)?;
    w.sink("sink", "out", &[counted])
}

fn stored_twice(w: &mut Wiring) -> Result<()> {
    let (left, right) = (w.source("left", &["in"])?, w.source("right", &["other"])?);
    let left = count(w, "count-left", left)?;
    let right = count(w, "count-right", right)?;
    let retention = [("retention.ms".to_owned(), "1000".to_owned())];
    w.0.add_state_store(counts_store().with_logging(retention.into()))?;
    w.sink("sink-left", "out-left", &[left])?;
    w.sink("sink-right", "out-right", &[right])
}

fn wide(w: &mut Wiring) -> Result<()> {
    let source = w.source("source", &["in"])?;
    let mut nodes = Vec::new();
    for i in 0..12 {
        nodes.push(w.append(&format!("p{i}"), &i.to_string(), &[source])?);
    }
    w.sink("sink", "out", &[nodes[11], nodes[2], nodes[1]])
}

fn deep(w: &mut Wiring) -> Result<()> {
    let mut parent = w.source("source", &["in"])?;
    for i in 0..12 {
        parent = w.append(&format!("p{i}"), &i.to_string(), &[parent])?;
    }
    w.sink("sink", "out", &[parent])
}

const PROGRAMS: &[Program] = &[
    Program::papi("papi-source-sink", || {
        build(|w| {
            let source = w.source("source", &["in"])?;
            w.sink("sink", "out", &[source])
        })
    }),
    Program::papi("papi-chain", || {
        build(|w| {
            let source = w.source("source", &["in"])?;
            let append = w.append("append", "+", &[source])?;
            w.sink("sink", "out", &[append])
        })
    }),
    Program::papi("papi-two-parents", || {
        build(|w| {
            let left = w.source("left", &["in"])?;
            let right = w.source("right", &["other"])?;
            let append = w.append("append", "+", &[left, right])?;
            w.sink("sink", "out", &[append])
        })
    }),
    Program::papi("papi-two-children", || {
        build(|w| {
            let source = w.source("source", &["in"])?;
            let second = w.append("b-second", "b", &[source])?;
            let first = w.append("a-first", "a", &[source])?;
            w.sink("sink", "out", &[first, second])
        })
    }),
    Program::papi("papi-route", || build(route)),
    Program::papi("papi-store", || build(|w| stored(w, counts_store()))),
    Program::papi("papi-store-in-memory-no-changelog", || {
        build(|w| {
            let in_memory = counts_store().with_store_type(StoreType::InMemory);
            stored(w, in_memory.without_logging())
        })
    }),
    Program::papi("papi-store-shared", || build(stored_twice)),
    Program::papi("papi-two-subtopologies", || {
        build(|w| {
            let b = w.source("source-b", &["in-b"])?;
            let a = w.source("source-a", &["in-a"])?;
            w.sink("sink-a", "out-a", &[a])?;
            w.sink("sink-b", "out-b", &[b])
        })
    }),
    Program::papi("papi-several-topics", || {
        build(|w| {
            let source = w.source("source", &["in-2", "in-1"])?;
            w.append("append", "+", &[source]).map(|_| ())
        })
    }),
    Program::papi("papi-pattern", || {
        build(|w| {
            let pattern = Regex::new("in-.+").expect("a pattern");
            let source = Source::pattern(pattern, Arc::new(TEXT), Arc::new(TEXT));
            let source = w.shared("source", source)?;
            w.sink("sink", "out", &[source])
        })
    }),
    Program::papi("papi-extractor", || build(extractor)),
    Program::papi("papi-partitioner", || build(partitioner)),
    Program::papi("papi-diamond", || {
        build(|w| {
            let source = w.source("source", &["in"])?;
            let left = w.append("left", "l", &[source])?;
            let right = w.append("right", "r", &[source])?;
            let join = w.append("join", ".", &[left, right])?;
            w.sink("sink", "out", &[join])
        })
    }),
    Program::papi("papi-wide", || build(wide)),
    Program::papi("papi-deep", || build(deep)),
];

#[test]
fn topologies_wired_by_hand_are_as_on_the_jvm() {
    check(PROGRAMS, &[]);
}

/// The twins in this file.
pub(crate) fn programs() -> Vec<Program> {
    PROGRAMS.to_vec()
}
