//! Where the committed entries of a store are: RocksDB or memory, behind one set of calls.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};

use crate::error::Result;
use crate::store::database::{TaskDatabase, column_of};
use crate::store::key_table::is_empty_range;
use crate::store::recency::Recency;

/// An entry of a store, in bytes.
pub(crate) type Entry = (Box<[u8]>, Box<[u8]>);

/// The committed entries of one store of one task.
///
/// Any thread may read it; only the store's task, or whoever restores it, writes.
#[derive(Clone)]
pub(crate) enum Engine {
    /// A column family of the task's RocksDB.
    RocksDb(Arc<TaskDatabase>, Arc<str>),
    /// Memory; its entries go with the process.
    Memory(Arc<MemoryTable>),
}

/// Entries in memory.
#[derive(Default)]
pub(crate) struct MemoryTable {
    entries: RwLock<Table>,
    /// Kept where there is a bound on the number of entries; its task's alone.
    recency: Mutex<Recency>,
}

type Table = BTreeMap<Box<[u8]>, Box<[u8]>>;

/// A part of a store to read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span<'a> {
    pub(crate) lower: Bound<&'a [u8]>,
    pub(crate) upper: Bound<&'a [u8]>,
    /// From the last key to the first.
    pub(crate) is_reverse: bool,
}

impl Default for Engine {
    /// Empty, in memory.
    fn default() -> Self {
        Self::Memory(Arc::default())
    }
}

impl Engine {
    /// The entries of a store in the task's database.
    pub(crate) fn on_disk(database: &Arc<TaskDatabase>, store: &str) -> Self {
        Self::RocksDb(Arc::clone(database), column_of(store).into())
    }

    /// Shows `read` the value of a key.
    pub(crate) fn get<R>(&self, key: &[u8], read: impl FnOnce(Option<&[u8]>) -> R) -> Result<R> {
        match self {
            Self::RocksDb(database, column) => database.get(column, key, read),
            Self::Memory(table) => Ok(read(table.read().get(key).map(|value| &**value))),
        }
    }

    /// Shows `visit` the entries of a span, in its order, until it returns false.
    pub(crate) fn scan(
        &self,
        span: Span<'_>,
        visit: impl FnMut(&[u8], &[u8]) -> bool,
    ) -> Result<()> {
        match self {
            Self::RocksDb(database, column) => database.scan(column, span, visit),
            Self::Memory(table) => {
                table.scan(span, visit);
                Ok(())
            }
        }
    }

    /// About how many entries there are.
    pub(crate) fn approximate_count(&self) -> Result<u64> {
        match self {
            Self::RocksDb(database, column) => database.approximate_count(column),
            Self::Memory(table) => Ok(table.read().len() as u64),
        }
    }
}

impl MemoryTable {
    fn read(&self) -> RwLockReadGuard<'_, Table> {
        // Every write leaves the map whole.
        self.entries.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Which entries were used last.
    pub(super) fn recency(&self) -> MutexGuard<'_, Recency> {
        self.recency.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets uses of entries that were never committed.
    pub(super) fn reset_recency(&self) {
        let entries = self.read();
        let keys: Vec<&[u8]> = entries.keys().map(|key| &**key).collect();
        self.recency().reset(&keys);
    }

    fn scan(&self, span: Span<'_>, mut visit: impl FnMut(&[u8], &[u8]) -> bool) {
        if is_empty_range(span.lower, span.upper) {
            return;
        }
        let entries = self.read();
        let mut range = entries.range::<[u8], _>((span.lower, span.upper));
        if span.is_reverse {
            range
                .rev()
                .take_while(|(key, value)| visit(key, value))
                .for_each(drop);
        } else {
            range.all(|(key, value)| visit(key, value));
        }
    }

    /// Applies deletions of ranges, then writes, in one step for readers.
    pub(super) fn apply<'a>(
        &self,
        deleted: impl Iterator<Item = (&'a [u8], &'a [u8])>,
        writes: impl Iterator<Item = (&'a [u8], Option<&'a [u8]>)>,
    ) {
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        for (from, to) in deleted {
            let range = (Bound::Included(from), Bound::Excluded(to));
            let keys: Vec<Box<[u8]>> = entries
                .range::<[u8], _>(range)
                .map(|(key, _)| key.clone())
                .collect();
            for key in keys {
                entries.remove(&key);
            }
        }
        for (key, value) in writes {
            match value {
                Some(value) => entries.insert(Box::from(key), Box::from(value)),
                None => entries.remove(key),
            };
        }
    }
}
