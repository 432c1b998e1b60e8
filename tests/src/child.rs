//! A child process that cannot outlive its parent.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;

use crate::deadline::try_until;
use crate::error::Error;

/// How many lines of a log an error or a failed test shows.
const TAIL_LINES: usize = 30;

/// A program with its output in a log file, in a process group of its own.
///
/// Whatever ends the parent, be it a panic, Ctrl-C or `kill -9`, ends the child: `Drop` kills the
/// group, and `setpriv --pdeathsig` has the kernel do it where no `Drop` runs.
#[derive(Debug)]
pub struct Child {
    name: String,
    process: std::process::Child,
    log: PathBuf,
    /// The length of the log before this child wrote to it: a restarted server appends.
    log_start: u64,
}

/// What to start, and how; it can be started again.
#[derive(Debug, Clone)]
pub(crate) struct Launch {
    name: String,
    program: OsString,
    arguments: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
    directory: Option<PathBuf>,
    log: PathBuf,
    user: Option<&'static str>,
    death_signal: &'static str,
}

impl Launch {
    pub(crate) fn new(name: &str, program: impl AsRef<OsStr>, log: impl Into<PathBuf>) -> Self {
        Self {
            name: name.to_owned(),
            program: program.as_ref().to_owned(),
            arguments: Vec::new(),
            environment: Vec::new(),
            directory: None,
            log: log.into(),
            user: None,
            death_signal: "KILL",
        }
    }

    pub(crate) fn args<S: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = S>) -> Self {
        self.arguments.extend(
            arguments
                .into_iter()
                .map(|argument| argument.as_ref().to_owned()),
        );
        self
    }

    pub(crate) fn env(mut self, key: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.environment
            .push((key.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    pub(crate) fn directory(mut self, directory: impl Into<PathBuf>) -> Self {
        self.directory = Some(directory.into());
        self
    }

    /// Runs as another user of the machine; only root may.
    pub(crate) fn user(mut self, user: Option<&'static str>) -> Self {
        self.user = user;
        self
    }

    /// The signal that the kernel sends when the parent dies; `KILL` unless told.
    pub(crate) fn death_signal(mut self, signal: &'static str) -> Self {
        self.death_signal = signal;
        self
    }

    fn command(&self) -> Command {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", self.death_signal]);
        if let Some(user) = self.user {
            command.args(["--reuid", user, "--regid", user, "--init-groups"]);
        }
        command.arg("--").arg(&self.program).args(&self.arguments);
        command.envs(self.environment.iter().map(|(key, value)| (key, value)));
        if let Some(directory) = &self.directory {
            command.current_dir(directory);
        }
        command.stdin(Stdio::null()).process_group(0);
        command
    }

    /// Starts the program.
    pub(crate) fn spawn(&self) -> Result<Child, Error> {
        let mut command = self.command();
        let log = open_log(&self.log)?;
        let log_start = log
            .metadata()
            .map_err(Error::file("read", &self.log))?
            .len();
        command
            .stdout(log.try_clone().map_err(Error::file("open", &self.log))?)
            .stderr(log);
        let process = spawn_from_lasting_thread(command).map_err(|source| Error::Spawn {
            program: self.program.to_string_lossy().into_owned(),
            source,
        })?;
        Ok(Child {
            name: self.name.clone(),
            process,
            log: self.log.clone(),
            log_start,
        })
    }

    /// Runs the program to its end.
    pub(crate) fn run(&self, limit: Duration) -> Result<(), Error> {
        let mut child = self.spawn()?;
        let status = child.wait(limit)?;
        if status.success() {
            Ok(())
        } else {
            Err(child.ended(status))
        }
    }
}

fn open_log(path: &Path) -> Result<File, Error> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(Error::file("create", folder))?;
    }
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .map_err(Error::file("open", path))
}

type SpawnRequest = (Command, Sender<io::Result<std::process::Child>>);

/// The parent whose death the kernel watches is a thread, not a process: a server that one test's
/// thread started would die with that test. So one thread, which lives as long as the process,
/// starts them all.
fn spawn_from_lasting_thread(command: Command) -> io::Result<std::process::Child> {
    static SPAWNER: OnceLock<Mutex<Sender<SpawnRequest>>> = OnceLock::new();
    let spawner = SPAWNER.get_or_init(|| {
        let (sender, requests) = channel::<SpawnRequest>();
        thread::spawn(move || {
            for (mut command, answer) in requests {
                // A requester that has gone takes the child with it: nobody could stop it.
                if let Err(lost) = answer.send(command.spawn())
                    && let Ok(mut child) = lost.0
                {
                    let _ = child.kill();
                }
            }
        });
        Mutex::new(sender)
    });
    let (answer, result) = channel();
    let gone = || io::Error::other("the thread that starts processes has ended");
    let sent = {
        let spawner = spawner.lock().unwrap_or_else(PoisonError::into_inner);
        spawner.send((command, answer))
    };
    sent.map_err(|_| gone())?;
    result.recv().map_err(|_| gone())?
}

impl Child {
    /// The name that errors call it by.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Where its standard output and error go.
    pub fn log_path(&self) -> &Path {
        &self.log
    }

    /// What it has written since it was started.
    pub fn log(&self) -> String {
        let bytes = fs::read(&self.log).unwrap_or_default();
        let from = usize::try_from(self.log_start)
            .unwrap_or(0)
            .min(bytes.len());
        String::from_utf8_lossy(bytes.get(from..).unwrap_or_default()).into_owned()
    }

    /// The last lines of [`Child::log`].
    pub fn log_tail(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        let first = lines.len().saturating_sub(TAIL_LINES);
        lines.get(first..).unwrap_or_default().join("\n")
    }

    /// Its exit status, or `None` while it runs.
    pub fn exit_status(&mut self) -> Option<ExitStatus> {
        self.process.try_wait().ok().flatten()
    }

    /// Sends a signal to the process (not to its group).
    pub fn signal(&self, signal: Signal) {
        // A child that has ended already has nothing to be told.
        let _ = kill(self.pid(), signal);
    }

    /// Freezes the whole group, as a long stop-the-world pause would.
    pub fn pause(&self) {
        let _ = killpg(self.pid(), Signal::SIGSTOP);
    }

    /// Lets a paused group go on.
    pub fn resume(&self) {
        let _ = killpg(self.pid(), Signal::SIGCONT);
    }

    /// Kills the whole group (`kill -9`) and waits until it is gone.
    pub fn kill(&mut self) -> Option<ExitStatus> {
        if self.exit_status().is_none() {
            let _ = killpg(self.pid(), Signal::SIGKILL);
        }
        self.process.wait().ok()
    }

    /// Sends `signal` and waits for the end; kills what is still there after `limit`.
    ///
    /// # Errors
    ///
    /// [`Error::Deadline`] when it had to be killed.
    pub fn stop(&mut self, signal: Signal, limit: Duration) -> Result<ExitStatus, Error> {
        if self.exit_status().is_none() {
            self.signal(signal);
        }
        let ended = self.wait(limit);
        if ended.is_err() {
            self.kill();
        }
        ended
    }

    /// Waits until it ends by itself.
    ///
    /// # Errors
    ///
    /// [`Error::Deadline`] when it still runs after `limit`.
    pub fn wait(&mut self, limit: Duration) -> Result<ExitStatus, Error> {
        let what = format!("{} had ended", self.name);
        try_until(&what, limit, || Ok(self.exit_status()))
    }

    /// Waits until `probe` returns a value while the process runs.
    ///
    /// # Errors
    ///
    /// [`Error::Ended`] when the process ends first, [`Error::Deadline`] after `limit`.
    pub fn wait_for<T>(
        &mut self,
        what: &str,
        limit: Duration,
        mut probe: impl FnMut(&Self) -> Option<T>,
    ) -> Result<T, Error> {
        let waited = try_until(what, limit, || {
            let exit = self.exit_status();
            match (probe(self), exit) {
                (Some(value), _) => Ok(Some(value)),
                (None, Some(status)) => Err(self.ended(status)),
                (None, None) => Ok(None),
            }
        });
        waited.map_err(|error| match error {
            Error::Deadline { what, waited, .. } => {
                let last = Some(format!(
                    "the log of {} ends with:\n{}",
                    self.name,
                    self.log_tail()
                ));
                Error::Deadline { what, waited, last }
            }
            other => other,
        })
    }

    pub(crate) fn ended(&self, status: ExitStatus) -> Error {
        let (name, log) = (self.name.clone(), self.log_tail());
        Error::Ended {
            name,
            status: status.to_string(),
            log,
        }
    }

    fn pid(&self) -> Pid {
        // A process id fits: Linux gives none above 2^22.
        Pid::from_raw(self.process.id() as i32)
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.kill();
        // What the program left in its group ends too; without any, this finds nobody.
        let _ = killpg(self.pid(), Signal::SIGKILL);
        if thread::panicking() {
            eprintln!("--- last lines of {} ({})", self.name, self.log.display());
            eprintln!("{}\n---", self.log_tail());
        }
    }
}
