//! When the results of windows that have closed are due (KIP-825).

use std::sync::Arc;

use streams_core::processor::ProcessorContext;

/// Looks for closed windows from time to time, and remembers until when it has.
///
/// Until when windows have been emitted is kept with the task's offsets under the store's name, as
/// on the JVM: so it is committed with the results, and the next owner of the task goes on there.
pub(crate) struct FinalEmission {
    store: Arc<str>,
    /// The wall clock's time of the next look, in milliseconds since the epoch.
    next_ms: i64,
}

/// Windows that closed between two times are due, in milliseconds of stream time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Due {
    /// Until when they have been emitted before; `None` if never.
    pub(crate) last_close_ms: Option<i64>,
    /// Until when they are to be emitted now.
    pub(crate) close_ms: i64,
}

impl FinalEmission {
    /// The emission of what is in this store.
    pub(crate) fn new(store: &str) -> Self {
        Self {
            store: store.into(),
            next_ms: i64::MIN,
        }
    }

    /// What is due when all windows that end by `close_ms` are closed; nothing, if the last look is
    /// not long enough ago, or windows have been emitted until then.
    pub(crate) fn due<K, V>(
        &mut self,
        context: &ProcessorContext<'_, K, V>,
        close_ms: i64,
    ) -> Option<Due> {
        let now_ms = context.current_system_time_ms();
        if now_ms < self.next_ms {
            return None;
        }
        let interval_ms = context.emit_intervals().windowed_aggregation_ms;
        self.next_ms = now_ms.saturating_add(interval_ms);
        let last_close_ms = context.processor_metadata(&self.store);
        let is_due = last_close_ms.is_none_or(|last_ms| last_ms < close_ms);
        is_due.then_some(Due {
            last_close_ms,
            close_ms,
        })
    }

    /// What was due has been emitted.
    pub(crate) fn done<K, V>(&self, context: &mut ProcessorContext<'_, K, V>, due: Due) {
        context.set_processor_metadata(&self.store, due.close_ms);
    }
}
