//! Makes any number of records of one (`KStreamFlatMap`).

use std::sync::Arc;

use streams_core::Record;
use streams_core::processor::{Processor, ProcessorContext, ProcessorError};

pub(crate) struct FlatMap<F> {
    map: Arc<F>,
}

impl<F> FlatMap<F> {
    pub(crate) fn new(map: Arc<F>) -> Self {
        Self { map }
    }
}

impl<K, V, K2, V2, F, I> Processor<K, V, K2, V2> for FlatMap<F>
where
    F: Fn(K, V) -> I + 'static,
    I: IntoIterator<Item = (K2, V2)>,
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
        for (key, value) in (self.map)(key, value) {
            let headers = headers.clone();
            context.forward(Record::new(key, value, timestamp_ms).with_headers(headers));
        }
        Ok(())
    }
}
