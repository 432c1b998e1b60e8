//! One capture of a database: names of its own for the connector, its slot, its publication and its
//! topics, and nothing left of them afterwards.

use std::fs;
use std::time::Duration;

use serde_json::{Value, json};
use streams_tests::{Cluster, Database, Process, wait_until};

use super::connect::{self, Guarantee, Peer};
use super::{Contender, table};
use crate::Result;

/// How long a slot whose reader has gone may stay in use.
const DROP_LIMIT: Duration = Duration::from_secs(30);
/// How long a contender may take to stop.
const STOP_LIMIT: Duration = Duration::from_secs(30);

/// Whether the connector begins with what is in the table or with what is done to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Begin {
    /// It reads the table, with a slot and a publication that it makes itself.
    Snapshot,
    /// It goes on from a slot that is there.
    Stream,
}

/// A capture that no other shares a name with.
#[derive(Debug)]
pub(super) struct Capture<'a> {
    cluster: &'a Cluster,
    database: &'a Database,
    name: String,
    begin: Begin,
}

impl<'a> Capture<'a> {
    /// Makes the topic, and for a stream the publication and the slot.
    pub(super) fn new(cluster: &'a Cluster, database: &'a Database, begin: Begin) -> Self {
        // Slots' names allow neither capitals nor dashes.
        let name = cluster.unique("bench_cdc").replace('-', "_");
        let capture = Self {
            cluster,
            database,
            name,
            begin,
        };
        cluster.create_topic(&capture.topic(), 1, &[]);
        if begin == Begin::Stream {
            let name = &capture.name;
            database.execute(&format!(
                "CREATE PUBLICATION {name} FOR TABLE {}",
                table::NAME
            ));
            database.execute(&format!(
                "SELECT pg_create_logical_replication_slot('{name}', 'pgoutput')"
            ));
        }
        capture
    }

    /// The name of its connector, slot and publication, and the prefix of its topics.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The topic of the table.
    pub(super) fn topic(&self) -> String {
        format!("{}.public.{}", self.name, table::NAME)
    }

    /// Starts a contender on it.
    ///
    /// # Errors
    /// When it does not start.
    pub(super) fn start(&self, contender: Contender, peer: &Peer) -> Result<Process> {
        let debezium = |guarantee, settings| {
            let connector = self.connector(settings).to_string();
            connect::start(peer, self.cluster, &self.name, guarantee, &connector)
        };
        let required = ("exactly.once.support", "required");
        match contender {
            Contender::Ours => self.start_ours(),
            Contender::Debezium => debezium(Guarantee::ExactlyOnce, &[required]),
            Contender::DebeziumPrompt => {
                let prompt = ("poll.interval.ms", "10");
                debezium(Guarantee::ExactlyOnce, &[required, prompt])
            }
            Contender::DebeziumAtLeastOnce => debezium(Guarantee::AtLeastOnce, &[]),
            Contender::Limit => Err("the limit has no connector".into()),
        }
    }

    fn start_ours(&self) -> Result<Process> {
        let builder = Process::workspace("cdc-source");
        let connector = builder.folder().join("connector.json");
        fs::write(&connector, self.connector(&[]).to_string())?;
        let process = builder
            .args([
                "run",
                "--bootstrap-servers",
                self.cluster.bootstrap_servers(),
            ])
            .args(["--offset-storage-topic", &self.own_offset_topic()])
            .args(["--connector".as_ref(), connector.as_os_str()]);
        Ok(process.spawn())
    }

    fn own_offset_topic(&self) -> String {
        format!("{}-offsets", self.name)
    }

    /// The connector's JSON: the same for all, but for what `more` says. What it does not name is
    /// left at its default.
    fn connector(&self, more: &[(&str, &str)]) -> Value {
        let (database, name) = (self.database, &self.name);
        let mode = match self.begin {
            Begin::Snapshot => "initial",
            Begin::Stream => "no_data",
        };
        let mut connector = json!({"name": name, "config": {
            "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
            "plugin.name": "pgoutput",
            "topic.prefix": name,
            "database.hostname": database.host(),
            "database.port": database.port().to_string(),
            "database.user": database.user(),
            "database.password": database.password(),
            "database.dbname": database.name(),
            "slot.name": name,
            "publication.name": name,
            "publication.autocreate.mode": "filtered",
            "table.include.list": format!("public.{}", table::NAME),
            "snapshot.mode": mode,
            "key.converter": "org.apache.kafka.connect.json.JsonConverter",
            "key.converter.schemas.enable": "false",
            "value.converter": "org.apache.kafka.connect.json.JsonConverter",
            "value.converter.schemas.enable": "false",
        }});
        for (key, value) in more {
            connector["config"][key] = (*value).into();
        }
        connector
    }

    /// Whether a contender reads the slot.
    pub(super) fn is_streaming(&self) -> bool {
        let active = self.database.value(&format!(
            "SELECT active FROM pg_replication_slots WHERE slot_name = '{}'",
            self.name
        ));
        active.as_deref() == Some("t")
    }

    /// Stops the contender.
    ///
    /// # Errors
    /// When it does not stop as it should.
    pub(super) fn stop(mut process: Process, contender: Contender) -> Result<()> {
        let status = process.terminate(STOP_LIMIT);
        if contender == Contender::Ours && !status.success() {
            return Err(format!("cdc-source ended with {status}").into());
        }
        Ok(())
    }

    /// Removes what the capture has left in the database and the broker.
    pub(super) fn remove(self) {
        let name = &self.name;
        let session = self.database.connect();
        let drop_slot = format!(
            "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots
              WHERE slot_name = '{name}'"
        );
        wait_until("the slot was dropped", DROP_LIMIT, || {
            session.execute(&drop_slot).ok()
        });
        self.database
            .execute(&format!("DROP PUBLICATION IF EXISTS {name}"));
        let mut own = vec![self.topic(), self.own_offset_topic()];
        own.extend(connect::topics(name));
        let known = self.cluster.topics();
        for topic in own.iter().filter(|topic| known.contains(*topic)) {
            self.cluster.delete_topic(topic);
        }
    }
}
