//! A value that a step has rejected, and the dead letter it becomes.

use std::fmt::Display;

use streams_core::Record;
use streams_core::processor::{Processor, ProcessorContext, ProcessorError};

/// A value as it was before the step that failed on it, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected<V, E> {
    /// The value that the step was given.
    pub value: V,
    /// What it failed with.
    pub error: E,
    /// How often it was tried again.
    pub retries: u32,
}

/// Puts the value back, with the headers of a dead letter (KIP-1034).
pub(crate) struct DeadLetter;

impl<K, V, E> Processor<K, Rejected<V, E>, K, V> for DeadLetter
where
    K: 'static,
    V: 'static,
    E: Display + 'static,
{
    fn process(
        &mut self,
        context: &mut ProcessorContext<'_, K, V>,
        record: Record<K, Rejected<V, E>>,
    ) -> Result<(), ProcessorError> {
        let Record {
            key,
            value: rejected,
            timestamp_ms,
            mut headers,
        } = record;
        let error = rejected.error.to_string();
        let exception = std::any::type_name::<E>();
        headers
            .add("__streams.errors.exception", exception.as_bytes())
            .add("__streams.errors.message", error.as_bytes())
            .add("__streams.errors.stacktrace", error.as_bytes());
        if let Some(from) = context.record_metadata() {
            headers
                .add("__streams.errors.topic", from.topic.as_bytes())
                .add(
                    "__streams.errors.partition",
                    from.partition.to_string().into_bytes(),
                )
                .add(
                    "__streams.errors.offset",
                    from.offset.to_string().into_bytes(),
                );
        }
        let record = Record::new(key, rejected.value, timestamp_ms).with_headers(headers);
        context.forward(record);
        Ok(())
    }
}
