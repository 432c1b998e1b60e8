//! `processors`: runs one of the ready-made processors.

use std::process::ExitCode;

use clap::Parser as _;
use processors::command::Command;
use streams_dsl::ErrorKind;

/// A setting, the program or a topic has to be mended before the process can run.
const CONFIGURATION: u8 = 2;
/// Something else went wrong.
const FAILURE: u8 = 1;

fn main() -> ExitCode {
    match Command::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(match error.kind() {
                ErrorKind::Config | ErrorKind::Topology => CONFIGURATION,
                _ => FAILURE,
            })
        }
    }
}
