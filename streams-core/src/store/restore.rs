//! Restoring a store from its changelog, batch by batch.

use std::rc::Rc;
use std::sync::Arc;

use crate::broker::Collector;
use crate::error::{Error, ErrorKind, Result};
use crate::record::OutgoingRecord;
use crate::store::builder::StoreBuilder;
use crate::store::bytes::ByteStore;
use crate::store::context::StoreContext;
use crate::store::database::TaskDatabase;
use crate::store::engine::Engine;
use crate::store::kind::StoreKind;
use crate::store::position::StorePosition;
use crate::store::task_stores::OpenStore;

/// A store that takes in its changelog.
///
/// Each batch is written with the offset behind it, so that a restore that is interrupted goes on
/// where it was.
pub(crate) struct StoreRestorer {
    kind: StoreKind,
    bytes: ByteStore,
    context: Rc<StoreContext>,
    database: Option<Arc<TaskDatabase>>,
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
        let name = Arc::clone(builder.name());
        let bytes = ByteStore::new(name, engine, None, Rc::clone(&context), position);
        Self {
            kind: builder.kind(),
            bytes,
            context,
            database,
            position,
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
        self.kind.restore(&self.bytes, key, value, timestamp_ms)
    }

    /// The memory that is taken by what has not been written yet, in bytes.
    pub(crate) fn pending_bytes(&self) -> usize {
        self.context.uncommitted_bytes()
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
            let mut batch = database.batch();
            self.bytes.add_to(&mut batch, Some(next_offset))?;
            batch.write_restored()?;
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
        let context = Rc::clone(&self.context);
        self.bytes = ByteStore::new(name, engine, None, context, self.position);
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
