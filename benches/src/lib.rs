//! Ours and the peers' on the same work, side by side.

pub mod cdc;
pub mod input;
pub mod measure;
pub mod report;
pub mod workload;

pub use workload::Workload;
