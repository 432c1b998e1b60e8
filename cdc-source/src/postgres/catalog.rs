//! What the catalogue says of the captured tables.

use std::collections::HashMap;

use super::connection::{Connection, postgres_error};
use super::pgoutput::Relation;
use crate::Result;
use crate::config::TableFilter;
use crate::schema::{Column, ReplicaIdentity, Table};

/// A table with its OID.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogTable {
    /// `pg_class.oid`, which Relation messages use.
    pub oid: u32,
    /// Whether rows live in its partitions only.
    pub is_partitioned: bool,
    /// The table.
    pub table: Table,
}

impl CatalogTable {
    /// `schema.table`.
    pub fn qualified_name(&self) -> String {
        format!("{}.{}", self.table.schema, self.table.name)
    }
}

const TABLES: &str = "\
    SELECT c.oid, n.nspname, c.relname, c.relreplident::text, c.relkind = 'p', c.relispartition \
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
    WHERE c.relkind IN ('r', 'p') AND c.relpersistence = 'p' \
      AND n.nspname NOT IN ('pg_catalog', 'information_schema') \
    ORDER BY n.nspname, c.relname";

/// Generated columns are left out: pgoutput does not send them, so that a snapshot with them would
/// have another shape than the stream.
const COLUMNS: &str = "\
    SELECT a.attrelid, a.attname, a.atttypid, a.atttypmod, t.typname, a.attnotnull, \
           pg_get_expr(d.adbin, d.adrelid) \
    FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid \
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum \
    WHERE a.attrelid = ANY($1) AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' \
    ORDER BY a.attrelid, a.attnum";

/// Unique indexes, the primary key first, the others by name as Debezium's driver lists them
/// (`DatabaseMetaData#getIndexInfo`). One over expressions gives no key.
const KEYS: &str = "\
    SELECT i.indrelid, i.indexrelid, a.attname \
    FROM pg_index i \
    CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, position) \
    JOIN pg_class c ON c.oid = i.indexrelid \
    JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum \
    WHERE i.indrelid = ANY($1) AND i.indisunique AND i.indisvalid \
      AND i.indexprs IS NULL AND k.position <= i.indnkeyatts \
    ORDER BY i.indrelid, i.indisprimary DESC, c.relname, i.indexrelid, k.position";

/// The captured tables, ordered by schema and name. With `via_partition_root` a partitioned table
/// stands for its partitions, else they stand for it.
///
/// # Errors
/// When the catalogue cannot be read.
pub async fn captured_tables(
    connection: &Connection,
    filter: &TableFilter,
    via_partition_root: bool,
) -> Result<Vec<CatalogTable>> {
    let doing = "reading the catalogue";
    let rows = connection.client().query(TABLES, &[]).await;
    let rows = rows.map_err(|error| postgres_error(doing, &error))?;
    let mut tables = Vec::new();
    for row in rows {
        let get = |index| row.try_get::<_, String>(index);
        let flag = |index| row.try_get::<_, bool>(index);
        let read = || -> Result<_, tokio_postgres::Error> {
            Ok((
                row.try_get::<_, u32>(0)?,
                get(1)?,
                get(2)?,
                get(3)?,
                flag(4)?,
                flag(5)?,
            ))
        };
        let (oid, schema, name, identity, is_partitioned, is_partition) =
            read().map_err(|error| postgres_error(doing, &error))?;
        let is_represented = if via_partition_root {
            is_partition
        } else {
            is_partitioned
        };
        if is_represented || !filter.includes(&schema, &name) {
            continue;
        }
        tables.push(CatalogTable {
            oid,
            is_partitioned,
            table: Table {
                schema,
                name,
                columns: Vec::new(),
                key_columns: Vec::new(),
                replica_identity: replica_identity(&identity),
            },
        });
    }
    describe(connection, &mut tables).await?;
    Ok(tables)
}

/// The table of a Relation message: its columns as the message has them, with what only the
/// catalogue knows. A table that was dropped since is described as far as the message goes.
///
/// # Errors
/// When the catalogue cannot be read.
pub async fn table_of_relation(connection: &Connection, relation: &Relation) -> Result<Table> {
    let mut found = [CatalogTable {
        oid: relation.id,
        is_partitioned: false,
        table: Table {
            schema: relation.schema.clone(),
            name: relation.name.clone(),
            columns: Vec::new(),
            key_columns: Vec::new(),
            replica_identity: relation.replica_identity,
        },
    }];
    describe(connection, &mut found).await?;
    let [found] = found;
    Ok(merge(&found.table, relation))
}

/// Whether a table that is already described still fits a Relation message.
pub fn is_same_shape(table: &Table, relation: &Relation) -> bool {
    table.schema == relation.schema
        && table.name == relation.name
        && table.replica_identity == relation.replica_identity
        && table.columns.len() == relation.columns.len()
        && table
            .columns
            .iter()
            .zip(&relation.columns)
            .all(|(known, sent)| {
                known.name == sent.name
                    && known.type_oid == sent.type_oid
                    && known.type_modifier == sent.type_modifier
            })
}

fn merge(known: &Table, relation: &Relation) -> Table {
    let columns = relation.columns.iter().map(|sent| {
        let known = known.columns.iter().find(|column| column.name == sent.name);
        Column {
            name: sent.name.clone(),
            type_oid: sent.type_oid,
            type_modifier: sent.type_modifier,
            type_name: known
                .filter(|known| known.type_oid == sent.type_oid)
                .map(|known| known.type_name.clone())
                .unwrap_or_default(),
            nullable: known.map_or(!sent.is_identity, |known| known.nullable),
            default_expression: known.and_then(|known| known.default_expression.clone()),
        }
    });
    let position = |name: &str| {
        relation
            .columns
            .iter()
            .position(|column| column.name == name)
    };
    let known_key: Option<Vec<usize>> = known
        .key_columns
        .iter()
        .map(|index| {
            known
                .columns
                .get(*index)
                .and_then(|column| position(&column.name))
        })
        .collect();
    let is_key_sent = relation.replica_identity != ReplicaIdentity::Full;
    let sent_key = || {
        let columns = relation.columns.iter().enumerate();
        columns
            .filter(|(_, column)| is_key_sent && column.is_identity)
            .map(|(i, _)| i)
            .collect()
    };
    Table {
        schema: relation.schema.clone(),
        name: relation.name.clone(),
        columns: columns.collect(),
        key_columns: known_key
            .filter(|key| !key.is_empty())
            .unwrap_or_else(sent_key),
        replica_identity: relation.replica_identity,
    }
}

fn replica_identity(code: &str) -> ReplicaIdentity {
    match code {
        "f" => ReplicaIdentity::Full,
        "n" => ReplicaIdentity::Nothing,
        "i" => ReplicaIdentity::Index,
        _ => ReplicaIdentity::Default,
    }
}

/// Fills in the columns and the keys.
async fn describe(connection: &Connection, tables: &mut [CatalogTable]) -> Result<()> {
    let failed = |error| postgres_error("reading the catalogue", &error);
    let oids: Vec<u32> = tables.iter().map(|table| table.oid).collect();
    let position: HashMap<u32, usize> = oids.iter().enumerate().map(|(i, oid)| (*oid, i)).collect();

    for row in connection
        .client()
        .query(COLUMNS, &[&oids])
        .await
        .map_err(failed)?
    {
        let read = || -> Result<_, tokio_postgres::Error> {
            let column = Column {
                name: row.try_get(1)?,
                type_oid: row.try_get(2)?,
                type_modifier: row.try_get(3)?,
                type_name: row.try_get(4)?,
                nullable: !row.try_get::<_, bool>(5)?,
                default_expression: row.try_get(6)?,
            };
            Ok((row.try_get::<_, u32>(0)?, column))
        };
        let (oid, column) = read().map_err(failed)?;
        if let Some(found) = position.get(&oid).and_then(|index| tables.get_mut(*index)) {
            found.table.columns.push(column);
        }
    }

    let mut indexes: Vec<UniqueIndex> = Vec::new();
    for row in connection
        .client()
        .query(KEYS, &[&oids])
        .await
        .map_err(failed)?
    {
        let read = || -> Result<_, tokio_postgres::Error> {
            let ids = (row.try_get::<_, u32>(0)?, row.try_get::<_, u32>(1)?);
            Ok((ids, row.try_get::<_, String>(2)?))
        };
        let ((table, index), column) = read().map_err(failed)?;
        match indexes.last_mut() {
            Some(last) if last.index == index => last.columns.push(column),
            _ => indexes.push(UniqueIndex {
                table,
                index,
                columns: vec![column],
            }),
        }
    }
    for index in indexes {
        if let Some(found) = position
            .get(&index.table)
            .and_then(|at| tables.get_mut(*at))
        {
            index.apply(&mut found.table);
        }
    }
    Ok(())
}

struct UniqueIndex {
    table: u32,
    index: u32,
    columns: Vec<String>,
}

impl UniqueIndex {
    /// Indexes come with the primary key first; the first that fits is the table's key.
    fn apply(self, table: &mut Table) {
        if !table.key_columns.is_empty() {
            return;
        }
        let find = |name: &String| table.columns.iter().position(|column| column.name == *name);
        let key: Option<Vec<usize>> = self.columns.iter().map(find).collect();
        if let Some(key) = key {
            table.key_columns = key;
        }
    }
}

#[cfg(test)]
#[path = "catalog_test.rs"]
mod tests;
