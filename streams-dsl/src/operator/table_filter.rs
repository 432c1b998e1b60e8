//! Keeps rows of a table by a predicate; those that are not kept are deleted (`KTableFilter`).

use std::sync::Arc;

use streams_core::Record;
use streams_core::processor::{Processor, ProcessorContext, ProcessorError};

use crate::operator::{Change, TableResults};

pub(crate) struct TableFilter<K, V, F> {
    predicate: Arc<F>,
    /// What the predicate must say for a row to be kept.
    kept: bool,
    sends_old_values: bool,
    /// Whether only the latest version of a key counts.
    is_versioned: bool,
    results: Option<TableResults<K, V>>,
}

/// How a table's filter is to work.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TableFiltering {
    /// What the predicate must say for a row to be kept.
    pub(crate) kept: bool,
    /// Whether changes carry the values that they replace.
    pub(crate) sends_old_values: bool,
    /// Whether the rows come from a versioned table.
    pub(crate) is_versioned: bool,
}

impl<K, V, F> TableFilter<K, V, F> {
    pub(crate) fn new(
        predicate: Arc<F>,
        filtering: TableFiltering,
        results: Option<TableResults<K, V>>,
    ) -> Self {
        let TableFiltering {
            kept,
            sends_old_values,
            is_versioned,
        } = filtering;
        Self {
            predicate,
            kept,
            sends_old_values,
            is_versioned,
            results,
        }
    }
}

impl<K, V, F> Processor<K, Change<V>, K, Change<V>> for TableFilter<K, V, F>
where
    K: 'static,
    V: 'static,
    F: Fn(&K, &V) -> bool + 'static,
{
    fn process(
        &mut self,
        context: &mut ProcessorContext<'_, K, Change<V>>,
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
        let keeps = |value: &V| (self.predicate)(&key, value) == self.kept;
        let new = new.filter(|new| keeps(new));
        let old = match &self.results {
            _ if !self.sends_old_values => None,
            Some(results) => results.store().get(&key)?.map(|old| old.value),
            None => old.filter(|old| keeps(old)),
        };
        // What was not there and is not there now needs no deletion.
        if self.sends_old_values && !self.is_versioned && new.is_none() && old.is_none() {
            return Ok(());
        }
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
        context: &mut ProcessorContext<'_, K, Change<V>>,
    ) -> Result<(), ProcessorError> {
        match &self.results {
            Some(results) => results.flush(context),
            None => Ok(()),
        }
    }
}
