//! How long the changes of a table are held back.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::time::Duration;

use streams_core::window::Windowed;

/// The application stops when the buffer is full: nothing is emitted before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShutDownWhenFull;

/// The oldest entries are emitted before their time when the buffer is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EmitEarlyWhenFull;

/// A bound that is kept at any price, or none (`Suppressed.StrictBufferConfig`).
pub type StrictBufferConfig = BufferConfig<ShutDownWhenFull>;

/// A bound that is kept by emitting early (`Suppressed.EagerBufferConfig`).
pub type EagerBufferConfig = BufferConfig<EmitEarlyWhenFull>;

/// How large the buffer of [`KTable::suppress`] may grow, and what happens then
/// (`Suppressed.BufferConfig`).
///
/// What happens is part of the type, since results that are final must not come early:
///
/// ```compile_fail,E0308
/// # use streams_dsl::{BufferConfig, Suppressed, Windowed};
/// let early = BufferConfig::max_records(1000);
/// let _: Suppressed<Windowed<String>> = Suppressed::until_window_closes(early);
/// ```
///
/// ```
/// # use streams_dsl::{BufferConfig, Suppressed, Windowed};
/// let strict = BufferConfig::max_records(1000).shut_down_when_full();
/// let _: Suppressed<Windowed<String>> = Suppressed::until_window_closes(strict);
/// ```
///
/// [`KTable::suppress`]: crate::KTable::suppress
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BufferConfig<F> {
    records_max: u64,
    bytes_max: u64,
    logging: Option<BTreeMap<String, String>>,
    when_full: PhantomData<F>,
}

impl EagerBufferConfig {
    /// At most this number of keys; more are emitted early unless
    /// [`BufferConfig::shut_down_when_full`] says otherwise.
    pub fn max_records(records: u64) -> Self {
        Self::within(records, u64::MAX)
    }

    /// At most this number of bytes, by an estimate of what keys and values take; more are emitted
    /// early unless [`BufferConfig::shut_down_when_full`] says otherwise.
    pub fn max_bytes(bytes: u64) -> Self {
        Self::within(u64::MAX, bytes)
    }
}

impl StrictBufferConfig {
    /// As large as memory allows.
    pub fn unbounded() -> Self {
        Self::within(u64::MAX, u64::MAX)
    }
}

impl<F> BufferConfig<F> {
    fn within(records_max: u64, bytes_max: u64) -> Self {
        Self {
            records_max,
            bytes_max,
            logging: Some(BTreeMap::new()),
            when_full: PhantomData,
        }
    }

    /// At most this number of keys, besides what is said already.
    #[must_use]
    pub fn with_max_records(mut self, records: u64) -> Self {
        self.records_max = records;
        self
    }

    /// At most this number of bytes, besides what is said already.
    #[must_use]
    pub fn with_max_bytes(mut self, bytes: u64) -> Self {
        self.bytes_max = bytes;
        self
    }

    /// As large as memory allows, whatever was said before.
    #[must_use]
    pub fn with_no_bound(self) -> StrictBufferConfig {
        BufferConfig {
            logging: self.logging,
            ..BufferConfig::unbounded()
        }
    }

    /// Stops the application when the buffer is full.
    #[must_use]
    pub fn shut_down_when_full(self) -> StrictBufferConfig {
        self.when_full()
    }

    /// Emits the oldest entries early when the buffer is full.
    #[must_use]
    pub fn emit_early_when_full(self) -> EagerBufferConfig {
        self.when_full()
    }

    fn when_full<G>(self) -> BufferConfig<G> {
        BufferConfig {
            logging: self.logging,
            ..BufferConfig::within(self.records_max, self.bytes_max)
        }
    }

    /// Has no changelog: what is in the buffer when its task moves or the process ends is lost.
    #[must_use]
    pub fn without_logging(mut self) -> Self {
        self.logging = None;
        self
    }

    /// Writes the buffer to a changelog topic, as it does by default, made with these settings.
    #[must_use]
    pub fn with_logging(mut self, topic_config: BTreeMap<String, String>) -> Self {
        self.logging = Some(topic_config);
        self
    }
}

/// What the types of buffers say.
pub trait WhenFull: sealed::Sealed {
    /// Whether a full buffer emits early rather than stop the application.
    const EMITS_EARLY: bool;
}

impl WhenFull for ShutDownWhenFull {
    const EMITS_EARLY: bool = false;
}

impl WhenFull for EmitEarlyWhenFull {
    const EMITS_EARLY: bool = true;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::ShutDownWhenFull {}
    impl Sealed for super::EmitEarlyWhenFull {}
}

/// How long [`KTable::suppress`](crate::KTable::suppress) holds changes back
/// (`org.apache.kafka.streams.kstream.Suppressed`, KIP-328).
pub struct Suppressed<K> {
    pub(crate) wait: Wait,
    /// When an entry's wait begins, from its key and its record's time, in milliseconds.
    pub(crate) buffer_time: fn(&K, i64) -> i64,
    pub(crate) records_max: u64,
    pub(crate) bytes_max: u64,
    pub(crate) emits_early: bool,
    /// The settings of the changelog topic, if there is one.
    pub(crate) logging: Option<BTreeMap<String, String>>,
}

/// How long an entry waits from its time on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wait {
    /// As long as the table's windows take records after their end; then its result is final, and
    /// a deletion of what was never emitted need not be told.
    UntilWindowCloses,
    /// So many milliseconds of stream time.
    Millis(i64),
}

impl<K> Suppressed<Windowed<K>> {
    /// Until the window of the key has closed: then one change goes on, the last
    /// (`Suppressed.untilWindowCloses`). For tables of windows only.
    pub fn until_window_closes(buffer: StrictBufferConfig) -> Self {
        Self::new(Wait::UntilWindowCloses, |key, _| key.window.end_ms, buffer)
    }
}

impl<K> Suppressed<K> {
    /// Until stream time has moved on so far after the first change of a key that is held back;
    /// then its last change goes on (`Suppressed.untilTimeLimit`).
    pub fn until_time_limit<F: WhenFull>(wait: Duration, buffer: BufferConfig<F>) -> Self {
        let wait_ms = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
        Self::new(
            Wait::Millis(wait_ms),
            |_, timestamp_ms| timestamp_ms,
            buffer,
        )
    }

    fn new<F: WhenFull>(
        wait: Wait,
        buffer_time: fn(&K, i64) -> i64,
        buffer: BufferConfig<F>,
    ) -> Self {
        Self {
            wait,
            buffer_time,
            records_max: buffer.records_max,
            bytes_max: buffer.bytes_max,
            emits_early: F::EMITS_EARLY,
            logging: buffer.logging,
        }
    }
}
