//! Sends each record to the first branch whose predicate holds (`KStreamBranch`).

use std::sync::Arc;

use streams_core::Record;
use streams_core::processor::{Processor, ProcessorContext, ProcessorError};

/// Whether a record belongs to a branch.
pub(crate) type Predicate<K, V> = Arc<dyn Fn(&K, &V) -> bool + Send + Sync>;

/// The branches are the children, in the order of the predicates; one child more is the default.
pub(crate) struct Branch<K, V> {
    predicates: Arc<[Predicate<K, V>]>,
}

impl<K, V> Branch<K, V> {
    pub(crate) fn new(predicates: Arc<[Predicate<K, V>]>) -> Self {
        Self { predicates }
    }
}

impl<K: 'static, V: 'static> Processor<K, V, K, V> for Branch<K, V> {
    fn process(
        &mut self,
        context: &mut ProcessorContext<'_, K, V>,
        record: Record<K, V>,
    ) -> Result<(), ProcessorError> {
        let holds = |predicate: &Predicate<K, V>| predicate(&record.key, &record.value);
        let branch = self.predicates.iter().position(holds);
        context.forward_to(branch.unwrap_or(self.predicates.len()), record);
        Ok(())
    }
}
