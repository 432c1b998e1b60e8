//! The way out of a task.

use crate::error::Result;
use crate::record::OutgoingRecord;

/// Takes what a task sends: the thread's producer, or a test driver.
pub trait Collector {
    /// Takes one record. It is delivered, or its failure known, by the next commit.
    ///
    /// # Errors
    /// If it cannot be taken at all.
    fn send(&self, record: &OutgoingRecord<'_>) -> Result<()>;

    /// The number of partitions of a topic, for a custom partitioner.
    ///
    /// # Errors
    /// If the topic does not exist or no broker answers.
    fn partition_count(&self, topic: &str) -> Result<i32>;
}
