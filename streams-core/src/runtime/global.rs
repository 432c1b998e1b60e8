//! The thread that fills the global stores, and keeps them up to date.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::broker::{Collector, OffsetRange, PartitionReader, ReadEvent, StartAt};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{TaskId, TopicPartition};
use crate::processor::{EmitIntervals, TaskEnvironment};
use crate::record::OutgoingRecord;
use crate::runtime::session::SessionSettings;
use crate::runtime::state_directory::StateClaim;
use crate::runtime::thread::{ThreadControl, ThreadEvent};
use crate::store::{GlobalStores, StoreContext, TaskStores};
use crate::task::{Idling, Task};
use crate::topology::link;

/// How long a broker may take to answer.
const ANSWER_WAIT: Duration = Duration::from_secs(5);
/// How long one read waits for records before the thread looks whether it is to stop.
const READ_WAIT: Duration = Duration::from_millis(100);
/// The wait before a claim or a broker is asked again.
const RETRY_WAIT: Duration = Duration::from_millis(100);

/// Where the partitions of the global topics begin and end.
type Ranges = BTreeMap<TopicPartition, OffsetRange>;

/// What fills the global stores of an instance, before it runs.
pub(crate) struct GlobalThread {
    pub(crate) settings: SessionSettings,
    pub(crate) control: ThreadControl,
}

/// A partition of a global topic, and how far of it the stores hold.
struct GlobalPartition {
    partition: TopicPartition,
    next_offset: i64,
    /// Where it ended when the thread started: until there the stores are not ready.
    end_offset: i64,
}

/// Nothing is sent from here: there is no transaction that it could be part of.
struct NoProducer;

impl Collector for NoProducer {
    fn send(&self, record: &OutgoingRecord<'_>) -> Result<()> {
        let topic = record.topic;
        tracing::warn!(topic, "a record that comes of a global store is left out");
        Ok(())
    }

    fn partition_count(&self, topic: &str) -> Result<i32> {
        let message = format!("a global store cannot send to topic={topic}");
        Err(Error::new(ErrorKind::Production, message))
    }
}

impl GlobalThread {
    /// Runs until it is told to stop or fails.
    pub(crate) fn run(self) {
        let span = tracing::info_span!("global_thread");
        let _entered = span.enter();
        self.control.run(|| self.fill());
    }

    fn fill(&self) -> Result<()> {
        let Some(claim) = self.claim() else {
            return Ok(());
        };
        let Some((mut reader, ranges)) = self.find_topics()? else {
            return Ok(());
        };
        let mut filler = self.filler(claim, &ranges)?;
        for (place, from) in filler.partitions.iter().enumerate() {
            let start = StartAt::Offset(from.next_offset);
            reader.start(&from.partition, start, place)?;
        }
        let mut is_ready = false;
        while !self.control.is_stopping() {
            if !is_ready && filler.is_ready() {
                is_ready = true;
                let records = filler.records;
                tracing::info!(records, "global stores are filled");
                self.control
                    .send(ThreadEvent::GlobalReady(filler.stores.clone()));
            }
            filler.read(&mut reader)?;
            filler.process()?;
        }
        self.settings.registry.remove(TaskId::GLOBAL);
        filler.task.close();
        Ok(())
    }

    /// Claims the state; `None` if the thread is to stop meanwhile.
    fn claim(&self) -> Option<StateClaim> {
        while !self.control.is_stopping() {
            if let Some(claim) = self.settings.directory.claim(TaskId::GLOBAL) {
                return Some(claim);
            }
            self.settings.clock.sleep(RETRY_WAIT);
        }
        None
    }

    /// The partitions of the global topics; `None` if the thread is to stop meanwhile.
    fn find_topics(&self) -> Result<Option<(PartitionReader, Ranges)>> {
        let (config, process_id) = (&self.settings.config, &self.settings.process_id);
        let reader = PartitionReader::new(&config.global_consumer_config(process_id))?;
        let begun = Instant::now();
        while !self.control.is_stopping() {
            match self.ranges(&reader) {
                Ok(ranges) => return Ok(Some((reader, ranges))),
                Err(error)
                    if error.kind() == ErrorKind::Broker
                        && begun.elapsed() < Duration::from_millis(config.task_timeout_ms) =>
                {
                    tracing::warn!(%error, "trying again");
                    self.settings.clock.sleep(RETRY_WAIT);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    fn ranges(&self, reader: &PartitionReader) -> Result<Ranges> {
        let mut partitions = Vec::new();
        let application_id = &self.settings.config.application_id;
        for topic in self.settings.topology.global_topics(application_id) {
            let count = reader.partition_count(&topic, ANSWER_WAIT)?;
            let count = count.ok_or_else(|| {
                let message = format!("source topic {topic} does not exist");
                Error::new(ErrorKind::Config, message)
            })?;
            let topic: Arc<str> = topic.into();
            partitions.extend((0..count).map(|partition| TopicPartition {
                topic: Arc::clone(&topic),
                partition,
            }));
        }
        reader.ranges(&partitions, ANSWER_WAIT)
    }

    /// The task over its state, and where it goes on.
    fn filler(&self, claim: StateClaim, ranges: &Ranges) -> Result<Filler> {
        let (topology, config) = (&self.settings.topology, &self.settings.config);
        let application_id: Arc<str> = config.application_id.as_str().into();
        let part = topology.global_part();
        let builders = topology.stores_of(&part);
        let state = claim.open(&builders)?;
        // What is in memory is not filled halfway.
        let offsets = match state.database() {
            Some(database) if self.settings.directory.are_all_on_disk(&builders) => {
                database.offsets()?
            }
            _ => BTreeMap::new(),
        };
        let environment = TaskEnvironment {
            application_id: Arc::clone(&application_id),
            handlers: self.settings.handlers.clone(),
            clock: Arc::clone(&self.settings.clock),
            collector: Rc::new(NoProducer),
            emit_intervals: EmitIntervals::of(config),
        };
        let context = StoreContext::new(0, Rc::clone(&environment.collector));
        let stores = TaskStores::over(builders.iter().copied(), &application_id, context, state);
        let global = stores.as_global(builders);
        let registry = &self.settings.registry;
        registry.add(TaskId::GLOBAL, stores.committed());
        let timestamps = config.default_timestamp_extractor;
        let linked = link(topology, &part, &application_id, timestamps, &stores)?;
        let mut partitions = Vec::new();
        let mut inputs = Vec::new();
        for (partition, range) in ranges {
            let Some((node, _)) = topology.source_of(&application_id, &partition.topic) else {
                continue;
            };
            inputs.push((partition.clone(), node));
            partitions.push(GlobalPartition {
                next_offset: first_offset(partition, offsets.get(partition), *range)?,
                end_offset: range.end,
                partition: partition.clone(),
            });
        }
        let id = TaskId::GLOBAL;
        let mut task = Task::new(id, linked, stores, inputs, environment, Idling::Never);
        task.initialize()?;
        Ok(Filler {
            task,
            partitions,
            stores: global,
            records: 0,
            _claim: claim,
        })
    }
}

/// Where a partition is read on.
fn first_offset(partition: &TopicPartition, held: Option<&i64>, range: OffsetRange) -> Result<i64> {
    match held {
        Some(held) if *held > range.end => {
            let end = range.end;
            let message = format!(
                "the global stores hold {partition} up to offset={held}, which ends at \
                 offset={end}: the topic has been made anew or has lost records; to rebuild the \
                 stores call KafkaStreams::clean_up while the application does not run"
            );
            Err(Error::new(ErrorKind::Io, message))
        }
        Some(held) => Ok((*held).max(range.begin)),
        None => Ok(range.begin),
    }
}

/// The task that fills the stores, and how far it is.
struct Filler {
    task: Task,
    partitions: Vec<GlobalPartition>,
    stores: GlobalStores,
    records: u64,
    _claim: StateClaim,
}

impl Filler {
    /// Whether the stores hold all that was there when the thread started.
    fn is_ready(&self) -> bool {
        let mut partitions = self.partitions.iter();
        partitions.all(|from| from.next_offset >= from.end_offset)
    }

    fn read(&mut self, reader: &mut PartitionReader) -> Result<()> {
        let Self {
            task,
            partitions,
            records,
            ..
        } = self;
        let (mut lost, mut failed) = (None, None);
        reader.read(READ_WAIT, |place, event| {
            let Some(from) = partitions.get_mut(place) else {
                return;
            };
            match event {
                ReadEvent::Record(record) => {
                    from.next_offset = record.offset() + 1;
                    *records += 1;
                    if let Err(error) = task.add(place, record.to_raw()) {
                        failed = Some(error);
                    }
                }
                ReadEvent::End(offset) => {
                    from.next_offset = from.next_offset.max(offset);
                    task.reached_end(place, offset);
                }
                ReadEvent::OutOfRange => lost = Some(place),
            }
        })?;
        if let Some(error) = failed {
            return Err(error);
        }
        let Some(place) = lost else { return Ok(()) };
        let Some(from) = partitions.get_mut(place) else {
            return Ok(());
        };
        // Old records were deleted in the meantime, or what is there is another topic.
        let partition = from.partition.clone();
        let ranges = reader.ranges(std::slice::from_ref(&partition), ANSWER_WAIT)?;
        if let Some(range) = ranges.get(&partition) {
            from.next_offset = first_offset(&partition, Some(&from.next_offset), *range)?;
            reader.start(&partition, StartAt::Offset(from.next_offset), place)?;
        }
        Ok(())
    }

    /// Takes what has been read into the stores, and shows it to the tasks.
    fn process(&mut self) -> Result<()> {
        while self.task.process_one()? {}
        self.task.flush_if_dirty()?;
        self.task.committed();
        let partitions = &self.partitions;
        self.task.commit_stores_with(|batch| {
            for from in partitions {
                batch.set_offset(&from.partition, from.next_offset);
            }
        })
    }
}
