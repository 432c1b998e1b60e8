//! The tables of the stream: for each relation its shape and its encoder, made once.

use std::collections::{BTreeMap, HashMap};

use crate::Result;
use crate::config::TableFilter;
use crate::envelope::{EnvelopeEncoder, TableEncoder};
use crate::postgres::Connection;
use crate::postgres::catalog::{self, CatalogTable};
use crate::postgres::pgoutput::Relation;
use crate::schema::Table;

/// What the stream does with the changes of a relation.
pub(super) enum CachedTable {
    /// Nothing: the table is not captured.
    Excluded,
    /// It writes them.
    Captured(Box<CapturedTable>),
}

/// A captured table.
pub(super) struct CapturedTable {
    pub(super) encoder: TableEncoder,
    /// What committed before this LSN is in the rows of the snapshot already; 0 without one.
    pub(super) snapshot_lsn: u64,
}

/// The relations that the stream has described.
pub(super) struct TableCache {
    filter: TableFilter,
    known: HashMap<u32, Table>,
    snapshot: BTreeMap<String, u64>,
    /// Looked up for each change: a tree of a few numbers is quicker than a hash of one.
    tables: BTreeMap<u32, CachedTable>,
}

impl TableCache {
    /// `known` spares asking the catalogue for tables that have not changed since; `snapshot` has
    /// the consistent point of every table that a snapshot read.
    pub(super) fn new(
        filter: TableFilter,
        known: &[CatalogTable],
        snapshot: BTreeMap<String, u64>,
    ) -> Self {
        let known = known
            .iter()
            .map(|table| (table.oid, table.table.clone()))
            .collect();
        Self {
            filter,
            known,
            snapshot,
            tables: BTreeMap::new(),
        }
    }

    /// The table with this OID, if its relation was described.
    pub(super) fn get_mut(&mut self, relation_id: u32) -> Option<&mut CachedTable> {
        self.tables.get_mut(&relation_id)
    }

    /// Takes in a Relation message. The catalogue is asked only if the shape is new.
    pub(super) async fn describe(
        &mut self,
        relation: &Relation,
        encoders: &EnvelopeEncoder,
        connection: &Connection,
    ) -> Result<()> {
        if !self.filter.includes(&relation.schema, &relation.name) {
            self.tables.insert(relation.id, CachedTable::Excluded);
            return Ok(());
        }
        let known = self.known.get(&relation.id);
        let is_known = known.is_some_and(|known| catalog::is_same_shape(known, relation));
        if !is_known {
            let table = catalog::table_of_relation(connection, relation).await?;
            let table_name = format!("{}.{}", table.schema, table.name);
            tracing::info!(table = table_name, "table has a new shape");
            self.known.insert(relation.id, table);
        } else if self.tables.contains_key(&relation.id) {
            return Ok(());
        }
        if let Some(table) = self.known.get(&relation.id) {
            let captured = self.captured(table, encoders)?;
            self.tables.insert(relation.id, captured);
        }
        Ok(())
    }

    /// Takes in a table as it is, for tests without a database.
    #[cfg(test)]
    pub(super) fn insert(&mut self, id: u32, table: &Table, encoders: &EnvelopeEncoder) {
        let captured = self.captured(table, encoders).expect("an encoder");
        self.tables.insert(id, captured);
    }

    /// Takes in a table that is not captured, for tests without a database.
    #[cfg(test)]
    pub(super) fn exclude(&mut self, id: u32) {
        self.tables.insert(id, CachedTable::Excluded);
    }

    fn captured(&self, table: &Table, encoders: &EnvelopeEncoder) -> Result<CachedTable> {
        let name = format!("{}.{}", table.schema, table.name);
        Ok(CachedTable::Captured(Box::new(CapturedTable {
            encoder: encoders.table(table)?,
            snapshot_lsn: self.snapshot.get(&name).copied().unwrap_or_default(),
        })))
    }
}
