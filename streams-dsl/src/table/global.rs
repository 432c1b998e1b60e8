//! Tables that every instance holds whole.

use std::sync::Arc;

use streams_core::serde::Nullable;
use streams_core::store::{KeyValueStore, StoreAccess};
use streams_core::topology::Source;
use streams_core::{Result, Topic};

use crate::builder::StreamsBuilder;
use crate::operator::GlobalTableSource;
use crate::option::{Consumed, Materialized};
use crate::plan::{Lowering, Names, Naming, Node, PlanId, part};
use crate::table::StoreDefinition;

/// A table that every instance of the application holds whole, whatever its partitions
/// (`org.apache.kafka.streams.kstream.GlobalKTable`), so that streams are joined with it by any key
/// and without repartitioning: [`KStream::join_global`](crate::KStream::join_global).
///
/// It is filled before the first record is processed, and kept up to date beside.
pub struct GlobalKTable<K, V> {
    pub(crate) builder: StreamsBuilder,
    pub(crate) node: PlanId,
    content: std::marker::PhantomData<fn() -> (K, V)>,
}

impl<K, V> Clone for GlobalKTable<K, V> {
    fn clone(&self) -> Self {
        Self {
            builder: self.builder.clone(),
            node: self.node,
            content: self.content,
        }
    }
}

impl<K, V> std::fmt::Debug for GlobalKTable<K, V> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut debug = formatter.debug_struct("GlobalKTable");
        debug.field("node", &self.node).finish_non_exhaustive()
    }
}

impl<K, V> GlobalKTable<K, V> {
    /// Names the operator that fills the table, as [`KTable::named`](crate::KTable::named) does.
    #[must_use]
    pub fn named(self, name: impl Into<Arc<str>>) -> Self {
        self.builder.plan().rename(self.node, name.into());
        self
    }

    /// The name of the table's store.
    pub(crate) fn store(&self) -> impl Fn(&Lowering<'_>) -> Result<Arc<str>> + use<K, V> {
        let node = self.node;
        move |lowering| lowering.part_of(node, part::STORE)
    }
}

impl StreamsBuilder {
    /// The rows of a topic, whole in every instance (`StreamsBuilder.globalTable`).
    ///
    /// Records without a key are left out; a null value deletes the row.
    ///
    /// ```
    /// # use streams_dsl::{StreamsBuilder, Topic, TopologyTestDriver, serde::Utf8};
    /// let users = Topic::<String, String>::new("users", Utf8, Utf8);
    /// # let orders = Topic::<String, String>::new("orders", Utf8, Utf8);
    /// # let out = Topic::<String, String>::new("out", Utf8, Utf8);
    /// # let builder = StreamsBuilder::new();
    /// let names = builder.global_table(&users);
    /// let named = builder.stream(&orders).join_global(
    ///     &names,
    ///     |_, user| user.clone(), // the key of the user
    ///     |user, name| format!("{name} ({user})"),
    /// );
    /// named.to(&out);
    /// # let mut driver = TopologyTestDriver::new(&builder.build()?)?;
    /// driver.pipe(&users, &"u1".into(), &"ada".into(), 0)?;
    /// driver.pipe(&orders, &"7".into(), &"u1".into(), 1)?;
    /// assert_eq!(driver.read(&out), Some(("7".into(), "ada (u1)".into())));
    /// # Ok::<(), streams_dsl::Error>(())
    /// ```
    pub fn global_table<K: 'static, V: 'static>(&self, topic: &Topic<K, V>) -> GlobalKTable<K, V> {
        self.global_table_with(topic, Consumed::new(), Materialized::new())
    }

    /// As [`StreamsBuilder::global_table`], in a store by which it can be queried.
    pub fn global_table_as<K: 'static, V: 'static>(
        &self,
        topic: &Topic<K, V>,
        materialized: impl Into<Materialized<K, V>>,
    ) -> GlobalKTable<K, V> {
        self.global_table_with(topic, Consumed::new(), materialized)
    }

    /// As [`StreamsBuilder::global_table_as`], with a timestamp extractor. It has no changelog and
    /// no cache, and it is always read from the beginning, whatever is asked for.
    pub fn global_table_with<K: 'static, V: 'static>(
        &self,
        topic: &Topic<K, V>,
        consumed: Consumed<Option<K>, Option<V>>,
        materialized: impl Into<Materialized<K, V>>,
    ) -> GlobalKTable<K, V> {
        let materialized = materialized.into().without_caching();
        let (own, prefix) = (materialized.name.clone(), format!("{}-", topic.name()));
        let naming = Naming::Script(Box::new(move |namer, given| {
            let store = namer.store_or(own.as_ref(), &prefix);
            let source = namer.suffixed_or(given, "-source", "KSTREAM-SOURCE-");
            Names::of_node(namer.given_or(given, "KTABLE-SOURCE-"))
                .with(part::STORE, store)
                .with(part::SOURCE, source)
        }));
        let is_versioned = materialized.is_versioned();
        let (key, value) = (
            Arc::clone(topic.key_serde()),
            Arc::clone(topic.value_serde()),
        );
        let definition = StoreDefinition::new(materialized, Some(key), Some(value));
        let mut plan = self.plan();
        if is_versioned {
            let topic = topic.name();
            plan.add_mistake(format!("global table of {topic} cannot be versioned"));
        }
        let topic = topic.clone();
        let node = Node::new(naming, Vec::new(), move |lowering| {
            lower(lowering, &topic, &consumed, &definition)
        });
        let node = plan.add(node);
        drop(plan);
        GlobalKTable {
            builder: self.clone(),
            node,
            content: std::marker::PhantomData,
        }
    }
}

fn lower<K: 'static, V: 'static>(
    lowering: &mut Lowering<'_>,
    topic: &Topic<K, V>,
    consumed: &Consumed<Option<K>, Option<V>>,
    definition: &StoreDefinition<K, V>,
) -> Result<()> {
    let (name, source_name) = (lowering.part(part::STORE)?, lowering.part(part::SOURCE)?);
    let store = definition.key_value(lowering, &name)?;
    let key = Nullable(Arc::clone(topic.key_serde()));
    let value = Nullable(Arc::clone(topic.value_serde()));
    let topics = [Arc::clone(topic.name())];
    let mut source = Source::topics(topics, Arc::new(key), Arc::new(value));
    if let Some(timestamp) = &consumed.timestamp {
        source = source.with_shared_timestamp_extractor(Arc::clone(timestamp));
    }
    let supplier = move |access: &StoreAccess<'_>| {
        let store = access.timestamped_key_value(&KeyValueStore::<K, V>::new(&*name))?;
        Ok(GlobalTableSource::new(store))
    };
    let processor = lowering.name();
    let topology = lowering.topology();
    topology.add_global_store(store, &source_name, source, processor, supplier)
}
