//! The programs of the demo: they are started, watched, killed and stopped here.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::json;
use streams_tests::{
    Cluster, Error, Process, ProcessBuilder, free_port, http_get, workspace_binary,
};

use crate::database::{self, Database};
use crate::interrupt::Interrupt;
use crate::topic::{TABLES, USERS};

/// The consumer group of the two `processors users`.
pub(crate) const USERS_GROUP: &str = "cdc-stream-processor";
/// The first of the two.
pub(crate) const SURVIVOR: &str = "processors users 1";
/// The other, which is killed.
pub(crate) const VICTIM: &str = "processors users 2";
/// After this without a heartbeat the group gives a member up.
pub(crate) const SESSION_TIMEOUT: Duration = Duration::from_secs(6);

/// How long a program may take to be ready, on a busy machine.
const READY_LIMIT: Duration = Duration::from_secs(90);
/// How long a program may take to stop; they promise 5 s.
const STOP_LIMIT: Duration = Duration::from_secs(10);
/// How many lines of a log are shown when its program fails.
const TAIL_LINES: usize = 15;

/// The running programs. Dropping it kills them.
#[derive(Debug)]
pub(crate) struct Pipeline {
    workers: Vec<Worker>,
}

/// One running program.
#[derive(Debug)]
struct Worker {
    name: &'static str,
    port: u16,
    process: Process,
    killed: Option<Instant>,
}

/// What is known of a program from outside.
#[derive(Debug, Clone)]
pub(crate) struct Status {
    /// Its name.
    pub(crate) name: &'static str,
    /// Its process id.
    pub(crate) id: u32,
    /// Where it serves its health.
    pub(crate) port: u16,
    /// When it was killed.
    pub(crate) killed: Option<Instant>,
}

impl Pipeline {
    /// Nothing runs yet.
    pub(crate) fn new() -> Self {
        let workers = Vec::new();
        Self { workers }
    }

    /// Starts `cdc-source`.
    pub(crate) fn start_source(
        &mut self,
        cluster: &Cluster,
        database: &Database,
    ) -> Result<(), Error> {
        let builder = program("cdc-source")?;
        let connector = builder.folder().join("connector.json");
        fs::write(&connector, connector_json(database)).map_err(|source| Error::File {
            action: "write",
            path: connector.clone(),
            source,
        })?;
        let builder = builder
            .args(["run", "--bootstrap-servers", cluster.bootstrap_servers()])
            .args([PathBuf::from("--connector"), connector]);
        self.start("cdc-source", builder)
    }

    /// Starts two `processors users` in one group, and `processors events`.
    pub(crate) fn start_processors(&mut self, cluster: &Cluster) -> Result<(), Error> {
        for name in [SURVIVOR, VICTIM] {
            self.start_processor(cluster, name, "users")?;
        }
        self.start_processor(cluster, "processors events", "events")
    }

    fn start_processor(
        &mut self,
        cluster: &Cluster,
        name: &'static str,
        command: &str,
    ) -> Result<(), Error> {
        let builder = program("processors")?;
        let state = builder.folder().join("state");
        let session_ms = SESSION_TIMEOUT.as_millis();
        let builder = builder
            .args([command, "--bootstrap-servers", cluster.bootstrap_servers()])
            .args([PathBuf::from("--state-dir"), state])
            // A connector's tombstones go on with the events that they follow.
            .args(["--tombstones", "forward"])
            .args(["-X", "auto.offset.reset=earliest"])
            .args(["-X", &format!("client.id={}", client_id(name))])
            .args(["-X", &format!("consumer.session.timeout.ms={session_ms}")])
            .args(["-X", "consumer.heartbeat.interval.ms=1000"]);
        self.start(name, builder)
    }

    fn start(&mut self, name: &'static str, builder: ProcessBuilder) -> Result<(), Error> {
        let port = free_port();
        let process = builder
            .args(["--metrics-addr", &format!("127.0.0.1:{port}")])
            .try_spawn()?;
        self.workers.push(Worker {
            name,
            port,
            process,
            killed: None,
        });
        Ok(())
    }

    /// Waits until all that were started are ready, and tells of each.
    pub(crate) fn wait_ready(
        &mut self,
        interrupt: &Interrupt,
        mut tell: impl FnMut(&str),
    ) -> Result<(), Error> {
        for place in 0..self.workers.len() {
            let Some((name, port)) = self.workers.get(place).map(|it| (it.name, it.port)) else {
                break;
            };
            interrupt.wait_until(&format!("{name} was ready"), READY_LIMIT, || {
                self.check()?;
                Ok(http_get(port, "/readyz").filter(|(status, _)| *status == 200))
            })?;
            tell(name);
        }
        Ok(())
    }

    /// An error with the end of its log if a program has ended that nobody has ended.
    pub(crate) fn check(&mut self) -> Result<(), Error> {
        for worker in &mut self.workers {
            if let Some(status) = worker.process.exit_status()
                && worker.killed.is_none()
            {
                return Err(worker.ended(&status.to_string()));
            }
        }
        Ok(())
    }

    /// Kills a program (`kill -9`).
    pub(crate) fn kill(&mut self, name: &str) {
        for worker in self.workers.iter_mut().filter(|worker| worker.name == name) {
            worker.killed = Some(Instant::now());
            worker.process.kill();
        }
    }

    /// Asks all programs to end and waits for them.
    pub(crate) fn stop(mut self) -> Result<(), Error> {
        for worker in self
            .workers
            .iter_mut()
            .filter(|worker| worker.killed.is_none())
        {
            let status = worker.process.try_terminate(STOP_LIMIT)?;
            if !status.success() {
                return Err(worker.ended(&status.to_string()));
            }
        }
        Ok(())
    }

    /// What is known of each.
    pub(crate) fn statuses(&self) -> Vec<Status> {
        let status = |worker: &Worker| Status {
            name: worker.name,
            id: worker.process.id(),
            port: worker.port,
            killed: worker.killed,
        };
        self.workers.iter().map(status).collect()
    }
}

impl Worker {
    fn ended(&self, status: &str) -> Error {
        let log = self.process.log();
        let lines: Vec<&str> = log.lines().collect();
        let first = lines.len().saturating_sub(TAIL_LINES);
        Error::Ended {
            name: self.name.to_owned(),
            status: status.to_owned(),
            log: lines.get(first..).unwrap_or_default().join("\n"),
        }
    }
}

/// The id by which the group knows a program.
pub(crate) fn client_id(name: &str) -> String {
    name.replace(' ', "-")
}

fn program(name: &str) -> Result<ProcessBuilder, Error> {
    workspace_binary(name).map(|path| Process::program(&path))
}

/// The guide's connector, which routes but does not unwrap: its processors need envelopes.
fn connector_json(database: &Database) -> String {
    let tables = TABLES.map(|table| format!("public.{table}")).join(",");
    let connector = json!({
        "name": "postgres-connector",
        "config": {
            "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
            "database.hostname": database.host(),
            "database.port": database.port(),
            "database.user": database::REPLICATOR,
            "database.password": database::REPLICATOR_PASSWORD,
            "database.dbname": database::NAME,
            "topic.prefix": "postgres-server",
            "table.include.list": tables,
            "publication.name": database::PUBLICATION,
            "slot.name": "debezium_slot",
            "plugin.name": "pgoutput",
            "decimal.handling.mode": "double",
            "transforms": "route",
            "transforms.route.type": "org.apache.kafka.connect.transforms.RegexRouter",
            "transforms.route.regex": "([^.]+)\\.([^.]+)\\.([^.]+)",
            "transforms.route.replacement": "$3",
        }
    });
    connector.to_string()
}

/// The topic whose partitions the two share.
pub(crate) const SHARED_TOPIC: &str = USERS;
