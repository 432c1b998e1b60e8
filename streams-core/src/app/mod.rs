//! `KafkaStreams`: an application's threads, states and end.

mod handlers;
mod process_id;
mod state;
mod streams;
mod supervisor;
mod topics;

pub use state::{State, StateListener};
pub use streams::KafkaStreams;
pub use supervisor::{UncaughtErrorHandler, UncaughtErrorResponse};
