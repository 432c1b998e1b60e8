//! The thread that restores the tasks of one stream thread.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError};
use std::time::{Duration, Instant};

use crate::broker::{OffsetRange, PartitionReader, ReadEvent, StartAt};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{TaskId, TopicPartition};
use crate::metrics::RestoreMetrics;
use crate::runtime::restore::progress::Progress;
use crate::runtime::restore::store::{RestoringStore, Taken};
use crate::runtime::restore::{Order, Outcome, RestoreOrder, RestoreSettings, RestoredState};
use crate::runtime::state_directory::StateClaim;
use crate::store::{StoreBuilder, TaskState};

/// How long a broker may take to tell the offsets of the changelogs.
const ANSWER_WAIT: Duration = Duration::from_secs(5);
/// How long one read may wait for records, and an order for its turn.
const READ_WAIT: Duration = Duration::from_millis(20);
/// The wait before a claim or a broker is asked again.
const RETRY_WAIT: Duration = Duration::from_millis(20);
/// What is gathered for the tables of all stores together, in bytes; as much again is being
/// written. Many stores have too little of it each for tables, and are written through RocksDB's
/// write buffers.
const TABLES_BYTES_MAX: usize = 8 * 1024 * 1024;
/// What is gathered for a table, in bytes.
const TABLE_BYTES_MAX: usize = 2 * 1024 * 1024;
/// How long the client stays that nobody needs.
const IDLE_MAX: Duration = Duration::from_secs(60);

/// Restores what is ordered until the stream thread is gone.
pub(super) fn run(
    settings: RestoreSettings,
    thread: usize,
    thread_name: &Arc<str>,
    inbox: &Receiver<(u64, Order)>,
    outbox: &Sender<(u64, Outcome)>,
) {
    let span = tracing::info_span!("restore", thread = &**thread_name);
    let _entered = span.enter();
    let mut worker = Worker {
        progress: Progress::new(settings.listener.clone()),
        settings,
        thread,
        thread_name: Arc::clone(thread_name),
        assignment: 0,
        reader: None,
        orders: Vec::new(),
        tasks: BTreeMap::new(),
        stores: BTreeMap::new(),
        next_number: 0,
        failing_since: None,
    };
    while worker.hear(inbox) {
        match worker.turn() {
            Ok(ready) => {
                for (task, restored) in ready {
                    let outcome = Outcome::Ready(task, Box::new(restored));
                    let _ = outbox.send((worker.assignment, outcome));
                }
            }
            Err(error) => {
                worker.give_up();
                let _ = outbox.send((worker.assignment, Outcome::Failed(error)));
            }
        }
    }
    worker.give_up();
}

/// A task whose state is claimed and open.
struct OpenTask {
    claim: StateClaim,
    state: TaskState,
    metrics: RestoreMetrics,
    /// Stores that are still restored.
    stores_left: usize,
}

struct Worker {
    settings: RestoreSettings,
    thread: usize,
    thread_name: Arc<str>,
    assignment: u64,
    reader: Option<PartitionReader>,
    /// Orders whose state is not claimed yet.
    orders: Vec<RestoreOrder>,
    /// By the number that their records bear. Before the tasks, so that nobody writes any more when
    /// their claims end.
    stores: BTreeMap<usize, RestoringStore>,
    tasks: BTreeMap<TaskId, OpenTask>,
    next_number: usize,
    progress: Progress,
    /// Since when no broker has told where the changelogs end.
    failing_since: Option<Instant>,
}

impl Worker {
    /// Takes orders, waiting for one if there is nothing else to do; returns false at the end.
    fn hear(&mut self, inbox: &Receiver<(u64, Order)>) -> bool {
        if self.orders.is_empty() && self.tasks.is_empty() {
            match inbox.recv_timeout(IDLE_MAX) {
                Ok(order) => self.take_order(order),
                Err(RecvTimeoutError::Timeout) => self.reader = None,
                Err(RecvTimeoutError::Disconnected) => return false,
            }
        }
        loop {
            match inbox.try_recv() {
                Ok(order) => self.take_order(order),
                Err(TryRecvError::Empty) => return true,
                Err(TryRecvError::Disconnected) => return false,
            }
        }
    }

    fn take_order(&mut self, (assignment, order): (u64, Order)) {
        self.assignment = assignment;
        match order {
            Order::Restore(order) => self.orders.push(order),
            Order::GiveUp => self.give_up(),
        }
    }

    /// Opens what can be opened, reads for a moment, and returns the tasks that are ready.
    fn turn(&mut self) -> Result<Vec<(TaskId, RestoredState)>> {
        self.open()?;
        if self.settings.paused.load(Ordering::Acquire) && !self.stores.is_empty() {
            // What has been read so far waits in the client's queue, which is bounded.
            self.settings.clock.sleep(READ_WAIT);
        } else if !self.stores.is_empty() {
            self.find_ranges()?;
            self.read()?;
            self.write()?;
            self.progress.lines(self.stores.values());
        } else if !self.orders.is_empty() {
            // Another thread is about to give up what is wanted here.
            self.settings.clock.sleep(RETRY_WAIT);
        }
        self.take_ready()
    }

    /// Claims and opens the state of tasks.
    fn open(&mut self) -> Result<()> {
        for order in std::mem::take(&mut self.orders) {
            match self.settings.directory.claim(order.task) {
                Some(claim) => self.open_task(&order, claim)?,
                None => self.orders.push(order),
            }
        }
        Ok(())
    }

    fn open_task(&mut self, order: &RestoreOrder, claim: StateClaim) -> Result<()> {
        let topology = self.settings.topology.clone();
        let task = order.task;
        let Some(part) = topology.subtopology(task.subtopology) else {
            return Ok(());
        };
        let builders = topology.stores_of(part);
        let state = claim.open(&builders)?;
        let metrics = self
            .settings
            .metrics
            .restore(&self.thread_name, &task.to_string());
        let mut stores_left = 0;
        for builder in builders {
            if let Some(store) = self.restoring(order, builder, &state)? {
                self.stores.insert(self.next_number, store);
                self.next_number += 1;
                stores_left += 1;
            }
        }
        let open = OpenTask {
            claim,
            state,
            metrics,
            stores_left,
        };
        self.tasks.insert(task, open);
        Ok(())
    }

    /// A store to restore, if it has a topic to be restored from.
    fn restoring(
        &self,
        order: &RestoreOrder,
        builder: &StoreBuilder,
        state: &TaskState,
    ) -> Result<Option<RestoringStore>> {
        let settings = &self.settings;
        let application_id = &settings.config.application_id;
        let logs = builder.changelog_config().is_some();
        let topic = match builder.source_topic() {
            Some(source) => settings.topology.full_topic(application_id, source),
            None if logs => builder.changelog_topic(application_id).to_string(),
            None => return Ok(None),
        };
        let partition = TopicPartition {
            topic: topic.as_str().into(),
            partition: order.task.partition,
        };
        let bound = builder
            .source_topic()
            .map(|_| order.committed.get(&partition).copied().unwrap_or(0));
        let mut store = RestoringStore::new(order.task, builder, partition, bound, state);
        if let Some(database) = state.database() {
            let now_ms = settings.clock.now_ms();
            let retention_ms = settings.tombstone_retention_ms.get(&topic);
            match (database.committed_at_ms()?, retention_ms) {
                (Some(at_ms), Some(retention_ms)) if now_ms - at_ms > *retention_ms => {
                    store.stale = Some(format!(
                        "its last commit is {} s ago, and {topic} keeps tombstones for {} s",
                        (now_ms - at_ms) / 1000,
                        retention_ms / 1000
                    ));
                }
                (Some(_), _) => {}
                (None, _) => database.batch().write(now_ms)?,
            }
        }
        Ok(Some(store))
    }

    fn reader(&mut self) -> Result<&mut PartitionReader> {
        if self.reader.is_none() {
            let settings = &self.settings;
            let config = settings
                .config
                .restore_consumer_config(&settings.process_id, self.thread);
            self.reader = Some(PartitionReader::new(&config)?);
        }
        let none = || Error::new(ErrorKind::Broker, "there is no consumer that restores");
        self.reader.as_mut().ok_or_else(none)
    }

    /// Asks where the changelogs end, and begins to read what is missing.
    fn find_ranges(&mut self) -> Result<()> {
        // Of stores that are restored from one partition, one comes after the other.
        let reading = self.stores.values().filter(|store| store.has_range);
        let mut taken: BTreeSet<TopicPartition> =
            reading.map(|store| store.partition.clone()).collect();
        let open = self.stores.iter().filter(|(_, store)| !store.has_range);
        let open: Vec<(usize, TopicPartition)> = open
            .filter(|(_, store)| taken.insert(store.partition.clone()))
            .map(|(number, store)| (*number, store.partition.clone()))
            .collect();
        if open.is_empty() {
            return Ok(());
        }
        let partitions = open.iter().map(|(_, partition)| partition.clone());
        let partitions: Vec<TopicPartition> = partitions.collect();
        let ranges = match self.reader()?.ranges(&partitions, ANSWER_WAIT) {
            Ok(ranges) => ranges,
            Err(error) => return self.failed_to_ask(error),
        };
        self.failing_since = None;
        for (number, partition) in open {
            if let Some(range) = ranges.get(&partition) {
                self.begin(number, *range)?;
            }
        }
        self.reader()?.wake(&partitions);
        Ok(())
    }

    /// A broker that is away comes back.
    fn failed_to_ask(&mut self, error: Error) -> Result<()> {
        let timeout = Duration::from_millis(self.settings.config.task_timeout_ms);
        let since = *self.failing_since.get_or_insert_with(Instant::now);
        if error.kind() != ErrorKind::Broker || since.elapsed() > timeout {
            return Err(error);
        }
        tracing::warn!(%error, "trying again");
        self.settings.clock.sleep(RETRY_WAIT);
        Ok(())
    }

    fn begin(&mut self, number: usize, range: OffsetRange) -> Result<()> {
        let Some(store) = self.stores.get_mut(&number) else {
            return Ok(());
        };
        let was_started = store.is_started;
        store.set_range(range)?;
        if store.is_done() {
            tracing::debug!(store = %store.name, task = %store.task, "has everything");
            return Ok(());
        }
        if !was_started {
            self.progress.started(store);
        }
        let (partition, start) = (store.partition.clone(), store.start_offset);
        self.reader()?
            .start(&partition, StartAt::Offset(start), number)
    }

    fn read(&mut self) -> Result<()> {
        let (mut rebuild, mut lost) = (Vec::new(), Vec::new());
        let Self { stores, reader, .. } = self;
        let Some(reader) = reader else { return Ok(()) };
        reader.read(READ_WAIT, |number, event| {
            let Some(store) = stores.get_mut(&number) else {
                return;
            };
            let taken = match event {
                ReadEvent::Record(record) => store.take(record),
                ReadEvent::End(offset) => store.ended(offset),
                ReadEvent::OutOfRange => return lost.push(number),
            };
            if taken == Taken::Rebuild && !rebuild.contains(&number) {
                rebuild.push(number);
            }
        })?;
        for number in rebuild {
            self.rebuild(number)?;
        }
        for number in lost {
            // Old records were deleted in the meantime, or what is there is another topic.
            if let Some(store) = self.stores.get_mut(&number) {
                store.has_range = false;
            }
        }
        Ok(())
    }

    /// Rebuilds a store from the beginning of its changelog, and says why.
    fn rebuild(&mut self, number: usize) -> Result<()> {
        let Some(store) = self.stores.get_mut(&number) else {
            return Ok(());
        };
        let reason = store.stale.take().unwrap_or_default();
        let (name, task) = (&store.name, store.task);
        tracing::warn!(store = %name, %task, reason, "rebuilding the store from its changelog");
        let partition = store.partition.clone();
        store.rebuild()?;
        self.reader()?.start(&partition, StartAt::Earliest, number)
    }

    /// Writes what is due, and puts stores that have everything back to their tasks.
    fn write(&mut self) -> Result<()> {
        let mut done = Vec::new();
        let mut remaining: BTreeMap<TaskId, (u64, u64)> = BTreeMap::new();
        let share = TABLES_BYTES_MAX / self.stores.len().max(1);
        let share = share.min(TABLE_BYTES_MAX);
        // There is nothing to read meanwhile.
        let is_last = self.stores.values().all(RestoringStore::is_done);
        for (number, store) in &mut self.stores {
            let mut records = store.write_if_due(share)?;
            if is_last {
                records += store.settle()?;
            }
            if records > 0 {
                self.progress.wrote(store, records);
            }
            let counts = remaining.entry(store.task).or_default();
            counts.0 += records;
            counts.1 += store.remaining();
            if store.has_range && store.is_written() {
                done.push(*number);
            }
        }
        for (task, (records, left)) in remaining {
            if let Some(task) = self.tasks.get_mut(&task) {
                task.metrics.restored(records, left);
            }
        }
        for number in done {
            let Some(store) = self.stores.remove(&number) else {
                continue;
            };
            if store.is_started {
                self.reader()?.stop(&store.partition);
                self.progress.ended(&store);
            }
            if let Some(task) = self.tasks.get_mut(&store.task) {
                task.stores_left -= 1;
                store.put_back(&mut task.state);
            }
        }
        Ok(())
    }

    /// The tasks all of whose stores have everything.
    fn take_ready(&mut self) -> Result<Vec<(TaskId, RestoredState)>> {
        let now_ms = self.settings.clock.now_ms();
        let ready = self.tasks.iter().filter(|(_, task)| task.stores_left == 0);
        let ready: Vec<TaskId> = ready.map(|(task, _)| *task).collect();
        let ready = ready
            .into_iter()
            .filter_map(|task| self.tasks.remove_entry(&task));
        let ready = ready.map(|(task, open)| {
            if let Some(database) = open.state.database() {
                database.batch().write(now_ms)?;
            }
            let OpenTask {
                claim,
                state,
                metrics,
                ..
            } = open;
            let restored = RestoredState {
                claim,
                state,
                metrics,
            };
            Ok((task, restored))
        });
        ready.collect()
    }

    /// Gives up what is not done; what has been restored stays so.
    fn give_up(&mut self) {
        self.orders.clear();
        self.failing_since = None;
        for (_, mut store) in std::mem::take(&mut self.stores) {
            if let Some(reader) = &mut self.reader {
                reader.stop(&store.partition);
            }
            if let Err(error) = store.write_all() {
                tracing::debug!(%error, "a restore that is given up has failed");
            }
            if store.is_started {
                self.progress.suspended(&store);
            }
            if let Some(task) = self.tasks.get_mut(&store.task) {
                store.put_back(&mut task.state);
            }
        }
        for (_, OpenTask { claim, state, .. }) in std::mem::take(&mut self.tasks) {
            claim.release(state);
        }
    }
}
