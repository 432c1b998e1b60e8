//! What the group gives and takes: tasks, their state, and where their partitions are read from.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use crate::broker::{Assignment, StartAt};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{TaskId, TopicPartition};
use crate::metrics::ThreadMetrics;
use crate::runtime::restore::RestoredState;
use crate::runtime::session::{BROKER_WAIT, Session};
use crate::runtime::tasks::{KeepState, TaskInput, TaskMaker, keep_after, task_inputs};
use crate::runtime::thread::ThreadControl;
use crate::task::{CommitMetadata, Idling, decode_metadata};
use crate::topology::AutoOffsetReset;

/// For how long it is nothing special that the offsets of the group cannot be read yet: as long as
/// a transaction of the last owner may stay open by default.
const UNSTABLE_WAIT: Duration = Duration::from_secs(10);

/// A task whose state is being restored; its partitions are paused.
pub(super) struct PendingTask {
    inputs: Vec<TaskInput>,
}

/// Where partitions are read from, and what the group has committed for them.
#[derive(Default)]
struct Positions {
    assignment: Vec<Assignment>,
    committed: BTreeMap<TopicPartition, i64>,
    metadata: BTreeMap<TopicPartition, CommitMetadata>,
}

fn partitions_of<'a, C: FromIterator<TopicPartition>>(
    inputs: impl IntoIterator<Item = &'a TaskInput>,
) -> C {
    let inputs = inputs.into_iter();
    inputs.map(|input| input.partition.clone()).collect()
}

impl Session {
    /// Takes partitions over. Tasks without stores run at once; the state of others is ordered, and
    /// they run when it is there.
    pub(super) fn assigned(
        &mut self,
        partitions: &[TopicPartition],
        control: &ThreadControl,
        metrics: &mut ThreadMetrics,
    ) -> Result<()> {
        self.forget_routes();
        let mut positions = self.positions(partitions, control)?;
        let inputs = task_inputs(
            &self.settings.topology,
            &self.environment.application_id,
            partitions,
            &positions.metadata,
        );
        // A pattern may match topics that no source reads.
        let read: BTreeSet<_> = partitions_of(inputs.values().flatten());
        let assignment = &mut positions.assignment;
        assignment.retain(|one| read.contains(&one.partition));
        let ids: Vec<String> = inputs.keys().map(ToString::to_string).collect();
        let topology = self.settings.topology.clone();
        let has_stores = |task: TaskId| {
            let part = topology.subtopology(task.subtopology);
            part.is_some_and(|part| !topology.stores_of(part).is_empty())
        };
        let stateful = inputs.keys().filter(|task| has_stores(**task)).count();
        self.stateful_tasks = stateful;
        for (task, inputs) in inputs {
            if has_stores(task) {
                self.order(task, inputs, &positions.committed)?;
            } else {
                self.run_task(task, &inputs, None, metrics)?;
            }
        }
        let pending = self.pending.values().flat_map(|pending| &pending.inputs);
        let pending: BTreeSet<_> = partitions_of(pending);
        for one in &mut positions.assignment {
            one.is_paused = pending.contains(&one.partition);
        }
        self.consumer.assign(&positions.assignment)?;
        tracing::info!(tasks = ?ids, "tasks assigned");
        control.assigned();
        Ok(())
    }

    fn order(
        &mut self,
        task: TaskId,
        inputs: Vec<TaskInput>,
        committed: &BTreeMap<TopicPartition, i64>,
    ) -> Result<()> {
        let own = inputs.iter().filter_map(|input| {
            let offset = committed.get(&input.partition)?;
            Some((input.partition.clone(), *offset))
        });
        self.restorer.restore(task, own.collect())?;
        self.pending.insert(task, PendingTask { inputs });
        Ok(())
    }

    /// Runs the tasks whose state has come.
    ///
    /// # Errors
    /// If the state of a task cannot be restored.
    pub(super) fn take_restored(&mut self, metrics: &mut ThreadMetrics) -> Result<()> {
        while !self.pending.is_empty()
            && let Some((task, restored)) = self.restorer.take()?
        {
            let Some(PendingTask { inputs }) = self.pending.remove(&task) else {
                continue;
            };
            self.run_task(task, &inputs, Some(restored), metrics)?;
            let resumed: Vec<_> = partitions_of(&inputs);
            self.consumer.resume(&resumed)?;
        }
        Ok(())
    }

    fn run_task(
        &mut self,
        task: TaskId,
        inputs: &[TaskInput],
        restored: Option<RestoredState>,
        metrics: &mut ThreadMetrics,
    ) -> Result<()> {
        let config = &self.settings.config;
        let idling = match config.max_task_idle_ms {
            negative if negative < 0 => Idling::Never,
            idle_ms => Idling::UpTo(idle_ms),
        };
        // Threads share the memory of the caches, and a thread's tasks its part.
        let shares = config.num_stream_threads.max(1) * self.stateful_tasks.max(1);
        let cache_bytes = usize::try_from(config.statestore_cache_max_bytes);
        let maker = TaskMaker {
            topology: &self.settings.topology,
            environment: &self.environment,
            idling,
            default_timestamp: config.default_timestamp_extractor,
            cache_bytes_max: cache_bytes.unwrap_or(usize::MAX) / shares,
            metrics: &self.settings.metrics,
            registry: &self.settings.registry,
            global: &self.settings.global,
            thread_name: &self.thread_name,
        };
        self.tasks.add(&maker, task, inputs, restored)?;
        metrics.task_created();
        Ok(())
    }

    /// Where each partition is read from: the group's offset, else what its source says.
    fn positions(
        &mut self,
        partitions: &[TopicPartition],
        control: &ThreadControl,
    ) -> Result<Positions> {
        let mut positions = Positions::default();
        if partitions.is_empty() {
            return Ok(positions);
        }
        let begun = Instant::now();
        let timeout = Duration::from_millis(self.settings.config.task_timeout_ms);
        let mut is_told = false;
        let committed = loop {
            match self.consumer.committed(partitions, BROKER_WAIT) {
                Ok(committed) => break committed,
                Err(error) if control.is_stopping() || begun.elapsed() > timeout => {
                    return Err(error);
                }
                // A transaction of the last owner may still be open; it ends in its time.
                Err(error) if !is_told && begun.elapsed() > UNSTABLE_WAIT => {
                    tracing::warn!(%error, "trying again");
                    is_told = true;
                }
                Err(error) => tracing::debug!(%error, "trying again"),
            }
        };
        for committed in committed {
            let partition = committed.partition;
            let start = match committed.offset {
                Some((offset, metadata)) => {
                    if let Some(metadata) = decode_metadata(&metadata) {
                        positions.metadata.insert(partition.clone(), metadata);
                    }
                    positions.committed.insert(partition.clone(), offset);
                    StartAt::Offset(offset)
                }
                None => self.first_position(&partition)?,
            };
            positions.assignment.push(Assignment {
                partition,
                start,
                is_paused: false,
            });
        }
        Ok(positions)
    }

    /// Where a partition begins that the group has never committed.
    fn first_position(&self, partition: &TopicPartition) -> Result<StartAt> {
        let application_id = &self.environment.application_id;
        let topology = &self.settings.topology;
        if topology.is_internal(application_id, &partition.topic) {
            return Ok(StartAt::Earliest);
        }
        Ok(
            match topology.offset_reset(application_id, &partition.topic) {
                None => StartAt::Reset,
                Some(AutoOffsetReset::Earliest) => StartAt::Earliest,
                Some(AutoOffsetReset::Latest) => StartAt::Latest,
                Some(AutoOffsetReset::ByDuration(ago)) => {
                    let ago_ms = i64::try_from(ago.as_millis()).unwrap_or(i64::MAX);
                    let time_ms = self.settings.clock.now_ms().saturating_sub(ago_ms);
                    let found = self
                        .consumer
                        .offset_for_time(partition, time_ms, BROKER_WAIT)?;
                    found.map_or(StartAt::Latest, StartAt::Offset)
                }
                Some(AutoOffsetReset::None) => {
                    let message = format!(
                        "no offset is committed for {partition}, and its source has no reset"
                    );
                    return Err(Error::new(ErrorKind::Config, message));
                }
            },
        )
    }

    /// Commits and gives partitions up, or only gives them up if they are lost already.
    pub(super) fn revoked(
        &mut self,
        partitions: &[TopicPartition],
        control: &ThreadControl,
        metrics: &mut ThreadMetrics,
    ) -> Result<()> {
        control.revoked();
        tracing::info!(partitions = partitions.len(), "tasks revoked");
        let committed = if self.consumer.assignment_lost() {
            Err(Error::new(
                ErrorKind::Fenced,
                "the group has gone on without this member",
            ))
        } else {
            self.commit(control, metrics)
        };
        let keep = committed.as_ref().err().map_or(KeepState::Yes, keep_after);
        self.close_tasks(keep, metrics);
        self.consumer.unassign()?;
        committed
    }
}
