//! Processors: what happens to a record between a source and a sink.

mod context;
mod handler;
mod metadata;
mod node;
mod port;
mod punctuate;
mod sink;
mod source;
mod task_context;

use std::error::Error as StdError;

pub use context::{FixedKeyProcessorContext, ProcessorContext};
pub use handler::{
    ContinueOnError, DeadLetterOnError, ErrorContext, ExceptionHandler, FailOnError, FailureOrigin,
    HandlerResponse, RetryOnError, StreamsHandlers,
};
pub use punctuate::{Punctuation, PunctuationType};
pub use sink::{SinkTopic, StreamPartitioner, TopicNameExtractor};
pub use source::{
    FailOnInvalidTimestamp, LogAndSkipOnInvalidTimestamp, TimestampExtractor,
    UsePartitionTimeOnInvalidTimestamp, WallclockTimestampExtractor,
};

pub(crate) use metadata::ProcessorMetadata;
pub(crate) use node::{Lifecycle, ProcessorNode};
pub(crate) use port::{CopyRecord, Fanout, Port, Push};
pub(crate) use sink::SinkNode;
pub(crate) use source::{SourceNode, SourcePort, Staged};
pub(crate) use task_context::{CurrentRecord, TaskContext, TaskEnvironment, UNKNOWN_TIME};
pub use task_context::{EmitIntervals, TaskCounts};

use crate::record::Record;

/// What a processor may fail with: anything that is an error. It goes to the processing handler.
pub type ProcessorError = Box<dyn StdError + Send + Sync>;

/// A step of a topology (`org.apache.kafka.streams.processor.api.Processor`).
///
/// One instance serves one task and runs on one thread. It may change key, value and type, forward
/// any number of records per input, and schedule punctuations.
pub trait Processor<KIn, VIn, KOut, VOut>: 'static {
    /// Called once, before the first record.
    ///
    /// # Errors
    /// An error stops the task.
    fn init(
        &mut self,
        context: &mut ProcessorContext<'_, KOut, VOut>,
    ) -> Result<(), ProcessorError> {
        let _ = context;
        Ok(())
    }

    /// Takes one record.
    ///
    /// # Errors
    /// An error goes to the processing exception handler, which decides what becomes of the record.
    fn process(
        &mut self,
        context: &mut ProcessorContext<'_, KOut, VOut>,
        record: Record<KIn, VIn>,
    ) -> Result<(), ProcessorError>;

    /// A punctuation that this processor has scheduled is due, at `timestamp_ms` of its clock.
    ///
    /// # Errors
    /// As for [`Processor::process`].
    fn punctuate(
        &mut self,
        context: &mut ProcessorContext<'_, KOut, VOut>,
        punctuation: Punctuation,
        timestamp_ms: i64,
    ) -> Result<(), ProcessorError> {
        let _ = (context, punctuation, timestamp_ms);
        Ok(())
    }

    /// Called before each commit: what has been kept back, such as in the cache of a store, is to
    /// be forwarded now.
    ///
    /// # Errors
    /// As for [`Processor::process`].
    fn flush(
        &mut self,
        context: &mut ProcessorContext<'_, KOut, VOut>,
    ) -> Result<(), ProcessorError> {
        let _ = context;
        Ok(())
    }

    /// A copy of `record` to try again with, should [`Processor::process`] fail and the handler
    /// answer [`HandlerResponse::Retry`]. Asked for only if the handler may answer so.
    ///
    /// The default keeps no copy, since not every record is `Clone`: such a processor's failure is
    /// not retried, and the handler is asked what to do instead.
    fn copy_for_retry(&self, record: &Record<KIn, VIn>) -> Option<Record<KIn, VIn>> {
        let _ = record;
        None
    }

    /// Called once, when the task is closed, whether or not its work was committed.
    fn close(&mut self) {}
}

/// A step that cannot change the key, so that nothing after it needs a repartitioning
/// (`FixedKeyProcessor`, KIP-820).
pub trait FixedKeyProcessor<K, VIn, VOut>: 'static {
    /// Called once, before the first record.
    ///
    /// # Errors
    /// An error stops the task.
    fn init(
        &mut self,
        context: &mut FixedKeyProcessorContext<'_, K, VOut>,
    ) -> Result<(), ProcessorError> {
        let _ = context;
        Ok(())
    }

    /// Takes one value, with its key to read.
    ///
    /// # Errors
    /// An error goes to the processing exception handler.
    fn process(
        &mut self,
        context: &mut FixedKeyProcessorContext<'_, K, VOut>,
        record: FixedKeyRecord<K, VIn>,
    ) -> Result<(), ProcessorError>;

    /// A punctuation that this processor has scheduled is due.
    ///
    /// A fixed-key processor forwards only with the key of the record at hand, so it cannot
    /// forward from here.
    ///
    /// # Errors
    /// As for [`FixedKeyProcessor::process`].
    fn punctuate(
        &mut self,
        context: &mut FixedKeyProcessorContext<'_, K, VOut>,
        punctuation: Punctuation,
        timestamp_ms: i64,
    ) -> Result<(), ProcessorError> {
        let _ = (context, punctuation, timestamp_ms);
        Ok(())
    }

    /// Called once, when the task is closed.
    fn close(&mut self) {}
}

/// A record whose key can be read and not replaced (`FixedKeyRecord`, KIP-820).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FixedKeyRecord<K, V>(Record<K, V>);

impl<K, V> FixedKeyRecord<K, V> {
    pub(crate) fn new(record: Record<K, V>) -> Self {
        Self(record)
    }

    pub(crate) fn into_record(self) -> Record<K, V> {
        self.0
    }

    /// The key.
    pub fn key(&self) -> &K {
        &self.0.key
    }

    /// The value.
    pub fn value(&self) -> &V {
        &self.0.value
    }

    /// The event time, in milliseconds since the epoch.
    pub fn timestamp_ms(&self) -> i64 {
        self.0.timestamp_ms
    }

    /// The headers.
    pub fn headers(&self) -> &crate::record::Headers {
        &self.0.headers
    }

    /// The headers, to change.
    pub fn headers_mut(&mut self) -> &mut crate::record::Headers {
        &mut self.0.headers
    }

    /// The same record with another value.
    pub fn with_value<V2>(self, value: V2) -> FixedKeyRecord<K, V2> {
        FixedKeyRecord(self.0.with_value(value))
    }

    /// The same record with its value mapped.
    pub fn map_value<V2>(self, map: impl FnOnce(&K, V) -> V2) -> FixedKeyRecord<K, V2> {
        let Record {
            key,
            value,
            timestamp_ms,
            headers,
        } = self.0;
        let value = map(&key, value);
        FixedKeyRecord(Record {
            key,
            value,
            timestamp_ms,
            headers,
        })
    }

    /// The same record with another timestamp, in milliseconds since the epoch.
    #[must_use]
    pub fn with_timestamp_ms(self, timestamp_ms: i64) -> Self {
        Self(self.0.with_timestamp_ms(timestamp_ms))
    }
}

/// A [`FixedKeyProcessor`] as a [`Processor`].
pub struct FixedKey<P>(pub P);

impl<P, K, VIn, VOut> Processor<K, VIn, K, VOut> for FixedKey<P>
where
    P: FixedKeyProcessor<K, VIn, VOut>,
    K: 'static,
    VIn: 'static,
    VOut: 'static,
{
    fn init(&mut self, context: &mut ProcessorContext<'_, K, VOut>) -> Result<(), ProcessorError> {
        self.0.init(&mut FixedKeyProcessorContext::new(context))
    }

    fn process(
        &mut self,
        context: &mut ProcessorContext<'_, K, VOut>,
        record: Record<K, VIn>,
    ) -> Result<(), ProcessorError> {
        self.0.process(
            &mut FixedKeyProcessorContext::new(context),
            FixedKeyRecord::new(record),
        )
    }

    fn punctuate(
        &mut self,
        context: &mut ProcessorContext<'_, K, VOut>,
        punctuation: Punctuation,
        timestamp_ms: i64,
    ) -> Result<(), ProcessorError> {
        self.0.punctuate(
            &mut FixedKeyProcessorContext::new(context),
            punctuation,
            timestamp_ms,
        )
    }

    fn close(&mut self) {
        self.0.close();
    }
}
