//! A blocking connection to Postgres, for statements and small queries.

use std::fmt;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio_postgres::{Client, Config, NoTls, SimpleQueryMessage};

use crate::error::Error;

/// How long a connection may take to be made.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// How much of a statement an error shows.
const STATEMENT_SHOWN: usize = 120;

/// One connection to a database.
///
/// Not for use within an async runtime: its calls block.
pub struct Session {
    runtime: Runtime,
    client: Client,
}

impl fmt::Debug for Session {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Session").finish_non_exhaustive()
    }
}

impl Session {
    /// Connects to a database by its URL.
    ///
    /// # Errors
    ///
    /// When the URL is no URL or Postgres refuses.
    pub fn connect(url: &str) -> Result<Self, Error> {
        let refused = |error: tokio_postgres::Error| Error::Sql {
            statement: String::from("connect"),
            message: describe(&error),
        };
        let mut config: Config = url.parse().map_err(refused)?;
        config.connect_timeout(CONNECT_LIMIT);
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(Error::file("make a runtime for", "postgres"))?;
        let (client, connection) = runtime.block_on(config.connect(NoTls)).map_err(refused)?;
        // It ends with the client; how it ended is told to whoever calls next.
        drop(runtime.spawn(async move { connection.await.ok() }));
        Ok(Self { runtime, client })
    }

    /// Runs one or several statements.
    ///
    /// # Errors
    ///
    /// When Postgres refuses one of them.
    pub fn execute(&self, statements: &str) -> Result<(), Error> {
        let done = self.runtime.block_on(self.client.batch_execute(statements));
        done.map_err(|error| refused(statements, &error))
    }

    /// Runs a query and returns its rows, each value in Postgres' text form, null as `None`.
    ///
    /// # Errors
    ///
    /// When Postgres refuses it.
    pub fn query(&self, query: &str) -> Result<Vec<Vec<Option<String>>>, Error> {
        let answer = self.runtime.block_on(self.client.simple_query(query));
        let messages = answer.map_err(|error| refused(query, &error))?;
        let rows = messages.into_iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(
                (0..row.len())
                    .map(|column| row.get(column).map(str::to_owned))
                    .collect(),
            ),
            _ => None,
        });
        Ok(rows.collect())
    }

    /// The single value of a query: its first row's first column, `None` for null or no row.
    ///
    /// # Errors
    ///
    /// When Postgres refuses it.
    pub fn value(&self, query: &str) -> Result<Option<String>, Error> {
        let first = self.query(query)?.into_iter().next();
        Ok(first.and_then(|row| row.into_iter().next()).flatten())
    }
}

fn refused(statement: &str, error: &tokio_postgres::Error) -> Error {
    let statement = statement.chars().take(STATEMENT_SHOWN).collect();
    Error::Sql {
        statement,
        message: describe(error),
    }
}

/// The client's own text for a refusal by the server is just "db error".
fn describe(error: &tokio_postgres::Error) -> String {
    error
        .as_db_error()
        .map_or_else(|| error.to_string(), ToString::to_string)
}
