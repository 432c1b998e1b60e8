//! Keeps or drops records by a predicate (`KStreamFilter`).

use std::sync::Arc;

use streams_core::Record;
use streams_core::processor::{Processor, ProcessorContext, ProcessorError};

pub(crate) struct Filter<F> {
    predicate: Arc<F>,
    /// What the predicate must say for a record to be kept.
    kept: bool,
}

impl<F> Filter<F> {
    pub(crate) fn new(predicate: Arc<F>, kept: bool) -> Self {
        Self { predicate, kept }
    }
}

impl<K, V, F> Processor<K, V, K, V> for Filter<F>
where
    F: Fn(&K, &V) -> bool + 'static,
{
    fn process(
        &mut self,
        context: &mut ProcessorContext<'_, K, V>,
        record: Record<K, V>,
    ) -> Result<(), ProcessorError> {
        if (self.predicate)(&record.key, &record.value) == self.kept {
            context.forward(record);
        }
        Ok(())
    }
}
