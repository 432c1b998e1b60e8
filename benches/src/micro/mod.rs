//! Single steps, in one process and without servers.

mod cdc;
mod operator;
mod serde;
mod store;

use std::time::Duration;

use clap::Args;
use criterion::Criterion;

/// What of the suite is run.
#[derive(Args)]
pub struct Arguments {
    /// Only the steps whose name contains this.
    pub filter: Option<String>,
    /// How long each step is measured, in milliseconds.
    #[arg(long, default_value_t = 2_000)]
    measurement_ms: u64,
}

/// Measures each step.
///
/// # Errors
///
/// If a store cannot be opened, or a step's input is refused.
pub fn run(arguments: &Arguments) -> crate::Result<()> {
    let mut criterion = Criterion::default()
        .without_plots()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_millis(arguments.measurement_ms));
    if let Some(filter) = &arguments.filter {
        criterion = criterion.with_filter(filter);
    }
    serde::measure(&mut criterion)?;
    store::measure(&mut criterion)?;
    operator::measure(&mut criterion)?;
    cdc::measure(&mut criterion)?;
    criterion.final_summary();
    Ok(())
}
