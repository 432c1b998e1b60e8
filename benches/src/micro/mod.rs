//! Single steps, in one process and without servers.

mod callgrind;
mod cdc;
mod operator;
mod serde;
mod steps;
mod store;

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use steps::Steps;

use crate::Result;
use crate::machine::Environment;
use crate::report::{Contender, Figure, Report, Role, Table};

/// What of the suite is run.
#[derive(Args)]
pub struct Arguments {
    /// Only the steps whose name contains this; the file stays as it is then.
    pub filter: Option<String>,
    /// How long each step is measured, in milliseconds.
    #[arg(long, default_value_t = 2_000)]
    measurement_ms: u64,
    /// Counts the instructions of each step instead, with valgrind: they are the same whatever else
    /// the machine does.
    #[arg(long)]
    instructions: bool,
    /// The folder of `micro.json`, and of the `README.md` that shows its tables.
    #[arg(long, default_value = "docs/benchmarks")]
    out: PathBuf,
    /// Does each step for valgrind, and tells which.
    #[arg(long, hide = true)]
    counted: bool,
}

/// Measures each step.
///
/// # Errors
///
/// If a store cannot be opened, a step's input is refused, or valgrind is missing.
pub fn run(arguments: &Arguments) -> Result<()> {
    let filter = arguments.filter.clone();
    if arguments.counted {
        let mut steps = Steps::counted(filter);
        measure(&mut steps)?;
        callgrind::tell(steps.measured());
        return Ok(());
    }
    let command = std::env::args().skip(1).collect::<Vec<String>>().join(" ");
    let environment = Environment::of_this_machine(format!("./dev bench {command}"));
    let (name, unit, found) = if arguments.instructions {
        let found = callgrind::count(filter.as_deref())?;
        ("instructions", "instructions", found)
    } else {
        let measurement = Duration::from_millis(arguments.measurement_ms);
        let folder = criterion_folder();
        let mut steps = Steps::timed(measurement, &folder, filter);
        measure(&mut steps)?;
        ("time", "ns", steps::medians_ns(&folder, steps.measured())?)
    };
    let table = table(name, unit, found, environment);
    println!("\n{}", table.to_markdown());
    if arguments.filter.is_some() {
        return Ok(());
    }
    let mut report = Report::read(&arguments.out.join("micro.json"), "micro")?;
    report.replace(table);
    report.write(&arguments.out)
}

fn measure(steps: &mut Steps) -> Result<()> {
    serde::measure(steps)?;
    store::measure(steps)?;
    operator::measure(steps)?;
    cdc::measure(steps)
}

/// Where criterion keeps its samples, and compares with those of the last time.
fn criterion_folder() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR");
    let target = target.unwrap_or_else(|| "target".into());
    Path::new(&target).join("criterion")
}

fn table(name: &str, unit: &str, found: Vec<(String, f64)>, environment: Environment) -> Table {
    let steps = found.iter();
    let figures = steps.map(|(step, _)| Figure::less(&format!("{step}, {unit}")));
    let figures: Vec<Figure> = figures.collect();
    let names = figures.iter().map(|figure| figure.name.clone());
    let run = names.zip(found.iter().map(|(_, value)| *value)).collect();
    Table {
        name: name.to_owned(),
        title: format!("Single steps, {unit}"),
        setting: String::from("one thread, without servers"),
        environment,
        figures,
        contenders: vec![Contender {
            name: String::from("Tributary"),
            role: Role::Ours,
            runs: vec![run],
        }],
        summary: Vec::new(),
        failures: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_step_is_done_under_a_name_of_its_own() {
        let mut steps = Steps::counted(None);
        measure(&mut steps).unwrap();
        let names: BTreeSet<&str> = steps.measured().iter().map(|(name, _)| &**name).collect();
        assert_eq!(names.len(), steps.measured().len());
        let groups: BTreeSet<&str> = names
            .iter()
            .filter_map(|name| name.split('/').next())
            .collect();
        assert!(groups.into_iter().eq(["cdc", "serde", "store", "topology"]));
    }

    #[test]
    fn only_steps_that_are_asked_for_are_done() {
        let mut steps = Steps::counted(Some(String::from("envelope")));
        measure(&mut steps).unwrap();
        let names: Vec<&str> = steps.measured().iter().map(|(name, _)| &**name).collect();
        assert_eq!(names, ["cdc/envelope encode"]);
    }
}
