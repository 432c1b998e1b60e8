//! One window without an end.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use streams_core::window::Window;

use super::{FixedWindows, millis};

/// One window that never ends (`org.apache.kafka.streams.kstream.UnlimitedWindows`).
///
/// It never closes, so there is nothing to emit on its close, and nothing to suppress until then.
/// Records before its beginning are in no window.
///
/// ```
/// use streams_dsl::{UnlimitedWindows, Window};
///
/// let windows = UnlimitedWindows::of();
/// assert_eq!(windows.window_for(5), Some(Window::new(0, i64::MAX)));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnlimitedWindows {
    start_ms: i64,
}

impl UnlimitedWindows {
    /// The window that begins at time 0.
    pub const fn of() -> Self {
        Self { start_ms: 0 }
    }

    /// The window that begins at `start`; a time before 1970 is refused by
    /// [`StreamsBuilder::build`](crate::StreamsBuilder::build).
    #[must_use]
    pub fn start_on(mut self, start: SystemTime) -> Self {
        self.start_ms = match start.duration_since(UNIX_EPOCH) {
            Ok(since) => millis(since),
            Err(before) => -millis(before.duration()).max(1),
        };
        self
    }

    /// The window, if a record of this time, in milliseconds since the epoch, is in it.
    pub fn window_for(&self, timestamp_ms: i64) -> Option<Window> {
        let window = Window::new(self.start_ms, i64::MAX);
        (timestamp_ms >= self.start_ms).then_some(window)
    }

    /// When the window begins.
    pub fn start(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(self.start_ms.max(0).cast_unsigned())
    }

    /// What keeps this from being a window.
    pub(crate) fn mistake(self) -> Option<String> {
        let is_possible = self.start_ms >= 0;
        (!is_possible).then(|| "has a window that begins before 1970".to_owned())
    }
}

impl FixedWindows for UnlimitedWindows {
    fn windows_for(&self, timestamp_ms: i64) -> impl Iterator<Item = Window> + use<> {
        self.window_for(timestamp_ms).into_iter()
    }

    fn size_ms(&self) -> i64 {
        i64::MAX
    }

    fn grace_ms(&self) -> i64 {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_records_from_its_beginning_on_are_in_the_window() {
        let start = UNIX_EPOCH + Duration::from_millis(10);
        let windows = UnlimitedWindows::of().start_on(start);
        assert_eq!(windows.window_for(9), None);
        let window = Window::new(10, i64::MAX);
        assert_eq!(windows.window_for(10), Some(window));
        assert_eq!(windows.window_for(i64::MAX), Some(window));
        assert_eq!(windows.start(), start);
    }

    #[test]
    fn a_beginning_before_1970_is_a_mistake() {
        let early = UNIX_EPOCH - Duration::from_nanos(1);
        assert!(UnlimitedWindows::of().start_on(early).mistake().is_some());
        assert_eq!(UnlimitedWindows::of().mistake(), None);
    }
}
