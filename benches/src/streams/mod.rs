//! The run time against JVM Kafka Streams and a bare librdkafka loop, in turn on the same broker.

mod input;
mod measure;
mod report;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use streams_tests::{Cluster, Process, ProcessBuilder};

use self::report::Runs;
use crate::Workload;

/// What of the suite is run, and how often.
#[derive(Args)]
pub struct Arguments {
    /// Records of the input.
    #[arg(long, default_value_t = 1_000_000)]
    records: usize,
    /// Runs of each contender.
    #[arg(long, default_value_t = 5)]
    repeat: usize,
    /// Only these contenders; all if none is named.
    #[arg(long)]
    contender: Vec<Contender>,
    /// Where the figures are written as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
    /// The peer's class path; without it only ours and the limit run.
    #[arg(long, env = "TRIBUTARY_PEER_CLASS_PATH")]
    peer_class_path: Option<String>,
    /// The Java that runs the peer.
    #[arg(long, env = "TRIBUTARY_JAVA", default_value = "java")]
    java: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Contender {
    /// Tributary.
    Ours,
    /// JVM Kafka Streams.
    Jvm,
    /// librdkafka alone.
    Limit,
}

impl Contender {
    fn name(self) -> &'static str {
        match self {
            Self::Ours => "tributary",
            Self::Jvm => "jvm",
            Self::Limit => "librdkafka",
        }
    }

    fn builder(self, arguments: &Arguments) -> ProcessBuilder {
        match self {
            Self::Ours => Process::workspace("bench-app"),
            Self::Limit => Process::workspace("bench-limit"),
            Self::Jvm => {
                let class_path = arguments.peer_class_path.clone().unwrap_or_default();
                Process::program(&arguments.java).args(["-cp", &class_path, "Peer"])
            }
        }
    }
}

/// Measures each contender and prints the table.
pub fn run(arguments: &Arguments) -> crate::Result<()> {
    let cluster = Cluster::shared();
    let input = cluster.unique("bench-input");
    cluster.create_topic(&input, input::PARTITIONS, KEEP);
    println!("writing {} records", arguments.records);
    let without_op = input::produce(&cluster, &input, arguments.records);
    let chosen = |contender: &Contender| match contender {
        Contender::Jvm if arguments.peer_class_path.is_none() => false,
        _ => arguments.contender.is_empty() || arguments.contender.contains(contender),
    };
    let contenders = [Contender::Ours, Contender::Jvm, Contender::Limit];
    let contenders: Vec<Contender> = contenders.into_iter().filter(chosen).collect();
    let workload = Workload::Stateless;
    let mut all: Vec<Runs> = contenders
        .iter()
        .map(|contender| Runs {
            contender: contender.name(),
            costs: Vec::new(),
        })
        .collect();
    for round in 1..=arguments.repeat {
        for (contender, runs) in contenders.iter().zip(&mut all) {
            let output = cluster.unique("bench-output");
            let rejected = format!("{output}-dlq");
            for topic in [&output, &rejected] {
                cluster.create_topic(topic, input::PARTITIONS, KEEP);
            }
            let group = cluster.unique("bench");
            let folder = tempfile::tempdir()?;
            let builder = contender
                .builder(arguments)
                .args(["--bootstrap", cluster.bootstrap_servers()])
                .args(["--application-id", &group, "--workload", workload.name()])
                .args(["--input", &input, "--output", &output])
                .args(["--state-dir", &folder.path().display().to_string()]);
            let cost = measure::run(&cluster, builder, &group, &input, arguments.records);
            check(&cluster, &output, arguments.records - without_op)?;
            check(&cluster, &rejected, without_op)?;
            println!("round {round} {:<12} {cost:?}", contender.name());
            runs.costs.push(cost);
            cluster.delete_topic(&output);
            cluster.delete_topic(&rejected);
        }
    }
    report::print(workload.name(), &all);
    if let Some(path) = &arguments.json {
        let figures = report::to_json(workload.name(), arguments.records, &all);
        std::fs::write(path, serde_json::to_string_pretty(&figures)?)?;
    }
    Ok(())
}

/// The input's timestamps are old, and brokers delete what is.
const KEEP: &[(&str, &str)] = &[("retention.ms", "-1")];

/// The last transaction's markers reach its topics a moment after the commit.
const SETTLE_LIMIT: Duration = Duration::from_secs(30);

/// A run counts only if its output is right.
fn check(cluster: &Cluster, topic: &str, expected: usize) -> Result<(), String> {
    let seen = cluster.read_settled(topic, SETTLE_LIMIT).len();
    if seen == expected {
        return Ok(());
    }
    Err(format!(
        "topic={topic} holds {seen} records and should hold {expected}"
    ))
}
