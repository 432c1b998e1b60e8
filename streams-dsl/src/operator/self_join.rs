//! Joins the records of a stream with each other, out of one store (`KStreamKStreamSelfJoin`).

use std::any::Any;

use streams_core::Record;
use streams_core::processor::{Processor, ProcessorContext, ProcessorError};
use streams_core::store::TaskWindowStore;

use crate::operator::KeyForm;
use crate::window::JoinWindows;

/// Joins each record with those before it, with itself, and those before it with it. `join` takes
/// values of two types that are the same.
pub(crate) struct SelfJoin<SK, K, V, F> {
    form: KeyForm<SK, K>,
    store: TaskWindowStore<K, V>,
    join: F,
    windows: JoinWindows,
    /// The largest time of the records so far, in milliseconds since the epoch.
    stream_ms: i64,
}

impl<SK, K, V, F> SelfJoin<SK, K, V, F> {
    pub(crate) fn new(
        form: KeyForm<SK, K>,
        store: TaskWindowStore<K, V>,
        join: F,
        windows: JoinWindows,
    ) -> Self {
        Self {
            form,
            store,
            join,
            windows,
            stream_ms: -1,
        }
    }
}

/// The same value by the type that the other side of the join knows.
fn same<V: 'static, V2: 'static>(value: &V) -> Option<&V2> {
    (value as &dyn Any).downcast_ref()
}

/// A record's time and value.
type At<'a, V> = (i64, &'a V);

impl<SK, K, V, F> SelfJoin<SK, K, V, F>
where
    SK: Clone + 'static,
    V: 'static,
{
    /// Sends on one record as the left one and another as the right one.
    fn forward<V2, VO>(
        &self,
        context: &mut ProcessorContext<'_, SK, VO>,
        record: &Record<SK, V>,
        (left_ms, left): At<'_, V>,
        (right_ms, right): At<'_, V>,
    ) where
        F: Fn(&SK, Option<&V>, Option<&V2>) -> Option<VO>,
        V2: 'static,
    {
        if let Some(joined) = (self.join)(&record.key, Some(left), same(right)) {
            let result = Record::new(record.key.clone(), joined, left_ms.max(right_ms));
            context.forward(result.with_headers(record.headers.clone()));
        }
    }
}

/// A join by way of [`SelfJoin`], which needs to know what the right side's values are called.
pub(crate) struct TypedSelfJoin<SK, K, V, V2, F> {
    pub(crate) join: SelfJoin<SK, K, V, F>,
    pub(crate) right: std::marker::PhantomData<fn() -> V2>,
}

impl<SK, K, V, V2, VO, F> Processor<SK, V, SK, VO> for TypedSelfJoin<SK, K, V, V2, F>
where
    SK: Clone + 'static,
    K: 'static,
    V: 'static,
    V2: 'static,
    F: Fn(&SK, Option<&V>, Option<&V2>) -> Option<VO> + 'static,
{
    fn process(
        &mut self,
        context: &mut ProcessorContext<'_, SK, VO>,
        record: Record<SK, V>,
    ) -> Result<(), ProcessorError> {
        let this = &mut self.join;
        let Some(key) = (this.form.as_key)(&record.key) else {
            context.count_dropped();
            return Ok(());
        };
        let JoinWindows {
            before_ms,
            after_ms,
            grace_ms,
        } = this.windows;
        let timestamp_ms = record.timestamp_ms;
        this.stream_ms = this.stream_ms.max(timestamp_ms);
        let this = &*this;
        let own = (timestamp_ms, &record.value);
        let retention_ms = this.windows.size_ms().saturating_add(grace_ms);
        let mut joins_itself = timestamp_ms > this.stream_ms.saturating_sub(retention_ms) + 1;
        let span = |before_ms: i64, after_ms: i64| {
            let from_ms = timestamp_ms.saturating_sub(before_ms).max(0);
            (from_ms, timestamp_ms.saturating_add(after_ms).max(0))
        };
        let (from_ms, to_ms) = span(before_ms, after_ms);
        for entry in this.store.fetch_range(key, from_ms, to_ms)? {
            let (other_ms, other) = entry?;
            this.forward(context, &record, own, (other_ms, &other));
        }
        // Another time, so that results come in the order in which two stores would give them.
        let (from_ms, to_ms) = span(after_ms, before_ms);
        for entry in this.store.fetch_range(key, from_ms, to_ms)? {
            let (other_ms, other) = entry?;
            if timestamp_ms < other_ms && joins_itself {
                joins_itself = false;
                this.forward(context, &record, own, own);
            }
            this.forward(context, &record, (other_ms, &other), own);
        }
        if joins_itself {
            this.forward(context, &record, own, own);
        }
        this.store
            .put_with_headers(key, &record.value, timestamp_ms, &record.headers)?;
        Ok(())
    }
}
