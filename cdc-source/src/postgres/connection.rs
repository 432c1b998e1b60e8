//! Ordinary sessions: the catalogue, COPY, and what Postgres's errors mean.

use std::error::Error as _;
use std::time::Duration;

use tokio_postgres::{Client, NoTls};

use crate::config::{DatabaseConfig, SslMode};
use crate::{Error, Result};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Session settings that fix the text form of values, so that a snapshot and the stream write the
/// same bytes whatever the server's defaults are.
pub(super) const SESSION_OPTIONS: &str = "-c timezone=UTC -c datestyle=ISO,MDY \
    -c intervalstyle=postgres -c bytea_output=hex -c extra_float_digits=3";

/// A session with the database.
pub struct Connection {
    client: Client,
    server: String,
}

impl Connection {
    /// Connects and authenticates.
    ///
    /// # Errors
    /// [`Error::Setting`] when the server says that the user, the password or the database is
    /// wrong, [`Error::Postgres`] when it cannot be reached.
    pub async fn open(database: &DatabaseConfig, application_name: &str) -> Result<Self> {
        let server = format!("{}:{}", database.hostname, database.port);
        let mut config = tokio_postgres::Config::new();
        config
            .host(&database.hostname)
            .port(database.port)
            .user(&database.user)
            .dbname(&database.name)
            .application_name(application_name)
            .options(SESSION_OPTIONS)
            .connect_timeout(CONNECT_TIMEOUT)
            .keepalives(database.tcp_keep_alive);
        if let Some(password) = &database.password {
            config.password(password);
        }
        if !matches!(
            database.ssl_mode,
            SslMode::Disable | SslMode::Allow | SslMode::Prefer
        ) {
            return Err(Error::Setting {
                setting: "database.sslmode",
                problem: "an encrypted connection is not supported yet; use disable, allow or \
                          prefer"
                    .into(),
            });
        }
        config.ssl_mode(tokio_postgres::config::SslMode::Disable);
        let doing =
            format!("connecting to Postgres at {server} (database.hostname, database.port)");
        let (client, connection) = config
            .connect(NoTls)
            .await
            .map_err(|error| postgres_error(&doing, &error))?;
        // The session's messages are moved by this task, which ends with the client.
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a Postgres session ended");
            }
        });
        let connection = Self { client, server };
        for statement in &database.initial_statements {
            connection
                .execute("running database.initial.statements", statement)
                .await?;
        }
        Ok(connection)
    }

    /// The session itself.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The server's address, `host:port`.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// Whether the server or the network ended the session.
    pub fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// Runs statements without results.
    ///
    /// # Errors
    /// What the server said, under `doing`.
    pub async fn execute(&self, doing: &str, statements: &str) -> Result<()> {
        let done = self.client.batch_execute(statements).await;
        done.map_err(|error| postgres_error(doing, &error))
    }
}

/// Quotes an identifier.
pub fn quote_identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Quotes a text literal.
pub fn quote_literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// What an error of an ordinary session means.
pub fn postgres_error(doing: &str, error: &tokio_postgres::Error) -> Error {
    if let Some(error) = error.as_db_error() {
        let detail = error
            .detail()
            .map(|detail| format!(" ({detail})"))
            .unwrap_or_default();
        let message = format!("{}{detail}", error.message());
        return server_error(doing, error.code().code(), &message);
    }
    let problem = match error.source() {
        Some(source) => source.to_string(),
        None => error.to_string(),
    };
    if problem.contains("password missing") {
        let problem = "the server asks for a password".to_owned();
        return Error::Setting {
            setting: "database.password",
            problem,
        };
    }
    Error::Postgres {
        doing: doing.to_owned(),
        problem,
    }
}

/// What an error of the server means, by its SQLSTATE.
pub(super) fn server_error(doing: &str, code: &str, message: &str) -> Error {
    let setting = |setting| Error::Setting {
        setting,
        problem: format!("{doing}: {message}"),
    };
    match code {
        "28P01" | "28000" => setting("database.user, database.password"),
        "3D000" => setting("database.dbname"),
        "42501" => setting("database.user"),
        "55000" => setting("slot.name"),
        // pgoutput looks the publication up as the catalogue was at the slot's position.
        "42704" if message.contains("publication") => Error::Setting {
            setting: "publication.name",
            problem: format!(
                "{message} at the slot's position: it was created later than the slot; drop the \
                 slot or name another one"
            ),
        },
        "55006" | "42710" => Error::SlotInUse {
            problem: message.to_owned(),
        },
        _ => Error::Postgres {
            doing: doing.to_owned(),
            problem: format!("{message} (SQLSTATE {code})"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn identifiers_and_literals_are_quoted() {
        assert_eq!(quote_identifier(r#"we"ird"#), r#""we""ird""#);
        assert_eq!(quote_literal("it's"), "'it''s'");
    }

    #[test]
    fn an_error_is_a_setting_or_may_pass_by_its_sqlstate() {
        let kind = |code| server_error("asking", code, "no").kind();
        for code in ["28P01", "28000", "3D000", "42501", "55000"] {
            assert_eq!(kind(code), ErrorKind::Configuration, "{code}");
        }
        for code in ["57P01", "57P03", "53300", "55006", "08006"] {
            assert_eq!(kind(code), ErrorKind::Retriable, "{code}");
        }
    }
}
