//! Tributary's run time: records, serdes, topologies, tasks, threads and transactions.

pub mod clock;
pub mod config;
pub mod metrics;
pub mod observability;
pub mod record;
pub mod serde;

mod error;

pub use error::{Error, ErrorKind, Result};
pub use record::{Header, Headers, Record, RecordMetadata};
