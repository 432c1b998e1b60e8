//! One membership of the group with one producer: from joining to being closed or fenced.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::broker::{
    Assignment, ConsumerEvent, GroupConsumer, StartAt, TopicHandle, TransactionalProducer,
};
use crate::clock::Clock;
use crate::config::StreamsConfig;
use crate::error::{Error, ErrorKind, Result};
use crate::id::TopicPartition;
use crate::metrics::{StreamsMetrics, ThreadMetrics};
use crate::processor::{
    EmitIntervals, ErrorContext, FailureOrigin, HandlerResponse, StreamsHandlers, TaskEnvironment,
};
use crate::record::Headers;
use crate::runtime::collector::ProducerCollector;
use crate::runtime::tasks::{Route, TaskMaker, Tasks};
use crate::runtime::thread::ThreadControl;
use crate::store::StoreRegistry;
use crate::task::Idling;
use crate::topology::{AutoOffsetReset, Topology};

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
    pub(crate) topics: Arc<[String]>,
}

/// Consumer, producer and tasks.
pub(crate) struct Session {
    settings: SessionSettings,
    thread_name: Arc<str>,
    consumer: GroupConsumer,
    collector: Rc<ProducerCollector>,
    environment: TaskEnvironment,
    tasks: Tasks,
    routes: HashMap<(TopicHandle, i32), Route>,
    last_route: Option<((TopicHandle, i32), Route)>,
    last_commit: Instant,
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

/// How long the last commit may wait for a broker when the thread is to stop.
const STOP_WAIT: Duration = Duration::from_secs(3);

impl Session {
    /// Takes over the transactional id and joins the group.
    pub(crate) fn begin(
        settings: &SessionSettings,
        thread: usize,
        thread_name: &Arc<str>,
        control: &ThreadControl,
    ) -> Result<Self> {
        let (config, process_id) = (&settings.config, &settings.process_id);
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
        }
        let consumer = GroupConsumer::new(&config.consumer_config(process_id, thread))?;
        let topics: Vec<&str> = settings.topics.iter().map(String::as_str).collect();
        consumer.subscribe(&topics)?;
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
            routes: HashMap::new(),
            last_route: None,
            last_commit: Instant::now(),
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
        let polled = Instant::now();
        // Who does not poll is taken for dead: a slow batch is left half done and taken up again.
        let poll_due = Duration::from_millis(self.settings.config.max_poll_interval_ms) / 2;
        if control.is_paused() {
            self.commit_if_due(control, metrics)?;
            return self.update_pauses();
        }
        let may_go_on = || !control.is_stopping() && polled.elapsed() < poll_due;
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
        for (partition, paused) in self.tasks.update_pauses(records_max) {
            self.consumer.set_paused(&partition, paused)?;
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
        while records < self.settings.config.max_poll_records {
            let Some(event) = self.consumer.poll(wait) else {
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
                    if let Some(route) = self.route(topic, partition) {
                        self.tasks.add_record(route, raw);
                    }
                }
                ConsumerEvent::End(partition, offset) => self.tasks.reached_end(&partition, offset),
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
        control.polled();
        metrics.polled(records, started.elapsed());
        Ok(())
    }

    /// How long the poll may wait for a first record: not past the next commit. Punctuations of the
    /// wall clock are looked at after each poll, so they may be late by `poll.ms`.
    fn poll_wait(&self) -> Duration {
        let poll = Duration::from_millis(self.settings.config.poll_ms);
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

    fn commit_if_due(
        &mut self,
        control: &ThreadControl,
        metrics: &mut ThreadMetrics,
    ) -> Result<()> {
        let interval = Duration::from_millis(self.settings.config.commit_interval_ms);
        let due = self.last_commit.elapsed() >= interval || self.tasks.commit_requested();
        if !due {
            return Ok(());
        }
        if self.tasks.is_dirty() || self.collector.has_uncommitted() {
            self.commit(control, metrics)?;
        } else {
            // There is nothing to commit, whoever has asked for it.
            self.tasks.committed();
        }
        self.last_commit = Instant::now();
        Ok(())
    }

    /// Flushes and commits what the tasks have done.
    fn commit(&mut self, control: &ThreadControl, metrics: &mut ThreadMetrics) -> Result<()> {
        let started = Instant::now();
        let timeout = if control.is_stopping() {
            STOP_WAIT
        } else {
            Duration::from_millis(self.settings.config.task_timeout_ms)
        };
        let offsets = self.tasks.offsets();
        self.collector.flush(timeout)?;
        self.check_deliveries()?;
        self.collector.commit(&offsets, &self.consumer, timeout)?;
        self.tasks.committed();
        let internal = offsets.iter().filter(|(partition, ..)| {
            let application_id = &self.environment.application_id;
            self.settings
                .topology
                .is_internal(application_id, &partition.topic)
        });
        control.processed(
            internal
                .map(|(partition, offset, _)| (partition.clone(), *offset))
                .collect(),
        );
        metrics.committed(started.elapsed());
        self.summary.commits += 1;
        self.has_committed = true;
        tracing::debug!(offsets = offsets.len(), took = ?started.elapsed(), "committed");
        Ok(())
    }

    /// Asks the production handler about each record that could not be delivered. Its bytes are
    /// gone by now, so a dead letter is no answer; nor can the record be left out under
    /// exactly-once, where the transaction has failed with it.
    fn check_deliveries(&self) -> Result<()> {
        while let Some(failure) = self.collector.take_failure() {
            if failure.error.kind() == ErrorKind::Fenced {
                return Err(failure.error);
            }
            let context = ErrorContext {
                origin: FailureOrigin::Production,
                task_id: None,
                node: "",
                topic: &failure.topic,
                partition: failure.partition,
                offset: -1,
                timestamp_ms: -1,
                headers: const { &Headers::new() },
                key: None,
                value: None,
                retries: 0,
            };
            let handler = &self.settings.handlers.production;
            let response = handler.give_up(&context, &failure.error);
            if response != HandlerResponse::Continue || self.collector.is_transactional() {
                return Err(failure.error);
            }
        }
        Ok(())
    }

    /// Takes partitions over: tasks first, then the group's offsets, then the fetching.
    fn assigned(
        &mut self,
        partitions: &[TopicPartition],
        control: &ThreadControl,
        metrics: &mut ThreadMetrics,
    ) -> Result<()> {
        self.forget_routes();
        let config = &self.settings.config;
        let idling = match config.max_task_idle_ms {
            negative if negative < 0 => Idling::Never,
            idle_ms => Idling::UpTo(idle_ms),
        };
        let maker = TaskMaker {
            topology: &self.settings.topology,
            environment: &self.environment,
            idling,
            default_timestamp: config.default_timestamp_extractor,
            metrics: &self.settings.metrics,
            thread_name: &self.thread_name,
        };
        self.tasks = Tasks::create(&maker, partitions)?;
        let assignment = self.positions(partitions, control)?;
        self.tasks.initialize()?;
        self.tasks.publish(&self.settings.registry);
        self.consumer.assign(&assignment)?;
        (0..self.tasks.len()).for_each(|_| metrics.task_created());
        let ids: Vec<String> = self.tasks.ids().iter().map(ToString::to_string).collect();
        tracing::info!(tasks = ?ids, "tasks assigned");
        control.assigned();
        Ok(())
    }

    /// Where each partition is read from: the group's offset, else what its source says.
    fn positions(
        &mut self,
        partitions: &[TopicPartition],
        control: &ThreadControl,
    ) -> Result<Vec<Assignment>> {
        if partitions.is_empty() {
            return Ok(Vec::new());
        }
        let begun = Instant::now();
        let timeout = Duration::from_millis(self.settings.config.task_timeout_ms);
        let committed = loop {
            match self.consumer.committed(partitions, BROKER_WAIT) {
                Ok(committed) => break committed,
                Err(error) if control.is_stopping() || begun.elapsed() > timeout => {
                    return Err(error);
                }
                // A transaction of the last owner may still be open; it ends in its time.
                Err(error) => tracing::debug!(%error, "trying again"),
            }
        };
        let mut assignment = Vec::with_capacity(committed.len());
        for committed in committed {
            let partition = committed.partition;
            let start = match committed.offset {
                Some((offset, metadata)) => {
                    self.tasks.restore_metadata(&partition, &metadata);
                    StartAt::Offset(offset)
                }
                None => self.first_position(&partition)?,
            };
            assignment.push(Assignment { partition, start });
        }
        Ok(assignment)
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
    fn revoked(
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
        self.close_tasks(metrics);
        self.consumer.unassign()?;
        committed
    }

    fn close_tasks(&mut self, metrics: &mut ThreadMetrics) {
        (0..self.tasks.len()).for_each(|_| metrics.task_closed());
        self.tasks.withdraw(&self.settings.registry);
        self.tasks.close();
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
        self.close_tasks(metrics);
        committed
    }

    /// Leaves without committing: what is done since the last commit is done again by the next
    /// session.
    pub(crate) fn abandon(mut self, metrics: &mut ThreadMetrics) {
        self.close_tasks(metrics);
        self.collector.abort(BROKER_WAIT);
    }
}

/// Records taken through each task before the next one's turn.
const RECORDS_PER_TURN: usize = 256;
