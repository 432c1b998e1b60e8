//! The tasks of a thread, and which partition goes to which.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use crate::config::TimestampExtraction;
use crate::error::{Error, Result};
use crate::id::{TaskId, TopicPartition};
use crate::metrics::{RestoreMetrics, StreamsMetrics, TaskMetrics};
use crate::processor::TaskEnvironment;
use crate::record::RawRecord;
use crate::runtime::restore::RestoredState;
use crate::runtime::state_directory::StateClaim;
use crate::store::{GlobalStores, StoreContext, StoreRegistry, TaskState, TaskStores};
use crate::task::{CommitMetadata, Idling, Task, encode_metadata};
use crate::topology::{Topology, link};

/// A partition's place: its task, and the input there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Route {
    task: usize,
    input: usize,
}

struct AssignedPartition {
    partition: TopicPartition,
    route: Route,
    paused: bool,
}

struct RunningTask {
    task: Task,
    metrics: TaskMetrics,
    /// The state's claim; `None` without stores.
    claim: Option<StateClaim>,
    _restore_metrics: Option<RestoreMetrics>,
}

/// The tasks of one assignment that run.
#[derive(Default)]
pub(crate) struct Tasks {
    tasks: Vec<RunningTask>,
    partitions: Vec<AssignedPartition>,
    index: HashMap<TopicPartition, usize>,
}

/// A partition of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TaskInput {
    pub(crate) partition: TopicPartition,
    /// The node of the source that reads it.
    node: usize,
    /// The partition's time, and what processors have kept, where the last owner left them.
    metadata: Option<CommitMetadata>,
}

/// Whether the state of tasks that are closed stays open for whoever has them next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeepState {
    Yes,
    No,
}

/// What new tasks are made with.
pub(crate) struct TaskMaker<'a> {
    pub(crate) topology: &'a Topology,
    pub(crate) environment: &'a TaskEnvironment,
    pub(crate) idling: Idling,
    pub(crate) default_timestamp: TimestampExtraction,
    /// The memory for the caches of one task.
    pub(crate) cache_bytes_max: usize,
    pub(crate) metrics: &'a StreamsMetrics,
    pub(crate) registry: &'a StoreRegistry,
    pub(crate) global: &'a GlobalStores,
    pub(crate) thread_name: &'a str,
}

/// The tasks that partitions make: one for each sub-topology and partition number.
pub(crate) fn task_inputs(
    topology: &Topology,
    application_id: &str,
    partitions: &[TopicPartition],
    metadata: &BTreeMap<TopicPartition, CommitMetadata>,
) -> BTreeMap<TaskId, Vec<TaskInput>> {
    let mut inputs: BTreeMap<TaskId, Vec<TaskInput>> = BTreeMap::new();
    for partition in partitions {
        let source = topology.source_of(application_id, &partition.topic);
        let Some((node, subtopology)) = source else {
            tracing::warn!(%partition, "the group gave a partition that no source reads");
            continue;
        };
        let id = TaskId {
            subtopology,
            partition: partition.partition,
        };
        inputs.entry(id).or_default().push(TaskInput {
            partition: partition.clone(),
            node,
            metadata: metadata.get(partition).cloned(),
        });
    }
    inputs
}

impl Tasks {
    /// Makes a task over its state, and lets it run.
    ///
    /// # Errors
    /// If its processors cannot be made or initialised.
    pub(crate) fn add(
        &mut self,
        maker: &TaskMaker<'_>,
        id: TaskId,
        inputs: &[TaskInput],
        restored: Option<RestoredState>,
    ) -> Result<()> {
        let Some(part) = maker.topology.subtopology(id.subtopology) else {
            return Ok(());
        };
        let application_id = &maker.environment.application_id;
        let context = StoreContext::new(id.partition, Rc::clone(&maker.environment.collector))
            .with_cache_bytes_max(maker.cache_bytes_max);
        let builders = maker.topology.stores_of(part);
        let (claim, state, restore_metrics) = match restored {
            None => (None, TaskState::default(), None),
            Some(restored) => (Some(restored.claim), restored.state, Some(restored.metrics)),
        };
        let stores = TaskStores::over(builders, application_id, context, state)
            .with_global(maker.global, application_id);
        let (topology, timestamps) = (maker.topology, maker.default_timestamp);
        let linked = link(topology, part, application_id, timestamps, &stores)?;
        let sources = inputs
            .iter()
            .map(|input| (input.partition.clone(), input.node));
        let environment = maker.environment.clone();
        let mut task = Task::new(id, linked, stores, sources, environment, maker.idling);
        for (place, input) in inputs.iter().enumerate() {
            if let Some(metadata) = &input.metadata {
                task.restore_time(place, metadata.partition_time_ms);
                task.restore_metadata(&metadata.processors);
            }
        }
        task.initialize()?;
        maker.registry.add(id, task.stores().committed());
        self.add_routes(inputs);
        self.tasks.push(RunningTask {
            task,
            metrics: maker.metrics.task(maker.thread_name, &id.to_string()),
            claim,
            _restore_metrics: restore_metrics,
        });
        Ok(())
    }

    /// Sends the records of partitions to the task that comes next.
    fn add_routes(&mut self, inputs: &[TaskInput]) {
        for (place, input) in inputs.iter().enumerate() {
            self.index
                .insert(input.partition.clone(), self.partitions.len());
            let route = Route {
                task: self.tasks.len(),
                input: place,
            };
            self.partitions.push(AssignedPartition {
                partition: input.partition.clone(),
                route,
                paused: false,
            });
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.tasks.len()
    }

    /// Where the records of a partition go.
    pub(crate) fn route(&self, partition: &TopicPartition) -> Option<Route> {
        let place = self.index.get(partition)?;
        self.partitions.get(*place).map(|assigned| assigned.route)
    }

    #[inline]
    pub(crate) fn add_record(&mut self, route: Route, raw: RawRecord) -> Result<()> {
        match self.tasks.get_mut(route.task) {
            Some(running) => running.task.add(route.input, raw),
            None => Ok(()),
        }
    }

    pub(crate) fn reached_end(&mut self, partition: &TopicPartition, offset: i64) {
        if let Some(route) = self.route(partition)
            && let Some(running) = self.tasks.get_mut(route.task)
        {
            running.task.reached_end(route.input, offset);
        }
    }

    /// Takes up to `records_max` records through each task, as long as it may go on; returns how
    /// many in all.
    pub(crate) fn process(
        &mut self,
        records_max: usize,
        may_go_on: impl Fn() -> bool,
    ) -> Result<usize> {
        let mut processed = 0;
        for running in &mut self.tasks {
            for _ in 0..records_max {
                if !may_go_on() || !running.task.process_one()? {
                    break;
                }
                processed += 1;
            }
        }
        Ok(processed)
    }

    /// Calls the wall clock's punctuations that are due; returns whether there were any.
    pub(crate) fn punctuate(&mut self) -> Result<bool> {
        let mut any = false;
        for running in &mut self.tasks {
            any |= running.task.punctuate_wall_clock()?;
        }
        Ok(any)
    }

    /// Whether a task has taken records that are not committed.
    pub(crate) fn is_dirty(&self) -> bool {
        self.tasks.iter().any(|running| running.task.is_dirty())
    }

    /// Whether a processor has asked for a commit.
    pub(crate) fn commit_requested(&self) -> bool {
        self.tasks
            .iter()
            .any(|running| running.task.commit_requested())
    }

    /// What is to be committed, of the tasks that have something.
    pub(crate) fn offsets(&self) -> Vec<(TopicPartition, i64, String)> {
        let tasks = self.tasks.iter().map(|running| &running.task);
        let dirty = tasks.filter(|task| task.is_dirty());
        dirty
            .flat_map(|task| task.positions().map(move |position| (task, position)))
            .map(|(task, (partition, position))| {
                let metadata = encode_metadata(position.partition_time_ms, task.metadata());
                (partition.clone(), position.offset, metadata)
            })
            .collect()
    }

    /// Lets the tasks that have done something send what they keep back, before a commit.
    pub(crate) fn flush(&mut self) -> Result<()> {
        let mut tasks = self.tasks.iter_mut();
        tasks.try_for_each(|running| running.task.flush_if_dirty())
    }

    /// The changelogs that have been written to since the last commit.
    pub(crate) fn written_changelogs(&self) -> Vec<TopicPartition> {
        let tasks = self.tasks.iter().map(|running| &running.task);
        let written = tasks.filter(|task| task.stores().context().is_dirty());
        written
            .flat_map(|task| {
                let topics = task.stores().written_changelogs();
                let partition = task.id().partition;
                topics.map(move |topic| TopicPartition { topic, partition })
            })
            .collect()
    }

    /// Commits the tasks' stores, after the producer has committed; `ends` are those of the
    /// changelogs.
    pub(crate) fn commit_stores(&mut self, ends: &BTreeMap<TopicPartition, i64>) -> Result<()> {
        let mut tasks = self.tasks.iter_mut();
        tasks.try_for_each(|running| running.task.commit_stores(ends))
    }

    /// Notes that the stores of tasks without traffic hold everything that is committed.
    pub(crate) fn touch(&self) -> Result<()> {
        let mut tasks = self.tasks.iter();
        tasks.try_for_each(|running| running.task.touch_stores())
    }

    /// The memory that uncommitted writes to stores take, about.
    pub(crate) fn uncommitted_bytes(&self) -> usize {
        let tasks = self.tasks.iter();
        tasks.map(|running| running.task.uncommitted_bytes()).sum()
    }

    pub(crate) fn committed(&mut self) {
        self.tasks
            .iter_mut()
            .for_each(|running| running.task.committed());
    }

    /// The partitions whose fetching is to stop or to go on: those with more than `records_max`
    /// records waiting stop until they are below it again.
    pub(crate) fn update_pauses(&mut self, records_max: usize) -> Vec<(TopicPartition, bool)> {
        let mut changed = Vec::new();
        for assigned in &mut self.partitions {
            let task = self.tasks.get(assigned.route.task);
            let buffered = task.map_or(0, |running| running.task.buffered(assigned.route.input));
            let pause = if assigned.paused {
                buffered > records_max / 2
            } else {
                buffered > records_max
            };
            if pause != assigned.paused {
                assigned.paused = pause;
                changed.push((assigned.partition.clone(), pause));
            }
        }
        changed
    }

    /// Brings the tasks' counts out as metrics.
    pub(crate) fn flush_metrics(&mut self) {
        for RunningTask { task, metrics, .. } in &mut self.tasks {
            let counts = task.take_counts();
            metrics.processed(
                counts.processed,
                counts.lateness_sum_ms,
                counts.lateness_max_ms,
            );
            metrics.dropped(counts.dropped);
            metrics.enforced_processing(counts.enforced_processing);
            metrics.set_buffered(task.buffered_records(), task.buffered_bytes());
            metrics.flush();
        }
    }

    /// Closes every task; nothing is committed.
    pub(crate) fn close(&mut self, registry: &StoreRegistry, keep: KeepState) {
        for RunningTask {
            mut task, claim, ..
        } in std::mem::take(self).tasks
        {
            task.close();
            registry.remove(task.id());
            let state = task.into_stores().into_state();
            if let (Some(claim), KeepState::Yes) = (claim, keep) {
                claim.release(state);
            }
        }
    }
}

/// Whether an error ends the thread, or only the session.
pub(crate) fn ends_session_only(error: &Error) -> bool {
    use crate::error::ErrorKind;
    matches!(error.kind(), ErrorKind::Fenced | ErrorKind::Broker)
}

/// Whether the stores can be used after an error.
pub(crate) fn keep_after(error: &Error) -> KeepState {
    match ends_session_only(error) {
        true => KeepState::Yes,
        false => KeepState::No,
    }
}
