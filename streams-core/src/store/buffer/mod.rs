//! Buffers: records that wait in a store, in the order of their times.

mod change;
mod dirty;
mod time_ordered;
mod value;

pub use change::{BufferStatus, PriorValue, TaskChangeBuffer};
pub use time_ordered::TaskTimeOrderedBuffer;

pub(super) use time_ordered::restore as restore_time_ordered;
pub(super) use value::BufferValue;

use crate::record::Headers;

/// A record that leaves a buffer (`TimeOrderedKeyValueBuffer.Eviction`).
///
/// While it is forwarded, it is the record at hand for the stores of the nodes below.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Eviction<K, V> {
    /// The key.
    pub key: K,
    /// The value, as it was put in.
    pub value: V,
    /// The time of the record that was put in last, in milliseconds since the epoch.
    pub timestamp_ms: i64,
    /// The headers of the record that was put in last.
    pub headers: Headers,
}

/// The time of a changelog record that gets that of its sending, as on the JVM.
const NO_TIMESTAMP: i64 = -1;
