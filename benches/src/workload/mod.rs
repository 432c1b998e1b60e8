//! The topologies that are measured; each peer has the same.

pub mod stateless;

use clap::ValueEnum;
use streams_dsl::{Result, Topology};

/// What is done to each record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Workload {
    /// Validate, enrich, split by operation, tag, merge.
    Stateless,
}

impl Workload {
    /// Its name on every command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Stateless => "stateless",
        }
    }

    /// Our topology of it.
    pub fn topology(self, input: &str, output: &str) -> Result<Topology> {
        match self {
            Self::Stateless => stateless::topology(input, output),
        }
    }
}
