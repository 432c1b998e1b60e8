//! Forwards records as they are (`PassThrough`): branches, merges, and the filter before a
//! repartition topic, which keeps all.

use streams_core::Record;
use streams_core::processor::{Processor, ProcessorContext, ProcessorError};

pub(crate) struct PassThrough;

impl<K, V> Processor<K, V, K, V> for PassThrough {
    fn process(
        &mut self,
        context: &mut ProcessorContext<'_, K, V>,
        record: Record<K, V>,
    ) -> Result<(), ProcessorError> {
        context.forward(record);
        Ok(())
    }
}
