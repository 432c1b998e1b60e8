//! A command with servers of its own: `./dev test` and `./dev demo`.

use std::io::IsTerminal;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, ExitCode, ExitStatus};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;
use streams_tests::{Error, Stack, try_until};

use crate::folder::RunFolder;
use crate::stack_options;

/// How long the command may go on after it was told to end.
const END_LIMIT: Duration = Duration::from_secs(15);
/// The exit code of an interrupted command, as shells have it.
const INTERRUPTED: i32 = 130;
/// Longer than any run: the CI ends after 90 minutes.
const RUN_LIMIT: Duration = Duration::from_secs(24 * 3600);

/// Set by the first signal that asks this process to end. The second ends it at once, and the
/// kernel ends the servers with it.
pub(crate) fn told_to_end() -> Result<Arc<AtomicBool>, Error> {
    let told = Arc::new(AtomicBool::new(false));
    for signal in [SIGHUP, SIGINT, SIGTERM] {
        let first = flag::register_conditional_shutdown(signal, INTERRUPTED, Arc::clone(&told));
        let both = first.and_then(|_| flag::register(signal, Arc::clone(&told)));
        both.map_err(|source| Error::File {
            action: "handle signals of",
            path: "the stack".into(),
            source,
        })?;
    }
    Ok(told)
}

pub(crate) fn run(directory: &Path, command: &[String]) -> Result<ExitCode, Error> {
    let told = told_to_end()?;
    let folder = RunFolder::create(directory)?;
    let result = run_in(folder.path(), command, &told);
    let succeeded = matches!(&result, Ok(status) if status.success());
    folder.remove(!succeeded && !told.load(Ordering::Relaxed));
    result.map(exit_code)
}

fn run_in(folder: &Path, command: &[String], told: &AtomicBool) -> Result<ExitStatus, Error> {
    let start = Instant::now();
    let stack = Stack::start(folder, stack_options()?)?;
    if std::io::stderr().is_terminal() {
        let kafka = stack.kafka.bootstrap_servers();
        let (port, seconds) = (stack.postgres.port(), start.elapsed().as_secs_f32());
        eprintln!("stack: Kafka on {kafka}, Postgres on port {port}, up in {seconds:.1} s");
    }
    if told.load(Ordering::Relaxed) {
        return Ok(ExitStatus::from_raw(Signal::SIGINT as i32));
    }
    let mut child = spawn(&stack, command)?;
    try_until("the command had ended", RUN_LIMIT, || {
        let over = told.load(Ordering::Relaxed) || exited(&mut child)?.is_some();
        Ok(over.then_some(()))
    })?;
    let status = match exited(&mut child)? {
        Some(status) => status,
        None => end(&mut child)?,
    };
    drop(stack);
    Ok(status)
}

/// The command stays in this process group: Ctrl-C reaches it, and it may use the terminal.
fn spawn(stack: &Stack, command: &[String]) -> Result<Child, Error> {
    // Should this process be killed, the kernel ends the command.
    let spawned = Command::new("setpriv")
        .args(["--pdeathsig", "TERM", "--"])
        .args(command)
        .envs(stack.environment())
        .spawn();
    spawned.map_err(|source| Error::Spawn {
        program: command.join(" "),
        source,
    })
}

fn exited(child: &mut Child) -> Result<Option<ExitStatus>, Error> {
    child.try_wait().map_err(|source| Error::File {
        action: "wait for",
        path: "the command".into(),
        source,
    })
}

fn end(child: &mut Child) -> Result<ExitStatus, Error> {
    let _ = kill(Pid::from_raw(child.id() as i32), Signal::SIGTERM);
    let ended = try_until("the command had ended", END_LIMIT, || exited(child));
    if ended.is_err() {
        let _ = child.kill();
    }
    ended
}

/// The command's exit code, or the shell's 128 + signal.
fn exit_code(status: ExitStatus) -> ExitCode {
    let code = status
        .code()
        .or_else(|| status.signal().map(|signal| 128 + signal))
        .unwrap_or(1);
    ExitCode::from(u8::try_from(code).unwrap_or(1))
}
