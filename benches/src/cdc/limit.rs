//! The limit: Postgres' own clients, which read the same and write it nowhere.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use streams_tests::{Database, Process, ProcessBuilder, postgres_program};

use super::capture::Capture;
use super::figures;
use super::table;
use crate::Result;
use crate::gauge::{self, Usage};
use crate::report::Run;

/// The processes are short-lived: their memory has to be seen before they end.
const SAMPLE_WAIT: Duration = Duration::from_millis(2);
const LIMIT: Duration = Duration::from_secs(600);

/// `COPY … TO STDOUT` by psql.
///
/// # Errors
/// When it fails.
pub(super) fn copy(database: &Database, changes: usize) -> Result<Run> {
    let copy = format!("COPY {} TO STDOUT", table::NAME);
    let psql = connected("psql", database)?
        .args(["--no-psqlrc", "--quiet", "--output", "/dev/null"])
        .args(["--set", "ON_ERROR_STOP=1", "--command", &copy]);
    run(psql, changes)
}

/// `pg_recvlogical` on the capture's slot up to `end`, an LSN.
///
/// # Errors
/// When it fails.
pub(super) fn receive(
    database: &Database,
    capture: &Capture<'_>,
    end: &str,
    changes: usize,
) -> Result<Run> {
    let publication = format!("publication_names={}", capture.name());
    let receiver = connected("pg_recvlogical", database)?
        .args(["--slot", capture.name(), "--start", "--no-loop"])
        .args(["--endpos", end, "--file", "/dev/null"])
        .args(["--option", "proto_version=1", "--option", &publication]);
    run(receiver, changes)
}

fn connected(program: &str, database: &Database) -> Result<ProcessBuilder> {
    let builder = Process::program(Path::new(&postgres_program(program)?))
        .env("PGPASSWORD", database.password())
        .args([
            "--host",
            database.host(),
            "--port",
            &database.port().to_string(),
        ])
        .args(["--username", database.user(), "--dbname", database.name()]);
    Ok(builder)
}

fn run(builder: ProcessBuilder, changes: usize) -> Result<Run> {
    let started = Instant::now();
    let mut process = builder.spawn();
    let (mut usage, mut rss_peak_mib) = (Usage::default(), 0.0_f64);
    while started.elapsed() < LIMIT {
        usage = gauge::usage(process.id());
        rss_peak_mib = rss_peak_mib.max(usage.rss_peak_mib);
        if !usage.is_alive {
            break;
        }
        thread::sleep(SAMPLE_WAIT);
    }
    let seconds = started.elapsed().as_secs_f64();
    let status = process.wait(SAMPLE_WAIT);
    if !status.success() {
        return Err(format!("the limit ended with {status}: {}", process.log()).into());
    }
    let changes = changes as f64;
    Ok(figures::run([
        (figures::CHANGES_PER_SECOND, changes / seconds),
        (
            figures::CPU_US_PER_CHANGE,
            usage.cpu.as_secs_f64() * 1e6 / changes,
        ),
        (figures::RSS_PEAK_MIB, rss_peak_mib),
        (figures::WHOLE_SECONDS, seconds),
        (figures::WHOLE_CPU_SECONDS, usage.cpu.as_secs_f64()),
    ]))
}
