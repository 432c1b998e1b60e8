//! What to do with records that cannot be read, processed or written.

use super::reader::Reader;

/// What happens to a record that failed, after its retries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorAction {
    /// The thread stops with the error; the dead-letter topic gets the record first if one is set
    /// (KIP-1034).
    Fail,
    /// The record is dropped with a warning; the dead-letter topic gets it if one is set.
    Continue,
    /// The record goes to the dead-letter topic, which must be set.
    DeadLetter,
}

/// How errors of one kind are handled: `<kind>.exception.handler` and the settings under it.
///
/// | setting | default |
/// |---|---|
/// | `<kind>.exception.handler`: a short name or Kafka's class | `fail` |
/// | `<kind>.exception.handler.retries` | 0, or 5 with `retry` |
/// | `<kind>.exception.handler.retry.backoff.ms` | 100 |
/// | `<kind>.exception.handler.retry.backoff.max.ms` | 10000 |
///
/// The short names are `fail`, `continue`, `dead-letter` and `retry`, which fails after five
/// retries; with the number of retries given, every action retries first.
/// The kinds are `deserialization`, `processing` and `production`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ErrorHandling {
    /// What happens after the last retry.
    pub action: ErrorAction,
    /// How often the record is tried again.
    pub retries: u32,
    /// The wait before the first retry, in milliseconds; it doubles with each.
    pub retry_backoff_ms: u64,
    /// The longest wait before a retry, in milliseconds.
    pub retry_backoff_max_ms: u64,
}

const RETRIES: u32 = 5;
const RETRIES_MAX: u32 = 1_000;
const BACKOFF_MS: u64 = 100;
const BACKOFF_MAX_MS: u64 = 10_000;

impl Default for ErrorHandling {
    /// Kafka's default: fail, without a retry.
    fn default() -> Self {
        Self {
            action: ErrorAction::Fail,
            retries: 0,
            retry_backoff_ms: BACKOFF_MS,
            retry_backoff_max_ms: BACKOFF_MAX_MS,
        }
    }
}

impl ErrorHandling {
    /// The wait before this retry, in milliseconds; the first is 0.
    pub fn backoff_ms(&self, retry: u32) -> u64 {
        let doubled = 1_u64.checked_shl(retry).map_or(u64::MAX, |factor| {
            self.retry_backoff_ms.saturating_mul(factor)
        });
        doubled.min(self.retry_backoff_max_ms)
    }

    /// The longest that all retries of one record can wait, in milliseconds.
    pub fn backoff_total_ms(&self) -> u64 {
        (0..self.retries).fold(0, |total: u64, retry| {
            total.saturating_add(self.backoff_ms(retry))
        })
    }

    /// Reads the handler of one kind of error; `old_key` is its key before Kafka 4.0.
    pub(super) fn read(reader: &mut Reader<'_>, kind: Kind, old_key: Option<&str>) -> Self {
        let key = kind.key();
        let key = match old_key {
            Some(old) if reader.text(key).is_none() && reader.text(old).is_some() => {
                reader.warn(old, &format!("is deprecated, use `{key}`"));
                old
            }
            _ => key,
        };
        let chosen = reader.choice(key, Chosen::Action(ErrorAction::Fail), kind.choices());
        let (action, retries) = match chosen {
            Chosen::Action(action) => (action, 0),
            Chosen::Retry => (ErrorAction::Fail, RETRIES),
        };
        let key = kind.key();
        let backoff_ms = reader.millis(&format!("{key}.retry.backoff.ms"), BACKOFF_MS);
        let backoff_max_ms = BACKOFF_MAX_MS.max(backoff_ms);
        Self {
            action,
            retries: reader.number(&format!("{key}.retries"), retries, 0, RETRIES_MAX),
            retry_backoff_ms: backoff_ms,
            retry_backoff_max_ms: reader.number(
                &format!("{key}.retry.backoff.max.ms"),
                backoff_max_ms,
                backoff_ms,
                i64::MAX as u64,
            ),
        }
    }
}

/// The kinds of errors that have a handler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Deserialization,
    Processing,
    Production,
}

#[derive(Debug, Clone, Copy)]
enum Chosen {
    Action(ErrorAction),
    Retry,
}

impl Kind {
    pub(super) fn key(self) -> &'static str {
        match self {
            Self::Deserialization => "deserialization.exception.handler",
            Self::Processing => "processing.exception.handler",
            Self::Production => "production.exception.handler",
        }
    }

    fn choices(self) -> &'static [(&'static str, Chosen)] {
        match self {
            Self::Deserialization => DESERIALIZATION,
            Self::Processing => PROCESSING,
            Self::Production => PRODUCTION,
        }
    }
}

const FAIL: Chosen = Chosen::Action(ErrorAction::Fail);
const CONTINUE: Chosen = Chosen::Action(ErrorAction::Continue);
const DEAD_LETTER: Chosen = Chosen::Action(ErrorAction::DeadLetter);

const DESERIALIZATION: &[(&str, Chosen)] = &[
    ("fail", FAIL),
    ("continue", CONTINUE),
    ("dead-letter", DEAD_LETTER),
    ("retry", Chosen::Retry),
    ("LogAndFailExceptionHandler", FAIL),
    ("LogAndContinueExceptionHandler", CONTINUE),
    (
        "org.apache.kafka.streams.errors.LogAndFailExceptionHandler",
        FAIL,
    ),
    (
        "org.apache.kafka.streams.errors.LogAndContinueExceptionHandler",
        CONTINUE,
    ),
];

const PROCESSING: &[(&str, Chosen)] = &[
    ("fail", FAIL),
    ("continue", CONTINUE),
    ("dead-letter", DEAD_LETTER),
    ("retry", Chosen::Retry),
    ("LogAndFailProcessingExceptionHandler", FAIL),
    ("LogAndContinueProcessingExceptionHandler", CONTINUE),
    (
        "org.apache.kafka.streams.errors.LogAndFailProcessingExceptionHandler",
        FAIL,
    ),
    (
        "org.apache.kafka.streams.errors.LogAndContinueProcessingExceptionHandler",
        CONTINUE,
    ),
];

const PRODUCTION: &[(&str, Chosen)] = &[
    ("fail", FAIL),
    ("continue", CONTINUE),
    ("dead-letter", DEAD_LETTER),
    ("retry", Chosen::Retry),
    ("DefaultProductionExceptionHandler", FAIL),
    (
        "org.apache.kafka.streams.errors.DefaultProductionExceptionHandler",
        FAIL,
    ),
];
