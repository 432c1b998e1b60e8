//! Leaves records without a key or a value out.

use streams_core::Record;
use streams_core::processor::{Processor, ProcessorContext, ProcessorError};

/// Leaves out records whose key is null, and counts them as dropped, as the JVM's joins and
/// aggregations do.
pub(crate) struct SkipNullKeys;

impl<K, V> Processor<Option<K>, V, K, V> for SkipNullKeys {
    fn process(
        &mut self,
        context: &mut ProcessorContext<'_, K, V>,
        record: Record<Option<K>, V>,
    ) -> Result<(), ProcessorError> {
        let Record {
            key,
            value,
            timestamp_ms,
            headers,
        } = record;
        match key {
            Some(key) => {
                context.forward(Record::new(key, value, timestamp_ms).with_headers(headers));
            }
            None => context.count_dropped(),
        }
        Ok(())
    }
}

/// Leaves out records whose value is null, and counts them as dropped.
pub(crate) struct SkipNullValues;

impl<K, V> Processor<K, Option<V>, K, V> for SkipNullValues {
    fn process(
        &mut self,
        context: &mut ProcessorContext<'_, K, V>,
        record: Record<K, Option<V>>,
    ) -> Result<(), ProcessorError> {
        let Record {
            key,
            value,
            timestamp_ms,
            headers,
        } = record;
        match value {
            Some(value) => {
                context.forward(Record::new(key, value, timestamp_ms).with_headers(headers));
            }
            None => context.count_dropped(),
        }
        Ok(())
    }
}
