//! A table as the catalogue and the Relation messages describe it.

/// A captured table. Plain data: it is filled from `pg_catalog` and from Relation messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// The schema (namespace) that holds the table.
    pub schema: String,
    /// The table's name, without its schema.
    pub name: String,
    /// The columns in the order of their values in a change's cells.
    pub columns: Vec<Column>,
    /// Indexes into `columns`, in key order: the primary key, else the first unique index by name
    /// that is over columns and not expressions, else empty. As in Debezium
    /// (`JdbcConnection#readTableUniqueIndices`), such an index may be partial and its columns may
    /// be null.
    pub key_columns: Vec<usize>,
    /// What Postgres logs of the old row.
    pub replica_identity: ReplicaIdentity,
}

/// A column of a captured table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// The column's name.
    pub name: String,
    /// OID of its type (`pg_attribute.atttypid`), of the base type for a domain.
    pub type_oid: u32,
    /// Type modifier (`pg_attribute.atttypmod`), −1 when the type carries none; for a domain the
    /// domain's (`pg_type.typtypmod`).
    pub type_modifier: i32,
    /// The type's name as in `pg_type.typname`; used in messages and for types without a fixed OID.
    pub type_name: String,
    /// True unless the column is declared NOT NULL.
    pub nullable: bool,
    /// The default's text as `pg_get_expr` gives it, if the column has a default.
    pub default_expression: Option<String>,
}

/// A table's `REPLICA IDENTITY`, which decides what an update or a delete logs of the old row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReplicaIdentity {
    /// The primary key's columns.
    #[default]
    Default,
    /// The whole row.
    Full,
    /// Nothing: updates and deletes cannot be told apart by key.
    Nothing,
    /// The columns of one index.
    Index,
}
