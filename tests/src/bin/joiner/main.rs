//! `joiner`: joins and counts a stream of events, to be killed by tests.
//!
//! Prints `BATCH …` for each batch that is restored, and `RUNNING restored=N` when all tasks run.

use std::process::ExitCode;

use clap::Parser;
use streams_tests::joining::{JoiningTopics, topology};
use streams_tests::killable::{run, setting};

/// Looks events up in a table, joins them with clicks, and counts them by key.
#[derive(Parser)]
struct Arguments {
    /// What stands before the name of each of the application's topics.
    #[arg(long)]
    prefix: String,
    /// Settings of Kafka Streams.
    #[arg(short = 'X', value_parser = setting)]
    settings: Vec<(String, String)>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let topology = topology(&JoiningTopics::new(&arguments.prefix));
    match topology.and_then(|topology| run(topology, arguments.settings)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
