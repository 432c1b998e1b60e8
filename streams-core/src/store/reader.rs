//! An iterator of RocksDB that is kept, since making one costs more than a short read.

use std::ops::Bound;
use std::sync::Arc;

use rocksdb::DBRawIterator;
use self_cell::self_cell;

use crate::error::Result;
use crate::store::database::TaskDatabase;
use crate::store::engine::Span;

self_cell!(
    struct Cursor {
        owner: Arc<TaskDatabase>,

        #[not_covariant]
        dependent: DBRawIterator,
    }
);

/// Reads spans of one store of a task with one iterator until the database is written, which is
/// when its task commits.
///
/// The iterator sees the database as it was when it was made, and holds on to files and write
/// buffers of that time: [`Self::release`] gives them back.
#[derive(Default)]
pub(super) struct Reader {
    cursor: Option<Cursor>,
    /// The number of writes to the database when the iterator was made.
    writes: u64,
}

impl Reader {
    /// Gives up the iterator.
    pub(super) fn release(&mut self) {
        self.cursor = None;
    }

    #[cfg(test)]
    pub(super) fn is_open(&self) -> bool {
        self.cursor.is_some()
    }

    /// Shows `visit` the entries of a span of a store's column family, from the first to the last,
    /// until it returns false.
    ///
    /// The iterator has no bounds: behind the span it passes over deleted entries up to the next
    /// one. This is for stores that delete whole ranges only.
    pub(super) fn visit(
        &mut self,
        database: &Arc<TaskDatabase>,
        column: &str,
        span: Span<'_>,
        visit: impl FnMut(&[u8], &[u8]) -> bool,
    ) -> Result<()> {
        let writes = database.writes();
        if self.writes != writes {
            self.release();
        }
        let cursor = match &mut self.cursor {
            Some(cursor) => cursor,
            None => {
                self.writes = writes;
                let database = Arc::clone(database);
                self.cursor.insert(Cursor::try_new(database, |database| {
                    database.cursor(column)
                })?)
            }
        };
        cursor
            .with_dependent_mut(|_, entries| walk(entries, span, visit))
            .map_err(|error| database.failed(column, &error))
    }
}

fn walk(
    entries: &mut DBRawIterator<'_>,
    span: Span<'_>,
    mut visit: impl FnMut(&[u8], &[u8]) -> bool,
) -> Result<(), rocksdb::Error> {
    match span.lower {
        Bound::Included(lower) | Bound::Excluded(lower) => entries.seek(lower),
        Bound::Unbounded => entries.seek_to_first(),
    }
    while let Some((key, value)) = entries.item() {
        let is_behind = match span.upper {
            Bound::Included(upper) => key > upper,
            Bound::Excluded(upper) => key >= upper,
            Bound::Unbounded => false,
        };
        let is_before = span.lower == Bound::Excluded(key);
        if is_behind || (!is_before && !visit(key, value)) {
            return Ok(());
        }
        entries.next();
    }
    entries.status()
}
