//! What is measured of a run, the table of many runs, and the same as JSON.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::Result;

/// The figures of one run, by name.
pub(super) type Figures = BTreeMap<&'static str, f64>;

/// Changes of the database a second of wall clock, after the warm-up. Where they come at a steady
/// rate, it is the rate that was kept.
pub(super) const CHANGES_PER_SECOND: &str = "changes/s";
/// User and system time for each change after the warm-up.
pub(super) const CPU_US_PER_CHANGE: &str = "CPU µs/change";
/// The most memory that was resident.
pub(super) const RSS_PEAK_MIB: &str = "peak RSS MiB";
/// From the start of the process to its first record.
pub(super) const FIRST_OUTPUT_MS: &str = "first output ms";
/// From the start of the process to its last record.
pub(super) const WHOLE_SECONDS: &str = "start to end s";
/// User and system time from the start of the process to its last record.
pub(super) const WHOLE_CPU_SECONDS: &str = "start to end CPU s";
/// From the commit to the reader, for half of the changes.
pub(super) const LATENCY_P50_MS: &str = "latency p50 ms";
/// The same for 99 in 100 changes.
pub(super) const LATENCY_P99_MS: &str = "latency p99 ms";
/// The same for all changes.
pub(super) const LATENCY_MAX_MS: &str = "latency max ms";

const ORDER: [&str; 9] = [
    CHANGES_PER_SECOND,
    CPU_US_PER_CHANGE,
    LATENCY_P50_MS,
    LATENCY_P99_MS,
    LATENCY_MAX_MS,
    RSS_PEAK_MIB,
    FIRST_OUTPUT_MS,
    WHOLE_SECONDS,
    WHOLE_CPU_SECONDS,
];

/// The runs of one contender.
pub(super) struct Runs {
    /// Its name.
    pub(super) contender: &'static str,
    /// What each run cost.
    pub(super) figures: Vec<Figures>,
}

/// The smallest, the middle and the largest of a figure.
fn spread(runs: &Runs, figure: &str) -> Option<[f64; 3]> {
    let values = runs
        .figures
        .iter()
        .filter_map(|figures| figures.get(figure));
    let mut values: Vec<f64> = values.copied().collect();
    values.sort_by(f64::total_cmp);
    Some([
        *values.first()?,
        *values.get(values.len() / 2)?,
        *values.last()?,
    ])
}

/// A table in Markdown: medians with their extremes, and the ratio to `peer`.
pub(super) fn table(workload: &str, all: &[Runs], peer: &str) -> String {
    let names: Vec<&str> = all.iter().map(|runs| runs.contender).collect();
    let mut lines = vec![
        format!("{workload}: median (min–max), **ratio to {peer}**"),
        String::new(),
        format!("| | {} |", names.join(" | ")),
        format!("| --- |{}", " --- |".repeat(all.len())),
    ];
    for figure in ORDER {
        let peer = all.iter().find(|runs| runs.contender == peer);
        let peer = peer.and_then(|runs| spread(runs, figure));
        let cells: Vec<String> = all.iter().map(|runs| cell(runs, figure, peer)).collect();
        if cells.iter().any(|cell| !cell.is_empty()) {
            lines.push(format!("| {figure} | {} |", cells.join(" | ")));
        }
    }
    lines.join("\n")
}

fn cell(runs: &Runs, figure: &str, peer: Option<[f64; 3]>) -> String {
    let Some([min, median, max]) = spread(runs, figure) else {
        return String::new();
    };
    let [low, middle, high] = [min, median, max].map(number);
    let ratio = peer.map_or(String::new(), |[_, peer, _]| {
        format!(", **{:.2}×**", median / peer)
    });
    format!("{middle} ({low}–{high}){ratio}")
}

fn number(value: f64) -> String {
    let decimals = match value.abs() {
        1_000.0.. => 0,
        10.0.. => 1,
        _ => 2,
    };
    format!("{value:.decimals$}")
}

/// Adds the workload's runs to the list in a file, which is made if it is missing.
///
/// # Errors
/// When the file cannot be read or written, or is no list.
pub(super) fn append(path: &Path, workload: &str, changes: i64, all: &[Runs]) -> Result<()> {
    let mut list: Vec<Value> = match fs::read_to_string(path) {
        Ok(text) => serde_json::from_str(&text)?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    let contenders = all.iter().map(|runs| {
        let figures = ORDER.into_iter().filter_map(|figure| {
            let [min, median, max] = spread(runs, figure)?;
            let spread = json!({"min": min, "median": median, "max": max});
            Some((figure.to_owned(), spread))
        });
        let figures: Map<String, Value> = figures.collect();
        json!({"contender": runs.contender, "figures": figures, "runs": runs.figures})
    });
    list.push(json!({
        "workload": workload,
        "records": changes,
        "contenders": contenders.collect::<Vec<_>>(),
    }));
    fs::write(path, serde_json::to_string_pretty(&list)?)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(contender: &'static str, values: &[f64]) -> Runs {
        let figures = values.iter();
        let figures = figures.map(|value| Figures::from([(RSS_PEAK_MIB, *value)]));
        Runs {
            contender,
            figures: figures.collect(),
        }
    }

    #[test]
    fn table_has_medians_and_ratios_and_leaves_out_what_was_not_measured() {
        let all = [runs("ours", &[30.0, 10.0, 20.0]), runs("peer", &[400.0])];
        let table = table("w", &all, "peer");
        let row = "| peak RSS MiB | 20.0 (10.0–30.0), **0.05×** | \
                   400.0 (400.0–400.0), **1.00×** |";
        assert!(table.contains(row), "{table}");
        assert!(!table.contains(CHANGES_PER_SECOND));
    }

    #[test]
    fn json_file_is_a_list_that_grows() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("figures.json");
        for workload in ["a", "b"] {
            append(&path, workload, 7, &[runs("ours", &[1.0])]).unwrap();
        }
        let list: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        assert_eq!(list[1]["workload"], "b");
        assert_eq!(
            list[0]["contenders"][0]["figures"][RSS_PEAK_MIB]["median"],
            1.0
        );
    }
}
