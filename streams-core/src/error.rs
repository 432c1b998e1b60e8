//! The crate's one public error.

use std::error::Error as StdError;
use std::fmt;

/// What a caller can do about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A setting is missing, unknown or impossible: mend the configuration.
    Config,
    /// The topology is wrong: mend the program.
    Topology,
    /// Data could not be read or written by a serde.
    Serde,
    /// User code (a processor, a handler) failed on a record.
    Processing,
    /// A record could not be produced.
    Production,
    /// This instance was fenced by another of the same identity: its tasks are given up and the
    /// group is joined again.
    Fenced,
    /// The broker refused or did not answer.
    Broker,
    /// A store is not here now: another try, here or at the instance that has it, may succeed.
    Unavailable,
    /// The file system or another resource of this machine failed.
    Io,
}

/// A failure, with what was being done and to which topic, partition, offset or operator.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    message: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// The crate's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error without a cause.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            source: None,
        }
    }

    /// An error with its cause.
    pub fn with_source(
        kind: ErrorKind,
        message: impl Into<String>,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        Self {
            kind,
            message: message.into(),
            source: Some(source.into()),
        }
    }

    /// What a caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)?;
        if let Some(source) = &self.source {
            write!(formatter, ": {source}")?;
        }
        Ok(())
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
