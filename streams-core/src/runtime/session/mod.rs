//! One membership of the group with one producer: from joining to being closed or fenced.

mod assignment;
mod commit;

use std::cell::Cell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use crate::broker::{ConsumerEvent, GroupConsumer, TopicHandle, TransactionalProducer};
use crate::clock::Clock;
use crate::config::StreamsConfig;
use crate::error::{Error, ErrorKind, Result};
use crate::id::{TaskId, TopicPartition};
use crate::metrics::{StreamsMetrics, ThreadMetrics};
use crate::processor::{EmitIntervals, StreamsHandlers, TaskEnvironment};
use crate::runtime::collector::ProducerCollector;
use crate::runtime::restore::{RestoreSettings, Restorer, StateRestoreListener};
use crate::runtime::session::assignment::PendingTask;
use crate::runtime::state_directory::StateDirectory;
use crate::runtime::tasks::{KeepState, Route, Tasks, keep_after};
use crate::runtime::thread::ThreadControl;
use crate::store::{GlobalStores, StoreRegistry};
use crate::topology::Topology;

/// What all sessions of an application share.
#[derive(Clone)]
pub(crate) struct SessionSettings {
    pub(crate) topology: Topology,
    pub(crate) config: Arc<StreamsConfig>,
    pub(crate) handlers: StreamsHandlers,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) metrics: StreamsMetrics,
    pub(crate) process_id: Arc<str>,
    pub(crate) registry: StoreRegistry,
    pub(crate) directory: StateDirectory,
    pub(crate) restore_listener: Option<Arc<dyn StateRestoreListener>>,
    /// What a thread subscribes to.
    pub(crate) topics: Arc<[String]>,
    /// For how long each changelog keeps tombstones, in milliseconds.
    pub(crate) tombstone_retention_ms: Arc<BTreeMap<String, i64>>,
    pub(crate) global: GlobalStores,
}

impl SessionSettings {
    /// What restoring needs of them; it rests while `paused` is set.
    pub(crate) fn restore(&self, paused: Arc<AtomicBool>) -> RestoreSettings {
        RestoreSettings {
            topology: self.topology.clone(),
            config: Arc::clone(&self.config),
            clock: Arc::clone(&self.clock),
            metrics: self.metrics.clone(),
            process_id: Arc::clone(&self.process_id),
            directory: self.directory.clone(),
            listener: self.restore_listener.clone(),
            tombstone_retention_ms: Arc::clone(&self.tombstone_retention_ms),
            paused,
        }
    }
}

/// Consumer, producer and tasks.
pub(crate) struct Session {
    settings: SessionSettings,
    thread_name: Arc<str>,
    consumer: GroupConsumer,
    collector: Rc<ProducerCollector>,
    environment: TaskEnvironment,
    tasks: Tasks,
    restorer: Rc<Restorer>,
    /// Tasks that wait for their state.
    pending: BTreeMap<TaskId, PendingTask>,
    /// How many tasks of the assignment have stores.
    stateful_tasks: usize,
    routes: HashMap<(TopicHandle, i32), Route>,
    last_route: Option<((TopicHandle, i32), Route)>,
    last_commit: Instant,
    last_touch: Instant,
    summary: Summary,
    has_committed: bool,
}

/// What was done since the last line about it (`log.summary.interval.ms`).
struct Summary {
    since: Instant,
    processed: usize,
    commits: usize,
}

impl Summary {
    fn new() -> Self {
        Self {
            since: Instant::now(),
            processed: 0,
            commits: 0,
        }
    }
}

/// How long one wait for a broker may take before the thread looks whether it is to stop.
const BROKER_WAIT: Duration = Duration::from_secs(2);

/// How long a task may be ready before the thread sees it.
const RESTORED_WAIT: Duration = Duration::from_millis(5);

/// How long the last commit may wait for a broker when the thread is to stop.
const STOP_WAIT: Duration = Duration::from_secs(3);

impl Session {
    /// Takes over the transactional id and joins the group.
    pub(crate) fn begin(
        settings: &SessionSettings,
        thread: usize,
        thread_name: &Arc<str>,
        restorer: &Rc<Restorer>,
        control: &ThreadControl,
    ) -> Result<Self> {
        let (config, process_id) = (&settings.config, &settings.process_id);
        let join = || {
            let consumer = GroupConsumer::new(&config.consumer_config(process_id, thread))?;
            let topics: Vec<&str> = settings.topics.iter().map(String::as_str).collect();
            consumer.subscribe(&topics).map(|()| consumer)
        };
        // The group takes its time while the transactional id is taken over; what it gives is only
        // seen when the consumer is polled.
        let mut early = Some(join()?);
        let producer = TransactionalProducer::new(&config.producer_config(process_id, thread))?;
        let begun = Instant::now();
        // A coordinator that is away comes back, so only a request to stop ends the wait.
        while let Err(error) = producer.init_transactions(BROKER_WAIT) {
            if control.is_stopping() || error.kind() != ErrorKind::Broker {
                return Err(error);
            }
            if begun.elapsed() > Duration::from_millis(config.task_timeout_ms) {
                return Err(error);
            }
            tracing::warn!(%error, "trying again");
            // The others of the group would wait for a member that does not poll.
            early = None;
        }
        let consumer = early.map_or_else(join, Ok)?;
        let collector = Rc::new(ProducerCollector::new(producer));
        let environment = TaskEnvironment {
            application_id: config.application_id.as_str().into(),
            handlers: settings.handlers.clone(),
            clock: Arc::clone(&settings.clock),
            collector: Rc::clone(&collector) as _,
            emit_intervals: EmitIntervals::of(config),
        };
        Ok(Self {
            settings: settings.clone(),
            thread_name: Arc::clone(thread_name),
            consumer,
            collector,
            environment,
            tasks: Tasks::default(),
            restorer: Rc::clone(restorer),
            pending: BTreeMap::new(),
            stateful_tasks: 0,
            routes: HashMap::new(),
            last_route: None,
            last_commit: Instant::now(),
            last_touch: Instant::now(),
            summary: Summary::new(),
            has_committed: false,
        })
    }

    /// Polls once, then takes all that can be taken through the tasks, punctuates and commits what
    /// is due.
    pub(crate) fn run_once(
        &mut self,
        control: &ThreadControl,
        metrics: &mut ThreadMetrics,
    ) -> Result<()> {
        self.poll(control, metrics)?;
        self.take_restored(metrics)?;
        if self.pending.is_empty() {
            control.polled();
        }
        let polled = Instant::now();
        // Who does not poll is taken for dead: a slow batch is left half done and taken up again.
        let poll_due = Duration::from_millis(self.settings.config.max_poll_interval_ms) / 2;
        if control.is_paused() {
            self.commit_if_due(control, metrics)?;
            return self.update_pauses();
        }
        let watch = Watch::new(polled, poll_due);
        let may_go_on = || !control.is_stopping() && !watch.is_over();
        while may_go_on() {
            let started = Instant::now();
            let processed = self.tasks.process(RECORDS_PER_TURN, may_go_on)?;
            metrics.processed(processed, started.elapsed());
            self.summary.processed += processed;
            self.punctuate(metrics)?;
            self.commit_if_due(control, metrics)?;
            if processed == 0 {
                break;
            }
        }
        self.update_pauses()?;
        self.tasks.flush_metrics();
        metrics.flush();
        self.log_summary();
        Ok(())
    }

    /// Stops fetching what has too many records waiting, and goes on with what has few again.
    fn update_pauses(&mut self) -> Result<()> {
        let records_max = self.settings.config.buffered_records_per_partition;
        for (partition, is_paused) in self.tasks.update_pauses(records_max) {
            match is_paused {
                true => self.consumer.pause(&partition),
                false => self.consumer.resume(&[partition])?,
            }
        }
        Ok(())
    }

    fn log_summary(&mut self) {
        let interval = self
            .settings
            .config
            .log_summary_interval_ms
            .map(Duration::from_millis);
        if interval.is_some_and(|interval| self.summary.since.elapsed() >= interval) {
            let Summary {
                processed, commits, ..
            } = self.summary;
            tracing::info!(processed, commits, "since the last summary");
            self.summary = Summary::new();
        }
    }

    fn poll(&mut self, control: &ThreadControl, metrics: &mut ThreadMetrics) -> Result<()> {
        let started = Instant::now();
        let mut wait = self.poll_wait();
        let mut records = 0;
        let records_max = self.settings.config.max_poll_records;
        while records < records_max {
            let Some(event) = self.consumer.poll(wait, records_max - records) else {
                break;
            };
            wait = Duration::ZERO;
            match event {
                ConsumerEvent::Record {
                    topic,
                    partition,
                    raw,
                } => {
                    records += 1;
                    match self.route(topic, partition) {
                        Some(route) => self.tasks.add_record(route, raw)?,
                        None => {
                            let topic = self.consumer.topic_name(topic);
                            let message = format!(
                                "a record of topic={topic} partition={partition} came, which no \
                                 task reads"
                            );
                            return Err(Error::new(ErrorKind::Broker, message));
                        }
                    }
                }
                ConsumerEvent::End(partition, offset) => {
                    self.tasks.reached_end(&partition, offset);
                }
                ConsumerEvent::Assigned(partitions) => {
                    self.assigned(&partitions, control, metrics)?
                }
                ConsumerEvent::Revoked(partitions) => {
                    self.revoked(&partitions, control, metrics)?
                }
                ConsumerEvent::Failed(error) => return Err(error),
                ConsumerEvent::Disturbed(_) | ConsumerEvent::Other => {}
            }
        }
        metrics.polled(records, started.elapsed());
        Ok(())
    }

    /// How long the poll may wait for a first record: not past the next commit. Punctuations of the
    /// wall clock are looked at after each poll, so they may be late by `poll.ms`.
    fn poll_wait(&self) -> Duration {
        let mut poll = Duration::from_millis(self.settings.config.poll_ms);
        if !self.pending.is_empty() {
            poll = poll.min(RESTORED_WAIT);
        }
        if !self.tasks.is_dirty() {
            return poll;
        }
        let interval = Duration::from_millis(self.settings.config.commit_interval_ms);
        poll.min(interval.saturating_sub(self.last_commit.elapsed()))
    }

    #[inline]
    fn route(&mut self, topic: TopicHandle, partition: i32) -> Option<Route> {
        let key = (topic, partition);
        if let Some((last, route)) = self.last_route
            && last == key
        {
            return Some(route);
        }
        let route = match self.routes.get(&key) {
            Some(route) => *route,
            None => {
                let topic = self.consumer.topic_name(topic).into();
                let route = self.tasks.route(&TopicPartition { topic, partition })?;
                self.routes.insert(key, route);
                route
            }
        };
        self.last_route = Some((key, route));
        Some(route)
    }

    fn punctuate(&mut self, metrics: &mut ThreadMetrics) -> Result<()> {
        let started = Instant::now();
        if self.tasks.punctuate()? {
            metrics.punctuated(1, started.elapsed());
        }
        Ok(())
    }

    /// Gives up all tasks; what is not committed is given up with them.
    fn close_tasks(&mut self, keep: KeepState, metrics: &mut ThreadMetrics) {
        self.restorer.give_up();
        self.pending.clear();
        (0..self.tasks.len()).for_each(|_| metrics.task_closed());
        self.tasks.close(&self.settings.registry, keep);
        self.forget_routes();
    }

    /// Handles of topics may mean others from here on.
    fn forget_routes(&mut self) {
        self.routes.clear();
        self.last_route = None;
    }

    /// Whether it has made progress, or had nothing to do: then a failure is the first one.
    pub(crate) fn was_well(&self) -> bool {
        self.has_committed || !(self.tasks.is_dirty() || self.collector.has_uncommitted())
    }

    /// Why a call of this session has failed: the failure of a record before it, if there is one.
    pub(crate) fn cause_of(&self, error: Error) -> Error {
        let handler = &*self.settings.handlers.production;
        self.collector.cause_of(error, handler)
    }

    /// Commits what is done and leaves.
    pub(crate) fn close(
        mut self,
        control: &ThreadControl,
        metrics: &mut ThreadMetrics,
    ) -> Result<()> {
        let committed = self.commit(control, metrics);
        if committed.is_err() {
            self.collector.abort(BROKER_WAIT);
        }
        self.close_tasks(KeepState::Yes, metrics);
        committed
    }

    /// Leaves without committing: what is done since the last commit is done again by the next
    /// session. Stores that have failed are opened anew then.
    pub(crate) fn abandon(mut self, error: &Error, metrics: &mut ThreadMetrics) {
        self.close_tasks(keep_after(error), metrics);
        self.collector.abort(BROKER_WAIT);
    }
}

/// Whether a time is over, told by a look at the clock for each record if they are slow, and for
/// every few if they are quick: a look costs as much as a cheap operator.
struct Watch {
    since: Instant,
    limit: Duration,
    last: Cell<Duration>,
    step: Cell<u32>,
    skip: Cell<u32>,
}

impl Watch {
    const STEP_MAX: u32 = 16;
    /// Records are quick that take less, so many of them together.
    const QUICK: Duration = Duration::from_millis(1);

    fn new(since: Instant, limit: Duration) -> Self {
        Self {
            since,
            limit,
            last: Cell::new(Duration::ZERO),
            step: Cell::new(1),
            skip: Cell::new(0),
        }
    }

    #[inline]
    fn is_over(&self) -> bool {
        let skip = self.skip.get();
        if skip > 0 {
            self.skip.set(skip - 1);
            return false;
        }
        let elapsed = self.since.elapsed();
        let is_quick = elapsed.saturating_sub(self.last.replace(elapsed)) < Self::QUICK;
        let step = if is_quick { self.step.get() * 2 } else { 1 };
        self.step.set(step.min(Self::STEP_MAX));
        self.skip.set(self.step.get() - 1);
        elapsed >= self.limit
    }
}

/// Records taken through each task before the next one's turn.
const RECORDS_PER_TURN: usize = 256;
