//! A contender from its start until the topic holds everything, seen from the outside.

use std::thread;
use std::time::{Duration, Instant};

use streams_tests::Process;

use super::figures;
use super::topic::{End, Ends};
use crate::Result;
use crate::gauge::{self, Usage};
use crate::report::Run;

/// The part of the records after which a contender is warm.
const WARM_UP_SHARE: i64 = 3;
const SAMPLE_WAIT: Duration = Duration::from_millis(20);
/// For how long the topic must not have grown before it is taken to be complete.
const QUIET: Duration = Duration::from_millis(1_500);
/// For how long it may not grow before the contender is taken to be stuck. A large transaction is
/// decoded as a whole before its first change comes.
const STALL_LIMIT: Duration = Duration::from_secs(300);

/// What has to come.
#[derive(Debug, Clone, Copy)]
pub(super) struct Work {
    /// Changes of the database.
    pub(super) changes: usize,
    /// The records that they become.
    pub(super) records: i64,
}

#[derive(Debug, Clone, Copy)]
struct Sample {
    at: Instant,
    end: End,
    usage: Usage,
}

/// Watches until the topic has the work's records, all committed, and stays as it is.
///
/// # Errors
/// When the contender ends, or its topic stops growing before.
pub(super) fn watch(
    process: &mut Process,
    started: Instant,
    ends: &Ends,
    work: Work,
) -> Result<Run> {
    let mut last = Sample {
        at: started,
        end: End::default(),
        usage: Usage::default(),
    };
    let (mut first, mut warm) = (None, None);
    loop {
        let sample = Sample {
            end: ends.now()?,
            at: Instant::now(),
            usage: gauge::usage(process.id()),
        };
        if !sample.usage.is_alive {
            return Err(format!("it ended:\n{}", tail(&process.log())).into());
        }
        if sample.end.written > 0 && first.is_none() {
            first = Some(sample);
        }
        if sample.end.written >= work.records / WARM_UP_SHARE && warm.is_none() {
            warm = Some(sample);
        }
        let quiet = sample.at.duration_since(last.at);
        if sample.end != last.end {
            last = sample;
        } else if is_complete(sample.end, work) && quiet >= QUIET {
            break;
        } else if quiet >= STALL_LIMIT {
            let (end, log) = (sample.end.written, tail(&process.log()));
            return Err(format!("its topic stays at {end}:\n{log}").into());
        }
        thread::sleep(SAMPLE_WAIT);
    }
    let rss_peak_mib = gauge::usage(process.id()).rss_peak_mib;
    let (first, warm) = (first.unwrap_or(last), warm.unwrap_or(last));
    // Nothing is left to measure where the topic was complete at the first look.
    let share = 1.0 - warm.end.written as f64 / work.records as f64;
    let changes = share.max(0.0) * work.changes as f64;
    let cpu = last.usage.cpu.saturating_sub(warm.usage.cpu);
    Ok(figures::run([
        (
            figures::CHANGES_PER_SECOND,
            changes / last.at.duration_since(warm.at).as_secs_f64(),
        ),
        (
            figures::CPU_US_PER_CHANGE,
            cpu.as_secs_f64() * 1e6 / changes,
        ),
        (figures::RSS_PEAK_MIB, rss_peak_mib),
        (
            figures::FIRST_OUTPUT_MS,
            first.at.duration_since(started).as_secs_f64() * 1e3,
        ),
        (
            figures::WHOLE_SECONDS,
            last.at.duration_since(started).as_secs_f64(),
        ),
        (figures::WHOLE_CPU_SECONDS, last.usage.cpu.as_secs_f64()),
    ]))
}

fn is_complete(end: End, work: Work) -> bool {
    end.written >= work.records && end.committed == end.written
}

/// The last lines of a log.
pub(super) fn tail(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    let first = lines.len().saturating_sub(30);
    lines.get(first..).unwrap_or_default().join("\n")
}
