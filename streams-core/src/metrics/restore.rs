//! The metrics of a task's restore.

use prometheus::IntGauge;

use super::family::Families;
use super::series::{Count, Series};

/// How a task's stores are restored (`stream-task-metrics`, KIP-869).
pub struct RestoreMetrics {
    restored: Count,
    remaining: IntGauge,
    _series: Series,
}

impl RestoreMetrics {
    pub(super) fn new(families: &Families, thread_id: &str, task_id: &str) -> Self {
        let mut series = Series::new(&[thread_id, task_id]);
        Self {
            restored: series.count(&families.task_restore),
            remaining: series.int_gauge(&families.task_restore_remaining),
            _series: series,
        }
    }

    /// Records were restored, and about this many are left.
    pub fn restored(&mut self, records: u64, remaining: u64) {
        self.restored.add(records);
        self.restored.flush();
        self.remaining.set(remaining as i64);
    }
}
