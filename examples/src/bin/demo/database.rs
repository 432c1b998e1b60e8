//! The guide's tables in Postgres, and the ledger that a trigger keeps of their changes.

use streams_tests::{Error, Session, environment};

use crate::topic::TABLES;

/// The name of the database.
pub(crate) const NAME: &str = "shop";
/// Who replicates.
pub(crate) const REPLICATOR: &str = "replicator";
/// The replicating user's password; the server listens on the loopback address only.
pub(crate) const REPLICATOR_PASSWORD: &str = "replicator_password";
/// The publication of the three tables.
pub(crate) const PUBLICATION: &str = "cdc_publication";

/// `ledger` is not published: it is what Postgres itself knows about each committed change, written
/// in the transaction of the change, and the demo's measure of what has to be in the topics. A row
/// is locked from its change to the commit, so the ledger's order is each row's order.
const SCHEMA: &str = "
CREATE TABLE users (id bigint PRIMARY KEY, name text NOT NULL, email text NOT NULL,
  version int NOT NULL DEFAULT 1, created_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint NOT NULL, status text NOT NULL,
  amount numeric(10, 2) NOT NULL,
  version int NOT NULL DEFAULT 1, created_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE products (id bigint PRIMARY KEY, name text NOT NULL, price numeric(10, 2) NOT NULL,
  stock int NOT NULL,
  version int NOT NULL DEFAULT 1, created_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE ledger (seq bigserial PRIMARY KEY, table_name text NOT NULL, id bigint NOT NULL,
  op text NOT NULL, version int NOT NULL);
CREATE FUNCTION enter_into_ledger() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    INSERT INTO ledger (table_name, id, op, version)
      VALUES (TG_TABLE_NAME, OLD.id, 'd', OLD.version);
  ELSE
    INSERT INTO ledger (table_name, id, op, version)
      VALUES (TG_TABLE_NAME, NEW.id, CASE TG_OP WHEN 'INSERT' THEN 'c' ELSE 'u' END, NEW.version);
  END IF;
  RETURN NULL;
END $$;";

/// The superuser's way into the database of the demo.
#[derive(Debug, Clone)]
pub(crate) struct Database {
    url: String,
    host: String,
    port: String,
}

impl Database {
    /// Makes the database, its tables and the replicating user on the server that `./dev` started.
    pub(crate) fn create() -> Result<Self, Error> {
        let server = environment::get(environment::POSTGRES_URL)?;
        let wrong = || Error::Missing(format!("{} is no URL", environment::POSTGRES_URL));
        let (base, _) = server.rsplit_once('/').ok_or_else(wrong)?;
        let address = base
            .rsplit_once('@')
            .and_then(|(_, address)| address.rsplit_once(':'));
        let (host, port) = address.ok_or_else(wrong)?;
        Session::connect(&server)?.execute(&format!("CREATE DATABASE {NAME}"))?;
        let database = Self {
            url: format!("{base}/{NAME}"),
            host: host.to_owned(),
            port: port.to_owned(),
        };
        database.set_up()?;
        Ok(database)
    }

    fn set_up(&self) -> Result<(), Error> {
        let session = self.connect()?;
        session.execute(SCHEMA)?;
        for table in TABLES {
            session.execute(&format!(
                "CREATE TRIGGER ledger AFTER INSERT OR UPDATE OR DELETE ON {table}
                   FOR EACH ROW EXECUTE FUNCTION enter_into_ledger()"
            ))?;
        }
        let tables = TABLES.join(", ");
        session.execute(&format!(
            "CREATE USER {REPLICATOR} WITH REPLICATION LOGIN PASSWORD '{REPLICATOR_PASSWORD}';
             GRANT SELECT ON ALL TABLES IN SCHEMA public TO {REPLICATOR};
             CREATE PUBLICATION {PUBLICATION} FOR TABLE {tables};"
        ))
    }

    /// Another connection.
    pub(crate) fn connect(&self) -> Result<Session, Error> {
        Session::connect(&self.url)
    }

    /// The server's host.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// The server's port.
    pub(crate) fn port(&self) -> &str {
        &self.port
    }
}
