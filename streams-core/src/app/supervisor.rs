//! The thread that starts the stream threads, hears of their states and replaces them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::app::state::{State, StateListener};
use crate::app::topics;
use crate::broker::Admin;
use crate::error::{Error, ErrorKind, Result};
use crate::id::TopicPartition;
use crate::metrics::ClientMetrics;
use crate::observability::Health;
use crate::runtime::{
    GlobalThread, SessionSettings, StreamThread, ThreadControl, ThreadEvent, ThreadState,
};

/// What follows when a thread has failed (`StreamThreadExceptionResponse`, KIP-671).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UncaughtErrorResponse {
    /// Another thread takes its place, and its tasks from the last commit.
    ReplaceThread,
    /// The application stops with [`State::Error`].
    ShutdownClient,
}

/// Decides what follows when a thread has failed.
pub type UncaughtErrorHandler = dyn Fn(&Error) -> UncaughtErrorResponse + Send + Sync;

/// What the application and its supervisor share.
pub(super) struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    error: Mutex<Option<Arc<Error>>>,
    pub(super) stop: Arc<AtomicBool>,
    pub(super) paused: Arc<AtomicBool>,
    listener: Option<Box<StateListener>>,
    metrics: ClientMetrics,
    health: Health,
}

impl Shared {
    pub(super) fn new(
        listener: Option<Box<StateListener>>,
        metrics: ClientMetrics,
        health: Health,
    ) -> Self {
        Self {
            state: Mutex::new(State::Created),
            changed: Condvar::new(),
            error: Mutex::new(None),
            stop: Arc::default(),
            paused: Arc::default(),
            listener,
            metrics,
            health,
        }
    }

    pub(super) fn state(&self) -> State {
        *lock(&self.state)
    }

    pub(super) fn error(&self) -> Option<Arc<Error>> {
        lock(&self.error).clone()
    }

    /// Goes to another state and says so.
    pub(super) fn set_state(&self, state: State) {
        let old = std::mem::replace(&mut *lock(&self.state), state);
        if old == state {
            return;
        }
        tracing::info!("state {old} -> {state}");
        self.metrics.set_state(state as i64);
        match state {
            State::Running => self.health.set_ready(),
            State::Error => {
                let reason = self
                    .error()
                    .map_or("failed".to_owned(), |error| error.to_string());
                self.health.set_dead(reason);
            }
            other => self.health.set_not_ready(other.name()),
        }
        if let Some(listener) = &self.listener {
            listener(state, old);
        }
        self.changed.notify_all();
    }

    /// Waits until the state is as wanted, or the time is over; returns the state.
    pub(super) fn wait_for(&self, wanted: impl Fn(State) -> bool, timeout: Duration) -> State {
        let state = lock(&self.state);
        let waited = self
            .changed
            .wait_timeout_while(state, timeout, |state| !wanted(*state));
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        *state
    }

    fn fail(&self, error: Error) {
        lock(&self.error).get_or_insert_with(|| Arc::new(error));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

struct RunningThread {
    handle: JoinHandle<()>,
    state: ThreadState,
}

/// The supervisor before and while it runs.
pub(super) struct Supervisor {
    settings: SessionSettings,
    shared: Arc<Shared>,
    uncaught: Box<UncaughtErrorHandler>,
    threads: BTreeMap<usize, RunningThread>,
    events: Sender<ThreadEvent>,
    inbox: Receiver<ThreadEvent>,
    processed: BTreeMap<TopicPartition, i64>,
    last_purge: Instant,
    /// Whether state that is not used any more may be deleted.
    cleans: bool,
    last_cleaning: Instant,
    /// What fills the global stores.
    global: Option<JoinHandle<()>>,
}

/// How long the supervisor waits for an event before it looks whether it is to stop.
const EVENT_WAIT: Duration = Duration::from_millis(100);

/// How often state that is not used any more is looked for, at most.
const CLEANING_INTERVAL: Duration = Duration::from_secs(30);

/// The number of the thread that fills the global stores; stream threads count from 1.
const GLOBAL_THREAD: usize = 0;

/// The wait before a broker that did not answer is asked again.
const BROKER_RETRY_WAIT: Duration = Duration::from_millis(500);

impl Supervisor {
    pub(super) fn new(
        settings: SessionSettings,
        shared: Arc<Shared>,
        uncaught: Box<UncaughtErrorHandler>,
        cleans: bool,
    ) -> Self {
        let (events, inbox) = channel();
        Self {
            settings,
            shared,
            uncaught,
            threads: BTreeMap::new(),
            events,
            inbox,
            processed: BTreeMap::new(),
            last_purge: Instant::now(),
            cleans,
            last_cleaning: Instant::now(),
            global: None,
        }
    }

    /// Runs the application until it is to stop or has failed.
    pub(super) fn run(mut self) {
        let admin = match self.prepare() {
            Ok(Some(admin)) => admin,
            Ok(None) => return self.end(),
            Err(error) => return self.end_with(error),
        };
        match self.fill_global_stores() {
            Ok(true) => {}
            Ok(false) => return self.end(),
            Err(error) => return self.end_with(error),
        }
        // Without topics for tasks there are only global stores to keep.
        let has_tasks = !self.settings.topics.is_empty();
        let threads = match has_tasks {
            true => self.settings.config.num_stream_threads,
            false => 0,
        };
        for thread in 1..=threads {
            if let Err(error) = self.spawn(thread) {
                return self.end_with(error);
            }
        }
        self.update_state();
        while !self.threads.is_empty() || !(has_tasks || self.is_stopping()) {
            if self.is_stopping() {
                self.shared.set_state(match self.shared.error() {
                    None => State::PendingShutdown,
                    Some(_) => State::PendingError,
                });
            }
            match self.inbox.recv_timeout(EVENT_WAIT) {
                Ok(event) => self.hear(event),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            self.purge_if_due(&admin);
            self.clean_if_due();
        }
        self.end();
    }

    /// Starts what fills the global stores, if there are any, and waits until they are filled;
    /// returns false if the application is to stop meanwhile.
    fn fill_global_stores(&mut self) -> Result<bool> {
        if !self.settings.topology.has_global_stores() {
            return Ok(true);
        }
        let (stop, paused) = (
            Arc::clone(&self.shared.stop),
            Arc::clone(&self.shared.paused),
        );
        let thread = GlobalThread {
            settings: self.settings.clone(),
            control: ThreadControl::new(GLOBAL_THREAD, stop, paused, self.events.clone()),
        };
        let instance = self
            .settings
            .config
            .instance_name(&self.settings.process_id);
        let handle = std::thread::Builder::new()
            .name(format!("{instance}-GlobalStreamThread"))
            .spawn(move || thread.run());
        self.global = Some(handle.map_err(|error| {
            Error::with_source(ErrorKind::Io, "cannot start the global thread", error)
        })?);
        while !self.is_stopping() {
            match self.inbox.recv_timeout(EVENT_WAIT) {
                Ok(ThreadEvent::GlobalReady(global)) => {
                    self.settings.global = global;
                    return Ok(true);
                }
                Ok(ThreadEvent::Failed { error, .. }) => return Err(error),
                Ok(_) | Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(false),
            }
        }
        Ok(false)
    }

    /// Closes and deletes state that is not used any more (`state.cleanup.delay.ms`).
    fn clean_if_due(&mut self) {
        let directory = &self.settings.directory;
        self.shared
            .metrics
            .set_block_cache_usage(directory.memory_bytes());
        let delay = Duration::from_millis(self.settings.config.state_cleanup_delay_ms);
        if self.last_cleaning.elapsed() < delay.min(CLEANING_INTERVAL) {
            return;
        }
        self.last_cleaning = Instant::now();
        directory.close_unused();
        // While tasks go from one to another, nobody may be using what is needed in a moment.
        if self.cleans && self.shared.state() == State::Running {
            directory.delete_unused(delay);
        }
    }

    /// Waits for a broker and makes the topics; `None` if the application is to stop meanwhile.
    fn prepare(&mut self) -> Result<Option<Admin>> {
        let config = &self.settings.config;
        let admin = Admin::new(&config.admin_config(&self.settings.process_id))?;
        while !self.is_stopping() {
            match topics::prepare(&admin, &self.settings.topology, config) {
                Ok(topics) => {
                    self.settings.topics = topics.subscription.into();
                    self.settings.tombstone_retention_ms = topics.tombstone_retention_ms.into();
                    return Ok(Some(admin));
                }
                Err(error) if error.kind() == ErrorKind::Broker => {
                    let servers = &config.bootstrap_servers;
                    tracing::warn!("bootstrap.servers={servers}: {error}; trying again");
                    self.settings.clock.sleep(BROKER_RETRY_WAIT);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    fn spawn(&mut self, thread: usize) -> Result<()> {
        let (stop, paused) = (
            Arc::clone(&self.shared.stop),
            Arc::clone(&self.shared.paused),
        );
        let name = self
            .settings
            .config
            .thread_name(&self.settings.process_id, thread);
        let runner = StreamThread {
            settings: self.settings.clone(),
            thread,
            name: name.as_str().into(),
            control: ThreadControl::new(thread, stop, paused, self.events.clone()),
        };
        let handle = std::thread::Builder::new()
            .name(name)
            .spawn(move || runner.run());
        let handle = handle.map_err(|error| {
            Error::with_source(ErrorKind::Io, "cannot start a stream thread", error)
        })?;
        self.threads.insert(
            thread,
            RunningThread {
                handle,
                state: ThreadState::Created,
            },
        );
        self.shared.metrics.set_alive_threads(self.threads.len());
        Ok(())
    }

    fn hear(&mut self, event: ThreadEvent) {
        match event {
            ThreadEvent::State { thread, state } => {
                if let Some(running) = self.threads.get_mut(&thread) {
                    running.state = state;
                }
                self.update_state();
            }
            ThreadEvent::GlobalReady(_) => {}
            ThreadEvent::Processed(offsets) => self.processed.extend(offsets),
            ThreadEvent::Failed { thread, error } if thread == GLOBAL_THREAD => {
                tracing::error!(%error, "the global thread failed");
                self.shut_down(error);
            }
            ThreadEvent::Ended { thread } => self.forget(thread),
            ThreadEvent::Failed { thread, error } => {
                self.forget(thread);
                self.shared.metrics.thread_failed();
                tracing::error!(thread, %error, "stream thread failed");
                if !self.is_stopping() {
                    self.answer(thread, error);
                }
            }
        }
    }

    fn answer(&mut self, thread: usize, error: Error) {
        match (self.uncaught)(&error) {
            UncaughtErrorResponse::ReplaceThread => {
                self.settings.clock.sleep(BROKER_RETRY_WAIT);
                if let Err(error) = self.spawn(thread) {
                    self.shut_down(error);
                }
            }
            UncaughtErrorResponse::ShutdownClient => self.shut_down(error),
        }
    }

    fn shut_down(&mut self, error: Error) {
        self.shared.fail(error);
        self.shared.stop.store(true, Ordering::Release);
    }

    fn forget(&mut self, thread: usize) {
        if let Some(running) = self.threads.remove(&thread) {
            // Its last event is sent as it ends, so this does not wait.
            let _ = running.handle.join();
        }
        self.shared.metrics.set_alive_threads(self.threads.len());
    }

    fn update_state(&self) {
        if self.is_stopping() {
            return;
        }
        let all_run = self
            .threads
            .values()
            .all(|running| running.state == ThreadState::Running);
        self.shared.set_state(if all_run {
            State::Running
        } else {
            State::Rebalancing
        });
    }

    /// Deletes what has been processed of the repartition topics
    /// (`repartition.purge.interval.ms`, KIP-811).
    fn purge_if_due(&mut self, admin: &Admin) {
        let interval = Duration::from_millis(self.settings.config.repartition_purge_interval_ms);
        if self.last_purge.elapsed() < interval || self.processed.is_empty() {
            return;
        }
        self.last_purge = Instant::now();
        let offsets: Vec<_> = std::mem::take(&mut self.processed).into_iter().collect();
        if let Err(error) = admin.delete_records(&offsets) {
            tracing::warn!(%error, "repartition topics are not purged; trying again later");
        }
    }

    fn is_stopping(&self) -> bool {
        self.shared.stop.load(Ordering::Acquire)
    }

    fn end_with(self, error: Error) {
        tracing::debug!(%error, "the application cannot start");
        self.shared.fail(error);
        self.end();
    }

    fn end(mut self) {
        // It ends within a turn, and every store before the application says that it has.
        self.shared.stop.store(true, Ordering::Release);
        if let Some(global) = self.global.take() {
            let _ = global.join();
        }
        self.settings.directory.close();
        let failed = self.shared.error().is_some();
        self.shared.set_state(if failed {
            State::Error
        } else {
            State::NotRunning
        });
    }
}
