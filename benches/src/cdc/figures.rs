//! What is measured of a run.

use crate::report::{Figure, Run};

/// Changes of the database a second of wall clock, after the warm-up. Where they come at a steady
/// rate, it is the rate that was kept.
pub(super) const CHANGES_PER_SECOND: &str = "changes/s";
/// User and system time for each change after the warm-up.
pub(super) const CPU_US_PER_CHANGE: &str = "CPU µs/change";
/// From the commit to the reader, for half of the changes.
pub(super) const LATENCY_P50_MS: &str = "latency p50 ms";
/// The same for 99 in 100 changes.
pub(super) const LATENCY_P99_MS: &str = "latency p99 ms";
/// The same for all changes.
pub(super) const LATENCY_MAX_MS: &str = "latency max ms";
/// The most memory that was resident.
pub(super) const RSS_PEAK_MIB: &str = "peak RSS MiB";
/// From the start of the process to its first record.
pub(super) const FIRST_OUTPUT_MS: &str = "start to first output ms";
/// From the start of the process to its last record.
pub(super) const WHOLE_SECONDS: &str = "start to end s";
/// User and system time from the start of the process to its last record.
pub(super) const WHOLE_CPU_SECONDS: &str = "start to end CPU s";

/// The figures of a run that works off what is there.
pub(super) fn of_work() -> Vec<Figure> {
    vec![
        Figure::more(CHANGES_PER_SECOND),
        Figure::less(CPU_US_PER_CHANGE),
        Figure::less(RSS_PEAK_MIB),
        Figure::less(FIRST_OUTPUT_MS),
        Figure::less(WHOLE_SECONDS),
        Figure::less(WHOLE_CPU_SECONDS),
    ]
}

/// The figures of a run at a steady rate.
pub(super) fn of_latency() -> Vec<Figure> {
    vec![
        Figure::less(LATENCY_P50_MS),
        Figure::less(LATENCY_P99_MS),
        Figure::less(LATENCY_MAX_MS),
        Figure::more(CHANGES_PER_SECOND),
        Figure::less(CPU_US_PER_CHANGE),
        Figure::less(RSS_PEAK_MIB),
        Figure::less(FIRST_OUTPUT_MS),
    ]
}

/// A run's figures by name.
pub(super) fn run<const N: usize>(figures: [(&str, f64); N]) -> Run {
    figures.map(|(name, value)| (name.to_owned(), value)).into()
}
