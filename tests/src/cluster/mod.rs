//! A broker as a test sees it: topics of its own, records in, committed records out.

mod group;
mod produce;
mod read;
mod topic;

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::consumer::BaseConsumer;

pub use self::group::GroupMember;
use crate::environment;
use crate::error::Error;

/// How long one request may take, time for a busy machine included.
const REQUEST_LIMIT: Duration = Duration::from_secs(30);
/// How long one poll of a client may block.
const POLL_LIMIT: Duration = Duration::from_millis(50);

/// A handle on a broker; cheap to make, holds no connection until something is sent.
///
/// Its methods panic at the caller's line, with the request and the broker's answer.
#[derive(Debug, Clone)]
pub struct Cluster {
    bootstrap: String,
    producer: produce::KeptProducer,
}

impl Cluster {
    /// The broker that all tests of this run share.
    ///
    /// # Panics
    ///
    /// When the test does not run under `./dev test`.
    #[track_caller]
    pub fn shared() -> Self {
        Self::at(environment::require(environment::BOOTSTRAP_SERVERS))
    }

    /// The broker at an address, for instance a [`crate::Kafka`] of the test's own.
    pub fn at(bootstrap_servers: impl Into<String>) -> Self {
        Self {
            bootstrap: bootstrap_servers.into(),
            producer: produce::KeptProducer::default(),
        }
    }

    /// `host:port`.
    pub fn bootstrap_servers(&self) -> &str {
        &self.bootstrap
    }

    /// A name that no other test uses: for groups, application ids and topics.
    pub fn unique(&self, stem: &str) -> String {
        // Servers in the background outlive many runs: a process id alone would come again.
        static RUN: LazyLock<u32> = LazyLock::new(rand::random);
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        format!("{stem}-{:08x}-{count}", *RUN)
    }

    fn consumer(&self, isolation: &str, group: &str) -> Result<BaseConsumer, Error> {
        ClientConfig::new()
            .set("bootstrap.servers", &self.bootstrap)
            .set("group.id", group)
            .set("enable.auto.commit", "false")
            .set("enable.partition.eof", "true")
            .set("isolation.level", isolation)
            .set("fetch.wait.max.ms", "50")
            .set("reconnect.backoff.max.ms", "500")
            .create()
            .map_err(|error| Error::kafka("make a consumer", error))
    }
}
