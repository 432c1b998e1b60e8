//! Grouped streams and tables, and what aggregates them.

mod aggregate;
mod cogroup;
mod cogroup_windowed;
mod session_store;
mod session_windowed;
mod stream;
mod table;
mod time_store;
mod time_windowed;
mod windowed;

pub(crate) use aggregate::Grouping;
pub use cogroup::CogroupedKStream;
pub use cogroup_windowed::{SessionWindowedCogroupedKStream, TimeWindowedCogroupedKStream};
pub use session_windowed::SessionWindowedKStream;
pub use stream::{KGroupedStream, NeverNull};
pub use table::KGroupedTable;
pub use time_windowed::TimeWindowedKStream;
pub use windowed::{ClosingWindows, WindowedBy};
