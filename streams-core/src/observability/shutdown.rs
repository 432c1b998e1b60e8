//! How a process learns that it should stop.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use signal_hook::iterator::{Handle, Signals};
use tokio::sync::watch;

use crate::error::{Error, ErrorKind, Result};

/// The wish to stop, from SIGTERM, SIGINT or the program itself; clones share it.
///
/// The first signal is a wish; a second one of either kind ends the process at once, with the exit
/// code shells expect (128 and the signal's number).
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use streams_core::observability::ShutdownSignal;
///
/// let shutdown = ShutdownSignal::install()?;
/// assert!(!shutdown.wait_for(Duration::from_millis(1)));
/// shutdown.request();
/// shutdown.wait();
/// assert!(shutdown.is_requested());
/// # Ok::<(), streams_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct ShutdownSignal(Arc<Installed>);

#[derive(Debug)]
struct Installed {
    wish: Arc<Wish>,
    listener: Handle,
    handlers: Vec<signal_hook::SigId>,
}

#[derive(Debug)]
struct Wish {
    requested: Mutex<bool>,
    changed: Condvar,
    watched: watch::Sender<bool>,
}

impl ShutdownSignal {
    /// Listens to SIGTERM and SIGINT from now on, until the last clone is dropped.
    ///
    /// # Errors
    /// If the system refuses a handler or a thread.
    pub fn install() -> Result<Self> {
        let failed = |error: std::io::Error| {
            Error::with_source(ErrorKind::Io, "cannot listen to SIGTERM and SIGINT", error)
        };
        let wish = Arc::new(Wish {
            requested: Mutex::new(false),
            changed: Condvar::new(),
            watched: watch::Sender::new(false),
        });
        let mut signals = Signals::new([SIGTERM, SIGINT]).map_err(failed)?;
        let listener = signals.handle();
        let seen = Arc::new(AtomicBool::new(false));
        let mut handlers = Vec::new();
        for signal in [SIGTERM, SIGINT] {
            // Handlers run in the order they are registered: the flag is not set yet when the
            // first signal asks for it. Both run in the signal handler itself, so that the second
            // signal ends a process whose threads hang.
            let exit = flag::register_conditional_shutdown(signal, 128 + signal, seen.clone());
            handlers.push(exit.map_err(failed)?);
            handlers.push(flag::register(signal, seen.clone()).map_err(failed)?);
        }
        let heard = wish.clone();
        let listen = move || {
            for signal in signals.forever() {
                tracing::info!(signal, "asked to stop");
                heard.request();
            }
        };
        thread::Builder::new()
            .name("signals".to_owned())
            .spawn(listen)
            .map_err(failed)?;
        Ok(Self(Arc::new(Installed {
            wish,
            listener,
            handlers,
        })))
    }

    /// Whether the process should stop.
    pub fn is_requested(&self) -> bool {
        *self.0.wish.watched.borrow()
    }

    /// Wishes to stop, as a signal does.
    pub fn request(&self) {
        self.0.wish.request();
    }

    /// Blocks until the process should stop.
    pub fn wait(&self) {
        let wish = &self.0.wish;
        let requested = wish
            .requested
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        drop(wish.changed.wait_while(requested, |requested| !*requested));
    }

    /// Blocks until the process should stop, or for this long; says whether it should.
    pub fn wait_for(&self, timeout: Duration) -> bool {
        let wish = &self.0.wish;
        let deadline = Instant::now().checked_add(timeout);
        let requested = wish
            .requested
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let Some(deadline) = deadline else {
            drop(requested);
            self.wait();
            return true;
        };
        let remaining = deadline.saturating_duration_since(Instant::now());
        let waited = wish
            .changed
            .wait_timeout_while(requested, remaining, |asked| !*asked);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }

    /// Completes when the process should stop.
    pub async fn requested(&self) {
        let mut watched = self.0.wish.watched.subscribe();
        // The sender lives as long as `self`: waiting cannot fail.
        let _ = watched.wait_for(|requested| *requested).await;
    }
}

impl Wish {
    fn request(&self) {
        *self
            .requested
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
        self.watched.send_replace(true);
    }
}

impl Drop for Installed {
    fn drop(&mut self) {
        self.listener.close();
        for handler in self.handlers.drain(..) {
            signal_hook::low_level::unregister(handler);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::process::{Command, ExitStatus};

    use signal_hook::low_level::raise;

    use super::*;

    const CHILD: &str = "TRIBUTARY_TEST_SIGNALS";
    const PATIENCE: Duration = Duration::from_secs(30);

    /// Runs this very test in a process of its own, where signals hurt no other test.
    fn in_child(test: &str, signals: &str) -> ExitStatus {
        Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                &format!("observability::shutdown::tests::{test}"),
            ])
            .env(CHILD, signals)
            .output()
            .unwrap()
            .status
    }

    #[test]
    fn the_first_signal_is_a_wish() {
        if std::env::var_os(CHILD).is_none() {
            assert!(in_child("the_first_signal_is_a_wish", "1").success());
            return;
        }
        let shutdown = ShutdownSignal::install().unwrap();
        assert!(!shutdown.is_requested());
        raise(SIGTERM).unwrap();
        assert!(shutdown.wait_for(PATIENCE));
    }

    #[test]
    fn the_second_signal_ends_the_process_at_once() {
        if std::env::var_os(CHILD).is_none() {
            let status = in_child("the_second_signal_ends_the_process_at_once", "2");
            assert_eq!(status.code(), Some(128 + SIGINT));
            return;
        }
        let shutdown = ShutdownSignal::install().unwrap();
        raise(SIGTERM).unwrap();
        assert!(shutdown.wait_for(PATIENCE));
        raise(SIGINT).unwrap();
        unreachable!("the second signal ends the process");
    }

    #[test]
    fn a_request_wakes_those_who_wait_and_those_who_await() {
        let shutdown = ShutdownSignal::install().unwrap();
        let waiting = shutdown.clone();
        let waiter = thread::spawn(move || waiting.wait_for(PATIENCE));
        shutdown.request();
        assert!(waiter.join().unwrap());
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        runtime.block_on(shutdown.requested());
        shutdown.wait();
    }
}
