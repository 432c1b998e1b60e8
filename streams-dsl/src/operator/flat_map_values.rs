//! Makes any number of records of one, all under its key (`KStreamFlatMapValues`).

use std::sync::Arc;

use streams_core::Record;
use streams_core::processor::{Processor, ProcessorContext, ProcessorError};

pub(crate) struct FlatMapValues<F> {
    map: Arc<F>,
}

impl<F> FlatMapValues<F> {
    pub(crate) fn new(map: Arc<F>) -> Self {
        Self { map }
    }
}

impl<K, V, V2, F, I> Processor<K, V, K, V2> for FlatMapValues<F>
where
    K: Clone,
    F: Fn(&K, V) -> I + 'static,
    I: IntoIterator<Item = V2>,
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
        let mut values = (self.map)(&key, value).into_iter();
        let Some(mut value) = values.next() else {
            return Ok(());
        };
        // The last record takes the key and the headers, so that one value costs no copy.
        for next in values {
            let (key, headers) = (key.clone(), headers.clone());
            context.forward(Record::new(key, value, timestamp_ms).with_headers(headers));
            value = next;
        }
        context.forward(Record::new(key, value, timestamp_ms).with_headers(headers));
        Ok(())
    }
}
