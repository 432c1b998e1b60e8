//! The crate's error.

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
}

impl Error {
    pub(crate) fn value(context: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Value {
            context: context.into(),
            problem: problem.into(),
        }
    }
}
