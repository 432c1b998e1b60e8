//! From the commit in Postgres to a `read_committed` reader of the topic, at a steady rate.

use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use streams_tests::{Process, Session, wait_until};

use super::audit::Audit;
use super::capture::Capture;
use super::figures;
use super::table::Table;
use super::topic::Reader;
use crate::Result;
use crate::gauge::{self, Usage};
use crate::report::Run;

/// Transactions a second; the rate sets how many rows each has.
const TRANSACTIONS_PER_SECOND: usize = 1_000;
const START_LIMIT: Duration = Duration::from_secs(120);
/// How long the reader waits for the next record.
const READ_LIMIT: Duration = Duration::from_secs(60);
/// By how much the commit's time may lie outside of what the writer saw of it: they are read from
/// one clock, but rounded.
const CLOCK_TOLERANCE_US: i64 = 1_000;

/// What is written, and how fast.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// Changes a second, a multiple of the transactions.
    pub(super) rate: usize,
    /// How long a contender may warm up.
    pub(super) warm_up: Duration,
    /// How long it is measured.
    pub(super) measured: Duration,
}

impl Pace {
    fn changes_in(self, time: Duration) -> i64 {
        (transactions_in(time) * self.rows()) as i64
    }

    /// Rows of a transaction.
    pub(super) fn rows(self) -> usize {
        (self.rate / TRANSACTIONS_PER_SECOND).max(1)
    }

    /// All changes, with those of the warm-up.
    pub(super) fn changes(self) -> i64 {
        self.changes_in(self.warm_up) + self.changes_in(self.measured)
    }
}

fn transactions_in(time: Duration) -> usize {
    (time.as_secs_f64() * TRANSACTIONS_PER_SECOND as f64) as usize
}

/// When the writer sent a transaction, and when it had its answer, µs since 1970.
type Written = Vec<(i64, i64)>;

/// Measures a contender that has just been started on the capture.
///
/// # Errors
/// When a change is missing, wrong or doubled.
pub(super) fn measure(
    process: &mut Process,
    started: Instant,
    capture: &Capture<'_>,
    reader: &mut Reader,
    (pace, database_url): (Pace, &str),
    mut audit: Audit,
) -> Result<Run> {
    wait_until("the contender was streaming", START_LIMIT, || {
        (capture.is_streaming() || process.exit_status().is_some()).then_some(())
    });
    let total = pace.changes();
    let warm = pace.changes_in(pace.warm_up);
    let mut first_output = None;
    let (mut usage_warm, mut latencies_us) = (Usage::default(), Vec::new());
    let mut commits = Vec::new();
    let (read, written) = thread::scope(|scope| {
        let writer = scope.spawn(|| write(database_url, pace).map_err(|error| error.to_string()));
        let read = reader.read(READ_LIMIT, true, |key, value| {
            let seen = audit.take(key, value)?;
            let now_us = now_us();
            first_output.get_or_insert_with(Instant::now);
            if seen.id == warm {
                usage_warm = gauge::usage(process.id());
            }
            if seen.id > warm {
                latencies_us.push(now_us - seen.commit_us);
            }
            commits.push(seen.commit_us);
            Ok(seen.id < total)
        });
        (read, writer.join())
    });
    let usage = gauge::usage(process.id());
    read?;
    audit.finish()?;
    let written = written.map_err(|_| "the writer panicked")??;
    check_clocks(&commits, &written, pace)?;
    let first_output = first_output.unwrap_or(started);
    let cpu = usage.cpu.saturating_sub(usage_warm.cpu).as_secs_f64();
    let percentile = |share: f64| percentile(&mut latencies_us.clone(), share);
    Ok(figures::run([
        (figures::CHANGES_PER_SECOND, kept_rate(&written, pace)),
        (figures::LATENCY_P50_MS, percentile(0.5)),
        (figures::LATENCY_P99_MS, percentile(0.99)),
        (figures::LATENCY_MAX_MS, percentile(1.0)),
        (
            figures::CPU_US_PER_CHANGE,
            cpu * 1e6 / latencies_us.len() as f64,
        ),
        (figures::RSS_PEAK_MIB, usage.rss_peak_mib),
        (
            figures::FIRST_OUTPUT_MS,
            first_output.duration_since(started).as_secs_f64() * 1e3,
        ),
    ]))
}

/// Writes at the pace, one transaction after the other.
fn write(database_url: &str, pace: Pace) -> Result<Written> {
    let session = Session::connect(database_url)?;
    let rows = pace.rows();
    let count = transactions_in(pace.warm_up) + transactions_in(pace.measured);
    let mut written = Written::with_capacity(count);
    let started = Instant::now();
    for number in 0..count {
        let due = started + Duration::from_secs(1) * number as u32 / TRANSACTIONS_PER_SECOND as u32;
        thread::sleep(due.saturating_duration_since(Instant::now()));
        let (first, last) = (number * rows + 1, (number + 1) * rows);
        let insert = Table::SMALL.insert(&first.to_string(), &last.to_string());
        let sent_us = now_us();
        session.execute(&insert)?;
        written.push((sent_us, now_us()));
    }
    Ok(written)
}

/// The changes a second that were written while it was measured: fewer than planned where the
/// contender leaves the database too little of the machine.
fn kept_rate(written: &Written, pace: Pace) -> f64 {
    let measured = written.get(transactions_in(pace.warm_up)..);
    let (first, last) = match measured {
        Some([(first, _), .., (_, last)]) => (*first, *last),
        _ => (0, 0),
    };
    pace.changes_in(pace.measured) as f64 * 1e6 / (last - first) as f64
}

/// The commits' times are what the contender says; the writer knows within what they must lie.
fn check_clocks(commits: &[i64], written: &Written, pace: Pace) -> Result<()> {
    for (index, commit_us) in commits.iter().enumerate() {
        let Some((sent_us, answered_us)) = written.get(index / pace.rows()) else {
            return Err("there are more events than were written".into());
        };
        let early = commit_us + CLOCK_TOLERANCE_US < *sent_us;
        if early || *commit_us > answered_us + CLOCK_TOLERANCE_US {
            let message = format!(
                "event {index} says its commit was at {commit_us} µs; it was sent at {sent_us} \
                 and answered at {answered_us}"
            );
            return Err(message.into());
        }
    }
    Ok(())
}

/// In milliseconds.
fn percentile(latencies_us: &mut [i64], share: f64) -> f64 {
    latencies_us.sort_unstable();
    let last = latencies_us.len().saturating_sub(1);
    let index = (last as f64 * share).ceil() as usize;
    latencies_us
        .get(index)
        .map_or(f64::NAN, |us| *us as f64 / 1e3)
}

fn now_us() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |elapsed| elapsed.as_micros() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_the_sorted_latencies() {
        let mut latencies: Vec<i64> = (1..=100).rev().map(|ms| ms * 1_000).collect();
        assert!((percentile(&mut latencies, 1.0) - 100.0).abs() < 1e-9);
        assert!((percentile(&mut latencies, 0.99) - 100.0).abs() < 1e-9);
        assert!((percentile(&mut latencies, 0.5) - 51.0).abs() < 1e-9);
    }

    #[test]
    fn commit_outside_of_what_the_writer_saw_is_refused() {
        let pace = Pace {
            rate: 2_000,
            warm_up: Duration::ZERO,
            measured: Duration::from_secs(1),
        };
        let written = vec![(10_000, 20_000), (30_000, 40_000)];
        assert!(check_clocks(&[15_000, 15_000, 39_000], &written, pace).is_ok());
        assert!(check_clocks(&[15_000, 8_000], &written, pace).is_err());
        assert!(check_clocks(&[15_000, 22_000], &written, pace).is_err());
    }
}
