//! Hearing of restores.

use crate::id::TopicPartition;

/// Hears how the stores of an application are restored (`StateRestoreListener`, KIP-869); called on
/// the thread that restores, which waits meanwhile.
pub trait StateRestoreListener: Send + Sync {
    /// A store is restored from this partition, from one offset to another. A store that has
    /// everything already is not restored.
    fn on_restore_start(
        &self,
        partition: &TopicPartition,
        store: &str,
        starting_offset: i64,
        ending_offset: i64,
    ) {
        let _ = (partition, store, starting_offset, ending_offset);
    }

    /// This many records more are in the store, and it will go on behind `batch_end_offset` if it
    /// is interrupted now.
    fn on_batch_restored(
        &self,
        partition: &TopicPartition,
        store: &str,
        batch_end_offset: i64,
        records: u64,
    ) {
        let _ = (partition, store, batch_end_offset, records);
    }

    /// The store has everything; this many records were restored.
    fn on_restore_end(&self, partition: &TopicPartition, store: &str, records: u64) {
        let _ = (partition, store, records);
    }

    /// The task is given up before the store has everything; this many records were restored.
    fn on_restore_suspended(&self, partition: &TopicPartition, store: &str, records: u64) {
        let _ = (partition, store, records);
    }
}
