//! Makes a new value or fails, and sends each record one of two ways.
//!
//! A node sends one type, so the first node sends a `Result` to one of two children, and each child
//! takes its own half out.

use std::sync::Arc;

use streams_core::Record;
use streams_core::processor::{Processor, ProcessorContext, ProcessorError};

use crate::operator::Rejected;

/// The place of the good stream among the children; it is made first.
pub(super) const ACCEPTED: usize = 0;
/// The place of the rejected stream among the children.
pub(super) const REJECTED: usize = 1;

/// Gives the value away; what becomes of it is up to the closure.
pub(crate) struct TryMapValues<F> {
    map: Arc<F>,
}

impl<F> TryMapValues<F> {
    pub(crate) fn new(map: Arc<F>) -> Self {
        Self { map }
    }
}

impl<K, V, V2, E, F> Processor<K, V, K, Result<V2, E>> for TryMapValues<F>
where
    F: Fn(&K, V) -> Result<V2, E> + 'static,
{
    fn process(
        &mut self,
        context: &mut ProcessorContext<'_, K, Result<V2, E>>,
        record: Record<K, V>,
    ) -> Result<(), ProcessorError> {
        let Record {
            key,
            value,
            timestamp_ms,
            headers,
        } = record;
        let value = (self.map)(&key, value);
        let child = if value.is_ok() { ACCEPTED } else { REJECTED };
        let record = Record::new(key, value, timestamp_ms).with_headers(headers);
        context.forward_to(child, record);
        Ok(())
    }
}

/// Shows the value, and rejects it with the failure.
pub(crate) struct TryMapValuesKeeping<F> {
    map: Arc<F>,
}

impl<F> TryMapValuesKeeping<F> {
    pub(crate) fn new(map: Arc<F>) -> Self {
        Self { map }
    }
}

impl<K, V, V2, E, F> Processor<K, V, K, Result<V2, Rejected<V, E>>> for TryMapValuesKeeping<F>
where
    F: Fn(&K, &V) -> Result<V2, E> + 'static,
{
    fn process(
        &mut self,
        context: &mut ProcessorContext<'_, K, Result<V2, Rejected<V, E>>>,
        record: Record<K, V>,
    ) -> Result<(), ProcessorError> {
        match (self.map)(&record.key, &record.value) {
            Ok(value) => context.forward_to(ACCEPTED, record.with_value(Ok(value))),
            Err(error) => context.forward_to(REJECTED, reject(record, error, 0)),
        }
        Ok(())
    }
}

/// The record with its value and why it was rejected.
pub(super) fn reject<K, V, V2, E>(
    record: Record<K, V>,
    error: E,
    retries: u32,
) -> Record<K, Result<V2, Rejected<V, E>>> {
    let Record {
        key,
        value,
        timestamp_ms,
        headers,
    } = record;
    let rejected = Rejected {
        value,
        error,
        retries,
    };
    Record::new(key, Err(rejected), timestamp_ms).with_headers(headers)
}

/// Takes out what was accepted.
pub(crate) struct TakeAccepted;

impl<K, V, E> Processor<K, Result<V, E>, K, V> for TakeAccepted {
    fn process(
        &mut self,
        context: &mut ProcessorContext<'_, K, V>,
        record: Record<K, Result<V, E>>,
    ) -> Result<(), ProcessorError> {
        let Record {
            key,
            value,
            timestamp_ms,
            headers,
        } = record;
        if let Ok(value) = value {
            context.forward(Record::new(key, value, timestamp_ms).with_headers(headers));
        }
        Ok(())
    }
}

/// Takes out what was rejected.
pub(crate) struct TakeRejected;

impl<K, V, E> Processor<K, Result<V, E>, K, E> for TakeRejected {
    fn process(
        &mut self,
        context: &mut ProcessorContext<'_, K, E>,
        record: Record<K, Result<V, E>>,
    ) -> Result<(), ProcessorError> {
        let Record {
            key,
            value,
            timestamp_ms,
            headers,
        } = record;
        if let Err(error) = value {
            context.forward(Record::new(key, error, timestamp_ms).with_headers(headers));
        }
        Ok(())
    }
}
