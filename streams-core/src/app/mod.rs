//! `KafkaStreams`: an application's threads, states and end.

mod handlers;
mod partition_count;
mod process_id;
mod query;
mod query_server;
mod state;
mod streams;
mod supervisor;
mod topics;

pub use query::{HostInfo, KeyQueryMetadata, StreamsMetadata, StreamsQueries};
pub use query_server::{QueryServer, QueryServerBuilder};
pub use state::{State, StateListener};
pub use streams::KafkaStreams;
pub use supervisor::{UncaughtErrorHandler, UncaughtErrorResponse};
