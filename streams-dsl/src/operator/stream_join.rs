//! Joins the records of a stream with those of another (`KStreamKStreamJoin`).

use std::rc::Rc;

use streams_core::Record;
use streams_core::processor::{Processor, ProcessorContext, ProcessorError};
use streams_core::store::TaskWindowStore;

use crate::operator::{JoinTime, Side, SideKey, Unjoined};
use crate::window::JoinWindows;

/// How the keys of a stream are the keys of a join; those of an outer join may be null.
pub(crate) struct KeyForm<SK, K> {
    pub(crate) as_key: fn(&SK) -> Option<&K>,
    pub(crate) of_key: fn(K) -> SK,
}

impl<SK, K> Clone for KeyForm<SK, K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<SK, K> Copy for KeyForm<SK, K> {}

/// Keeps the records of a stream for its partner to find, and sends them on.
pub(crate) struct StreamWindow<SK, K, V> {
    form: KeyForm<SK, K>,
    /// `None` where they are kept by what joins the stream with itself.
    store: Option<TaskWindowStore<K, V>>,
}

impl<SK, K, V> StreamWindow<SK, K, V> {
    pub(crate) fn new(form: KeyForm<SK, K>, store: Option<TaskWindowStore<K, V>>) -> Self {
        Self { form, store }
    }
}

impl<SK: 'static, K: 'static, V: 'static> Processor<SK, V, SK, V> for StreamWindow<SK, K, V> {
    fn process(
        &mut self,
        context: &mut ProcessorContext<'_, SK, V>,
        record: Record<SK, V>,
    ) -> Result<(), ProcessorError> {
        // The other side's records are what this one is joined with, so that it may be kept first.
        if let (Some(store), Some(key)) = (&self.store, (self.form.as_key)(&record.key)) {
            let start_ms = record.timestamp_ms;
            store.put_with_headers(key, &record.value, start_ms, &record.headers)?;
        }
        context.forward(record);
        Ok(())
    }
}

/// What one side of a join of streams does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StreamJoining {
    pub(crate) is_left: bool,
    /// Whether a record without a partner is joined with nothing.
    pub(crate) is_outer: bool,
    pub(crate) windows: JoinWindows,
}

impl StreamJoining {
    /// The first and the last time at which a record of this side may have partners.
    fn span(&self, timestamp_ms: i64) -> (i64, i64) {
        let JoinWindows {
            before_ms,
            after_ms,
            ..
        } = self.windows;
        let (before_ms, after_ms) = match self.is_left {
            true => (before_ms, after_ms),
            false => (after_ms, before_ms),
        };
        let from_ms = timestamp_ms.saturating_sub(before_ms);
        (from_ms.max(0), timestamp_ms.saturating_add(after_ms).max(0))
    }

    /// Until when a record of a side may find a partner.
    fn close_ms(&self, timestamp_ms: i64, is_left: bool) -> i64 {
        let JoinWindows {
            before_ms,
            after_ms,
            grace_ms,
        } = self.windows;
        let ahead_ms = if is_left { after_ms } else { before_ms };
        timestamp_ms
            .saturating_add(ahead_ms)
            .saturating_add(grace_ms)
    }
}

/// Joins each record of one side with those of the other that are kept. `join` gets the key, and
/// the values of this side and of the other, one of which may be missing if the join is an outer
/// one.
pub(crate) struct StreamJoin<SK, K, V, V2, F> {
    form: KeyForm<SK, K>,
    others: TaskWindowStore<K, V2>,
    join: F,
    joining: StreamJoining,
    unjoined: Option<Unjoined<K, V, V2>>,
    time: Rc<JoinTime>,
}

impl<SK, K, V, V2, F> StreamJoin<SK, K, V, V2, F> {
    pub(crate) fn new(
        form: KeyForm<SK, K>,
        others: TaskWindowStore<K, V2>,
        join: F,
        joining: StreamJoining,
        (unjoined, time): (Option<Unjoined<K, V, V2>>, Rc<JoinTime>),
    ) -> Self {
        Self {
            form,
            others,
            join,
            joining,
            unjoined,
            time,
        }
    }

    /// Sends on the records without a partner whose windows have closed
    /// (`emitNonJoinedOuterRecords`).
    fn emit_closed<VO>(
        &self,
        context: &mut ProcessorContext<'_, SK, VO>,
        unjoined: &Unjoined<K, V, V2>,
        record: &Record<SK, V>,
    ) -> Result<(), ProcessorError>
    where
        F: Fn(&SK, Option<&V>, Option<&V2>) -> Option<VO>,
        K: Clone + 'static,
        V: 'static,
        V2: 'static,
    {
        let (time, joining) = (&self.time, &self.joining);
        let stream_ms = time.stream_ms.get();
        if joining.close_ms(time.oldest_ms.get(), joining.is_left) >= stream_ms {
            return Ok(());
        }
        let now_ms = context.current_system_time_ms();
        if now_ms < time.next_look_ms.get() {
            return Ok(());
        }
        let interval_ms = context.emit_intervals().outer_join_ms;
        time.next_look_ms.set(now_ms.saturating_add(interval_ms));
        time.oldest_ms.set(i64::MAX);
        let (mut is_left_open, mut is_right_open) = (false, false);
        let mut emitted: Option<SideKey<K>> = None;
        for entry in unjoined.store.all() {
            let (side, value) = entry?;
            time.oldest_ms.set(side.timestamp_ms);
            if is_left_open && is_right_open {
                break;
            }
            if joining.close_ms(side.timestamp_ms, side.is_left) >= stream_ms {
                match side.is_left {
                    true => is_left_open = true,
                    false => is_right_open = true,
                }
                continue;
            }
            let key = (self.form.of_key)(side.key.clone());
            let joined = match unjoined.read(&value, joining.is_left)? {
                Side::This(value) => (self.join)(&key, Some(&value), None),
                Side::Other(value) => (self.join)(&key, None, Some(&value)),
            };
            if let Some(joined) = joined {
                let result = Record::new(key, joined, side.timestamp_ms);
                context.forward(result.with_headers(record.headers.clone()));
            }
            // Not before all values of the key have been sent.
            if let Some(before) = &emitted
                && !unjoined.are_same(before, &side)?
            {
                unjoined.store.delete(before)?;
            }
            emitted = Some(side);
        }
        if let Some(last) = &emitted {
            unjoined.store.delete(last)?;
        }
        Ok(())
    }
}

impl<SK, K, V, V2, VO, F> Processor<SK, V, SK, VO> for StreamJoin<SK, K, V, V2, F>
where
    SK: Clone + 'static,
    K: Clone + 'static,
    V: 'static,
    V2: 'static,
    F: Fn(&SK, Option<&V>, Option<&V2>) -> Option<VO> + 'static,
{
    fn process(
        &mut self,
        context: &mut ProcessorContext<'_, SK, VO>,
        record: Record<SK, V>,
    ) -> Result<(), ProcessorError> {
        let timestamp_ms = record.timestamp_ms;
        let stream_ms = self.time.stream_ms.get().max(timestamp_ms);
        self.time.stream_ms.set(stream_ms);
        let Some(key) = (self.form.as_key)(&record.key) else {
            match self.joining.is_outer {
                true => forward_alone(context, record, &self.join),
                false => context.count_dropped(),
            }
            return Ok(());
        };
        if let Some(unjoined) = self.unjoined.as_ref().filter(|_| timestamp_ms == stream_ms) {
            self.emit_closed(context, unjoined, &record)?;
        }
        let (from_ms, to_ms) = self.joining.span(timestamp_ms);
        let mut is_joined = false;
        self.others
            .visit_range(key, from_ms, to_ms, |other_ms, other| {
                is_joined = true;
                if let Some(unjoined) = &self.unjoined {
                    unjoined.forget(&SideKey {
                        timestamp_ms: other_ms,
                        is_left: !self.joining.is_left,
                        key: key.clone(),
                    })?;
                }
                let joined = (self.join)(&record.key, Some(&record.value), Some(&other));
                if let Some(joined) = joined {
                    let result =
                        Record::new(record.key.clone(), joined, timestamp_ms.max(other_ms));
                    context.forward(result.with_headers(record.headers.clone()));
                }
                Ok::<_, ProcessorError>(())
            })?;
        if !self.joining.is_outer || is_joined {
            return Ok(());
        }
        match &self.unjoined {
            // A partner can no longer come in time, so that it need not be kept.
            _ if to_ms < stream_ms => forward_alone(context, record, &self.join),
            None => forward_alone(context, record, &self.join),
            Some(unjoined) => {
                let time = &self.time;
                time.oldest_ms.set(time.oldest_ms.get().min(timestamp_ms));
                let key = SideKey {
                    timestamp_ms,
                    is_left: self.joining.is_left,
                    key: key.clone(),
                };
                unjoined.keep(&key, &record.value)?;
            }
        }
        Ok(())
    }
}

fn forward_alone<SK: 'static, V, V2, VO>(
    context: &mut ProcessorContext<'_, SK, VO>,
    record: Record<SK, V>,
    join: &impl Fn(&SK, Option<&V>, Option<&V2>) -> Option<VO>,
) {
    if let Some(joined) = join(&record.key, Some(&record.value), None) {
        let result = Record::new(record.key, joined, record.timestamp_ms);
        context.forward(result.with_headers(record.headers));
    }
}
