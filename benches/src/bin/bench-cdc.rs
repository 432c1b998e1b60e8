//! Ours and Debezium side by side: `benches::cdc` as a program of its own.

use std::process::ExitCode;

use benches::cdc::{self, Arguments};
use clap::Parser;

/// Measures cdc-source and Debezium on the same changes.
#[derive(Parser)]
struct Command {
    #[command(flatten)]
    arguments: Arguments,
}

fn main() -> ExitCode {
    match cdc::run(&Command::parse().arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench-cdc: {error}");
            ExitCode::FAILURE
        }
    }
}
