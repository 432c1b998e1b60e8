//! New values of a table by an object with state.

use std::sync::Arc;

use streams_core::Result;
use streams_core::store::StoreAccess;

use crate::operator::{Change, TableTransform, TransformedValues, ValueTransformer};
use crate::option::Materialized;
use crate::plan::{Lowering, Names, Naming, Node, Table, part};
use crate::table::stateless::add_named_store;
use crate::table::{Getter, KTable, StoreDefinition, TableValues, ValuesSupplier, find_results};

impl<K: 'static, V: 'static> KTable<K, V> {
    /// Makes a new value of each by a [`ValueTransformer`]; `supplier` makes one for each task.
    ///
    /// ```
    /// # use streams_dsl::{ProcessorError, StreamsBuilder, Topic, TopologyTestDriver};
    /// # use streams_dsl::ValueTransformer;
    /// # use streams_dsl::serde::{Nullable, Utf8};
    /// # let names = Topic::<String, String>::new("names", Utf8, Utf8);
    /// # let out = Topic::<String, Option<String>>::new("out", Utf8, Nullable(Utf8));
    /// # let builder = StreamsBuilder::new();
    /// struct Dated;
    ///
    /// impl ValueTransformer<String, String, String> for Dated {
    ///     fn transform(
    ///         &mut self,
    ///         _key: &String,
    ///         name: Option<String>,
    ///         timestamp_ms: i64,
    ///     ) -> Result<Option<String>, ProcessorError> {
    ///         Ok(name.map(|name| format!("{name} since {timestamp_ms}")))
    ///     }
    /// }
    ///
    /// builder.table(&names).transform_values(|| Dated).to_stream().to(&out);
    /// # let mut driver = TopologyTestDriver::new(&builder.build()?)?;
    /// driver.pipe(&names, &"1".into(), &"ada".into(), 7)?;
    /// assert_eq!(driver.read(&out), Some(("1".into(), Some("ada since 7".into()))));
    /// # Ok::<(), streams_dsl::Error>(())
    /// ```
    pub fn transform_values<V2, T>(
        self,
        supplier: impl Fn() -> T + Send + Sync + 'static,
    ) -> KTable<K, V2>
    where
        T: ValueTransformer<K, V, V2>,
        V2: 'static,
    {
        self.transform_values_with(move |_| Ok(supplier()), [], Materialized::new())
    }

    /// As [`KTable::transform_values`], with the new values in a store of their own, if it has a
    /// name.
    pub fn transform_values_as<V2, T>(
        self,
        supplier: impl Fn() -> T + Send + Sync + 'static,
        materialized: impl Into<Materialized<K, V2>>,
    ) -> KTable<K, V2>
    where
        T: ValueTransformer<K, V, V2>,
        V2: 'static,
    {
        self.transform_values_with(move |_| Ok(supplier()), [], materialized)
    }

    /// As [`KTable::transform_values_as`], for a transformer that uses the stores of these names,
    /// which [`StreamsBuilder::add_state_store`](crate::StreamsBuilder::add_state_store) adds; it
    /// finds them as it is made.
    pub fn transform_values_with<'n, V2, T>(
        self,
        supplier: impl Fn(&StoreAccess<'_>) -> Result<T> + Send + Sync + 'static,
        stores: impl IntoIterator<Item = &'n str>,
        materialized: impl Into<Materialized<K, V2>>,
    ) -> KTable<K, V2>
    where
        T: ValueTransformer<K, V, V2>,
        V2: 'static,
    {
        let used: Vec<Arc<str>> = stores.into_iter().map(Arc::from).collect();
        let materialized = materialized.into();
        let is_named = materialized.name.is_some();
        let is_versioned = materialized.is_versioned();
        let naming = naming(materialized.name.clone());
        let definition = StoreDefinition::new(materialized, self.key.clone(), None);
        let (key, value) = (definition.key.clone(), definition.value.clone());
        let supplier = Arc::new(supplier);
        let (transformers, connected) = (Arc::clone(&supplier), used.clone());
        let mut node = Node::new(naming, vec![self.node], move |lowering| {
            let store = add_named_store(lowering, &definition)?;
            let sends_old_values = lowering.sends_old_values();
            let stores: Vec<Arc<str>> = store.iter().chain(&connected).cloned().collect();
            let transformers = Arc::clone(&transformers);
            let supplier = move |access: &StoreAccess<'_>| {
                let results = find_results(access, store.as_ref(), is_versioned, sends_old_values)?;
                let transformer = transformers(access)?;
                Ok(TableTransform::new(transformer, sends_old_values, results))
            };
            let name = lowering.name();
            let handle = lowering.add_stateful_processor::<K, Change<V>, K, Change<V2>, _>(
                name, supplier, &stores,
            )?;
            lowering.set_handle(handle);
            Ok(())
        });
        node = node.with_table(match is_named {
            true => Table::of_store(),
            false => Table::of_table(self.node),
        });
        if is_named {
            node = node.with_output_versioned(is_versioned);
        }
        let node = self.builder.plan().add(node);
        let parent = self.getter;
        let getter: Getter<K, V2> = Arc::new(move |lowering| {
            if is_named {
                let store = lowering.part_of(node, part::STORE)?;
                return Ok(ValuesSupplier::of_store(store, is_versioned));
            }
            transformed_values(lowering, &parent, &supplier, &used)
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

/// The JVM takes no number for a store that has no name.
fn naming(store: Option<Arc<str>>) -> Naming {
    Naming::Script(Box::new(move |namer, given| {
        let store = store.as_ref();
        let store = store.map(|own| namer.store_or(Some(own), "KTABLE-TRANSFORMVALUES-"));
        let names = Names::of_node(namer.given_or(given, "KTABLE-TRANSFORMVALUES-"));
        match store {
            Some(store) => names.with(part::STORE, store),
            None => names,
        }
    }))
}

/// The values of the table before, transformed as they are read.
fn transformed_values<K, V, V2, T, F>(
    lowering: &Lowering<'_>,
    parent: &Getter<K, V>,
    supplier: &Arc<F>,
    used: &[Arc<str>],
) -> Result<ValuesSupplier<K, V2>>
where
    K: 'static,
    V: 'static,
    V2: 'static,
    T: ValueTransformer<K, V, V2>,
    F: Fn(&StoreAccess<'_>) -> Result<T> + Send + Sync + 'static,
{
    let parent = parent(lowering)?;
    let supplier = Arc::clone(supplier);
    let stores = parent.stores.iter().chain(used).cloned().collect();
    Ok(ValuesSupplier::new(stores, move |access| {
        let values = TransformedValues::new(parent.make(access)?, supplier(access)?);
        Ok(Box::new(values) as Box<dyn TableValues<K, V2>>)
    }))
}
