//! A stream thread: one session after the other until it is to stop.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use crate::error::{Error, ErrorKind, Result};
use crate::id::TopicPartition;
use crate::metrics::ThreadMetrics;
use crate::runtime::restore::Restorer;
use crate::runtime::session::{Session, SessionSettings};
use crate::runtime::tasks::ends_session_only;
use crate::store::GlobalStores;

/// What a thread is doing (`StreamThread.State`, with its ordinals).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum ThreadState {
    Created = 0,
    Starting = 1,
    PartitionsRevoked = 2,
    PartitionsAssigned = 3,
    Running = 4,
    PendingShutdown = 5,
    Dead = 6,
}

/// What a thread tells its application.
pub(crate) enum ThreadEvent {
    /// It is in another state.
    State { thread: usize, state: ThreadState },
    /// The global stores are filled.
    GlobalReady(GlobalStores),
    /// It has processed these partitions of the topology's own topics up to these offsets.
    Processed(Vec<(TopicPartition, i64)>),
    /// It has ended with this error, and been given up.
    Failed { thread: usize, error: Error },
    /// It has ended because it was told to.
    Ended { thread: usize },
}

/// The line between a thread and its application.
pub(crate) struct ThreadControl {
    thread: usize,
    stop: Arc<AtomicBool>,
    paused: Arc<AtomicBool>,
    state: AtomicU8,
    events: Sender<ThreadEvent>,
}

impl ThreadControl {
    pub(crate) fn new(
        thread: usize,
        stop: Arc<AtomicBool>,
        paused: Arc<AtomicBool>,
        events: Sender<ThreadEvent>,
    ) -> Self {
        Self {
            thread,
            stop,
            paused,
            state: AtomicU8::new(ThreadState::Created as u8),
            events,
        }
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }

    /// Whether processing rests while the membership is kept (KIP-834).
    pub(crate) fn is_paused(&self) -> bool {
        self.paused.load(Ordering::Acquire)
    }

    /// The flag behind [`Self::is_paused`].
    pub(crate) fn paused(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.paused)
    }

    pub(crate) fn set_state(&self, state: ThreadState) {
        if self.state.swap(state as u8, Ordering::AcqRel) != state as u8 {
            self.send(ThreadEvent::State {
                thread: self.thread,
                state,
            });
        }
    }

    /// What is committed of the topology's own topics is needed no more.
    pub(crate) fn processed(&self, offsets: Vec<(TopicPartition, i64)>) {
        if !offsets.is_empty() {
            self.send(ThreadEvent::Processed(offsets));
        }
    }

    /// Tells the application something.
    pub(crate) fn send(&self, event: ThreadEvent) {
        // Without an application no one listens, and nothing is lost.
        let _ = self.events.send(event);
    }

    /// Runs what a thread does, and tells how it has ended. A panic in a user's code is a failure
    /// like others.
    pub(crate) fn run(&self, run: impl FnOnce() -> Result<()>) {
        let ended = catch_unwind(AssertUnwindSafe(run));
        let ended = ended.unwrap_or_else(|panic| Err(panicked(&*panic)));
        self.set_state(ThreadState::Dead);
        let thread = self.thread;
        self.send(match ended {
            Ok(()) => ThreadEvent::Ended { thread },
            Err(error) => ThreadEvent::Failed { thread, error },
        });
    }

    pub(crate) fn assigned(&self) {
        self.set_state(ThreadState::PartitionsAssigned);
    }

    pub(crate) fn revoked(&self) {
        self.set_state(ThreadState::PartitionsRevoked);
    }

    /// The consumer has been polled: what is assigned is being read.
    pub(crate) fn polled(&self) {
        if self.state.load(Ordering::Acquire) == ThreadState::PartitionsAssigned as u8 {
            self.set_state(ThreadState::Running);
        }
    }
}

/// A stream thread before it runs.
pub(crate) struct StreamThread {
    pub(crate) settings: SessionSettings,
    pub(crate) thread: usize,
    pub(crate) name: Arc<str>,
    pub(crate) control: ThreadControl,
}

/// The wait before a new session, and the longest such wait.
const RESTART_WAIT: Duration = Duration::from_millis(100);
const RESTART_WAIT_MAX: Duration = Duration::from_secs(5);

impl StreamThread {
    /// Runs until it is told to stop or fails.
    pub(crate) fn run(self) {
        let span = tracing::info_span!("stream_thread", name = &*self.name);
        let _entered = span.enter();
        self.control.run(|| self.run_sessions());
    }

    fn run_sessions(&self) -> Result<()> {
        let control = &self.control;
        let mut metrics = self.settings.metrics.thread(&self.name);
        let restore = self.settings.restore(control.paused());
        let restorer = Restorer::new(restore, self.thread, Arc::clone(&self.name));
        let restorer = Rc::new(restorer);
        let mut failing_since: Option<Instant> = None;
        let mut wait = RESTART_WAIT;
        control.set_state(ThreadState::Starting);
        while !control.is_stopping() {
            let Err(failed) = self.run_session(&restorer, &mut metrics) else {
                return Ok(());
            };
            if control.is_stopping() {
                tracing::debug!(error = %failed.error, "stopped without a last commit");
                return Ok(());
            }
            let Failed { error, was_well } = failed;
            if was_well {
                failing_since = None;
                wait = RESTART_WAIT;
            }
            let failing = failing_since.get_or_insert_with(Instant::now).elapsed();
            let timeout = Duration::from_millis(self.settings.config.task_timeout_ms);
            if !ends_session_only(&error) || failing > timeout {
                return Err(error);
            }
            if error.kind() == ErrorKind::Fenced {
                tracing::info!(%error, "giving tasks up and joining the group again");
            } else {
                tracing::warn!(%error, "starting again from the last commit");
            }
            control.set_state(ThreadState::PartitionsRevoked);
            self.settings.clock.sleep(wait);
            wait = (wait * 2).min(RESTART_WAIT_MAX);
        }
        Ok(())
    }

    fn run_session(
        &self,
        restorer: &Rc<Restorer>,
        metrics: &mut ThreadMetrics,
    ) -> Result<(), Failed> {
        let (settings, control) = (&self.settings, &self.control);
        let begun = Session::begin(settings, self.thread, &self.name, restorer, control);
        let mut session = begun.map_err(|error| Failed {
            error,
            was_well: false,
        })?;
        while !control.is_stopping() {
            if let Err(error) = session.run_once(control, metrics) {
                let error = session.cause_of(error);
                let was_well = session.was_well();
                session.abandon(&error, metrics);
                return Err(Failed { error, was_well });
            }
        }
        control.set_state(ThreadState::PendingShutdown);
        let closed = session.close(control, metrics);
        closed.map_err(|error| Failed {
            error,
            was_well: true,
        })
    }
}

/// How a session has ended.
struct Failed {
    error: Error,
    /// Whether it did its work until then.
    was_well: bool,
}

fn panicked(panic: &(dyn std::any::Any + Send)) -> Error {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    let text = text.unwrap_or_else(|| "no message".to_owned());
    Error::new(
        ErrorKind::Processing,
        format!("a processor panicked: {text}"),
    )
}
