//! What a process has used, as the kernel tells it.

use std::fs;
use std::time::Duration;

/// What a process has used so far.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Usage {
    /// User and system time.
    pub(crate) cpu: Duration,
    /// The most memory that was resident, in MiB; 0 once the process has ended.
    pub(crate) rss_peak_mib: f64,
    /// Whether it still runs.
    pub(crate) is_alive: bool,
}

/// What the process has used. The time of one that has ended is there until its parent has asked
/// how.
pub(crate) fn usage(process: u32) -> Usage {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // Fields 3, 14 and 15; the times are in ticks of 10 ms. The name before may hold anything.
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let mut fields = after_name.split_whitespace();
    let state = fields.next().unwrap_or("X");
    let ticks = fields.skip(10).take(2);
    let ticks: u64 = ticks.filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    Usage {
        cpu: Duration::from_millis(ticks * 10),
        rss_peak_mib: rss_peak_mib(process),
        is_alive: !matches!(state, "Z" | "X"),
    }
}

fn rss_peak_mib(process: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kib.unwrap_or(0.0) / 1024.0
}
