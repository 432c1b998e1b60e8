//! Aggregates of a stream by key (`KStreamAggregate`, `KStreamReduce`).

use std::sync::Arc;

use streams_core::Record;
use streams_core::processor::{Processor, ProcessorContext, ProcessorError};

use crate::operator::{Change, TableResults};

/// Adds each value to what its key has so far. `add` gets the key, the value and the aggregate,
/// which is `None` before the first value, and gives the new one; `None` deletes it.
pub(crate) struct Aggregate<K, A, F> {
    add: Arc<F>,
    results: TableResults<K, A>,
    /// What the first value replaces, as far as the next operator is told: the aggregate that it
    /// was added to.
    initial: Initial<A>,
}

/// What stands before the first value of a key.
pub(crate) type Initial<A> = Option<Arc<dyn Fn() -> A + Send + Sync>>;

impl<K, A, F> Aggregate<K, A, F> {
    pub(crate) fn new(add: Arc<F>, results: TableResults<K, A>, initial: Initial<A>) -> Self {
        Self {
            add,
            results,
            initial,
        }
    }
}

impl<K, V, A, F> Processor<K, V, K, Change<A>> for Aggregate<K, A, F>
where
    K: 'static,
    V: 'static,
    A: Clone + 'static,
    F: Fn(&K, V, Option<A>) -> Option<A> + 'static,
{
    fn process(
        &mut self,
        context: &mut ProcessorContext<'_, K, Change<A>>,
        record: Record<K, V>,
    ) -> Result<(), ProcessorError> {
        let Record {
            key,
            value,
            timestamp_ms,
            headers,
        } = record;
        let so_far = self.results.store().get(&key)?;
        let timestamp_ms = so_far
            .as_ref()
            .map_or(timestamp_ms, |it| it.timestamp_ms.max(timestamp_ms));
        let so_far = so_far
            .map(|so_far| so_far.value)
            .or_else(|| self.initial.as_ref().map(|initial| initial()));
        let old = self.results.sends_old_values().then(|| so_far.clone());
        let new = (self.add)(&key, value, so_far);
        let change = Change::new(new, old.flatten());
        let record = Record::new(key, change, timestamp_ms).with_headers(headers);
        self.results.put(context, record)
    }

    fn flush(
        &mut self,
        context: &mut ProcessorContext<'_, K, Change<A>>,
    ) -> Result<(), ProcessorError> {
        self.results.flush(context)
    }
}
