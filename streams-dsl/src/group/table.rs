//! Tables whose rows are grouped by new keys.

use std::sync::{Arc, Mutex, PoisonError};

use streams_core::Result;
use streams_core::serde::{I64, Serde, SharedSerde};
use streams_core::store::StoreAccess;
use streams_core::topology::{InternalTopic, Sink, Source};

use crate::builder::StreamsBuilder;
use crate::operator::{Change, ChangedSerde, TableAggregate, TableGroup, TableResults, TableStore};
use crate::option::{Grouped, Materialized};
use crate::plan::{Lowering, Names, Naming, Node, OperatorId, Plan, PlanId, Table, part};
use crate::stream::sink_to;
use crate::table::{KTable, StoreDefinition};

const AGGREGATE: &str = "KTABLE-AGGREGATE-";
const REDUCE: &str = "KTABLE-REDUCE-";

/// A table whose rows are grouped by new keys (`org.apache.kafka.streams.kstream.KGroupedTable`).
///
/// A row that changes, or moves from one group to another, is taken out of its group by what it
/// was and added to its group by what it is: so aggregations take an adder and a subtractor, which
/// must undo each other.
///
/// Cloned, it is the same group: aggregations of a group with a name share its repartition topic.
pub struct KGroupedTable<K, V> {
    builder: StreamsBuilder,
    node: PlanId,
    key: Option<SharedSerde<K>>,
    value: Option<SharedSerde<V>>,
    /// The user's name for the repartition topic.
    name: Option<Arc<str>>,
    /// The repartitioning that aggregations of a named group share, once there is one.
    shared: Arc<Mutex<Option<PlanId>>>,
}

impl<K: Clone + 'static, V: Clone + 'static> Clone for KGroupedTable<K, V> {
    fn clone(&self) -> Self {
        self.builder.plan().allow_fan_out::<K, Change<V>>(self.node);
        Self {
            builder: self.builder.clone(),
            node: self.node,
            key: self.key.clone(),
            value: self.value.clone(),
            name: self.name.clone(),
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<K, V> std::fmt::Debug for KGroupedTable<K, V> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut debug = formatter.debug_struct("KGroupedTable");
        debug.field("node", &self.node).finish_non_exhaustive()
    }
}

impl<K: 'static, V: 'static> KTable<K, V> {
    /// Groups the rows by a new key, under which they have a new value; `key` and `value` write
    /// both to a repartition topic.
    ///
    /// ```
    /// # use streams_dsl::{KeyValueStore, StreamsBuilder, Topic, TopologyTestDriver};
    /// # use streams_dsl::serde::{I64, Nullable, Utf8};
    /// # let out = Topic::<String, Option<i64>>::new("out", Utf8, Nullable(I64));
    /// const MEMBERS: KeyValueStore<String, i64> = KeyValueStore::named("members");
    ///
    /// let teams = Topic::<String, String>::new("team-of-person", Utf8, Utf8);
    /// let builder = StreamsBuilder::new();
    /// let people = builder.table(&teams);
    /// let people = people.group_by(Utf8, Utf8, |person, team| (team, person.clone()));
    /// people.count(&MEMBERS).to_stream().to(&out);
    /// let mut driver = TopologyTestDriver::new(&builder.build()?)?;
    /// driver.pipe(&teams, &"ada".into(), &"red".into(), 0)?;
    /// driver.pipe(&teams, &"ada".into(), &"blue".into(), 1)?;
    /// assert_eq!(driver.read(&out), Some(("red".into(), Some(1))));
    /// assert_eq!(driver.read(&out), Some(("red".into(), Some(0))));
    /// assert_eq!(driver.read(&out), Some(("blue".into(), Some(1))));
    /// # Ok::<(), streams_dsl::Error>(())
    /// ```
    pub fn group_by<K2, V2, F>(
        self,
        key: impl Serde<K2> + 'static,
        value: impl Serde<V2> + 'static,
        select: F,
    ) -> KGroupedTable<K2, V2>
    where
        F: Fn(&K, V) -> (K2, V2) + Send + Sync + 'static,
        K2: PartialEq + 'static,
        V2: 'static,
    {
        let grouped = Grouped::with(key, value);
        self.group_by_with(grouped, select)
    }

    /// As [`KTable::group_by`], with a name for what selects the key and for the repartition topic.
    pub fn group_by_with<K2, V2, F>(
        self,
        grouped: Grouped<K2, V2>,
        select: F,
    ) -> KGroupedTable<K2, V2>
    where
        F: Fn(&K, V) -> (K2, V2) + Send + Sync + 'static,
        K2: PartialEq + 'static,
        V2: 'static,
    {
        self.filter_group_by(grouped, move |key, value| Some(select(key, value)))
    }

    /// As [`KTable::group_by_with`]; a row for which `select` gives `None` is in no group.
    ///
    /// ```
    /// # use streams_dsl::{Grouped, KeyValueStore, StreamsBuilder, Topic, TopologyTestDriver};
    /// # use streams_dsl::serde::{I64, Nullable, Utf8};
    /// # let out = Topic::<String, Option<i64>>::new("out", Utf8, Nullable(I64));
    /// const MEMBERS: KeyValueStore<String, i64> = KeyValueStore::named("members");
    ///
    /// let teams = Topic::<String, String>::new("team-of-person", Utf8, Utf8);
    /// let builder = StreamsBuilder::new();
    /// let grouped = Grouped::with(Utf8, Utf8).named("teams");
    /// let people = builder.table(&teams).filter_group_by(grouped, |person, team| {
    ///     (team != "none").then(|| (team, person.clone()))
    /// });
    /// people.count(&MEMBERS).to_stream().to(&out);
    /// let mut driver = TopologyTestDriver::new(&builder.build()?)?;
    /// driver.pipe(&teams, &"ada".into(), &"red".into(), 0)?;
    /// driver.pipe(&teams, &"ada".into(), &"none".into(), 1)?;
    /// assert_eq!(driver.read(&out), Some(("red".into(), Some(1))));
    /// assert_eq!(driver.read(&out), Some(("red".into(), Some(0))));
    /// assert_eq!(driver.read(&out), None);
    /// # Ok::<(), streams_dsl::Error>(())
    /// ```
    pub fn filter_group_by<K2, V2, F>(
        self,
        grouped: Grouped<K2, V2>,
        select: F,
    ) -> KGroupedTable<K2, V2>
    where
        F: Fn(&K, V) -> Option<(K2, V2)> + Send + Sync + 'static,
        K2: PartialEq + 'static,
        V2: 'static,
    {
        let Grouped { name, key, value } = grouped;
        let select = Arc::new(select);
        let naming = Naming::Numbered("KTABLE-SELECT-");
        let node = Node::new(naming, vec![self.node], move |lowering| {
            let (select, is_versioned) = (Arc::clone(&select), lowering.is_input_versioned());
            let supplier = move || TableGroup::new(Arc::clone(&select), is_versioned);
            let name = lowering.name();
            let handle =
                lowering.add_processor::<K, Change<V>, K2, Change<V2>, _>(name, supplier)?;
            lowering.set_handle(handle);
            Ok(())
        });
        let mut plan = self.builder.plan();
        let node = plan.add(node);
        if let Some(name) = &name {
            plan.rename(node, Arc::clone(name));
        }
        plan.enable_sending_old_values(self.node, true);
        drop(plan);
        KGroupedTable {
            builder: self.builder,
            node,
            key,
            value,
            name,
            shared: Arc::default(),
        }
    }
}

impl<K: 'static, V: 'static> KGroupedTable<K, V> {
    /// The number of rows in each group.
    ///
    /// See [`KTable::group_by`] for an example.
    pub fn count(self, materialized: impl Into<Materialized<K, i64>>) -> KTable<K, i64> {
        let add = |_: &K, _, count: Option<i64>| Some(count.unwrap_or(0) + 1);
        let subtract = |_: &K, _, count| Some(count - 1);
        let value: SharedSerde<i64> = Arc::new(I64);
        self.fold(AGGREGATE, materialized.into(), Some(value), add, subtract)
    }

    /// The values of each group, reduced to one: `add` takes a value in, `subtract` out.
    ///
    /// The first value of a group is its first result; a group keeps its last result when its last
    /// row has gone.
    ///
    /// ```
    /// # use streams_dsl::{KeyValueStore, StreamsBuilder, Topic, TopologyTestDriver};
    /// # use streams_dsl::serde::{I64, Nullable, Utf8};
    /// # let out = Topic::<String, Option<i64>>::new("out", Utf8, Nullable(I64));
    /// const TOTAL: KeyValueStore<String, i64> = KeyValueStore::named("total");
    ///
    /// let stock = Topic::<String, i64>::new("stock", Utf8, I64);
    /// let builder = StreamsBuilder::new();
    /// let all = builder.table(&stock).group_by(Utf8, I64, |_, pieces| ("all".to_owned(), pieces));
    /// let total = all.reduce(|total, pieces| total + pieces, |total, gone| total - gone, &TOTAL);
    /// total.to_stream().to(&out);
    /// let mut driver = TopologyTestDriver::new(&builder.build()?)?;
    /// driver.pipe(&stock, &"ash".into(), &7, 0)?;
    /// driver.pipe(&stock, &"ash".into(), &5, 1)?;
    /// assert_eq!(driver.read(&out), Some(("all".into(), Some(7))));
    /// assert_eq!(driver.read(&out), Some(("all".into(), Some(5))));
    /// # Ok::<(), streams_dsl::Error>(())
    /// ```
    pub fn reduce<F, G>(
        self,
        add: F,
        subtract: G,
        materialized: impl Into<Materialized<K, V>>,
    ) -> KTable<K, V>
    where
        F: Fn(V, V) -> V + Send + Sync + 'static,
        G: Fn(V, V) -> V + Send + Sync + 'static,
        V: Clone,
    {
        let value = self.value.clone();
        let add = move |_: &K, value, so_far| match so_far {
            None => Some(value),
            Some(so_far) => Some(add(so_far, value)),
        };
        let subtract = move |_: &K, value, so_far| Some(subtract(so_far, value));
        self.fold(REDUCE, materialized.into(), value, add, subtract)
    }

    /// An aggregate of the rows of each group: `initialize` makes the first, `add` takes a value
    /// in,
    /// `subtract` out.
    ///
    /// ```
    /// # use streams_dsl::{KeyValueStore, Materialized, StreamsBuilder, Topic, TopologyTestDriver};
    /// # use streams_dsl::serde::{I64, Nullable, Utf8};
    /// # let out = Topic::<String, Option<i64>>::new("out", Utf8, Nullable(I64));
    /// const LETTERS: KeyValueStore<String, i64> = KeyValueStore::named("letters");
    ///
    /// let names = Topic::<String, String>::new("names", Utf8, Utf8);
    /// let builder = StreamsBuilder::new();
    /// let all = builder.table(&names).group_by(Utf8, Utf8, |_, name| ("all".to_owned(), name));
    /// let letters = all.aggregate(
    ///     || 0,
    ///     |_, name, letters| letters + name.len() as i64,
    ///     |_, name, letters| letters - name.len() as i64,
    ///     Materialized::from(&LETTERS).with_value_serde(I64),
    /// );
    /// letters.to_stream().to(&out);
    /// let mut driver = TopologyTestDriver::new(&builder.build()?)?;
    /// driver.pipe(&names, &"1".into(), &"ada".into(), 0)?;
    /// driver.pipe(&names, &"1".into(), &"beate".into(), 1)?;
    /// assert_eq!(driver.read(&out), Some(("all".into(), Some(3))));
    /// assert_eq!(driver.read(&out), Some(("all".into(), Some(5))));
    /// # Ok::<(), streams_dsl::Error>(())
    /// ```
    pub fn aggregate<A, I, F, G>(
        self,
        initialize: I,
        add: F,
        subtract: G,
        materialized: impl Into<Materialized<K, A>>,
    ) -> KTable<K, A>
    where
        I: Fn() -> A + Send + Sync + 'static,
        F: Fn(&K, V, A) -> A + Send + Sync + 'static,
        G: Fn(&K, V, A) -> A + Send + Sync + 'static,
        A: Clone + 'static,
    {
        let add = move |key: &K, value, so_far: Option<A>| {
            Some(add(key, value, so_far.unwrap_or_else(&initialize)))
        };
        let subtract = move |key: &K, value, so_far| Some(subtract(key, value, so_far));
        self.fold(AGGREGATE, materialized.into(), None, add, subtract)
    }

    fn fold<A, F, G>(
        self,
        prefix: &'static str,
        materialized: Materialized<K, A>,
        value: Option<SharedSerde<A>>,
        add: F,
        subtract: G,
    ) -> KTable<K, A>
    where
        F: Fn(&K, V, Option<A>) -> Option<A> + Send + Sync + 'static,
        G: Fn(&K, V, A) -> Option<A> + Send + Sync + 'static,
        A: Clone + 'static,
    {
        let naming = self.naming(prefix, materialized.name.clone());
        let is_versioned = materialized.is_versioned();
        let definition = StoreDefinition::new(materialized, self.key.clone(), value);
        let serdes = (definition.key.clone(), definition.value.clone());
        let (add, subtract) = (Arc::new(add), Arc::new(subtract));
        let lower = move |lowering: &mut Lowering<'_>| {
            let store = lowering.part(part::STORE)?;
            let builder = definition.key_value(lowering, &store)?;
            lowering.topology().add_state_store(builder)?;
            let sends_old_values = lowering.sends_old_values();
            let (add, subtract) = (Arc::clone(&add), Arc::clone(&subtract));
            let stores = [Arc::clone(&store)];
            let supplier = move |access: &StoreAccess<'_>| {
                let store = TableStore::find(access, &store, is_versioned)?;
                let results = TableResults::new(store, sends_old_values);
                let (add, subtract) = (Arc::clone(&add), Arc::clone(&subtract));
                Ok(TableAggregate::new(add, subtract, results))
            };
            let name = lowering.name();
            let handle = lowering
                .add_stateful_processor::<K, Change<V>, K, Change<A>, _>(name, supplier, &stores)?;
            lowering.set_handle(handle);
            Ok(())
        };
        let mut plan = self.builder.plan();
        let operator = plan.name(naming);
        let parent = self.add_repartitioning(&mut plan, operator);
        let node = Node::of_part(operator.node(), vec![parent], lower)
            .with_table(Table::of_store())
            .with_output_versioned(is_versioned);
        let node = plan.add(node);
        drop(plan);
        KTable::in_store(&self.builder, node, serdes, is_versioned)
    }

    /// A store's number comes first, then those of the sink, the source and the node
    /// (`KGroupedTableImpl.doAggregate`).
    fn naming(&self, prefix: &'static str, store: Option<Arc<str>>) -> Naming {
        let group = self.name.clone();
        Naming::Script(Box::new(move |namer, given| {
            let store = namer.store_or(store.as_ref(), AGGREGATE);
            let sink = namer.suffixed_or(given, "-sink", "KSTREAM-SINK-");
            let source = namer.suffixed_or(given, "-source", "KSTREAM-SOURCE-");
            let node = namer.given_or(given, prefix);
            let topic = format!("{}-repartition", group.as_ref().unwrap_or(&store));
            Names::of_node(node)
                .with(part::STORE, store)
                .with(part::SINK, sink)
                .with(part::SOURCE, source)
                .with(part::TOPIC, topic.into())
        }))
    }

    /// Adds the topic before an aggregation, or finds the one that a named group has.
    fn add_repartitioning(&self, plan: &mut Plan, operator: OperatorId) -> PlanId {
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(shared) = shared.filter(|_| self.name.is_some()) {
            plan.move_back(shared);
            return shared;
        }
        let (key, value) = (self.key.clone(), self.value.clone());
        let source = operator.part(part::SOURCE);
        let node = Node::of_part(source, vec![self.node], move |lowering| {
            lower_repartitioning(lowering, key.as_ref(), value.as_ref())
        });
        let node = plan.add(node);
        *shared = Some(node);
        node
    }
}

/// Adds the topic of a grouped table's changes, its sink and its source
/// (`GroupedTableOperationRepartitionNode`).
fn lower_repartitioning<K: 'static, V: 'static>(
    lowering: &mut Lowering<'_>,
    key: Option<&SharedSerde<K>>,
    value: Option<&SharedSerde<V>>,
) -> Result<()> {
    let missing = |what| lowering.invalid(&format!("groups a table, but has no {what} serde"));
    let key = key.ok_or_else(|| missing("key"))?;
    let value = value.ok_or_else(|| missing("value"))?;
    let changes: SharedSerde<Change<V>> = Arc::new(ChangedSerde(Arc::clone(value)));
    let (topic, sink_name) = (lowering.part(part::TOPIC)?, lowering.part(part::SINK)?);
    let parents = lowering.parents::<K, Change<V>>()?;
    let topology = lowering.topology();
    topology.add_internal_topic(InternalTopic {
        name: Arc::clone(&topic),
        partitions: None,
    })?;
    let sink: Sink<K, Change<V>> = sink_to(&topic, key, &changes);
    topology.add_sink(&sink_name, sink, &parents)?;
    let source = Source::topics([topic], Arc::clone(key) as _, changes as _);
    let source = source.with_timestamp_extractor(streams_core::processor::FailOnInvalidTimestamp);
    lowering.add_source(lowering.name(), source)
}
