//! A sink that keeps its records in memory, for tests.

use std::sync::{Arc, Mutex, PoisonError};

use super::Sink;
use crate::Result;
use crate::envelope::OutgoingRecord;

/// What the committed transactions left behind.
#[derive(Debug, Default)]
pub struct MemoryLog {
    /// The records of committed transactions in order.
    pub records: Vec<OutgoingRecord>,
    /// The offset of each committed transaction in order.
    pub offsets: Vec<Vec<u8>>,
}

/// A sink that keeps its records in memory. Clones of its log see what it commits.
#[derive(Debug, Default)]
pub struct MemorySink {
    log: Arc<Mutex<MemoryLog>>,
    open: Vec<OutgoingRecord>,
}

impl MemorySink {
    /// A sink that commits into `log`.
    pub fn new(log: Arc<Mutex<MemoryLog>>) -> Self {
        Self {
            log,
            open: Vec::new(),
        }
    }
}

impl Sink for MemorySink {
    fn write(&mut self, record: &OutgoingRecord) -> Result<()> {
        self.open.push(record.clone());
        Ok(())
    }

    fn commit(&mut self, offset: &[u8]) -> Result<()> {
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        log.records.append(&mut self.open);
        log.offsets.push(offset.to_vec());
        Ok(())
    }
}
