//! Coming back: to a store that has to be restored, and after a `kill -9`.

use std::thread::{self, sleep};
use std::time::Duration;

use super::input;
use super::measure::LOOK_EVERY;
use super::run::Job;
use super::{broker, input::COMPACTED};
use crate::Result;
use crate::report::{Figure, Run};

const READY: &str = "start to READY, ms";
const RATE: &str = "keys/s, start included";
const COST: &str = "CPU µs/key, start included";
const MEMORY: &str = "peak RSS, MiB";
const AGAIN: &str = "restart to READY, ms";
const OUTPUT: &str = "restart to new output, ms";
const CPU: &str = "CPU ms until new output";

/// Events after a restore: of a key in ten they show that the store holds what it should.
const PROBES: usize = 100_000;
/// Events around the kill: enough that it falls amid them.
const AROUND_KILL: usize = 100_000;
/// The part of them after which the kill comes.
const KILL_SHARE: usize = 20;
/// How often the first output is looked for.
const TAIL_WAIT: Duration = Duration::from_millis(2);

/// What is looked at in a restore.
pub(super) fn restore_figures() -> Vec<Figure> {
    vec![
        Figure::less(READY),
        Figure::more(RATE),
        Figure::less(COST),
        Figure::less(MEMORY),
    ]
}

/// What is looked at in a recovery.
pub(super) fn recovery_figures() -> Vec<Figure> {
    vec![
        Figure::less(AGAIN),
        Figure::less(OUTPUT),
        Figure::less(CPU),
        Figure::less(MEMORY),
    ]
}

/// Starts a contender without local state over a changelog that is already there.
pub(super) fn restore(job: &Job<'_>) -> Result<Run> {
    fill_changelog(job)?;
    let mut running = job.start(&[])?;
    let ready = running.wait_ready()?;
    let (usage, keys) = (running.usage(), f64::from(job.keys));
    let group = job.broker.group(&job.application)?;
    feed(job, PROBES)?;
    running.wait("the events were processed", |_| {
        sleep(LOOK_EVERY);
        Ok((group.committed(&job.inputs())? >= PROBES).then_some(()))
    })?;
    running.stop()?;
    job.check_counts(PROBES)?;
    Ok(Run::from([
        (READY.to_owned(), ready.as_secs_f64() * 1e3),
        (RATE.to_owned(), keys / ready.as_secs_f64()),
        (COST.to_owned(), usage.cpu.as_secs_f64() * 1e6 / keys),
        (MEMORY.to_owned(), usage.rss_peak_mib),
    ]))
}

/// Kills a contender amid its work and starts it again where it was.
pub(super) fn recovery(job: &Job<'_>) -> Result<Run> {
    fill_changelog(job)?;
    let mut running = job.start(&["group.instance.id=bench"])?;
    running.wait_ready()?;
    let (group, topics) = (job.broker.group(&job.application)?, job.inputs());
    thread::scope(|scope| {
        let fed = scope.spawn(|| feed(job, AROUND_KILL).map_err(|error| error.to_string()));
        running.wait("some of the events were processed", |_| {
            Ok((group.committed(&topics)? >= AROUND_KILL / KILL_SHARE).then_some(()))
        })?;
        running.kill();
        fed.join().map_err(|_| "writing the events failed")??;
        Result::Ok(())
    })?;
    if group.committed(&topics)? >= AROUND_KILL {
        return Err("everything was processed before the kill".into());
    }
    let tail = job.broker.tail(&job.output)?;
    running.restart();
    let output = running.wait("a new output was there", |running| {
        let seen = broker::has_record(&tail, TAIL_WAIT)?;
        Ok(seen.then(|| (running.elapsed(), running.usage().cpu)))
    })?;
    drop(tail);
    let ready = running.wait_ready()?;
    running.wait("the events were processed", |_| {
        sleep(LOOK_EVERY);
        Ok((group.committed(&topics)? >= AROUND_KILL).then_some(()))
    })?;
    let memory = running.usage().rss_peak_mib;
    running.stop()?;
    job.check_counts(AROUND_KILL)?;
    Ok(Run::from([
        (AGAIN.to_owned(), ready.as_secs_f64() * 1e3),
        (OUTPUT.to_owned(), output.0.as_secs_f64() * 1e3),
        (CPU.to_owned(), output.1.as_secs_f64() * 1e3),
        (MEMORY.to_owned(), memory),
    ]))
}

fn fill_changelog(job: &Job<'_>) -> Result<()> {
    let changelog = format!("{}-counts-changelog", job.application);
    input::produce(job.cluster, &changelog, COMPACTED, input::counts(job.keys))
}

fn feed(job: &Job<'_>, count: usize) -> Result<()> {
    let events = input::events_of(input::ids(job.keys, count));
    Ok(job.cluster.try_produce(&job.input, events)?)
}
