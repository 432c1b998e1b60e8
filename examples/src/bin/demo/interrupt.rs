//! Ctrl-C, and whatever else asks the demo to end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;
use streams_tests::{Error, try_until};

/// How long a pause may take to notice the wish.
const SLICE: Duration = Duration::from_millis(25);

/// The wish to end. Signals may come twice, from the terminal and from `./dev`; the demo ends as
/// fast as its processes do in any case, so a second one changes nothing.
#[derive(Debug, Clone)]
pub(crate) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Listens from now on.
    pub(crate) fn install() -> Result<Self, Error> {
        let wish = Arc::new(AtomicBool::new(false));
        for signal in [SIGHUP, SIGINT, SIGTERM] {
            flag::register(signal, Arc::clone(&wish))
                .map_err(|error| Error::Missing(format!("cannot listen to signals: {error}")))?;
        }
        Ok(Self(wish))
    }

    /// Whether the demo should end.
    pub(crate) fn is_requested(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// An error once the demo should end.
    pub(crate) fn check(&self) -> Result<(), Error> {
        match self.is_requested() {
            true => Err(Error::Missing(String::from("interrupted"))),
            false => Ok(()),
        }
    }

    /// Lets time pass; an error as soon as the demo should end.
    pub(crate) fn pause(&self, time: Duration) -> Result<(), Error> {
        let end = Instant::now() + time;
        loop {
            self.check()?;
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            thread::sleep(left.min(SLICE));
        }
    }

    /// Polls until `probe` returns a value or the demo should end.
    pub(crate) fn wait_until<T>(
        &self,
        what: &str,
        limit: Duration,
        mut probe: impl FnMut() -> Result<Option<T>, Error>,
    ) -> Result<T, Error> {
        try_until(what, limit, || {
            self.check()?;
            probe()
        })
    }
}
