//! The crate's error.

use streams_core::broker::FailureCause;
use thiserror::Error;

/// Shorthand for results of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong between a table and its records.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// The connector's configuration has mistakes; all of them stand in the message.
    #[error(transparent)]
    Config(#[from] crate::config::ConfigError),
    /// A value could not be converted.
    #[error("{context}: {problem}")]
    Value {
        /// Where the value was met: table and column.
        context: String,
        /// What is wrong with it, without the value itself.
        problem: String,
    },
    /// A setting that the database or the broker shows to be wrong.
    #[error("{setting}: {problem}")]
    Setting {
        /// The setting's key, or keys.
        setting: &'static str,
        /// What is wrong and what would put it right.
        problem: String,
    },
    /// The database cannot be reached or broke off.
    #[error("{doing}: {problem}")]
    Postgres {
        /// What was being done, to which server, table or slot.
        doing: String,
        /// What the server or the network said.
        problem: String,
    },
    /// Another session streams from the slot.
    #[error("slot.name: {problem}")]
    SlotInUse {
        /// What the server said.
        problem: String,
    },
    /// A message of the stream could not be decoded.
    #[error("stream at {lsn}: {source}")]
    Decode {
        /// Where the message stands in the log.
        lsn: crate::postgres::Lsn,
        /// What is wrong with it.
        source: crate::postgres::pgoutput::DecodeError,
    },
    /// The stored offset cannot be understood.
    #[error(transparent)]
    Offset(#[from] crate::offset::OffsetError),
    /// Kafka refused something or could not be reached.
    #[error(transparent)]
    Kafka(#[from] streams_core::Error),
    /// Kafka did not answer in time.
    #[error("{doing}: no answer from Kafka within {timeout_ms} ms")]
    KafkaTimeout {
        /// What was being done.
        doing: String,
        /// How long was waited, in ms.
        timeout_ms: u64,
    },
    /// Another instance of the connector has taken over.
    #[error("another instance took over the transactional id {transactional_id}")]
    Fenced {
        /// The connector's transactional id.
        transactional_id: String,
    },
    /// Whoever runs the connector asked it to stop while it was waiting.
    #[error("stopped while {doing}")]
    Stopped {
        /// What was being done.
        doing: String,
    },
}

/// What there is to do about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// A person has to change a setting; trying again is of no use.
    Configuration,
    /// It may pass: try again from the last committed offset.
    Retriable,
    /// Neither: the connector stops and says why.
    Fatal,
    /// Not a failure: the stop was asked for.
    Stopped,
}

impl Error {
    /// What there is to do about the error; nothing else decides on that.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Config(_) | Self::Setting { .. } => ErrorKind::Configuration,
            // A rival that took over holds the connector's lock, so that trying again waits for its
            // end; without one the broker had only given up on a transaction that took too long.
            Self::Postgres { .. }
            | Self::SlotInUse { .. }
            | Self::KafkaTimeout { .. }
            | Self::Fenced { .. } => ErrorKind::Retriable,
            Self::Kafka(error) => match FailureCause::of(error) {
                FailureCause::Unauthorized
                | FailureCause::RecordTooLarge
                | FailureCause::Refused => ErrorKind::Configuration,
                FailureCause::Unfinished
                | FailureCause::Fenced
                | FailureCause::GivenUp
                | FailureCause::Other => ErrorKind::Retriable,
            },
            Self::Value { .. } | Self::Decode { .. } | Self::Offset(_) => ErrorKind::Fatal,
            Self::Stopped { .. } => ErrorKind::Stopped,
        }
    }

    pub(crate) fn value(context: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Value {
            context: context.into(),
            problem: problem.into(),
        }
    }
}
