//! What doing nothing costs.

use std::thread::sleep;
use std::time::{Duration, Instant};

use super::run::Job;
use crate::Result;
use crate::report::{Figure, Run};

const CPU: &str = "CPU ms per second";
const MEMORY: &str = "peak RSS, MiB";
const READY: &str = "start to READY, ms";
/// What the start leaves behind is not counted.
const SETTLE: Duration = Duration::from_secs(5);

/// What is looked at.
pub(super) fn figures() -> Vec<Figure> {
    vec![Figure::less(CPU), Figure::less(MEMORY), Figure::less(READY)]
}

/// Starts a contender on an empty topic of many partitions and watches it for a while.
pub(super) fn run(job: &Job<'_>) -> Result<Run> {
    let mut running = job.start(&[])?;
    let ready = running.wait_ready()?;
    sleep(SETTLE);
    let (from, cpu) = (Instant::now(), running.usage().cpu);
    sleep(job.idle);
    let cpu = running.usage().cpu.saturating_sub(cpu).as_secs_f64() * 1e3;
    let seconds = from.elapsed().as_secs_f64();
    let memory = running.usage().rss_peak_mib;
    running.stop()?;
    Ok(Run::from([
        (CPU.to_owned(), cpu / seconds),
        (MEMORY.to_owned(), memory),
        (READY.to_owned(), ready.as_secs_f64() * 1e3),
    ]))
}
