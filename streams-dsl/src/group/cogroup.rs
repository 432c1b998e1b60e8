//! Several grouped streams, aggregated together.

use std::borrow::Cow;
use std::sync::Arc;

use streams_core::Result;
use streams_core::serde::SharedSerde;
use streams_core::store::StoreAccess;

use crate::builder::StreamsBuilder;
use crate::group::aggregate::RepartitionNaming;
use crate::group::cogroup_windowed::{SessionAggregation, TimeAggregation};
use crate::group::{Grouping, KGroupedStream};
use crate::operator::{Aggregate, Change, Folding, Initial, PassThrough, TableResults, TableStore};
use crate::option::Materialized;
use crate::plan::{Lowering, Names, Naming, Node, OperatorId, Plan, PlanId, Table, part};
use crate::table::{KTable, StoreDefinition};

const AGGREGATE: &str = "COGROUPKSTREAM-AGGREGATE-";
const MERGE: &str = "COGROUPKSTREAM-MERGE-";

/// The kind of part that aggregates one of the streams.
pub(crate) const AGGREGATION: &str = "aggregation";

/// Grouped streams of one key, whatever their values, that are aggregated into one table
/// (`org.apache.kafka.streams.kstream.CogroupedKStream`, KIP-150).
///
/// ```
/// # use streams_dsl::{KeyValueStore, Materialized, StreamsBuilder, Topic, TopologyTestDriver};
/// # use streams_dsl::serde::{I64, Nullable, Utf8};
/// # let out = Topic::<String, Option<i64>>::new("out", Utf8, Nullable(I64));
/// const BALANCE: KeyValueStore<String, i64> = KeyValueStore::named("balance");
///
/// let payments = Topic::<String, i64>::new("payments", Utf8, I64);
/// let orders = Topic::<String, String>::new("orders", Utf8, Utf8);
/// let builder = StreamsBuilder::new();
/// let paid = builder.stream(&payments).group_by_key();
/// let ordered = builder.stream(&orders).group_by_key();
/// let balance = paid
///     .cogroup(|_, amount, balance| balance + amount)
///     .cogroup(ordered, |_, item, balance| balance - item.len() as i64)
///     .aggregate(|| 0, Materialized::from(&BALANCE).with_value_serde(I64));
/// balance.to_stream().to(&out);
/// let mut driver = TopologyTestDriver::new(&builder.build()?)?;
/// driver.pipe(&payments, &"ada".into(), &10, 0)?;
/// driver.pipe(&orders, &"ada".into(), &"book".into(), 1)?;
/// assert_eq!(driver.read(&out), Some(("ada".into(), Some(10))));
/// assert_eq!(driver.read(&out), Some(("ada".into(), Some(6))));
/// # Ok::<(), streams_dsl::Error>(())
/// ```
pub struct CogroupedKStream<K, A> {
    pub(crate) builder: StreamsBuilder,
    pub(crate) key: Option<SharedSerde<K>>,
    /// The streams, in the order in which they were added.
    pub(crate) streams: Vec<Box<dyn Cogrouped<K, A>>>,
}

impl<K, A> std::fmt::Debug for CogroupedKStream<K, A> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut debug = formatter.debug_struct("CogroupedKStream");
        debug
            .field("streams", &self.streams.len())
            .finish_non_exhaustive()
    }
}

impl<K: 'static, V: Clone + 'static> KGroupedStream<K, V> {
    /// Begins an aggregation together with other grouped streams: `add` adds a value of this one to
    /// the aggregate. See [`CogroupedKStream`]. Values are `Clone`, since one may fall into several
    /// windows.
    pub fn cogroup<A, F>(self, add: F) -> CogroupedKStream<K, A>
    where
        F: Fn(&K, V, A) -> A + Send + Sync + 'static,
        A: Clone + 'static,
    {
        let cogrouped = CogroupedKStream {
            builder: self.grouping.builder.clone(),
            key: None,
            streams: Vec::new(),
        };
        cogrouped.cogroup(self, add)
    }
}

impl<K: 'static, A: Clone + 'static> CogroupedKStream<K, A> {
    /// Adds another grouped stream, whose values `add` adds to the aggregate.
    #[must_use]
    pub fn cogroup<V, F>(mut self, grouped: KGroupedStream<K, V>, add: F) -> Self
    where
        F: Fn(&K, V, A) -> A + Send + Sync + 'static,
        V: Clone + 'static,
    {
        let grouping = grouped.grouping;
        if !self.builder.is(&grouping.builder) {
            let mistake = "streams of different builders cannot be cogrouped".to_owned();
            self.builder.plan().add_mistake(mistake);
            return self;
        }
        self.key = self.key.or_else(|| grouping.key.clone());
        let add = Arc::new(add);
        self.streams
            .push(Box::new(CogroupedStream { grouping, add }));
        self
    }

    /// The aggregate of all streams by key; `initialize` makes the first.
    ///
    /// Records without a value are to be left out before, as the JVM does
    /// ([`KGroupedStream::skip_null_values`]).
    pub fn aggregate<I>(
        self,
        initialize: I,
        materialized: impl Into<Materialized<K, A>>,
    ) -> KTable<K, A>
    where
        I: Fn() -> A + Send + Sync + 'static,
    {
        let materialized = materialized.into();
        let naming = self.naming(materialized.name.clone());
        let is_versioned = materialized.is_versioned();
        let definition = StoreDefinition::new(materialized, self.key.clone(), None);
        let serdes = (definition.key.clone(), definition.value.clone());
        let aggregation = Aggregation {
            initialize: Arc::new(initialize),
            definition: Arc::new(definition),
        };
        let builder = self.builder.clone();
        let node = self.add::<K>(naming, is_versioned, |stream, plan, part| {
            stream.add_aggregation(plan, part, aggregation.clone())
        });
        KTable::in_store(&builder, node, serdes, is_versioned)
    }

    /// The store's number comes first, then those of all repartitionings, then those of all
    /// aggregations, then that of the merge (`CogroupedStreamAggregateBuilder`).
    pub(crate) fn naming(&self, store: Option<Arc<str>>) -> Naming {
        let streams = self.streams.iter().enumerate();
        let repartitions: Vec<RepartitionNaming> = streams
            .map(|(index, stream)| stream.repartition_naming(index))
            .collect();
        Naming::Script(Box::new(move |namer, given| {
            let store = namer.store_or(store.as_ref(), AGGREGATE);
            let mut names = Names::default().with(part::STORE, Arc::clone(&store));
            for repartition in &repartitions {
                names = repartition(names, namer, &store);
            }
            for index in 0..repartitions.len() {
                let suffix = format!("-cogroup-agg-{index}");
                let name = namer.suffixed_or(given, &suffix, AGGREGATE);
                names = names.with_at(AGGREGATION, index, name);
            }
            names.with(
                part::NODE,
                namer.suffixed_or(given, "-cogroup-merge", MERGE),
            )
        }))
    }

    /// Adds the aggregations of all streams by `add_stream`, and the node where their changes come
    /// together, whose keys are `KO`. All of them write to the store of the operator.
    pub(crate) fn add<KO: 'static>(
        self,
        naming: Naming,
        is_versioned: bool,
        add_stream: impl Fn(&dyn Cogrouped<K, A>, &mut Plan, CogroupPart) -> PlanId,
    ) -> PlanId {
        let mut plan = self.builder.plan();
        let operator = plan.name(naming);
        let sources: Arc<[PlanId]> = self.streams.iter().map(|stream| stream.node()).collect();
        // All repartitionings come before the first aggregation.
        let parents = self.streams.iter().enumerate();
        let parents: Vec<PlanId> = parents
            .map(|(index, stream)| stream.add_parent(&mut plan, operator, index))
            .collect();
        let streams = self.streams.iter().zip(parents).enumerate();
        let aggregations: Vec<PlanId> = streams
            .map(|(index, (stream, parent))| {
                let part = CogroupPart {
                    operator,
                    index,
                    parent,
                    is_versioned,
                };
                add_stream(&**stream, &mut plan, part)
            })
            .collect();
        let table = Table::of_tables(aggregations.clone());
        let merge = Node::of_part(operator.node(), aggregations, move |lowering| {
            lowering.copartition(&sources);
            let name = lowering.name();
            let handle =
                lowering.add_processor::<KO, Change<A>, KO, Change<A>, _>(name, || PassThrough)?;
            lowering.set_handle(handle);
            Ok(())
        });
        plan.add(merge.with_table(table))
    }
}

/// Which of the aggregations of a cogroup is to be added, and where.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CogroupPart {
    pub(crate) operator: OperatorId,
    pub(crate) index: usize,
    pub(crate) parent: PlanId,
    pub(crate) is_versioned: bool,
}

impl CogroupPart {
    /// Whether this aggregation is to add the store that all share.
    pub(crate) fn adds_store(self) -> bool {
        self.index == 0
    }

    /// The node of the aggregation.
    pub(crate) fn into_node(
        self,
        lower: impl Fn(&mut Lowering<'_>) -> Result<()> + Send + Sync + 'static,
    ) -> Node {
        let name = self.operator.part_at(AGGREGATION, self.index);
        Node::of_part(name, vec![self.parent], lower)
            .with_table(Table::of_store())
            .with_output_versioned(self.is_versioned)
    }
}

/// Makes the first aggregate.
pub(super) type Initialize<A> = Arc<dyn Fn() -> A + Send + Sync>;

/// How streams are aggregated without windows.
pub(crate) struct Aggregation<K, A> {
    initialize: Initialize<A>,
    definition: Arc<StoreDefinition<K, A>>,
}

impl<K, A> Clone for Aggregation<K, A> {
    fn clone(&self) -> Self {
        Self {
            initialize: Arc::clone(&self.initialize),
            definition: Arc::clone(&self.definition),
        }
    }
}

/// One of several grouped streams, whatever its values.
pub(crate) trait Cogrouped<K, A>: Send + Sync {
    /// The node that its records come from, before they are repartitioned.
    fn node(&self) -> PlanId;

    /// Names the parts of the repartitioning that it needs, if it needs one.
    fn repartition_naming(&self, index: usize) -> RepartitionNaming;

    /// The node whose records are to be aggregated.
    fn add_parent(&self, plan: &mut Plan, operator: OperatorId, index: usize) -> PlanId;

    /// Adds its aggregation without windows.
    fn add_aggregation(
        &self,
        plan: &mut Plan,
        part: CogroupPart,
        aggregation: Aggregation<K, A>,
    ) -> PlanId;

    /// Adds its aggregation in windows of time.
    fn add_time_aggregation(
        &self,
        plan: &mut Plan,
        part: CogroupPart,
        aggregation: TimeAggregation<K, A>,
    ) -> PlanId
    where
        K: Clone;

    /// Adds its aggregation in sessions.
    fn add_session_aggregation(
        &self,
        plan: &mut Plan,
        part: CogroupPart,
        aggregation: SessionAggregation<K, A>,
    ) -> PlanId
    where
        K: Clone;
}

/// A grouped stream, and what adds its values to the aggregate.
struct CogroupedStream<K, V, F> {
    grouping: Grouping<K, V>,
    add: Arc<F>,
}

impl<K, V, A, F> Cogrouped<K, A> for CogroupedStream<K, V, F>
where
    K: 'static,
    V: Clone + 'static,
    A: Clone + 'static,
    F: Fn(&K, V, A) -> A + Send + Sync + 'static,
{
    fn node(&self) -> PlanId {
        self.grouping.node
    }

    fn repartition_naming(&self, index: usize) -> RepartitionNaming {
        self.grouping.repartition_naming(index)
    }

    fn add_parent(&self, plan: &mut Plan, operator: OperatorId, index: usize) -> PlanId {
        self.grouping.add_parent_at(plan, operator, index)
    }

    fn add_aggregation(
        &self,
        plan: &mut Plan,
        part: CogroupPart,
        aggregation: Aggregation<K, A>,
    ) -> PlanId {
        let Aggregation {
            initialize,
            definition,
        } = aggregation;
        let initial: Initial<A> = Some(Arc::clone(&initialize));
        let add = Arc::clone(&self.add);
        let add = Arc::new(move |key: &K, value: V, so_far: Option<A>| {
            Some(add(key, value, so_far.unwrap_or_else(|| initialize())))
        });
        let node = part.into_node(move |lowering| {
            let store = lowering.part(part::STORE)?;
            if part.adds_store() {
                let builder = definition.key_value(lowering, &store)?;
                lowering.topology().add_state_store(builder)?;
            }
            let sends_old_values = lowering.sends_old_values();
            let (add, initial, stores) = (Arc::clone(&add), initial.clone(), [Arc::clone(&store)]);
            let supplier = move |access: &StoreAccess<'_>| {
                let store = TableStore::find(access, &store, part.is_versioned)?;
                let results = TableResults::new(store, sends_old_values);
                Ok(Aggregate::new(Arc::clone(&add), results, initial.clone()))
            };
            let name = lowering.name();
            let handle = lowering
                .add_stateful_processor::<K, V, K, Change<A>, _>(name, supplier, &stores)?;
            lowering.set_handle(handle);
            Ok(())
        });
        plan.add(node)
    }

    fn add_time_aggregation(
        &self,
        plan: &mut Plan,
        part: CogroupPart,
        aggregation: TimeAggregation<K, A>,
    ) -> PlanId
    where
        K: Clone,
    {
        let folding = self.folding(&aggregation.initialize);
        let store = aggregation.store;
        let grace_ms = store.grace_ms();
        let node = part.into_node(move |lowering| {
            let name = lowering.part(part::STORE)?;
            if part.adds_store() {
                store.add(lowering, &name)?;
            }
            store.add_aggregate::<V, _>(lowering, name, folding.clone())
        });
        plan.add(node.with_grace_ms(grace_ms))
    }

    fn add_session_aggregation(
        &self,
        plan: &mut Plan,
        part: CogroupPart,
        aggregation: SessionAggregation<K, A>,
    ) -> PlanId
    where
        K: Clone,
    {
        let folding = self.folding(&aggregation.initialize);
        let SessionAggregation {
            sessions, merge, ..
        } = aggregation;
        let grace_ms = sessions.grace_ms();
        let merge = Arc::new(move |key: &K, one: Option<A>, other: A| match one {
            None => Some(other),
            Some(one) => Some(merge(key, one, other)),
        });
        let node = part.into_node(move |lowering| {
            let name = lowering.part(part::STORE)?;
            if part.adds_store() {
                sessions.add(lowering, &name)?;
            }
            let (folding, merge) = (folding.clone(), Arc::clone(&merge));
            sessions.add_aggregate::<V, _, _>(lowering, name, folding, merge)
        });
        plan.add(node.with_grace_ms(grace_ms))
    }
}

impl<K, V, F> CogroupedStream<K, V, F>
where
    K: 'static,
    V: Clone + 'static,
{
    /// How values become aggregates of windows.
    #[allow(clippy::type_complexity, reason = "the type of a closure has no name")]
    fn folding<A>(
        &self,
        initialize: &Initialize<A>,
    ) -> Folding<A, impl Fn(&K, Cow<'_, V>, Option<A>) -> Option<A> + Send + Sync + use<K, V, F, A>>
    where
        F: Fn(&K, V, A) -> A + Send + Sync + 'static,
        A: 'static,
    {
        let (initialize, add) = (Arc::clone(initialize), Arc::clone(&self.add));
        Folding {
            initial: Some(Arc::clone(&initialize)),
            add: Arc::new(move |key: &K, value: Cow<'_, V>, so_far: Option<A>| {
                let so_far = so_far.unwrap_or_else(|| initialize());
                Some(add(key, value.into_owned(), so_far))
            }),
        }
    }
}
