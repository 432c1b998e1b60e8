//! What a processor can ask of the task it runs in.

use std::time::Duration;

use crate::id::TaskId;
use crate::processor::FixedKeyRecord;
use crate::processor::port::Fanout;
use crate::processor::punctuate::{Punctuation, PunctuationType, next_due};
use crate::processor::task_context::{EmitIntervals, TaskContext};
use crate::record::{Record, RecordMetadata};

/// A processor's view of its task, typed by what it may forward
/// (`org.apache.kafka.streams.processor.api.ProcessorContext`).
pub struct ProcessorContext<'a, K, V> {
    task: &'a mut TaskContext,
    children: &'a Fanout<K, V>,
    node: usize,
    node_name: &'a str,
}

impl<'a, K, V> ProcessorContext<'a, K, V> {
    pub(crate) fn new(
        task: &'a mut TaskContext,
        children: &'a Fanout<K, V>,
        node: usize,
        node_name: &'a str,
    ) -> Self {
        Self {
            task,
            children,
            node,
            node_name,
        }
    }

    /// Sends a record to every child, and returns when all that follows from it is done.
    ///
    /// If something downstream stops the task, this and later records go no further.
    #[inline]
    pub fn forward(&mut self, record: Record<K, V>) {
        if !self.task.has_failed() {
            self.children.push(self.task, record);
        }
    }

    /// Sends a record to one child only: the `child`-th in the order in which they were added.
    /// Without such a child the record goes nowhere.
    #[inline]
    pub fn forward_to(&mut self, child: usize, record: Record<K, V>) {
        if !self.task.has_failed() {
            self.children.push_to(child, self.task, record);
        }
    }

    /// The number of children.
    pub fn children_count(&self) -> usize {
        self.children.len()
    }

    /// Asks for [`super::Processor::punctuate`] to be called every `interval`.
    ///
    /// On stream time it is due first with the first record, then on multiples of the interval;
    /// on wall clock first after one interval. Missed times are skipped. An interval below a
    /// millisecond counts as one.
    pub fn schedule(&mut self, interval: Duration, kind: PunctuationType) -> Punctuation {
        let interval_ms = millis(interval);
        let first_ms = match kind {
            PunctuationType::StreamTime => 0,
            PunctuationType::WallClockTime => self.task.now_ms().saturating_add(interval_ms),
        };
        self.task
            .punctuations
            .schedule(self.node, kind, first_ms, interval_ms)
    }

    /// Asks for punctuations at `start_ms` and every `interval` after it, such as on the hour
    /// (KIP-1146). A start in the past keeps its grid.
    pub fn schedule_from(
        &mut self,
        start_ms: i64,
        interval: Duration,
        kind: PunctuationType,
    ) -> Punctuation {
        let interval_ms = millis(interval);
        let now_ms = match kind {
            PunctuationType::StreamTime => self.task.stream_time_ms,
            PunctuationType::WallClockTime => self.task.now_ms(),
        };
        let first_ms = if start_ms < now_ms {
            next_due(start_ms, interval_ms, now_ms)
        } else {
            start_ms
        };
        self.task
            .punctuations
            .schedule(self.node, kind, first_ms, interval_ms)
    }

    /// Ends a schedule.
    pub fn cancel(&mut self, punctuation: Punctuation) {
        self.task.punctuations.cancel(punctuation);
    }

    /// Asks for a commit as soon as the thread can make one.
    pub fn commit(&mut self) {
        self.task.commit_requested = true;
    }

    /// Where the record at hand came from; `None` in `init` and in a punctuation.
    pub fn record_metadata(&self) -> Option<RecordMetadata<'_>> {
        self.task.record_metadata()
    }

    /// The largest timestamp of the task's records so far, in milliseconds; -1 before the first.
    pub fn current_stream_time_ms(&self) -> i64 {
        self.task.stream_time_ms
    }

    /// The wall clock, in milliseconds since the epoch.
    pub fn current_system_time_ms(&self) -> i64 {
        self.task.now_ms()
    }

    /// The application's id.
    pub fn application_id(&self) -> &str {
        &self.task.environment.application_id
    }

    /// The task's id.
    pub fn task_id(&self) -> TaskId {
        self.task.id
    }

    /// The name of this node.
    pub fn node_name(&self) -> &str {
        self.node_name
    }

    /// A number that a processor of this task has kept under this name, here or with an earlier
    /// owner of the task; not known before the first record (`processorMetadataForKey`).
    pub fn processor_metadata(&self, name: &str) -> Option<i64> {
        self.task.metadata.get(name)
    }

    /// Keeps a number with the task's offsets: it is committed with them, and lost or kept as they
    /// are. All of a task's share the room of an offset's metadata, so there should be few, with
    /// short names (`addProcessorMetadataKeyValue`).
    pub fn set_processor_metadata(&mut self, name: &str, number: i64) {
        self.task.metadata.put(name, number);
    }

    /// How often, at most, results are to be looked for that wait for a window to close.
    pub fn emit_intervals(&self) -> EmitIntervals {
        self.task.environment.emit_intervals
    }

    /// Counts a record that this processor leaves out, in the task's `dropped-records` metric.
    pub fn count_dropped(&mut self) {
        self.task.counts.dropped += 1;
    }

    /// Waits, without giving up the record at hand. For retries; the waits of one record must stay
    /// below `transaction.timeout.ms` and `max.poll.interval.ms`.
    pub fn wait(&mut self, duration: Duration) {
        self.task.environment.clock.sleep(duration);
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis())
        .unwrap_or(i64::MAX)
        .max(1)
}

/// What a [`super::FixedKeyProcessor`] can ask of its task (`FixedKeyProcessorContext`).
pub struct FixedKeyProcessorContext<'a, K, V> {
    task: &'a mut TaskContext,
    children: &'a Fanout<K, V>,
    node: usize,
    node_name: &'a str,
}

impl<'a, K, V> FixedKeyProcessorContext<'a, K, V> {
    pub(crate) fn new(context: &'a mut ProcessorContext<'_, K, V>) -> Self {
        Self {
            task: context.task,
            children: context.children,
            node: context.node,
            node_name: context.node_name,
        }
    }

    /// Sends a record to every child.
    pub fn forward(&mut self, record: FixedKeyRecord<K, V>) {
        self.inner().forward(record.into_record());
    }

    /// As [`ProcessorContext::schedule`].
    pub fn schedule(&mut self, interval: Duration, kind: PunctuationType) -> Punctuation {
        self.inner().schedule(interval, kind)
    }

    /// As [`ProcessorContext::cancel`].
    pub fn cancel(&mut self, punctuation: Punctuation) {
        self.inner().cancel(punctuation);
    }

    /// As [`ProcessorContext::commit`].
    pub fn commit(&mut self) {
        self.inner().commit();
    }

    /// As [`ProcessorContext::record_metadata`].
    pub fn record_metadata(&self) -> Option<RecordMetadata<'_>> {
        self.task.record_metadata()
    }

    /// As [`ProcessorContext::current_stream_time_ms`].
    pub fn current_stream_time_ms(&self) -> i64 {
        self.task.stream_time_ms
    }

    /// As [`ProcessorContext::current_system_time_ms`].
    pub fn current_system_time_ms(&self) -> i64 {
        self.task.now_ms()
    }

    fn inner(&mut self) -> ProcessorContext<'_, K, V> {
        ProcessorContext::new(self.task, self.children, self.node, self.node_name)
    }
}
