//! What tables ask of the tables that they come from, while a program is written down.
//!
//! A table from a topic has a store only if something needs it, and an aggregate sends the value
//! that it replaces only if something needs that. Each operator asks for both as it is made, as in
//! the JVM: what is asked later does not change what an earlier operator decided
//! (`KTableImpl.enableSendingOldValues`, `KTableSource.materialize`).

use crate::plan::node::PlanId;
use crate::plan::{Lowering, Plan};

/// What is known of the table whose changes a node sends.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    /// Whether the node has a store of its own.
    pub(crate) is_materialized: bool,
    /// Whether its changes carry the values that they replace.
    pub(crate) sends_old_values: bool,
    origin: Origin,
}

/// Where a table's values, and the ones that they replace, come from.
#[derive(Debug, Clone)]
enum Origin {
    /// A topic: what is replaced is known once there is a store.
    Source,
    /// The node's own store.
    Store,
    /// Other tables; whether they are to have stores even if the asking operator does not insist.
    Tables(Vec<PlanId>, bool),
}

impl Table {
    /// A table from a topic or a stream (`KTableSource`).
    pub(crate) fn of_source(is_materialized: bool) -> Self {
        Self::new(Origin::Source, is_materialized)
    }

    /// A table that is always in a store: an aggregate, or an operator with a named store.
    pub(crate) fn of_store() -> Self {
        Self::new(Origin::Store, true)
    }

    /// A table without a store, made of another as it is asked for.
    pub(crate) fn of_table(parent: PlanId) -> Self {
        Self::new(Origin::Tables(vec![parent], false), false)
    }

    /// A table made of several, which always give their old values when asked
    /// (`KTableKTableJoinMerger`, `KTablePassThrough`).
    pub(crate) fn of_tables(parents: Vec<PlanId>) -> Self {
        Self::new(Origin::Tables(parents, true), false)
    }

    /// The same table, with a store of its own or without.
    pub(crate) fn with_store(mut self, is_materialized: bool) -> Self {
        self.is_materialized = is_materialized;
        self
    }

    fn new(origin: Origin, is_materialized: bool) -> Self {
        Self {
            is_materialized,
            sends_old_values: false,
            origin,
        }
    }
}

impl Plan {
    /// Asks a table to send the values that its changes replace. A table from a topic that has no
    /// store refuses, unless `force` makes it have one. Whether it will send them.
    pub(crate) fn enable_sending_old_values(&mut self, table: PlanId, force: bool) -> bool {
        let Some(known) = self.table(table) else {
            return false;
        };
        if known.sends_old_values {
            return true;
        }
        match known.origin.clone() {
            Origin::Source if !force && !known.is_materialized => return false,
            Origin::Source | Origin::Store => {}
            // Its own store tells.
            Origin::Tables(..) if known.is_materialized => {}
            Origin::Tables(parents, forces) => {
                let mut parents = parents.into_iter();
                if !parents.all(|parent| self.enable_sending_old_values(parent, force || forces)) {
                    return false;
                }
            }
        }
        if let Some(known) = self.table_mut(table) {
            known.sends_old_values = true;
            known.is_materialized |= matches!(known.origin, Origin::Source);
        }
        true
    }

    /// Lets a table send the values that its changes replace if its parent will, without a store
    /// for that alone: what a filter asks, so as not to delete what was never there (the
    /// constructor of `KTableFilter`).
    pub(crate) fn send_old_values_if_sent(&mut self, table: PlanId, parent: PlanId) {
        let sends = self.enable_sending_old_values(parent, false);
        if let Some(known) = self.table_mut(table) {
            known.sends_old_values |= sends;
        }
    }

    /// Makes the values of a table readable: gives the tables from topics that it comes from their
    /// stores (`KTableImpl.valueGetterSupplier`).
    pub(crate) fn make_readable(&mut self, table: PlanId) {
        let Some(known) = self.table_mut(table) else {
            return;
        };
        match &known.origin {
            Origin::Source => known.is_materialized = true,
            Origin::Tables(parents, _) if !known.is_materialized => {
                for parent in parents.clone() {
                    self.make_readable(parent);
                }
            }
            Origin::Store | Origin::Tables(..) => {}
        }
    }

    /// What is known of the table whose changes a node sends.
    pub(crate) fn table(&self, node: PlanId) -> Option<&Table> {
        self.nodes.get(node.0)?.table.as_ref()
    }

    fn table_mut(&mut self, node: PlanId) -> Option<&mut Table> {
        self.nodes.get_mut(node.0)?.table.as_mut()
    }
}

impl Lowering<'_> {
    /// Whether the node's table has a store.
    pub(crate) fn is_materialized(&self) -> bool {
        self.table().is_some_and(|table| table.is_materialized)
    }

    /// Whether the node's changes carry the values that they replace.
    pub(crate) fn sends_old_values(&self) -> bool {
        self.table().is_some_and(|table| table.sends_old_values)
    }

    fn table(&self) -> Option<&Table> {
        self.definition()?.table.as_ref()
    }
}
