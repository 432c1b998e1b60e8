//! The rows of a table under the keys of their groups (`KTableRepartitionMap`).

use std::sync::Arc;

use streams_core::Record;
use streams_core::processor::{Processor, ProcessorContext, ProcessorError};

use crate::operator::Change;

/// Sends what each row was and is to its group. A change that stays within a group is one record,
/// so that nobody sees the group without the row (KIP-904); else the old group loses the row first.
pub(crate) struct TableGroup<F> {
    select: Arc<F>,
    /// Whether only changes to the latest version of a row count.
    is_versioned: bool,
}

impl<F> TableGroup<F> {
    pub(crate) fn new(select: Arc<F>, is_versioned: bool) -> Self {
        Self {
            select,
            is_versioned,
        }
    }
}

impl<K, V, K2, V2, F> Processor<K, Change<V>, K2, Change<V2>> for TableGroup<F>
where
    K2: PartialEq,
    F: Fn(&K, V) -> Option<(K2, V2)> + 'static,
{
    fn process(
        &mut self,
        context: &mut ProcessorContext<'_, K2, Change<V2>>,
        record: Record<K, Change<V>>,
    ) -> Result<(), ProcessorError> {
        let Record {
            key,
            value,
            timestamp_ms,
            headers,
        } = record;
        let is_latest = value.is_latest;
        if self.is_versioned && !is_latest {
            return Ok(());
        }
        let new = value.new.and_then(|new| (self.select)(&key, new));
        let old = value.old.and_then(|old| (self.select)(&key, old));
        let mut forward = |key, new, old| {
            let change = Change {
                new,
                old,
                is_latest,
            };
            let record = Record::new(key, change, timestamp_ms);
            context.forward(record.with_headers(headers.clone()));
        };
        match (new, old) {
            (Some((group, new)), Some((old_group, old))) if group == old_group => {
                forward(group, Some(new), Some(old));
            }
            (new, old) => {
                if let Some((group, old)) = old {
                    forward(group, None, Some(old));
                }
                if let Some((group, new)) = new {
                    forward(group, Some(new), None);
                }
            }
        }
        Ok(())
    }
}
