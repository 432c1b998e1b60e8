//! Grouped streams and tables, and what aggregates them.

mod aggregate;
mod session_store;
mod session_windowed;
mod stream;
mod time_store;
mod time_windowed;
mod windowed;

pub(crate) use aggregate::Grouping;
pub use session_windowed::SessionWindowedKStream;
pub use stream::KGroupedStream;
pub use time_windowed::TimeWindowedKStream;
pub use windowed::{ClosingWindows, WindowedBy};
