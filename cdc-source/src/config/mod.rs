//! The connector's configuration: the JSON that Kafka Connect would be given, read and checked.

mod connector;
mod filter;
mod option;
mod transform;

pub use connector::{
    ColumnConfig, ConnectorConfig, ConverterConfig, DatabaseConfig, HeartbeatConfig,
    PublicationConfig, QueueConfig, SlotConfig, SnapshotConfig, ValueConfig,
};
pub use filter::{ColumnFilter, KeyColumns, TableFilter};
pub use option::{
    BinaryHandling, DecimalFormat, DecimalHandling, PublicationAutocreate, SkippedOperations,
    SnapshotIsolation, SnapshotMode, SslMode, TimePrecision,
};
pub use transform::{DeleteHandling, ExtractConfig, FieldReference, RouteConfig, TransformConfig};

use thiserror::Error;

/// All mistakes of a configuration, each naming its key.
#[derive(Debug, Error)]
#[error("the connector configuration has {} mistake(s): {}", .mistakes.len(), .mistakes.join("; "))]
pub struct ConfigError {
    /// One message per mistake.
    pub mistakes: Vec<String>,
}
