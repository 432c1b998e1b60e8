//! Tables joined with tables by key.

use std::sync::Arc;

use streams_core::store::{StoreAccess, ValueAndTimestamp};
use streams_core::topology::NodeHandle;
use streams_core::{Error, Result};

use crate::operator::{Change, TableJoin, TableJoining, TableMerge};
use crate::option::Materialized;
use crate::plan::{Lowering, Names, Naming, Node, OperatorId, Table, part};
use crate::table::{
    AskedStore, Getter, KTable, StoreDefinition, TableValues, Values, ValuesSupplier, find_results,
};

/// The part that joins changes of the left table.
const THIS: &str = "join-this";
/// The part that joins changes of the right table.
const OTHER: &str = "join-other";

/// Which rows a join keeps without a partner.
#[derive(Debug, Clone, Copy)]
struct Kept {
    left: bool,
    right: bool,
}

const INNER: Kept = Kept {
    left: false,
    right: false,
};
const LEFT: Kept = Kept {
    left: true,
    right: false,
};
const OUTER: Kept = Kept {
    left: true,
    right: true,
};

/// Joins the rows of both tables, as far as the join has a result.
trait JoinRows<V, V2, VO>: Fn(Option<&V>, Option<&V2>) -> Option<VO> + Send + Sync + 'static {}

impl<V, V2, VO, F> JoinRows<V, V2, VO> for F where
    F: Fn(Option<&V>, Option<&V2>) -> Option<VO> + Send + Sync + 'static
{
}

impl<K: 'static, V: 'static> KTable<K, V> {
    /// Joins the rows of two tables that have the same key; a change of either changes the result.
    ///
    /// Both tables' topics must have the same number of partitions, and both tables are kept in
    /// stores.
    ///
    /// ```
    /// # use streams_dsl::{StreamsBuilder, Topic, TopologyTestDriver, serde::{Nullable, Utf8}};
    /// # let names = Topic::<String, String>::new("names", Utf8, Utf8);
    /// # let towns = Topic::<String, String>::new("towns", Utf8, Utf8);
    /// # let out = Topic::<String, Option<String>>::new("out", Utf8, Nullable(Utf8));
    /// # let builder = StreamsBuilder::new();
    /// let people = builder.table(&names);
    /// let people = people.join(builder.table(&towns), |name, town| format!("{name} of {town}"));
    /// people.to_stream().to(&out);
    /// # let mut driver = TopologyTestDriver::new(&builder.build()?)?;
    /// driver.pipe(&names, &"1".into(), &"ada".into(), 0)?;
    /// driver.pipe(&towns, &"1".into(), &"london".into(), 1)?;
    /// assert_eq!(driver.read_all(&out), [("1".into(), Some("ada of london".into()))]);
    /// # Ok::<(), streams_dsl::Error>(())
    /// ```
    ///
    /// Tables of different keys cannot be joined:
    ///
    /// ```compile_fail,E0308
    /// # use streams_dsl::{StreamsBuilder, Topic, serde::{I64, Utf8}};
    /// # let builder = StreamsBuilder::new();
    /// let names = builder.table(&Topic::<String, String>::new("names", Utf8, Utf8));
    /// let stock = builder.table(&Topic::<i64, String>::new("stock", I64, Utf8));
    /// names.join(stock, |name, stock| format!("{name}{stock}"));
    /// ```
    pub fn join<V2, VO, F>(self, other: KTable<K, V2>, join: F) -> KTable<K, VO>
    where
        F: Fn(&V, &V2) -> VO + Send + Sync + 'static,
        V2: 'static,
        VO: 'static,
    {
        self.join_or_delete(other, move |left, right| Some(join(left, right)))
    }

    /// As [`KTable::join`], where `None` deletes the row.
    pub fn join_or_delete<V2, VO, F>(self, other: KTable<K, V2>, join: F) -> KTable<K, VO>
    where
        F: Fn(&V, &V2) -> Option<VO> + Send + Sync + 'static,
        V2: 'static,
        VO: 'static,
    {
        let join = move |left: Option<&V>, right: Option<&V2>| join(left?, right?);
        self.joined(other, INNER, None, join)
    }

    /// As [`KTable::join_or_delete`], with the result in a store of its own.
    pub fn join_as<V2, VO, F>(
        self,
        other: KTable<K, V2>,
        join: F,
        materialized: impl Into<Materialized<K, VO>>,
    ) -> KTable<K, VO>
    where
        F: Fn(&V, &V2) -> Option<VO> + Send + Sync + 'static,
        V2: 'static,
        VO: 'static,
    {
        let join = move |left: Option<&V>, right: Option<&V2>| join(left?, right?);
        self.joined(other, INNER, Some(materialized.into()), join)
    }

    /// As [`KTable::join`], where a row of this table without a partner is joined with `None`.
    ///
    /// ```
    /// # use streams_dsl::{StreamsBuilder, Topic, TopologyTestDriver, serde::{Nullable, Utf8}};
    /// # let names = Topic::<String, String>::new("names", Utf8, Utf8);
    /// # let towns = Topic::<String, String>::new("towns", Utf8, Utf8);
    /// # let out = Topic::<String, Option<bool>>::new("out", Utf8, Nullable(streams_dsl::serde::Bool));
    /// # let builder = StreamsBuilder::new();
    /// let people = builder.table(&names);
    /// let housed = people.left_join(builder.table(&towns), |_, town| town.is_some());
    /// housed.to_stream().to(&out);
    /// # let mut driver = TopologyTestDriver::new(&builder.build()?)?;
    /// driver.pipe(&names, &"1".into(), &"ada".into(), 0)?;
    /// driver.pipe(&towns, &"1".into(), &"london".into(), 1)?;
    /// assert_eq!(driver.read(&out), Some(("1".into(), Some(false))));
    /// assert_eq!(driver.read(&out), Some(("1".into(), Some(true))));
    /// # Ok::<(), streams_dsl::Error>(())
    /// ```
    pub fn left_join<V2, VO, F>(self, other: KTable<K, V2>, join: F) -> KTable<K, VO>
    where
        F: Fn(&V, Option<&V2>) -> VO + Send + Sync + 'static,
        V2: 'static,
        VO: 'static,
    {
        let join = move |left: Option<&V>, right: Option<&V2>| Some(join(left?, right));
        self.joined(other, LEFT, None, join)
    }

    /// As [`KTable::left_join`], with the result in a store of its own; `None` deletes the row.
    pub fn left_join_as<V2, VO, F>(
        self,
        other: KTable<K, V2>,
        join: F,
        materialized: impl Into<Materialized<K, VO>>,
    ) -> KTable<K, VO>
    where
        F: Fn(&V, Option<&V2>) -> Option<VO> + Send + Sync + 'static,
        V2: 'static,
        VO: 'static,
    {
        let join = move |left: Option<&V>, right: Option<&V2>| join(left?, right);
        self.joined(other, LEFT, Some(materialized.into()), join)
    }

    /// As [`KTable::join`], where a row of either table without a partner is joined with `None`;
    /// one of both is always there.
    ///
    /// ```
    /// # use streams_dsl::{StreamsBuilder, Topic, TopologyTestDriver};
    /// # use streams_dsl::serde::{I64, Nullable, Utf8};
    /// # let shop = Topic::<String, i64>::new("shop", Utf8, I64);
    /// # let store = Topic::<String, i64>::new("store", Utf8, I64);
    /// # let out = Topic::<String, Option<i64>>::new("out", Utf8, Nullable(I64));
    /// # let builder = StreamsBuilder::new();
    /// let pieces = builder.table(&shop).outer_join(builder.table(&store), |shop, store| {
    ///     shop.unwrap_or(&0) + store.unwrap_or(&0)
    /// });
    /// pieces.to_stream().to(&out);
    /// # let mut driver = TopologyTestDriver::new(&builder.build()?)?;
    /// driver.pipe(&store, &"ash".into(), &7, 0)?;
    /// driver.pipe(&shop, &"ash".into(), &2, 1)?;
    /// assert_eq!(driver.read(&out), Some(("ash".into(), Some(7))));
    /// assert_eq!(driver.read(&out), Some(("ash".into(), Some(9))));
    /// # Ok::<(), streams_dsl::Error>(())
    /// ```
    pub fn outer_join<V2, VO, F>(self, other: KTable<K, V2>, join: F) -> KTable<K, VO>
    where
        F: Fn(Option<&V>, Option<&V2>) -> VO + Send + Sync + 'static,
        V2: 'static,
        VO: 'static,
    {
        self.joined(
            other,
            OUTER,
            None,
            any_of(move |left, right| Some(join(left, right))),
        )
    }

    /// As [`KTable::outer_join`], with the result in a store of its own; `None` deletes the row.
    pub fn outer_join_as<V2, VO, F>(
        self,
        other: KTable<K, V2>,
        join: F,
        materialized: impl Into<Materialized<K, VO>>,
    ) -> KTable<K, VO>
    where
        F: Fn(Option<&V>, Option<&V2>) -> Option<VO> + Send + Sync + 'static,
        V2: 'static,
        VO: 'static,
    {
        self.joined(other, OUTER, Some(materialized.into()), any_of(join))
    }

    fn joined<V2, VO>(
        self,
        other: KTable<K, V2>,
        kept: Kept,
        store: Option<Materialized<K, VO>>,
        join: impl JoinRows<V, V2, VO>,
    ) -> KTable<K, VO>
    where
        V2: 'static,
        VO: 'static,
    {
        let is_kept = store.is_some();
        let naming = naming(store.as_ref().map(AskedStore::of));
        let materialized = store.unwrap_or_default();
        let is_versioned = materialized.is_versioned();
        let definition = StoreDefinition::new(materialized, self.key.clone(), None);
        let (key, value) = (definition.key.clone(), definition.value.clone());
        let getters = (Arc::clone(&self.getter), Arc::clone(&other.getter));
        let join = Arc::new(join);
        let parts = Joining {
            kept,
            getters: getters.clone(),
            join: Arc::clone(&join),
            store: is_kept.then_some(definition),
        };
        let parents = vec![self.node, other.node];
        let mut plan = self.builder.plan();
        if !self.builder.is(&other.builder) {
            plan.add_mistake("tables of different builders cannot be joined".to_owned());
        }
        let operator = plan.name(naming);
        if kept.left {
            plan.enable_sending_old_values(self.node, true);
        }
        if kept.right {
            plan.enable_sending_old_values(other.node, true);
        }
        plan.make_readable(self.node);
        plan.make_readable(other.node);
        let node = plan.add(parts.into_node(operator, parents, is_versioned));
        drop(plan);
        let getter: Getter<K, VO> = Arc::new(move |lowering| {
            if is_kept {
                let store = lowering.part_of(node, part::STORE)?;
                return Ok(ValuesSupplier::of_store(store, is_versioned));
            }
            joined_values(lowering, &getters, &join)
        });
        KTable {
            builder: self.builder,
            node,
            key,
            value,
            getter,
        }
    }
}

/// The result of `join`, if one of both is there.
fn any_of<V, V2, VO>(
    join: impl Fn(Option<&V>, Option<&V2>) -> Option<VO> + Send + Sync + 'static,
) -> impl JoinRows<V, V2, VO> {
    move |left: Option<&V>, right: Option<&V2>| {
        let is_there = left.is_some() || right.is_some();
        is_there.then(|| join(left, right)).flatten()
    }
}

/// The store has its number first, if there is one.
fn naming(store: Option<AskedStore>) -> Naming {
    Naming::Script(Box::new(move |namer, given| {
        const MERGE: &str = "KTABLE-MERGE-";
        let store = store
            .as_ref()
            .map(|asked| namer.store_or(asked.name.as_ref(), MERGE));
        let names = Names::of_node(namer.given_or(given, MERGE))
            .with(
                THIS,
                namer.suffixed_or(given, "-join-this", "KTABLE-JOINTHIS-"),
            )
            .with(
                OTHER,
                namer.suffixed_or(given, "-join-other", "KTABLE-JOINOTHER-"),
            );
        match store {
            Some(store) => names.with(part::STORE, store),
            None => names,
        }
    }))
}

type Getters<K, V, V2> = (Getter<K, V>, Getter<K, V2>);

/// A join of tables that is to become nodes.
struct Joining<K, V, V2, VO, F> {
    kept: Kept,
    getters: Getters<K, V, V2>,
    join: Arc<F>,
    store: Option<StoreDefinition<K, VO>>,
}

impl<K, V, V2, VO, F> Joining<K, V, V2, VO, F>
where
    K: 'static,
    V: 'static,
    V2: 'static,
    VO: 'static,
    F: JoinRows<V, V2, VO>,
{
    fn into_node(
        self,
        operator: OperatorId,
        parents: Vec<crate::plan::PlanId>,
        is_versioned: bool,
    ) -> Node {
        let table = Table::of_tables(parents.clone()).with_store(self.store.is_some());
        Node::of_part(operator.node(), parents, move |lowering| {
            self.lower(lowering, is_versioned)
        })
        .with_table(table)
        .with_output_versioned(is_versioned)
    }

    fn lower(&self, lowering: &mut Lowering<'_>, is_versioned: bool) -> Result<()> {
        lowering.copartition_with(&[]);
        let sides = [self.add_this(lowering)?, self.add_other(lowering)?];
        let store = match &self.store {
            None => None,
            Some(definition) => {
                let name = lowering.part(part::STORE)?;
                let store = definition.key_value(lowering, &name)?;
                lowering.topology().add_state_store(store)?;
                Some(name)
            }
        };
        let stores = Vec::from_iter(store.clone());
        let sends_old_values = lowering.sends_old_values();
        let supplier = move |access: &StoreAccess<'_>| {
            let results = find_results(access, store.as_ref(), is_versioned, sends_old_values)?;
            Ok::<_, Error>(TableMerge::<K, VO>::new(sends_old_values, results))
        };
        let name = lowering.name();
        let topology = lowering.topology();
        let handle = topology.add_stateful_processor(name, supplier, &sides, &stores)?;
        lowering.set_handle::<K, Change<VO>>(handle);
        Ok(())
    }

    /// Adds what joins changes of the left table with rows of the right one.
    fn add_this(&self, lowering: &mut Lowering<'_>) -> Result<NodeHandle<K, Change<VO>>> {
        let joining = TableJoining {
            needs_other: !self.kept.left,
            sends_old_values: lowering.sends_old_values(),
            is_versioned: lowering.is_parent_versioned(0),
        };
        let (rows, join) = ((self.getters.1)(lowering)?, Arc::clone(&self.join));
        let stores = rows.stores.clone();
        let supplier = move |access: &StoreAccess<'_>| {
            let (rows, join) = (rows.make(access)?, Arc::clone(&join));
            let join = move |new: Option<&V>, other: Option<&V2>| join(new, other);
            Ok(TableJoin::new(move |key: &K| rows.get(key), join, joining))
        };
        let (name, parent) = (lowering.part(THIS)?, lowering.parent::<K, Change<V>>(0)?);
        let topology = lowering.topology();
        topology.add_stateful_processor(&name, supplier, &[parent], &stores)
    }

    /// Adds what joins changes of the right table with rows of the left one.
    fn add_other(&self, lowering: &mut Lowering<'_>) -> Result<NodeHandle<K, Change<VO>>> {
        let joining = TableJoining {
            needs_other: !self.kept.right,
            sends_old_values: lowering.sends_old_values(),
            is_versioned: lowering.is_parent_versioned(1),
        };
        let (rows, join) = ((self.getters.0)(lowering)?, Arc::clone(&self.join));
        let stores = rows.stores.clone();
        let supplier = move |access: &StoreAccess<'_>| {
            let (rows, join) = (rows.make(access)?, Arc::clone(&join));
            let join = move |new: Option<&V2>, other: Option<&V>| join(other, new);
            Ok(TableJoin::new(move |key: &K| rows.get(key), join, joining))
        };
        let (name, parent) = (lowering.part(OTHER)?, lowering.parent::<K, Change<V2>>(1)?);
        let topology = lowering.topology();
        topology.add_stateful_processor(&name, supplier, &[parent], &stores)
    }
}

/// The rows of both tables, joined as they are read.
struct JoinedValues<K, V, V2, F> {
    left: Values<K, V>,
    right: Values<K, V2>,
    join: Arc<F>,
}

fn joined_values<K, V, V2, VO, F>(
    lowering: &Lowering<'_>,
    getters: &Getters<K, V, V2>,
    join: &Arc<F>,
) -> Result<ValuesSupplier<K, VO>>
where
    K: 'static,
    V: 'static,
    V2: 'static,
    VO: 'static,
    F: JoinRows<V, V2, VO>,
{
    let (left, right) = ((getters.0)(lowering)?, (getters.1)(lowering)?);
    let mut stores = left.stores.clone();
    let others = right.stores.iter();
    stores.extend(others.filter(|store| !left.stores.contains(store)).cloned());
    let join = Arc::clone(join);
    Ok(ValuesSupplier::new(stores, move |access| {
        let values = JoinedValues {
            left: left.make(access)?,
            right: right.make(access)?,
            join: Arc::clone(&join),
        };
        Ok(Box::new(values) as Box<dyn TableValues<K, VO>>)
    }))
}

impl<K, V, V2, VO, F> TableValues<K, VO> for JoinedValues<K, V, V2, F>
where
    F: Fn(Option<&V>, Option<&V2>) -> Option<VO>,
{
    fn get(&self, key: &K) -> Result<Option<ValueAndTimestamp<VO>>> {
        let (left, right) = (self.left.get(key)?, self.right.get(key)?);
        let times = [
            left.as_ref().map(|row| row.timestamp_ms),
            right.as_ref().map(|row| row.timestamp_ms),
        ];
        let left = left.as_ref().map(|row| &row.value);
        let joined = (self.join)(left, right.as_ref().map(|row| &row.value));
        let timestamp_ms = times.into_iter().flatten().max();
        Ok(joined
            .zip(timestamp_ms)
            .map(|(value, timestamp_ms)| ValueAndTimestamp::new(value, timestamp_ms)))
    }

    fn get_as_of(&self, key: &K, _: i64) -> Result<Option<ValueAndTimestamp<VO>>> {
        self.get(key)
    }

    fn is_versioned(&self) -> bool {
        // The result of a join is not, whatever its tables are (KIP-914).
        false
    }
}
