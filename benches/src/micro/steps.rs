//! Takes the time of a step, or lets valgrind count its instructions.

use std::error::Error;
use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use criterion::Criterion;
use serde::Deserialize;

use crate::Result;

/// Where the steps of the suite are measured, one after the other.
pub(super) struct Steps {
    meter: Meter,
    /// Only steps whose name contains this.
    filter: Option<String>,
    /// The steps that were measured, in their order, and how often each was done in [`counted`].
    measured: Vec<(String, usize)>,
}

enum Meter {
    /// Nanoseconds, by criterion.
    Time(Box<Criterion>),
    /// Callgrind counts what is done in [`counted`]; nothing is taken here.
    Instructions,
}

/// What criterion keeps of a step.
#[derive(Deserialize)]
struct Estimates {
    median: Estimate,
}

#[derive(Deserialize)]
struct Estimate {
    point_estimate: f64,
}

/// Calls before those that are counted: the first ones allocate what later ones find, and read what
/// later ones read again.
const CALLS_BEFORE: usize = 1_000;
/// Calls that are counted, as a whole.
const CALLS_COUNTED: usize = 1_000;

impl Steps {
    /// Takes the time of each step for so long; criterion keeps what it found in `folder`.
    pub(super) fn timed(measurement: Duration, folder: &Path, filter: Option<String>) -> Self {
        let criterion = Criterion::default()
            .without_plots()
            .output_directory(folder)
            .warm_up_time(Duration::from_millis(500))
            .measurement_time(measurement);
        Self {
            meter: Meter::Time(Box::new(criterion)),
            filter,
            measured: Vec::new(),
        }
    }

    /// Does each step in [`counted`].
    pub(super) fn counted(filter: Option<String>) -> Self {
        Self {
            meter: Meter::Instructions,
            filter,
            measured: Vec::new(),
        }
    }

    /// Measures a step by itself.
    ///
    /// # Errors
    ///
    /// Those of `step`: what fails is not measured.
    pub(super) fn step<O, E>(
        &mut self,
        name: &str,
        mut step: impl FnMut() -> std::result::Result<O, E>,
    ) -> Result<()>
    where
        E: Into<Box<dyn Error>>,
    {
        if !self.takes(name, CALLS_COUNTED) {
            return Ok(());
        }
        let mut failure = None;
        let mut step = || match step() {
            Ok(output) => {
                black_box(output);
            }
            Err(error) => failure = Some(error),
        };
        match &mut self.meter {
            Meter::Time(criterion) => {
                criterion.bench_function(name, |bencher| bencher.iter(&mut step));
            }
            Meter::Instructions => {
                (0..CALLS_BEFORE).for_each(|_| step());
                counted(&mut || (0..CALLS_COUNTED).for_each(|_| step()));
            }
        }
        failure.map_or(Ok(()), |error| Err(error.into()))
    }

    /// Measures a step that needs something done before each call, which does not count.
    ///
    /// # Errors
    ///
    /// Those of `prepare` and `step`.
    pub(super) fn step_after<S>(
        &mut self,
        name: &str,
        state: &mut S,
        prepare: impl Fn(&mut S) -> Result<()>,
        step: impl Fn(&mut S) -> Result<()>,
    ) -> Result<()> {
        if !self.takes(name, 1) {
            return Ok(());
        }
        let mut failure = Ok(());
        match &mut self.meter {
            Meter::Time(criterion) => {
                let mut time = |times| {
                    let mut total = Duration::ZERO;
                    for _ in 0..times {
                        prepare(state)?;
                        let start = Instant::now();
                        step(state)?;
                        total += start.elapsed();
                    }
                    Ok(total)
                };
                criterion.bench_function(name, |bencher| {
                    bencher.iter_custom(|times| {
                        time(times).unwrap_or_else(|error| {
                            failure = Err(error);
                            Duration::ZERO
                        })
                    });
                });
            }
            Meter::Instructions => {
                prepare(state)?;
                step(state)?;
                prepare(state)?;
                counted(&mut || failure = step(state));
            }
        }
        failure
    }

    /// The steps that were measured, in their order, and how often each was done in one count.
    pub(super) fn measured(&self) -> &[(String, usize)] {
        &self.measured
    }

    fn takes(&mut self, name: &str, calls: usize) -> bool {
        let filter = self.filter.as_ref();
        let takes = filter.is_none_or(|filter| name.contains(filter.as_str()));
        if takes {
            self.measured.push((name.to_owned(), calls));
        }
        takes
    }
}

/// The median of each step's samples, in nanoseconds, from the folder where criterion keeps them.
///
/// # Errors
///
/// If criterion's files cannot be read.
pub(super) fn medians_ns(
    folder: &Path,
    measured: &[(String, usize)],
) -> Result<Vec<(String, f64)>> {
    let read = |(name, _): &(String, usize)| {
        let file = folder
            .join(name.replace('/', "_"))
            .join("new/estimates.json");
        let text = fs::read_to_string(&file)
            .map_err(|error| format!("cannot read path={}: {error}", file.display()))?;
        let estimates: Estimates = serde_json::from_str(&text)?;
        Ok((name.clone(), estimates.median.point_estimate))
    };
    measured.iter().map(read).collect()
}

/// What callgrind is told to count: what is done in a function of this name, thread by thread.
pub(super) const COUNTED: &str = "tributary_counted";

#[expect(unsafe_code, reason = "callgrind knows functions by their names")]
#[unsafe(export_name = "tributary_counted")]
#[inline(never)]
fn counted(calls: &mut dyn FnMut()) {
    calls();
}
