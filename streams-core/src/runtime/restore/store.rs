//! One store that is being restored.

use std::sync::Arc;
use std::time::Instant;

use crate::broker::{BorrowedRecord, OffsetRange};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{TaskId, TopicPartition};
use crate::store::{StoreBuilder, StoreRestorer, TABLE_BYTES_MIN, TaskState};

/// A store, and how far it is restored.
pub(super) struct RestoringStore {
    pub(super) task: TaskId,
    pub(super) name: Arc<str>,
    /// What the store is restored from.
    pub(super) partition: TopicPartition,
    /// Where a source topic that stands for the changelog is to be left: what comes behind has not
    /// been processed yet.
    bound: Option<i64>,
    restorer: StoreRestorer,
    /// The offset of the next record; `None` before the first, in an empty store.
    pub(super) next_offset: Option<i64>,
    /// The offset of the next record as far as the restorer writes or has written it.
    handed_offset: Option<i64>,
    /// The offset of the next record as far as it is in the store.
    pub(super) written_offset: Option<i64>,
    pub(super) start_offset: i64,
    pub(super) end_offset: i64,
    pub(super) restored: u64,
    /// Records taken in since the last write.
    pending: u64,
    /// Records that the restorer is writing.
    handed: u64,
    /// Whether tombstones that the store lacks may be gone from the changelog, and why.
    pub(super) stale: Option<String>,
    pub(super) since: Instant,
    last_write: Instant,
    pub(super) reached_end: Option<(i64, Instant)>,
    failure: Option<Error>,
    /// Whether a record could not be taken in: then nothing behind it is, until the store is
    /// rebuilt, so that the next restore finds it again.
    lacks_record: bool,
    /// Whether it is known where the changelog begins and ends.
    pub(super) has_range: bool,
    /// Whether anything was to be read.
    pub(super) is_started: bool,
}

/// What has become of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    /// It is in the store, or comes behind what is wanted.
    Yes,
    /// The store cannot be trusted, and must be rebuilt before any record is taken in.
    Rebuild,
}

/// How much is taken in before it is written through RocksDB's write buffers, in bytes.
const BATCH_BYTES_MAX: usize = 256 * 1024;
/// How long what is taken in may stay unwritten.
const BATCH_AGE_MAX: std::time::Duration = std::time::Duration::from_secs(1);

impl RestoringStore {
    pub(super) fn new(
        task: TaskId,
        builder: &StoreBuilder,
        partition: TopicPartition,
        bound: Option<i64>,
        state: &TaskState,
    ) -> Self {
        let next_offset = state.changelog_offset(builder.name());
        let now = Instant::now();
        Self {
            task,
            name: Arc::clone(builder.name()),
            partition,
            bound,
            restorer: state.restorer(builder),
            next_offset,
            handed_offset: next_offset,
            written_offset: next_offset,
            start_offset: 0,
            end_offset: 0,
            restored: 0,
            pending: 0,
            handed: 0,
            stale: None,
            since: now,
            last_write: now,
            reached_end: None,
            failure: None,
            lacks_record: false,
            has_range: false,
            is_started: false,
        }
    }

    /// Settles where the store is restored from and to; an empty store begins at the beginning.
    ///
    /// # Errors
    /// If the store holds what the topic has never had.
    pub(super) fn set_range(&mut self, range: OffsetRange) -> Result<()> {
        self.end_offset = self.bound.map_or(range.end, |bound| bound.min(range.end));
        match self.next_offset {
            Some(offset) if offset > range.end => {
                let Self {
                    task,
                    name,
                    partition,
                    ..
                } = self;
                let end = range.end;
                let message = format!(
                    "store={name} task={task} holds {partition} up to offset={offset}, and it \
                     ends at offset={end}: the topic has been made anew or has lost records; to \
                     rebuild the store call KafkaStreams::clean_up while nothing runs"
                );
                return Err(Error::new(ErrorKind::Io, message));
            }
            Some(offset) => self.start_offset = offset.max(range.begin),
            None => {
                self.restorer.clear()?;
                self.stale = None;
                self.start_offset = range.begin;
            }
        }
        self.reached(self.start_offset);
        self.has_range = true;
        self.is_started |= !self.is_done();
        Ok(())
    }

    /// Whether it has everything.
    pub(super) fn is_done(&self) -> bool {
        self.next_offset >= Some(self.end_offset)
    }

    /// The records that are left, about.
    pub(super) fn remaining(&self) -> u64 {
        let next = self.next_offset.unwrap_or(self.start_offset);
        u64::try_from(self.end_offset - next).unwrap_or(0)
    }

    /// Takes in a record; a failure shows with the next write.
    #[inline]
    pub(super) fn take(&mut self, record: BorrowedRecord<'_>) -> Taken {
        let (offset, timestamp_ms) = (record.offset(), record.timestamp_ms());
        self.take_in(offset, record.key(), record.value(), timestamp_ms)
    }

    #[inline]
    fn take_in(
        &mut self,
        offset: i64,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        timestamp_ms: i64,
    ) -> Taken {
        if offset >= self.end_offset && self.bound.is_some() {
            self.reached(offset);
            return Taken::Yes;
        }
        if self.stale.is_some() {
            return Taken::Rebuild;
        }
        if self.lacks_record {
            return Taken::Yes;
        }
        // Records without a key are in source topics only, and in no table.
        if let Some(key) = key
            && let Err(error) = self.restorer.apply(key, value, timestamp_ms)
        {
            self.failure = Some(self.failed(Some(offset), error));
            self.lacks_record = true;
            return Taken::Yes;
        }
        self.pending += 1;
        self.reached(offset + 1);
        Taken::Yes
    }

    /// The changelog ends at this offset, for now.
    pub(super) fn ended(&mut self, offset: i64) -> Taken {
        // What is missing may have been tombstones. One offset is the marker of the transaction in
        // which the task has committed last.
        let next = self.next_offset;
        if self.stale.is_some() && next.is_some_and(|next| offset > next + 1) {
            return Taken::Rebuild;
        }
        self.reached(offset);
        self.reached_end = Some((offset, Instant::now()));
        Taken::Yes
    }

    /// Everything before this offset is taken in, if nothing has failed.
    #[inline]
    fn reached(&mut self, offset: i64) {
        if self.lacks_record {
            return;
        }
        self.next_offset = self.next_offset.max(Some(offset));
        self.reached_end = None;
    }

    /// Whether it has everything, and all of it is in the store.
    pub(super) fn is_written(&self) -> bool {
        self.is_done() && self.written_offset >= self.next_offset
    }

    /// Writes what is taken in, if it is much or old or the last; returns how many records more are
    /// in the store now. `table_bytes_max` is much where it goes into tables.
    ///
    /// # Errors
    /// If a record cannot be read, or the disk refuses.
    pub(super) fn write_if_due(&mut self, table_bytes_max: usize) -> Result<u64> {
        let makes_tables = table_bytes_max >= TABLE_BYTES_MIN && self.restorer.writes_tables();
        let bytes_max = match makes_tables {
            true => table_bytes_max,
            false => BATCH_BYTES_MAX,
        };
        let is_due = self.failure.is_some()
            || self.restorer.pending_bytes() > bytes_max
            || self.last_write.elapsed() > BATCH_AGE_MAX
            || (self.is_done() && self.next_offset > self.handed_offset);
        if is_due {
            return self.write();
        }
        match self.restorer.is_writing() {
            true => Ok(0),
            false => self.settle(),
        }
    }

    /// Begins to write what is taken in; returns how many records more are in the store now.
    ///
    /// # Errors
    /// As for [`Self::write_if_due`].
    fn write(&mut self) -> Result<u64> {
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        let before = self.settle()?;
        self.last_write = Instant::now();
        if self.next_offset > self.handed_offset
            && let Some(next) = self.next_offset
        {
            // A source topic is left at its bound, so that the next restore goes on there.
            let next = self.bound.map_or(next, |_| next.min(self.end_offset));
            let written = self.restorer.write(next);
            written.map_err(|error| self.failed(None, error))?;
            self.handed_offset = self.next_offset;
        }
        self.handed = std::mem::take(&mut self.pending);
        match self.restorer.is_writing() {
            true => Ok(before),
            false => Ok(before + self.settle()?),
        }
    }

    /// Waits until all that was to be written is in the store; returns how many records more are.
    ///
    /// # Errors
    /// If the disk refuses.
    pub(super) fn settle(&mut self) -> Result<u64> {
        let settled = self.restorer.settle();
        settled.map_err(|error| self.failed(None, error))?;
        self.written_offset = self.handed_offset;
        let records = std::mem::take(&mut self.handed);
        self.restored += records;
        Ok(records)
    }

    /// Writes all that is taken in.
    ///
    /// # Errors
    /// As for [`Self::write_if_due`].
    pub(super) fn write_all(&mut self) -> Result<()> {
        self.write()?;
        self.settle()?;
        Ok(())
    }

    /// Begins anew with an empty store.
    ///
    /// # Errors
    /// If the disk refuses.
    pub(super) fn rebuild(&mut self) -> Result<()> {
        let cleared = self.restorer.clear();
        cleared.map_err(|error| self.failed(None, error))?;
        self.stale = None;
        (self.next_offset, self.handed_offset, self.written_offset) = (None, None, None);
        (self.start_offset, self.pending, self.handed) = (0, 0, 0);
        (self.failure, self.lacks_record) = (None, false);
        Ok(())
    }

    fn failed(&self, offset: Option<i64>, error: Error) -> Error {
        let Self {
            task,
            name,
            partition,
            ..
        } = self;
        let offset = offset.map_or(String::new(), |offset| format!(" offset={offset}"));
        let message = format!("cannot restore store={name} task={task} from {partition}{offset}");
        Error::with_source(error.kind(), message, error)
    }

    /// Gives the store back, as far as it has been written.
    pub(super) fn put_back(self, state: &mut TaskState) {
        state.put_back(&self.name, self.restorer.finish());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serde::{I64, Utf8};
    use crate::store::{StoreType, WindowStoreSettings};

    const RANGE: OffsetRange = OffsetRange { begin: 0, end: 4 };

    fn restoring(builder: &StoreBuilder, state: &TaskState) -> RestoringStore {
        let task = TaskId {
            subtopology: 0,
            partition: 0,
        };
        let partition = TopicPartition {
            topic: "changelog".into(),
            partition: 0,
        };
        RestoringStore::new(task, builder, partition, None, state)
    }

    fn state_of(builder: &StoreBuilder) -> TaskState {
        let state = TaskState::default();
        state.open(&[builder], StoreType::InMemory, None).unwrap()
    }

    #[test]
    fn nothing_behind_a_record_that_cannot_be_read_counts_as_restored() {
        let settings = WindowStoreSettings::new(86_400_000, 60_000);
        let builder = StoreBuilder::window("store", Arc::new(Utf8), Arc::new(I64), settings);
        let mut state = state_of(&builder);
        let mut store = restoring(&builder, &state);
        store.set_range(RANGE).unwrap();
        let mut key = b"key".to_vec();
        key.extend(7_i64.to_be_bytes());
        key.extend(0_i32.to_be_bytes());
        for (offset, key) in [(0, &*key), (1, b"short"), (2, &*key)] {
            store.take_in(offset, Some(key), Some(&[0; 8]), 7);
        }
        assert_eq!(store.ended(4), Taken::Yes);
        let error = store.write_if_due(0).unwrap_err().to_string();
        assert!(error.contains("offset=1"), "{error}");
        // As when the restore is given up: the next one comes upon the record again.
        store.write_all().unwrap();
        store.put_back(&mut state);
        assert_eq!(state.changelog_offset("store"), Some(1));
    }

    #[test]
    fn stale_store_that_lacks_more_than_a_marker_is_rebuilt() {
        let builder = StoreBuilder::key_value("store", Arc::new(Utf8), Arc::new(I64));
        let state = state_of(&builder);
        for (end, expected) in [(10, Taken::Yes), (11, Taken::Yes), (12, Taken::Rebuild)] {
            let mut store = restoring(&builder, &state);
            store.next_offset = Some(10);
            store.stale = Some("too old".to_owned());
            assert_eq!(store.ended(end), expected, "{end}");
        }
    }
}
