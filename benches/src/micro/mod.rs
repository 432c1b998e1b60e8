//! Single steps, in one process and without servers.

use clap::Args;

/// What of the suite is run.
#[derive(Args)]
pub struct Arguments {
    /// Only the steps whose name contains this.
    pub filter: Option<String>,
}

/// Measures each step.
pub fn run(_arguments: &Arguments) -> crate::Result<()> {
    Ok(())
}
