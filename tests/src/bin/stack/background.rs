//! Servers in the background: `./dev up`, `down`, `status`, `logs`.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{self, Command, ExitCode, Stdio};
use std::sync::atomic::Ordering;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};
use streams_tests::{Error, Stack, environment, try_until};

use crate::foreground::told_to_end;
use crate::{Server, stack_options};

/// How long the servers may take to come up, their own limits included.
const UP_LIMIT: Duration = Duration::from_secs(120);
/// How long they may take to stop.
const DOWN_LIMIT: Duration = Duration::from_secs(30);
/// Longer than anyone leaves them running.
const SERVE_LIMIT: Duration = Duration::from_secs(365 * 24 * 3600);

/// What the process that holds the servers tells the others, once they are up.
#[derive(Debug, Serialize, Deserialize)]
struct State {
    pid: i32,
    environment: Vec<(String, String)>,
}

impl State {
    fn path(directory: &Path) -> PathBuf {
        directory.join("up").join("state.json")
    }

    /// The state of the servers that run, `None` if none do.
    fn load(directory: &Path) -> Option<Self> {
        let state: Self = serde_json::from_slice(&fs::read(Self::path(directory)).ok()?).ok()?;
        // A file that a killed holder left behind names a process that is gone, or another one.
        let command = fs::read(format!("/proc/{}/cmdline", state.pid)).ok()?;
        let mut words = command.split(|byte| *byte == 0);
        words.any(|word| word == b"serve").then_some(state)
    }

    fn save(&self, directory: &Path) -> Result<(), Error> {
        let path = Self::path(directory);
        let failed = |source| Error::File {
            action: "write",
            path: path.clone(),
            source,
        };
        // Whoever waits for the file must not see half of it.
        let draft = path.with_extension("draft");
        let text = serde_json::to_vec_pretty(self).map_err(|error| failed(error.into()))?;
        fs::write(&draft, text)
            .and_then(|()| fs::rename(&draft, &path))
            .map_err(failed)
    }

    fn print(&self) {
        for (name, value) in &self.environment {
            println!("export {name}={value}");
        }
    }
}

pub(crate) fn up(directory: &Path) -> Result<ExitCode, Error> {
    if let Some(state) = State::load(directory) {
        state.print();
        return Ok(ExitCode::SUCCESS);
    }
    let folder = directory.join("up");
    let _ = fs::remove_dir_all(&folder);
    let failed = |source| Error::File {
        action: "create",
        path: folder.clone(),
        source,
    };
    fs::create_dir_all(&folder).map_err(failed)?;
    let log = File::create(folder.join("serve.log")).map_err(failed)?;
    let program = std::env::current_exe().map_err(failed)?;
    let mut holder = Command::new(program)
        .arg("--directory")
        .arg(directory)
        .arg("serve")
        .stdin(Stdio::null())
        .stdout(log.try_clone().map_err(failed)?)
        .stderr(log)
        .process_group(0)
        .spawn()
        .map_err(|source| Error::Spawn {
            program: String::from("stack serve"),
            source,
        })?;
    let state = try_until("the servers were up", UP_LIMIT, || {
        if let Ok(Some(status)) = holder.try_wait() {
            let log = fs::read_to_string(folder.join("serve.log")).unwrap_or_default();
            return Err(Error::Ended {
                name: String::from("the servers' holder"),
                status: status.to_string(),
                log,
            });
        }
        Ok(State::load(directory))
    })?;
    state.print();
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn serve(directory: &Path) -> Result<ExitCode, Error> {
    let told = told_to_end()?;
    let stack = Stack::start(&directory.join("up"), stack_options()?)?;
    let own = |(name, value): (&str, String)| (name.to_owned(), value);
    let environment = stack.environment().into_iter().map(own).collect();
    State {
        pid: process::id() as i32,
        environment,
    }
    .save(directory)?;
    try_until("told to end", SERVE_LIMIT, || {
        Ok(told.load(Ordering::Relaxed).then_some(()))
    })?;
    drop(stack);
    let _ = fs::remove_file(State::path(directory));
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn down(directory: &Path) -> Result<ExitCode, Error> {
    let Some(state) = State::load(directory) else {
        println!("down already");
        return Ok(ExitCode::SUCCESS);
    };
    let _ = kill(Pid::from_raw(state.pid), Signal::SIGTERM);
    try_until("the servers were down", DOWN_LIMIT, || {
        Ok(State::load(directory).is_none().then_some(()))
    })?;
    println!("down; the data is removed by the next `up`");
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn status(directory: &Path) -> ExitCode {
    let Some(state) = State::load(directory) else {
        println!("down");
        // As `systemctl status` does for a service that is not running.
        return ExitCode::from(3);
    };
    println!("up (pid {})", state.pid);
    for (name, value) in &state.environment {
        let known = [
            (environment::BOOTSTRAP_SERVERS, "kafka"),
            (environment::POSTGRES_URL, "postgres"),
            (environment::KAFKA_HOME, "jars"),
        ];
        let label = known.iter().find(|(variable, _)| variable == name);
        println!(
            "{:<9} {value}",
            label.map_or(name.as_str(), |(_, label)| label)
        );
    }
    ExitCode::SUCCESS
}

pub(crate) fn logs(
    directory: &Path,
    server: Option<Server>,
    follow: bool,
    lines: usize,
) -> Result<ExitCode, Error> {
    let up = directory.join("up");
    let kafka = (Server::Kafka, up.join("kafka/kafka.log"));
    let postgres = (Server::Postgres, up.join("postgres/postgres.log"));
    let wanted = [kafka, postgres]
        .into_iter()
        .filter(|(name, path)| server.is_none_or(|server| server == *name) && path.is_file());
    let files: Vec<PathBuf> = wanted.map(|(_, path)| path).collect();
    if files.is_empty() {
        return Err(Error::Missing(String::from(
            "no logs: start the servers by `./dev up`",
        )));
    }
    let mut tail = Command::new("tail");
    tail.arg(format!("--lines={lines}"))
        .args(follow.then_some("--follow=name"))
        .args(files);
    let _ = io::stdout().flush();
    // `tail` knows how to follow; it replaces this process.
    let source = tail.exec();
    Err(Error::Spawn {
        program: String::from("tail"),
        source,
    })
}
