//! Grouped streams and tables, and what aggregates them.

mod aggregate;
mod stream;

pub(crate) use aggregate::Grouping;
pub use stream::KGroupedStream;
