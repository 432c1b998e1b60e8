//! Failures that pass and failures that stay.

use streams_dsl::Retryable;
use thiserror::Error;

use crate::event::EventError;

/// A failure that may pass: a service that is down, a time-out. The step is tried again.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct TemporaryError(pub String);

/// A failure that stays, such as a value that breaks a rule. The step is not tried again.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct PermanentError(pub String);

/// Why an event was not processed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ProcessingError {
    /// It may work later.
    #[error(transparent)]
    Temporary(#[from] TemporaryError),
    /// It will never work.
    #[error(transparent)]
    Permanent(#[from] PermanentError),
}

impl ProcessingError {
    /// The failure's kind as dead letters name it: `temporary` or `permanent`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Temporary(_) => "temporary",
            Self::Permanent(_) => "permanent",
        }
    }
}

impl From<EventError> for ProcessingError {
    fn from(error: EventError) -> Self {
        Self::Permanent(PermanentError(error.to_string()))
    }
}

impl Retryable for ProcessingError {
    fn is_temporary(&self) -> bool {
        matches!(self, Self::Temporary(_))
    }
}
