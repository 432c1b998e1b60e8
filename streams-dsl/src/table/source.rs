//! Where a table begins: a topic, or a stream.

use std::sync::Arc;

use streams_core::serde::{Nullable, SharedSerde, non_null};
use streams_core::store::StoreAccess;
use streams_core::topology::Source;
use streams_core::{Result, Topic};

use crate::builder::StreamsBuilder;
use crate::operator::{Change, KeyedTableSource, TableSource};
use crate::option::{Consumed, Materialized};
use crate::plan::{Lowering, Names, Naming, Node, OperatorId, PlanId, SourceTopics, Table, part};
use crate::stream::{KStream, Repartition};
use crate::table::{KTable, StoreDefinition, find_results};

/// The part of a table's operator that reads its topic.
const TOPIC_SOURCE: &str = "topic-source";

impl StreamsBuilder {
    /// The rows of a topic: the latest value of each key (`StreamsBuilder.table`).
    ///
    /// Records without a key are left out and counted as dropped; a null value deletes the row. The
    /// rows are kept in a store only if something needs it: a join, a grouping, or a name
    /// ([`StreamsBuilder::table_as`]).
    ///
    /// ```
    /// # use streams_dsl::{StreamsBuilder, Topic, TopologyTestDriver, serde::{Nullable, Utf8}};
    /// let users = Topic::<String, String>::new("users", Utf8, Utf8);
    /// # let out = Topic::<String, Option<String>>::new("out", Utf8, Nullable(Utf8));
    /// # let builder = StreamsBuilder::new();
    /// builder.table(&users).filter(|_, name| name.starts_with('a')).to_stream().to(&out);
    /// # let mut driver = TopologyTestDriver::new(&builder.build()?)?;
    /// driver.pipe(&users, &"1".into(), &"ada".into(), 0)?;
    /// driver.pipe(&users, &"1".into(), &"bob".into(), 1)?;
    /// assert_eq!(driver.read(&out), Some(("1".into(), Some("ada".into()))));
    /// assert_eq!(driver.read(&out), Some(("1".into(), None)));
    /// # Ok::<(), streams_dsl::Error>(())
    /// ```
    pub fn table<K: 'static, V: 'static>(&self, topic: &Topic<K, V>) -> KTable<K, V> {
        self.table_with(topic, Consumed::new(), Materialized::new())
    }

    /// As [`StreamsBuilder::table`], kept in a store by which it can be queried.
    ///
    /// ```
    /// # use streams_dsl::{KeyValueStore, StreamsBuilder, Topic, TopologyTestDriver, serde::Utf8};
    /// const USERS: KeyValueStore<String, String> = KeyValueStore::named("users");
    ///
    /// let users = Topic::<String, String>::new("users", Utf8, Utf8);
    /// let builder = StreamsBuilder::new();
    /// builder.table_as(&users, &USERS);
    /// let mut driver = TopologyTestDriver::new(&builder.build()?)?;
    /// driver.pipe(&users, &"1".into(), &"ada".into(), 7)?;
    /// let row = driver.stores().timestamped_key_value(&USERS)?.get(&"1".into())?;
    /// assert_eq!(row.map(|row| (row.value, row.timestamp_ms)), Some(("ada".into(), 7)));
    /// # Ok::<(), streams_dsl::Error>(())
    /// ```
    pub fn table_as<K: 'static, V: 'static>(
        &self,
        topic: &Topic<K, V>,
        materialized: impl Into<Materialized<K, V>>,
    ) -> KTable<K, V> {
        self.table_with(topic, Consumed::new(), materialized)
    }

    /// As [`StreamsBuilder::table_as`], with a timestamp extractor or an offset reset policy.
    pub fn table_with<K: 'static, V: 'static>(
        &self,
        topic: &Topic<K, V>,
        consumed: Consumed<Option<K>, Option<V>>,
        materialized: impl Into<Materialized<K, V>>,
    ) -> KTable<K, V> {
        let materialized = materialized.into();
        let (key, value) = (
            Arc::clone(topic.key_serde()),
            Arc::clone(topic.value_serde()),
        );
        let definition = StoreDefinition::new(materialized, Some(key), Some(value));
        let mut plan = self.plan();
        let operator = plan.name(table_naming(&definition, topic.name()));
        let source = plan.add(topic_source(operator, topic, consumed));
        drop(plan);
        let topic = Arc::clone(topic.name());
        let node = table_node(operator, source, definition, Some(topic));
        KTable::add(self, node)
    }
}

/// A store's number comes first, then those of the source and of the table.
fn table_naming<K, V>(definition: &StoreDefinition<K, V>, topic: &Arc<str>) -> Naming {
    let (store, prefix) = (definition.materialized.name.clone(), format!("{topic}-"));
    Naming::Script(Box::new(move |namer, given| {
        let store = namer.store_or(store.as_ref(), &prefix);
        let source = namer.suffixed_or(given, "-source", "KSTREAM-SOURCE-");
        let table = namer.given_or(given, "KTABLE-SOURCE-");
        Names::of_node(table)
            .with(part::STORE, store)
            .with(TOPIC_SOURCE, source)
    }))
}

fn topic_source<K: 'static, V: 'static>(
    operator: OperatorId,
    topic: &Topic<K, V>,
    consumed: Consumed<Option<K>, Option<V>>,
) -> Node {
    let Consumed { timestamp, reset } = consumed;
    let topics = SourceTopics::Named(vec![Arc::clone(topic.name())], reset);
    let topic = topic.clone();
    let mut node = Node::of_part(operator.part(TOPIC_SOURCE), Vec::new(), move |lowering| {
        let key = Nullable(Arc::clone(topic.key_serde()));
        let value = Nullable(Arc::clone(topic.value_serde()));
        let topics = [Arc::clone(topic.name())];
        let mut source = Source::topics(topics, Arc::new(key), Arc::new(value));
        if let Some(timestamp) = &timestamp {
            source = source.with_shared_timestamp_extractor(Arc::clone(timestamp));
        }
        if let Some(reset) = reset {
            source = source.with_offset_reset(reset);
        }
        lowering.add_source(lowering.name(), source)
    });
    node.source = Some(topics);
    node
}

/// A node of a table, and what is to be known of the table.
pub(crate) struct TableNode<K, V> {
    node: Node,
    key: Option<SharedSerde<K>>,
    value: Option<SharedSerde<V>>,
    is_versioned: bool,
}

pub(super) fn table_node<K: 'static, V: 'static>(
    operator: OperatorId,
    source: PlanId,
    definition: StoreDefinition<K, V>,
    topic: Option<Arc<str>>,
) -> TableNode<K, V> {
    let is_versioned = definition.materialized.is_versioned();
    let is_named = definition.materialized.name.is_some();
    let (key, value) = (definition.key.clone(), definition.value.clone());
    let lower = move |lowering: &mut Lowering<'_>| {
        let store = add_source_store(lowering, &definition, topic.as_ref())?;
        let stores: Vec<Arc<str>> = store.iter().cloned().collect();
        let sends_old_values = lowering.sends_old_values();
        let supplier = move |access: &StoreAccess<'_>| {
            let results = find_results(access, store.as_ref(), is_versioned, sends_old_values)?;
            Ok(TableSource::<K, V>::new(results))
        };
        let name = lowering.name();
        if topic.is_some() {
            let supplier = move |access: &StoreAccess<'_>| supplier(access).map(KeyedTableSource);
            let handle = lowering.add_stateful_processor::<Option<K>, Option<V>, K, Change<V>, _>(
                name, supplier, &stores,
            )?;
            lowering.set_handle(handle);
        } else {
            let handle = lowering
                .add_stateful_processor::<K, Option<V>, K, Change<V>, _>(name, supplier, &stores)?;
            lowering.set_handle(handle);
        }
        Ok(())
    };
    let node = Node::of_part(operator.node(), vec![source], lower)
        .with_table(Table::of_source(is_named))
        .with_output_versioned(is_versioned);
    TableNode {
        node,
        key,
        value,
        is_versioned,
    }
}

/// Adds the store of a table from a topic, if anything needs it.
fn add_source_store<K: 'static, V: 'static>(
    lowering: &mut Lowering<'_>,
    definition: &StoreDefinition<K, V>,
    topic: Option<&Arc<str>>,
) -> Result<Option<Arc<str>>> {
    if !lowering.is_materialized() {
        return Ok(None);
    }
    let name = lowering.part(part::STORE)?;
    let mut store = definition.key_value(lowering, &name)?;
    if let Some(topic) = topic.filter(|_| lowering.reuses_source_topics()) {
        store = store.with_source_topic(Arc::clone(topic));
    }
    lowering.topology().add_state_store(store)?;
    Ok(Some(name))
}

impl<K: 'static, V: 'static> KTable<K, V> {
    /// Adds a node that is a table with the store of its operator.
    pub(crate) fn add(builder: &StreamsBuilder, table: TableNode<K, V>) -> Self {
        let TableNode {
            node,
            key,
            value,
            is_versioned,
        } = table;
        let node = builder.plan().add(node);
        Self::in_store(builder, node, (key, value), is_versioned)
    }
}

impl<K: 'static, V: 'static> KStream<K, Option<V>> {
    /// The stream as a table: each record is the new value of its key, and a null deletes it
    /// (KIP-523).
    ///
    /// ```
    /// # use streams_dsl::{KeyValueStore, StreamsBuilder, Topic, TopologyTestDriver};
    /// # use streams_dsl::serde::{Nullable, Utf8};
    /// const NAMES: KeyValueStore<String, String> = KeyValueStore::named("names");
    ///
    /// let renamings = Topic::<String, Option<String>>::new("names", Utf8, Nullable(Utf8));
    /// let builder = StreamsBuilder::new();
    /// builder.stream(&renamings).to_table(&NAMES);
    /// let mut driver = TopologyTestDriver::new(&builder.build()?)?;
    /// driver.pipe(&renamings, &"1".into(), &Some("ada".into()), 7)?;
    /// driver.pipe(&renamings, &"2".into(), &Some("bob".into()), 8)?;
    /// driver.pipe(&renamings, &"2".into(), &None, 9)?;
    /// let names = driver.stores().timestamped_key_value(&NAMES)?;
    /// assert_eq!(names.all().count(), 1);
    /// # Ok::<(), streams_dsl::Error>(())
    /// ```
    pub fn to_table(self, materialized: impl Into<Materialized<K, V>>) -> KTable<K, V> {
        let (builder, node) = (self.builder.clone(), self.node);
        let value = self.value.as_ref().and_then(non_null);
        let definition = StoreDefinition::new(materialized.into(), self.key.clone(), value);
        let is_repartitioned = self.repartition_required;
        let own_store = definition.materialized.name.clone();
        let naming = Naming::Script(Box::new(move |namer, given| {
            let name = namer.given_or(given, "KSTREAM-TOTABLE-");
            let store = namer.store_or(own_store.as_ref(), "KSTREAM-TOTABLE-");
            let names = Names::of_node(Arc::clone(&name)).with(part::STORE, store);
            if is_repartitioned {
                return names.with_repartition(0, namer.repartition(&name));
            }
            names
        }));
        let mut plan = builder.plan();
        let operator = plan.name(naming);
        let mut source = node;
        if is_repartitioned {
            let written = definition.value.clone();
            let written = written.map(|serde| Arc::new(Nullable(serde)) as SharedSerde<Option<V>>);
            let repartition = Repartition::new(definition.key.clone(), written);
            source = plan.add(repartition.into_node(operator.part(part::SOURCE), node));
        }
        drop(plan);
        KTable::add(&builder, table_node(operator, source, definition, None))
    }
}
