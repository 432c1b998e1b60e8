//! The publication: which tables the server puts into the stream.

use std::collections::BTreeSet;

use super::catalog::CatalogTable;
use super::connection::{Connection, postgres_error, quote_identifier};
use crate::config::{PublicationAutocreate, PublicationConfig};
use crate::{Error, Result};

/// Makes sure that the publication exists, as `publication.autocreate.mode` says.
///
/// # Errors
/// [`Error::Setting`] when it is missing and may not be created, or holds other tables than it
/// has to.
pub async fn ensure(
    connection: &Connection,
    config: &PublicationConfig,
    user: &str,
    tables: &[CatalogTable],
) -> Result<()> {
    let name = quote_identifier(&config.name);
    let existing = find(connection, &config.name).await?;
    let statement = match (config.autocreate, existing) {
        (PublicationAutocreate::Filtered, existing) => {
            filtered(connection, config, existing, tables).await?
        }
        (_, Some(_)) => None,
        (PublicationAutocreate::AllTables, None) => {
            Some(format!("CREATE PUBLICATION {name} FOR ALL TABLES"))
        }
        (PublicationAutocreate::NoTables, None) => Some(format!("CREATE PUBLICATION {name}")),
        (PublicationAutocreate::Disabled, None) => {
            return Err(Error::Setting {
                setting: "publication.name",
                problem: format!(
                    "publication {} does not exist and publication.autocreate.mode is disabled; \
                     create it or set the mode to filtered",
                    config.name
                ),
            });
        }
    };
    let Some(mut statement) = statement else {
        return Ok(());
    };
    if config.via_partition_root && statement.starts_with("CREATE") {
        statement.push_str(" WITH (publish_via_partition_root = true)");
    }
    let doing = format!("creating publication {}", config.name);
    match connection.client().batch_execute(&statement).await {
        Ok(()) => {
            tracing::info!(publication = config.name, "publication is set up");
            Ok(())
        }
        Err(error) if error.code().is_some_and(|code| code.code() == "42501") => {
            Err(Error::Setting {
                setting: "publication.name",
                problem: format!(
                    "user {user} may not create publication {}: {}; let an administrator create \
                     it, or set publication.autocreate.mode to filtered or disabled",
                    config.name,
                    error
                        .as_db_error()
                        .map_or("no privilege", |error| error.message())
                ),
            })
        }
        Err(error) => Err(postgres_error(&doing, &error)),
    }
}

/// Whether the publication exists, and whether it is for all tables.
async fn find(connection: &Connection, name: &str) -> Result<Option<bool>> {
    let sql = "SELECT puballtables FROM pg_publication WHERE pubname = $1";
    let row = connection.client().query_opt(sql, &[&name]).await;
    row.and_then(|row| row.map(|row| row.try_get(0)).transpose())
        .map_err(|error| postgres_error("looking up the publication", &error))
}

async fn filtered(
    connection: &Connection,
    config: &PublicationConfig,
    existing: Option<bool>,
    tables: &[CatalogTable],
) -> Result<Option<String>> {
    let refused = |problem| Error::Setting {
        setting: "publication.name",
        problem,
    };
    if existing == Some(true) {
        return Err(refused(format!(
            "publication {} is for all tables, and publication.autocreate.mode filtered needs one \
             that lists its tables; drop it or name another one",
            config.name
        )));
    }
    if tables.is_empty() {
        return Err(refused(
            "no table is captured, so there is nothing to publish".into(),
        ));
    }
    let quoted = |schema: &str, table: &str| {
        format!("{}.{}", quote_identifier(schema), quote_identifier(table))
    };
    let wanted: BTreeSet<String> = tables
        .iter()
        .map(|found| quoted(&found.table.schema, &found.table.name))
        .collect();
    let list = wanted.iter().cloned().collect::<Vec<_>>().join(", ");
    let name = quote_identifier(&config.name);
    if existing.is_none() {
        return Ok(Some(format!("CREATE PUBLICATION {name} FOR TABLE {list}")));
    }
    let sql = "SELECT schemaname, tablename FROM pg_publication_tables WHERE pubname = $1";
    let rows = connection.client().query(sql, &[&config.name]).await;
    let published: Result<BTreeSet<String>, _> = rows.and_then(|rows| {
        let read = |row: &tokio_postgres::Row| {
            Ok(quoted(
                row.try_get::<_, &str>(0)?,
                row.try_get::<_, &str>(1)?,
            ))
        };
        rows.iter().map(read).collect()
    });
    let published =
        published.map_err(|error| postgres_error("looking up the published tables", &error))?;
    Ok((published != wanted).then(|| format!("ALTER PUBLICATION {name} SET TABLE {list}")))
}
