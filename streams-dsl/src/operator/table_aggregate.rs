//! Aggregates of a table's groups (`KTableAggregate`, `KTableReduce`).

use std::sync::Arc;

use streams_core::Record;
use streams_core::processor::{Processor, ProcessorContext, ProcessorError};

use crate::operator::{Change, TableResults};

/// Takes what a row was out of its group's aggregate, and adds what it is.
///
/// `subtract` gets the key, the old value and the aggregate; `add` the key, the new value and the
/// aggregate, if there is one. Each gives the aggregate after it; `None` deletes it.
pub(crate) struct TableAggregate<K, A, F, G> {
    add: Arc<F>,
    subtract: Arc<G>,
    results: TableResults<K, A>,
}

impl<K, A, F, G> TableAggregate<K, A, F, G> {
    pub(crate) fn new(add: Arc<F>, subtract: Arc<G>, results: TableResults<K, A>) -> Self {
        Self {
            add,
            subtract,
            results,
        }
    }
}

impl<K, V, A, F, G> Processor<K, Change<V>, K, Change<A>> for TableAggregate<K, A, F, G>
where
    K: 'static,
    V: 'static,
    A: Clone + 'static,
    F: Fn(&K, V, Option<A>) -> Option<A> + 'static,
    G: Fn(&K, V, A) -> Option<A> + 'static,
{
    fn process(
        &mut self,
        context: &mut ProcessorContext<'_, K, Change<A>>,
        record: Record<K, Change<V>>,
    ) -> Result<(), ProcessorError> {
        let Record {
            key,
            value,
            timestamp_ms,
            headers,
        } = record;
        let so_far = self.results.store().get(&key)?;
        let result_ms = so_far
            .as_ref()
            .map_or(timestamp_ms, |it| it.timestamp_ms.max(timestamp_ms));
        let so_far = so_far.map(|so_far| so_far.value);
        let old = so_far.clone().filter(|_| self.results.sends_old_values());
        let between = match (value.old, so_far) {
            (Some(gone), Some(so_far)) => (self.subtract)(&key, gone, so_far),
            (_, so_far) => so_far,
        };
        let new = match value.new {
            Some(added) => (self.add)(&key, added, between),
            None => between,
        };
        let change = Change::new(new, old);
        let record = Record::new(key, change, result_ms).with_headers(headers);
        self.results.put(context, record)
    }

    fn flush(
        &mut self,
        context: &mut ProcessorContext<'_, K, Change<A>>,
    ) -> Result<(), ProcessorError> {
        self.results.flush(context)
    }
}
