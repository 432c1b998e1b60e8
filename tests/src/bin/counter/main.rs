//! `counter`: counts the records of a topic by key, to be killed by tests.
//!
//! Prints `BATCH …` for each batch that is restored, and `RUNNING restored=N` when all tasks run.

use std::process::ExitCode;

use clap::Parser;
use streams_core::observability::ShutdownSignal;
use streams_core::observability::logging::{self, LogFormat};
use streams_core::{KafkaStreams, Result, State, StreamsConfig};
use streams_tests::counting::{Restored, counts, topology};

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

fn setting(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("must be key=value")?;
    Ok((key.to_owned(), value.to_owned()))
}

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<()> {
    logging::init(LogFormat::Human)?;
    let shutdown = ShutdownSignal::install()?;
    let config = StreamsConfig::from_map(arguments.settings)?;
    let topology = topology(&arguments.input, &arguments.output, counts())?;
    let restored = Restored {
        prints: true,
        ..Restored::default()
    };
    let seen = restored.clone();
    KafkaStreams::new(topology, config)?
        .with_state_restore_listener(restored)
        .with_state_listener(move |state, _| {
            if state == State::Running {
                println!("RUNNING restored={}", seen.records());
            }
        })
        .run_until(&shutdown)
}
