//! Aggregates over sessions (`KStreamSessionWindowAggregate`).

use std::borrow::Cow;
use std::sync::Arc;

use streams_core::processor::{Processor, ProcessorError};
use streams_core::store::TaskSessionStore;
use streams_core::window::{Window, Windowed};
use streams_core::{Headers, Record};

use crate::operator::window_results::{Added, Folding, Forwarding, WindowContext};
use crate::operator::{Change, Due, FinalEmission};
use crate::window::SessionWindows;

/// Sessions and their aggregates.
type Sessions<K, A> = Vec<(Windowed<K>, A)>;

pub(crate) struct SessionAggregate<K, A, F, M> {
    windows: SessionWindows,
    folding: Folding<A, F>,
    /// Makes one aggregate of those of two sessions.
    merge: Arc<M>,
    store: TaskSessionStore<K, A>,
    sends_old_values: bool,
    /// Set where results are emitted on close.
    emission: Option<FinalEmission>,
    /// The largest time of the records so far, in milliseconds since the epoch.
    observed_ms: i64,
}

impl<K, A, F, M> SessionAggregate<K, A, F, M>
where
    K: Clone + 'static,
    A: Clone + 'static,
{
    pub(crate) fn new(
        windows: SessionWindows,
        folding: Folding<A, F>,
        merge: Arc<M>,
        store: TaskSessionStore<K, A>,
        forwarding: Forwarding,
    ) -> Self {
        let emission = forwarding
            .on_close
            .then(|| FinalEmission::new(store.name()));
        Self {
            windows,
            folding,
            merge,
            store,
            sends_old_values: forwarding.sends_old_values,
            emission,
            observed_ms: -1,
        }
    }

    /// The sessions that a record joins, and what they become with it.
    fn sessions_around(
        &self,
        key: &K,
        timestamp_ms: i64,
    ) -> Result<(Sessions<K, A>, Window), ProcessorError> {
        let gap_ms = self.windows.gap_ms();
        let found = self.store.find_sessions(
            key,
            timestamp_ms.saturating_sub(gap_ms),
            timestamp_ms.saturating_add(gap_ms),
        )?;
        let found = found.collect::<Result<Vec<_>, _>>()?;
        let own = Window::new(timestamp_ms, timestamp_ms);
        let joined = found.iter().fold(own, |joined, (session, _)| {
            let Window { start_ms, end_ms } = session.window;
            Window::new(joined.start_ms.min(start_ms), joined.end_ms.max(end_ms))
        });
        Ok((found, joined))
    }

    /// Adds a record to the sessions that it joins, which become one.
    fn add<V>(
        &self,
        context: &mut WindowContext<'_, K, A>,
        (record, value): (&Added<K>, V),
        sessions: Vec<(Windowed<K>, A)>,
        joined: Window,
    ) -> Result<(), ProcessorError>
    where
        V: Clone,
        F: Fn(&K, Cow<'_, V>, Option<A>) -> Option<A>,
        M: Fn(&K, Option<A>, A) -> Option<A>,
    {
        let own = Window::new(record.timestamp_ms, record.timestamp_ms);
        let mut aggregate = self.folding.initial();
        let mut replaced = Vec::with_capacity(sessions.len());
        for (session, known) in sessions {
            let old = self.sends_old_values.then(|| known.clone());
            aggregate = (self.merge)(&record.key, aggregate, known);
            replaced.push((session, old));
        }
        // A session of only this time stays what it is, and is written over.
        if joined != own {
            for (session, old) in replaced {
                self.store.remove(&session)?;
                self.forward_update(context, session, Change::new(None, old));
            }
        }
        let aggregate = (self.folding.add)(&record.key, Cow::Owned(value), aggregate);
        let session = Windowed::new(record.key.clone(), joined);
        self.store.put(&session, aggregate.as_ref())?;
        self.forward_update(context, session, Change::new(aggregate, None));
        Ok(())
    }

    /// Forwards a change, as of the session's end.
    fn forward_update(
        &self,
        context: &mut WindowContext<'_, K, A>,
        session: Windowed<K>,
        change: Change<A>,
    ) {
        if self.emission.is_none() && !self.store.is_cached() {
            let end_ms = session.window.end_ms;
            // The JVM's record has no headers either.
            context.forward(Record::new(session, change, end_ms));
        }
    }

    /// Emits the sessions that have closed.
    fn emit_closed(
        &mut self,
        context: &mut WindowContext<'_, K, A>,
        headers: &Headers,
        close_ms: i64,
    ) -> Result<(), ProcessorError> {
        let Some(emission) = &mut self.emission else {
            return Ok(());
        };
        let Some(due) = emission.due(context, close_ms) else {
            return Ok(());
        };
        let Some((first_ms, last_ms)) = closed_between(due) else {
            return Ok(());
        };
        for entry in self.store.closed(first_ms, last_ms)? {
            let (session, aggregate) = entry?;
            let end_ms = session.window.end_ms;
            let result = Record::new(session, Change::new(Some(aggregate), None), end_ms);
            context.forward(result.with_headers(headers.clone()));
        }
        emission.done(context, due);
        Ok(())
    }

    /// Forwards what the store has kept back.
    fn flush_cache(&self, context: &mut WindowContext<'_, K, A>) -> Result<(), ProcessorError> {
        if self.emission.is_some() || !self.store.is_cached() {
            return Ok(());
        }
        self.store.flush_cache(self.sends_old_values, |entry| {
            let end_ms = entry.key.window.end_ms;
            let change = Change::new(entry.new_value, entry.old_value);
            let result = Record::new(entry.key, change, end_ms);
            context.forward(result.with_headers(entry.headers));
        })?;
        Ok(())
    }
}

impl<K, V, A, F, M> Processor<K, V, Windowed<K>, Change<A>> for SessionAggregate<K, A, F, M>
where
    K: Clone + 'static,
    V: Clone + 'static,
    A: Clone + 'static,
    F: Fn(&K, Cow<'_, V>, Option<A>) -> Option<A> + 'static,
    M: Fn(&K, Option<A>, A) -> Option<A> + 'static,
{
    fn process(
        &mut self,
        context: &mut WindowContext<'_, K, A>,
        record: Record<K, V>,
    ) -> Result<(), ProcessorError> {
        let (record, value) = Added::of(record);
        self.observed_ms = self.observed_ms.max(record.timestamp_ms);
        let wait_ms = self
            .windows
            .grace_ms()
            .saturating_add(self.windows.gap_ms());
        let close_ms = self.observed_ms.saturating_sub(wait_ms);
        let (sessions, joined) = self.sessions_around(&record.key, record.timestamp_ms)?;
        if joined.end_ms < close_ms {
            context.count_dropped();
        } else {
            self.add(context, (&record, value), sessions, joined)?;
        }
        self.emit_closed(context, &record.headers, close_ms)?;
        match self.store.is_cache_full() {
            true => self.flush_cache(context),
            false => Ok(()),
        }
    }

    fn flush(&mut self, context: &mut WindowContext<'_, K, A>) -> Result<(), ProcessorError> {
        self.flush_cache(context)
    }
}

/// Between which times the sessions end that have closed.
fn closed_between(due: Due) -> Option<(i64, i64)> {
    // A session's end belongs to it.
    let last_ms = due.close_ms.saturating_sub(1);
    let first_ms = due.last_close_ms.unwrap_or(0).max(0);
    (last_ms >= first_ms).then_some((first_ms, last_ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_session_is_closed_once() {
        let closed = |last_close_ms, close_ms| {
            closed_between(Due {
                last_close_ms,
                close_ms,
            })
        };
        assert_eq!(closed(None, 0), None);
        assert_eq!(closed(None, 1), Some((0, 0)));
        assert_eq!(closed(Some(1), 2), Some((1, 1)));
        assert_eq!(closed(Some(2), 9), Some((2, 8)));
    }
}
