//! A task's RocksDB: a column family for each store, and one for where they stand.

use std::collections::BTreeMap;
use std::fs;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rocksdb::{
    BlockBasedOptions, Cache, ColumnFamilyDescriptor, DB, DBCompactionStyle, DBRawIterator,
    IngestExternalFileOptions, IteratorMode, Options, ReadOptions, SstFileWriter, WriteBatch,
    WriteBufferManager, WriteOptions,
};

use crate::error::{Error, ErrorKind, Result};
use crate::id::{TaskId, TopicPartition};
use crate::store::bulk::BulkWrites;
use crate::store::damage::{CURRENT_FILE, damaged, has_tables, io_error, open_error};
use crate::store::engine::Span;
use crate::store::position::StorePosition;
use crate::store::recent::RecentMemory;

/// The memory that all stores of a process share: one block cache, which also bounds what RocksDB
/// has not yet written to its files.
#[derive(Clone)]
pub(crate) struct StoreMemory {
    cache: Cache,
    write_buffers: WriteBufferManager,
    recent: Arc<RecentMemory>,
}

/// The part of the memory for entries that need not be looked up again.
const RECENT_PART: usize = 16;

impl StoreMemory {
    /// At most this many bytes for blocks, write buffers and recent entries together.
    pub(crate) fn new(bytes_max: usize) -> Self {
        let recent = Arc::new(RecentMemory::new(bytes_max / RECENT_PART));
        let bytes_max = bytes_max - bytes_max / RECENT_PART;
        let cache = Cache::new_lru_cache(bytes_max);
        // Write buffers are charged to the cache: what they take is taken from the blocks.
        let write_buffers = WriteBufferManager::new_write_buffer_manager_with_cache(
            bytes_max / 2,
            false,
            cache.clone(),
        );
        Self {
            cache,
            write_buffers,
            recent,
        }
    }

    /// The bytes taken at present.
    pub(crate) fn usage_bytes(&self) -> usize {
        self.cache.get_usage()
    }
}

/// The RocksDB of one task.
///
/// Its write-ahead log is on and not synchronised: a killed process loses nothing, a power cut
/// falls back to an earlier commit as a whole, since stores and positions are written in one batch.
/// Only restored tables are there before their position, which does no harm: see
/// [`Self::add_restored_table`].
pub(crate) struct TaskDatabase {
    db: DB,
    path: PathBuf,
    task: TaskId,
    recent: Arc<RecentMemory>,
    /// Of tables that are written past RocksDB's write buffers.
    table_options: Options,
    /// The number of such tables so far.
    tables: AtomicU64,
    /// The number of writes so far: what was opened before the last one does not see it.
    writes: AtomicU64,
}

/// The column family of the stores' positions; its name cannot be a store's.
const POSITIONS: &str = "default";
/// Where the database says whose it is, in the column family of the positions.
const IDENTITY_KEY: &[u8] = b"\0identity";
/// When the task last committed, in milliseconds since the epoch.
const COMMITTED_AT_KEY: &[u8] = b"\0committed-at";
/// The layout of keys and values on disk.
const FORMAT: u8 = 1;

/// Where the database says how far of a topic's partition it holds: before the partition's name, in
/// the column family of the positions.
const OFFSET_PREFIX: &str = "\0offset:";

/// How the name of a table begins that the database does not have yet.
const UNFINISHED_TABLE: &str = "restored-";

const WRITE_BUFFER_BYTES: usize = 2 * 1024 * 1024;
/// So many write buffers that have become files are merged at a time: with small write buffers,
/// RocksDB's 4 would write everything again too often.
const FILES_MERGED: i32 = 8;
/// RocksDB's 2 MiB are for disks that seek, and are taken for each file that is merged.
const MERGE_READ_BYTES: usize = 256 * 1024;
/// RocksDB's 1 MiB are taken for each log and each file that is written.
const FILE_BUFFER_BYTES: u64 = 128 * 1024;
/// Memory is taken in pieces of this size, so that a store with few entries takes little.
const ARENA_BLOCK_BYTES: usize = 128 * 1024;
const BLOCK_BYTES: usize = 4 * 1024;
const BLOOM_BITS_PER_KEY: f64 = 10.0;
/// Some ten bits for each of 30,000 keys. An empty write buffer has all of it, and there may be
/// hundreds.
const MEMTABLE_BLOOM_RATIO: f64 = 0.02;
const OPEN_FILES_MAX: i32 = 512;
const LOG_BYTES_MAX: u64 = 64 * 1024 * 1024;

impl TaskDatabase {
    /// Opens the task's database in `folder`, with a column family for each of `stores`; makes what
    /// is missing.
    ///
    /// # Errors
    /// If another process has it open, it is of another application, task or version, it is
    /// damaged, or the disk refuses. Nothing is deleted.
    pub(crate) fn open(
        folder: &Path,
        application_id: &str,
        task: TaskId,
        stores: &[Arc<str>],
        memory: &StoreMemory,
    ) -> Result<Self> {
        let path = folder.join("rocksdb");
        let failed = |error: rocksdb::Error| open_error(&path, task, error);
        fs::create_dir_all(&path).map_err(|error| io_error(&path, task, error))?;
        let options = database_options(memory);
        // Column families that the topology has no more stay as they are.
        let known = match path.join(CURRENT_FILE).exists() {
            true => DB::list_cf(&options, &path).map_err(failed)?,
            false if has_tables(&path) => return Err(damaged(&path, task, "CURRENT is missing")),
            false => vec![POSITIONS.to_owned()],
        };
        let stores = stores.iter().map(|store| column_of(store));
        let mut columns: Vec<String> = stores.collect();
        for column in known {
            if !columns.contains(&column) {
                columns.push(column);
            }
        }
        let columns = columns
            .iter()
            .map(|column| ColumnFamilyDescriptor::new(column, column_options(memory)));
        let db = DB::open_cf_descriptors(&options, &path, columns).map_err(failed)?;
        let recent = Arc::clone(&memory.recent);
        let database = Self {
            db,
            path,
            task,
            recent,
            table_options: column_options(memory),
            tables: AtomicU64::new(0),
            writes: AtomicU64::new(0),
        };
        database.check_identity(application_id)?;
        database.remove_unfinished_tables()?;
        Ok(database)
    }

    /// Removes what a process has left that was killed while it restored.
    fn remove_unfinished_tables(&self) -> Result<()> {
        let failed = |error| io_error(&self.path, self.task, error);
        for entry in fs::read_dir(&self.path).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name();
            if name.to_string_lossy().starts_with(UNFINISHED_TABLE) {
                fs::remove_file(entry.path()).map_err(failed)?;
            }
        }
        Ok(())
    }

    fn check_identity(&self, application_id: &str) -> Result<()> {
        let task = self.task;
        let ours = format!("{FORMAT} {application_id} {task}");
        let found = self
            .db
            .get(IDENTITY_KEY)
            .map_err(|error| self.failed("read", &error))?;
        match found {
            Some(found) if found == ours.as_bytes() => Ok(()),
            Some(found) => {
                let path = self.path.display();
                let found = String::from_utf8_lossy(&found);
                let message = format!(
                    "the state directory {path} holds state of another application, task or \
                     version: found=\"{found}\" expected=\"{ours}\""
                );
                Err(Error::new(ErrorKind::Config, message))
            }
            None => self
                .db
                .put(IDENTITY_KEY, ours.as_bytes())
                .map_err(|error| self.failed("write", &error)),
        }
    }

    /// What the recent entries of its stores may take of the process's memory.
    pub(super) fn recent(&self) -> &Arc<RecentMemory> {
        &self.recent
    }

    /// Shows `read` the value of a key of a store, given by its column family.
    pub(super) fn get<R>(
        &self,
        column: &str,
        key: &[u8],
        read: impl FnOnce(Option<&[u8]>) -> R,
    ) -> Result<R> {
        let found = self
            .db
            .get_pinned_cf(self.column(column)?, key)
            .map_err(|error| self.failed(column, &error))?;
        Ok(read(found.as_deref()))
    }

    /// Shows `visit` the entries of a span of a store's column family until it returns false.
    pub(super) fn scan(
        &self,
        column: &str,
        span: Span<'_>,
        mut visit: impl FnMut(&[u8], &[u8]) -> bool,
    ) -> Result<()> {
        let mut options = ReadOptions::default();
        if let Some(lower) = inclusive_lower(span.lower) {
            options.set_iterate_lower_bound(lower);
        }
        if let Some(upper) = exclusive_upper(span.upper) {
            options.set_iterate_upper_bound(upper);
        }
        let mut entries = self.db.raw_iterator_cf_opt(self.column(column)?, options);
        if span.is_reverse {
            entries.seek_to_last();
        } else {
            entries.seek_to_first();
        }
        while let Some((key, value)) = entries.item() {
            if !visit(key, value) {
                return Ok(());
            }
            if span.is_reverse {
                entries.prev();
            } else {
                entries.next();
            }
        }
        entries
            .status()
            .map_err(|error| self.failed(column, &error))
    }

    /// The number of writes so far.
    pub(super) fn writes(&self) -> u64 {
        self.writes.load(Ordering::Acquire)
    }

    /// An iterator over all of a store's column family, as it stands now.
    pub(super) fn cursor(&self, column: &str) -> Result<DBRawIterator<'_>> {
        Ok(self.db.raw_iterator_cf(self.column(column)?))
    }

    pub(super) fn approximate_count(&self, column: &str) -> Result<u64> {
        let family = self.column(column)?;
        let count = self
            .db
            .property_int_value_cf(family, rocksdb::properties::ESTIMATE_NUM_KEYS);
        let count = count.map_err(|error| self.failed(column, &error))?;
        Ok(count.unwrap_or(0))
    }

    /// Where every store stood at the last commit.
    pub(crate) fn positions(&self) -> Result<BTreeMap<Arc<str>, StorePosition>> {
        let mut positions = BTreeMap::new();
        for entry in self.db.iterator(IteratorMode::Start) {
            let (key, value) = entry.map_err(|error| self.failed("positions", &error))?;
            if let (Ok(store), Some(position)) =
                (std::str::from_utf8(&key), StorePosition::decode(&value))
                && !store.starts_with('\0')
            {
                positions.insert(store.into(), position);
            }
        }
        Ok(positions)
    }

    /// When the task last committed, in milliseconds since the epoch.
    pub(crate) fn committed_at_ms(&self) -> Result<Option<i64>> {
        let found = self
            .db
            .get(COMMITTED_AT_KEY)
            .map_err(|error| self.failed("committed-at", &error))?;
        let bytes = found.and_then(|found| found.as_slice().try_into().ok());
        Ok(bytes.map(i64::from_be_bytes))
    }

    /// How far of each partition the database holds: what [`DatabaseBatch::set_offset`] was told.
    pub(crate) fn offsets(&self) -> Result<BTreeMap<TopicPartition, i64>> {
        let mut offsets = BTreeMap::new();
        let from = IteratorMode::From(OFFSET_PREFIX.as_bytes(), rocksdb::Direction::Forward);
        for entry in self.db.iterator(from) {
            let (key, value) = entry.map_err(|error| self.failed("offsets", &error))?;
            let name = std::str::from_utf8(&key).ok();
            let Some(name) = name.and_then(|name| name.strip_prefix(OFFSET_PREFIX)) else {
                break;
            };
            if let (Some((topic, partition)), Ok(offset)) =
                (name.rsplit_once('-'), (*value).try_into())
                && let Ok(partition) = partition.parse()
            {
                let topic = topic.into();
                let partition = TopicPartition { topic, partition };
                offsets.insert(partition, i64::from_be_bytes(offset));
            }
        }
        Ok(offsets)
    }

    /// Removes every entry of a store, given by its column family and its name, and where it stood.
    pub(super) fn clear(&self, column: &str, store: &str) -> Result<()> {
        let family = self.column(column)?;
        let mut entries = self.db.raw_iterator_cf(family);
        entries.seek_to_last();
        let mut batch = self.batch();
        if let Some(last) = entries.key() {
            batch.delete_range(column, &[], &successor(last))?;
        }
        entries
            .status()
            .map_err(|error| self.failed(column, &error))?;
        batch.forget_position(store);
        batch.write_restored()
    }

    /// Writes what a store, given by its column family and its name, has been restored with, and
    /// where it stands then.
    pub(super) fn write_restored(
        &self,
        writes: &BulkWrites,
        column: &str,
        store: &str,
        position: StorePosition,
    ) -> Result<()> {
        let mut batch = self.batch_for(writes.bytes());
        batch.put(column, writes.iter())?;
        batch.set_position(store, position);
        batch.write_restored()
    }

    /// As [`Self::write_restored`], as a table of its own.
    ///
    /// A process that is killed between the table and the position leaves a store that has more
    /// than it says, all of it the changelog's: it is restored with the same again.
    pub(super) fn add_restored_table(
        &self,
        writes: &mut BulkWrites,
        column: &str,
        store: &str,
        position: StorePosition,
    ) -> Result<()> {
        let family = self.column(column)?;
        let number = self.tables.fetch_add(1, Ordering::Relaxed);
        let path = self.path.join(format!("{UNFINISHED_TABLE}{number}"));
        let mut options = IngestExternalFileOptions::default();
        options.set_move_files(true);
        let written = self.write_table(&path, writes.sorted()).and_then(|()| {
            let tables = vec![&path];
            self.db
                .ingest_external_file_cf_opts(family, &options, tables)
        });
        if let Err(error) = written {
            // The disk may be full, and what cannot be removed is at the next start.
            let _ = fs::remove_file(&path);
            return Err(self.failed(column, &error));
        }
        let mut batch = self.batch();
        batch.set_position(store, position);
        batch.write_restored()
    }

    /// Writes a file of entries in the order of their keys.
    fn write_table<'e>(
        &self,
        path: &Path,
        entries: impl Iterator<Item = (&'e [u8], Option<&'e [u8]>)>,
    ) -> std::result::Result<(), rocksdb::Error> {
        let mut table = SstFileWriter::create(&self.table_options);
        table.open(path)?;
        for (key, value) in entries {
            match value {
                Some(value) => table.put(key, value)?,
                None => table.delete(key)?,
            }
        }
        table.finish()
    }

    /// An empty batch to fill.
    pub(crate) fn batch(&self) -> DatabaseBatch<'_> {
        self.batch_for(0)
    }

    /// An empty batch with room for so many bytes, which it need not move when it grows.
    pub(crate) fn batch_for(&self, bytes: usize) -> DatabaseBatch<'_> {
        DatabaseBatch {
            database: self,
            batch: WriteBatch::with_capacity_bytes(bytes),
        }
    }

    fn column(&self, column: &str) -> Result<&rocksdb::ColumnFamily> {
        self.db.cf_handle(column).ok_or_else(|| {
            let (task, path) = (self.task, self.path.display());
            let message = format!("task={task} has no column family {column} in {path}");
            Error::new(ErrorKind::Io, message)
        })
    }

    pub(super) fn failed(&self, column: &str, error: &rocksdb::Error) -> Error {
        if error.kind() == rocksdb::ErrorKind::Corruption {
            return damaged(&self.path, self.task, error.as_ref());
        }
        let (task, path) = (self.task, self.path.display());
        let message = format!("cannot use {column} of task={task} path={path}");
        Error::with_source(ErrorKind::Io, message, error.clone())
    }
}

/// Writes of several stores that take effect together.
pub(crate) struct DatabaseBatch<'a> {
    database: &'a TaskDatabase,
    batch: WriteBatch,
}

impl DatabaseBatch<'_> {
    /// Adds writes of a store, given by its column family; `None` deletes.
    pub(crate) fn put<'k>(
        &mut self,
        column: &str,
        writes: impl Iterator<Item = (&'k [u8], Option<&'k [u8]>)>,
    ) -> Result<()> {
        let column = self.database.column(column)?;
        for (key, value) in writes {
            match value {
                Some(value) => self.batch.put_cf(column, key, value),
                None => self.batch.delete_cf(column, key),
            }
        }
        Ok(())
    }

    /// Deletes the entries of a column family in `[from, to)`.
    pub(crate) fn delete_range(&mut self, column: &str, from: &[u8], to: &[u8]) -> Result<()> {
        let column = self.database.column(column)?;
        self.batch.delete_range_cf(column, from, to);
        Ok(())
    }

    /// Notes where a store stands with these writes.
    pub(crate) fn set_position(&mut self, store: &str, position: StorePosition) {
        self.batch.put(store.as_bytes(), position.encode());
    }

    /// Forgets where a store stood: it is to be rebuilt.
    pub(crate) fn forget_position(&mut self, store: &str) {
        self.batch.delete(store.as_bytes());
    }

    /// Notes how far of a topic's partition is held with these writes.
    pub(crate) fn set_offset(&mut self, partition: &TopicPartition, offset: i64) {
        let key = format!("{OFFSET_PREFIX}{partition}");
        self.batch.put(key.as_bytes(), offset.to_be_bytes());
    }

    /// Writes everything at once: as of `now_ms`, every store of the task holds all that is
    /// committed.
    pub(crate) fn write(mut self, now_ms: i64) -> Result<()> {
        self.batch.put(COMMITTED_AT_KEY, now_ms.to_be_bytes());
        self.write_restored()
    }

    /// Writes everything at once, while stores still lack what is committed.
    pub(crate) fn write_restored(self) -> Result<()> {
        let written = self
            .database
            .db
            .write_opt(self.batch, &WriteOptions::default());
        // Those that failed count too: nobody knows how far they went.
        self.database.writes.fetch_add(1, Ordering::Release);
        written.map_err(|error| self.database.failed("all", &error))
    }
}

/// The column family of a store.
pub(crate) fn column_of(store: &str) -> String {
    format!("store-{store}")
}

fn database_options(memory: &StoreMemory) -> Options {
    let mut options = Options::default();
    options.create_if_missing(true);
    options.create_missing_column_families(true);
    options.set_write_buffer_manager(&memory.write_buffers);
    options.set_max_open_files(OPEN_FILES_MAX);
    options.set_max_total_wal_size(LOG_BYTES_MAX);
    options.set_keep_log_file_num(1);
    options.set_log_level(rocksdb::LogLevel::Error);
    options.set_stats_dump_period_sec(0);
    options.set_stats_persist_period_sec(0);
    options.set_max_background_jobs(2);
    options.set_compaction_readahead_size(MERGE_READ_BYTES);
    options.set_writable_file_max_buffer_size(FILE_BUFFER_BYTES);
    options
}

fn column_options(memory: &StoreMemory) -> Options {
    let mut table = BlockBasedOptions::default();
    table.set_block_cache(&memory.cache);
    table.set_block_size(BLOCK_BYTES);
    table.set_cache_index_and_filter_blocks(true);
    table.set_pin_l0_filter_and_index_blocks_in_cache(true);
    table.set_bloom_filter(BLOOM_BITS_PER_KEY, false);
    table.set_format_version(5);
    let mut options = Options::default();
    options.set_block_based_table_factory(&table);
    options.set_write_buffer_size(WRITE_BUFFER_BYTES);
    options.set_level_zero_file_num_compaction_trigger(FILES_MERGED);
    options.set_arena_block_size(ARENA_BLOCK_BYTES);
    // Of a key that is not there, as windows ask for with each key's first record.
    options.set_memtable_prefix_bloom_ratio(MEMTABLE_BLOOM_RATIO);
    options.set_memtable_whole_key_filtering(true);
    options.set_compaction_style(DBCompactionStyle::Level);
    options
}

fn inclusive_lower(bound: Bound<&[u8]>) -> Option<Vec<u8>> {
    match bound {
        Bound::Included(key) => Some(key.to_vec()),
        Bound::Excluded(key) => Some(successor(key)),
        Bound::Unbounded => None,
    }
}

fn exclusive_upper(bound: Bound<&[u8]>) -> Option<Vec<u8>> {
    match bound {
        Bound::Included(key) => Some(successor(key)),
        Bound::Excluded(key) => Some(key.to_vec()),
        Bound::Unbounded => None,
    }
}

/// The first key after `key`.
fn successor(key: &[u8]) -> Vec<u8> {
    let mut next = Vec::with_capacity(key.len() + 1);
    next.extend_from_slice(key);
    next.push(0);
    next
}
