//! Joins the records of a stream with the rows of a table (`KStreamKTableJoinProcessor`).

use std::sync::Arc;

use streams_core::processor::{Processor, ProcessorContext, ProcessorError};
use streams_core::{Record, Result};

/// What a table has for a record.
pub(crate) enum Found<VT> {
    /// The record has no key to look for, and is left out.
    NoKey,
    /// Its row, if there is one.
    Row(Option<VT>),
}

/// Looks up each record's row; `find` gets key, value and time, and `join` key, value and row.
pub(crate) struct LookUp<R, F> {
    find: R,
    join: Arc<F>,
}

impl<R, F> LookUp<R, F> {
    pub(crate) fn new(find: R, join: Arc<F>) -> Self {
        Self { find, join }
    }
}

impl<K, V, VT, VO, R, F> Processor<K, V, K, VO> for LookUp<R, F>
where
    R: FnMut(&K, &V, i64) -> Result<Found<VT>> + 'static,
    F: Fn(&K, V, Option<VT>) -> Option<VO> + 'static,
{
    fn process(
        &mut self,
        context: &mut ProcessorContext<'_, K, VO>,
        record: Record<K, V>,
    ) -> std::result::Result<(), ProcessorError> {
        let Record {
            key,
            value,
            timestamp_ms,
            headers,
        } = record;
        let Found::Row(row) = (self.find)(&key, &value, timestamp_ms)? else {
            context.count_dropped();
            return Ok(());
        };
        if let Some(joined) = (self.join)(&key, value, row) {
            context.forward(Record::new(key, joined, timestamp_ms).with_headers(headers));
        }
        Ok(())
    }
}
