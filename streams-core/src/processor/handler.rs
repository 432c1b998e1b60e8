//! What happens to a record that fails: decisions, and the dead-letter record.
//!
//! One trait serves the three places where a record can fail; Kafka Streams has one interface for
//! each (KIP-161, KIP-1033, KIP-210), and their answers as in KIP-1034.

use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Duration;

use crate::id::TaskId;
use crate::record::Headers;

/// Where a record failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailureOrigin {
    /// Its bytes could not be read by the source's serdes, or its timestamp is invalid.
    Deserialization,
    /// A processor failed on it, or in a punctuation.
    Processing,
    /// A key or value could not be written by the sink's serdes.
    Serialization,
    /// The broker refused it.
    Production,
}

/// What is known of a record that failed (`ErrorHandlerContext`).
#[derive(Debug, Clone, Copy)]
pub struct ErrorContext<'a> {
    /// Where it failed.
    pub origin: FailureOrigin,
    /// The task; `None` if the broker refused a record, which is known only when the batch is sent.
    pub task_id: Option<TaskId>,
    /// The node of the topology.
    pub node: &'a str,
    /// The topic of the source record; empty in a punctuation.
    pub topic: &'a str,
    /// The partition of the source record; -1 in a punctuation.
    pub partition: i32,
    /// The offset of the source record; -1 in a punctuation.
    pub offset: i64,
    /// The timestamp of the source record, or of the punctuation, in milliseconds since the epoch.
    pub timestamp_ms: i64,
    /// The headers of the source record.
    pub headers: &'a Headers,
    /// The source record's key, as it was read.
    pub key: Option<&'a [u8]>,
    /// The source record's value, as it was read.
    pub value: Option<&'a [u8]>,
    /// How often this record has failed here before.
    pub retries: u32,
}

/// A handler's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HandlerResponse {
    /// Stop the thread with this failure; its uncaught-error handler decides what follows.
    Fail,
    /// Leave the record out, count it as dropped, and go on.
    Continue,
    /// Try again after this time. Where that cannot be done (see
    /// [`super::Processor::copy_for_retry`]) or has been answered too often, the
    /// answer comes from [`ExceptionHandler::give_up`].
    Retry(Duration),
    /// Send the source record's bytes to this topic, in the same transaction, and go on.
    DeadLetter(Arc<str>),
}

/// Decides what becomes of a record that failed. Shared by all threads.
pub trait ExceptionHandler: Send + Sync {
    /// The answer for this failure.
    fn handle(
        &self,
        context: &ErrorContext<'_>,
        error: &(dyn StdError + 'static),
    ) -> HandlerResponse;

    /// How often [`HandlerResponse::Retry`] may be answered for one record; 0 if never, which
    /// spares processors a copy of each record.
    fn retries_max(&self) -> u32 {
        0
    }

    /// The answer when the failure is still there after the last retry, or cannot be retried.
    fn give_up(
        &self,
        context: &ErrorContext<'_>,
        error: &(dyn StdError + 'static),
    ) -> HandlerResponse {
        self.handle(context, error)
    }
}

/// Stops on a failure (`LogAndFailExceptionHandler`); the default, as in Kafka Streams.
#[derive(Debug, Clone, Copy, Default)]
pub struct FailOnError;

impl ExceptionHandler for FailOnError {
    fn handle(
        &self,
        context: &ErrorContext<'_>,
        error: &(dyn StdError + 'static),
    ) -> HandlerResponse {
        log_failure(context, error, "stopping");
        HandlerResponse::Fail
    }
}

/// Leaves a failed record out (`LogAndContinueExceptionHandler` without a dead-letter topic).
#[derive(Debug, Clone, Copy, Default)]
pub struct ContinueOnError;

impl ExceptionHandler for ContinueOnError {
    fn handle(
        &self,
        context: &ErrorContext<'_>,
        error: &(dyn StdError + 'static),
    ) -> HandlerResponse {
        log_failure(context, error, "leaving the record out");
        HandlerResponse::Continue
    }
}

/// Sends a failed record to a dead-letter topic (`LogAndContinueExceptionHandler` with
/// `errors.dead.letter.queue.topic.name`, KIP-1034).
#[derive(Debug, Clone)]
pub struct DeadLetterOnError {
    topic: Arc<str>,
}

impl DeadLetterOnError {
    /// Sends to `topic`, which must exist.
    pub fn new(topic: impl Into<Arc<str>>) -> Self {
        Self {
            topic: topic.into(),
        }
    }
}

impl ExceptionHandler for DeadLetterOnError {
    fn handle(
        &self,
        context: &ErrorContext<'_>,
        error: &(dyn StdError + 'static),
    ) -> HandlerResponse {
        log_failure(
            context,
            error,
            "sending the record to the dead-letter topic",
        );
        HandlerResponse::DeadLetter(Arc::clone(&self.topic))
    }
}

/// Tries again, waiting twice as long each time, then asks another handler.
///
/// The wait blocks the thread, and under exactly-once the open transaction: the sum of the waits
/// must stay well below `transaction.timeout.ms` and `max.poll.interval.ms`.
#[derive(Clone)]
pub struct RetryOnError {
    retries_max: u32,
    first_wait: Duration,
    wait_max: Duration,
    then: Arc<dyn ExceptionHandler>,
}

impl RetryOnError {
    /// The longest single wait, if not set otherwise.
    pub const WAIT_MAX: Duration = Duration::from_secs(10);

    /// Tries `retries_max` times more, first after `first_wait`, then asks `then`.
    pub fn new(retries_max: u32, first_wait: Duration, then: Arc<dyn ExceptionHandler>) -> Self {
        Self {
            retries_max,
            first_wait,
            wait_max: Self::WAIT_MAX,
            then,
        }
    }

    /// Never waits longer than this at once.
    #[must_use]
    pub fn with_wait_max(mut self, wait_max: Duration) -> Self {
        self.wait_max = wait_max;
        self
    }
}

impl ExceptionHandler for RetryOnError {
    fn handle(
        &self,
        context: &ErrorContext<'_>,
        error: &(dyn StdError + 'static),
    ) -> HandlerResponse {
        if context.retries >= self.retries_max {
            return self.then.handle(context, error);
        }
        let factor = 2_u32.saturating_pow(context.retries);
        let wait = self.first_wait.saturating_mul(factor).min(self.wait_max);
        log_failure(context, error, "trying again");
        HandlerResponse::Retry(wait)
    }

    fn retries_max(&self) -> u32 {
        self.retries_max
    }

    fn give_up(
        &self,
        context: &ErrorContext<'_>,
        error: &(dyn StdError + 'static),
    ) -> HandlerResponse {
        self.then.give_up(context, error)
    }
}

/// The handlers of an application.
#[derive(Clone)]
pub struct StreamsHandlers {
    /// `deserialization.exception.handler`.
    pub deserialization: Arc<dyn ExceptionHandler>,
    /// `processing.exception.handler`.
    pub processing: Arc<dyn ExceptionHandler>,
    /// `production.exception.handler`, for what sinks cannot serialize and brokers refuse.
    pub production: Arc<dyn ExceptionHandler>,
}

impl Default for StreamsHandlers {
    fn default() -> Self {
        Self {
            deserialization: Arc::new(FailOnError),
            processing: Arc::new(FailOnError),
            production: Arc::new(FailOnError),
        }
    }
}

fn log_failure(context: &ErrorContext<'_>, error: &(dyn StdError + 'static), outcome: &str) {
    tracing::warn!(
        task = context.task_id.map(tracing::field::display),
        node = context.node,
        topic = context.topic,
        partition = context.partition,
        offset = context.offset,
        retries = context.retries,
        error = %error,
        "{:?} failed, {outcome}", context.origin
    );
}

/// The headers of a dead-letter record: those of the source record, then KIP-1034's.
pub(crate) fn dead_letter_headers(
    context: &ErrorContext<'_>,
    error: &(dyn StdError + 'static),
) -> Headers {
    let mut headers = context.headers.clone();
    headers
        .add(
            "__streams.errors.exception",
            exception_name(context.origin).as_bytes(),
        )
        .add("__streams.errors.message", shortened(error.to_string()))
        .add(STACKTRACE_HEADER, shortened(causes(error)));
    // A punctuation has no topic, and its header no value, as in the JVM.
    match context.topic {
        "" => headers.add_null("__streams.errors.topic"),
        topic => headers.add("__streams.errors.topic", topic.as_bytes()),
    };
    headers
        .add(
            "__streams.errors.partition",
            context.partition.to_string().into_bytes(),
        )
        .add(
            "__streams.errors.offset",
            context.offset.to_string().into_bytes(),
        );
    headers
}

/// The header that is left out first where a dead letter would be too large.
pub(crate) const STACKTRACE_HEADER: &str = "__streams.errors.stacktrace";

/// The most bytes of a header that tells a cause.
const CAUSE_BYTES_MAX: usize = 8 * 1024;

fn shortened(text: String) -> Vec<u8> {
    let mut bytes = text.into_bytes();
    bytes.truncate(CAUSE_BYTES_MAX);
    bytes
}

/// The name of the exception that the JVM would have thrown, so that tools which sort dead letters
/// by it go on working.
fn exception_name(origin: FailureOrigin) -> &'static str {
    match origin {
        FailureOrigin::Deserialization | FailureOrigin::Serialization => {
            "org.apache.kafka.common.errors.SerializationException"
        }
        FailureOrigin::Processing => "org.apache.kafka.streams.errors.StreamsException",
        FailureOrigin::Production => "org.apache.kafka.common.KafkaException",
    }
}

/// The error and its causes, a line each: what takes the place of a stack trace.
fn causes(error: &(dyn StdError + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str("\nCaused by: ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
