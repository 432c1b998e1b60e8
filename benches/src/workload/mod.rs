//! The topologies that are measured; each peer has the same.

mod counting;
mod joining;
mod stateless;

use clap::ValueEnum;
use streams_dsl::{Result, Topology};

/// What is done to each record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Workload {
    /// Validate, enrich, split by operation, tag, merge.
    Stateless,
    /// Count by key.
    Count,
    /// Count by key and minute.
    Windowed,
    /// Join a stream with a table.
    Join,
    /// Join two streams.
    StreamJoin,
    /// Restore a store from its changelog.
    Restore,
    /// Come back after a `kill -9`.
    Recovery,
    /// Do nothing with many partitions and stores.
    Idle,
}

impl Workload {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Stateless,
        Self::Count,
        Self::Windowed,
        Self::Join,
        Self::StreamJoin,
        Self::Restore,
        Self::Recovery,
        Self::Idle,
    ];

    /// Its name on every command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Stateless => "stateless",
            Self::Count => "count",
            Self::Windowed => "windowed",
            Self::Join => "join",
            Self::StreamJoin => "stream-join",
            Self::Restore => "restore",
            Self::Recovery => "recovery",
            Self::Idle => "idle",
        }
    }

    /// What it does, as a heading.
    pub fn title(self) -> &'static str {
        match self {
            Self::Stateless => "Stateless: validate, enrich, split by operation, tag, merge",
            Self::Count => "Count by key, in a RocksDB store with a changelog",
            Self::Windowed => "Count by key in tumbling windows of 60 s",
            Self::Join => "Stream-table left join",
            Self::StreamJoin => "Stream-stream join within 5 s",
            Self::Restore => "Restore of a store from its changelog",
            Self::Recovery => "Killed (kill -9) and restarted in place, with group.instance.id",
            Self::Idle => "Idle: 50 partitions, 3 stores each",
        }
    }

    /// How many events a run has unless told: as many as make the JVM work for about ten seconds.
    pub fn records(self) -> usize {
        match self {
            Self::Stateless => 600_000,
            Self::Count | Self::Windowed | Self::Join => 500_000,
            Self::StreamJoin => 250_000,
            Self::Restore | Self::Recovery | Self::Idle => 0,
        }
    }

    /// Whether a bare loop can do it.
    pub fn has_limit(self) -> bool {
        !matches!(self, Self::StreamJoin | Self::Recovery | Self::Idle)
    }

    /// Our topology of it.
    ///
    /// # Errors
    ///
    /// If the topology is none.
    pub fn topology(self, input: &str, output: &str) -> Result<Topology> {
        match self {
            Self::Stateless => stateless::topology(input, output),
            // Coming back is a matter of how the program is run, not of what it does.
            Self::Count | Self::Restore | Self::Recovery => counting::count(input, output),
            Self::Windowed => counting::windowed(input, output),
            Self::Join => joining::join(input, output),
            Self::StreamJoin => joining::stream_join(input, output),
            Self::Idle => counting::idle(input),
        }
    }
}
