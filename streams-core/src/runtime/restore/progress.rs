//! What restoring tells: a line now and then, the listener and the metrics.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::runtime::restore::StateRestoreListener;
use crate::runtime::restore::store::RestoringStore;

/// The time between two lines about a store.
const LINE_INTERVAL: Duration = Duration::from_secs(10);

/// After this long at the end of what is committed, what is missing is worth a line.
const WAIT_NOTED: Duration = Duration::from_secs(5);

/// Tells how restores are doing.
pub(super) struct Progress {
    listener: Option<Arc<dyn StateRestoreListener>>,
    last_lines: Instant,
}

impl Progress {
    pub(super) fn new(listener: Option<Arc<dyn StateRestoreListener>>) -> Self {
        Self {
            listener,
            last_lines: Instant::now(),
        }
    }

    pub(super) fn started(&self, store: &RestoringStore) {
        let (from, to) = (store.start_offset, store.end_offset);
        let RestoringStore {
            name,
            task,
            partition,
            ..
        } = store;
        tracing::info!(store = %name, %task, %partition, from, to, "restoring");
        if let Some(listener) = &self.listener {
            listener.on_restore_start(partition, name, from, to);
        }
    }

    pub(super) fn wrote(&self, store: &RestoringStore, records: u64) {
        if let (Some(listener), Some(next)) = (&self.listener, store.written_offset) {
            listener.on_batch_restored(&store.partition, &store.name, next - 1, records);
        }
    }

    pub(super) fn ended(&self, store: &RestoringStore) {
        let RestoringStore {
            name,
            task,
            partition,
            restored,
            ..
        } = store;
        let took = store.since.elapsed();
        tracing::info!(store = %name, %task, %partition, restored, ?took, "restored");
        if let Some(listener) = &self.listener {
            listener.on_restore_end(partition, name, *restored);
        }
    }

    pub(super) fn suspended(&self, store: &RestoringStore) {
        let RestoringStore {
            name,
            task,
            partition,
            restored,
            ..
        } = store;
        tracing::info!(store = %name, %task, %partition, restored, "given up before the end");
        if let Some(listener) = &self.listener {
            listener.on_restore_suspended(partition, name, *restored);
        }
    }

    /// A line about each store, if it is time.
    pub(super) fn lines<'s>(&mut self, stores: impl Iterator<Item = &'s RestoringStore>) {
        if self.last_lines.elapsed() < LINE_INTERVAL {
            return;
        }
        self.last_lines = Instant::now();
        for store in stores {
            let RestoringStore {
                name,
                task,
                partition,
                ..
            } = store;
            if let Some((offset, since)) = store.reached_end
                && since.elapsed() > WAIT_NOTED
            {
                tracing::warn!(
                    store = %name, %task, %partition, offset, end = store.end_offset,
                    "waiting for a transaction that another producer has left open"
                );
                continue;
            }
            let total = u64::try_from(store.end_offset - store.start_offset).unwrap_or(0);
            let done = total.saturating_sub(store.remaining());
            let rate = done as f64 / store.since.elapsed().as_secs_f64().max(0.001);
            let left = Duration::from_secs_f64(store.remaining() as f64 / rate.max(1.0));
            tracing::info!(
                store = %name, %task, %partition,
                "restoring: {done} of {total} offsets, {rate:.0} a second, about {} s left",
                left.as_secs()
            );
        }
    }
}
