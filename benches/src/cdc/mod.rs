//! Ours and Debezium side by side: the same connector JSON on the same Postgres, into the same
//! broker, in turn.
//!
//! A contender is a process of its own, measured from the outside. Its run counts only if the
//! topic, read by a `read_committed` consumer, tells the whole history of every row in order and
//! once, with the right values in a sample. What is read is written once for all runs: each run has
//! a slot of its own that was made before.

mod audit;
mod capture;
mod connect;
mod figures;
mod latency;
mod limit;
mod table;
mod topic;
mod watch;
mod workload;

use std::env;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use streams_tests::{Cluster, Database};

use self::capture::{Begin, Capture};
use self::connect::Peer;
use self::topic::{Ends, Reader};
use self::watch::Work;
use self::workload::Task;
pub use self::workload::Workload;
use crate::Result;
use crate::machine::Environment;
use crate::report::{self, Report, Role, Run, Table, number};

/// How long the reader that checks a topic waits for its next record.
const READ_LIMIT: Duration = Duration::from_secs(60);
/// More repeats of the large transaction would tell no more and take gigabytes each.
const LARGE_REPEATS_MAX: usize = 3;

/// What is measured, and in which size.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Only these workloads; all if none is named.
    #[arg(long)]
    workload: Vec<Workload>,
    /// Rows of the snapshot.
    #[arg(long, default_value_t = 1_000_000)]
    rows: i64,
    /// Changes of the backlog.
    #[arg(long, default_value_t = 500_000)]
    changes: usize,
    /// Size of the large transaction.
    #[arg(long, default_value_t = 1_024)]
    transaction_mib: usize,
    /// Changes a second while the latency is measured; may be repeated.
    #[arg(long, default_values_t = [1_000, 10_000])]
    rate: Vec<usize>,
    /// How long the latency is measured.
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// How long changes come before that.
    #[arg(long, default_value_t = 10)]
    warm_up_seconds: u64,
    /// Runs of each contender; the large transaction has three at most.
    #[arg(long, default_value_t = 5)]
    repeat: usize,
    /// Only these contenders.
    #[arg(long)]
    contender: Vec<Contender>,
    /// The folder of `cdc.json` and the drawings. Tables that are not measured stay.
    #[arg(long, default_value = "docs/benchmarks")]
    out: PathBuf,
    /// The folder of the peer's jars; without it only ours and the limit run.
    #[arg(long, env = "TRIBUTARY_DEBEZIUM_HOME", hide_env = true)]
    debezium_home: Option<PathBuf>,
    /// The Java that runs the peer.
    #[arg(long, env = "TRIBUTARY_JAVA", default_value = "java", hide_env = true)]
    java: PathBuf,
}

/// Who does the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Contender {
    /// Tributary's cdc-source.
    Ours,
    /// Debezium on Kafka Connect with exactly-once sources, else as it comes.
    Debezium,
    /// The same with `poll.interval.ms=10`, which is 500 as it comes.
    DebeziumPrompt,
    /// Debezium on Kafka Connect as it comes: at least once.
    DebeziumAtLeastOnce,
    /// Postgres' own clients, which write nowhere.
    Limit,
}

impl Contender {
    fn name(self) -> &'static str {
        match self {
            Self::Ours => "Tributary",
            Self::Debezium => "Debezium",
            Self::DebeziumPrompt => "Debezium, poll.interval.ms=10",
            Self::DebeziumAtLeastOnce => "Debezium, at least once",
            Self::Limit => "Postgres client",
        }
    }

    fn role(self) -> Role {
        match self {
            Self::Ours => Role::Ours,
            Self::Limit => Role::Limit,
            _ => Role::Peer,
        }
    }

    /// The contenders of a task, in their order.
    fn of(task: &Task, arguments: &Arguments) -> Vec<Self> {
        let chosen = &arguments.contender;
        let has_latency = task.pace.is_some();
        let by_default = if has_latency {
            [Self::Ours, Self::Debezium, Self::DebeziumPrompt]
        } else {
            [Self::Ours, Self::Debezium, Self::Limit]
        };
        let all = Self::value_variants().iter().copied();
        all.filter(|contender| match contender {
            Self::Limit if has_latency => false,
            Self::Ours | Self::Limit => true,
            _ => arguments.debezium_home.is_some(),
        })
        .filter(|contender| {
            if chosen.is_empty() {
                by_default.contains(contender)
            } else {
                chosen.contains(contender)
            }
        })
        .collect()
    }
}

/// Measures each contender in each workload, prints the tables and writes and draws them.
///
/// # Errors
/// If a server fails, or a contender or its output: such a run does not count, the others do.
pub fn run(arguments: &Arguments) -> Result<()> {
    let start = Instant::now();
    let given: Vec<String> = env::args().skip(1).collect();
    let environment = Environment::of_this_machine(format!("./dev bench {}", given.join(" ")));
    let mut environment = environment.with_java(&arguments.java);
    let mut version = |name: &str, text: Option<String>| {
        let text = text.into_iter().map(|text| (name.to_owned(), text));
        environment.versions.extend(text);
    };
    version(
        "Debezium",
        arguments
            .debezium_home
            .as_ref()
            .and_then(|jars| connect::version(jars)),
    );
    let postgres = Database::shared("bench_cdc").value("SHOW server_version");
    version("Postgres", postgres);
    let all = Workload::value_variants().iter();
    let chosen = |workload: &&Workload| {
        arguments.workload.is_empty() || arguments.workload.contains(*workload)
    };
    let mut failures = 0;
    for workload in all.filter(chosen) {
        let repeat = match workload {
            Workload::LargeTransaction => arguments.repeat.min(LARGE_REPEATS_MAX),
            _ => arguments.repeat,
        };
        for task in Task::of(*workload, arguments) {
            let table = Bench::new(&task, arguments).measure(repeat, &environment)?;
            failures += table.failures.len();
            println!("\n{}", table.to_markdown());
            // Written after each table: a run that is broken off leaves what it has.
            let mut report = Report::read(&arguments.out.join("cdc.json"), "cdc")?;
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

/// All runs of one task.
struct Bench<'a> {
    task: &'a Task,
    contenders: Vec<Contender>,
    peer: Peer,
    cluster: Cluster,
}

impl<'a> Bench<'a> {
    fn new(task: &'a Task, arguments: &Arguments) -> Self {
        Self {
            task,
            contenders: Contender::of(task, arguments),
            peer: Peer {
                java: arguments.java.clone(),
                jars: arguments.debezium_home.clone().unwrap_or_default(),
            },
            cluster: Cluster::shared(),
        }
    }

    /// Runs the contenders in turn.
    fn measure(&self, repeat: usize, environment: &Environment) -> Result<Table> {
        let (task, cluster) = (self.task, &self.cluster);
        let none = |contender: &Contender| report::Contender {
            name: contender.name().to_owned(),
            role: contender.role(),
            runs: Vec::new(),
        };
        let mut contenders: Vec<report::Contender> = self.contenders.iter().map(none).collect();
        let mut failures = Vec::new();
        println!("{}: writing {} changes", task.name, task.changes);
        let shared = (!task.needs_own_table()).then(|| self.database());
        let mut captures = Vec::new();
        if let Some(database) = &shared {
            let count = repeat * self.contenders.len();
            captures.extend((0..count).map(|_| Capture::new(cluster, database, task.begin)));
        }
        let end = shared.as_ref().map(|database| task.write(database));
        let end = end.transpose()?.unwrap_or_default();
        let mut captures = captures.into_iter();
        for round in 1..=repeat {
            for (contender, into) in self.contenders.iter().zip(&mut contenders) {
                let own = shared.is_none().then(|| self.database());
                let database = own.as_ref().or(shared.as_ref()).ok_or("no database")?;
                let made = captures.next();
                let capture = made.unwrap_or_else(|| Capture::new(cluster, database, task.begin));
                let done = self.run_one(*contender, database, &capture, &end);
                capture.remove();
                let name = format!("round {round} {} {}", task.name, contender.name());
                match done {
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
        Ok(Table {
            name: task.name.clone(),
            title: task.title.to_owned(),
            setting: task.setting.clone(),
            environment: environment.clone(),
            figures: task.figures(),
            contenders,
            summary: Vec::new(),
            failures,
        })
    }

    fn database(&self) -> Database {
        let database = Database::shared("bench_cdc");
        self.task.prepare(&database);
        database
    }

    fn run_one(
        &self,
        contender: Contender,
        database: &Database,
        capture: &Capture<'_>,
        end: &str,
    ) -> Result<Run> {
        let (task, topic) = (self.task, capture.topic());
        let changes = usize::try_from(task.changes)?;
        if contender == Contender::Limit {
            return match task.begin {
                Begin::Snapshot => limit::copy(database, changes),
                Begin::Stream => limit::receive(database, capture, end, changes),
            };
        }
        let mut audit = task.audit(database)?;
        let ends = Ends::of(&self.cluster, &topic)?;
        let reader = || Reader::of(&self.cluster, &topic);
        let mut latency_reader = task.pace.map(|_| reader()).transpose()?;
        let started = Instant::now();
        let mut process = capture.start(contender, &self.peer)?;
        let run = if let (Some(pace), Some(reader)) = (task.pace, &mut latency_reader) {
            let writing = (pace, &*database.url());
            latency::measure(&mut process, started, capture, reader, writing, audit)?
        } else {
            let records = audit.record_count();
            let work = Work { changes, records };
            let run = watch::watch(&mut process, started, &ends, work)?;
            reader()?.read(READ_LIMIT, false, |key, value| {
                audit.take(key, value).map(|_| true)
            })?;
            audit.finish()?;
            run
        };
        Capture::stop(process, contender)?;
        Ok(run)
    }
}

fn line(run: &Run) -> String {
    let each = run
        .iter()
        .map(|(name, value)| format!("{name} {}", number(*value)));
    each.collect::<Vec<_>>().join("; ")
}
