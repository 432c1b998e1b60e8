//! The run time against JVM Kafka Streams and a bare librdkafka loop, in turn on the same broker.

mod broker;
mod comeback;
mod contender;
mod expected;
mod idle;
mod input;
mod measure;
mod run;
mod throughput;

use std::collections::BTreeSet;
use std::env;
use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use streams_tests::Cluster;

use self::broker::Broker;
pub use self::contender::Guarantee;
use self::contender::{Contender, Setting};
use self::run::Plan;
use crate::machine::Environment;
use crate::report::{self, Report, Run, Table, number};
use crate::{Result, Workload};

/// What of the suite is run, and how often.
#[derive(Args)]
pub struct Arguments {
    /// Events of the input; each workload has its own number unless told.
    #[arg(long)]
    records: Option<usize>,
    /// Keys of the store that is restored.
    #[arg(long, default_value_t = 1_000_000)]
    keys: u32,
    /// How long the idle workload is watched, in seconds.
    #[arg(long, default_value_t = 30)]
    idle_seconds: u64,
    /// Runs of each contender.
    #[arg(long, default_value_t = 5)]
    repeat: usize,
    /// Only these workloads; all if none is named.
    #[arg(long)]
    workload: Vec<Workload>,
    /// Only these contenders; all if none is named.
    #[arg(long)]
    contender: Vec<Contender>,
    /// Only these guarantees; else `exactly_once_v2`, and where records flow the other too.
    #[arg(long)]
    guarantee: Vec<Guarantee>,
    /// Only these numbers of stream threads; else 1, and where records flow 2 too.
    #[arg(long)]
    threads: Vec<usize>,
    /// A setting of Kafka Streams or its clients, for every contender.
    #[arg(long, value_name = "KEY=VALUE")]
    conf: Vec<String>,
    /// The folder of `streams.json` and the drawings. Tables that are not measured stay.
    #[arg(long, default_value = "docs/benchmarks")]
    out: PathBuf,
    /// The peer's class path; without it only ours and the limit run.
    #[arg(long, env = "TRIBUTARY_PEER_CLASS_PATH", hide_env = true)]
    peer_class_path: Option<String>,
    /// The Java that runs the peer.
    #[arg(long, env = "TRIBUTARY_JAVA", default_value = "java", hide_env = true)]
    java: PathBuf,
}

impl Arguments {
    fn workloads(&self) -> Vec<Workload> {
        let all = Workload::ALL.into_iter();
        all.filter(|workload| self.workload.is_empty() || self.workload.contains(workload))
            .collect()
    }

    /// The settings in which a workload is run: those that were asked for, or the usual ones.
    fn settings(&self, workload: Workload) -> Vec<Setting> {
        let setting = |guarantee, threads| Setting { guarantee, threads };
        let usual = setting(Guarantee::ExactlyOnce, 1);
        if self.guarantee.is_empty() && self.threads.is_empty() {
            let mut all = vec![usual];
            let without_input = [Workload::Restore, Workload::Recovery, Workload::Idle];
            if !without_input.contains(&workload) {
                all.push(setting(Guarantee::AtLeastOnce, 1));
                all.push(setting(Guarantee::ExactlyOnce, 2));
            }
            return all;
        }
        let or_usual = |chosen: &[usize]| match chosen {
            [] => vec![usual.threads],
            chosen => chosen.to_vec(),
        };
        let guarantees = match self.guarantee.as_slice() {
            [] => vec![usual.guarantee],
            chosen => chosen.to_vec(),
        };
        let threads = or_usual(&self.threads);
        let pairs = guarantees.into_iter().flat_map(|guarantee| {
            threads
                .iter()
                .map(move |threads| setting(guarantee, *threads))
        });
        pairs.collect()
    }

    fn contenders(&self, workload: Workload, setting: &Setting) -> Vec<Contender> {
        let all = Contender::ALL.into_iter();
        all.filter(|contender| self.contender.is_empty() || self.contender.contains(contender))
            .filter(|contender| contender.takes_part(workload, setting, self))
            .collect()
    }
}

/// The topics that are written once and read by all runs.
struct Inputs<'a> {
    cluster: &'a Cluster,
    stem: String,
    there: BTreeSet<String>,
}

impl Inputs<'_> {
    /// The input of a workload, `None` if each run has its own.
    fn of(&mut self, workload: Workload, count: usize) -> Result<Option<String>> {
        if matches!(
            workload,
            Workload::Restore | Workload::Recovery | Workload::Idle
        ) {
            return Ok(None);
        }
        let topic = format!("{}-{count}", self.stem);
        let cluster = self.cluster;
        let write = |topic: &str, events: &mut dyn Iterator<Item = input::Event>| {
            println!("writing topic={topic}");
            input::produce(cluster, topic, input::KEEP, events)
        };
        if self.there.insert(topic.clone()) {
            write(&topic, &mut input::events(count))?;
        }
        let side = match workload {
            Workload::Join => format!("{topic}-table"),
            Workload::StreamJoin => format!("{topic}-right"),
            _ => return Ok(Some(topic)),
        };
        if self.there.insert(side.clone()) {
            match workload {
                Workload::Join => write(&side, &mut input::profiles())?,
                _ => write(&side, &mut input::orders(count))?,
            }
        }
        Ok(Some(topic))
    }
}

/// Measures each contender in each workload, prints the tables and writes and draws them.
///
/// # Errors
///
/// If a server fails, or a run's output is wrong: such a run does not count, the others do.
pub fn run(arguments: &Arguments) -> Result<()> {
    let start = Instant::now();
    let cluster = Cluster::shared();
    let broker = Broker::new(cluster.bootstrap_servers())?;
    let mut inputs = Inputs {
        cluster: &cluster,
        stem: cluster.unique("bench-input"),
        there: BTreeSet::new(),
    };
    let given: Vec<String> = env::args().skip(1).collect();
    let environment = Environment::of_this_machine(format!("./dev bench {}", given.join(" ")));
    let environment = environment.with_java(&arguments.java);
    let mut failures = 0;
    for workload in arguments.workloads() {
        let count = arguments.records.unwrap_or(workload.records());
        let input = inputs.of(workload, count)?;
        for setting in arguments.settings(workload) {
            let input = (count, input.clone());
            let plan = Plan::new(arguments, (&cluster, &broker), workload, setting, input);
            let table = measure(&plan, &environment);
            failures += table.failures.len();
            println!("\n{}", table.to_markdown());
            // Written after each table: a run that is broken off leaves what it has.
            let path = arguments.out.join("streams.json");
            let mut report = Report::read(&path, "streams")?;
            report.replace(table);
            report.write(&arguments.out)?;
        }
    }
    println!("{} s", start.elapsed().as_secs());
    match failures {
        0 => Ok(()),
        failures => Err(format!("{failures} runs do not count").into()),
    }
}

/// Runs the contenders of one table in turn.
fn measure(plan: &Plan<'_>, environment: &Environment) -> Table {
    let contenders = plan.arguments.contenders(plan.workload, &plan.setting);
    let mut all: Vec<report::Contender> = contenders
        .iter()
        .map(|contender| report::Contender {
            name: contender.name().to_owned(),
            role: contender.role(),
            runs: Vec::new(),
        })
        .collect();
    let mut failures = Vec::new();
    for round in 1..=plan.arguments.repeat {
        for (contender, into) in contenders.iter().zip(&mut all) {
            let name = format!(
                "round {round} {} {}",
                plan.workload.name(),
                contender.name()
            );
            match plan.run(*contender) {
                Ok(run) => {
                    println!("{name}: {}", line(&run));
                    into.runs.push(run);
                }
                Err(error) => {
                    println!("{name} does not count: {error}");
                    failures.push(format!("{name}: {error}"));
                }
            }
        }
    }
    Table {
        name: format!("{}{}", plan.workload.name(), plan.setting.suffix()),
        title: plan.workload.title().to_owned(),
        setting: setting(plan),
        environment: environment.clone(),
        figures: plan.figures(),
        contenders: all,
        summary: Vec::new(),
        failures,
    }
}

fn line(run: &Run) -> String {
    let each = run
        .iter()
        .map(|(name, value)| format!("{name} {}", number(*value)));
    each.collect::<Vec<_>>().join("; ")
}

/// How a table was measured, in words.
fn setting(plan: &Plan<'_>) -> String {
    let Setting { guarantee, threads } = &plan.setting;
    let threads = match threads {
        1 => String::from("1 thread"),
        threads => format!("{threads} threads"),
    };
    let size = match plan.workload {
        Workload::Restore | Workload::Recovery => {
            format!("{} keys", number(f64::from(plan.arguments.keys)))
        }
        Workload::Idle => format!("watched for {} s", plan.arguments.idle_seconds),
        Workload::StreamJoin => format!("2 × {} records", number(plan.count as f64)),
        _ => format!("{} records", number(plan.count as f64)),
    };
    format!("{guarantee}, commit every 100 ms, {threads}, {size}")
}
