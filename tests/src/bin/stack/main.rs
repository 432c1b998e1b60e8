//! Starts and stops the servers that Tributary's tests and demo run on. People call it by `./dev`.

mod background;
mod folder;
mod foreground;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use streams_tests::{Error, KafkaOptions, PostgresOptions, StackOptions, environment};

/// Starts and stops Kafka and Postgres for Tributary's tests and demo.
#[derive(Debug, Parser)]
#[command(name = "stack")]
struct Arguments {
    /// The folder for the servers' data and logs.
    #[arg(long, env = "TRIBUTARY_DEV_DIR", default_value = "target/dev")]
    directory: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a command with servers of its own, and end with its exit code.
    Run {
        /// The command and its arguments.
        #[arg(trailing_var_arg = true, required = true, allow_hyphen_values = true)]
        command: Vec<String>,
    },
    /// Start servers in the background.
    Up,
    /// Stop the servers in the background.
    Down,
    /// Say whether servers run in the background, and where.
    Status,
    /// Show the last lines of a server's log in the background.
    Logs {
        /// Which one; both unless told.
        server: Option<Server>,
        /// Go on showing what is added.
        #[arg(short, long)]
        follow: bool,
        /// How many lines to begin with.
        #[arg(short = 'n', long, default_value_t = 40)]
        lines: usize,
    },
    /// Hold servers until told to end; `up` starts this.
    #[command(hide = true)]
    Serve,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Server {
    Kafka,
    Postgres,
}

fn main() -> ExitCode {
    let Arguments { directory, command } = Arguments::parse();
    let result = match command {
        Command::Run { command } => foreground::run(&directory, &command),
        Command::Up => background::up(&directory),
        Command::Down => background::down(&directory),
        Command::Status => Ok(background::status(&directory)),
        Command::Logs {
            server,
            follow,
            lines,
        } => background::logs(&directory, server, follow, lines),
        Command::Serve => background::serve(&directory),
    };
    result.unwrap_or_else(|error| {
        eprintln!("stack: {error}");
        ExitCode::FAILURE
    })
}

fn stack_options() -> Result<StackOptions, Error> {
    let home = environment::get(environment::KAFKA_HOME)?;
    Ok(StackOptions {
        kafka: KafkaOptions::new(home),
        postgres: PostgresOptions::default(),
    })
}
