//! `MockProcessorContext`: one processor alone.

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use crate::clock::{Clock as _, ManualClock};
use crate::error::Result;
use crate::id::{TaskId, TopicPartition};
use crate::processor::{CurrentRecord, TaskCounts};
use crate::processor::{
    EmitIntervals, Fanout, Port, ProcessorContext, Push, StreamsHandlers, TaskContext,
    TaskEnvironment,
};
use crate::record::{Headers, RawRecord, Record};
use crate::store::{
    StoreAccess, StoreBuilder, StoreContext, StoreMemory, StoreType, TaskDatabase, TaskState,
    TaskStores, is_on_disk,
};
use crate::testing::collector::MemoryCollector;

/// A record that a processor has forwarded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CapturedForward<K, V> {
    /// The child that it went to; `None` for all children.
    pub child: Option<usize>,
    /// The record.
    pub record: Record<K, V>,
}

type Captured<K, V> = Rc<RefCell<Vec<CapturedForward<K, V>>>>;

/// Takes what is forwarded to one child.
struct Capture<K, V> {
    child: usize,
    children: usize,
    captured: Captured<K, V>,
}

impl<K, V> Push<K, V> for Capture<K, V> {
    fn push(&mut self, _task: &mut TaskContext, record: Record<K, V>) {
        let child = (self.children > 1).then_some(self.child);
        let forward = CapturedForward { child, record };
        self.captured.borrow_mut().push(forward);
    }
}

/// A context for a processor without a topology
/// (`org.apache.kafka.streams.processor.api.MockProcessorContext`, KIP-267): it keeps what is
/// forwarded, has the stores that it is given, and stands where the test says.
///
/// # Examples
/// ```
/// use streams_core::processor::{Processor, ProcessorContext, ProcessorError};
/// use streams_core::testing::MockProcessorContext;
/// use streams_core::Record;
///
/// struct Shout;
///
/// impl Processor<String, String, String, String> for Shout {
///     fn process(
///         &mut self,
///         context: &mut ProcessorContext<'_, String, String>,
///         record: Record<String, String>,
///     ) -> Result<(), ProcessorError> {
///         let loud = record.value.to_uppercase();
///         context.forward(record.with_value(loud));
///         Ok(())
///     }
/// }
///
/// let mut mock = MockProcessorContext::new();
/// Shout.process(&mut mock.context(), Record::new("a".to_owned(), "ash".to_owned(), 5))?;
/// assert_eq!(mock.take_forwarded()[0].record.value, "ASH");
/// # Ok::<(), streams_core::processor::ProcessorError>(())
/// ```
pub struct MockProcessorContext<K, V> {
    task: TaskContext,
    children: Fanout<K, V>,
    captured: Captured<K, V>,
    stores: TaskStores,
    collector: Rc<MemoryCollector>,
    clock: ManualClock,
}

/// What RocksDB may take of memory.
const STORE_BYTES_MAX: usize = 64 * 1024 * 1024;
const APPLICATION_ID: &str = "mock-app";
const NODE: &str = "mock-processor";
const TASK: TaskId = TaskId {
    subtopology: 0,
    partition: 0,
};

impl<K: 'static, V: 'static> Default for MockProcessorContext<K, V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: 'static, V: 'static> MockProcessorContext<K, V> {
    /// A context with one child, no stores, and the wall clock at 0.
    pub fn new() -> Self {
        Self::with(1, &[])
    }

    /// A context with so many children, and these stores in memory, empty.
    pub fn with(children: usize, stores: &[StoreBuilder]) -> Self {
        Self::over(children, |context| {
            TaskStores::in_memory(stores, APPLICATION_ID, context)
        })
    }

    /// As [`Self::with`], with the stores where their builders say, by default in a RocksDB in
    /// `folder`, which keeps what was committed.
    ///
    /// # Errors
    /// If the RocksDB cannot be opened.
    pub fn on_disk(children: usize, stores: &[StoreBuilder], folder: &Path) -> Result<Self> {
        let builders: Vec<&StoreBuilder> = stores.iter().collect();
        let on_disk = stores
            .iter()
            .filter(|store| is_on_disk(store, StoreType::RocksDb));
        let names: Vec<Arc<str>> = on_disk.map(|store| Arc::clone(store.name())).collect();
        let memory = StoreMemory::new(STORE_BYTES_MAX);
        let database = TaskDatabase::open(folder, APPLICATION_ID, TASK, &names, &memory)?;
        let database = Some(Arc::new(database));
        let state = TaskState::default().open(&builders, StoreType::RocksDb, database)?;
        Ok(Self::over(children, |context| {
            TaskStores::over(stores, APPLICATION_ID, context, state)
        }))
    }

    fn over(children: usize, stores: impl FnOnce(StoreContext) -> TaskStores) -> Self {
        let clock = ManualClock::at_ms(0);
        let collector = Rc::new(MemoryCollector::default());
        let context = StoreContext::new(0, Rc::clone(&collector) as _);
        let environment = TaskEnvironment {
            application_id: APPLICATION_ID.into(),
            handlers: StreamsHandlers::default(),
            clock: Arc::new(clock.clone()),
            collector: Rc::clone(&collector) as _,
            emit_intervals: EmitIntervals::NONE,
        };
        let captured = Captured::default();
        let ports = (0..children).map(|child| {
            Rc::new(RefCell::new(Capture {
                child,
                children,
                captured: Rc::clone(&captured),
            })) as Port<K, V>
        });
        Self {
            task: TaskContext::new(TASK, environment),
            children: Fanout::new(ports.collect(), None),
            captured,
            stores: stores(context),
            collector,
            clock,
        }
    }

    /// The context, to call the processor with.
    pub fn context(&mut self) -> ProcessorContext<'_, K, V> {
        ProcessorContext::new(&mut self.task, &self.children, 0, NODE)
    }

    /// The stores.
    pub fn stores(&self) -> StoreAccess<'_> {
        self.stores.access_all()
    }

    /// Commits what was written to the stores: from here on queries would see it, and a context
    /// that is made over the same folder.
    ///
    /// # Errors
    /// If the disk refuses.
    pub fn commit(&mut self) -> Result<()> {
        self.stores.prepare_commit()?;
        self.stores.commit(self.clock.now_ms(), |_| None)
    }

    /// Sets where the record at hand came from, and its time, which plain stores log.
    pub fn set_record_metadata(
        &mut self,
        topic: &str,
        partition: i32,
        offset: i64,
        timestamp_ms: i64,
    ) {
        let from = TopicPartition {
            topic: topic.into(),
            partition,
        };
        let raw = RawRecord::new(None, None, offset, timestamp_ms, Headers::new());
        self.task.current = Some(CurrentRecord::new(&from, timestamp_ms, raw));
        self.stores.context().set_timestamp_ms(timestamp_ms);
    }

    /// Sets stream time, in milliseconds since the epoch.
    pub fn set_stream_time_ms(&mut self, stream_time_ms: i64) {
        self.task.stream_time_ms = stream_time_ms;
    }

    /// Sets the wall clock, in milliseconds since the epoch.
    pub fn set_wall_clock_ms(&mut self, now_ms: i64) {
        self.clock.set_ms(now_ms);
    }

    /// What was forwarded since this was last asked.
    pub fn take_forwarded(&mut self) -> Vec<CapturedForward<K, V>> {
        self.captured.take()
    }

    /// Whether the processor has asked for a commit since this was last asked.
    pub fn take_commit_requested(&mut self) -> bool {
        std::mem::take(&mut self.task.commit_requested)
    }

    /// What the processor has counted since this was last asked.
    pub fn take_counts(&mut self) -> TaskCounts {
        std::mem::take(&mut self.task.counts)
    }

    /// The bytes of the oldest unread record that a store has written to this changelog.
    pub fn read_changelog(&mut self, store: &str) -> Option<RawRecord> {
        self.collector
            .read(&format!("{APPLICATION_ID}-{store}-changelog"))
    }
}
