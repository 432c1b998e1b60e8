//! A program of this workspace, run as a user would run it.

use std::env;
use std::ffi::OsStr;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use nix::sys::signal::Signal;
use tempfile::TempDir;

use crate::child::{Child, Launch};
use crate::error::{Error, OrFail};

/// How long one HTTP request may take.
const HTTP_LIMIT: Duration = Duration::from_secs(2);

/// Arguments and environment of a program that is to be started.
#[derive(Debug)]
pub struct ProcessBuilder {
    launch: Launch,
    folder: TempDir,
}

/// A running program. Dropping it kills it; in a failing test its last log lines are printed.
#[derive(Debug)]
pub struct Process {
    child: Child,
    launch: Launch,
    folder: TempDir,
}

impl Process {
    /// The workspace's binary `name`, from the folder that this test was built into.
    ///
    /// # Panics
    ///
    /// When it is not built: `./dev test` builds all binaries before the tests.
    #[track_caller]
    pub fn workspace(name: &str) -> ProcessBuilder {
        Self::program(&workspace_binary(name).or_fail())
    }

    /// Any other program.
    #[track_caller]
    pub fn program(path: &Path) -> ProcessBuilder {
        let folder = tempfile::Builder::new().prefix("tributary-").tempdir();
        let folder = folder
            .map_err(Error::file("create", env::temp_dir()))
            .or_fail();
        let name = path
            .file_name()
            .unwrap_or(path.as_os_str())
            .to_string_lossy()
            .into_owned();
        let log = folder.path().join(format!("{name}.log"));
        ProcessBuilder {
            launch: Launch::new(&name, path, log),
            folder,
        }
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// A folder of its own, removed with it: for state directories and config files.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// All that it has written to standard output and error since it was (re)started.
    pub fn log(&self) -> String {
        self.child.log()
    }

    /// Its exit status, or `None` while it runs.
    pub fn exit_status(&mut self) -> Option<ExitStatus> {
        self.child.exit_status()
    }

    /// Waits until its output has a line that contains `text`, and returns that line.
    ///
    /// # Panics
    ///
    /// When it ends first or `limit` passes; the message holds the end of its log.
    #[track_caller]
    pub fn wait_for_line(&mut self, text: &str, limit: Duration) -> String {
        let what = format!("{} wrote `{text}`", self.child.name());
        let line = self.child.wait_for(&what, limit, |child| {
            child
                .log()
                .lines()
                .find(|line| line.contains(text))
                .map(str::to_owned)
        });
        line.or_fail()
    }

    /// Waits until `GET /readyz` on 127.0.0.1:`port` answers 200.
    ///
    /// # Panics
    ///
    /// When it ends first or `limit` passes.
    #[track_caller]
    pub fn wait_ready(&mut self, port: u16, limit: Duration) {
        let what = format!("{} was ready", self.child.name());
        let ready = self.child.wait_for(&what, limit, |_| {
            http_get(port, "/readyz").filter(|(status, _)| *status == 200)
        });
        ready.or_fail();
    }

    /// Waits until it ends by itself.
    ///
    /// # Panics
    ///
    /// When it still runs after `limit`.
    #[track_caller]
    pub fn wait(&mut self, limit: Duration) -> ExitStatus {
        self.child.wait(limit).or_fail()
    }

    /// Kills it (`kill -9`) and waits until it is gone.
    pub fn kill(&mut self) {
        self.child.kill();
    }

    /// Starts it again with the same arguments and folder. Kills it first if it runs.
    ///
    /// The log goes on in the same file; [`Process::log`] and [`Process::wait_for_line`] see what
    /// is written from now on.
    ///
    /// # Panics
    ///
    /// When it cannot be started.
    #[track_caller]
    pub fn restart(&mut self) {
        self.child.kill();
        self.child = self.launch.spawn().or_fail();
    }

    /// Asks it to end (SIGTERM) and waits for that.
    ///
    /// # Panics
    ///
    /// When it still runs after `limit`.
    #[track_caller]
    pub fn terminate(&mut self, limit: Duration) -> ExitStatus {
        self.try_terminate(limit).or_fail()
    }

    /// As [`Process::terminate`].
    ///
    /// # Errors
    ///
    /// [`Error::Deadline`] when it had to be killed after `limit`.
    pub fn try_terminate(&mut self, limit: Duration) -> Result<ExitStatus, Error> {
        self.child.stop(Signal::SIGTERM, limit)
    }

    /// Freezes it, as a long pause of the machine would.
    pub fn pause(&self) {
        self.child.pause();
    }

    /// Lets it go on after a pause.
    pub fn resume(&self) {
        self.child.resume();
    }

    /// Its resident memory in bytes, 0 once it has ended.
    pub fn resident_bytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id()));
        let status = status.unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
        kilobytes.map_or(0, |kilobytes: u64| kilobytes * 1024)
    }
}

impl ProcessBuilder {
    /// Adds arguments.
    #[must_use]
    pub fn args<S: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = S>) -> Self {
        self.launch = self.launch.args(arguments);
        self
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn env(mut self, key: &str, value: &str) -> Self {
        self.launch = self.launch.env(key, value);
        self
    }

    /// The folder that [`Process::folder`] will name: for config files to be written before.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Starts it.
    ///
    /// # Panics
    ///
    /// When it cannot be started.
    #[track_caller]
    pub fn spawn(self) -> Process {
        self.try_spawn().or_fail()
    }

    /// As [`ProcessBuilder::spawn`].
    ///
    /// # Errors
    ///
    /// When it cannot be started.
    pub fn try_spawn(self) -> Result<Process, Error> {
        let Self { launch, folder } = self;
        Ok(Process {
            child: launch.spawn()?,
            launch,
            folder,
        })
    }
}

/// The path of a binary of this workspace, beside the one that is running.
///
/// # Errors
///
/// When it is not built.
pub fn workspace_binary(name: &str) -> Result<PathBuf, Error> {
    let current = env::current_exe().map_err(Error::file("find", "the running program"))?;
    // Tests run from target/<profile>/deps, binaries from target/<profile>.
    let found = current
        .ancestors()
        .skip(1)
        .take(2)
        .map(|folder| folder.join(name));
    found
        .into_iter()
        .find(|path| path.is_file())
        .ok_or_else(|| {
            Error::Missing(format!(
                "binary=`{name}` is not built: run `cargo build --workspace --bins`"
            ))
        })
}

/// `GET http://127.0.0.1:<port><path>`: status and body, or `None` while nobody answers.
pub fn http_get(port: u16, path: &str) -> Option<(u16, String)> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, HTTP_LIMIT).ok()?;
    stream.set_read_timeout(Some(HTTP_LIMIT)).ok()?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split_whitespace().nth(1)?.parse().ok()?;
    Some((status, body.to_owned()))
}
