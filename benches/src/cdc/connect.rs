//! A Kafka Connect worker: one process of its own, in distributed mode, since only that has
//! exactly-once sources.

use std::fmt::Write as _;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use streams_tests::{Cluster, Process, free_port, http_get, wait_until};

use crate::Result;

/// How long the worker may take to start, time for a busy machine included.
const START_LIMIT: Duration = Duration::from_secs(120);
/// How long one request may take: a connector is checked before it is taken.
const REQUEST_LIMIT: Duration = Duration::from_secs(60);

/// What `bin/connect-distributed.sh` and `bin/kafka-run-class.sh` of Kafka 4.3 give to the JVM.
const JVM_OPTIONS: [&str; 8] = [
    "-Xms256M",
    "-Xmx2G",
    "-server",
    "-XX:+UseG1GC",
    "-XX:MaxGCPauseMillis=20",
    "-XX:InitiatingHeapOccupancyPercent=35",
    "-XX:+ExplicitGCInvokesConcurrent",
    "-Djava.awt.headless=true",
];

/// Where the peer's files are.
#[derive(Debug, Clone)]
pub(super) struct Peer {
    /// The `java` that runs it.
    pub(super) java: PathBuf,
    /// The folder of its jars.
    pub(super) jars: PathBuf,
}

/// Whether the worker's sources are exactly-once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Guarantee {
    ExactlyOnce,
    AtLeastOnce,
}

/// The names of the worker's own topics.
pub(super) fn topics(name: &str) -> [String; 3] {
    ["offsets", "configs", "statuses"].map(|what| format!("{name}-connect-{what}"))
}

/// Debezium's version, as its jar has it.
pub(super) fn version(jars: &Path) -> Option<String> {
    let names = fs::read_dir(jars).ok()?.flatten();
    let mut names = names.filter_map(|file| file.file_name().into_string().ok());
    names.find_map(|name| {
        let version = name.strip_prefix("debezium-connector-postgres-")?;
        version.strip_suffix(".jar").map(str::to_owned)
    })
}

/// Starts a worker with the connector of this JSON.
///
/// # Errors
/// When Connect refuses it.
pub(super) fn start(
    peer: &Peer,
    cluster: &Cluster,
    name: &str,
    guarantee: Guarantee,
    connector: &str,
) -> Result<Process> {
    let port = free_port();
    let builder = Process::program(&peer.java);
    let folder = builder.folder().to_path_buf();
    let properties = folder.join("connect.properties");
    fs::write(&properties, worker(cluster, name, guarantee, port))?;
    let log = folder.join("log4j2.properties");
    fs::write(&log, include_str!("../../peers/debezium/log4j2.properties"))?;
    let mut process = builder
        .args(JVM_OPTIONS)
        .args([format!("-Dlog4j2.configurationFile={}", log.display())])
        .args(["-cp", &class_path(&peer.jars)])
        .args(["org.apache.kafka.connect.cli.ConnectDistributed"])
        .args([&properties])
        .spawn();
    wait_until("Kafka Connect answered", START_LIMIT, || {
        if process.exit_status().is_some() {
            return Some(());
        }
        http_get(port, "/connectors")
            .filter(|(status, _)| *status == 200)
            .map(drop)
    });
    if let Some(status) = process.exit_status() {
        return Err(format!("Kafka Connect ended with {status}:\n{}", process.log()).into());
    }
    // While the worker joins its group of one it answers 409.
    let (status, body) = wait_until("Kafka Connect took the connector", REQUEST_LIMIT, || {
        let answer = post(port, "/connectors", connector).ok();
        answer.filter(|(status, _)| *status != 409)
    });
    if status != 201 {
        return Err(format!("Kafka Connect refuses the connector: {status} {body}").into());
    }
    Ok(process)
}

fn class_path(jars: &Path) -> String {
    format!("{}/*", jars.display())
}

fn worker(cluster: &Cluster, name: &str, guarantee: Guarantee, port: u16) -> String {
    let [offsets, configs, statuses] = topics(name);
    let support = match guarantee {
        Guarantee::ExactlyOnce => "enabled",
        Guarantee::AtLeastOnce => "disabled",
    };
    let settings = [
        ("bootstrap.servers", cluster.bootstrap_servers()),
        ("group.id", &format!("{name}-connect")),
        ("offset.storage.topic", &offsets),
        ("config.storage.topic", &configs),
        ("status.storage.topic", &statuses),
        ("offset.storage.replication.factor", "1"),
        ("config.storage.replication.factor", "1"),
        ("status.storage.replication.factor", "1"),
        ("exactly.once.source.support", support),
        (
            "key.converter",
            "org.apache.kafka.connect.json.JsonConverter",
        ),
        (
            "value.converter",
            "org.apache.kafka.connect.json.JsonConverter",
        ),
        ("listeners", &format!("http://127.0.0.1:{port}")),
    ];
    settings
        .iter()
        .fold(String::new(), |mut text, (key, value)| {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{key}={value}");
            text
        })
}

/// Posts JSON; the status and the body of the answer.
fn post(port: u16, path: &str, json: &str) -> Result<(u16, String)> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(REQUEST_LIMIT))?;
    write!(
        stream,
        "POST {path} HTTP/1.0\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{json}",
        json.len()
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
    Ok((status.ok_or("no HTTP answer")?, body.to_owned()))
}
