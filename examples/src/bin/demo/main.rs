//! `./dev demo`: rows change in Postgres, their events run through two processors, one of them
//! dies, and a comparison in the end shows that nothing is lost or doubled.
//!
//! `show` is the course of it. `database`, `workload` and `invalid` make the changes, `pipeline`
//! runs the programs, `observer` and `watch` look at them, `frame` and `screen` show what they see,
//! `ledger` and `verdict` compare.

mod database;
mod event;
mod frame;
mod interrupt;
mod invalid;
mod latency;
mod ledger;
mod observer;
mod paint;
mod pipeline;
mod rate;
mod screen;
mod show;
mod topic;
mod verdict;
mod watch;
mod workload;

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;

use crate::interrupt::Interrupt;

/// What shells have for a program that Ctrl-C has ended.
const INTERRUPTED: u8 = 130;

/// Rows change in Postgres, their events run through processors, one dies, and nothing is lost.
#[derive(Debug, Parser)]
#[command(name = "demo")]
struct Arguments {
    /// How long the workload runs, in seconds.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(5..=600))]
    seconds: u64,
    /// How many rows change a second.
    #[arg(long, default_value_t = 150, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    rate: u32,
    /// Where the workload's random choices begin.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

impl Arguments {
    fn duration(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let interrupt = match Interrupt::install() {
        Ok(interrupt) => interrupt,
        Err(error) => {
            eprintln!("demo: {error}");
            return ExitCode::FAILURE;
        }
    };
    match show::run(&arguments, &interrupt) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(_) if interrupt.is_requested() => {
            eprintln!("demo: interrupted; everything is stopped");
            ExitCode::from(INTERRUPTED)
        }
        Err(error) => {
            eprintln!("demo: {error}");
            ExitCode::FAILURE
        }
    }
}
