//! Looks at each record (`KStreamPeek`).

use std::sync::Arc;

use streams_core::Record;
use streams_core::processor::{Processor, ProcessorContext, ProcessorError};

pub(crate) struct Peek<F> {
    action: Arc<F>,
}

impl<F> Peek<F> {
    pub(crate) fn new(action: Arc<F>) -> Self {
        Self { action }
    }
}

impl<K, V, F> Processor<K, V, K, V> for Peek<F>
where
    F: Fn(&K, &V) + 'static,
{
    fn process(
        &mut self,
        context: &mut ProcessorContext<'_, K, V>,
        record: Record<K, V>,
    ) -> Result<(), ProcessorError> {
        (self.action)(&record.key, &record.value);
        context.forward(record);
        Ok(())
    }
}
