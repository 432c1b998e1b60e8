//! `processors users`: the changes of one table, checked, stamped and sorted by operation.
//!
//! A valid event goes on with `processed_at`, its key and its headers; all else goes to the
//! dead-letter topic as it came, with the reason in its headers (KIP-1034). A snapshot's reads
//! (`r`) are valid: they have a branch of their own, beside inserts, updates and deletes.

use std::sync::Arc;

use streams_dsl::{Result, StreamsBuilder, Topology};

use crate::event::{ChangeEvent, EventError, Operation, Stamp};
use crate::settings::Settings;

/// A valid event on its way.
struct Change {
    operation: Operation,
    event: Vec<u8>,
}

/// The topology for these settings.
///
/// # Errors
/// If a topic has an impossible name.
pub fn topology(settings: &Settings) -> Result<Topology> {
    let builder = StreamsBuilder::new();
    let input = builder.stream(settings.input_topics().as_slice());
    let (events, tombstones) = settings.tombstones.apply(input);

    let (clock, value_bytes_max) = (Arc::clone(&settings.clock), settings.value_bytes_max);
    let (valid, invalid) = events.try_map_values_keeping(move |key, value| {
        let event = ChangeEvent::read(key.as_deref(), value.as_deref(), value_bytes_max)?;
        let stamp = Stamp {
            processed_at_ms: clock.now_ms(),
            ..Stamp::default()
        };
        Ok::<_, EventError>(Change {
            operation: event.operation(),
            event: event.stamped(&stamp),
        })
    });
    invalid
        .into_dead_letters()
        .to(&settings.dead_letter_topic());

    let mut split = valid.split();
    let created = split.branch("create", |_, change| change.is(Operation::Create));
    let updated = split.branch("update", |_, change| change.is(Operation::Update));
    let deleted = split.branch("delete", |_, change| change.is(Operation::Delete));
    let snapshot = split.default_branch("read");
    let handled = created
        .map_values(handle_create)
        .merge(updated.map_values(handle_update))
        .merge(deleted.map_values(handle_delete))
        .merge(snapshot.map_values(handle_read))
        .map_values(Some);
    let handled = match tombstones {
        Some(tombstones) => handled.merge(tombstones),
        None => handled,
    };
    handled.to(&settings.output_topic(&settings.inputs.join("-")));
    builder.build()
}

impl Change {
    fn is(&self, operation: Operation) -> bool {
        self.operation == operation
    }
}

fn handle_create(change: Change) -> Vec<u8> {
    change.event
}

fn handle_update(change: Change) -> Vec<u8> {
    change.event
}

fn handle_delete(change: Change) -> Vec<u8> {
    change.event
}

fn handle_read(change: Change) -> Vec<u8> {
    change.event
}

#[cfg(test)]
#[path = "users_test.rs"]
mod tests;
