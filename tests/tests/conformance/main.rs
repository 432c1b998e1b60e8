//! Our programs beside the JVM's: the same descriptions, the same records.
//!
//! Each module holds the Rust twins of one Java file in `tests/conformance/streams/capture`.

#![allow(
    clippy::expect_used,
    clippy::ptr_arg,
    clippy::unnecessary_wraps,
    reason = "a test may fail, and functions have the types that the operators take"
)]

mod aggregate;
mod coverage;
mod failure;
mod fixture;
mod global_table;
mod optimization;
mod papi;
mod partition;
mod process;
mod program;
mod punctuation;
mod repartition;
mod shape;
mod sink;
mod source;
mod split;
mod stateless;
mod stream_join;
mod suppress;
mod table;
mod table_aggregate;
mod table_join;
mod text;
mod window;
mod window_walk;
