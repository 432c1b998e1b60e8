//! Tasks: one sub-topology on one partition, on one thread.
//!
//! A task buffers the records of its input partitions, takes them in the order of their event
//! times and knows what is to be committed. It never touches a broker: what it sends goes to a
//! [`Collector`](crate::broker::Collector), and whoever runs it commits.

mod input;
mod metadata;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::id::{TaskId, TopicPartition};
use crate::processor::{
    Lifecycle, ProcessorMetadata, PunctuationType, SourcePort, TaskContext, TaskCounts,
    TaskEnvironment,
};
use crate::record::RawRecord;
use crate::store::{DatabaseBatch, TaskStores};
use crate::topology::LinkedTask;

pub(crate) use input::CommittedPosition;
pub(crate) use metadata::{CommitMetadata, decode as decode_metadata, encode as encode_metadata};

use input::Input;

/// How long a task waits for an input that is empty, before it takes records of the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Idling {
    /// `max.task.idle.ms=-1`: not at all.
    Never,
    /// Until the input is known to be at its end, and then this many milliseconds.
    UpTo(i64),
}

/// A running task.
pub(crate) struct Task {
    context: TaskContext,
    inputs: Vec<Input>,
    sources: Vec<(usize, Box<dyn SourcePort>)>,
    processors: Vec<(usize, Rc<RefCell<dyn Lifecycle>>)>,
    stores: TaskStores,
    idling: Idling,
}

impl Task {
    /// A task that reads `inputs`: partitions, and the node of the source that reads each.
    pub(crate) fn new(
        id: TaskId,
        linked: LinkedTask,
        stores: TaskStores,
        inputs: impl IntoIterator<Item = (TopicPartition, usize)>,
        environment: TaskEnvironment,
        idling: Idling,
    ) -> Self {
        let LinkedTask {
            processors,
            sources,
        } = linked;
        let context = TaskContext::new(id, environment);
        let mut task = Self {
            context,
            inputs: Vec::new(),
            sources,
            processors,
            stores,
            idling,
        };
        for (from, node) in inputs {
            task.add_input(from, node);
        }
        task
    }

    /// Adds a partition read by the source `node`; returns its index.
    pub(crate) fn add_input(&mut self, from: TopicPartition, node: usize) -> Option<usize> {
        let source = self
            .sources
            .iter()
            .position(|(source, _)| *source == node)?;
        self.inputs.push(Input::new(from, source));
        Some(self.inputs.len() - 1)
    }

    pub(crate) fn id(&self) -> TaskId {
        self.context.id
    }

    /// Calls every processor's `init`.
    pub(crate) fn initialize(&mut self) -> Result<()> {
        for (_, processor) in &self.processors {
            processor.borrow_mut().init(&mut self.context)?;
        }
        self.check()
    }

    /// Takes up the time of an input where its last owner left it.
    pub(crate) fn restore_time(&mut self, input: usize, partition_time_ms: i64) {
        if let Some(input) = self.inputs.get_mut(input) {
            input.restore_time(partition_time_ms);
        }
        self.context.stream_time_ms = self.context.stream_time_ms.max(partition_time_ms);
    }

    /// Takes up what the processors of an earlier owner have kept.
    pub(crate) fn restore_metadata(&mut self, metadata: &ProcessorMetadata) {
        self.context.metadata.update(metadata);
    }

    /// What the task's processors keep with its offsets.
    pub(crate) fn metadata(&self) -> &ProcessorMetadata {
        &self.context.metadata
    }

    /// Buffers a record of an input.
    #[inline]
    pub(crate) fn add(&mut self, input: usize, raw: RawRecord) -> Result<()> {
        match self.inputs.get_mut(input) {
            Some(input) => input.add(raw),
            None => Ok(()),
        }
    }

    /// An input is at its end, which is `offset`.
    pub(crate) fn reached_end(&mut self, input: usize, offset: i64) {
        if let Some(input) = self.inputs.get_mut(input) {
            input.reached_end(offset);
        }
    }

    /// The number of records that wait in an input.
    pub(crate) fn buffered(&self, input: usize) -> usize {
        self.inputs.get(input).map_or(0, Input::buffered)
    }

    /// The number of records that wait in all inputs.
    pub(crate) fn buffered_records(&self) -> usize {
        self.inputs.iter().map(Input::buffered).sum()
    }

    /// The bytes of the keys and values that wait in all inputs.
    pub(crate) fn buffered_bytes(&self) -> usize {
        self.inputs.iter().map(Input::buffered_bytes).sum()
    }

    /// Takes the record with the lowest event time through the task, and the punctuations that its
    /// time brings. Returns whether there was one that could be taken.
    pub(crate) fn process_one(&mut self) -> Result<bool> {
        let Some(index) = self.next_input()? else {
            return Ok(false);
        };
        let Self {
            context,
            inputs,
            sources,
            ..
        } = self;
        let Some(input) = inputs.get_mut(index) else {
            return Ok(false);
        };
        let Some(timestamp_ms) = input.take_head() else {
            return Ok(false);
        };
        context.stream_time_ms = context.stream_time_ms.max(timestamp_ms);
        let lateness_ms = context.stream_time_ms - timestamp_ms;
        context.counts.processed += 1;
        context.counts.lateness_sum_ms += lateness_ms;
        context.counts.lateness_max_ms = context.counts.lateness_max_ms.max(lateness_ms);
        if let Some((_, source)) = sources.get_mut(input.source) {
            source.push(context, index, &input.from);
        }
        self.check()?;
        self.punctuate(PunctuationType::StreamTime, self.context.stream_time_ms)?;
        Ok(true)
    }

    /// Stages the heads and chooses the input whose turn it is, if the task need not wait.
    fn next_input(&mut self) -> Result<Option<usize>> {
        let Self {
            context,
            inputs,
            sources,
            ..
        } = self;
        for (index, input) in inputs.iter_mut().enumerate() {
            if let Some((_, source)) = sources.get_mut(input.source) {
                input.stage(index, &mut **source, context);
            }
        }
        self.check()?;
        let heads = self.inputs.iter().enumerate();
        let heads = heads.filter_map(|(index, input)| Some((input.head_timestamp_ms()?, index)));
        let Some((_, index)) = heads.min() else {
            return Ok(None);
        };
        Ok(self.may_go_on().then_some(index))
    }

    fn may_go_on(&mut self) -> bool {
        let idling = self.idling;
        let empty = self.inputs.iter_mut().filter(|input| input.buffered() == 0);
        let mut waits_for = empty.peekable();
        if waits_for.peek().is_none() {
            return true;
        }
        let Idling::UpTo(idle_ms_max) = idling else {
            self.context.counts.enforced_processing += 1;
            return true;
        };
        let now_ms = self.context.environment.clock.now_ms();
        // Every empty input is looked at, so that they all wait at the same time.
        let mut may_go_on = true;
        for input in waits_for {
            may_go_on &= input.may_be_passed(now_ms, idle_ms_max);
        }
        may_go_on
    }

    /// Calls the punctuations of the wall clock that are due.
    pub(crate) fn punctuate_wall_clock(&mut self) -> Result<bool> {
        self.punctuate(PunctuationType::WallClockTime, self.context.now_ms())
    }

    fn punctuate(&mut self, kind: PunctuationType, now_ms: i64) -> Result<bool> {
        let mut any = false;
        while let Some(due) = self.context.punctuations.take_due(kind, now_ms) {
            any = true;
            self.context.counts.punctuated += 1;
            let processor = self.processors.iter().find(|(node, _)| *node == due.node);
            if let Some((_, processor)) = processor {
                processor
                    .borrow_mut()
                    .punctuate(&mut self.context, due.punctuation, now_ms);
            }
            self.check()?;
        }
        Ok(any)
    }

    /// What is to be committed: for each input the offset of its next record, and its time.
    pub(crate) fn positions(&self) -> impl Iterator<Item = (&TopicPartition, CommittedPosition)> {
        let inputs = self.inputs.iter();
        inputs.filter_map(|input| Some((&input.from, input.position()?)))
    }

    /// Whether there is anything to commit.
    pub(crate) fn is_dirty(&self) -> bool {
        let stores = self.stores.context();
        let writes = stores.is_dirty() || stores.uncommitted_bytes() > 0;
        writes || self.inputs.iter().any(Input::is_dirty)
    }

    /// The positions are committed.
    pub(crate) fn committed(&mut self) {
        self.inputs.iter_mut().for_each(Input::committed);
        self.context.commit_requested = false;
    }

    /// Whether a processor has asked for a commit.
    pub(crate) fn commit_requested(&self) -> bool {
        self.context.commit_requested
    }

    /// Lets every processor send what it keeps back; to be called before the producer is flushed
    /// for a commit.
    pub(crate) fn flush(&mut self) -> Result<()> {
        for (_, processor) in &self.processors {
            processor.borrow_mut().flush(&mut self.context);
        }
        self.check()?;
        self.stores.prepare_commit()
    }

    /// As [`Self::flush`], unless nothing has been done since the last commit.
    pub(crate) fn flush_if_dirty(&mut self) -> Result<()> {
        match self.is_dirty() {
            true => self.flush(),
            false => Ok(()),
        }
    }

    /// Commits what the task's stores have been written, after the producer has committed; `ends`
    /// are those of the changelogs. See [`TaskStores::commit`].
    pub(crate) fn commit_stores(&mut self, ends: &BTreeMap<TopicPartition, i64>) -> Result<()> {
        let now_ms = self.context.now_ms();
        let Self {
            inputs,
            stores,
            context,
            ..
        } = self;
        stores.commit(now_ms, |topic| {
            // A source topic that stands for a changelog is one of the inputs.
            let input = inputs.iter().find(|input| input.from.topic == *topic);
            if let Some(position) = input.and_then(Input::position) {
                return Some(position.offset);
            }
            let partition = context.id.partition;
            let topic = Arc::clone(topic);
            ends.get(&TopicPartition { topic, partition }).copied()
        })
    }

    /// As [`Self::commit_stores`] of stores without changelogs, with more in the same write.
    pub(crate) fn commit_stores_with(
        &mut self,
        add: impl FnOnce(&mut DatabaseBatch<'_>),
    ) -> Result<()> {
        let now_ms = self.context.now_ms();
        self.stores.commit_with(now_ms, |_| None, add)
    }

    /// Notes that the stores hold everything that is committed.
    pub(crate) fn touch_stores(&self) -> Result<()> {
        self.stores.touch(self.context.now_ms())
    }

    /// The stores alone; the rest is gone.
    pub(crate) fn into_stores(self) -> TaskStores {
        self.stores
    }

    /// The task's stores.
    pub(crate) fn stores(&self) -> &TaskStores {
        &self.stores
    }

    /// The memory that uncommitted writes of the task's stores take, about.
    pub(crate) fn uncommitted_bytes(&self) -> usize {
        self.stores.context().uncommitted_bytes()
    }

    /// What the task has done since this was last asked.
    pub(crate) fn take_counts(&mut self) -> TaskCounts {
        let mut counts = std::mem::take(&mut self.context.counts);
        if counts.processed + counts.punctuated > 0 {
            counts.dropped += self.stores.take_expired();
        }
        counts
    }

    /// Calls every processor's `close`. Nothing is committed.
    pub(crate) fn close(&mut self) {
        for (_, processor) in &self.processors {
            processor.borrow_mut().close();
        }
    }

    fn check(&mut self) -> Result<(), Error> {
        self.context.take_failure().map_or(Ok(()), Err)
    }
}
