//! Aggregates over tumbling, hopping and unlimited windows (`KStreamWindowAggregate`).

use std::borrow::Cow;
use std::ops::RangeInclusive;

use streams_core::Record;
use streams_core::processor::{Processor, ProcessorError};
use streams_core::store::TaskTimestampedWindowStore;
use streams_core::window::Windowed;

use crate::operator::window_results::{Added, Folding, Forwarding, WindowContext, WindowResults};
use crate::operator::{Change, Due};
use crate::window::FixedWindows;

pub(crate) struct WindowAggregate<W, K, A, F> {
    windows: W,
    folding: Folding<A, F>,
    results: WindowResults<K, A>,
}

impl<W, K: Clone + 'static, A: Clone + 'static, F> WindowAggregate<W, K, A, F> {
    pub(crate) fn new(
        windows: W,
        folding: Folding<A, F>,
        store: TaskTimestampedWindowStore<K, A>,
        forwarding: Forwarding,
    ) -> Self {
        Self {
            windows,
            folding,
            results: WindowResults::new(store, forwarding),
        }
    }
}

impl<W, K, V, A, F> Processor<K, V, Windowed<K>, Change<A>> for WindowAggregate<W, K, A, F>
where
    W: FixedWindows,
    K: Clone + 'static,
    V: Clone + 'static,
    A: Clone + 'static,
    F: Fn(&K, Cow<'_, V>, Option<A>) -> Option<A> + 'static,
{
    fn process(
        &mut self,
        context: &mut WindowContext<'_, K, A>,
        record: Record<K, V>,
    ) -> Result<(), ProcessorError> {
        let (record, value) = Added::of(record);
        let grace_ms = self.windows.grace_ms();
        let close_ms = self.results.observe(record.timestamp_ms, grace_ms);
        let mut value = Some(value);
        let mut windows = self.windows.windows_for(record.timestamp_ms).peekable();
        while let Some(window) = windows.next() {
            if window.end_ms <= close_ms {
                context.count_dropped();
                continue;
            }
            // The last window takes the value itself.
            let given = match windows.peek() {
                Some(_) => value.as_ref().map(Cow::Borrowed),
                None => value.take().map(Cow::Owned),
            };
            let Some(given) = given else { break };
            let so_far = self.results.store().fetch(&record.key, window.start_ms)?;
            let folding = &self.folding;
            self.results
                .add(context, (&record, given), window, so_far, folding)?;
        }
        let windows = self.windows;
        let starts = |due| closed_between(windows, due);
        self.results
            .emit_closed(context, &record.headers, close_ms, starts)?;
        self.results.flush_if_full(context)
    }

    fn flush(&mut self, context: &mut WindowContext<'_, K, A>) -> Result<(), ProcessorError> {
        self.results.flush(context)
    }
}

/// Between which times the windows begin that have closed.
fn closed_between(windows: impl FixedWindows, due: Due) -> Option<RangeInclusive<i64>> {
    let last_start = |close_ms: i64| close_ms.saturating_sub(windows.size_ms());
    let last_ms = last_start(due.close_ms);
    if last_ms < 0 {
        return None;
    }
    let Some(last_close_ms) = due.last_close_ms else {
        return Some(0..=last_ms);
    };
    // A window's end does not belong to it: those that begin at this time have been emitted.
    let emitted_ms = last_start(last_close_ms).max(0);
    let has_new = !windows
        .windows_for(last_ms)
        .eq(windows.windows_for(emitted_ms));
    has_new.then_some(emitted_ms + 1..=last_ms)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::window::TimeWindows;

    fn closed(last_close_ms: Option<i64>, close_ms: i64) -> Option<RangeInclusive<i64>> {
        let size = Duration::from_millis(10);
        let windows = TimeWindows::of_size_with_no_grace(size);
        let windows = windows.advance_by(Duration::from_millis(5));
        let due = Due {
            last_close_ms,
            close_ms,
        };
        closed_between(windows, due)
    }

    #[test]
    fn each_window_is_closed_once() {
        assert_eq!(closed(None, 9), None);
        assert_eq!(closed(None, 10), Some(0..=0));
        assert_eq!(closed(Some(10), 14), None, "nothing new has closed");
        assert_eq!(closed(Some(10), 15), Some(1..=5));
        assert_eq!(closed(Some(14), 15), Some(5..=5));
        assert_eq!(closed(Some(15), 40), Some(6..=30));
    }
}
