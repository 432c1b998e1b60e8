//! A contender's process as it is seen from the outside: its time, its memory, what it says.

use std::thread::sleep;
use std::time::{Duration, Instant};

use streams_tests::{Process, ProcessBuilder};

use crate::Result;
use crate::gauge::{self, Usage};

/// The longest that a contender may take for anything.
pub(super) const LIMIT: Duration = Duration::from_secs(300);
/// How often a running contender is looked at.
pub(super) const LOOK_EVERY: Duration = Duration::from_millis(10);
/// How long it may take to end when it is told to.
const END_LIMIT: Duration = Duration::from_secs(30);
/// How many of its last lines an error shows.
const LINES_SHOWN: usize = 20;

/// A running contender.
pub(super) struct Running {
    process: Process,
    started: Instant,
    ready: Option<Duration>,
}

impl Running {
    pub(super) fn start(builder: ProcessBuilder) -> Result<Self> {
        let started = Instant::now();
        Ok(Self {
            process: builder.try_spawn()?,
            started,
            ready: None,
        })
    }

    /// Kills it (`kill -9`).
    pub(super) fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts it again with what it was started with.
    pub(super) fn restart(&mut self) {
        self.started = Instant::now();
        self.ready = None;
        self.process.restart();
    }

    /// Since it was started.
    pub(super) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// When it said that it is ready, if it has; to be asked often until it has.
    ///
    /// # Errors
    ///
    /// If it has ended.
    pub(super) fn ready(&mut self) -> Result<Option<Duration>> {
        if self.ready.is_none() {
            let said = self.process.log().lines().any(|line| line == "READY");
            self.ready = said.then(|| self.started.elapsed());
            if let Some(status) = self.process.exit_status() {
                return Err(format!("it ended with {status}:\n{}", self.last_lines()).into());
            }
        }
        Ok(self.ready)
    }

    /// Waits until `probe` has a value, and looks at the process in the meantime.
    ///
    /// # Errors
    ///
    /// The probe's error, or if the process ends or takes too long.
    pub(super) fn wait<T>(
        &mut self,
        what: &str,
        mut probe: impl FnMut(&mut Self) -> Result<Option<T>>,
    ) -> Result<T> {
        let start = Instant::now();
        loop {
            self.ready()?;
            if let Some(value) = probe(self)? {
                return Ok(value);
            }
            if start.elapsed() > LIMIT {
                return Err(format!("waited in vain until {what}:\n{}", self.last_lines()).into());
            }
        }
    }

    /// Waits until it is ready.
    ///
    /// # Errors
    ///
    /// If it ends or takes too long.
    pub(super) fn wait_ready(&mut self) -> Result<Duration> {
        self.wait("it was ready", |running| {
            sleep(LOOK_EVERY);
            running.ready()
        })
    }

    /// What it has used so far, all its threads together.
    pub(super) fn usage(&self) -> Usage {
        gauge::usage(self.process.id())
    }

    /// Tells it to end, and waits for that.
    ///
    /// # Errors
    ///
    /// If it does not end well.
    pub(super) fn stop(mut self) -> Result<()> {
        let status = self.process.try_terminate(END_LIMIT)?;
        if status.success() {
            return Ok(());
        }
        Err(format!("it ended with {status}:\n{}", self.last_lines()).into())
    }

    fn last_lines(&self) -> String {
        let log = self.process.log();
        let lines: Vec<&str> = log.lines().collect();
        let from = lines.len().saturating_sub(LINES_SHOWN);
        lines.get(from..).unwrap_or_default().join("\n")
    }
}
