//! Makes a new key and value (`KStreamMap`).

use std::sync::Arc;

use streams_core::Record;
use streams_core::processor::{Processor, ProcessorContext, ProcessorError};

pub(crate) struct Map<F> {
    map: Arc<F>,
}

impl<F> Map<F> {
    pub(crate) fn new(map: Arc<F>) -> Self {
        Self { map }
    }
}

impl<K, V, K2, V2, F> Processor<K, V, K2, V2> for Map<F>
where
    F: Fn(K, V) -> (K2, V2) + 'static,
{
    fn process(
        &mut self,
        context: &mut ProcessorContext<'_, K2, V2>,
        record: Record<K, V>,
    ) -> Result<(), ProcessorError> {
        let Record {
            key,
            value,
            timestamp_ms,
            headers,
        } = record;
        let (key, value) = (self.map)(key, value);
        context.forward(Record::new(key, value, timestamp_ms).with_headers(headers));
        Ok(())
    }
}
