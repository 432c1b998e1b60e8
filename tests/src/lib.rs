//! The stack that Tributary's tests and demo run on, and what a test needs to talk to it.
//!
//! A test looks like this (it runs under `./dev test`, which starts the shared servers):
//!
//! ```no_run
//! use std::time::Duration;
//! use streams_tests::{Cluster, Expectation, Process};
//!
//! let cluster = Cluster::shared();
//! let (input, output) = (cluster.topic("users", 4), cluster.topic("user-analytics", 4));
//! let mut expected = Expectation::default();
//! for n in 0..100 {
//!     expected.push(format!("user-{}", n % 7), format!("{n}"));
//! }
//! cluster.produce(&input, expected.records());
//!
//! let mut processor = Process::workspace("processors")
//!     .args(["users", "--bootstrap-servers", cluster.bootstrap_servers()])
//!     .args(["--application-id", &cluster.unique("users"), "--input", &input])
//!     .args(["--output", &output])
//!     .spawn();
//! let seen = cluster.read_count(&output, 100, Duration::from_secs(30));
//! processor.terminate(Duration::from_secs(5));
//! expected.assert(&seen);
//! ```
//!
//! Two styles of failure live here. What the demo and `./dev` use too ([`Kafka`], [`Postgres`],
//! [`Session`], and all that is called `try_…`) returns [`Error`]. What only tests use
//! ([`Cluster`], [`Database`], [`Process`], [`Expectation`], [`wait_until`]) panics at the caller's
//! line with a message that says what was waited for: a test has nothing better to do with an
//! error.

mod child;
mod cluster;
pub mod counting;
mod database;
mod deadline;
pub mod environment;
mod error;
mod expectation;
pub mod joining;
mod jvm;
mod kafka;
pub mod killable;
mod message;
mod port;
mod postgres;
mod process;
mod session;
mod stack;
mod transaction;

pub use child::Child;
pub use cluster::{Cluster, GroupMember};
pub use database::Database;
pub use deadline::{try_until, wait_until};
pub use error::Error;
pub use expectation::{Comparison, Expectation};
pub use kafka::{DroppedMarkers, Kafka, KafkaOptions};
pub use message::{Message, Record};
pub use port::free_port;
pub use postgres::{Postgres, PostgresOptions, program as postgres_program};
pub use process::{Process, ProcessBuilder, http_get, workspace_binary};
pub use session::Session;
pub use stack::{Stack, StackOptions};
pub use transaction::OpenTransaction;
