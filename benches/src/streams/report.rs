//! The table of a measurement, and the same as JSON.

use serde_json::{Value, json};

use super::measure::Cost;

/// The runs of one contender.
pub struct Runs {
    /// Its name.
    pub contender: &'static str,
    /// What each run cost.
    pub costs: Vec<Cost>,
}

struct Figure {
    name: &'static str,
    of: fn(&Cost) -> f64,
}

const FIGURES: [Figure; 4] = [
    Figure {
        name: "records/s",
        of: |cost| cost.records_per_second,
    },
    Figure {
        name: "CPU µs/record",
        of: |cost| cost.cpu_us_per_record,
    },
    Figure {
        name: "peak RSS MiB",
        of: |cost| cost.rss_peak_mib,
    },
    Figure {
        name: "READY ms",
        of: |cost| cost.ready_ms,
    },
];

/// The smallest, the middle and the largest of a figure.
fn spread(runs: &Runs, figure: &Figure) -> Option<[f64; 3]> {
    let mut values: Vec<f64> = runs.costs.iter().map(figure.of).collect();
    values.sort_by(f64::total_cmp);
    Some([
        *values.first()?,
        *values.get(values.len() / 2)?,
        *values.last()?,
    ])
}

/// Prints a row for each contender: medians with their extremes, and the ratio to the first.
pub fn print(workload: &str, all: &[Runs]) {
    println!("\n{workload}: median (min–max), and the ratio to ours");
    for figure in &FIGURES {
        let ours = all.first().and_then(|runs| spread(runs, figure));
        for runs in all {
            let Some([min, median, max]) = spread(runs, figure) else {
                continue;
            };
            let ratio = ours.map_or(1.0, |[_, ours, _]| median / ours);
            println!(
                "{:<14} {:<12} {median:>12.2} ({min:.2}–{max:.2})  {ratio:.2}×",
                figure.name, runs.contender
            );
        }
    }
}

/// The same as JSON.
pub fn to_json(workload: &str, records: usize, all: &[Runs]) -> Value {
    let contenders = all.iter().map(|runs| {
        let figures = FIGURES.iter().filter_map(|figure| {
            let [min, median, max] = spread(runs, figure)?;
            Some((
                figure.name.to_owned(),
                json!({"min": min, "median": median, "max": max}),
            ))
        });
        json!({"contender": runs.contender, "figures": figures.collect::<serde_json::Map<_, _>>()})
    });
    json!({
        "workload": workload,
        "records": records,
        "contenders": contenders.collect::<Vec<_>>(),
    })
}
