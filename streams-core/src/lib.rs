//! Tributary's run time: records, serdes, topologies, tasks, threads and transactions.

pub mod broker;
pub mod clock;
pub mod config;
pub mod id;
pub mod metrics;
pub mod observability;
pub mod processor;
pub mod record;
pub mod serde;
pub mod store;
pub mod testing;
pub mod topic;
pub mod topology;
pub mod window;

mod app;
mod runtime;
mod task;

mod error;

pub use app::{
    HostInfo, KafkaStreams, KeyQueryMetadata, QueryServer, QueryServerBuilder, State,
    StateListener, StreamsMetadata, StreamsQueries, UncaughtErrorHandler, UncaughtErrorResponse,
};
pub use config::StreamsConfig;
pub use error::{Error, ErrorKind, Result};
pub use id::{TaskId, TopicPartition};
pub use record::{Header, Headers, RawRecord, Record, RecordMetadata};
pub use runtime::StateRestoreListener;
pub use topic::Topic;
pub use topology::{Topology, TopologyBuilder};
