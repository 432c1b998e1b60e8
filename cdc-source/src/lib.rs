//! Postgres changes to Kafka as Debezium envelopes.
//!
//! The data path, and the room that each step lives in:
//!
//! 1. [`config`] reads the connector's JSON, the same that Kafka Connect would be given.
//! 2. [`postgres`] talks to the server and turns its text values into Connect values.
//! 3. [`schema`] describes tables, and the Connect schemas that they become.
//! 4. [`envelope`] writes one change as the bytes of its Kafka records.
//! 5. [`transform`] plans what the connector's transforms do to the records of a table.

pub mod config;
pub mod engine;
pub mod envelope;
pub mod error;
pub mod metrics;
pub mod offset;
pub mod postgres;
pub mod schema;
pub mod shutdown;
pub mod sink;
pub mod snapshot;
pub mod transform;

pub use error::{Error, ErrorKind, Result};
