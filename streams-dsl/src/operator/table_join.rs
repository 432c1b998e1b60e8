//! Joins the changes of a table with the rows of another, and what both sides give
//! (`KTableKTableAbstractJoin`, `KTableKTableJoinMerger`).

use streams_core::Record;
use streams_core::processor::{Processor, ProcessorContext, ProcessorError};
use streams_core::store::ValueAndTimestamp;

use crate::operator::{Change, TableResults};

/// What one side of a join of tables does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TableJoining {
    /// Whether there is no result without a row of the other table.
    pub(crate) needs_other: bool,
    /// With the values that results replace.
    pub(crate) sends_old_values: bool,
    /// Whether the table is versioned, so that changes of other than the latest version are left
    /// out (KIP-914).
    pub(crate) is_versioned: bool,
}

/// Joins each change with the row that `find` finds in the other table. `join` gives no result
/// where the kind of join has none.
pub(crate) struct TableJoin<R, F> {
    find: R,
    join: F,
    joining: TableJoining,
}

impl<R, F> TableJoin<R, F> {
    pub(crate) fn new(find: R, join: F, joining: TableJoining) -> Self {
        Self {
            find,
            join,
            joining,
        }
    }
}

impl<K, V, V2, VO, R, F> Processor<K, Change<V>, K, Change<VO>> for TableJoin<R, F>
where
    R: Fn(&K) -> streams_core::Result<Option<ValueAndTimestamp<V2>>> + 'static,
    F: Fn(Option<&V>, Option<&V2>) -> Option<VO> + 'static,
{
    fn process(
        &mut self,
        context: &mut ProcessorContext<'_, K, Change<VO>>,
        record: Record<K, Change<V>>,
    ) -> Result<(), ProcessorError> {
        let Record {
            key,
            value,
            timestamp_ms,
            headers,
        } = record;
        let joining = self.joining;
        if joining.is_versioned && !value.is_latest {
            context.count_dropped();
            return Ok(());
        }
        let other = (self.find)(&key)?;
        let is_nothing = value.new.is_none() && value.old.is_none();
        if other.is_none() && (joining.needs_other || is_nothing) {
            return Ok(());
        }
        let (other, timestamp_ms) = match other {
            Some(other) => (Some(other.value), timestamp_ms.max(other.timestamp_ms)),
            None => (None, timestamp_ms),
        };
        let join = |value: Option<&V>| (self.join)(value, other.as_ref());
        let old = if joining.sends_old_values {
            join(value.old.as_ref())
        } else {
            None
        };
        let change = Change {
            new: join(value.new.as_ref()),
            old,
            is_latest: value.is_latest,
        };
        context.forward(Record::new(key, change, timestamp_ms).with_headers(headers));
        Ok(())
    }
}

/// Brings both sides of a join together, and keeps the result if that has a store.
pub(crate) struct TableMerge<K, V> {
    sends_old_values: bool,
    results: Option<TableResults<K, V>>,
}

impl<K, V> TableMerge<K, V> {
    pub(crate) fn new(sends_old_values: bool, results: Option<TableResults<K, V>>) -> Self {
        Self {
            sends_old_values,
            results,
        }
    }
}

impl<K: 'static, V: 'static> Processor<K, Change<V>, K, Change<V>> for TableMerge<K, V> {
    fn process(
        &mut self,
        context: &mut ProcessorContext<'_, K, Change<V>>,
        mut record: Record<K, Change<V>>,
    ) -> Result<(), ProcessorError> {
        if let Some(results) = &self.results {
            return results.put(context, record);
        }
        if !self.sends_old_values {
            record.value.old = None;
        }
        context.forward(record);
        Ok(())
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
