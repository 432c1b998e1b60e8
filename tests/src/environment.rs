//! How `./dev` tells a test where its servers are.

use std::env;

use crate::error::{Error, OrFail};

/// The shared broker's `host:port`.
pub const BOOTSTRAP_SERVERS: &str = "TRIBUTARY_BOOTSTRAP_SERVERS";
/// The shared Postgres' superuser URL.
pub const POSTGRES_URL: &str = "TRIBUTARY_POSTGRES_URL";
/// The folder of Kafka's jars, for tests that start a broker of their own.
pub const KAFKA_HOME: &str = "TRIBUTARY_KAFKA_HOME";
/// The folder of JVM Kafka Streams' jars, for tests that hand an application over.
pub const STREAMS_HOME: &str = "TRIBUTARY_STREAMS_HOME";
/// The `java` to run Kafka with; the one in the path unless set.
pub const JAVA: &str = "TRIBUTARY_JAVA";

/// The value of one of the variables above.
///
/// # Panics
///
/// When it is not set: a test that needs a server must not pass without one.
#[track_caller]
pub fn require(name: &str) -> String {
    get(name).or_fail()
}

/// The value of one of the variables above.
///
/// # Errors
///
/// When it is not set.
pub fn get(name: &str) -> Result<String, Error> {
    env::var(name).map_err(|_| {
        Error::Missing(format!(
            "{name} is not set: run this by `./dev test`, which starts servers"
        ))
    })
}
