//! Restoring a store from its changelog, batch by batch.

use std::rc::Rc;
use std::sync::Arc;
use std::thread::JoinHandle;

use crate::broker::Collector;
use crate::error::{Error, ErrorKind, Result};
use crate::record::OutgoingRecord;
use crate::store::builder::StoreBuilder;
use crate::store::bulk::BulkWrites;
use crate::store::bytes::ByteStore;
use crate::store::context::StoreContext;
use crate::store::database::TaskDatabase;
use crate::store::engine::Engine;
use crate::store::kind::StoreKind;
use crate::store::position::StorePosition;
use crate::store::task_stores::OpenStore;

/// The least that is worth a table of its own, in bytes: each costs some calls that wait for the
/// disk, and small ones are merged again and again.
pub(crate) const TABLE_BYTES_MIN: usize = 1024 * 1024;

/// A store that takes in its changelog.
///
/// Each batch is written with the offset behind it, or before it, so that a restore that is
/// interrupted goes on where it was or a batch before.
pub(crate) struct StoreRestorer {
    builder: StoreBuilder,
    bytes: ByteStore,
    context: Rc<StoreContext>,
    database: Option<Arc<TaskDatabase>>,
    position: StorePosition,
    /// Entries of stores of values by key, which need nothing of what is there already: they go
    /// past the store.
    direct: BulkWrites,
    /// Memory for the next ones.
    spare: BulkWrites,
    /// The table that is being written, one at a time.
    table: Option<Table>,
    /// Whether a table could not be written. What comes behind it must not be either: the position
    /// would stand behind what is missing.
    lacks_table: bool,
    value: Vec<u8>,
}

/// A table that a thread of its own writes, since that waits for the disk.
struct Table {
    writer: JoinHandle<(BulkWrites, Result<()>)>,
    /// Where the store stands with it.
    position: StorePosition,
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
            direct: BulkWrites::default(),
            spare: BulkWrites::default(),
            table: None,
            lacks_table: false,
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
            kind if self.bytes.has_ttl() => kind.restore(&self.bytes, key, value, timestamp_ms)?,
            StoreKind::KeyValue => self.put(key, value),
            StoreKind::TimestampedKeyValue => self.put_timestamped(key, value, timestamp_ms),
            kind => kind.restore(&self.bytes, key, value, timestamp_ms)?,
        }
        Ok(())
    }

    #[inline]
    fn put_timestamped(&mut self, key: &[u8], value: Option<&[u8]>, timestamp_ms: i64) {
        self.bytes.observe_time(timestamp_ms);
        let Some(value) = value else {
            return self.put(key, None);
        };
        let mut timestamped = std::mem::take(&mut self.value);
        timestamped.clear();
        timestamped.extend_from_slice(&timestamp_ms.to_be_bytes());
        timestamped.extend_from_slice(value);
        self.put(key, Some(&timestamped));
        self.value = timestamped;
    }

    #[inline]
    fn put(&mut self, key: &[u8], value: Option<&[u8]>) {
        match self.bytes.engine() {
            Engine::RocksDb(..) => self.direct.add(key, value),
            Engine::Memory(_) => self.bytes.put(key, value),
        }
    }

    /// Whether what is taken in can be written as tables.
    pub(crate) fn writes_tables(&self) -> bool {
        let kind = self.builder.kind();
        matches!(self.bytes.engine(), Engine::RocksDb(..))
            && matches!(kind, StoreKind::KeyValue | StoreKind::TimestampedKeyValue)
            && !self.bytes.has_ttl()
    }

    /// The memory that is taken by what has not been written yet, in bytes.
    pub(crate) fn pending_bytes(&self) -> usize {
        self.context.uncommitted_bytes() + self.direct.bytes()
    }

    /// Writes what was taken in, with the offset of the next record. Much of it may still be on its
    /// way to the disk then: see [`Self::settle`].
    ///
    /// # Errors
    /// If the disk refuses, also what was written before.
    pub(crate) fn write(&mut self, next_offset: i64) -> Result<()> {
        self.settle()?;
        let position = self.bytes.position(Some(next_offset));
        if position == self.position {
            return Ok(());
        }
        if let (Some(database), Engine::RocksDb(_, column)) = (&self.database, self.bytes.engine())
        {
            if self.bytes.is_dirty() {
                let mut batch = database.batch();
                self.bytes.add_to(&mut batch, Some(next_offset))?;
                batch.write_restored()?;
            } else if self.direct.bytes() < TABLE_BYTES_MIN {
                database.write_restored(&self.direct, column, self.bytes.name(), position)?;
                self.direct.clear();
            } else {
                let (database, column) = (Arc::clone(database), Arc::clone(column));
                return self.write_table(database, column, position);
            }
        }
        self.bytes.committed();
        self.context.committed();
        self.position = position;
        Ok(())
    }

    fn write_table(
        &mut self,
        database: Arc<TaskDatabase>,
        column: Arc<str>,
        position: StorePosition,
    ) -> Result<()> {
        let name = Arc::clone(self.bytes.name());
        let mut writes = std::mem::replace(&mut self.direct, std::mem::take(&mut self.spare));
        let write = move || {
            let added = database.add_restored_table(&mut writes, &column, &name, position);
            writes.clear();
            (writes, added)
        };
        let thread = std::thread::Builder::new().name("restored-table".to_owned());
        match thread.spawn(write) {
            Ok(writer) => self.table = Some(Table { writer, position }),
            Err(error) => {
                self.lacks_table = true;
                let message = "cannot start a thread that writes";
                return Err(Error::with_source(ErrorKind::Io, message, error));
            }
        }
        Ok(())
    }

    /// Whether something is on its way to the disk.
    pub(crate) fn is_writing(&self) -> bool {
        let is_writing = |table: &Table| !table.writer.is_finished();
        self.table.as_ref().is_some_and(is_writing)
    }

    /// Waits until what was written is in the store.
    ///
    /// # Errors
    /// If the disk refuses, and from then on until the store is cleared.
    pub(crate) fn settle(&mut self) -> Result<()> {
        if let Some(Table { writer, position }) = self.table.take() {
            let ended = || Error::new(ErrorKind::Io, "the thread that writes has panicked");
            let joined = writer.join().map_err(|_| ended());
            let added = joined.and_then(|(spare, added)| {
                self.spare = spare;
                added
            });
            self.lacks_table = added.is_err();
            added?;
            self.position = position;
        }
        if self.lacks_table {
            let name = self.bytes.name();
            let message = format!("store={name} lacks a table that could not be written");
            return Err(Error::new(ErrorKind::Io, message));
        }
        Ok(())
    }

    /// Removes every entry: the store is to be rebuilt.
    ///
    /// # Errors
    /// If the disk refuses.
    pub(crate) fn clear(&mut self) -> Result<()> {
        // Whether it was written makes no difference.
        let _ = self.settle();
        self.lacks_table = false;
        let name = Arc::clone(self.bytes.name());
        let mut engine = self.bytes.engine().clone();
        match &engine {
            Engine::RocksDb(database, column) => database.clear(column, &name)?,
            Engine::Memory(_) => engine = Engine::default(),
        }
        self.position = StorePosition::EMPTY;
        self.direct.clear();
        let context = Rc::clone(&self.context);
        self.bytes = self.builder.bytes(engine, None, context, self.position);
        self.context.committed();
        Ok(())
    }

    /// The store as far as it has been written.
    pub(crate) fn finish(mut self) -> OpenStore {
        // It stands where it stood if the table has failed.
        let _ = self.settle();
        OpenStore {
            engine: self.bytes.engine().clone(),
            position: self.position,
        }
    }
}

impl Drop for StoreRestorer {
    fn drop(&mut self) {
        // Whoever has the database next finds nobody writing.
        let _ = self.settle();
    }
}
