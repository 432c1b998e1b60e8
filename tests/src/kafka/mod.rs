//! A real Apache Kafka: one node, `KRaft`, on free ports of the loopback address.

mod outage;

pub use outage::DroppedMarkers;

use std::collections::BTreeMap;
use std::env;
use std::fmt::Write as _;
use std::fs;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::signal::Signal;
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use tempfile::TempDir;

use crate::child::{Child, Launch};
use crate::environment;
use crate::error::Error;
use crate::port::free_port;

/// A broker answers after 2 to 3 s; a loaded machine gets much more.
const START_LIMIT: Duration = Duration::from_secs(90);
/// How long a controlled shutdown may take before the broker is killed.
const STOP_LIMIT: Duration = Duration::from_secs(20);
/// How long one metadata request may take while the broker starts.
const PROBE_LIMIT: Duration = Duration::from_millis(500);
/// How often a start is tried again when another program took the port first.
const START_ATTEMPTS: usize = 3;
/// Any 16 bytes in base64: a one-node cluster needs no other identity.
const CLUSTER_ID: &str = "VHJpYnV0YXJ5VGVzdHMwMQ";

const LOG4J: &str = include_str!("log4j2.properties");

/// How a [`Kafka`] is set up. The default is right for tests.
#[derive(Debug, Clone)]
pub struct KafkaOptions {
    home: PathBuf,
    heap_mb: u32,
    properties: BTreeMap<String, String>,
}

impl KafkaOptions {
    /// Options for the Kafka whose jars lie in the folder `home`.
    pub fn new(home: impl Into<PathBuf>) -> Self {
        // Small and prompt: no wait before a first rebalance, few internal partitions, short
        // time-outs allowed, and transactions whose owner died aborted within a second.
        let properties = [
            ("auto.create.topics.enable", "true"),
            ("background.threads", "2"),
            ("controlled.shutdown.enable", "false"),
            ("group.initial.rebalance.delay.ms", "0"),
            ("group.min.session.timeout.ms", "1000"),
            ("log.cleaner.dedupe.buffer.size", "4194304"),
            ("log.cleaner.threads", "1"),
            ("log.index.size.max.bytes", "1048576"),
            ("num.io.threads", "4"),
            ("num.network.threads", "2"),
            ("num.partitions", "1"),
            ("offsets.topic.num.partitions", "4"),
            ("offsets.topic.replication.factor", "1"),
            ("share.coordinator.state.topic.min.isr", "1"),
            ("share.coordinator.state.topic.num.partitions", "1"),
            ("share.coordinator.state.topic.replication.factor", "1"),
            (
                "transaction.abort.timed.out.transaction.cleanup.interval.ms",
                "1000",
            ),
            ("transaction.state.log.min.isr", "1"),
            ("transaction.state.log.num.partitions", "4"),
            ("transaction.state.log.replication.factor", "1"),
        ];
        let own = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
        Self {
            home: home.into(),
            heap_mb: 512,
            properties: properties.map(own).into(),
        }
    }

    /// Options for the Kafka that `./dev` has resolved (`TRIBUTARY_KAFKA_HOME`).
    ///
    /// # Panics
    ///
    /// When the test does not run under `./dev test`.
    #[track_caller]
    pub fn shared() -> Self {
        Self::new(environment::require(environment::KAFKA_HOME))
    }

    /// Sets a broker property, replacing the default.
    #[must_use]
    pub fn property(mut self, key: &str, value: &str) -> Self {
        self.properties.insert(key.to_owned(), value.to_owned());
        self
    }

    /// Sets the heap's upper bound in MB; 512 unless told.
    #[must_use]
    pub fn heap_mb(mut self, heap_mb: u32) -> Self {
        self.heap_mb = heap_mb;
        self
    }
}

/// A running broker. Dropping it kills it; its folder stays.
#[derive(Debug)]
pub struct Kafka {
    directory: PathBuf,
    options: KafkaOptions,
    port: u16,
    child: Child,
    /// Removed after the broker has ended.
    _folder: Option<TempDir>,
}

impl Kafka {
    /// Formats `directory` and starts a broker in it, on ports that are free.
    ///
    /// Returns once it answers a metadata request.
    ///
    /// # Errors
    ///
    /// When Java or Kafka's jars are missing, or the broker does not come up; the error holds the
    /// end of its log.
    pub fn start(directory: impl Into<PathBuf>, options: KafkaOptions) -> Result<Self, Error> {
        let directory = directory.into();
        if !options.home.is_dir() {
            return Err(Error::Missing(format!(
                "no Kafka in home=`{}`: run `./dev setup`",
                options.home.display()
            )));
        }
        let mut attempt = 1;
        loop {
            let started = Self::format_and_launch(directory.clone(), options.clone());
            match started {
                Err(Error::Ended { log, .. })
                    if attempt < START_ATTEMPTS && log.contains("Address already in use") =>
                {
                    attempt += 1;
                }
                other => return other,
            }
        }
    }

    /// Starts a broker in a folder that goes with it: for a test that kills or configures one.
    ///
    /// # Errors
    ///
    /// As [`Kafka::start`].
    pub fn temporary(options: KafkaOptions) -> Result<Self, Error> {
        let folder = tempfile::Builder::new()
            .prefix("tributary-kafka-")
            .tempdir();
        let folder = folder.map_err(Error::file("create", env::temp_dir()))?;
        let Self {
            directory,
            options,
            port,
            child,
            ..
        } = Self::start(folder.path(), options)?;
        Ok(Self {
            directory,
            options,
            port,
            child,
            _folder: Some(folder),
        })
    }

    fn format_and_launch(directory: PathBuf, options: KafkaOptions) -> Result<Self, Error> {
        let port = free_port();
        let data = directory.join("data");
        if data.exists() {
            fs::remove_dir_all(&data).map_err(Error::file("remove", &data))?;
        }
        fs::create_dir_all(&data).map_err(Error::file("create", &data))?;
        let write = |name: &str, text: &str| {
            let path = directory.join(name);
            fs::write(&path, text).map_err(Error::file("write", &path))
        };
        write("log4j2.properties", LOG4J)?;
        write(
            "server.properties",
            &server_properties(&data, port, free_port(), &options),
        )?;
        java(
            &directory,
            &options,
            "kafka.tools.StorageTool",
            "kafka-format",
        )
        .args(["format", "--standalone", "--cluster-id", CLUSTER_ID])
        .args(["--config", "server.properties"])
        .run(START_LIMIT)?;
        let child = launch(&directory, &options)?;
        let mut kafka = Self {
            directory,
            options,
            port,
            child,
            _folder: None,
        };
        kafka.wait_ready()?;
        Ok(kafka)
    }

    /// `127.0.0.1:<port>`, the same across restarts.
    pub fn bootstrap_servers(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Kills the broker (`kill -9`). [`Kafka::restart`] brings it back with its data.
    pub fn kill(&mut self) {
        self.child.kill();
    }

    /// Shuts the broker down as an operator would, and kills it if that takes 20 s.
    ///
    /// # Errors
    ///
    /// [`Error::Deadline`] when it had to be killed.
    pub fn stop(&mut self) -> Result<(), Error> {
        self.child.stop(Signal::SIGTERM, STOP_LIMIT).map(drop)
    }

    /// Starts the broker again, at its address and with its data. Kills it first if it runs.
    ///
    /// # Errors
    ///
    /// When it does not come up.
    pub fn restart(&mut self) -> Result<(), Error> {
        self.child.kill();
        self.child = launch(&self.directory, &self.options)?;
        self.wait_ready()
    }

    /// Freezes the broker: connections stay open and nothing answers.
    pub fn pause(&self) {
        self.child.pause();
    }

    /// Lets a paused broker go on.
    pub fn resume(&self) {
        self.child.resume();
    }

    /// Changes a byte of `text` where a partition's records stand on the disk, as a disk that fails
    /// does. The broker goes on serving them.
    ///
    /// # Errors
    ///
    /// When the partition or the text is not there.
    pub fn damage(&self, topic: &str, partition: i32, text: &str) -> Result<(), Error> {
        let segment = format!("data/{topic}-{partition}/00000000000000000000.log");
        let path = self.directory.join(segment);
        let bytes = fs::read(&path).map_err(Error::file("read", &path))?;
        let mut places = bytes.windows(text.len());
        let Some(place) = places.position(|place| place == text.as_bytes()) else {
            return Err(Error::Missing(format!("no {text} in {}", path.display())));
        };
        let written = fs::OpenOptions::new().write(true).open(&path);
        let written = written.and_then(|mut file| {
            file.seek(SeekFrom::Start(place as u64))?;
            file.write_all(b"\0")
        });
        written.map_err(Error::file("write", &path))
    }

    /// The broker's process: its id, its log, whether it still runs.
    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    fn wait_ready(&mut self) -> Result<(), Error> {
        let bootstrap = self.bootstrap_servers();
        let consumer: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", &bootstrap)
            .set("group.id", "ready")
            .set("reconnect.backoff.max.ms", "100")
            .create()
            .map_err(|error| Error::kafka("make a client", error))?;
        let what = format!("kafka answered at {bootstrap}");
        self.child.wait_for(&what, START_LIMIT, |_| {
            let metadata = consumer.fetch_metadata(None, PROBE_LIMIT).ok()?;
            (!metadata.brokers().is_empty()).then_some(())
        })
    }
}

fn launch(directory: &Path, options: &KafkaOptions) -> Result<Child, Error> {
    java(directory, options, "kafka.Kafka", "kafka")
        .args(["server.properties"])
        .spawn()
}

fn java(directory: &Path, options: &KafkaOptions, main: &str, log: &str) -> Launch {
    let java = env::var_os(environment::JAVA).unwrap_or_else(|| "java".into());
    let heap = format!("-Xmx{}m", options.heap_mb);
    let classes = format!("{}/*", options.home.display());
    Launch::new(log, java, directory.join(format!("{log}.log")))
        // A serial collector and a short tiering start fast and leave the cores to the tests.
        .args(["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto", heap.as_str()])
        .args(["-Dlog4j2.configurationFile=log4j2.properties", "-Djava.awt.headless=true"])
        .args(["-cp", &classes, main])
        .directory(directory)
}

fn server_properties(data: &Path, port: u16, controller: u16, options: &KafkaOptions) -> String {
    let mut text = format!(
        "process.roles=broker,controller\n\
         node.id=1\n\
         controller.quorum.bootstrap.servers=127.0.0.1:{controller}\n\
         controller.listener.names=CONTROLLER\n\
         listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}\n\
         advertised.listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}\n\
         listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT\n\
         log.dirs={}\n",
        data.display()
    );
    for (key, value) in &options.properties {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{key}={value}");
    }
    text
}
