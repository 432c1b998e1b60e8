//! The changes of a table as records (`KTableImpl.toStream`).

use streams_core::Record;
use streams_core::processor::{Processor, ProcessorContext, ProcessorError};

use crate::operator::Change;

pub(crate) struct ToStream;

impl<K, V> Processor<K, Change<V>, K, Option<V>> for ToStream {
    fn process(
        &mut self,
        context: &mut ProcessorContext<'_, K, Option<V>>,
        record: Record<K, Change<V>>,
    ) -> Result<(), ProcessorError> {
        let Record {
            key,
            value,
            timestamp_ms,
            headers,
        } = record;
        context.forward(Record::new(key, value.new, timestamp_ms).with_headers(headers));
        Ok(())
    }
}
