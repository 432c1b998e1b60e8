//! Stateless: validate, enrich, split by operation, tag, merge.

use serde::Deserialize;
use serde_json::value::RawValue;
use streams_dsl::serde::{ByteSerde, Nullable};
use streams_dsl::{KStream, Result, StreamsBuilder, Topic, Topology};

type Bytes = Vec<u8>;
type Key = Option<Bytes>;

/// What the topology looks at; the rest of the event passes through as it is.
#[derive(Deserialize)]
struct Head<'a> {
    #[serde(borrow)]
    op: &'a RawValue,
}

struct Event {
    operation: Operation,
    json: Bytes,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Operation {
    Create,
    Update,
    Delete,
}

impl Operation {
    fn of(json: &[u8]) -> Option<Self> {
        let head: Head<'_> = serde_json::from_slice(json).ok()?;
        match head.op.get() {
            "\"c\"" => Some(Self::Create),
            "\"u\"" => Some(Self::Update),
            "\"d\"" => Some(Self::Delete),
            _ => None,
        }
    }

    fn past(self) -> &'static [u8] {
        match self {
            Self::Create => b"\"created\"",
            Self::Update => b"\"updated\"",
            Self::Delete => b"\"deleted\"",
        }
    }
}

/// Adds a field at the end of a JSON object with fields.
fn add_field(json: &mut Bytes, name: &[u8], value: &[u8]) {
    let end = json
        .iter()
        .rposition(|byte| *byte == b'}')
        .unwrap_or(json.len());
    json.truncate(end);
    json.reserve(name.len() + value.len() + 5);
    json.extend_from_slice(b",\"");
    json.extend_from_slice(name);
    json.extend_from_slice(b"\":");
    json.extend_from_slice(value);
    json.push(b'}');
}

fn enrich(json: Bytes) -> Result<Event, Bytes> {
    let Some(operation) = Operation::of(&json) else {
        return Err(json);
    };
    let mut json = json;
    add_field(&mut json, b"event_type", operation.past());
    add_field(&mut json, b"processed_at", b"1700000000000");
    Ok(Event { operation, json })
}

fn tagged(events: KStream<Key, Event>, kind: &'static [u8]) -> KStream<Key, Bytes> {
    events.map_values(move |mut event| {
        add_field(&mut event.json, b"kind", kind);
        event.json
    })
}

/// The workload `stateless`: from `input` to `output`, what has no `op` to `<output>-dlq`.
pub(super) fn topology(input: &str, output: &str) -> Result<Topology> {
    let topic = |name: String| Topic::new(name, Nullable(ByteSerde), ByteSerde);
    let builder = StreamsBuilder::new();
    let events = builder.stream(&topic(input.to_owned()));
    let (good, bad) = events.try_map_values(|_, json| enrich(json));
    bad.to(&topic(format!("{output}-dlq")));
    let mut split = good.split();
    let created = split.branch("created", |_, event| event.operation == Operation::Create);
    let updated = split.branch("updated", |_, event| event.operation == Operation::Update);
    let deleted = split.default_branch("deleted");
    tagged(created, b"\"create\"")
        .merge(tagged(updated, b"\"update\""))
        .merge(tagged(deleted, b"\"delete\""))
        .to(&topic(output.to_owned()));
    builder.build()
}
