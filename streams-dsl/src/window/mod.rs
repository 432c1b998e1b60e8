//! Windows: how a stream is cut into stretches of time, and when each of them is closed.

mod join;
mod session;
mod sliding;
mod time;
mod unlimited;

use std::time::Duration;

use streams_core::window::Window;

pub use join::JoinWindows;
pub use session::SessionWindows;
pub use sliding::SlidingWindows;
pub use time::TimeWindows;
pub use unlimited::UnlimitedWindows;

/// Windows whose beginnings are known without a look at other records: `TimeWindows` and
/// `UnlimitedWindows`.
pub(crate) trait FixedWindows: Copy + Send + Sync + 'static {
    /// The windows that a record of this time belongs to, the first to begin coming first.
    fn windows_for(&self, timestamp_ms: i64) -> impl Iterator<Item = Window> + use<Self>;

    /// How long a window is, in milliseconds.
    fn size_ms(&self) -> i64;

    /// How long a window takes records after its end, in milliseconds of stream time.
    fn grace_ms(&self) -> i64;
}

/// Whole milliseconds, as Kafka Streams counts time; what is beyond its numbers is its last one.
pub(crate) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// Milliseconds that are not negative.
fn duration(ms: i64) -> Duration {
    Duration::from_millis(ms.max(0).cast_unsigned())
}
