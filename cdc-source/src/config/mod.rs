//! The connector's configuration: the JSON that Kafka Connect would be given, read and checked.
//!
//! All mistakes are reported together, each with its key. Keys that nobody knows are warned of and
//! otherwise ignored, as in Connect; keys of Debezium's that would change what is captured, and
//! that are not supported, are refused.

mod connector;
mod document;
mod filter;
mod option;
mod pattern;
mod reading;
mod replacement;
mod settings;
mod support;
mod transform;

#[cfg(test)]
mod reading_test;

pub use connector::{
    ColumnConfig, ConnectorConfig, ConverterConfig, DatabaseConfig, HeartbeatConfig,
    PublicationConfig, QueueConfig, SlotConfig, SnapshotConfig, ValueConfig,
};
pub use filter::{ColumnFilter, KeyPattern, TableFilter};
pub use option::{
    BinaryHandling, ConversionFailure, DecimalFormat, DecimalHandling, ProcessingFailure,
    PublicationAutocreate, SkippedOperations, SnapshotIsolation, SnapshotMode, SslMode,
    TimePrecision,
};
pub use transform::{DeletedRow, ExtractConfig, FieldReference, RouteConfig, TransformConfig};

use thiserror::Error;

/// All mistakes of a configuration, each naming its key.
#[derive(Debug, Error)]
#[error("the connector's configuration is wrong: {}", .mistakes.join("; "))]
pub struct ConfigError {
    /// One message per mistake.
    pub mistakes: Vec<String>,
}
