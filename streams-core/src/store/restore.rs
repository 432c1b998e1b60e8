//! Restoring a store from its changelog, batch by batch.

use std::rc::Rc;
use std::sync::Arc;

use crate::broker::Collector;
use crate::error::{Error, ErrorKind, Result};
use crate::record::OutgoingRecord;
use crate::store::builder::StoreBuilder;
use crate::store::bytes::ByteStore;
use crate::store::context::StoreContext;
use crate::store::database::{RestoredWrites, TaskDatabase};
use crate::store::engine::Engine;
use crate::store::kind::StoreKind;
use crate::store::position::StorePosition;
use crate::store::task_stores::OpenStore;

/// A store that takes in its changelog.
///
/// Each batch is written with the offset behind it, so that a restore that is interrupted goes on
/// where it was.
pub(crate) struct StoreRestorer {
    builder: StoreBuilder,
    bytes: ByteStore,
    context: Rc<StoreContext>,
    database: Option<Arc<TaskDatabase>>,
    position: StorePosition,
    /// Entries of stores of values by key, which need nothing of what is there already: they go
    /// past the store.
    direct: RestoredWrites,
    value: Vec<u8>,
}

/// A store that is restored changes nothing but itself.
struct NoCollector;

impl Collector for NoCollector {
    fn send(&self, record: &OutgoingRecord<'_>) -> Result<()> {
        let topic = record.topic;
        let message = format!("a store that is restored writes to topic={topic}");
        Err(Error::new(ErrorKind::Production, message))
    }

    fn partition_count(&self, topic: &str) -> Result<i32> {
        let message = format!("a store that is restored asks for the partitions of topic={topic}");
        Err(Error::new(ErrorKind::Production, message))
    }
}

impl StoreRestorer {
    pub(super) fn new(
        builder: &StoreBuilder,
        store: OpenStore,
        database: Option<Arc<TaskDatabase>>,
    ) -> Self {
        let context = Rc::new(StoreContext::new(0, Rc::new(NoCollector)));
        let OpenStore { engine, position } = store;
        let bytes = builder.bytes(engine, None, Rc::clone(&context), position);
        Self {
            builder: builder.clone(),
            bytes,
            context,
            database,
            position,
            direct: RestoredWrites::default(),
            value: Vec::new(),
        }
    }

    /// Takes in a record of the changelog.
    ///
    /// # Errors
    /// If it is no record of such a store.
    #[inline]
    pub(crate) fn apply(
        &mut self,
        key: &[u8],
        value: Option<&[u8]>,
        timestamp_ms: i64,
    ) -> Result<()> {
        match self.builder.kind() {
            // Entries that expire take times from what is there already.
            kind if self.bytes.has_ttl() => kind.restore(&self.bytes, key, value, timestamp_ms),
            StoreKind::KeyValue => self.put(key, value),
            StoreKind::TimestampedKeyValue => {
                self.bytes.observe_time(timestamp_ms);
                let Some(value) = value else {
                    return self.put(key, None);
                };
                let mut timestamped = std::mem::take(&mut self.value);
                timestamped.clear();
                timestamped.extend_from_slice(&timestamp_ms.to_be_bytes());
                timestamped.extend_from_slice(value);
                let put = self.put(key, Some(&timestamped));
                self.value = timestamped;
                put
            }
            kind => kind.restore(&self.bytes, key, value, timestamp_ms),
        }
    }

    #[inline]
    fn put(&mut self, key: &[u8], value: Option<&[u8]>) -> Result<()> {
        match self.bytes.engine() {
            Engine::RocksDb(database, column) => {
                database.add_restored(&mut self.direct, column, key, value)
            }
            Engine::Memory(_) => {
                self.bytes.put(key, value);
                Ok(())
            }
        }
    }

    /// The memory that is taken by what has not been written yet, in bytes.
    pub(crate) fn pending_bytes(&self) -> usize {
        self.context.uncommitted_bytes() + self.direct.bytes()
    }

    /// Writes what was taken in, with the offset of the next record.
    ///
    /// # Errors
    /// If the disk refuses.
    pub(crate) fn write(&mut self, next_offset: i64) -> Result<()> {
        let position = self.bytes.position(Some(next_offset));
        if position == self.position {
            return Ok(());
        }
        if let (Some(database), Engine::RocksDb(..)) = (&self.database, self.bytes.engine()) {
            if self.bytes.is_dirty() {
                let mut batch = database.batch();
                self.bytes.add_to(&mut batch, Some(next_offset))?;
                batch.write_restored()?;
            } else {
                let direct = std::mem::take(&mut self.direct);
                database.write_restored(direct, self.bytes.name(), position)?;
            }
        }
        self.bytes.committed();
        self.context.committed();
        self.position = position;
        Ok(())
    }

    /// Removes every entry: the store is to be rebuilt.
    ///
    /// # Errors
    /// If the disk refuses.
    pub(crate) fn clear(&mut self) -> Result<()> {
        let name = Arc::clone(self.bytes.name());
        let mut engine = self.bytes.engine().clone();
        match &engine {
            Engine::RocksDb(database, column) => database.clear(column, &name)?,
            Engine::Memory(_) => engine = Engine::default(),
        }
        self.position = StorePosition::EMPTY;
        self.direct = RestoredWrites::default();
        let context = Rc::clone(&self.context);
        self.bytes = self.builder.bytes(engine, None, context, self.position);
        self.context.committed();
        Ok(())
    }

    /// The store as far as it has been written.
    pub(crate) fn finish(self) -> OpenStore {
        OpenStore {
            engine: self.bytes.engine().clone(),
            position: self.position,
        }
    }
}
