//! Holds the changes of a table back (`KTableSuppressProcessorSupplier`, KIP-328).

use streams_core::Record;
use streams_core::processor::{Processor, ProcessorContext, ProcessorError};
use streams_core::store::{BufferStatus, Eviction, TaskChangeBuffer};

use crate::operator::Change;

/// How long changes are held back, and how many.
pub(crate) struct Suppression<K> {
    /// How long an entry waits from its time on, in milliseconds of stream time.
    pub(crate) wait_ms: i64,
    /// When an entry's wait begins, from its key and its record's time, in milliseconds.
    pub(crate) buffer_time: fn(&K, i64) -> i64,
    pub(crate) records_max: u64,
    pub(crate) bytes_max: u64,
    /// Whether a full buffer emits early rather than stop the task.
    pub(crate) emits_early: bool,
    /// Whether a deletion need not be told: what it deletes has never been emitted.
    pub(crate) drops_deletions: bool,
}

impl<K> Clone for Suppression<K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K> Copy for Suppression<K> {}

impl<K> Suppression<K> {
    fn is_exceeded(&self, status: BufferStatus) -> bool {
        status.records as u64 > self.records_max || status.bytes as u64 > self.bytes_max
    }
}

pub(crate) struct Suppress<K, V> {
    suppression: Suppression<K>,
    buffer: TaskChangeBuffer<K, V>,
    /// The largest time of the changes so far, in milliseconds since the epoch.
    observed_ms: i64,
}

impl<K: 'static, V: 'static> Suppress<K, V> {
    pub(crate) fn new(suppression: Suppression<K>, buffer: TaskChangeBuffer<K, V>) -> Self {
        Self {
            suppression,
            buffer,
            observed_ms: -1,
        }
    }

    /// Emits what waits as long as `is_due` says so.
    fn emit_while(
        &self,
        context: &mut ProcessorContext<'_, K, Change<V>>,
        is_due: impl Fn(BufferStatus) -> bool,
    ) -> Result<(), ProcessorError> {
        let drops_deletions = self.suppression.drops_deletions;
        self.buffer.evict_while(is_due, |eviction| {
            let Eviction {
                key,
                value: (new, old),
                timestamp_ms,
                headers,
            } = eviction;
            if new.is_some() || !drops_deletions {
                let record = Record::new(key, Change::new(new, old), timestamp_ms);
                context.forward(record.with_headers(headers));
            }
        })?;
        Ok(())
    }

    fn refuse(&self, context: &ProcessorContext<'_, K, Change<V>>) -> ProcessorError {
        let Suppression {
            records_max,
            bytes_max,
            ..
        } = self.suppression;
        let bound = |bound: u64| match bound {
            u64::MAX => "any number of".to_owned(),
            bound => bound.to_string(),
        };
        let (node, records, bytes) = (context.node_name(), bound(records_max), bound(bytes_max));
        format!("the buffer of node={node} is full: it holds {records} records in {bytes} bytes")
            .into()
    }
}

impl<K: 'static, V: 'static> Processor<K, Change<V>, K, Change<V>> for Suppress<K, V> {
    fn process(
        &mut self,
        context: &mut ProcessorContext<'_, K, Change<V>>,
        record: Record<K, Change<V>>,
    ) -> Result<(), ProcessorError> {
        let suppression = self.suppression;
        self.observed_ms = self.observed_ms.max(record.timestamp_ms);
        let time_ms = (suppression.buffer_time)(&record.key, record.timestamp_ms);
        let Change { new, old, .. } = record.value;
        self.buffer
            .put(time_ms, &record.key, new.as_ref(), old.as_ref())?;
        let due_ms = self.observed_ms.saturating_sub(suppression.wait_ms);
        self.emit_while(context, |status| status.min_timestamp_ms <= due_ms)?;
        if !suppression.is_exceeded(self.buffer.status()?) {
            return Ok(());
        }
        if !suppression.emits_early {
            return Err(self.refuse(context));
        }
        self.emit_while(context, |status| suppression.is_exceeded(status))
    }
}
