//! A connector of a test's own: its JSON, its topics, and the process that runs it.

use std::time::Duration;

use serde_json::{Map, Value, json};
use streams_tests::{Cluster, Database, Message, Process, free_port};
use tempfile::NamedTempFile;

/// How long anything may take that normally takes a second.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// The settings of a connector, and where it works.
#[derive(Debug, Clone)]
pub(crate) struct Connector {
    bootstrap: String,
    name: String,
    settings: Map<String, Value>,
    arguments: Vec<String>,
}

/// A connector at work.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) process: Process,
    port: u16,
    /// Removed with it.
    _configuration: NamedTempFile,
}

impl Connector {
    /// A connector for all tables of a database, with names of its own, plain JSON and a topic of
    /// its own for the offsets.
    pub(crate) fn new(cluster: &Cluster, database: &Database) -> Self {
        let name = database.name();
        let settings = json!({
            "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
            "plugin.name": "pgoutput",
            "topic.prefix": name,
            "database.hostname": database.host(),
            "database.port": database.port().to_string(),
            "database.user": database.user(),
            "database.password": database.password(),
            "database.dbname": name,
            "slot.name": format!("{name}_slot"),
            "publication.name": format!("{name}_publication"),
            "key.converter": "org.apache.kafka.connect.json.JsonConverter",
            "key.converter.schemas.enable": "false",
            "value.converter": "org.apache.kafka.connect.json.JsonConverter",
            "value.converter.schemas.enable": "false",
        });
        Self {
            bootstrap: cluster.bootstrap_servers().to_owned(),
            name: name.to_owned(),
            settings: settings.as_object().cloned().unwrap_or_default(),
            arguments: vec!["--offset-storage-topic".into(), format!("{name}-offsets")],
        }
    }

    /// Sets a key of the configuration.
    pub(crate) fn set(mut self, key: &str, value: &str) -> Self {
        self.settings.insert(key.to_owned(), value.into());
        self
    }

    /// Adds arguments of the command line.
    pub(crate) fn argument(mut self, argument: &str) -> Self {
        self.arguments.push(argument.to_owned());
        self
    }

    /// The topic of a table in the schema `public`.
    pub(crate) fn topic(&self, table: &str) -> String {
        format!("{}.public.{table}", self.name)
    }

    /// The slot's name.
    pub(crate) fn slot(&self) -> String {
        format!("{}_slot", self.name)
    }

    /// The topic of its offsets.
    pub(crate) fn offset_topic(&self) -> String {
        format!("{}-offsets", self.name)
    }

    /// Starts it without waiting for anything.
    pub(crate) fn spawn(&self) -> Running {
        let json = json!({ "name": self.name, "config": self.settings });
        self.spawn_with(&json.to_string())
    }

    /// Starts it with another text in the place of its JSON.
    pub(crate) fn spawn_with(&self, json: &str) -> Running {
        let file = NamedTempFile::new().unwrap();
        std::fs::write(file.path(), json).unwrap();
        let port = free_port();
        let process = Process::workspace("cdc-source")
            .args(["run", "--bootstrap-servers", &self.bootstrap])
            .args(["--connector".as_ref(), file.path().as_os_str()])
            .args(["--metrics-addr", &format!("127.0.0.1:{port}")])
            .args(&self.arguments)
            .spawn();
        Running {
            process,
            port,
            _configuration: file,
        }
    }

    /// Starts it and waits until it streams.
    pub(crate) fn start(&self) -> Running {
        let mut running = self.spawn();
        running.wait_ready();
        running
    }
}

impl Running {
    /// Waits until it streams.
    pub(crate) fn wait_ready(&mut self) {
        self.process.wait_ready(self.port, LIMIT);
    }

    /// Asks it to stop, which has to take less than 5 s and to be reported as success.
    pub(crate) fn stop(mut self) {
        let status = self.process.terminate(Duration::from_secs(5));
        assert!(status.success(), "{status}: {}", self.process.log());
    }

    /// Waits until it ends by itself, and returns its exit code and its log.
    pub(crate) fn end(mut self) -> (Option<i32>, String) {
        let status = self.process.wait(LIMIT);
        (status.code(), self.process.log())
    }

    /// A value of its metrics page.
    pub(crate) fn metric(&self, name: &str) -> Option<f64> {
        let (_, page) = streams_tests::http_get(self.port, "/metrics")?;
        let line = page.lines().find(|line| line.starts_with(name))?;
        line.rsplit_once(' ')?.1.parse().ok()
    }
}

/// The value of a message, which is an envelope.
pub(crate) fn envelope(message: &Message) -> Value {
    match &message.value {
        Some(_) => message.json(),
        None => Value::Null,
    }
}

/// `op` of an envelope, `tombstone` for a null value.
pub(crate) fn operation(message: &Message) -> String {
    let envelope = envelope(message);
    envelope["op"].as_str().unwrap_or("tombstone").to_owned()
}
