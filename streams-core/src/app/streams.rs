//! `KafkaStreams`: the handle of a running application.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use prometheus::Registry;

use crate::app::handlers::configured;
use crate::app::process_id::{ProcessId, lock, locked, process_id};
use crate::app::query::StreamsQueries;
use crate::app::state::{State, StateListener};
use crate::app::supervisor::{Shared, Supervisor, UncaughtErrorHandler, UncaughtErrorResponse};
use crate::app::topics;
use crate::clock::SystemClock;
use crate::config::StreamsConfig;
use crate::error::{Error, ErrorKind, Result};
use crate::metrics::StreamsMetrics;
use crate::observability::{Health, ShutdownSignal};
use crate::processor::StreamsHandlers;
use crate::runtime::{SessionSettings, StateDirectory, StateRestoreListener};
use crate::store::{GlobalStores, QueryableStore, StoreRegistry};
use crate::topology::Topology;

/// How long the last commits may take when the application is told to stop.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// Runs a topology (`org.apache.kafka.streams.KafkaStreams`).
///
/// Dropping it stops the application as [`KafkaStreams::close`] does.
pub struct KafkaStreams {
    topology: Topology,
    config: Arc<StreamsConfig>,
    handlers: StreamsHandlers,
    listener: Option<Box<StateListener>>,
    uncaught: Option<Box<UncaughtErrorHandler>>,
    metrics: StreamsMetrics,
    health: Health,
    registry: StoreRegistry,
    restore_listener: Option<Arc<dyn StateRestoreListener>>,
    running: Option<Running>,
}

struct Running {
    shared: Arc<Shared>,
    supervisor: Option<std::thread::JoinHandle<()>>,
    process: ProcessId,
}

impl KafkaStreams {
    /// An application that is not started yet.
    ///
    /// # Errors
    /// If the topology is empty, or breaks a rule of the configuration.
    pub fn new(topology: Topology, config: StreamsConfig) -> Result<Self> {
        if topology.is_empty() {
            return Err(Error::new(
                ErrorKind::Topology,
                "the topology has no source",
            ));
        }
        topics::check_names(&topology, &config)?;
        Ok(Self {
            handlers: configured(&config),
            topology,
            config: Arc::new(config),
            listener: None,
            uncaught: None,
            metrics: StreamsMetrics::disabled(),
            health: Health::new(),
            registry: StoreRegistry::default(),
            restore_listener: None,
            running: None,
        })
    }

    /// Decides failures with these handlers, whatever the configuration says.
    #[must_use]
    pub fn with_handlers(mut self, handlers: StreamsHandlers) -> Self {
        self.handlers = handlers;
        self
    }

    /// Calls `listener` with the new and the old state at every change.
    #[must_use]
    pub fn with_state_listener(
        mut self,
        listener: impl Fn(State, State) + Send + Sync + 'static,
    ) -> Self {
        self.listener = Some(Box::new(listener));
        self
    }

    /// Tells `listener` how stores are restored.
    #[must_use]
    pub fn with_state_restore_listener(
        mut self,
        listener: impl StateRestoreListener + 'static,
    ) -> Self {
        self.restore_listener = Some(Arc::new(listener));
        self
    }

    /// Asks `handler` what follows when a thread has failed; without one the application stops.
    #[must_use]
    pub fn with_uncaught_error_handler(
        mut self,
        handler: impl Fn(&Error) -> UncaughtErrorResponse + Send + Sync + 'static,
    ) -> Self {
        self.uncaught = Some(Box::new(handler));
        self
    }

    /// Puts the application's metrics into `registry`.
    ///
    /// # Errors
    /// If the registry holds others of the same names.
    pub fn with_registry(mut self, registry: &Registry) -> Result<Self> {
        self.metrics = StreamsMetrics::new(registry, self.config.metrics_recording_level)?;
        Ok(self)
    }

    /// Says through `health` whether the application runs.
    #[must_use]
    pub fn with_health(mut self, health: Health) -> Self {
        self.health = health;
        self
    }

    /// Starts the threads and returns; [`KafkaStreams::state`] tells how they are doing.
    ///
    /// # Errors
    /// If it has been started before, or `state.dir` cannot be used.
    pub fn start(&mut self) -> Result<()> {
        if self.running.is_some() {
            return Err(Error::new(
                ErrorKind::Config,
                "the application has been started before",
            ));
        }
        let directory = StateDirectory::new(&self.config);
        let needs_state = directory.is_needed_by(&self.topology.stores());
        let process = process_id(&self.config, needs_state)?;
        let client = self.metrics.client(&self.config.instance_name(&process.id));
        let shared = Arc::new(Shared::new(
            self.listener.take(),
            client,
            self.health.clone(),
        ));
        shared.set_state(State::Rebalancing);
        let settings = SessionSettings {
            topology: self.topology.clone(),
            config: Arc::clone(&self.config),
            handlers: self.handlers.clone(),
            clock: Arc::new(SystemClock),
            metrics: self.metrics.clone(),
            process_id: Arc::clone(&process.id),
            registry: self.registry.clone(),
            directory,
            restore_listener: self.restore_listener.clone(),
            topics: Arc::new([]),
            tombstone_retention_ms: Arc::default(),
            global: GlobalStores::default(),
        };
        let uncaught = self.uncaught.take();
        let uncaught =
            uncaught.unwrap_or_else(|| Box::new(|_| UncaughtErrorResponse::ShutdownClient));
        let cleans = process.has_lock();
        let supervisor = Supervisor::new(settings, Arc::clone(&shared), uncaught, cleans);
        let handle = std::thread::Builder::new()
            .name(format!("{}-supervisor", self.config.application_id))
            .spawn(move || supervisor.run())
            .map_err(|error| {
                Error::with_source(ErrorKind::Io, "cannot start the supervisor", error)
            })?;
        self.running = Some(Running {
            shared,
            supervisor: Some(handle),
            process,
        });
        Ok(())
    }

    /// What the application is doing.
    pub fn state(&self) -> State {
        self.running
            .as_ref()
            .map_or(State::Created, |running| running.shared.state())
    }

    /// Waits until the application is in this state or ends, or the time is over.
    ///
    /// Returns the state.
    pub fn wait_for_state(&self, wanted: State, timeout: Duration) -> State {
        match &self.running {
            None => State::Created,
            Some(running) => {
                let wanted = |state: State| state == wanted || state.is_final();
                running.shared.wait_for(wanted, timeout)
            }
        }
    }

    /// Why the application has failed.
    pub fn error(&self) -> Option<Arc<Error>> {
        self.running
            .as_ref()
            .and_then(|running| running.shared.error())
    }

    /// A read-only view of a store's committed state, of the tasks that run in this instance now;
    /// see [`StreamsQueries::store`].
    ///
    /// # Errors
    /// As there.
    pub fn store<S: QueryableStore>(&self, store: &S) -> Result<S::View> {
        self.queries().store(store)
    }

    /// A handle to query the application's state with, from any thread and as long as it lives.
    pub fn queries(&self) -> StreamsQueries {
        let config = Arc::clone(&self.config);
        StreamsQueries::new(self.topology.clone(), config, self.registry.clone())
    }

    /// Rests: nothing is processed or restored, and the tasks are kept (KIP-834).
    pub fn pause(&self) {
        self.set_paused(true);
    }

    /// Goes on after [`KafkaStreams::pause`].
    pub fn resume(&self) {
        self.set_paused(false);
    }

    fn set_paused(&self, paused: bool) {
        if let Some(running) = &self.running {
            running.shared.paused.store(paused, Ordering::Release);
        }
    }

    /// Makes the last commits, leaves the group and stops the threads. Returns whether all is done
    /// within `timeout`; what is not committed then is processed again by whoever comes next.
    pub fn close(&mut self, timeout: Duration) -> bool {
        let Some(running) = &mut self.running else {
            return true;
        };
        running.shared.stop.store(true, Ordering::Release);
        if !running.shared.wait_for(State::is_final, timeout).is_final() {
            return false;
        }
        if let Some(supervisor) = running.supervisor.take() {
            let _ = supervisor.join();
        }
        running.process.unlock();
        true
    }

    /// Deletes the application's state under `state.dir`, which is then rebuilt from the changelogs
    /// (`KafkaStreams.cleanUp`). Nothing else ever deletes the state of a task that is in use here.
    ///
    /// # Errors
    /// If the application runs, another process uses the directory, or the disk refuses.
    pub fn clean_up(&self) -> Result<()> {
        let state = self.state();
        if state != State::Created && !state.is_final() {
            let message = format!("the state cannot be deleted while the application is {state}");
            return Err(Error::new(ErrorKind::Config, message));
        }
        let is_ours = |running: &Running| running.process.has_lock();
        let _lock = match self.running.as_ref().is_some_and(is_ours) {
            true => None,
            false => Some(lock(&self.config)?.ok_or_else(|| locked(&self.config))?),
        };
        StateDirectory::new(&self.config).delete_all()
    }

    /// Starts, waits until `shutdown` is asked for or the application fails, and closes.
    ///
    /// # Errors
    /// If it cannot be started, or has failed.
    pub fn run_until(mut self, shutdown: &ShutdownSignal) -> Result<()> {
        self.start()?;
        let Some(running) = &self.running else {
            return Ok(());
        };
        let shared = Arc::clone(&running.shared);
        while !shutdown.wait_for(SHUTDOWN_POLL) && !shared.state().is_final() {}
        if !self.close(CLOSE_TIMEOUT) {
            tracing::warn!("stopping without the last commit, which takes too long");
            // Else the drop would wait as long again.
            self.running = None;
        }
        match shared.error() {
            Some(error) => Err(Error::new(error.kind(), error.to_string())),
            None => Ok(()),
        }
    }
}

/// How often the end of the application is looked for while waiting for a signal.
const SHUTDOWN_POLL: Duration = Duration::from_millis(50);

impl Drop for KafkaStreams {
    fn drop(&mut self) {
        self.close(CLOSE_TIMEOUT);
    }
}
