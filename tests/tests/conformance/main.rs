//! Our programs beside the JVM's: the same descriptions, the same records.
//!
//! Each module holds the Rust twins of one Java file in `tests/conformance/streams/capture`.

mod fixture;
mod papi;
mod program;
mod text;
