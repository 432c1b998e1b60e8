//! What can go wrong while the stack is started, used or stopped.

use std::path::{Path, PathBuf};
use std::time::Duration;

/// Why a server could not be started, reached or stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file or a folder of the stack could not be read or written.
    #[error("cannot {action} path=`{}`: {source}", path.display())]
    File {
        /// What was being done.
        action: &'static str,
        /// To which path.
        path: PathBuf,
        /// The system's answer.
        source: std::io::Error,
    },
    /// A program could not be started.
    #[error("cannot start program=`{program}`: {source} (`./dev setup` installs what is missing)")]
    Spawn {
        /// The program as it was called.
        program: String,
        /// The system's answer.
        source: std::io::Error,
    },
    /// A program that has to stay up ended, or one that has to succeed failed.
    #[error("{name} ended with {status}; its log ends with:\n{log}")]
    Ended {
        /// The program's name in the stack.
        name: String,
        /// Its exit status.
        status: String,
        /// The last lines of its log.
        log: String,
    },
    /// A condition did not come true in time.
    #[error("waited {} ms in vain until {what}{}", waited.as_millis(), with_last(last.as_deref()))]
    Deadline {
        /// The condition.
        what: String,
        /// How long it was polled.
        waited: Duration,
        /// What the last attempt said, if it said anything.
        last: Option<String>,
    },
    /// Postgres refused a statement or a connection.
    #[error("postgres refused statement=`{statement}`: {message}")]
    Sql {
        /// The statement, shortened.
        statement: String,
        /// The server's message.
        message: String,
    },
    /// Kafka refused a request.
    #[error("kafka: cannot {action}: {message}")]
    Kafka {
        /// What was being done, and to which topic or group.
        action: String,
        /// The client's message.
        message: String,
    },
    /// The machine or the environment lacks something that the stack needs.
    #[error("{0}")]
    Missing(String),
}

fn with_last(last: Option<&str>) -> String {
    last.map_or_else(String::new, |last| format!("; last: {last}"))
}

impl Error {
    /// Wraps a system error with what was being done to which path.
    pub(crate) fn file(
        action: &'static str,
        path: impl AsRef<Path>,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.as_ref().to_path_buf();
        move |source| Self::File {
            action,
            path,
            source,
        }
    }

    /// Wraps a Kafka client's error with what was being done.
    pub(crate) fn kafka(action: impl Into<String>, source: impl std::fmt::Display) -> Self {
        Self::Kafka {
            action: action.into(),
            message: source.to_string(),
        }
    }

    /// Ends the test with this error's text.
    #[track_caller]
    #[expect(
        clippy::panic,
        reason = "the harness speaks to tests, whose failures are panics"
    )]
    pub(crate) fn fail(self) -> ! {
        panic!("{self}")
    }
}

/// Turns a harness error into a test failure at the caller's line.
pub(crate) trait OrFail<T> {
    /// The value, or a panic with the error's text.
    fn or_fail(self) -> T;
}

impl<T> OrFail<T> for Result<T, Error> {
    #[track_caller]
    fn or_fail(self) -> T {
        match self {
            Ok(value) => value,
            Err(error) => error.fail(),
        }
    }
}
