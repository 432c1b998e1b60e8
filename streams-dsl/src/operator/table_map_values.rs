//! Makes new values of a table's (`KTableMapValues`).

use std::sync::Arc;

use streams_core::Record;
use streams_core::processor::{Processor, ProcessorContext, ProcessorError};

use crate::operator::{Change, TableResults};

pub(crate) struct TableMapValues<K, V2, F> {
    map: Arc<F>,
    sends_old_values: bool,
    results: Option<TableResults<K, V2>>,
}

impl<K, V2, F> TableMapValues<K, V2, F> {
    pub(crate) fn new(
        map: Arc<F>,
        sends_old_values: bool,
        results: Option<TableResults<K, V2>>,
    ) -> Self {
        Self {
            map,
            sends_old_values,
            results,
        }
    }
}

impl<K, V, V2, F> Processor<K, Change<V>, K, Change<V2>> for TableMapValues<K, V2, F>
where
    K: 'static,
    V: 'static,
    V2: 'static,
    F: Fn(&K, V) -> Option<V2> + 'static,
{
    fn process(
        &mut self,
        context: &mut ProcessorContext<'_, K, Change<V2>>,
        record: Record<K, Change<V>>,
    ) -> Result<(), ProcessorError> {
        let Record {
            key,
            value,
            timestamp_ms,
            headers,
        } = record;
        let Change {
            new,
            old,
            is_latest,
        } = value;
        let new = new.and_then(|new| (self.map)(&key, new));
        let old = match &self.results {
            _ if !self.sends_old_values => None,
            Some(results) => results.store().get(&key)?.map(|old| old.value),
            None => old.and_then(|old| (self.map)(&key, old)),
        };
        let change = Change {
            new,
            old,
            is_latest,
        };
        let record = Record::new(key, change, timestamp_ms).with_headers(headers);
        match &self.results {
            Some(results) => results.put(context, record),
            None => {
                context.forward(record);
                Ok(())
            }
        }
    }

    fn flush(
        &mut self,
        context: &mut ProcessorContext<'_, K, Change<V2>>,
    ) -> Result<(), ProcessorError> {
        match &self.results {
            Some(results) => results.flush(context),
            None => Ok(()),
        }
    }
}
