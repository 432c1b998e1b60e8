//! `KStream` for Rust: a typed DSL that compiles to a `streams-core` topology.
//!
//! A program declares its topics, asks a [`StreamsBuilder`] for streams, and builds a
//! [`Topology`]. Names, numbers and the text of [`Topology::describe`] are those of JVM Kafka
//! Streams for the same program.
//!
//! ```
//! use streams_dsl::serde::Utf8;
//! use streams_dsl::{Result, StreamsBuilder, Topic, Topology, TopologyTestDriver};
//!
//! fn lines() -> Topic<String, String> {
//!     Topic::new("lines", Utf8, Utf8)
//! }
//!
//! fn words() -> Topic<String, String> {
//!     Topic::new("words", Utf8, Utf8)
//! }
//!
//! fn topology() -> Result<Topology> {
//!     let builder = StreamsBuilder::new();
//!     builder
//!         .stream(&lines())
//!         .flat_map_values(|line| line.split(' ').map(str::to_owned).collect::<Vec<_>>())
//!         .filter(|_, word| !word.is_empty())
//!         .to(&words());
//!     builder.build()
//! }
//!
//! let mut driver = TopologyTestDriver::new(&topology()?)?;
//! driver.pipe(&lines(), &"1".into(), &"to be".into(), 0)?;
//! assert_eq!(driver.read(&words()), Some(("1".into(), "to".into())));
//! assert_eq!(driver.read(&words()), Some(("1".into(), "be".into())));
//! # Ok::<(), streams_dsl::Error>(())
//! ```
//!
//! [`KafkaStreams`] runs the same topology on a cluster.

mod builder;
mod group;
mod operator;
mod option;
mod plan;
mod state_store;
mod stream;
mod subscription;
mod table;
mod window;

pub use builder::StreamsBuilder;
pub use group::{
    ClosingWindows, CogroupedKStream, KGroupedStream, KGroupedTable, NeverNull,
    SessionWindowedCogroupedKStream, SessionWindowedKStream, TimeWindowedCogroupedKStream,
    TimeWindowedKStream, WindowedBy,
};
pub use operator::{Rejected, ValueTransformer};
pub use option::{
    BufferConfig, Consumed, Deduplicated, EagerBufferConfig, EmitEarlyWhenFull, EmitStrategy,
    Grouped, Joined, Materialized, Printed, Produced, Repartitioned, RetryPolicy, Retryable,
    ShutDownWhenFull, StreamJoined, StrictBufferConfig, Suppressed, TableJoined, WhenFull,
};
pub use stream::{BranchedKStream, KStream, Terminal};
pub use subscription::{Subscribed, Subscription, TopicPattern};
pub use table::{GlobalKTable, KTable};
pub use window::{JoinWindows, SessionWindows, SlidingWindows, TimeWindows, UnlimitedWindows};

// What a program needs of the run time, so that one `use` is enough.
pub use streams_core::processor::{
    ContinueOnError, DeadLetterOnError, ErrorContext, ExceptionHandler, FailOnError,
    FailOnInvalidTimestamp, FailureOrigin, FixedKeyProcessor, FixedKeyProcessorContext,
    FixedKeyRecord, HandlerResponse, LogAndSkipOnInvalidTimestamp, Processor, ProcessorContext,
    ProcessorError, Punctuation, PunctuationType, RetryOnError, StreamPartitioner, StreamsHandlers,
    TimestampExtractor, UsePartitionTimeOnInvalidTimestamp, WallclockTimestampExtractor,
};
pub use streams_core::store::{
    KeyValueStore, SessionStore, StoreAccess, StoreBuilder, StoreType, TaskKeyValueStore,
    TaskSessionStore, TaskTimestampedKeyValueStore, TaskTimestampedWindowStore, TaskVersionedStore,
    TaskWindowStore, ValueAndTimestamp, VersionedKeyValueStore, VersionedRecord, WindowStore,
    WindowStoreSettings,
};
pub use streams_core::testing::TopologyTestDriver;
pub use streams_core::topology::AutoOffsetReset;
pub use streams_core::window::{Window, Windowed};
pub use streams_core::{
    Error, ErrorKind, Header, Headers, Record, RecordMetadata, Result, TaskId, Topic, Topology,
    serde,
};
pub use streams_core::{
    KafkaStreams, State, StateListener, StreamsConfig, UncaughtErrorHandler, UncaughtErrorResponse,
};
