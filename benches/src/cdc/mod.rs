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
mod gauge;
mod latency;
mod limit;
mod table;
mod topic;
mod watch;
mod workload;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use streams_tests::{Cluster, Database};

use capture::Capture;
use connect::Peer;
use figures::{Figures, Runs};
use topic::{Ends, Reader};
use watch::Work;
use workload::Task;
pub use workload::Workload;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// How long the reader that checks a topic waits for its next record.
const READ_LIMIT: Duration = Duration::from_secs(60);
/// More repeats of the large transaction would tell no more and take gigabytes each.
const LARGE_REPEATS_MAX: usize = 3;

/// What is measured, and in which size.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The workloads; all if none is named.
    #[arg(value_enum)]
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
    /// A JSON file that the figures are added to.
    #[arg(long)]
    json: Option<PathBuf>,
    /// The folder of the peer's jars; without it only ours and the limit run.
    #[arg(long, env = "TRIBUTARY_DEBEZIUM_HOME")]
    debezium_home: Option<PathBuf>,
    /// The Java that runs the peer.
    #[arg(long, env = "TRIBUTARY_JAVA", default_value = "java")]
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
            Self::Ours => "tributary",
            Self::Debezium => "debezium",
            Self::DebeziumPrompt => "debezium, prompt",
            Self::DebeziumAtLeastOnce => "debezium, at least once",
            Self::Limit => "limit",
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

/// Measures, prints a table for each workload, and writes the figures down.
///
/// # Errors
/// When a contender fails, or its output is not right.
pub fn run(arguments: &Arguments) -> Result<()> {
    let all = Workload::value_variants();
    let workloads = if arguments.workload.is_empty() {
        all
    } else {
        &arguments.workload
    };
    for workload in workloads {
        let repeat = match workload {
            Workload::LargeTransaction => arguments.repeat.min(LARGE_REPEATS_MAX),
            _ => arguments.repeat,
        };
        for task in Task::of(*workload, arguments) {
            let runs = Bench::new(&task, arguments).run(repeat)?;
            let peer = Contender::Debezium.name();
            println!("\n{}\n", figures::table(&task.name, &runs, peer));
            if let Some(path) = &arguments.json {
                figures::append(path, &task.name, task.changes, &runs)?;
            }
        }
    }
    Ok(())
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

    fn run(&self, repeat: usize) -> Result<Vec<Runs>> {
        let (task, cluster) = (self.task, &self.cluster);
        let runs = |contender: &Contender| Runs {
            contender: contender.name(),
            figures: Vec::new(),
        };
        let mut all: Vec<Runs> = self.contenders.iter().map(runs).collect();
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
            for (contender, runs) in self.contenders.iter().zip(&mut all) {
                let own = shared.is_none().then(|| self.database());
                let database = own.as_ref().or(shared.as_ref()).ok_or("no database")?;
                let made = captures.next();
                let capture = made.unwrap_or_else(|| Capture::new(cluster, database, task.begin));
                let figures = self.run_one(*contender, database, capture, &end);
                let name = contender.name();
                let figures = figures.map_err(|error| format!("{} {name}: {error}", task.name))?;
                println!("{} round {round} {name}: {figures:.2?}", task.name);
                runs.figures.push(figures);
            }
        }
        Ok(all)
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
        capture: Capture<'_>,
        end: &str,
    ) -> Result<Figures> {
        let (task, topic) = (self.task, capture.topic());
        let changes = usize::try_from(task.changes)?;
        if contender == Contender::Limit {
            let figures = match task.begin {
                capture::Begin::Snapshot => limit::copy(database, changes)?,
                capture::Begin::Stream => limit::receive(database, &capture, end, changes)?,
            };
            capture.remove();
            return Ok(figures);
        }
        let mut audit = task.audit(database)?;
        let ends = Ends::of(&self.cluster, &topic)?;
        let reader = || Reader::of(&self.cluster, &topic);
        let latency_reader = task.pace.map(|_| reader()).transpose()?;
        let started = Instant::now();
        let mut process = capture.start(contender, &self.peer)?;
        let figures = if let (Some(pace), Some(reader)) = (task.pace, latency_reader) {
            let writing = (pace, &*database.url());
            latency::measure(&mut process, started, &capture, &reader, writing, audit)?
        } else {
            let records = audit.record_count();
            let work = Work { changes, records };
            let figures = watch::watch(&mut process, started, &ends, work)?;
            reader()?.read(READ_LIMIT, false, |key, value| {
                audit.take(key, value).map(|_| true)
            })?;
            audit.finish()?;
            figures
        };
        Capture::stop(process, contender)?;
        capture.remove();
        Ok(figures)
    }
}
