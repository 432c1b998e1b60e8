//! Prints each record to standard output (`KStreamPrint`).

use std::io::Write as _;
use std::sync::Arc;

use streams_core::Record;
use streams_core::processor::{Processor, ProcessorContext, ProcessorError};

pub(crate) struct Print<F> {
    format: Arc<F>,
    label: Arc<str>,
}

impl<F> Print<F> {
    pub(crate) fn new(format: Arc<F>, label: Arc<str>) -> Self {
        Self { format, label }
    }
}

impl<K, V, F> Processor<K, V, (), ()> for Print<F>
where
    F: Fn(&K, &V) -> String + 'static,
{
    fn process(
        &mut self,
        _context: &mut ProcessorContext<'_, (), ()>,
        record: Record<K, V>,
    ) -> Result<(), ProcessorError> {
        let text = (self.format)(&record.key, &record.value);
        // Like the JVM's PrintWriter: nobody reading is no reason to stop processing.
        let _ = writeln!(std::io::stdout(), "[{}]: {text}", self.label);
        Ok(())
    }
}
