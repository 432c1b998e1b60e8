//! Runs ours, the peers and the limits in turn on the same work, and prints what each cost.

use std::process::ExitCode;

use benches::{cdc, micro, streams};
use clap::{Parser, Subcommand};

/// Measures ours and the peers on the same work; without a suite, `streams`.
#[derive(Parser)]
#[command(args_conflicts_with_subcommands = true)]
struct CommandLine {
    #[command(subcommand)]
    suite: Option<Suite>,
    #[command(flatten)]
    streams: streams::Arguments,
}

/// A suite is a module of this crate with its `Arguments` and a `run`.
#[derive(Subcommand)]
enum Suite {
    /// The run time against JVM Kafka Streams and a bare librdkafka loop.
    Streams(streams::Arguments),
    /// The Postgres source against Debezium and bare Postgres clients.
    Cdc(cdc::Arguments),
    /// Single steps, in one process and without servers.
    Micro(micro::Arguments),
}

fn main() -> ExitCode {
    let arguments = CommandLine::parse();
    let done = match arguments.suite {
        None => streams::run(&arguments.streams),
        Some(Suite::Streams(arguments)) => streams::run(&arguments),
        Some(Suite::Cdc(arguments)) => cdc::run(&arguments),
        Some(Suite::Micro(arguments)) => micro::run(&arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("benches: {error}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn command_line_is_consistent_and_a_suite_need_not_be_named() {
        CommandLine::command().debug_assert();
        let given = CommandLine::parse_from(["benches", "--repeat", "2"]);
        assert!(given.suite.is_none());
        let given = CommandLine::parse_from(["benches", "streams", "--repeat", "2"]);
        assert!(matches!(given.suite, Some(Suite::Streams(_))));
    }
}
