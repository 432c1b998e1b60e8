//! How fast an input is worked off, and what each record costs.

use std::thread::sleep;
use std::time::{Duration, Instant};

use super::measure::LOOK_EVERY;
use super::run::Job;
use crate::Result;
use crate::report::{Figure, Run};

const RATE: &str = "records/s";
const COST: &str = "CPU µs/record";
const MEMORY: &str = "peak RSS, MiB";
const READY: &str = "start to READY, ms";
const FIRST: &str = "start to first output, ms";
/// The part of the input after which a contender is warm.
const WARM_UP_SHARE: usize = 3;

struct Sample {
    at: Instant,
    cpu: Duration,
    done: usize,
}

/// What is looked at.
pub(super) fn figures() -> Vec<Figure> {
    vec![
        Figure::more(RATE),
        Figure::less(COST),
        Figure::less(MEMORY),
        Figure::less(READY),
        Figure::less(FIRST),
    ]
}

/// Runs a contender until its group has committed the whole input, and checks what came out.
pub(super) fn run(job: &Job<'_>) -> Result<Run> {
    let (topics, count) = (job.inputs(), job.input_len());
    let group = job.broker.group(&job.application)?;
    let mut running = job.start(&[])?;
    let begun = Sample {
        at: Instant::now(),
        cpu: Duration::ZERO,
        done: 0,
    };
    let mut warm: Option<Sample> = None;
    let mut first_output = None;
    let last = running.wait("the input was processed", |running| {
        sleep(LOOK_EVERY);
        if first_output.is_none() && job.broker.has_output(&job.output)? {
            first_output = Some(running.elapsed());
        }
        let sample = Sample {
            done: group.committed(&topics)?,
            at: Instant::now(),
            cpu: running.usage().cpu,
        };
        if sample.done >= count {
            return Ok(Some(sample));
        }
        if warm.is_none() && sample.done >= count / WARM_UP_SHARE {
            warm = Some(sample);
        }
        Ok(None)
    })?;
    let ready = running.wait_ready()?;
    let first_output = first_output.unwrap_or_else(|| running.elapsed());
    let memory = running.usage().rss_peak_mib;
    running.stop()?;
    job.check()?;
    let from = warm.unwrap_or(begun);
    let records = (last.done - from.done) as f64;
    let seconds = last.at.duration_since(from.at).as_secs_f64();
    let cpu = last.cpu.saturating_sub(from.cpu).as_secs_f64();
    Ok(Run::from([
        (RATE.to_owned(), records / seconds),
        (COST.to_owned(), cpu * 1e6 / records),
        (MEMORY.to_owned(), memory),
        (READY.to_owned(), ready.as_secs_f64() * 1e3),
        (FIRST.to_owned(), first_output.as_secs_f64() * 1e3),
    ]))
}
