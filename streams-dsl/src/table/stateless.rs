//! Operators of tables that look at one row at a time.

use std::sync::Arc;

use streams_core::Result;
use streams_core::serde::{Nullable, SharedSerde};
use streams_core::store::StoreAccess;

use crate::operator::{Change, TableFilter, TableFiltering, TableMapValues, ToStream};
use crate::option::Materialized;
use crate::plan::{Lowering, Names, Naming, Node, Table, part};
use crate::stream::{KStream, processor_node};
use crate::table::{
    AskedStore, Getter, KTable, MappedValues, StoreDefinition, TableValues, ValuesSupplier,
    find_results,
};

/// Names an operator that has a store only if that has a name. Without one the number that a store
/// would have is taken all the same where one was asked for.
fn naming(prefix: &'static str, store: Option<AskedStore>) -> Naming {
    Naming::Script(Box::new(move |namer, given| {
        let store = store
            .as_ref()
            .map(|asked| namer.store_or(asked.name.as_ref(), prefix));
        let names = Names::of_node(namer.given_or(given, prefix));
        match store {
            Some(store) => names.with(part::STORE, store),
            None => names,
        }
    }))
}

/// Adds the operator's store, if it has one by name.
pub(super) fn add_named_store<K: 'static, V: 'static>(
    lowering: &mut Lowering<'_>,
    definition: &StoreDefinition<K, V>,
) -> Result<Option<Arc<str>>> {
    if definition.materialized.name.is_none() {
        return Ok(None);
    }
    let name = lowering.part(part::STORE)?;
    let store = definition.key_value(lowering, &name)?;
    lowering.topology().add_state_store(store)?;
    Ok(Some(name))
}

impl<K: 'static, V: 'static> KTable<K, V> {
    /// Keeps the rows for which `predicate` holds; one that no longer does is deleted.
    ///
    /// ```
    /// # use streams_dsl::{StreamsBuilder, Topic, TopologyTestDriver};
    /// # use streams_dsl::serde::{I64, Nullable, Utf8};
    /// # let stock = Topic::<String, i64>::new("stock", Utf8, I64);
    /// # let out = Topic::<String, Option<i64>>::new("out", Utf8, Nullable(I64));
    /// # let builder = StreamsBuilder::new();
    /// builder.table(&stock).filter(|_, pieces| *pieces > 0).to_stream().to(&out);
    /// # let mut driver = TopologyTestDriver::new(&builder.build()?)?;
    /// driver.pipe(&stock, &"ash".into(), &2, 0)?;
    /// driver.pipe(&stock, &"ash".into(), &0, 1)?;
    /// assert_eq!(driver.read(&out), Some(("ash".into(), Some(2))));
    /// assert_eq!(driver.read(&out), Some(("ash".into(), None)));
    /// # Ok::<(), streams_dsl::Error>(())
    /// ```
    #[must_use]
    pub fn filter<F>(self, predicate: F) -> Self
    where
        F: Fn(&K, &V) -> bool + Send + Sync + 'static,
        V: Clone,
    {
        self.filtered(predicate, true, None)
    }

    /// As [`KTable::filter`], with the rows that are kept in a store of their own, if it has a
    /// name.
    #[must_use]
    pub fn filter_as<F>(self, predicate: F, materialized: impl Into<Materialized<K, V>>) -> Self
    where
        F: Fn(&K, &V) -> bool + Send + Sync + 'static,
    {
        self.filtered(predicate, true, Some(materialized.into()))
    }

    /// Keeps the rows for which `predicate` does not hold.
    #[must_use]
    pub fn filter_not<F>(self, predicate: F) -> Self
    where
        F: Fn(&K, &V) -> bool + Send + Sync + 'static,
    {
        self.filtered(predicate, false, None)
    }

    /// As [`KTable::filter_not`], with the rows that are kept in a store of their own, if it has a
    /// name.
    #[must_use]
    pub fn filter_not_as<F>(self, predicate: F, materialized: impl Into<Materialized<K, V>>) -> Self
    where
        F: Fn(&K, &V) -> bool + Send + Sync + 'static,
    {
        self.filtered(predicate, false, Some(materialized.into()))
    }

    fn filtered<F>(self, predicate: F, kept: bool, store: Option<Materialized<K, V>>) -> Self
    where
        F: Fn(&K, &V) -> bool + Send + Sync + 'static,
    {
        let predicate = Arc::new(predicate);
        let naming = naming("KTABLE-FILTER-", store.as_ref().map(AskedStore::of));
        let is_named = store.as_ref().is_some_and(|store| store.name.is_some());
        let output_versioned = store.as_ref().map(Materialized::is_versioned);
        let materialized = store.unwrap_or_default();
        let is_versioned = materialized.is_versioned();
        let definition = StoreDefinition::new(materialized, self.key.clone(), self.value.clone());
        let serdes = (definition.key.clone(), definition.value.clone());
        let filter = Arc::clone(&predicate);
        let lower = move |lowering: &mut Lowering<'_>| {
            let store = add_named_store(lowering, &definition)?;
            let filtering = TableFiltering {
                kept,
                sends_old_values: lowering.sends_old_values(),
                is_versioned: lowering.is_input_versioned(),
            };
            let (filter, stores) = (Arc::clone(&filter), Vec::from_iter(store.clone()));
            let supplier = move |access: &StoreAccess<'_>| {
                let sends_old_values = filtering.sends_old_values;
                let results = find_results(access, store.as_ref(), is_versioned, sends_old_values)?;
                Ok(TableFilter::new(Arc::clone(&filter), filtering, results))
            };
            let name = lowering.name();
            let handle = lowering
                .add_stateful_processor::<K, Change<V>, K, Change<V>, _>(name, supplier, &stores)?;
            lowering.set_handle(handle);
            Ok(())
        };
        let mut node = Node::new(naming, vec![self.node], lower)
            .with_table(Table::of_table(self.node).with_store(is_named));
        if let Some(is_versioned) = output_versioned {
            node = node.with_output_versioned(is_versioned);
        }
        let keep = move |key: &K, value: V| (predicate(key, &value) == kept).then_some(value);
        let (builder, parent) = (self.builder.clone(), self.node);
        let table = self.after(node, serdes, is_named.then_some(is_versioned), keep);
        builder.plan().send_old_values_if_sent(table.node, parent);
        table
    }

    /// Makes a new value of each.
    ///
    /// ```
    /// # use streams_dsl::{StreamsBuilder, Topic, TopologyTestDriver};
    /// # use streams_dsl::serde::{I64, Nullable, Utf8};
    /// # let names = Topic::<String, String>::new("names", Utf8, Utf8);
    /// # let out = Topic::<String, Option<i64>>::new("out", Utf8, Nullable(I64));
    /// # let builder = StreamsBuilder::new();
    /// builder.table(&names).map_values(|name| name.len() as i64).to_stream().to(&out);
    /// # let mut driver = TopologyTestDriver::new(&builder.build()?)?;
    /// driver.pipe(&names, &"1".into(), &"ada".into(), 0)?;
    /// assert_eq!(driver.read(&out), Some(("1".into(), Some(3))));
    /// # Ok::<(), streams_dsl::Error>(())
    /// ```
    pub fn map_values<V2, F>(self, map: F) -> KTable<K, V2>
    where
        F: Fn(V) -> V2 + Send + Sync + 'static,
        V2: 'static,
    {
        self.mapped(move |_, value| Some(map(value)), None)
    }

    /// As [`KTable::map_values`], with the key to read.
    pub fn map_values_with_key<V2, F>(self, map: F) -> KTable<K, V2>
    where
        F: Fn(&K, V) -> V2 + Send + Sync + 'static,
        V2: 'static,
    {
        self.mapped(move |key, value| Some(map(key, value)), None)
    }

    /// As [`KTable::map_values_with_key`], with the new values in a store of their own, if it has a
    /// name; `None` deletes the row.
    pub fn map_values_as<V2, F>(
        self,
        map: F,
        materialized: impl Into<Materialized<K, V2>>,
    ) -> KTable<K, V2>
    where
        F: Fn(&K, V) -> Option<V2> + Send + Sync + 'static,
        V2: 'static,
    {
        self.mapped(map, Some(materialized.into()))
    }

    /// Makes a new value of each, or deletes the row by `None`: [`KTable::filter`] and
    /// [`KTable::map_values`] in one.
    pub fn filter_map_values<V2, F>(self, map: F) -> KTable<K, V2>
    where
        F: Fn(&K, V) -> Option<V2> + Send + Sync + 'static,
        V2: 'static,
    {
        self.mapped(map, None)
    }

    fn mapped<V2, F>(self, map: F, store: Option<Materialized<K, V2>>) -> KTable<K, V2>
    where
        F: Fn(&K, V) -> Option<V2> + Send + Sync + 'static,
        V2: 'static,
    {
        let map = Arc::new(map);
        let naming = naming("KTABLE-MAPVALUES-", store.as_ref().map(AskedStore::of));
        let is_named = store.as_ref().is_some_and(|store| store.name.is_some());
        let output_versioned = store.as_ref().map(Materialized::is_versioned);
        let materialized = store.unwrap_or_default();
        let is_versioned = materialized.is_versioned();
        let definition = StoreDefinition::new(materialized, self.key.clone(), None);
        let serdes = (definition.key.clone(), definition.value.clone());
        let mapper = Arc::clone(&map);
        let lower = move |lowering: &mut Lowering<'_>| {
            let store = add_named_store(lowering, &definition)?;
            let sends_old_values = lowering.sends_old_values();
            let (mapper, stores) = (Arc::clone(&mapper), Vec::from_iter(store.clone()));
            let supplier = move |access: &StoreAccess<'_>| {
                let results = find_results(access, store.as_ref(), is_versioned, sends_old_values)?;
                Ok(TableMapValues::new(
                    Arc::clone(&mapper),
                    sends_old_values,
                    results,
                ))
            };
            let name = lowering.name();
            let handle = lowering.add_stateful_processor::<K, Change<V>, K, Change<V2>, _>(
                name, supplier, &stores,
            )?;
            lowering.set_handle(handle);
            Ok(())
        };
        let mut node = Node::new(naming, vec![self.node], lower)
            .with_table(Table::of_table(self.node).with_store(is_named));
        if let Some(is_versioned) = output_versioned {
            node = node.with_output_versioned(is_versioned);
        }
        let mapping = move |key: &K, value: V| map(key, value);
        self.after(node, serdes, is_named.then_some(is_versioned), mapping)
    }

    /// The table of a node below this one, whose values are those of its own store (versioned or
    /// not), or this table's mapped.
    fn after<V2, F>(
        self,
        node: Node,
        (key, value): (Option<SharedSerde<K>>, Option<SharedSerde<V2>>),
        own_store: Option<bool>,
        map: F,
    ) -> KTable<K, V2>
    where
        F: Fn(&K, V) -> Option<V2> + Send + Sync + 'static,
        V2: 'static,
    {
        let node = self.builder.plan().add(node);
        let (parent, map) = (self.getter, Arc::new(map));
        let getter: Getter<K, V2> = Arc::new(move |lowering| {
            if let Some(is_versioned) = own_store {
                let store = lowering.part_of(node, part::STORE)?;
                return Ok(ValuesSupplier::of_store(store, is_versioned));
            }
            let parent = parent(lowering)?;
            let map = Arc::clone(&map);
            Ok(ValuesSupplier::new(parent.stores.clone(), move |access| {
                let map = Arc::clone(&map);
                let map = move |key: &K, value: V| map(key, value);
                let parent = parent.make(access)?;
                Ok(Box::new(MappedValues { parent, map }) as Box<dyn TableValues<K, V2>>)
            }))
        });
        KTable {
            builder: self.builder,
            node,
            key,
            value,
            getter,
        }
    }

    /// The changes as records; a deletion is a record with a null value.
    ///
    /// ```
    /// # use streams_dsl::{StreamsBuilder, Topic, TopologyTestDriver, serde::{Nullable, Utf8}};
    /// # let names = Topic::<String, String>::new("names", Utf8, Utf8);
    /// # let out = Topic::<String, Option<String>>::new("out", Utf8, Nullable(Utf8));
    /// # let builder = StreamsBuilder::new();
    /// builder.table(&names).to_stream().to(&out);
    /// # let mut driver = TopologyTestDriver::new(&builder.build()?)?;
    /// driver.pipe(&names, &"1".into(), &"ada".into(), 0)?;
    /// assert_eq!(driver.read(&out), Some(("1".into(), Some("ada".into()))));
    /// # Ok::<(), streams_dsl::Error>(())
    /// ```
    pub fn to_stream(self) -> KStream<K, Option<V>> {
        let naming = Naming::Numbered("KTABLE-TOSTREAM-");
        let node = processor_node::<K, Change<V>, K, Option<V>, _>(naming, self.node, || ToStream);
        let node = self.builder.plan().add(node);
        let value = self.value;
        let value = value.map(|serde| Arc::new(Nullable(serde)) as SharedSerde<Option<V>>);
        KStream {
            builder: self.builder,
            node,
            key: self.key,
            value,
            repartition_required: false,
        }
    }

    /// As [`KTable::to_stream`], with new keys: `select` gets the key and the value.
    pub fn to_stream_with_key<K2, F>(self, select: F) -> KStream<K2, Option<V>>
    where
        F: Fn(&K, &Option<V>) -> K2 + Send + Sync + 'static,
        K2: 'static,
    {
        self.to_stream().select_key(select)
    }
}
