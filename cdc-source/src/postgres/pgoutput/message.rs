//! What a message says, apart from the cells of its rows.

use crate::schema::ReplicaIdentity;

/// One message of the stream. The rows themselves are left in the decoder's buffers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// The shape of a table; sent before its first change and whenever it changed.
    Relation(Relation),
    /// A row was inserted.
    Insert {
        /// The table's OID.
        relation_id: u32,
    },
    /// A row was updated.
    Update {
        /// The table's OID.
        relation_id: u32,
        /// What is known of the row as it was.
        old: OldRow,
    },
    /// A row was deleted.
    Delete {
        /// The table's OID.
        relation_id: u32,
        /// What is known of the row as it was.
        old: OldRow,
    },
    /// Tables were truncated.
    Truncate {
        /// The tables' OIDs.
        relation_ids: Vec<u32>,
    },
    /// The transaction came from a replication origin.
    Origin(Origin),
    /// A message without a meaning for us: the description of a data type, or one of a later
    /// protocol version.
    Other(u8),
}

/// What pgoutput sent of a row as it was before the change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OldRow {
    /// Nothing: an update that left the key alone.
    None,
    /// The columns of the replica identity (`K`), the others null.
    Key,
    /// The whole row (`O`, with `REPLICA IDENTITY FULL`).
    Full,
}

/// Where a transaction was first committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The origin's name.
    pub name: String,
    /// The transaction's commit LSN at the origin.
    pub commit_lsn: u64,
}

/// A table's shape as a Relation message gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relation {
    /// The table's OID.
    pub id: u32,
    /// The schema that holds it.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// What it logs of old rows.
    pub replica_identity: ReplicaIdentity,
    /// The published columns in the order of the cells.
    pub columns: Vec<RelationColumn>,
}

/// A column of a [`Relation`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelationColumn {
    /// Whether the column belongs to the replica identity.
    pub is_identity: bool,
    /// Its name.
    pub name: String,
    /// OID of its type.
    pub type_oid: u32,
    /// Its type modifier, −1 for none.
    pub type_modifier: i32,
}
