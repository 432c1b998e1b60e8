//! `processors lag`: how far consumer groups are behind the ends of topics.

mod broker;
mod report;

use std::io::{IsTerminal as _, Write as _};
use std::num::NonZeroU64;
use std::time::{Duration, Instant};

use clap::Args;
use streams_core::config::key;
use streams_core::observability::ShutdownSignal;
use streams_dsl::{Error, ErrorKind, Result};

pub use report::{GroupLag, PartitionLag, Report};

use crate::application::start_logging;
use crate::command::ClientArgs;
use broker::OffsetReader;

/// The arguments of `processors lag`.
#[derive(Debug, Args)]
pub struct LagArgs {
    #[command(flatten)]
    client: ClientArgs,
    /// The topics to look at; repeat it or put commas between.
    #[arg(
        long = "topics",
        visible_alias = "input",
        value_name = "TOPIC",
        value_delimiter = ',',
        default_value = "users,orders,products"
    )]
    topics: Vec<String>,
    /// The consumer groups to look at (a processor's group is its application id).
    #[arg(
        long = "groups",
        visible_alias = "application-id",
        value_name = "GROUP",
        value_delimiter = ',',
        default_value = "cdc-stream-processor,cdc-event-processor"
    )]
    groups: Vec<String>,
    /// Look once and end.
    #[arg(long)]
    once: bool,
    /// Print a JSON object a look, on one line.
    #[arg(long)]
    json: bool,
    /// The time between looks, in seconds.
    #[arg(long, value_name = "SECONDS", default_value = "5")]
    interval: NonZeroU64,
    /// Warn of a group that is more records behind on a topic than this.
    #[arg(long, value_name = "RECORDS", default_value_t = 10_000)]
    warn_above: u64,
}

/// The wait before a broker that did not answer is asked again.
const RETRY_WAIT: Duration = Duration::from_secs(1);

/// Moves to the upper left corner and clears the screen.
const CLEAR: &str = "\x1b[H\x1b[2J";

/// How long `--once` waits for brokers that do not answer.
const ONCE_LIMIT: Duration = Duration::from_secs(20);

/// Looks once, or again and again until SIGTERM or SIGINT. Waits for brokers that do not answer,
/// with `--once` for 20 s.
///
/// # Errors
/// If the configuration is wrong, a topic is missing, or a request is refused.
pub fn run(args: LagArgs) -> Result<()> {
    start_logging(args.client.log_format())?;
    let config = args
        .client
        .builder(&[])?
        .set_default(key::APPLICATION_ID, "processors-lag")
        .build()?;
    let servers = config.bootstrap_servers.clone();
    let reader = OffsetReader::new(&config, args.groups.iter().map(|group| group.trim()))?;
    let shutdown = ShutdownSignal::install()?;
    let begun = Instant::now();
    loop {
        let wait = match reader.look(
            args.topics.iter().map(|topic| topic.trim()),
            args.warn_above,
        ) {
            Ok(report) => {
                show(&report, args.json, args.once)?;
                if args.once {
                    return Ok(());
                }
                Duration::from_secs(args.interval.get())
            }
            Err(error) if args.once && begun.elapsed() > ONCE_LIMIT => return Err(error),
            Err(error) if error.kind() == ErrorKind::Broker => {
                tracing::warn!("bootstrap.servers={servers}: {error}; trying again");
                RETRY_WAIT
            }
            Err(error) => return Err(error),
        };
        if shutdown.wait_for(wait) {
            return Ok(());
        }
    }
}

fn show(report: &Report, json: bool, once: bool) -> Result<()> {
    for lag in report.high() {
        let (topic, group, total) = (&lag.topic, &lag.group, lag.total_lag);
        tracing::warn!(
            total,
            "high lag detected for topic={topic} in group={group}"
        );
    }
    let mut output = std::io::stdout().lock();
    let text = if json {
        serde_json::to_string(report).map_err(|error| {
            Error::with_source(ErrorKind::Io, "cannot write the lag as JSON", error)
        })?
    } else {
        let refreshes = !once && output.is_terminal();
        format!("{}{report}", if refreshes { CLEAR } else { "" })
    };
    let written = writeln!(output, "{text}").and_then(|()| output.flush());
    written.map_err(|error| Error::with_source(ErrorKind::Io, "cannot write to the output", error))
}
