//! Streams joined with tables.

use std::sync::Arc;

use streams_core::Result;
use streams_core::store::StoreAccess;

use crate::operator::{Found, LookUp};
use crate::option::Joined;
use crate::plan::{Lowering, Names, Naming, Node, OperatorId, PlanId, part};
use crate::stream::KStream;
use crate::stream::join::{JoinSide, add_side, named_side};
use crate::table::{Getter, KTable, Values};

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
        let Joined { name, key, value } = joined;
        let mut side = JoinSide::new(self, name.clone(), (key, value));
        if prefix == LEFT_JOIN {
            side = side.keeping_null_keys();
        }
        let key = side.key.clone();
        let mut plan = builder.plan();
        if !builder.is(&table.builder) {
            plan.add_mistake("a stream and a table of different builders cannot be joined".into());
        }
        plan.make_readable(table.node);
        let repartitioned = named_side(&side);
        let naming = Naming::Script(Box::new(move |namer, given| {
            let given = given.or(name.as_ref());
            let names = repartitioned(namer, Names::default(), given, "", 0);
            names.with(part::NODE, namer.given_or(given, prefix))
        }));
        let operator = plan.name(naming);
        let parent = add_side(&mut plan, side, operator, 0);
        let node = look_up_node(operator, parent, table, key_of, join);
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

fn look_up_node<K, V, KT, VT, VO, F>(
    operator: OperatorId,
    parent: PlanId,
    table: &KTable<KT, VT>,
    key_of: fn(&K) -> Option<&KT>,
    join: F,
) -> Node
where
    F: Fn(&K, V, Option<VT>) -> Option<VO> + Send + Sync + 'static,
    K: 'static,
    V: 'static,
    KT: 'static,
    VT: 'static,
    VO: 'static,
{
    let (join, getter, table): (_, Getter<KT, VT>, _) =
        (Arc::new(join), Arc::clone(&table.getter), table.node);
    Node::of_part(
        operator.node(),
        vec![parent],
        move |lowering: &mut Lowering<'_>| {
            lowering.copartition_with(&[table]);
            let (rows, join) = (getter(lowering)?, Arc::clone(&join));
            let stores = rows.stores.clone();
            let supplier = move |access: &StoreAccess<'_>| {
                let rows = rows.make(access)?;
                let find = move |key: &K, _: &V, timestamp_ms| match key_of(key) {
                    Some(key) => find_row(&rows, key, timestamp_ms),
                    None => Ok(Found::Row(None)),
                };
                Ok(LookUp::new(find, Arc::clone(&join)))
            };
            let name = lowering.name();
            let handle =
                lowering.add_stateful_processor::<K, V, K, VO, _>(name, supplier, &stores)?;
            lowering.set_handle(handle);
            Ok(())
        },
    )
}

/// The row of a key: as of this time, if it has several versions.
fn find_row<K, V>(rows: &Values<K, V>, key: &K, timestamp_ms: i64) -> Result<Found<V>> {
    let row = match rows.is_versioned() {
        true => rows.get_as_of(key, timestamp_ms)?,
        false => rows.get(key)?,
    };
    Ok(Found::Row(row.map(|row| row.value)))
}
