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
    let filter = match env::var("RUST_LOG") {
        Ok(directives) if !directives.trim().is_empty() => parse_filter(&directives)?,
        _ => EnvFilter::new("info"),
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
}
