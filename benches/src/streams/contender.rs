//! Who is measured, and how each is started.

use std::fmt;
use std::path::Path;

use clap::ValueEnum;
use streams_tests::{Process, ProcessBuilder, workspace_binary};

use super::Arguments;
use crate::report::Role;
use crate::{Result, Workload};

/// Who is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Contender {
    /// Tributary.
    Ours,
    /// JVM Kafka Streams.
    Jvm,
    /// librdkafka and a hash map.
    Limit,
}

/// How a workload is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Setting {
    /// The processing guarantee.
    pub(super) guarantee: Guarantee,
    /// Stream threads.
    pub(super) threads: usize,
}

/// What a crash may do to the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Guarantee {
    /// Transactions.
    #[value(name = "exactly_once_v2")]
    ExactlyOnce,
    /// Records may be doubled.
    #[value(name = "at_least_once")]
    AtLeastOnce,
}

impl fmt::Display for Guarantee {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::ExactlyOnce => "exactly_once_v2",
            Self::AtLeastOnce => "at_least_once",
        })
    }
}

/// What one run is told: names that no other run has.
pub(super) struct Names<'a> {
    pub(super) bootstrap: &'a str,
    pub(super) application: &'a str,
    pub(super) input: &'a str,
    pub(super) output: &'a str,
    pub(super) state: &'a Path,
}

impl Setting {
    /// The setting in file names, after the workload; nothing for the usual one.
    pub(super) fn suffix(&self) -> String {
        let guarantee = match self.guarantee {
            Guarantee::ExactlyOnce => String::new(),
            Guarantee::AtLeastOnce => format!("-{}", self.guarantee),
        };
        match self.threads {
            1 => guarantee,
            threads => format!("{guarantee}-{threads}-threads"),
        }
    }
}

impl Contender {
    pub(super) const ALL: [Self; 3] = [Self::Ours, Self::Jvm, Self::Limit];

    /// What it is called in tables.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Ours => "Tributary",
            Self::Jvm => "JVM Kafka Streams 4.3.1",
            Self::Limit => "bare librdkafka loop",
        }
    }

    pub(super) fn role(self) -> Role {
        match self {
            Self::Ours => Role::Ours,
            Self::Jvm => Role::Peer,
            Self::Limit => Role::Limit,
        }
    }

    /// Whether it can be run: the peer needs a compiler, and a bare loop has no threads and only
    /// the simplest state.
    pub(super) fn takes_part(
        self,
        workload: Workload,
        setting: &Setting,
        arguments: &Arguments,
    ) -> bool {
        match self {
            Self::Ours => true,
            Self::Jvm => arguments.peer_class_path.is_some(),
            Self::Limit => {
                let exactly_once = setting.guarantee == Guarantee::ExactlyOnce;
                workload.has_limit() && setting.threads == 1 && exactly_once
            }
        }
    }

    /// The process that does the work.
    ///
    /// # Errors
    ///
    /// If the binary is not built.
    pub(super) fn process(
        self,
        workload: Workload,
        setting: &Setting,
        names: &Names<'_>,
        arguments: &Arguments,
    ) -> Result<ProcessBuilder> {
        let builder = match self {
            Self::Ours => Process::program(&workspace_binary("bench-app")?),
            Self::Limit => Process::program(&workspace_binary("bench-limit")?),
            Self::Jvm => {
                let class_path = arguments.peer_class_path.clone().unwrap_or_default();
                // What a JVM takes by itself on two cores or more; on one it would take another.
                let collector = String::from("-XX:+UseG1GC");
                let options = [
                    collector,
                    String::from("-cp"),
                    class_path,
                    String::from("Peer"),
                ];
                Process::program(&arguments.java).args(options)
            }
        };
        Ok(builder
            .args(["--bootstrap", names.bootstrap])
            .args([
                "--application-id",
                names.application,
                "--workload",
                workload.name(),
            ])
            .args(["--input", names.input, "--output", names.output])
            .args(["--threads", &setting.threads.to_string()])
            .args([
                "--guarantee",
                &setting.guarantee.to_string(),
                "--commit-ms",
                "100",
            ])
            .args(["--state-dir", &names.state.display().to_string()])
            .args(
                arguments
                    .conf
                    .iter()
                    .flat_map(|setting| ["--conf", setting.as_str()]),
            ))
    }
}
