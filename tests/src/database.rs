//! A database of a test's own on the shared Postgres.

use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::Host;

use crate::cluster::Cluster;
use crate::deadline::try_until;
use crate::environment;
use crate::error::{Error, OrFail};
use crate::postgres::Postgres;
use crate::session::Session;

/// How long the slots and sessions of a database may take to let go of it.
const DROP_LIMIT: Duration = Duration::from_secs(10);

/// A database with a unique name. Dropping it drops its slots, its sessions and the database.
///
/// Replication slots belong to the whole server: derive their names from [`Database::name`].
#[derive(Debug)]
pub struct Database {
    name: String,
    host: String,
    port: u16,
    user: String,
    password: String,
    session: Session,
    server_url: String,
}

impl Database {
    /// Makes a database on the Postgres that all tests of this run share.
    ///
    /// # Panics
    ///
    /// When the test does not run under `./dev test`, or Postgres refuses.
    #[track_caller]
    pub fn shared(stem: &str) -> Self {
        Self::at(&environment::require(environment::POSTGRES_URL), stem).or_fail()
    }

    /// Makes a database on a Postgres of the test's own.
    ///
    /// # Errors
    ///
    /// When Postgres refuses.
    pub fn on(postgres: &Postgres, stem: &str) -> Result<Self, Error> {
        Self::at(&postgres.url("postgres"), stem)
    }

    fn at(server_url: &str, stem: &str) -> Result<Self, Error> {
        let wrong = || Error::Missing(format!("{} is no URL", environment::POSTGRES_URL));
        let config: Config = server_url.parse().map_err(|_| wrong())?;
        let Some(Host::Tcp(host)) = config.get_hosts().first() else {
            return Err(wrong());
        };
        let port = *config.get_ports().first().ok_or_else(wrong)?;
        let user = config.get_user().ok_or_else(wrong)?.to_owned();
        let password = config.get_password().ok_or_else(wrong)?;
        let password = String::from_utf8_lossy(password).into_owned();
        // Slot names allow only lower case, digits and underscores.
        let name = Cluster::at("")
            .unique(stem)
            .to_lowercase()
            .replace(['-', '.'], "_");
        Session::connect(server_url)?.execute(&format!("CREATE DATABASE {name}"))?;
        let url = format!("postgres://{user}:{password}@{host}:{port}/{name}");
        let session = Session::connect(&url)?;
        let (host, server_url) = (host.clone(), server_url.to_owned());
        Ok(Self {
            name,
            host,
            port,
            user,
            password,
            session,
            server_url,
        })
    }

    /// The database's name, which is also fit to begin a slot's or a publication's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The server's host.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The server's port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The superuser's name.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The superuser's password.
    pub fn password(&self) -> &str {
        &self.password
    }

    /// The superuser's URL of this database.
    pub fn url(&self) -> String {
        let Self {
            name,
            host,
            port,
            user,
            password,
            ..
        } = self;
        format!("postgres://{user}:{password}@{host}:{port}/{name}")
    }

    /// Runs one or several statements.
    #[track_caller]
    pub fn execute(&self, statements: &str) {
        self.session.execute(statements).or_fail();
    }

    /// Runs a query and returns its rows, each value as text, null as `None`.
    #[track_caller]
    pub fn query(&self, query: &str) -> Vec<Vec<Option<String>>> {
        self.session.query(query).or_fail()
    }

    /// The single value of a query, `None` for null or no row.
    #[track_caller]
    pub fn value(&self, query: &str) -> Option<String> {
        self.session.value(query).or_fail()
    }

    /// Another connection, for transactions that overlap.
    #[track_caller]
    pub fn connect(&self) -> Session {
        Session::connect(&self.url()).or_fail()
    }

    fn remove(&self) -> Result<(), Error> {
        let Self { name, .. } = self;
        let server = Session::connect(&self.server_url)?;
        try_until(&format!("database={name} was dropped"), DROP_LIMIT, || {
            let dropped = server
                .execute(&format!(
                    "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots
                       WHERE database = '{name}' AND active"
                ))
                .and_then(|()| {
                    server.execute(&format!(
                        "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots
                           WHERE database = '{name}'"
                    ))
                })
                .and_then(|()| server.execute(&format!("DROP DATABASE {name} WITH (FORCE)")));
            // A slot whose walsender was just told to go is still in use for a moment.
            Ok(dropped.ok())
        })
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Err(error) = self.remove() {
            eprintln!("{error}");
        }
    }
}
