//! Records become changes of a table (`KTableSource`).

use streams_core::Record;
use streams_core::processor::{Processor, ProcessorContext, ProcessorError};

use crate::operator::{Change, TableResults};

/// The records of a topic as changes; without a store the old values are not known.
pub(crate) struct TableSource<K, V> {
    results: Option<TableResults<K, V>>,
}

impl<K, V> TableSource<K, V> {
    pub(crate) fn new(results: Option<TableResults<K, V>>) -> Self {
        Self { results }
    }
}

impl<K: 'static, V: 'static> TableSource<K, V> {
    fn change(
        &self,
        context: &mut ProcessorContext<'_, K, Change<V>>,
        record: Record<K, Option<V>>,
    ) -> Result<(), ProcessorError> {
        let Record {
            key,
            value,
            timestamp_ms,
            headers,
        } = record;
        let Some(results) = &self.results else {
            let change = Change::new(value, None);
            context.forward(Record::new(key, change, timestamp_ms).with_headers(headers));
            return Ok(());
        };
        let old = if results.sends_old_values() {
            results.store().get(&key)?.map(|old| old.value)
        } else {
            None
        };
        let change = Change::new(value, old);
        let record = Record::new(key, change, timestamp_ms).with_headers(headers);
        results.put(context, record)
    }

    fn flush_results(
        &self,
        context: &mut ProcessorContext<'_, K, Change<V>>,
    ) -> Result<(), ProcessorError> {
        match &self.results {
            Some(results) => results.flush(context),
            None => Ok(()),
        }
    }
}

impl<K: 'static, V: 'static> Processor<K, Option<V>, K, Change<V>> for TableSource<K, V> {
    fn process(
        &mut self,
        context: &mut ProcessorContext<'_, K, Change<V>>,
        record: Record<K, Option<V>>,
    ) -> Result<(), ProcessorError> {
        self.change(context, record)
    }

    fn flush(
        &mut self,
        context: &mut ProcessorContext<'_, K, Change<V>>,
    ) -> Result<(), ProcessorError> {
        self.flush_results(context)
    }
}

/// As [`TableSource`], of a topic that may hold records without a key, which are left out.
pub(crate) struct KeyedTableSource<K, V>(pub(crate) TableSource<K, V>);

impl<K: 'static, V: 'static> Processor<Option<K>, Option<V>, K, Change<V>>
    for KeyedTableSource<K, V>
{
    fn process(
        &mut self,
        context: &mut ProcessorContext<'_, K, Change<V>>,
        record: Record<Option<K>, Option<V>>,
    ) -> Result<(), ProcessorError> {
        let Record {
            key,
            value,
            timestamp_ms,
            headers,
        } = record;
        let Some(key) = key else {
            context.count_dropped();
            return Ok(());
        };
        let record = Record::new(key, value, timestamp_ms).with_headers(headers);
        self.0.change(context, record)
    }

    fn flush(
        &mut self,
        context: &mut ProcessorContext<'_, K, Change<V>>,
    ) -> Result<(), ProcessorError> {
        self.0.flush_results(context)
    }
}
