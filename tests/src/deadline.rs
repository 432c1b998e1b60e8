//! Waiting: a condition is polled until it holds or its time is up. Nothing else here sleeps.

use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::error::{Error, OrFail};

/// The first pause between two polls; it doubles up to [`POLL_MAX`].
const POLL_MIN: Duration = Duration::from_millis(5);
/// The longest pause between two polls.
const POLL_MAX: Duration = Duration::from_millis(50);

/// Polls `probe` until it returns a value; fails the test after `limit`.
///
/// `what` completes the sentence "waited in vain until …".
///
/// # Panics
///
/// When `limit` has passed without a value.
#[track_caller]
pub fn wait_until<T>(what: &str, limit: Duration, mut probe: impl FnMut() -> Option<T>) -> T {
    try_until(what, limit, || Ok(probe())).or_fail()
}

/// Polls `probe` until it returns `Ok(Some(value))`.
///
/// An `Err` ends the wait at once: return `Ok(None)` for what may still come right.
///
/// # Errors
///
/// The probe's own error, or [`Error::Deadline`] once `limit` has passed.
pub fn try_until<T>(
    what: &str,
    limit: Duration,
    mut probe: impl FnMut() -> Result<Option<T>, Error>,
) -> Result<T, Error> {
    let start = Instant::now();
    let mut pause = POLL_MIN;
    loop {
        if let Some(value) = probe()? {
            return Ok(value);
        }
        if start.elapsed() >= limit {
            let what = what.to_owned();
            return Err(Error::Deadline {
                what,
                waited: limit,
                last: None,
            });
        }
        sleep(pause);
        pause = (pause * 2).min(POLL_MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn value_that_comes_later_is_returned() {
        let mut polls = 0;
        let value = wait_until("three polls", Duration::from_secs(5), || {
            polls += 1;
            (polls == 3).then_some(polls)
        });
        assert_eq!(value, 3);
    }

    #[test]
    #[should_panic(expected = "waited 20 ms in vain until pigs fly")]
    fn condition_that_never_holds_fails_with_its_name() {
        wait_until::<()>("pigs fly", Duration::from_millis(20), || None);
    }
}
