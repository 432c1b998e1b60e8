//! `processors events`: the changes of several tables, validated, named and stamped.
//!
//! Each input topic has an output of its own (`{topic}-processed`). An event goes on with
//! `event_type` (`user_created`), `processed_at` and `processor`. What fails goes to the
//! dead-letter topic as a JSON document (see [`crate::dead_letter`]); a step that fails for a time
//! is tried again first.

use std::sync::Arc;

use streams_dsl::{KStream, Result, StreamsBuilder, Topology};

use crate::dead_letter::Document;
use crate::event::{ChangeEvent, Stamp};
use crate::event_type::event_type;
use crate::failure::ProcessingError;
use crate::settings::{Bytes, Settings};
use crate::validation::Validation;

/// The topology for these settings, with the standard validation.
///
/// # Errors
/// If a topic has an impossible name.
pub fn topology(settings: &Settings) -> Result<Topology> {
    topology_with(settings, Validation::standard())
}

/// The topology for these settings, with steps of validation of one's own.
///
/// # Errors
/// If a topic has an impossible name.
pub fn topology_with(settings: &Settings, validation: Validation) -> Result<Topology> {
    let builder = StreamsBuilder::new();
    let validation = Arc::new(validation);
    for input in settings.input_topics() {
        let output = settings.output_topic(input.name());
        let (events, tombstones) = settings.tombstones.apply(builder.stream(&input));
        let process = process(settings, input.name(), &validation);
        let (processed, failed) = events.try_map_values_retrying(settings.retry_policy(), process);
        merge(processed, tombstones).to(&output);

        let clock = Arc::clone(&settings.clock);
        failed
            .process_values(move || Document::new(Arc::clone(&clock)))
            .into_dead_letters()
            .to(&settings.dead_letter_topic());
    }
    builder.build()
}

/// What is done with each event of a topic.
fn process(
    settings: &Settings,
    topic: &Arc<str>,
    validation: &Arc<Validation>,
) -> impl Fn(&Bytes, &Bytes) -> Result<Bytes, ProcessingError> + Send + Sync + use<> {
    let Settings {
        clock,
        processor,
        value_bytes_max,
        ..
    } = settings.clone();
    let (topic, validation) = (Arc::clone(topic), Arc::clone(validation));
    move |key, value| {
        let event = ChangeEvent::read(key.as_deref(), value.as_deref(), value_bytes_max)?;
        validation.check(&event)?;
        let event_type = event_type(&event, &topic);
        let stamp = Stamp {
            processed_at_ms: clock.now_ms(),
            event_type: Some(&event_type),
            processor: Some(&processor),
        };
        Ok(Some(event.stamped(&stamp)))
    }
}

fn merge(
    processed: KStream<Bytes, Bytes>,
    tombstones: Option<KStream<Bytes, Bytes>>,
) -> KStream<Bytes, Bytes> {
    match tombstones {
        Some(tombstones) => processed.merge(tombstones),
        None => processed,
    }
}

#[cfg(test)]
#[path = "events_test.rs"]
mod tests;
