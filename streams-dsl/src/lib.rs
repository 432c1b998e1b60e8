//! `KStream` for Rust: a typed DSL that compiles to a `streams-core` topology.
//!
//! A program declares its topics, asks a [`StreamsBuilder`] for streams, and builds a
//! [`Topology`]. Names, numbers and the text of [`Topology::describe`] are those of JVM Kafka
//! Streams for the same program.

mod builder;
mod operator;
mod option;
mod plan;
mod stream;
mod subscription;

pub use builder::StreamsBuilder;
pub use operator::Rejected;
pub use option::{Consumed, Printed, Produced, Repartitioned, RetryPolicy, Retryable};
pub use stream::{BranchedKStream, KStream, Terminal};
pub use subscription::{Subscribed, Subscription, TopicPattern};

// What a program needs of the run time, so that one `use` is enough.
pub use streams_core::processor::{
    ContinueOnError, DeadLetterOnError, ErrorContext, ExceptionHandler, FailOnError,
    FailOnInvalidTimestamp, FailureOrigin, FixedKeyProcessor, FixedKeyProcessorContext,
    FixedKeyRecord, HandlerResponse, LogAndSkipOnInvalidTimestamp, Processor, ProcessorContext,
    ProcessorError, Punctuation, PunctuationType, RetryOnError, StreamPartitioner, StreamsHandlers,
    TimestampExtractor, UsePartitionTimeOnInvalidTimestamp, WallclockTimestampExtractor,
};
pub use streams_core::testing::TopologyTestDriver;
pub use streams_core::topology::AutoOffsetReset;
pub use streams_core::{
    Error, ErrorKind, Header, Headers, Record, RecordMetadata, Result, TaskId, Topic, Topology,
    serde,
};
