//! The servers of one run, started and stopped together.

use std::path::Path;
use std::thread;

use crate::environment;
use crate::error::Error;
use crate::kafka::{Kafka, KafkaOptions};
use crate::postgres::{Postgres, PostgresOptions};

/// How a [`Stack`] is set up.
#[derive(Debug, Clone)]
pub struct StackOptions {
    /// The broker's options.
    pub kafka: KafkaOptions,
    /// The database's options.
    pub postgres: PostgresOptions,
}

/// One Kafka and one Postgres. Dropping it stops both.
#[derive(Debug)]
pub struct Stack {
    /// The broker.
    pub kafka: Kafka,
    /// The database.
    pub postgres: Postgres,
    kafka_home: String,
}

impl Stack {
    /// Starts both at once, under `directory/kafka` and `directory/postgres`.
    ///
    /// # Errors
    ///
    /// When one of them does not come up; the other is stopped.
    pub fn start(directory: &Path, options: StackOptions) -> Result<Self, Error> {
        let kafka_home = environment::get(environment::KAFKA_HOME)?;
        let (kafka, postgres) = thread::scope(|scope| {
            let kafka = scope.spawn(|| Kafka::start(directory.join("kafka"), options.kafka));
            let postgres = Postgres::start(directory.join("postgres"), options.postgres);
            (kafka.join(), postgres)
        });
        let kafka = kafka.map_err(|_| Error::Missing(String::from("kafka's starter panicked")))?;
        Ok(Self {
            kafka: kafka?,
            postgres: postgres?,
            kafka_home,
        })
    }

    /// The variables by which a program or a test finds the servers.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            (
                environment::BOOTSTRAP_SERVERS,
                self.kafka.bootstrap_servers(),
            ),
            (environment::POSTGRES_URL, self.postgres.url("postgres")),
            (environment::KAFKA_HOME, self.kafka_home.clone()),
        ]
    }
}
