//! Ours and the peers' on the same work, side by side.
//!
//! Each suite is a module with its command line (`Arguments`) and `run`; `main.rs` chooses. What a
//! suite has measured is a [`report::Report`]: printed, kept as JSON and drawn the same way.

pub mod cdc;
pub mod limit;
pub mod machine;
pub mod micro;
pub mod plot;
pub mod report;
pub mod streams;
pub mod workload;

use mimalloc::MiMalloc;
pub use workload::Workload;

/// For librdkafka and RocksDB too (feature `override`): a record is allocated by one thread and
/// freed by another, for which glibc's allocator locks. The loop that is the limit has it as well.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// How a suite ends: what stopped it is told to the user as text.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;
