//! Makes new values of a table's by an object with state (`KTableTransformValues`).

use std::cell::RefCell;

use streams_core::processor::{Processor, ProcessorContext, ProcessorError};
use streams_core::store::ValueAndTimestamp;
use streams_core::{Error, ErrorKind, Record, Result};

use crate::operator::{Change, TableResults};
use crate::table::{TableValues, Values};

/// Makes new values of a table's
/// (`org.apache.kafka.streams.kstream.ValueTransformerWithKey`).
///
/// One instance serves one task, and may use stores. It must give the same result for the same row:
/// where the new table has no store, it is asked again for what a row was, and another instance is
/// asked where the table is joined.
pub trait ValueTransformer<K, V, V2>: 'static {
    /// The new value of a row; `None` deletes it. Without a value the row has been deleted, which
    /// is told too. `timestamp_ms` is the row's time, in milliseconds since the epoch; -1 where a
    /// row is looked up that is not there.
    ///
    /// # Errors
    /// An error goes to the processing exception handler.
    fn transform(
        &mut self,
        key: &K,
        value: Option<V>,
        timestamp_ms: i64,
    ) -> Result<Option<V2>, ProcessorError>;

    /// Called once, when the task is closed.
    fn close(&mut self) {}
}

/// A transformer in its place.
pub(crate) struct TableTransform<K, V2, T> {
    transformer: T,
    sends_old_values: bool,
    results: Option<TableResults<K, V2>>,
}

impl<K, V2, T> TableTransform<K, V2, T> {
    pub(crate) fn new(
        transformer: T,
        sends_old_values: bool,
        results: Option<TableResults<K, V2>>,
    ) -> Self {
        Self {
            transformer,
            sends_old_values,
            results,
        }
    }
}

impl<K, V, V2, T> Processor<K, Change<V>, K, Change<V2>> for TableTransform<K, V2, T>
where
    K: 'static,
    V: 'static,
    V2: 'static,
    T: ValueTransformer<K, V, V2>,
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
        let new = self.transformer.transform(&key, new, timestamp_ms)?;
        let old = match &self.results {
            _ if !self.sends_old_values => None,
            Some(results) => results.store().get(&key)?.map(|old| old.value),
            None => self.transformer.transform(&key, old, timestamp_ms)?,
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

    fn close(&mut self) {
        self.transformer.close();
    }
}

/// The time of a row that is not there.
const UNKNOWN_TIME_MS: i64 = -1;

/// The values of another table, transformed as they are read.
pub(crate) struct TransformedValues<K, V, V2, T: ValueTransformer<K, V, V2>> {
    parent: Values<K, V>,
    transformer: RefCell<T>,
    result: std::marker::PhantomData<fn() -> V2>,
}

impl<K, V, V2, T: ValueTransformer<K, V, V2>> TransformedValues<K, V, V2, T> {
    pub(crate) fn new(parent: Values<K, V>, transformer: T) -> Self {
        Self {
            parent,
            transformer: RefCell::new(transformer),
            result: std::marker::PhantomData,
        }
    }

    fn transformed(
        &self,
        key: &K,
        found: Option<ValueAndTimestamp<V>>,
    ) -> Result<Option<ValueAndTimestamp<V2>>> {
        let (value, timestamp_ms) = match found {
            Some(found) => (Some(found.value), found.timestamp_ms),
            None => (None, UNKNOWN_TIME_MS),
        };
        let mut transformer = self.transformer.borrow_mut();
        let value = transformer.transform(key, value, timestamp_ms);
        let value = value.map_err(|error| {
            let message = "cannot transform the value of a table that is read";
            Error::with_source(ErrorKind::Processing, message, error)
        })?;
        Ok(value.map(|value| ValueAndTimestamp::new(value, timestamp_ms)))
    }
}

impl<K, V, V2, T> TableValues<K, V2> for TransformedValues<K, V, V2, T>
where
    T: ValueTransformer<K, V, V2>,
{
    fn get(&self, key: &K) -> Result<Option<ValueAndTimestamp<V2>>> {
        self.transformed(key, self.parent.get(key)?)
    }

    fn get_as_of(&self, key: &K, as_of_ms: i64) -> Result<Option<ValueAndTimestamp<V2>>> {
        self.transformed(key, self.parent.get_as_of(key, as_of_ms)?)
    }

    fn is_versioned(&self) -> bool {
        self.parent.is_versioned()
    }
}

impl<K, V, V2, T: ValueTransformer<K, V, V2>> Drop for TransformedValues<K, V, V2, T> {
    /// Whoever reads a table has no end of its own to tell of.
    fn drop(&mut self) {
        self.transformer.get_mut().close();
    }
}
