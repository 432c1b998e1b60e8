//! Records become the rows of a global table (`KTableSource`).

use streams_core::Record;
use streams_core::processor::{Processor, ProcessorContext, ProcessorError};
use streams_core::store::TaskTimestampedKeyValueStore;

/// Keeps the latest value of each key.
pub(crate) struct GlobalTableSource<K, V> {
    store: TaskTimestampedKeyValueStore<K, V>,
}

impl<K, V> GlobalTableSource<K, V> {
    pub(crate) fn new(store: TaskTimestampedKeyValueStore<K, V>) -> Self {
        Self { store }
    }
}

impl<K: 'static, V: 'static> Processor<Option<K>, Option<V>, (), ()> for GlobalTableSource<K, V> {
    fn process(
        &mut self,
        context: &mut ProcessorContext<'_, (), ()>,
        record: Record<Option<K>, Option<V>>,
    ) -> Result<(), ProcessorError> {
        let Some(key) = record.key else {
            context.count_dropped();
            return Ok(());
        };
        let value = record.value.as_ref();
        self.store.put(&key, value, record.timestamp_ms)?;
        Ok(())
    }
}
