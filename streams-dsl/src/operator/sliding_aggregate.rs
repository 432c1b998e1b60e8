//! Aggregates over sliding windows (`KStreamSlidingWindowAggregate`, KIP-450).
//!
//! The windows of a key that are kept are those of its records so far: for each one that ends with
//! it (its *left* window) and, if there is something in it, one that begins right after it (its
//! *right* window). Records below the time difference have no left window of their own: one that
//! begins at 0 holds them all. A new record is added to the windows that hold its time. Its own two
//! are made of what is known: the left one holds what the latest window before it holds, the right
//! one what the latest window holds that its time is in; and the record before it may get a right
//! window now.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use streams_core::Record;
use streams_core::processor::{Processor, ProcessorError};
use streams_core::store::{TaskTimestampedWindowStore, ValueAndTimestamp};
use streams_core::window::{Window, Windowed};

use crate::operator::window_results::{Added, Folding, Forwarding, WindowContext, WindowResults};
use crate::operator::{Change, Due};
use crate::window::SlidingWindows;

pub(crate) struct SlidingAggregate<K, A, F> {
    windows: SlidingWindows,
    folding: Folding<A, F>,
    results: WindowResults<K, A>,
    /// The beginnings of the windows that were seen for the record at hand.
    starts_ms: Vec<i64>,
}

/// What was found of the windows around a record.
struct Around<A> {
    /// The latest aggregate before the record's left window ends.
    left: Option<ValueAndTimestamp<A>>,
    /// The aggregate of the latest window that the record's time is in.
    right: Option<ValueAndTimestamp<A>>,
    has_left: bool,
    has_right: bool,
    /// The time of the record before this one.
    previous_ms: Option<i64>,
}

impl<A> Around<A> {
    const NOTHING: Self = Self {
        left: None,
        right: None,
        has_left: false,
        has_right: false,
        previous_ms: None,
    };

    /// What the record's right window is to hold, if that is to be made.
    fn new_right(&mut self, timestamp_ms: i64) -> Option<ValueAndTimestamp<A>> {
        let right = self.right.take().filter(|_| !self.has_right);
        right.filter(|right| right.timestamp_ms > timestamp_ms)
    }
}

impl<K: Clone + 'static, A: Clone + 'static, F> SlidingAggregate<K, A, F> {
    pub(crate) fn new(
        windows: SlidingWindows,
        folding: Folding<A, F>,
        store: TaskTimestampedWindowStore<K, A>,
        forwarding: Forwarding,
    ) -> Self {
        Self {
            windows,
            folding,
            results: WindowResults::new(store, forwarding),
            starts_ms: Vec::new(),
        }
    }

    fn window(&self, start_ms: i64) -> Window {
        let difference_ms = self.windows.time_difference_ms();
        Window::new(start_ms, start_ms.saturating_add(difference_ms))
    }
}

impl<K, A, F> SlidingAggregate<K, A, F>
where
    K: Clone + 'static,
    A: Clone + 'static,
{
    /// Adds the record to a window, unless that has closed.
    fn add<V>(
        &self,
        context: &mut WindowContext<'_, K, A>,
        (record, value): (&Added<K>, &V),
        start_ms: i64,
        so_far: Option<ValueAndTimestamp<A>>,
        close_ms: i64,
    ) -> Result<(), ProcessorError>
    where
        V: Clone,
        F: Fn(&K, Cow<'_, V>, Option<A>) -> Option<A>,
    {
        let window = self.window(start_ms);
        if window.end_ms < close_ms {
            context.count_dropped();
            return Ok(());
        }
        let added = (record, Cow::Borrowed(value));
        self.results
            .add(context, added, window, so_far, &self.folding)
    }

    /// A window that begins with what is known of another one's records.
    fn begin_with(
        &self,
        so_far: Option<ValueAndTimestamp<A>>,
        timestamp_ms: i64,
    ) -> Option<ValueAndTimestamp<A>> {
        let value = so_far.map_or_else(|| self.folding.initial(), |so_far| Some(so_far.value))?;
        Some(ValueAndTimestamp::new(value, timestamp_ms))
    }

    /// Makes the record's right window, of records that are known.
    fn make_right(
        &self,
        context: &mut WindowContext<'_, K, A>,
        record: &Added<K>,
        right: ValueAndTimestamp<A>,
    ) -> Result<(), ProcessorError> {
        let window = self.window(after(record.timestamp_ms));
        let change = Change::new(Some(right.value), None);
        self.results
            .put(context, record, window, change, right.timestamp_ms)
    }

    /// Makes the right window of the record before, if there is none and this one is in it.
    fn make_previous_right<V>(
        &self,
        context: &mut WindowContext<'_, K, A>,
        (record, value): (&Added<K>, &V),
        previous_ms: Option<i64>,
        close_ms: i64,
    ) -> Result<(), ProcessorError>
    where
        V: Clone,
        F: Fn(&K, Cow<'_, V>, Option<A>) -> Option<A>,
    {
        let Some(start_ms) = previous_ms.map(after) else {
            return Ok(());
        };
        let holds_record = self.window(start_ms).end_ms >= record.timestamp_ms;
        if !holds_record || self.starts_ms.contains(&start_ms) {
            return Ok(());
        }
        let so_far = self.begin_with(None, record.timestamp_ms);
        self.add(context, (record, value), start_ms, so_far, close_ms)
    }

    /// A record so early that it is in the window that begins at 0.
    fn process_early<V>(
        &mut self,
        context: &mut WindowContext<'_, K, A>,
        (record, value): (&Added<K>, &V),
        close_ms: i64,
    ) -> Result<(), ProcessorError>
    where
        V: Clone,
        F: Fn(&K, Cow<'_, V>, Option<A>) -> Option<A>,
    {
        let timestamp_ms = record.timestamp_ms;
        let mut around = Around::NOTHING;
        let mut first = None;
        let store = self.results.store();
        for entry in store.fetch_range(&record.key, 0, after(timestamp_ms))? {
            let (start_ms, aggregate) = entry?;
            self.starts_ms.push(start_ms);
            if start_ms == 0 {
                let latest_ms = aggregate.timestamp_ms;
                around.previous_ms = (latest_ms < timestamp_ms).then_some(latest_ms);
                first = Some(aggregate);
            } else if start_ms <= timestamp_ms {
                around.right = Some(aggregate.clone());
                self.add(
                    context,
                    (record, value),
                    start_ms,
                    Some(aggregate),
                    close_ms,
                )?;
            } else {
                around.has_right = true;
            }
        }
        // Without a window of later records, the first window holds those that come after this one,
        // and none before it.
        let is_after = |first: &&ValueAndTimestamp<A>| first.timestamp_ms > timestamp_ms;
        if around.right.is_none() {
            around.right = first.as_ref().filter(is_after).cloned();
        }
        if let Some(right) = around.new_right(timestamp_ms) {
            self.make_right(context, record, right)?;
        }
        self.make_previous_right(context, (record, value), around.previous_ms, close_ms)?;
        let first = first.or_else(|| self.begin_with(None, timestamp_ms));
        self.add(context, (record, value), 0, first, close_ms)
    }

    /// Adds the record to the windows that hold its time, the latest first, and tells what is
    /// around it. `None` if there is nothing to make: records of the same time have been here.
    fn add_to_known<V>(
        &mut self,
        context: &mut WindowContext<'_, K, A>,
        (record, value): (&Added<K>, &V),
        close_ms: i64,
    ) -> Result<Option<Around<A>>, ProcessorError>
    where
        V: Clone,
        F: Fn(&K, Cow<'_, V>, Option<A>) -> Option<A>,
    {
        let timestamp_ms = record.timestamp_ms;
        let mut around = Around::NOTHING;
        let reach_ms = self.windows.time_difference_ms().saturating_mul(2);
        let from_ms = timestamp_ms.saturating_sub(reach_ms).max(0);
        let store = self.results.store();
        for entry in store.backward_fetch_range(&record.key, from_ms, after(timestamp_ms))? {
            let (start_ms, aggregate) = entry?;
            self.starts_ms.push(start_ms);
            let end_ms = self.window(start_ms).end_ms;
            let latest_ms = aggregate.timestamp_ms;
            if start_ms > timestamp_ms {
                around.has_right = true;
            } else if end_ms > timestamp_ms {
                if around.right.is_none() {
                    around.right = Some(aggregate.clone());
                }
                self.add(
                    context,
                    (record, value),
                    start_ms,
                    Some(aggregate),
                    close_ms,
                )?;
            } else if end_ms == timestamp_ms {
                around.has_left = true;
                self.add(
                    context,
                    (record, value),
                    start_ms,
                    Some(aggregate),
                    close_ms,
                )?;
                if latest_ms >= timestamp_ms {
                    return Ok(None);
                }
                around.previous_ms = Some(latest_ms);
            } else {
                around.left = Some(aggregate);
                around.previous_ms = Some(latest_ms);
                break;
            }
        }
        Ok(Some(around))
    }

    fn process_late<V>(
        &mut self,
        context: &mut WindowContext<'_, K, A>,
        (record, value): (&Added<K>, &V),
        close_ms: i64,
    ) -> Result<(), ProcessorError>
    where
        V: Clone,
        F: Fn(&K, Cow<'_, V>, Option<A>) -> Option<A>,
    {
        let timestamp_ms = record.timestamp_ms;
        let Some(mut around) = self.add_to_known(context, (record, value), close_ms)? else {
            return Ok(());
        };
        self.make_previous_right(context, (record, value), around.previous_ms, close_ms)?;
        if !around.has_left {
            let start_ms = timestamp_ms - self.windows.time_difference_ms();
            let is_in_it = |previous_ms: i64| start_ms <= previous_ms;
            let left = around.left.take();
            let left = left.filter(|_| around.previous_ms.is_some_and(is_in_it));
            let so_far = self.begin_with(left, timestamp_ms);
            self.add(context, (record, value), start_ms, so_far, close_ms)?;
        }
        if let Some(right) = around.new_right(timestamp_ms) {
            self.make_right(context, record, right)?;
        }
        Ok(())
    }
}

impl<K, V, A, F> Processor<K, V, Windowed<K>, Change<A>> for SlidingAggregate<K, A, F>
where
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
        let timestamp_ms = record.timestamp_ms;
        let close_ms = self.results.observe(timestamp_ms, self.windows.grace_ms());
        // The last window that the record could be in begins with it.
        if self.window(timestamp_ms).end_ms < close_ms {
            context.count_dropped();
            return Ok(());
        }
        if timestamp_ms < 0 {
            let message = format!("timestamp={timestamp_ms} is before the first sliding window");
            return Err(message.into());
        }
        self.starts_ms.clear();
        if timestamp_ms < self.windows.time_difference_ms() {
            // As on the JVM, such a record does not look for windows that have closed.
            self.process_early(context, (&record, &value), close_ms)?;
        } else {
            self.process_late(context, (&record, &value), close_ms)?;
            let difference_ms = self.windows.time_difference_ms();
            let starts = |due| closed_between(difference_ms, due);
            self.results
                .emit_closed(context, &record.headers, close_ms, starts)?;
        }
        self.results.flush_if_full(context)
    }

    fn flush(&mut self, context: &mut WindowContext<'_, K, A>) -> Result<(), ProcessorError> {
        self.results.flush(context)
    }
}

/// Where a record's right window begins.
fn after(timestamp_ms: i64) -> i64 {
    timestamp_ms.saturating_add(1)
}

/// Between which times the windows begin that have closed.
fn closed_between(difference_ms: i64, due: Due) -> Option<RangeInclusive<i64>> {
    // A window's end belongs to it.
    let last_ms = due.close_ms.saturating_sub(difference_ms).saturating_sub(1);
    let first_ms = due
        .last_close_ms
        .map_or(0, |last_ms| last_ms.saturating_sub(difference_ms).max(0));
    (last_ms >= 0).then_some(first_ms..=last_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_window_is_closed_once() {
        let closed = |last_close_ms, close_ms| {
            let due = Due {
                last_close_ms,
                close_ms,
            };
            closed_between(10, due)
        };
        assert_eq!(closed(None, 10), None);
        assert_eq!(closed(None, 11), Some(0..=0));
        assert_eq!(closed(Some(11), 15), Some(1..=4));
        assert_eq!(closed(Some(15), 16), Some(5..=5));
    }
}
