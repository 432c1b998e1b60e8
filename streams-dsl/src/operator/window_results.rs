//! What aggregations over windows have in common: their store, and what they forward of it
//! (`AbstractKStreamTimeWindowAggregateProcessor`).

use std::borrow::Cow;
use std::ops::RangeInclusive;
use std::sync::Arc;

use streams_core::processor::{ProcessorContext, ProcessorError};
use streams_core::store::{TaskTimestampedWindowStore, ValueAndTimestamp};
use streams_core::window::{Window, Windowed};
use streams_core::{Headers, Record};

use crate::operator::{Change, Due, FinalEmission, Initial};

/// The context of a processor that aggregates windows.
pub(crate) type WindowContext<'a, K, A> = ProcessorContext<'a, Windowed<K>, Change<A>>;

/// How values become aggregates.
pub(crate) struct Folding<A, F> {
    /// What the first value is added to, if to anything.
    pub(crate) initial: Initial<A>,
    /// Adds a value to what there is; `None` stands for Java's null.
    pub(crate) add: Arc<F>,
}

impl<A, F> Folding<A, F> {
    /// What stands before the first value.
    pub(crate) fn initial(&self) -> Option<A> {
        self.initial.as_ref().map(|initial| initial())
    }
}

impl<A, F> Clone for Folding<A, F> {
    fn clone(&self) -> Self {
        Self {
            initial: self.initial.clone(),
            add: Arc::clone(&self.add),
        }
    }
}

/// A record that is added to windows, but for its value.
pub(crate) struct Added<K> {
    pub(crate) key: K,
    pub(crate) timestamp_ms: i64,
    pub(crate) headers: Headers,
}

impl<K> Added<K> {
    /// Takes a record and its value apart.
    pub(crate) fn of<V>(record: Record<K, V>) -> (Self, V) {
        let Record {
            key,
            value,
            timestamp_ms,
            headers,
        } = record;
        let added = Self {
            key,
            timestamp_ms,
            headers,
        };
        (added, value)
    }
}

/// When results of windows go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Forwarding {
    /// Only when their window has closed, rather than with each change.
    pub(crate) on_close: bool,
    /// With the values that they replace.
    pub(crate) sends_old_values: bool,
}

/// The aggregates of windows, and their way out.
pub(crate) struct WindowResults<K, A> {
    store: TaskTimestampedWindowStore<K, A>,
    sends_old_values: bool,
    /// Set where results are emitted on close.
    emission: Option<FinalEmission>,
    /// The largest time of the records so far, in milliseconds since the epoch.
    observed_ms: i64,
}

/// Stream time before the first record.
const UNKNOWN_TIME: i64 = -1;

impl<K: Clone + 'static, A: Clone + 'static> WindowResults<K, A> {
    pub(crate) fn new(store: TaskTimestampedWindowStore<K, A>, forwarding: Forwarding) -> Self {
        let emission = forwarding
            .on_close
            .then(|| FinalEmission::new(store.name()));
        Self {
            store,
            sends_old_values: forwarding.sends_old_values,
            emission,
            observed_ms: UNKNOWN_TIME,
        }
    }

    /// The aggregates.
    pub(crate) fn store(&self) -> &TaskTimestampedWindowStore<K, A> {
        &self.store
    }

    /// Moves stream time, and returns the time until which windows are closed, in milliseconds.
    pub(crate) fn observe(&mut self, timestamp_ms: i64, grace_ms: i64) -> i64 {
        self.observed_ms = self.observed_ms.max(timestamp_ms);
        self.observed_ms.saturating_sub(grace_ms)
    }

    /// Adds a record's value to what a window has had so far, and forwards the result, as of the
    /// latest of its records.
    pub(crate) fn add<V, F>(
        &self,
        context: &mut WindowContext<'_, K, A>,
        (record, value): (&Added<K>, Cow<'_, V>),
        window: Window,
        so_far: Option<ValueAndTimestamp<A>>,
        folding: &Folding<A, F>,
    ) -> Result<(), ProcessorError>
    where
        V: Clone,
        F: Fn(&K, Cow<'_, V>, Option<A>) -> Option<A>,
    {
        let timestamp_ms = so_far.as_ref().map_or(record.timestamp_ms, |so_far| {
            so_far.timestamp_ms.max(record.timestamp_ms)
        });
        let old = so_far.map_or_else(|| folding.initial(), |so_far| Some(so_far.value));
        let kept = self.sends_old_values.then(|| old.clone()).flatten();
        let new = (folding.add)(&record.key, value, old);
        let change = Change::new(new, kept);
        self.put(context, record, window, change, timestamp_ms)
    }

    /// Writes what is new of a window, and forwards the change.
    pub(crate) fn put(
        &self,
        context: &mut WindowContext<'_, K, A>,
        record: &Added<K>,
        window: Window,
        change: Change<A>,
        timestamp_ms: i64,
    ) -> Result<(), ProcessorError> {
        let start_ms = window.start_ms;
        self.store
            .put(&record.key, change.new.as_ref(), start_ms, timestamp_ms)?;
        if self.emission.is_none() && !self.store.is_cached() {
            let key = Windowed::new(record.key.clone(), window);
            let result = Record::new(key, change, timestamp_ms);
            context.forward(result.with_headers(record.headers.clone()));
        }
        Ok(())
    }

    /// Emits the windows that are closed at `close_ms`; `starts` tells between which times those
    /// begin, and `None` that there are none.
    pub(crate) fn emit_closed(
        &mut self,
        context: &mut WindowContext<'_, K, A>,
        headers: &Headers,
        close_ms: i64,
        starts: impl FnOnce(Due) -> Option<RangeInclusive<i64>>,
    ) -> Result<(), ProcessorError> {
        let Some(emission) = &mut self.emission else {
            return Ok(());
        };
        let Some(due) = emission.due(context, close_ms) else {
            return Ok(());
        };
        let Some(starts) = starts(due) else {
            return Ok(());
        };
        for entry in self.store.closed(*starts.start(), *starts.end())? {
            let (key, aggregate) = entry?;
            let change = Change::new(Some(aggregate.value), None);
            let result = Record::new(key, change, aggregate.timestamp_ms);
            context.forward(result.with_headers(headers.clone()));
        }
        emission.done(context, due);
        Ok(())
    }

    /// Forwards what the store has kept back, if it is more than it is to hold.
    pub(crate) fn flush_if_full(
        &self,
        context: &mut WindowContext<'_, K, A>,
    ) -> Result<(), ProcessorError> {
        match self.store.is_cache_full() {
            true => self.flush(context),
            false => Ok(()),
        }
    }

    /// Forwards what the store has kept back, or writes it where results wait for the close.
    pub(crate) fn flush(
        &self,
        context: &mut WindowContext<'_, K, A>,
    ) -> Result<(), ProcessorError> {
        if !self.store.is_cached() {
            return Ok(());
        }
        if self.emission.is_some() {
            self.store.flush_cache(false, |_| ())?;
            return Ok(());
        }
        self.store.flush_cache(self.sends_old_values, |entry| {
            let change = Change::new(entry.new_value, entry.old_value);
            let result = Record::new(entry.key, change, entry.timestamp_ms);
            context.forward(result.with_headers(entry.headers));
        })?;
        Ok(())
    }
}
