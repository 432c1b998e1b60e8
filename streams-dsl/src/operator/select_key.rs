//! Makes a new key (`KStreamImpl.internalSelectKey`).

use std::sync::Arc;

use streams_core::Record;
use streams_core::processor::{Processor, ProcessorContext, ProcessorError};

pub(crate) struct SelectKey<F> {
    select: Arc<F>,
}

impl<F> SelectKey<F> {
    pub(crate) fn new(select: Arc<F>) -> Self {
        Self { select }
    }
}

impl<K, V, K2, F> Processor<K, V, K2, V> for SelectKey<F>
where
    F: Fn(&K, &V) -> K2 + 'static,
{
    fn process(
        &mut self,
        context: &mut ProcessorContext<'_, K2, V>,
        record: Record<K, V>,
    ) -> Result<(), ProcessorError> {
        let key = (self.select)(&record.key, &record.value);
        context.forward(record.with_key(key));
        Ok(())
    }
}
