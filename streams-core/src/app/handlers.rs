//! The handlers that the configuration asks for.

use std::sync::Arc;
use std::time::Duration;

use crate::config::{ErrorAction, ErrorHandling, StreamsConfig};
use crate::processor::{
    ContinueOnError, DeadLetterOnError, ExceptionHandler, FailOnError, RetryOnError,
    StreamsHandlers,
};

/// The handlers of a configuration.
pub(super) fn configured(config: &StreamsConfig) -> StreamsHandlers {
    let topic = config.dead_letter_topic.as_deref();
    StreamsHandlers {
        deserialization: handler(config.deserialization_errors, topic),
        processing: handler(config.processing_errors, topic),
        production: handler(config.production_errors, topic),
    }
}

fn handler(handling: ErrorHandling, dead_letter_topic: Option<&str>) -> Arc<dyn ExceptionHandler> {
    let then: Arc<dyn ExceptionHandler> = match (handling.action, dead_letter_topic) {
        (ErrorAction::Fail, _) => Arc::new(FailOnError),
        (ErrorAction::Continue | ErrorAction::DeadLetter, Some(topic)) => {
            Arc::new(DeadLetterOnError::new(topic))
        }
        (ErrorAction::Continue | ErrorAction::DeadLetter, None) => Arc::new(ContinueOnError),
    };
    if handling.retries == 0 {
        return then;
    }
    let first_wait = Duration::from_millis(handling.retry_backoff_ms);
    let wait_max = Duration::from_millis(handling.retry_backoff_max_ms);
    Arc::new(RetryOnError::new(handling.retries, first_wait, then).with_wait_max(wait_max))
}
