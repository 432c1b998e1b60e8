//! The limit of a measurement: librdkafka and a hash map until SIGTERM.

use std::process::ExitCode;

use benches::limit::{self, Arguments};
use clap::Parser;

fn main() -> ExitCode {
    match limit::run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench-limit: {error}");
            ExitCode::FAILURE
        }
    }
}
