//! Restoring: what a task's stores lack of their changelogs is read on a thread of its own, while
//! the stream thread goes on with the tasks that are ready.
//!
//! A stream thread orders its tasks' state, and gets it back when every store has all that its
//! changelog has. The state is opened, claimed and restored here, batch by batch; what is given up
//! halfway goes on from there the next time.

mod listener;
mod progress;
mod store;
mod worker;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use crate::clock::Clock;
use crate::config::StreamsConfig;
use crate::error::{Error, ErrorKind, Result};
use crate::id::{TaskId, TopicPartition};
use crate::metrics::{RestoreMetrics, StreamsMetrics};
use crate::runtime::state_directory::{StateClaim, StateDirectory};
use crate::store::TaskState;
use crate::topology::Topology;

pub use listener::StateRestoreListener;

/// What restoring needs of its application.
#[derive(Clone)]
pub(crate) struct RestoreSettings {
    pub(crate) topology: Topology,
    pub(crate) config: Arc<StreamsConfig>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) metrics: StreamsMetrics,
    pub(crate) process_id: Arc<str>,
    pub(crate) directory: StateDirectory,
    pub(crate) listener: Option<Arc<dyn StateRestoreListener>>,
    /// For how long each changelog keeps tombstones, in milliseconds.
    pub(crate) tombstone_retention_ms: Arc<BTreeMap<String, i64>>,
    /// Whether restoring rests (KIP-834).
    pub(crate) paused: Arc<AtomicBool>,
}

/// A task whose state is wanted.
pub(super) struct RestoreOrder {
    pub(super) task: TaskId,
    /// The offsets that the group has committed for the task's inputs.
    pub(super) committed: BTreeMap<TopicPartition, i64>,
}

/// The state of a task, with everything that its changelogs have.
pub(crate) struct RestoredState {
    pub(crate) claim: StateClaim,
    pub(crate) state: TaskState,
    pub(crate) metrics: RestoreMetrics,
}

enum Order {
    Restore(RestoreOrder),
    /// The assignment has changed: whatever is not done is given up.
    GiveUp,
}

enum Outcome {
    Ready(TaskId, Box<RestoredState>),
    Failed(Error),
}

/// The way from a stream thread to the thread that restores its tasks.
pub(crate) struct Restorer {
    settings: RestoreSettings,
    thread: usize,
    thread_name: Arc<str>,
    running: RefCell<Option<Running>>,
}

struct Running {
    orders: Sender<(u64, Order)>,
    outcomes: Receiver<(u64, Outcome)>,
    /// The assignment that is restored: outcomes of an earlier one come too late.
    assignment: u64,
    worker: JoinHandle<()>,
}

impl Restorer {
    /// For the stream thread of this number and name; its own thread starts with the first order.
    pub(crate) fn new(settings: RestoreSettings, thread: usize, thread_name: Arc<str>) -> Self {
        Self {
            settings,
            thread,
            thread_name,
            running: RefCell::new(None),
        }
    }

    /// Orders a task's state.
    ///
    /// # Errors
    /// If no thread can be started.
    pub(crate) fn restore(
        &self,
        task: TaskId,
        committed: BTreeMap<TopicPartition, i64>,
    ) -> Result<()> {
        let mut running = self.running.borrow_mut();
        if running.is_none() {
            *running = Some(self.start()?);
        }
        if let Some(running) = &*running {
            let order = Order::Restore(RestoreOrder { task, committed });
            // The worker ends only with this sender.
            let _ = running.orders.send((running.assignment, order));
        }
        Ok(())
    }

    fn start(&self) -> Result<Running> {
        let (orders, inbox) = channel();
        let (outbox, outcomes) = channel();
        let (settings, thread) = (self.settings.clone(), self.thread);
        let thread_name = Arc::clone(&self.thread_name);
        let worker = std::thread::Builder::new()
            .name(format!("{thread_name}-restore"))
            .spawn(move || worker::run(settings, thread, &thread_name, &inbox, &outbox));
        let worker = worker.map_err(|error| {
            Error::with_source(ErrorKind::Io, "cannot start a thread that restores", error)
        })?;
        Ok(Running {
            orders,
            outcomes,
            assignment: 0,
            worker,
        })
    }

    /// Gives up what has been ordered and is not taken yet.
    pub(crate) fn give_up(&self) {
        if let Some(running) = &mut *self.running.borrow_mut() {
            running.assignment += 1;
            let _ = running.orders.send((running.assignment, Order::GiveUp));
        }
    }

    /// The next task that is ready, if there is one.
    ///
    /// # Errors
    /// If a task cannot be restored.
    pub(crate) fn take(&self) -> Result<Option<(TaskId, RestoredState)>> {
        let running = self.running.borrow();
        let Some(running) = &*running else {
            return Ok(None);
        };
        while let Ok((assignment, outcome)) = running.outcomes.try_recv() {
            match outcome {
                // Its claim ends here, for whoever has it now.
                Outcome::Ready(_, restored) if assignment != running.assignment => {
                    let RestoredState { claim, state, .. } = *restored;
                    claim.release(state);
                }
                Outcome::Failed(error) if assignment != running.assignment => {
                    tracing::debug!(%error, "a restore that was given up has failed");
                }
                Outcome::Ready(task, restored) => return Ok(Some((task, *restored))),
                Outcome::Failed(error) => return Err(error),
            }
        }
        Ok(None)
    }
}

impl Drop for Restorer {
    fn drop(&mut self) {
        if let Some(running) = self.running.borrow_mut().take() {
            let Running {
                orders,
                outcomes,
                worker,
                ..
            } = running;
            drop((orders, outcomes));
            // It ends within a turn.
            let _ = worker.join();
        }
    }
}
