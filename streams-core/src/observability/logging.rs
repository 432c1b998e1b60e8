//! Logs: for people or as JSON, filtered by `RUST_LOG`.

use std::env;
use std::fmt;
use std::io::{self, IsTerminal};
use std::str::FromStr;

use tracing_subscriber::EnvFilter;

use crate::error::{Error, ErrorKind, Result};

/// How log lines look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum LogFormat {
    /// A line for people, coloured on a terminal.
    #[default]
    Human,
    /// A JSON object a line.
    Json,
}

impl FromStr for LogFormat {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        match name {
            "human" => Ok(Self::Human),
            "json" => Ok(Self::Json),
            _ => {
                let message = format!("the log format must be human or json, but is `{name}`");
                Err(Error::new(ErrorKind::Config, message))
            }
        }
    }
}

impl fmt::Display for LogFormat {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Human => "human",
            Self::Json => "json",
        })
    }
}

/// Sends the logs of this process, librdkafka's among them, to standard error.
///
/// `RUST_LOG` says what is logged, as in `info,librdkafka=warn`; `info` if it is not set.
///
/// # Errors
/// If `RUST_LOG` cannot be understood, or the process logs somewhere already.
pub fn init(format: LogFormat) -> Result<()> {
    init_with_default(format, "info")
}

/// As [`init`], with other directives for when `RUST_LOG` is not set.
///
/// # Errors
/// As [`init`].
pub fn init_with_default(format: LogFormat, directives: &str) -> Result<()> {
    let filter = match env::var("RUST_LOG") {
        Ok(given) if !given.trim().is_empty() => parse_filter(&given)?,
        _ => parse_filter(directives)?,
    };
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr);
    let outcome = match format {
        LogFormat::Human => builder.with_ansi(io::stderr().is_terminal()).try_init(),
        LogFormat::Json => builder
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .try_init(),
    };
    outcome.map_err(|error| Error::with_source(ErrorKind::Config, "cannot start logging", error))
}

fn parse_filter(directives: &str) -> Result<EnvFilter> {
    EnvFilter::try_new(directives).map_err(|error| {
        let message = format!("cannot understand RUST_LOG=`{directives}`");
        Error::with_source(ErrorKind::Config, message, error)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_format_is_read_as_it_is_written() {
        for format in [LogFormat::Human, LogFormat::Json] {
            assert_eq!(format.to_string().parse::<LogFormat>().unwrap(), format);
        }
    }

    #[test]
    fn an_unknown_log_format_names_the_known_ones() {
        let error = "xml".parse::<LogFormat>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "the log format must be human or json, but is `xml`"
        );
    }

    #[test]
    fn a_filter_that_cannot_be_understood_is_a_configuration_error() {
        let error = parse_filter("streams_core=loud").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(
            error
                .to_string()
                .starts_with("cannot understand RUST_LOG=`streams_core=loud`")
        );
    }

    const CHILD: &str = "TRIBUTARY_TEST_LOGGING";

    /// What a process of its own logs, which runs this very test with `CHILD` set.
    fn logs_of_child(test: &str, filter: &str) -> String {
        let output = std::process::Command::new(env::current_exe().unwrap())
            .args(["--exact", "--nocapture"])
            .arg(format!("observability::logging::tests::{test}"))
            .env(CHILD, "1")
            .env("RUST_LOG", filter)
            .output()
            .unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stderr).unwrap()
    }

    #[test]
    fn json_logs_are_an_object_a_line() {
        const TEST: &str = "json_logs_are_an_object_a_line";
        if env::var_os(CHILD).is_some() {
            init(LogFormat::Json).unwrap();
            tracing::info!(topic = "users", partition = 3, "partition paused");
            tracing::debug!("left out");
            assert!(
                init(LogFormat::Json).is_err(),
                "a process logs to one place"
            );
            return;
        }
        let logs = logs_of_child(TEST, "");
        let lines: Vec<serde_json::Value> = logs
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(lines.len(), 1, "{logs}");
        assert_eq!(lines[0]["message"], "partition paused");
        assert_eq!(lines[0]["topic"], "users");
        assert_eq!(lines[0]["partition"], 3);
        assert_eq!(lines[0]["level"], "INFO");
    }

    #[test]
    fn human_logs_have_no_colours_where_there_is_no_terminal() {
        const TEST: &str = "human_logs_have_no_colours_where_there_is_no_terminal";
        if env::var_os(CHILD).is_some() {
            init(LogFormat::Human).unwrap();
            tracing::info!("left out");
            tracing::warn!(offset = 7, "record skipped");
            return;
        }
        let logs = logs_of_child(TEST, "warn");
        assert!(
            logs.trim_end().ends_with("record skipped offset=7"),
            "{logs}"
        );
        assert!(
            !logs.contains("left out") && !logs.contains('\u{1b}'),
            "{logs}"
        );
    }
}
