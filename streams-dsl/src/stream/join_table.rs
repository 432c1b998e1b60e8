//! Streams joined with tables.

use std::sync::Arc;

use streams_core::Result;
use streams_core::store::{StoreAccess, StoreBuilder};

use crate::operator::{Found, GracedLookUp, LookUp};
use crate::option::Joined;
use crate::plan::{Lowering, Names, Naming, Node, PlanId, part};
use crate::stream::KStream;
use crate::stream::join::{JoinSide, Serdes, add_side, named_side};
use crate::table::{Getter, KTable, Values};
use crate::window::millis;

const LEFT_JOIN: &str = "KSTREAM-LEFTJOIN-";

impl<K: 'static, V: 'static> KStream<K, V> {
    /// Joins each record with the row of its key in a table, as the row is when the record comes;
    /// a record without one is left out.
    ///
    /// Goes through a repartition topic if the keys may have changed. If the table is versioned
    /// ([`Materialized::versioned`](crate::Materialized::versioned)) the row is the one that was
    /// valid at the record's time.
    ///
    /// ```
    /// # use streams_dsl::{StreamsBuilder, Topic, TopologyTestDriver, serde::Utf8};
    /// # let clicks = Topic::<String, String>::new("clicks", Utf8, Utf8);
    /// # let users = Topic::<String, String>::new("users", Utf8, Utf8);
    /// # let out = Topic::<String, String>::new("out", Utf8, Utf8);
    /// # let builder = StreamsBuilder::new();
    /// let names = builder.table(&users);
    /// let enriched = builder.stream(&clicks).join_table(&names, |page, name| name + " saw " + &page);
    /// enriched.to(&out);
    /// # let mut driver = TopologyTestDriver::new(&builder.build()?)?;
    /// driver.pipe(&clicks, &"1".into(), &"/".into(), 0)?; // nobody knows who that is
    /// driver.pipe(&users, &"1".into(), &"ada".into(), 1)?;
    /// driver.pipe(&clicks, &"1".into(), &"/about".into(), 2)?;
    /// assert_eq!(driver.read_all(&out), [("1".into(), "ada saw /about".into())]);
    /// # Ok::<(), streams_dsl::Error>(())
    /// ```
    pub fn join_table<VT, VO, F>(self, table: &KTable<K, VT>, join: F) -> KStream<K, VO>
    where
        F: Fn(V, VT) -> VO + Send + Sync + 'static,
        VT: 'static,
        VO: 'static,
    {
        self.join_table_with(table, Joined::new(), move |_, value, row| join(value, row))
    }

    /// As [`KStream::join_table`], with a name or serdes, and the key to read.
    pub fn join_table_with<VT, VO, F>(
        self,
        table: &KTable<K, VT>,
        joined: Joined<K, V>,
        join: F,
    ) -> KStream<K, VO>
    where
        F: Fn(&K, V, VT) -> VO + Send + Sync + 'static,
        VT: 'static,
        VO: 'static,
    {
        let join = move |key: &K, value, row: Option<VT>| row.map(|row| join(key, value, row));
        self.look_up("KSTREAM-JOIN-", table, joined, |key| Some(key), join)
    }

    /// As [`KStream::join_table`], where a record without a row is joined with `None`.
    ///
    /// ```
    /// # use streams_dsl::{StreamsBuilder, Topic, TopologyTestDriver, serde::Utf8};
    /// # let clicks = Topic::<String, String>::new("clicks", Utf8, Utf8);
    /// # let users = Topic::<String, String>::new("users", Utf8, Utf8);
    /// # let out = Topic::<String, String>::new("out", Utf8, Utf8);
    /// # let builder = StreamsBuilder::new();
    /// let names = builder.table(&users);
    /// let enriched = builder.stream(&clicks).left_join_table(&names, |page, name| {
    ///     name.unwrap_or_else(|| "somebody".into()) + " saw " + &page
    /// });
    /// enriched.to(&out);
    /// # let mut driver = TopologyTestDriver::new(&builder.build()?)?;
    /// driver.pipe(&clicks, &"1".into(), &"/".into(), 0)?;
    /// assert_eq!(driver.read(&out), Some(("1".into(), "somebody saw /".into())));
    /// # Ok::<(), streams_dsl::Error>(())
    /// ```
    pub fn left_join_table<VT, VO, F>(self, table: &KTable<K, VT>, join: F) -> KStream<K, VO>
    where
        F: Fn(V, Option<VT>) -> VO + Send + Sync + 'static,
        VT: 'static,
        VO: 'static,
    {
        self.left_join_table_with(table, Joined::new(), move |_, value, row| join(value, row))
    }

    /// As [`KStream::left_join_table`], with a name or serdes, and the key to read.
    pub fn left_join_table_with<VT, VO, F>(
        self,
        table: &KTable<K, VT>,
        joined: Joined<K, V>,
        join: F,
    ) -> KStream<K, VO>
    where
        F: Fn(&K, V, Option<VT>) -> VO + Send + Sync + 'static,
        VT: 'static,
        VO: 'static,
    {
        let join = move |key: &K, value, row| Some(join(key, value, row));
        self.look_up(LEFT_JOIN, table, joined, |key| Some(key), join)
    }
}

impl<K: 'static, V: 'static> KStream<Option<K>, V> {
    /// As [`KStream::left_join_table_with`], of a stream whose keys may be null: a record without a
    /// key is joined with `None`, as on the JVM (KIP-962).
    pub fn left_join_table_nullable<VT, VO, F>(
        self,
        table: &KTable<K, VT>,
        joined: Joined<Option<K>, V>,
        join: F,
    ) -> KStream<Option<K>, VO>
    where
        F: Fn(&Option<K>, V, Option<VT>) -> VO + Send + Sync + 'static,
        VT: 'static,
        VO: 'static,
    {
        let join = move |key: &Option<K>, value, row| Some(join(key, value, row));
        self.look_up(LEFT_JOIN, table, joined, Option::as_ref, join)
    }
}

impl<K: 'static, V: 'static> KStream<K, V> {
    /// Joins with a table by `key_of`, which gives a record's key in the table.
    fn look_up<KT, VT, VO, F>(
        self,
        prefix: &'static str,
        table: &KTable<KT, VT>,
        joined: Joined<K, V>,
        key_of: fn(&K) -> Option<&KT>,
        join: F,
    ) -> KStream<K, VO>
    where
        F: Fn(&K, V, Option<VT>) -> Option<VO> + Send + Sync + 'static,
        KT: 'static,
        VT: 'static,
        VO: 'static,
    {
        let builder = self.builder.clone();
        let Joined {
            name,
            key,
            value,
            grace,
        } = joined;
        let mut side = JoinSide::new(self, name.clone(), (key, value));
        if prefix == LEFT_JOIN {
            side = side.keeping_null_keys();
        }
        let key = side.key.clone();
        let (grace_ms, serdes) = (grace.map(millis), (key.clone(), side.value.clone()));
        let mut plan = builder.plan();
        if !builder.is(&table.builder) {
            plan.add_mistake("a stream and a table of different builders cannot be joined".into());
        }
        plan.make_readable(table.node);
        let repartitioned = named_side(&side);
        let naming = Naming::Script(Box::new(move |namer, given| {
            let given = given.or(name.as_ref());
            let names = repartitioned(namer, Names::default(), given, "", 0);
            let name = namer.given_or(given, prefix);
            let buffer = format!("{name}-Buffer").into();
            names.with(part::NODE, name).with(part::STORE, buffer)
        }));
        let operator = plan.name(naming);
        let parent = add_side(&mut plan, side, operator, 0);
        let looking_up = LookingUp {
            rows: Arc::clone(&table.getter),
            table: table.node,
            key_of,
            join: Arc::new(join),
            grace_ms,
            serdes,
        };
        let node = Node::of_part(operator.node(), vec![parent], move |lowering| {
            looking_up.lower(lowering)
        });
        let node = plan.add(node);
        drop(plan);
        KStream {
            builder,
            node,
            key,
            value: None,
            repartition_required: false,
        }
    }
}

/// A join of a stream with a table that is to become a node.
struct LookingUp<K, V, KT, VT, F> {
    rows: Getter<KT, VT>,
    table: PlanId,
    key_of: fn(&K) -> Option<&KT>,
    join: Arc<F>,
    grace_ms: Option<i64>,
    serdes: Serdes<K, V>,
}

impl<K, V, KT, VT, F> LookingUp<K, V, KT, VT, F>
where
    K: 'static,
    V: 'static,
    KT: 'static,
    VT: 'static,
{
    fn lower<VO>(&self, lowering: &mut Lowering<'_>) -> Result<()>
    where
        F: Fn(&K, V, Option<VT>) -> Option<VO> + Send + Sync + 'static,
        VO: 'static,
    {
        lowering.copartition_with(&[self.table]);
        if let Some(grace_ms) = self.grace_ms {
            return self.lower_graced(lowering, grace_ms);
        }
        let (rows, join) = ((self.rows)(lowering)?, Arc::clone(&self.join));
        let (stores, key_of) = (rows.stores.clone(), self.key_of);
        let supplier = move |access: &StoreAccess<'_>| {
            let find = find_row(rows.make(access)?, key_of);
            Ok(LookUp::new(find, Arc::clone(&join)))
        };
        let name = lowering.name();
        let handle = lowering.add_stateful_processor::<K, V, K, VO, _>(name, supplier, &stores)?;
        lowering.set_handle(handle);
        Ok(())
    }

    fn lower_graced<VO>(&self, lowering: &mut Lowering<'_>, grace_ms: i64) -> Result<()>
    where
        F: Fn(&K, V, Option<VT>) -> Option<VO> + Send + Sync + 'static,
        VO: 'static,
    {
        if !lowering.is_versioned(self.table) {
            return Err(lowering.invalid("joins with a grace period a table that is not versioned"));
        }
        let missing = |what| lowering.invalid(&format!("keeps records, but has no {what} serde"));
        let (key, value) = self.serdes.clone();
        let (key, value) = (
            key.ok_or_else(|| missing("key"))?,
            value.ok_or_else(|| missing("value"))?,
        );
        let buffer = lowering.part(part::STORE)?;
        let store = StoreBuilder::time_ordered_buffer(Arc::clone(&buffer), key, value, grace_ms);
        lowering.topology().add_state_store(store)?;
        let (rows, join) = ((self.rows)(lowering)?, Arc::clone(&self.join));
        let (mut stores, key_of) = (rows.stores.clone(), self.key_of);
        stores.push(Arc::clone(&buffer));
        let supplier = move |access: &StoreAccess<'_>| {
            let find = find_row(rows.make(access)?, key_of);
            let buffer = access.time_ordered_buffer(&buffer)?;
            let has_key = move |key: &K| key_of(key).is_some();
            Ok(GracedLookUp::new(find, Arc::clone(&join), buffer, has_key))
        };
        let name = lowering.name();
        let handle = lowering.add_stateful_processor::<K, V, K, VO, _>(name, supplier, &stores)?;
        lowering.set_handle(handle);
        Ok(())
    }
}

/// Finds the row of a record's key: as of the record's time, if it has several versions.
fn find_row<K, V, KT: 'static, VT: 'static>(
    rows: Values<KT, VT>,
    key_of: fn(&K) -> Option<&KT>,
) -> impl Fn(&K, &V, i64) -> Result<Found<VT>> {
    move |key, _, timestamp_ms| {
        let Some(key) = key_of(key) else {
            return Ok(Found::Row(None));
        };
        let row = match rows.is_versioned() {
            true => rows.get_as_of(key, timestamp_ms)?,
            false => rows.get(key)?,
        };
        Ok(Found::Row(row.map(|row| row.value)))
    }
}
