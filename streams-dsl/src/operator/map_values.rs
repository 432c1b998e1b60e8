//! Makes a new value (`KStreamMapValues`).

use std::sync::Arc;

use streams_core::Record;
use streams_core::processor::{Processor, ProcessorContext, ProcessorError};

pub(crate) struct MapValues<F> {
    map: Arc<F>,
}

impl<F> MapValues<F> {
    pub(crate) fn new(map: Arc<F>) -> Self {
        Self { map }
    }
}

impl<K, V, V2, F> Processor<K, V, K, V2> for MapValues<F>
where
    F: Fn(&K, V) -> V2 + 'static,
{
    fn process(
        &mut self,
        context: &mut ProcessorContext<'_, K, V2>,
        record: Record<K, V>,
    ) -> Result<(), ProcessorError> {
        let Record {
            key,
            value,
            timestamp_ms,
            headers,
        } = record;
        let value = (self.map)(&key, value);
        context.forward(Record::new(key, value, timestamp_ms).with_headers(headers));
        Ok(())
    }
}
