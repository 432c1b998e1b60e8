//! Joins the records of a stream with the rows of a versioned table, after a grace period in which
//! the table may catch up (KIP-923).

use std::sync::Arc;

use streams_core::processor::{Processor, ProcessorContext, ProcessorError};
use streams_core::store::TaskTimeOrderedBuffer;
use streams_core::{Record, Result};

use crate::operator::Found;

/// As [`LookUp`](crate::operator::LookUp), of records that are kept back until stream time has
/// passed theirs by the grace period.
pub(crate) struct GracedLookUp<K, V, R, F, H> {
    find: R,
    join: Arc<F>,
    buffer: TaskTimeOrderedBuffer<K, V>,
    /// Whether a record of this key can be kept back.
    has_key: H,
}

impl<K, V, R, F, H> GracedLookUp<K, V, R, F, H> {
    pub(crate) fn new(
        find: R,
        join: Arc<F>,
        buffer: TaskTimeOrderedBuffer<K, V>,
        has_key: H,
    ) -> Self {
        Self {
            find,
            join,
            buffer,
            has_key,
        }
    }
}

impl<K, V, VT, VO, R, F, H> Processor<K, V, K, VO> for GracedLookUp<K, V, R, F, H>
where
    K: 'static,
    V: 'static,
    R: Fn(&K, &V, i64) -> Result<Found<VT>> + 'static,
    F: Fn(&K, V, Option<VT>) -> Option<VO> + 'static,
    H: Fn(&K) -> bool + 'static,
{
    fn process(
        &mut self,
        context: &mut ProcessorContext<'_, K, VO>,
        record: Record<K, V>,
    ) -> std::result::Result<(), ProcessorError> {
        let mut look_up = |record: Record<K, V>| -> Result<()> {
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
        };
        let is_kept = (self.has_key)(&record.key) && self.buffer.put(&record.key, &record.value)?;
        if !is_kept {
            look_up(record)?;
            return Ok(());
        }
        let mut done = Ok(());
        self.buffer.evict(|due| {
            if done.is_ok() {
                let record = Record::new(due.key, due.value, due.timestamp_ms);
                done = look_up(record.with_headers(due.headers));
            }
        })?;
        done?;
        Ok(())
    }
}
