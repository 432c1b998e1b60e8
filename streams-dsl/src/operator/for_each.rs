//! Does something with each record, and ends there (`ForeachProcessor`).

use std::sync::Arc;

use streams_core::Record;
use streams_core::processor::{Processor, ProcessorContext, ProcessorError};

pub(crate) struct ForEach<F> {
    action: Arc<F>,
}

impl<F> ForEach<F> {
    pub(crate) fn new(action: Arc<F>) -> Self {
        Self { action }
    }
}

impl<K, V, F> Processor<K, V, (), ()> for ForEach<F>
where
    F: Fn(K, V) + 'static,
{
    fn process(
        &mut self,
        _context: &mut ProcessorContext<'_, (), ()>,
        record: Record<K, V>,
    ) -> Result<(), ProcessorError> {
        (self.action)(record.key, record.value);
        Ok(())
    }
}
