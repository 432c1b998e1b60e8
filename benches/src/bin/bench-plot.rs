//! Draws and shows the tables of a report again: `bench-plot docs/benchmarks/streams.json`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use benches::report::Report;
use clap::Parser;

/// Draws each table of a report beside it, and puts it into the `README.md` there.
#[derive(Parser)]
struct Arguments {
    /// The JSON files that `./dev bench` has written.
    #[arg(required = true)]
    reports: Vec<PathBuf>,
}

fn run(path: &Path) -> benches::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    Report::read(path, "")?.write(folder)
}

fn main() -> ExitCode {
    for report in &Arguments::parse().reports {
        if let Err(error) = run(report) {
            eprintln!("bench-plot: {error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
