//! `TopologyTestDriver`: a whole topology as one task, on the caller's thread.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::{Clock as _, ManualClock};
use crate::config::TimestampExtraction;
use crate::error::{Error, ErrorKind, Result};
use crate::id::{TaskId, TopicPartition};
use crate::processor::{EmitIntervals, StreamsHandlers, TaskCounts, TaskEnvironment};
use crate::record::{Headers, RawRecord, Record};
use crate::store::CommittedStore;
use crate::store::{GlobalStores, StoreAccess, StoreContext, StoreEntry, TaskStores};
use crate::task::{Idling, Task};
use crate::testing::collector::MemoryCollector;
use crate::topic::Topic;
use crate::topology::{Topology, link};

/// Runs a topology without a broker (`org.apache.kafka.streams.TopologyTestDriver`, KIP-247).
///
/// As in the JVM's, every topic has one partition, all sub-topologies are one task, the wall clock
/// moves only when it is told to, and each piped record is processed to the end, also through
/// repartition topics, before `pipe` returns.
pub struct TopologyTestDriver {
    topology: Topology,
    application_id: Arc<str>,
    task: Task,
    /// What fills the global stores, if there are any.
    global: Option<Task>,
    inputs: BTreeMap<String, Input>,
    collector: Rc<MemoryCollector>,
    clock: ManualClock,
}

/// Where the records of a topic go.
#[derive(Clone, Copy)]
struct Input {
    /// The place among the inputs of its task.
    place: usize,
    is_global: bool,
    next_offset: i64,
}

/// Settings of a [`TopologyTestDriver`].
pub struct TopologyTestDriverBuilder {
    topology: Topology,
    application_id: Arc<str>,
    handlers: StreamsHandlers,
    wall_clock_ms: i64,
    partition_counts: Vec<(String, i32)>,
    idling: Idling,
    cache_bytes_max: usize,
}

impl TopologyTestDriverBuilder {
    /// The application id, which names internal topics; `test-app` if not set.
    #[must_use]
    pub fn application_id(mut self, id: impl Into<Arc<str>>) -> Self {
        self.application_id = id.into();
        self
    }

    /// What becomes of records that fail; all handlers fail if not set.
    #[must_use]
    pub fn handlers(mut self, handlers: StreamsHandlers) -> Self {
        self.handlers = handlers;
        self
    }

    /// The wall clock at the beginning, in milliseconds since the epoch; 0 if not set.
    #[must_use]
    pub fn wall_clock_ms(mut self, now_ms: i64) -> Self {
        self.wall_clock_ms = now_ms;
        self
    }

    /// `max.task.idle.ms`: while a source topic is empty, the others wait this long on the wall
    /// clock; not at all if not set.
    #[must_use]
    pub fn max_task_idle(mut self, idle: Duration) -> Self {
        self.idling = Idling::UpTo(i64::try_from(idle.as_millis()).unwrap_or(i64::MAX));
        self
    }

    /// `statestore.cache.max.bytes`: the memory for the caches of all stores together; 0, which
    /// turns caching off, if not set. What is kept back goes on after each piped record.
    #[must_use]
    pub fn cache_max_bytes(mut self, bytes_max: usize) -> Self {
        self.cache_bytes_max = bytes_max;
        self
    }

    /// How many partitions custom partitioners see for this topic; 1 if not set.
    #[must_use]
    pub fn partition_count(mut self, topic: impl Into<String>, count: i32) -> Self {
        self.partition_counts.push((topic.into(), count));
        self
    }

    /// Makes the task and initialises its processors.
    ///
    /// # Errors
    /// If a processor's `init` fails.
    pub fn build(self) -> Result<TopologyTestDriver> {
        let Self {
            topology,
            application_id,
            handlers,
            wall_clock_ms,
            partition_counts,
            idling,
            cache_bytes_max,
        } = self;
        let clock = ManualClock::at_ms(wall_clock_ms);
        let collector = Rc::new(MemoryCollector::default());
        for (topic, count) in partition_counts {
            collector.set_partition_count(&topic, count);
        }
        let environment = TaskEnvironment {
            application_id: Arc::clone(&application_id),
            handlers,
            clock: Arc::new(clock.clone()),
            collector: Rc::clone(&collector) as _,
            emit_intervals: EmitIntervals::NONE,
        };
        let task = |id, part, global: &GlobalStores| {
            let context = StoreContext::new(0, Rc::clone(&collector) as _)
                .with_cache_bytes_max(cache_bytes_max);
            let builders = topology.stores_of(&part);
            let stores = TaskStores::in_memory(builders, &application_id, context)
                .with_global(global, &application_id);
            let timestamps = TimestampExtraction::Fail;
            let linked = link(&topology, &part, &application_id, timestamps, &stores)?;
            let mut task = Task::new(id, linked, stores, [], environment.clone(), idling);
            task.initialize()?;
            Ok::<Task, Error>(task)
        };
        let mut global_stores = GlobalStores::default();
        let mut global = None;
        if topology.has_global_stores() {
            let part = topology.global_part();
            let builders = topology.stores_of(&part);
            let task = task(TaskId::GLOBAL, part, &global_stores)?;
            global_stores = task.stores().as_global(builders);
            global = Some(task);
        }
        let id = TaskId {
            subtopology: 0,
            partition: 0,
        };
        let task = task(id, topology.whole(), &global_stores)?;
        let inputs = BTreeMap::new();
        let mut driver = TopologyTestDriver {
            topology,
            application_id,
            task,
            global,
            inputs,
            collector,
            clock,
        };
        let application_id = Arc::clone(&driver.application_id);
        for topic in driver.topology.source_topics(&application_id) {
            driver.input(&topic);
        }
        for topic in driver.topology.global_topics(&application_id) {
            driver.input(&topic);
        }
        driver.run()?;
        Ok(driver)
    }
}

impl TopologyTestDriver {
    /// A driver with default settings.
    ///
    /// # Errors
    /// If a processor's `init` fails.
    pub fn new(topology: &Topology) -> Result<Self> {
        Self::builder(topology).build()
    }

    /// Settings to change.
    pub fn builder(topology: &Topology) -> TopologyTestDriverBuilder {
        TopologyTestDriverBuilder {
            topology: topology.clone(),
            application_id: "test-app".into(),
            handlers: StreamsHandlers::default(),
            wall_clock_ms: 0,
            partition_counts: Vec::new(),
            idling: Idling::Never,
            cache_bytes_max: 0,
        }
    }

    /// Writes a record to a source topic and processes all that follows from it.
    ///
    /// # Errors
    /// If the topology does not read the topic, the record cannot be serialized, or a handler
    /// answers that a failure is to stop the task.
    pub fn pipe<K, V>(
        &mut self,
        topic: &Topic<K, V>,
        key: &K,
        value: &V,
        timestamp_ms: i64,
    ) -> Result<()> {
        self.pipe_parts(topic, key, value, timestamp_ms, Headers::new())
    }

    /// Writes a record with its headers to a source topic.
    ///
    /// # Errors
    /// As [`TopologyTestDriver::pipe`].
    pub fn pipe_record<K, V>(&mut self, topic: &Topic<K, V>, record: Record<K, V>) -> Result<()> {
        let Record {
            key,
            value,
            timestamp_ms,
            headers,
        } = record;
        self.pipe_parts(topic, &key, &value, timestamp_ms, headers)
    }

    fn pipe_parts<K, V>(
        &mut self,
        topic: &Topic<K, V>,
        key: &K,
        value: &V,
        timestamp_ms: i64,
        mut headers: Headers,
    ) -> Result<()> {
        use crate::serde::Presence;
        let name = Arc::clone(topic.name());
        let failed = |error| {
            Error::with_source(
                ErrorKind::Serde,
                format!("cannot write to topic={name}"),
                error,
            )
        };
        let (mut key_bytes, mut value_bytes) = (Vec::new(), Vec::new());
        let serde = topic.key_serde();
        let key = serde
            .serialize(&name, &mut headers, key, &mut key_bytes)
            .map_err(failed)?;
        let serde = topic.value_serde();
        let value = serde
            .serialize(&name, &mut headers, value, &mut value_bytes)
            .map_err(failed)?;
        let key = (key == Presence::Bytes).then_some(&*key_bytes);
        let value = (value == Presence::Bytes).then_some(&*value_bytes);
        self.pipe_bytes(&name, key, value, timestamp_ms, headers)
    }

    /// Writes bytes to a source topic; `None` is Kafka's null.
    ///
    /// # Errors
    /// As [`TopologyTestDriver::pipe`].
    pub fn pipe_bytes(
        &mut self,
        topic: &str,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        timestamp_ms: i64,
        headers: Headers,
    ) -> Result<()> {
        if !self.feed(topic, key, value, timestamp_ms, headers) {
            let message = format!("the topology does not read topic={topic}");
            return Err(Error::new(ErrorKind::Topology, message));
        }
        self.run()
    }

    /// Moves the wall clock and calls the punctuations that are due then.
    ///
    /// # Errors
    /// If a handler answers that a failure is to stop the task.
    pub fn advance_wall_clock(&mut self, duration: Duration) -> Result<()> {
        self.clock
            .advance_ms(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX));
        self.task.punctuate_wall_clock()?;
        self.run()
    }

    /// The wall clock, in milliseconds since the epoch.
    pub fn wall_clock_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    /// The key and value of the oldest unread record of a topic.
    ///
    /// # Panics
    /// If the topic's serdes cannot read the record: then the test names the wrong topic.
    #[expect(
        clippy::panic,
        reason = "a test that reads a topic with the wrong serdes is wrong"
    )]
    pub fn read<K, V>(&mut self, topic: &Topic<K, V>) -> Option<(K, V)> {
        match self.read_record(topic) {
            Ok(record) => record.map(|Record { key, value, .. }| (key, value)),
            Err(error) => panic!("{error}"),
        }
    }

    /// The keys and values of all unread records of a topic.
    ///
    /// # Panics
    /// As [`TopologyTestDriver::read`].
    pub fn read_all<K, V>(&mut self, topic: &Topic<K, V>) -> Vec<(K, V)> {
        std::iter::from_fn(|| self.read(topic)).collect()
    }

    /// The oldest unread record of a topic.
    ///
    /// # Errors
    /// If the topic's serdes cannot read it.
    pub fn read_record<K, V>(&mut self, topic: &Topic<K, V>) -> Result<Option<Record<K, V>>> {
        let name = topic.name();
        let Some(raw) = self.collector.read(name) else {
            return Ok(None);
        };
        let failed = |error| {
            let offset = raw.offset;
            let message = format!("cannot read topic={name} offset={offset}");
            Error::with_source(ErrorKind::Serde, message, error)
        };
        let key = topic
            .key_serde()
            .deserialize(name, &raw.headers, raw.key())
            .map_err(failed)?;
        let value = topic
            .value_serde()
            .deserialize(name, &raw.headers, raw.value())
            .map_err(failed)?;
        let headers = raw.headers.clone();
        Ok(Some(Record {
            key,
            value,
            timestamp_ms: raw.timestamp_ms,
            headers,
        }))
    }

    /// The bytes of the oldest unread record of a topic.
    pub fn read_bytes(&mut self, topic: &str) -> Option<RawRecord> {
        self.collector.read(topic)
    }

    /// The number of unread records of a topic.
    pub fn unread(&self, topic: &str) -> usize {
        self.collector.unread(topic)
    }

    /// The topics that something has been written to, internal ones with their full names.
    pub fn written_topics(&self) -> Vec<String> {
        self.collector.topics()
    }

    /// The entries of a store in bytes, by its name, whatever its types; `None` if there is no such
    /// store, or it is a buffer. A versioned store shows none.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn store_entries(&self, name: &str) -> Result<Option<Vec<StoreEntry>>> {
        let mut found = self.committed().filter(|store| &*store.name == name);
        found.next().map_or(Ok(None), |store| store.entries())
    }

    /// The names of the topology's stores.
    pub fn store_names(&self) -> Vec<String> {
        self.committed().map(|it| it.name.to_string()).collect()
    }

    fn committed(&self) -> impl Iterator<Item = CommittedStore> {
        let tasks = self.global.iter().chain([&self.task]);
        tasks.flat_map(|task| task.stores().committed())
    }

    /// The topology's stores, to look into after each step.
    pub fn stores(&self) -> StoreAccess<'_> {
        self.task.stores().access_all()
    }

    /// What the task has counted since this was last asked.
    pub fn take_counts(&mut self) -> TaskCounts {
        self.task.take_counts()
    }

    fn feed(
        &mut self,
        topic: &str,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        timestamp_ms: i64,
        headers: Headers,
    ) -> bool {
        let Some(input) = self.input(topic) else {
            return false;
        };
        let offset = input.next_offset;
        let next = Input {
            next_offset: offset + 1,
            ..input
        };
        self.inputs.insert(topic.to_owned(), next);
        let raw = RawRecord::new(key, value, offset, timestamp_ms, headers);
        // Each record has an offset of its own, so none is refused.
        if let Some(task) = self.task_of(input)
            && task.add(input.place, raw).is_ok()
        {
            task.reached_end(input.place, offset + 1);
        }
        true
    }

    fn task_of(&mut self, input: Input) -> Option<&mut Task> {
        match input.is_global {
            false => Some(&mut self.task),
            true => self.global.as_mut(),
        }
    }

    /// The input of a topic, if the topology reads it.
    fn input(&mut self, topic: &str) -> Option<Input> {
        if let Some(input) = self.inputs.get(topic) {
            return Some(*input);
        }
        let (node, part) = self.topology.source_of(&self.application_id, topic)?;
        let from = TopicPartition {
            topic: topic.into(),
            partition: 0,
        };
        let mut input = Input {
            place: 0,
            is_global: self.topology.subtopology(part)?.is_global,
            next_offset: 0,
        };
        let task = self.task_of(input)?;
        input.place = task.add_input(from, node)?;
        task.reached_end(input.place, 0);
        self.inputs.insert(topic.to_owned(), input);
        Some(input)
    }

    /// Processes until nothing is left, feeding what goes to source topics back.
    fn run(&mut self) -> Result<()> {
        loop {
            self.update_global()?;
            let processed = self.task.process_one()?;
            let mut fed = false;
            for (topic, raw) in self.collector.take_fresh() {
                let (timestamp_ms, headers) = (raw.timestamp_ms, raw.headers.clone());
                fed |= self.feed(&topic, raw.key(), raw.value(), timestamp_ms, headers);
            }
            if !processed && !fed {
                self.task.flush()?;
                if self.collector.has_fresh() {
                    continue;
                }
                self.task.committed();
                return self.task.commit_stores(&BTreeMap::new());
            }
        }
    }

    /// Brings the global stores up to date: tasks see what is committed.
    fn update_global(&mut self) -> Result<()> {
        let Some(global) = &mut self.global else {
            return Ok(());
        };
        while global.process_one()? {}
        global.flush()?;
        global.committed();
        global.commit_stores(&BTreeMap::new())
    }
}

impl Drop for TopologyTestDriver {
    fn drop(&mut self) {
        self.task.close();
        if let Some(global) = &mut self.global {
            global.close();
        }
    }
}
