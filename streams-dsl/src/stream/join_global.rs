//! Streams joined with global tables.

use std::sync::Arc;

use streams_core::store::{KeyValueStore, StoreAccess};

use crate::operator::{Found, LookUp};
use crate::plan::{Naming, Node};
use crate::stream::KStream;
use crate::table::GlobalKTable;

impl<K: 'static, V: 'static> KStream<K, V> {
    /// Joins each record with the row of a global table whose key `select` makes of the record's
    /// key and value, or `None` for no key; a record without a row is left out.
    ///
    /// The stream's own key stays as it is, and needs no repartitioning.
    pub fn join_global<KG, VG, VO, S, R, F>(
        self,
        table: &GlobalKTable<KG, VG>,
        select: S,
        join: F,
    ) -> KStream<K, VO>
    where
        S: Fn(&K, &V) -> R + Send + Sync + 'static,
        R: Into<Option<KG>>,
        F: Fn(V, VG) -> VO + Send + Sync + 'static,
        KG: 'static,
        VG: 'static,
        VO: 'static,
    {
        self.join_global_with_key(table, select, move |_, value, row| join(value, row))
    }

    /// As [`KStream::join_global`], with the stream's key to read.
    pub fn join_global_with_key<KG, VG, VO, S, R, F>(
        self,
        table: &GlobalKTable<KG, VG>,
        select: S,
        join: F,
    ) -> KStream<K, VO>
    where
        S: Fn(&K, &V) -> R + Send + Sync + 'static,
        R: Into<Option<KG>>,
        F: Fn(&K, V, VG) -> VO + Send + Sync + 'static,
        KG: 'static,
        VG: 'static,
        VO: 'static,
    {
        let join = move |key: &K, value, row: Option<VG>| row.map(|row| join(key, value, row));
        self.look_up_global(table, false, select, join)
    }

    /// As [`KStream::join_global`], where a record without a row is joined with `None`.
    ///
    /// ```
    /// # use streams_dsl::{StreamsBuilder, Topic, TopologyTestDriver, serde::Utf8};
    /// let users = Topic::<String, String>::new("users", Utf8, Utf8);
    /// # let orders = Topic::<String, String>::new("orders", Utf8, Utf8);
    /// # let out = Topic::<String, String>::new("out", Utf8, Utf8);
    /// # let builder = StreamsBuilder::new();
    /// let names = builder.global_table(&users);
    /// let named = builder.stream(&orders).left_join_global(
    ///     &names,
    ///     |_, user| user.clone(),
    ///     |user, name| name.unwrap_or(user),
    /// );
    /// named.to(&out);
    /// # let mut driver = TopologyTestDriver::new(&builder.build()?)?;
    /// driver.pipe(&orders, &"7".into(), &"u1".into(), 1)?;
    /// assert_eq!(driver.read(&out), Some(("7".into(), "u1".into())));
    /// # Ok::<(), streams_dsl::Error>(())
    /// ```
    pub fn left_join_global<KG, VG, VO, S, R, F>(
        self,
        table: &GlobalKTable<KG, VG>,
        select: S,
        join: F,
    ) -> KStream<K, VO>
    where
        S: Fn(&K, &V) -> R + Send + Sync + 'static,
        R: Into<Option<KG>>,
        F: Fn(V, Option<VG>) -> VO + Send + Sync + 'static,
        KG: 'static,
        VG: 'static,
        VO: 'static,
    {
        self.left_join_global_with_key(table, select, move |_, value, row| join(value, row))
    }

    /// As [`KStream::left_join_global`], with the stream's key to read.
    pub fn left_join_global_with_key<KG, VG, VO, S, R, F>(
        self,
        table: &GlobalKTable<KG, VG>,
        select: S,
        join: F,
    ) -> KStream<K, VO>
    where
        S: Fn(&K, &V) -> R + Send + Sync + 'static,
        R: Into<Option<KG>>,
        F: Fn(&K, V, Option<VG>) -> VO + Send + Sync + 'static,
        KG: 'static,
        VG: 'static,
        VO: 'static,
    {
        let join = move |key: &K, value, row| Some(join(key, value, row));
        self.look_up_global(table, true, select, join)
    }

    fn look_up_global<KG, VG, VO, S, R, F>(
        self,
        table: &GlobalKTable<KG, VG>,
        is_left: bool,
        select: S,
        join: F,
    ) -> KStream<K, VO>
    where
        S: Fn(&K, &V) -> R + Send + Sync + 'static,
        R: Into<Option<KG>>,
        F: Fn(&K, V, Option<VG>) -> Option<VO> + Send + Sync + 'static,
        KG: 'static,
        VG: 'static,
        VO: 'static,
    {
        // The JVM names inner joins so, too.
        let naming = Naming::Numbered("KSTREAM-LEFTJOIN-");
        let (select, join, store) = (Arc::new(select), Arc::new(join), table.store());
        let node = Node::new(naming, vec![self.node], move |lowering| {
            let (select, join, store) = (Arc::clone(&select), Arc::clone(&join), store(lowering)?);
            let supplier = move |access: &StoreAccess<'_>| {
                let rows = access.timestamped_key_value(&KeyValueStore::<KG, VG>::new(&*store))?;
                let select = Arc::clone(&select);
                let find = move |key: &K, value: &V, _| match select(key, value).into() {
                    Some(key) => Ok(Found::Row(rows.get(&key)?.map(|row| row.value))),
                    None if is_left => Ok(Found::Row(None)),
                    None => Ok(Found::NoKey),
                };
                Ok(LookUp::new(find, Arc::clone(&join)))
            };
            let name = lowering.name();
            let handle = lowering.add_stateful_processor::<K, V, K, VO, _>(name, supplier, &[])?;
            lowering.set_handle(handle);
            Ok(())
        });
        let mut plan = self.builder.plan();
        if !self.builder.is(&table.builder) {
            let mistake = "a stream and a table of different builders cannot be joined";
            plan.add_mistake(mistake.to_owned());
        }
        let node = plan.add(node);
        drop(plan);
        self.after_values(node)
    }
}
