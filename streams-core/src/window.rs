//! Windows of time, and keys that stand for one of them.

use std::fmt;

/// A stretch of time (`org.apache.kafka.streams.kstream.Window`).
///
/// Whether the end belongs to it is told by what made it: the end of a tumbling, hopping or
/// unlimited window is exclusive, that of a sliding or session window inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Window {
    /// The first instant, in milliseconds since the epoch.
    pub start_ms: i64,
    /// The end, in milliseconds since the epoch.
    pub end_ms: i64,
}

impl Window {
    /// The window between two instants, in milliseconds since the epoch.
    pub const fn new(start_ms: i64, end_ms: i64) -> Self {
        Self { start_ms, end_ms }
    }
}

impl fmt::Display for Window {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.start_ms, self.end_ms)
    }
}

/// A key in a window (`org.apache.kafka.streams.kstream.Windowed`). Prints as there: `[key@0/10]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Windowed<K> {
    /// The key.
    pub key: K,
    /// The window.
    pub window: Window,
}

impl<K> Windowed<K> {
    /// This key in this window.
    pub const fn new(key: K, window: Window) -> Self {
        Self { key, window }
    }
}

impl<K: fmt::Display> fmt::Display for Windowed<K> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "[{}@{}]", self.key, self.window)
    }
}
