//! Streams grouped by key.

use std::sync::Arc;

use streams_core::serde::{I64, Serde, SharedSerde};
use streams_core::store::StoreAccess;

use crate::group::Grouping;
use crate::operator::{Aggregate, Change, Initial, TableResults, TableStore};
use crate::option::{Grouped, Materialized};
use crate::plan::{Lowering, Naming, Node, Table, part};
use crate::stream::KStream;
use crate::table::{KTable, StoreDefinition};

/// A stream whose records are grouped by key (`org.apache.kafka.streams.kstream.KGroupedStream`).
///
/// Cloned, it is the same group: aggregations of a group with a name share its repartition topic.
pub struct KGroupedStream<K, V> {
    pub(crate) grouping: Grouping<K, V>,
}

impl<K: Clone + 'static, V: Clone + 'static> Clone for KGroupedStream<K, V> {
    fn clone(&self) -> Self {
        self.grouping.allow_fan_out();
        Self {
            grouping: self.grouping.clone(),
        }
    }
}

impl<K, V> std::fmt::Debug for KGroupedStream<K, V> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut debug = formatter.debug_struct("KGroupedStream");
        debug
            .field("node", &self.grouping.node)
            .finish_non_exhaustive()
    }
}

/// Every type but an `Option`: of a key that may be null the compiler cannot tell which of two
/// implementations is meant, and so refuses what asks for this. `A` is never named.
pub trait NeverNull<A> {}

impl<T> NeverNull<()> for T {}
impl<T> NeverNull<Option<T>> for Option<T> {}

impl<K: 'static, V: 'static> KStream<K, V> {
    /// Groups records by their keys, through a repartition topic if the keys may have changed.
    ///
    /// ```
    /// # use streams_dsl::{KeyValueStore, StreamsBuilder, Topic, TopologyTestDriver};
    /// # use streams_dsl::serde::{I64, Nullable, Utf8};
    /// # let clicks = Topic::<String, String>::new("clicks", Utf8, Utf8);
    /// # let out = Topic::<String, Option<i64>>::new("out", Utf8, Nullable(I64));
    /// # let builder = StreamsBuilder::new();
    /// const CLICKS: KeyValueStore<String, i64> = KeyValueStore::named("clicks-per-user");
    ///
    /// builder.stream(&clicks).group_by_key().count(&CLICKS).to_stream().to(&out);
    /// # let mut driver = TopologyTestDriver::new(&builder.build()?)?;
    /// driver.pipe(&clicks, &"ada".into(), &"/".into(), 0)?;
    /// driver.pipe(&clicks, &"ada".into(), &"/about".into(), 1)?;
    /// assert_eq!(driver.read(&out), Some(("ada".into(), Some(1))));
    /// assert_eq!(driver.read(&out), Some(("ada".into(), Some(2))));
    /// # Ok::<(), streams_dsl::Error>(())
    /// ```
    pub fn group_by_key<A>(self) -> KGroupedStream<K, V>
    where
        K: NeverNull<A>,
    {
        self.group_by_key_with(Grouped::new())
    }

    /// As [`KStream::group_by_key`], with a name or serdes for the repartition topic.
    pub fn group_by_key_with<A>(self, grouped: Grouped<K, V>) -> KGroupedStream<K, V>
    where
        K: NeverNull<A>,
    {
        let serdes = (grouped.key.or(self.key), grouped.value.or(self.value));
        let required = self.repartition_required;
        let grouping = Grouping::new(self.builder, self.node, serdes, grouped.name, required);
        KGroupedStream { grouping }
    }

    /// Groups records by new keys, which `key` writes to the repartition topic.
    ///
    /// ```
    /// # use streams_dsl::{KeyValueStore, StreamsBuilder, Topic, TopologyTestDriver};
    /// # use streams_dsl::serde::{I64, Nullable, Utf8};
    /// # let words = Topic::<String, String>::new("words", Utf8, Utf8);
    /// # let out = Topic::<i64, Option<i64>>::new("out", I64, Nullable(I64));
    /// # let builder = StreamsBuilder::new();
    /// const BY_LENGTH: KeyValueStore<i64, i64> = KeyValueStore::named("by-length");
    ///
    /// let by_length = builder.stream(&words).group_by(I64, |_, word| word.len() as i64);
    /// by_length.count(&BY_LENGTH).to_stream().to(&out);
    /// # let mut driver = TopologyTestDriver::new(&builder.build()?)?;
    /// driver.pipe(&words, &"a".into(), &"ash".into(), 0)?;
    /// driver.pipe(&words, &"b".into(), &"oak".into(), 1)?;
    /// assert_eq!(driver.read(&out), Some((3, Some(1))));
    /// assert_eq!(driver.read(&out), Some((3, Some(2))));
    /// # Ok::<(), streams_dsl::Error>(())
    /// ```
    pub fn group_by<K2, F>(self, key: impl Serde<K2> + 'static, select: F) -> KGroupedStream<K2, V>
    where
        F: Fn(&K, &V) -> K2 + Send + Sync + 'static,
        K2: 'static,
    {
        self.group_by_with(Grouped::new().with_key_serde(key), select)
    }

    /// As [`KStream::group_by`], with a name or a serde for the values too.
    pub fn group_by_with<K2, F>(self, grouped: Grouped<K2, V>, select: F) -> KGroupedStream<K2, V>
    where
        F: Fn(&K, &V) -> K2 + Send + Sync + 'static,
        K2: 'static,
    {
        let selected = self.select_key(select);
        match grouped.name.clone() {
            Some(name) => selected.named(name),
            None => selected,
        }
        .group_by_key_with(grouped)
    }
}

impl<K: 'static, V: 'static> KGroupedStream<K, Option<V>> {
    /// Leaves records without a value out, and counts them as dropped: what the JVM does in all
    /// aggregations without windows.
    pub fn skip_null_values(self) -> KGroupedStream<K, V> {
        KGroupedStream {
            grouping: self.grouping.skip_null_values(),
        }
    }
}

impl<K: 'static, V: 'static> KGroupedStream<K, V> {
    /// The number of records of each key.
    pub fn count(self, materialized: impl Into<Materialized<K, i64>>) -> KTable<K, i64> {
        let mut materialized = materialized.into();
        let value = materialized.value.get_or_insert_with(|| Arc::new(I64));
        let value = Some(Arc::clone(value));
        let add = |_: &K, _, so_far: Option<i64>| Some(so_far.unwrap_or(0) + 1);
        let initial: Initial<i64> = Some(Arc::new(|| 0));
        self.fold("KSTREAM-AGGREGATE-", materialized, value, add, initial)
    }

    /// The values of each key, reduced to one (`Reducer`).
    ///
    /// ```
    /// # use streams_dsl::{KeyValueStore, StreamsBuilder, Topic, TopologyTestDriver};
    /// # use streams_dsl::serde::{I64, Nullable, Utf8};
    /// # let sales = Topic::<String, i64>::new("sales", Utf8, I64);
    /// # let out = Topic::<String, Option<i64>>::new("out", Utf8, Nullable(I64));
    /// # let builder = StreamsBuilder::new();
    /// const BEST: KeyValueStore<String, i64> = KeyValueStore::named("best");
    ///
    /// let best = builder.stream(&sales).group_by_key().reduce(i64::max, &BEST);
    /// best.to_stream().to(&out);
    /// # let mut driver = TopologyTestDriver::new(&builder.build()?)?;
    /// driver.pipe(&sales, &"ash".into(), &7, 0)?;
    /// driver.pipe(&sales, &"ash".into(), &5, 1)?;
    /// assert_eq!(driver.read(&out), Some(("ash".into(), Some(7))));
    /// assert_eq!(driver.read(&out), Some(("ash".into(), Some(7))));
    /// # Ok::<(), streams_dsl::Error>(())
    /// ```
    pub fn reduce<F>(self, reduce: F, materialized: impl Into<Materialized<K, V>>) -> KTable<K, V>
    where
        F: Fn(V, V) -> V + Send + Sync + 'static,
        V: Clone,
    {
        self.reduce_or_delete(move |one, other| Some(reduce(one, other)), materialized)
    }

    /// As [`KGroupedStream::reduce`], where `None` deletes the key's row.
    pub fn reduce_or_delete<F>(
        self,
        reduce: F,
        materialized: impl Into<Materialized<K, V>>,
    ) -> KTable<K, V>
    where
        F: Fn(V, V) -> Option<V> + Send + Sync + 'static,
        V: Clone,
    {
        let value = self.grouping.value.clone();
        let add = move |_: &K, value, so_far| match so_far {
            None => Some(value),
            Some(so_far) => reduce(so_far, value),
        };
        self.fold("KSTREAM-REDUCE-", materialized.into(), value, add, None)
    }

    /// An aggregate of the values of each key: `initialize` makes the first, and `add` adds a value
    /// to what there is (`Initializer`, `Aggregator`).
    ///
    /// ```
    /// # use streams_dsl::{KeyValueStore, Materialized, StreamsBuilder, Topic, TopologyTestDriver};
    /// # use streams_dsl::serde::{I64, Nullable, Utf8};
    /// # let words = Topic::<String, String>::new("words", Utf8, Utf8);
    /// # let out = Topic::<String, Option<i64>>::new("out", Utf8, Nullable(I64));
    /// # let builder = StreamsBuilder::new();
    /// const LETTERS: KeyValueStore<String, i64> = KeyValueStore::named("letters");
    ///
    /// let letters = builder.stream(&words).group_by_key().aggregate(
    ///     || 0,
    ///     |_, word, letters| letters + word.len() as i64,
    ///     Materialized::from(&LETTERS).with_value_serde(I64),
    /// );
    /// letters.to_stream().to(&out);
    /// # let mut driver = TopologyTestDriver::new(&builder.build()?)?;
    /// driver.pipe(&words, &"a".into(), &"ash".into(), 0)?;
    /// driver.pipe(&words, &"a".into(), &"alder".into(), 1)?;
    /// assert_eq!(driver.read(&out), Some(("a".into(), Some(3))));
    /// assert_eq!(driver.read(&out), Some(("a".into(), Some(8))));
    /// # Ok::<(), streams_dsl::Error>(())
    /// ```
    pub fn aggregate<A, I, F>(
        self,
        initialize: I,
        add: F,
        materialized: impl Into<Materialized<K, A>>,
    ) -> KTable<K, A>
    where
        I: Fn() -> A + Send + Sync + 'static,
        F: Fn(&K, V, A) -> A + Send + Sync + 'static,
        A: Clone + 'static,
    {
        let add = move |key: &K, value, so_far| Some(add(key, value, so_far));
        self.aggregate_or_delete(initialize, add, materialized)
    }

    /// As [`KGroupedStream::aggregate`], where `None` deletes the key's row.
    pub fn aggregate_or_delete<A, I, F>(
        self,
        initialize: I,
        add: F,
        materialized: impl Into<Materialized<K, A>>,
    ) -> KTable<K, A>
    where
        I: Fn() -> A + Send + Sync + 'static,
        F: Fn(&K, V, A) -> Option<A> + Send + Sync + 'static,
        A: Clone + 'static,
    {
        let initialize = Arc::new(initialize);
        let initial: Initial<A> = Some(Arc::clone(&initialize) as _);
        let add = move |key: &K, value, so_far: Option<A>| {
            add(key, value, so_far.unwrap_or_else(|| initialize()))
        };
        self.fold(
            "KSTREAM-AGGREGATE-",
            materialized.into(),
            None,
            add,
            initial,
        )
    }

    fn fold<A, F>(
        self,
        prefix: &'static str,
        materialized: Materialized<K, A>,
        value: Option<SharedSerde<A>>,
        add: F,
        initial: Initial<A>,
    ) -> KTable<K, A>
    where
        F: Fn(&K, V, Option<A>) -> Option<A> + Send + Sync + 'static,
        A: Clone + 'static,
    {
        let grouping = self.grouping;
        let naming = grouping.naming(prefix, materialized.name.clone());
        let is_versioned = materialized.is_versioned();
        let definition = StoreDefinition::new(materialized, grouping.key.clone(), value);
        let serdes = (definition.key.clone(), definition.value.clone());
        let add = Arc::new(add);
        let lower = move |lowering: &mut Lowering<'_>| {
            let store = lowering.part(part::STORE)?;
            let builder = definition.key_value(lowering, &store)?;
            lowering.topology().add_state_store(builder)?;
            let sends_old_values = lowering.sends_old_values();
            let (add, initial, stores) = (Arc::clone(&add), initial.clone(), [Arc::clone(&store)]);
            let supplier = move |access: &StoreAccess<'_>| {
                let store = TableStore::find(access, &store, is_versioned)?;
                let results = TableResults::new(store, sends_old_values);
                Ok(Aggregate::new(Arc::clone(&add), results, initial.clone()))
            };
            let name = lowering.name();
            let handle = lowering
                .add_stateful_processor::<K, V, K, Change<A>, _>(name, supplier, &stores)?;
            lowering.set_handle(handle);
            Ok(())
        };
        add_aggregate(&grouping, naming, lower, serdes, is_versioned)
    }
}

/// Adds an aggregation, behind the repartitioning that it needs.
fn add_aggregate<K: 'static, V: 'static, A: 'static>(
    grouping: &Grouping<K, V>,
    naming: Naming,
    lower: impl Fn(&mut Lowering<'_>) -> streams_core::Result<()> + Send + Sync + 'static,
    serdes: (Option<SharedSerde<K>>, Option<SharedSerde<A>>),
    is_versioned: bool,
) -> KTable<K, A> {
    let mut plan = grouping.builder.plan();
    let operator = plan.name(naming);
    let parent = grouping.add_parent(&mut plan, operator);
    let node = Node::of_part(operator.node(), vec![parent], lower)
        .with_table(Table::of_store())
        .with_output_versioned(is_versioned);
    let node = plan.add(node);
    drop(plan);
    KTable::in_store(&grouping.builder, node, serdes, is_versioned)
}
