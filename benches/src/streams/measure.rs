//! One run of one contender: what it cost from the outside.

use std::fs;
use std::time::{Duration, Instant};

use streams_tests::{Cluster, ProcessBuilder, wait_until};

/// What a run cost.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    /// From the start of the process to its READY line, in milliseconds.
    pub ready_ms: f64,
    /// Records a second of wall clock, after the warm-up.
    pub records_per_second: f64,
    /// User and system time for each record after the warm-up, in microseconds.
    pub cpu_us_per_record: f64,
    /// The most memory that was resident, in MiB.
    pub rss_peak_mib: f64,
}

/// The part of the input after which a contender is warm.
const WARM_UP_SHARE: usize = 3;
const LIMIT: Duration = Duration::from_secs(300);
const SAMPLE_WAIT: Duration = Duration::from_millis(50);

struct Sample {
    at: Instant,
    cpu: Duration,
    done: usize,
}

/// Runs a contender until its group has committed all `count` records of `input`.
pub fn run(
    cluster: &Cluster,
    contender: ProcessBuilder,
    group: &str,
    input: &str,
    count: usize,
) -> Cost {
    let started = Instant::now();
    let mut process = contender.spawn();
    process.wait_for_line("READY", LIMIT);
    let ready = started.elapsed();
    let mut warm: Option<Sample> = None;
    let last = wait_until("the input to be processed", LIMIT, || {
        let done = cluster.committed(group, input).values().sum::<i64>();
        let done = usize::try_from(done).unwrap_or(0);
        let sample = Sample {
            at: Instant::now(),
            cpu: cpu_time(process.id()),
            done,
        };
        if warm.is_none() && done >= count / WARM_UP_SHARE && done < count {
            warm = Some(sample);
            return None;
        }
        if done >= count {
            return Some(sample);
        }
        std::thread::sleep(SAMPLE_WAIT);
        None
    });
    let rss_peak_mib = resident_peak_mib(process.id());
    process.terminate(Duration::from_secs(20));
    let first = warm.unwrap_or(Sample {
        at: started,
        cpu: Duration::ZERO,
        done: 0,
    });
    let records = (last.done - first.done) as f64;
    Cost {
        ready_ms: ready.as_secs_f64() * 1e3,
        records_per_second: records / last.at.duration_since(first.at).as_secs_f64(),
        cpu_us_per_record: last.cpu.saturating_sub(first.cpu).as_secs_f64() * 1e6 / records,
        rss_peak_mib,
    }
}

/// User and system time of a process: fields 14 and 15 of its stat, in ticks of 10 ms.
fn cpu_time(process: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks = after_name.split_whitespace().skip(11).take(2);
    let ticks: u64 = ticks.filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

fn resident_peak_mib(process: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kib.unwrap_or(0.0) / 1024.0
}
