//! Tributary's run time: records, serdes, topologies, tasks, threads and transactions.

pub mod clock;
pub mod id;
pub mod processor;
pub mod record;
pub mod serde;
pub mod topology;

mod error;

pub use error::{Error, ErrorKind, Result};
pub use id::{TaskId, TopicPartition};
pub use record::{Header, Headers, RawRecord, Record, RecordMetadata};
pub use topology::{Topology, TopologyBuilder};
