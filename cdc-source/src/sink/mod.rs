//! Where the records go: transactions that hold events and the offset they bring the connector to.

mod kafka;
mod memory;
mod settings;
mod topic_setup;

pub use kafka::KafkaSink;
pub use memory::{MemoryLog, MemorySink};
pub use settings::{KafkaSettings, Phase};
pub(crate) use topic_setup::TopicSetup;

use std::time::Duration;

use crate::Result;
use crate::envelope::OutgoingRecord;

/// How long a stop waits for the broker before it leaves the last transaction to be aborted.
pub(crate) const STOP_TIMEOUT: Duration = Duration::from_millis(1_500);

/// Takes records in transactions. A transaction is open from the first write to the commit; what
/// was written and not committed when the sink is dropped is never seen by a `read_committed`
/// reader.
///
/// # Errors
/// After an error the sink is done for: a new one is opened, and the work goes on from the offset
/// that was committed last.
pub trait Sink {
    /// Adds a record to the open transaction, and opens one if none is.
    fn write(&mut self, record: &OutgoingRecord) -> Result<()>;

    /// Commits the open transaction together with the connector's offset, which is JSON. On return
    /// the records are durable.
    fn commit(&mut self, offset: &[u8]) -> Result<()>;

    /// Does what the sink has to do between records, such as taking delivery reports.
    fn poll(&mut self) {}
}
