//! The tasks of a thread, and which partition goes to which.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use crate::config::TimestampExtraction;
use crate::error::{Error, Result};
use crate::id::{TaskId, TopicPartition};
use crate::metrics::{StreamsMetrics, TaskMetrics};
use crate::processor::TaskEnvironment;
use crate::record::RawRecord;
use crate::store::{StoreContext, StoreRegistry, TaskStores};
use crate::task::{Idling, Task, decode_metadata, encode_metadata};
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
}

/// The tasks of one assignment.
#[derive(Default)]
pub(crate) struct Tasks {
    tasks: Vec<RunningTask>,
    partitions: Vec<AssignedPartition>,
    index: HashMap<TopicPartition, usize>,
}

/// What new tasks are made with.
pub(crate) struct TaskMaker<'a> {
    pub(crate) topology: &'a Topology,
    pub(crate) environment: &'a TaskEnvironment,
    pub(crate) idling: Idling,
    pub(crate) default_timestamp: TimestampExtraction,
    pub(crate) metrics: &'a StreamsMetrics,
    pub(crate) thread_name: &'a str,
}

impl Tasks {
    /// Makes the tasks of an assignment: one for each sub-topology and partition number.
    pub(crate) fn create(maker: &TaskMaker<'_>, partitions: &[TopicPartition]) -> Result<Self> {
        let application_id = &maker.environment.application_id;
        let mut inputs: BTreeMap<TaskId, Vec<(TopicPartition, usize)>> = BTreeMap::new();
        for partition in partitions {
            let source = maker.topology.source_of(application_id, &partition.topic);
            let Some((node, subtopology)) = source else {
                tracing::warn!(%partition, "the group gave a partition that no source reads");
                continue;
            };
            let id = TaskId {
                subtopology,
                partition: partition.partition,
            };
            inputs
                .entry(id)
                .or_default()
                .push((partition.clone(), node));
        }
        let mut tasks = Self::default();
        for (id, inputs) in inputs {
            tasks.add(maker, id, inputs)?;
        }
        Ok(tasks)
    }

    fn add(
        &mut self,
        maker: &TaskMaker<'_>,
        id: TaskId,
        inputs: Vec<(TopicPartition, usize)>,
    ) -> Result<()> {
        let Some(part) = maker.topology.subtopology(id.subtopology) else {
            return Ok(());
        };
        let application_id = &maker.environment.application_id;
        let context = StoreContext::new(id.partition, Rc::clone(&maker.environment.collector));
        let builders = maker.topology.stores_of(part);
        let stores = TaskStores::in_memory(builders, application_id, context);
        let (topology, timestamps) = (maker.topology, maker.default_timestamp);
        let linked = link(topology, part, application_id, timestamps, &stores)?;
        let place = self.tasks.len();
        for (input, (partition, _)) in inputs.iter().enumerate() {
            self.index.insert(partition.clone(), self.partitions.len());
            let route = Route { task: place, input };
            let partition = partition.clone();
            self.partitions.push(AssignedPartition {
                partition,
                route,
                paused: false,
            });
        }
        let task = Task::new(
            id,
            linked,
            stores,
            inputs,
            maker.environment.clone(),
            maker.idling,
        );
        let metrics = maker.metrics.task(maker.thread_name, &id.to_string());
        self.tasks.push(RunningTask { task, metrics });
        Ok(())
    }

    pub(crate) fn initialize(&mut self) -> Result<()> {
        self.tasks
            .iter_mut()
            .try_for_each(|running| running.task.initialize())
    }

    pub(crate) fn len(&self) -> usize {
        self.tasks.len()
    }

    pub(crate) fn ids(&self) -> Vec<TaskId> {
        self.tasks.iter().map(|running| running.task.id()).collect()
    }

    /// Where the records of a partition go.
    pub(crate) fn route(&self, partition: &TopicPartition) -> Option<Route> {
        let place = self.index.get(partition)?;
        self.partitions.get(*place).map(|assigned| assigned.route)
    }

    #[inline]
    pub(crate) fn add_record(&mut self, route: Route, raw: RawRecord) {
        if let Some(running) = self.tasks.get_mut(route.task) {
            running.task.add(route.input, raw);
        }
    }

    pub(crate) fn reached_end(&mut self, partition: &TopicPartition, offset: i64) {
        if let Some(route) = self.route(partition)
            && let Some(running) = self.tasks.get_mut(route.task)
        {
            running.task.reached_end(route.input, offset);
        }
    }

    /// Takes up the time of a partition, and what processors have kept, where the last owner left
    /// them.
    pub(crate) fn restore_metadata(&mut self, partition: &TopicPartition, text: &str) {
        let Some(metadata) = decode_metadata(text) else {
            return;
        };
        if let Some(route) = self.route(partition)
            && let Some(running) = self.tasks.get_mut(route.task)
        {
            let task = &mut running.task;
            task.restore_time(route.input, metadata.partition_time_ms);
            task.restore_metadata(&metadata.processors);
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
        for RunningTask { task, metrics } in &mut self.tasks {
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

    /// Lets queries see the tasks' stores.
    pub(crate) fn publish(&self, registry: &StoreRegistry) {
        for RunningTask { task, .. } in &self.tasks {
            registry.add(task.id(), task.stores().committed());
        }
    }

    /// Takes the tasks' stores from the queries' sight.
    pub(crate) fn withdraw(&self, registry: &StoreRegistry) {
        for RunningTask { task, .. } in &self.tasks {
            registry.remove(task.id());
        }
    }

    /// Closes every task; nothing is committed.
    pub(crate) fn close(&mut self) {
        for running in &mut self.tasks {
            running.task.close();
        }
        *self = Self::default();
    }
}

/// Whether an error ends the thread, or only the session.
pub(crate) fn ends_session_only(error: &Error) -> bool {
    use crate::error::ErrorKind;
    matches!(error.kind(), ErrorKind::Fenced | ErrorKind::Broker)
}
