//! `counter`: counts the records of a topic by key, to be killed by tests.
//!
//! Prints `BATCH …` for each batch that is restored, and `RUNNING restored=N` when all tasks run.

use std::process::ExitCode;

use clap::Parser;
use streams_tests::counting::{counts, topology};
use streams_tests::killable::{run, setting};

/// Counts the records of a topic by key.
#[derive(Parser)]
struct Arguments {
    /// The topic to count.
    #[arg(long)]
    input: String,
    /// The topic for the counts.
    #[arg(long)]
    output: String,
    /// Settings of Kafka Streams.
    #[arg(short = 'X', value_parser = setting)]
    settings: Vec<(String, String)>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let topology = topology(&arguments.input, &arguments.output, counts());
    match topology.and_then(|topology| run(topology, arguments.settings)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
