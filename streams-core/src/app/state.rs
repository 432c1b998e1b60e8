//! The states of an application.

/// What an application is doing (`KafkaStreams.State`, with its ordinals).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum State {
    /// Not started.
    Created = 0,
    /// Joining its group, or getting other tasks.
    Rebalancing = 1,
    /// Every thread processes its tasks.
    Running = 2,
    /// Stopping: the last commits are being made.
    PendingShutdown = 3,
    /// Stopped.
    NotRunning = 4,
    /// Stopping because of an error.
    PendingError = 5,
    /// Stopped because of an error.
    Error = 6,
}

impl State {
    /// Whether nothing follows it.
    pub fn is_final(self) -> bool {
        matches!(self, Self::NotRunning | Self::Error)
    }

    /// The name that Kafka Streams gives it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Created => "CREATED",
            Self::Rebalancing => "REBALANCING",
            Self::Running => "RUNNING",
            Self::PendingShutdown => "PENDING_SHUTDOWN",
            Self::NotRunning => "NOT_RUNNING",
            Self::PendingError => "PENDING_ERROR",
            Self::Error => "ERROR",
        }
    }
}

impl std::fmt::Display for State {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.name())
    }
}

/// Called with the new and the old state (`KafkaStreams.StateListener`), on a thread of the
/// application's own; it must not wait for the application.
pub type StateListener = dyn Fn(State, State) + Send + Sync;
