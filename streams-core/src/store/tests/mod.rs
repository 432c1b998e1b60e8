//! The stores of a task without a task: on disk or in memory, committed, given up and restored as
//! tests want it.

mod buffer;
mod cache;
mod closed;
mod expiry;
mod key_windows;
mod list;
mod versioned;
mod walk;

use std::cell::RefCell;
use std::ops::Bound;
use std::rc::Rc;
use std::sync::Arc;

use tempfile::TempDir;

use crate::broker::Collector;
use crate::error::Result;
use crate::id::TaskId;
use crate::record::{Headers, OutgoingRecord};
use crate::serde::{Serde, SharedSerde};
use crate::store::context::{RecordOrigin, StoreContext};
use crate::store::database::{StoreMemory, TaskDatabase, column_of};
use crate::store::engine::{Engine, Span};
use crate::store::position::StorePosition;
use crate::store::task_stores::OpenStore;
use crate::store::{StoreAccess, StoreBuilder, TaskStores};

pub(super) fn shared<T: 'static>(serde: impl Serde<T> + 'static) -> SharedSerde<T> {
    Arc::new(serde)
}

/// A record of a changelog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Logged {
    pub(super) topic: String,
    pub(super) key: Vec<u8>,
    pub(super) value: Option<Vec<u8>>,
    pub(super) timestamp_ms: i64,
    pub(super) headers: Headers,
}

/// What was sent, in order.
#[derive(Default)]
struct Log(RefCell<Vec<Logged>>);

impl Collector for Log {
    fn send(&self, record: &OutgoingRecord<'_>) -> Result<()> {
        assert_eq!(
            record.partition,
            Some(PARTITION),
            "a changelog's partition is the task's"
        );
        self.0.borrow_mut().push(Logged {
            topic: record.topic.to_owned(),
            key: record.key.expect("a change has a key").to_vec(),
            value: record.value.map(<[u8]>::to_vec),
            timestamp_ms: record.timestamp_ms,
            headers: record.headers.clone(),
        });
        Ok(())
    }

    fn partition_count(&self, _topic: &str) -> Result<i32> {
        Ok(1)
    }
}

const PARTITION: i32 = 3;
const APPLICATION_ID: &str = "app";

/// Where committed entries are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Disk,
    Memory,
}

/// The stores of one task.
pub(super) struct Harness {
    stores: TaskStores,
    builders: Vec<StoreBuilder>,
    cache_bytes_max: usize,
    /// The folder on disk, if the stores are there.
    folder: Option<TempDir>,
    /// Committed entries in memory and where they stand, by store.
    memory: Vec<(Engine, StorePosition)>,
    log: Rc<Log>,
    /// How much of the log is committed.
    committed: usize,
}

impl Harness {
    pub(super) fn new(place: Place, builders: &[StoreBuilder], cache_bytes_max: usize) -> Self {
        let folder = (place == Place::Disk).then(|| tempfile::tempdir().unwrap());
        let empty = || (Engine::Memory(Arc::default()), StorePosition::EMPTY);
        let memory: Vec<_> = builders.iter().map(|_| empty()).collect();
        let log = Rc::new(Log::default());
        Self {
            stores: open(builders, folder.as_ref(), &memory, &log, cache_bytes_max),
            builders: builders.to_vec(),
            cache_bytes_max,
            folder,
            memory,
            log,
            committed: 0,
        }
    }

    pub(super) fn access(&self) -> StoreAccess<'_> {
        self.stores.access_all()
    }

    pub(super) fn task_stores(&self) -> &TaskStores {
        &self.stores
    }

    /// A record is at hand.
    pub(super) fn at(&self, timestamp_ms: i64, headers: &Headers, offset: i64) {
        let origin = || {
            Some(RecordOrigin {
                topic: "in".into(),
                partition: PARTITION,
                offset,
            })
        };
        drop(self.stores.context().enter(timestamp_ms, headers, origin));
    }

    /// Commits everything, the changelog first.
    pub(super) fn commit(&mut self) {
        self.stores.prepare_commit().unwrap();
        let end = self.log.0.borrow().len();
        self.committed = end;
        self.stores
            .commit(1_000, |_| Some(i64::try_from(end).unwrap()))
            .unwrap();
        self.note_positions();
    }

    fn note_positions(&mut self) {
        for (place, builder) in self.memory.iter_mut().zip(&self.builders) {
            place.1 = self.stores.position(builder.name()).unwrap();
        }
    }

    /// Gives up what is not committed, and opens the stores again.
    pub(super) fn reopen(&mut self) {
        self.log.0.borrow_mut().truncate(self.committed);
        let nothing = TaskStores::in_memory([], APPLICATION_ID, context(&self.log, 0));
        // RocksDB's lock must be free before it is opened again.
        drop(std::mem::replace(&mut self.stores, nothing));
        let folder = self.folder.as_ref();
        self.stores = open(
            &self.builders,
            folder,
            &self.memory,
            &self.log,
            self.cache_bytes_max,
        );
    }

    /// Loses all state and restores it from the changelogs.
    pub(super) fn restore(&mut self) {
        self.log.0.borrow_mut().truncate(self.committed);
        let place = self.folder.as_ref().map_or(Place::Memory, |_| Place::Disk);
        let mut fresh = Self::new(place, &self.builders, self.cache_bytes_max);
        for record in &*self.log.0.borrow() {
            for builder in &self.builders {
                if *builder.changelog_topic(APPLICATION_ID) == *record.topic {
                    fresh.stores.restore(builder, record);
                }
            }
        }
        fresh.stores.commit(1_000, |_| None).unwrap();
        fresh.note_positions();
        fresh.log = Rc::clone(&self.log);
        fresh.committed = self.committed;
        *self = fresh;
        // The task opens what was restored.
        self.reopen();
    }

    /// What was written to the changelogs since this was last asked.
    pub(super) fn take_log(&self) -> Vec<Logged> {
        self.log.0.take()
    }

    /// How many entries a store has committed, those included that nobody sees any more.
    pub(super) fn count(&self, store: &str) -> usize {
        let span = Span {
            lower: Bound::Unbounded,
            upper: Bound::Unbounded,
            is_reverse: false,
        };
        let mut count = 0;
        let engine = self.stores.byte_store(store).unwrap().engine();
        let see = |_: &[u8], _: &[u8]| {
            count += 1;
            true
        };
        engine.scan(span, see).unwrap();
        count
    }

    pub(super) fn logged(&self) -> Vec<Logged> {
        self.log.0.borrow().clone()
    }
}

impl TaskStores {
    fn position(&self, name: &str) -> Option<StorePosition> {
        Some(self.byte_store(name)?.position(None))
    }

    fn restore(&self, builder: &StoreBuilder, record: &Logged) {
        let store = self.byte_store(builder.name()).unwrap();
        let value = record.value.as_deref();
        builder
            .kind()
            .restore(store, &record.key, value, record.timestamp_ms)
            .unwrap();
    }
}

fn context(log: &Rc<Log>, cache_bytes_max: usize) -> StoreContext {
    StoreContext::new(PARTITION, Rc::clone(log) as _).with_cache_bytes_max(cache_bytes_max)
}

fn open(
    builders: &[StoreBuilder],
    folder: Option<&TempDir>,
    memory: &[(Engine, StorePosition)],
    log: &Rc<Log>,
    cache_bytes_max: usize,
) -> TaskStores {
    let context = context(log, cache_bytes_max);
    let Some(folder) = folder else {
        let mut memory = memory.iter();
        return TaskStores::new(builders, APPLICATION_ID, context, None, |_| {
            let (engine, position) = memory.next().unwrap();
            OpenStore {
                engine: engine.clone(),
                position: *position,
            }
        });
    };
    let task = TaskId {
        subtopology: 0,
        partition: PARTITION,
    };
    let names: Vec<Arc<str>> = builders.iter().map(|it| Arc::clone(it.name())).collect();
    let memory = StoreMemory::new(4 * 1024 * 1024);
    let database = TaskDatabase::open(folder.path(), APPLICATION_ID, task, &names, &memory);
    let database = Arc::new(database.unwrap());
    let positions = database.positions().unwrap();
    let opened = Some(Arc::clone(&database));
    TaskStores::new(builders, APPLICATION_ID, context, opened, |builder| {
        OpenStore {
            engine: Engine::RocksDb(Arc::clone(&database), column_of(builder.name()).into()),
            position: positions
                .get(builder.name())
                .copied()
                .unwrap_or(StorePosition::EMPTY),
        }
    })
}
