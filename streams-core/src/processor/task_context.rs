//! What all nodes of one task share while a record goes through it.

use std::error::Error as StdError;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use crate::broker::Collector;
use crate::clock::Clock;
use crate::config::StreamsConfig;
use crate::error::{Error, ErrorKind};
use crate::id::{TaskId, TopicPartition};
use crate::processor::handler::{
    ErrorContext, ExceptionHandler, FailureOrigin, HandlerResponse, STACKTRACE_HEADER,
    StreamsHandlers, dead_letter_headers,
};
use crate::processor::metadata::ProcessorMetadata;
use crate::processor::punctuate::PunctuationQueue;
use crate::record::{Headers, OutgoingRecord, RawRecord, RecordMetadata};

/// What a task is given by whoever runs it.
#[derive(Clone)]
pub(crate) struct TaskEnvironment {
    pub(crate) application_id: Arc<str>,
    pub(crate) handlers: StreamsHandlers,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) collector: Rc<dyn Collector>,
    pub(crate) emit_intervals: EmitIntervals,
}

/// How often, at most, results are looked for that wait for a window to close, in milliseconds of
/// the wall clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EmitIntervals {
    /// Those of windowed aggregations
    /// (`__emit.interval.ms.kstreams.windowed.aggregation__`).
    pub windowed_aggregation_ms: i64,
    /// Those of left and outer joins of streams
    /// (`__emit.interval.ms.kstreams.outer.join.spurious.results.fix__`).
    pub outer_join_ms: i64,
}

impl EmitIntervals {
    /// As the application's settings say.
    pub(crate) fn of(config: &StreamsConfig) -> Self {
        let millis = |interval_ms: u64| i64::try_from(interval_ms).unwrap_or(i64::MAX);
        Self {
            windowed_aggregation_ms: millis(config.windowed_aggregation_emit_interval_ms),
            outer_join_ms: millis(config.outer_join_emit_interval_ms),
        }
    }

    /// No wait, as in the JVM's `TopologyTestDriver`.
    pub(crate) const NONE: Self = Self {
        windowed_aggregation_ms: 0,
        outer_join_ms: 0,
    };
}

/// The source record that is being processed.
pub(crate) struct CurrentRecord {
    pub(crate) topic: Arc<str>,
    pub(crate) partition: i32,
    pub(crate) timestamp_ms: i64,
    pub(crate) raw: RawRecord,
}

impl CurrentRecord {
    pub(crate) fn new(from: &TopicPartition, timestamp_ms: i64, raw: RawRecord) -> Self {
        let (topic, partition) = (Arc::clone(&from.topic), from.partition);
        Self {
            topic,
            partition,
            timestamp_ms,
            raw,
        }
    }
}

/// What a task has done since its counts were last taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TaskCounts {
    /// Source records taken.
    pub processed: u64,
    /// Records left out: by a handler, a missing key, an invalid timestamp or a partitioner.
    pub dropped: u64,
    /// Records sent to a dead-letter topic by a handler.
    pub dead_letters: u64,
    /// Punctuations called.
    pub punctuated: u64,
    /// Source records taken while another input of the task was empty (`enforced-processing`).
    pub enforced_processing: u64,
    /// How far records were behind stream time, together, in milliseconds.
    pub lateness_sum_ms: i64,
    /// How far the latest record was behind stream time, in milliseconds.
    pub lateness_max_ms: i64,
}

/// The state of one task that its nodes share.
pub(crate) struct TaskContext {
    pub(crate) id: TaskId,
    pub(crate) environment: TaskEnvironment,
    pub(crate) current: Option<CurrentRecord>,
    pub(crate) stream_time_ms: i64,
    /// The time of the last punctuation: that of the records it makes and of its failure.
    pub(crate) punctuation_ms: i64,
    pub(crate) punctuations: PunctuationQueue,
    pub(crate) metadata: ProcessorMetadata,
    pub(crate) counts: TaskCounts,
    pub(crate) commit_requested: bool,
    /// Whether processors are to keep copies of their records, for retries.
    pub(crate) retries_processing: bool,
    failure: Option<Error>,
}

/// Stream time before the first record (`ConsumerRecord.NO_TIMESTAMP`).
pub(crate) const UNKNOWN_TIME: i64 = -1;

const NO_HEADERS: &Headers = &Headers::new();

impl TaskContext {
    pub(crate) fn new(id: TaskId, environment: TaskEnvironment) -> Self {
        let retries_processing = environment.handlers.processing.retries_max() > 0;
        Self {
            id,
            environment,
            current: None,
            stream_time_ms: UNKNOWN_TIME,
            punctuation_ms: UNKNOWN_TIME,
            punctuations: PunctuationQueue::default(),
            metadata: ProcessorMetadata::default(),
            counts: TaskCounts::default(),
            commit_requested: false,
            retries_processing,
            failure: None,
        }
    }

    pub(crate) fn now_ms(&self) -> i64 {
        self.environment.clock.now_ms()
    }

    /// Whether the task has failed: nothing more goes through it.
    #[inline]
    pub(crate) fn has_failed(&self) -> bool {
        self.failure.is_some()
    }

    /// Stops the task with this failure, unless an earlier one has.
    pub(crate) fn fail(&mut self, error: Error) {
        self.failure.get_or_insert(error);
    }

    pub(crate) fn take_failure(&mut self) -> Option<Error> {
        self.failure.take()
    }

    pub(crate) fn record_metadata(&self) -> Option<RecordMetadata<'_>> {
        self.current.as_ref().map(|current| RecordMetadata {
            topic: &current.topic,
            partition: current.partition,
            offset: current.raw.offset,
        })
    }

    /// Asks the handler of `origin` what becomes of the current record and does it. Returns the
    /// wait before another try, if there is to be one.
    pub(crate) fn handle_failure(
        &mut self,
        origin: FailureOrigin,
        node: &str,
        error: &(dyn StdError + 'static),
        tries: Tries,
    ) -> Option<Duration> {
        let handler = Arc::clone(match origin {
            FailureOrigin::Deserialization => &self.environment.handlers.deserialization,
            FailureOrigin::Processing => &self.environment.handlers.processing,
            FailureOrigin::Serialization | FailureOrigin::Production => {
                &self.environment.handlers.production
            }
        });
        let context = self.error_context(origin, node, tries.retries);
        let mut response = handler.handle(&context, error);
        if matches!(response, HandlerResponse::Retry(_)) && !tries.may_retry(&*handler) {
            response = handler.give_up(&context, error);
        }
        match response {
            HandlerResponse::Retry(wait) if tries.may_retry(&*handler) => Some(wait),
            HandlerResponse::Continue => {
                self.counts.dropped += 1;
                None
            }
            HandlerResponse::DeadLetter(topic) => {
                self.send_dead_letter(&topic, origin, node, error);
                None
            }
            HandlerResponse::Fail | HandlerResponse::Retry(_) => {
                let failure = self.describe_failure(origin, node, error);
                self.fail(failure);
                None
            }
        }
    }

    fn error_context<'a>(
        &'a self,
        origin: FailureOrigin,
        node: &'a str,
        retries: u32,
    ) -> ErrorContext<'a> {
        let current = self.current.as_ref();
        ErrorContext {
            origin,
            task_id: Some(self.id),
            node,
            topic: current.map_or("", |current| &current.topic),
            partition: current.map_or(-1, |current| current.partition),
            offset: current.map_or(-1, |current| current.raw.offset),
            timestamp_ms: current.map_or(self.punctuation_ms, |current| current.timestamp_ms),
            headers: current.map_or(NO_HEADERS, |current| &current.raw.headers),
            key: current.and_then(|current| current.raw.key()),
            value: current.and_then(|current| current.raw.value()),
            retries,
        }
    }

    fn send_dead_letter(
        &mut self,
        topic: &str,
        origin: FailureOrigin,
        node: &str,
        error: &(dyn StdError + 'static),
    ) {
        let context = self.error_context(origin, node, 0);
        let headers = dead_letter_headers(&context, error);
        let record = OutgoingRecord {
            topic,
            partition: None,
            key: context.key,
            value: context.value,
            timestamp_ms: context.timestamp_ms,
            headers: &headers,
        };
        let mut sent = self.environment.collector.send(&record);
        if matches!(&sent, Err(error) if error.kind() == ErrorKind::Production) {
            // A record near the largest that brokers take leaves little room for its causes.
            let mut shorter = headers.clone();
            shorter.remove(STACKTRACE_HEADER);
            let record = OutgoingRecord {
                headers: &shorter,
                ..record
            };
            sent = self.environment.collector.send(&record);
        }
        self.counts.dead_letters += 1;
        self.counts.dropped += 1;
        if let Err(error) = sent {
            self.fail(error);
        }
    }

    fn describe_failure(
        &self,
        origin: FailureOrigin,
        node: &str,
        error: &(dyn StdError + 'static),
    ) -> Error {
        let (kind, doing) = match origin {
            FailureOrigin::Deserialization => (ErrorKind::Serde, "cannot read"),
            FailureOrigin::Serialization => (ErrorKind::Serde, "cannot serialize a result of"),
            FailureOrigin::Processing => (ErrorKind::Processing, "cannot process"),
            FailureOrigin::Production => (ErrorKind::Production, "cannot produce a result of"),
        };
        let place = match self.record_metadata() {
            Some(RecordMetadata {
                topic,
                partition,
                offset,
            }) => {
                format!("the record topic={topic} partition={partition} offset={offset}")
            }
            None => "a punctuation".to_owned(),
        };
        let id = self.id;
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(inner) = cause {
            let inner_text = inner.to_string();
            if !text.contains(&inner_text) {
                text = format!("{text}: {inner_text}");
            }
            cause = inner.source();
        }
        Error::new(
            kind,
            format!("{doing} {place} in node={node} task={id}: {text}"),
        )
    }
}

/// How often a step has been tried, and whether it can be tried again.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tries {
    pub(crate) retries: u32,
    pub(crate) repeatable: bool,
}

impl Tries {
    pub(crate) const ONCE: Self = Self {
        retries: 0,
        repeatable: false,
    };

    pub(crate) fn repeatable(retries: u32) -> Self {
        Self {
            retries,
            repeatable: true,
        }
    }

    fn may_retry(self, handler: &dyn ExceptionHandler) -> bool {
        self.repeatable && self.retries < handler.retries_max()
    }
}
