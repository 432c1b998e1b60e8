//! What must hold before the connector starts: one clear line for each thing that does not.

use super::catalog::CatalogTable;
use super::connection::{Connection, postgres_error};
use crate::{Error, Result};

const SERVER: &str = "\
    SELECT current_setting('wal_level'), \
           r.rolsuper OR r.rolreplication OR EXISTS ( \
               SELECT FROM pg_roles p WHERE p.rolname = 'rds_replication' \
               AND pg_has_role(r.oid, p.oid, 'member')), \
           current_setting('server_version_num')::int, current_setting('server_encoding') \
    FROM pg_roles r WHERE r.rolname = current_user";

/// The oldest server that has everything that the catalogue is asked for.
const VERSION_MIN: i32 = 120_000;

/// Checks the server's settings and the user's right to replicate. Returns the server's version
/// number, such as 150004.
///
/// # Errors
/// [`Error::Setting`] for the first thing that has to be changed.
pub async fn check_server(connection: &Connection, user: &str) -> Result<i32> {
    let failed = |error| postgres_error("asking for the server's settings", &error);
    let row = connection
        .client()
        .query_one(SERVER, &[])
        .await
        .map_err(failed)?;
    let read = || -> Result<(String, bool, i32, String), tokio_postgres::Error> {
        Ok((
            row.try_get(0)?,
            row.try_get(1)?,
            row.try_get(2)?,
            row.try_get(3)?,
        ))
    };
    let (wal_level, may_replicate, version, encoding) = read().map_err(failed)?;
    let refused = |setting, problem| Err(Error::Setting { setting, problem });
    if version < VERSION_MIN {
        let problem = format!("{} runs a Postgres older than 12", connection.server());
        return refused("database.hostname", problem);
    }
    if wal_level != "logical" {
        return refused(
            "wal_level",
            format!(
                "the server at {} has wal_level={wal_level}; set wal_level=logical in \
                 postgresql.conf and restart it",
                connection.server()
            ),
        );
    }
    if !may_replicate {
        return refused(
            "database.user",
            format!("user {user} may not replicate; run ALTER ROLE {user} WITH REPLICATION"),
        );
    }
    if encoding != "UTF8" {
        let problem = format!("the database is encoded in {encoding}, and UTF8 is needed");
        return refused("database.dbname", problem);
    }
    Ok(version)
}

/// Checks that there is something to capture. `named` are the tables that the configuration names
/// without a pattern.
///
/// # Errors
/// [`Error::Setting`] with the tables that do not exist.
pub fn check_tables(tables: &[CatalogTable], named: &[String], is_restricted: bool) -> Result<()> {
    let refused = |problem| {
        Err(Error::Setting {
            setting: "table.include.list",
            problem,
        })
    };
    let is_known = |name: &&String| {
        tables
            .iter()
            .any(|table| table.qualified_name().eq_ignore_ascii_case(name))
    };
    let unknown: Vec<&str> = named
        .iter()
        .filter(|name| !is_known(name))
        .map(String::as_str)
        .collect();
    if !unknown.is_empty() {
        return refused(format!("no such table: {}", unknown.join(", ")));
    }
    if tables.is_empty() && is_restricted {
        return refused("no table matches the include and exclude lists".into());
    }
    Ok(())
}

/// Checks that the user may read the tables that a snapshot reads.
///
/// # Errors
/// [`Error::Setting`] with the tables that it may not.
pub async fn check_select(
    connection: &Connection,
    user: &str,
    tables: &[CatalogTable],
) -> Result<()> {
    let oids: Vec<u32> = tables.iter().map(|table| table.oid).collect();
    let sql = "SELECT o FROM unnest($1::oid[]) AS o WHERE NOT has_table_privilege(o, 'SELECT')";
    let rows = connection.client().query(sql, &[&oids]).await;
    let denied: Result<Vec<u32>, _> =
        rows.and_then(|rows| rows.iter().map(|row| row.try_get(0)).collect());
    let denied = denied.map_err(|error| postgres_error("asking for privileges", &error))?;
    if denied.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = tables
        .iter()
        .filter(|table| denied.contains(&table.oid))
        .map(CatalogTable::qualified_name)
        .collect();
    Err(Error::Setting {
        setting: "database.user",
        problem: format!(
            "user {user} may not read {}; run GRANT SELECT ON those tables TO {user}",
            names.join(", ")
        ),
    })
}
