//! What every aggregation of a grouped stream is made of (`GroupedStreamAggregateBuilder`).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use streams_core::serde::{SharedSerde, non_null};

use crate::builder::StreamsBuilder;
use crate::operator::SkipNullValues;
use crate::plan::{Namer, Names, Naming, OperatorId, PartName, Plan, PlanId, Role, part};
use crate::stream::{Repartition, processor_node};

/// Where the records of a grouped stream come from, and what is known of them.
pub(crate) struct Grouping<K, V> {
    pub(crate) builder: StreamsBuilder,
    pub(crate) key: Option<SharedSerde<K>>,
    pub(crate) value: Option<SharedSerde<V>>,
    /// The node that the records come from, before they are repartitioned.
    pub(crate) node: PlanId,
    /// Whether that node's records may be without a value, and are left out on their way.
    skips_null_values: bool,
    /// Adds what stands between the grouped stream and one of its aggregations.
    add_parent: Arc<AddParent>,
    repartitioning: Arc<Repartitioning>,
}

/// Is told the part that reads the repartition topic, and whether another aggregation's topic may
/// serve.
type AddParent = dyn Fn(&mut Plan, PartName, Sharing) -> PlanId + Send + Sync;

/// Whether aggregations of a group with a name share its repartition topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sharing {
    Shared,
    Own,
}

/// How a group is repartitioned.
struct Repartitioning {
    is_required: bool,
    /// The user's name for the topic.
    name: Option<Arc<str>>,
    /// The repartitioning that aggregations of a named group share, once there is one.
    shared: Mutex<Option<PlanId>>,
}

/// Adds the names of a repartitioning, whose topic may be called by the store.
pub(crate) type RepartitionNaming =
    Box<dyn Fn(Names, &mut Namer<'_>, &Arc<str>) -> Names + Send + Sync>;

impl Repartitioning {
    /// Names the parts; the numbers are taken also where an earlier repartitioning serves.
    fn name(&self, names: Names, namer: &mut Namer<'_>, index: usize, store: &Arc<str>) -> Names {
        if !self.is_required {
            return names;
        }
        let base = self.name.as_ref().unwrap_or(store);
        names.with_repartition(index, namer.repartition(base))
    }

    fn shared(&self) -> MutexGuard<'_, Option<PlanId>> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K, V> Clone for Grouping<K, V> {
    fn clone(&self) -> Self {
        Self {
            builder: self.builder.clone(),
            key: self.key.clone(),
            value: self.value.clone(),
            node: self.node,
            skips_null_values: self.skips_null_values,
            add_parent: Arc::clone(&self.add_parent),
            repartitioning: Arc::clone(&self.repartitioning),
        }
    }
}

impl<K: Clone + 'static, V: Clone + 'static> Grouping<K, V> {
    /// Lets the records go to one more aggregation.
    pub(crate) fn allow_fan_out(&self) {
        let mut plan = self.builder.plan();
        if self.skips_null_values {
            plan.allow_fan_out::<K, Option<V>>(self.node);
        } else {
            plan.allow_fan_out::<K, V>(self.node);
        }
    }
}

impl<K: 'static, V: 'static> Grouping<K, V> {
    /// The records of `node`, grouped; `name` is the user's name for their repartition topic.
    pub(crate) fn new(
        builder: StreamsBuilder,
        node: PlanId,
        (key, value): (Option<SharedSerde<K>>, Option<SharedSerde<V>>),
        name: Option<Arc<str>>,
        repartition_required: bool,
    ) -> Self {
        let repartitioning = Arc::new(Repartitioning {
            is_required: repartition_required,
            name,
            shared: Mutex::default(),
        });
        let (serdes, known) = ((key.clone(), value.clone()), Arc::clone(&repartitioning));
        let add_parent = move |plan: &mut Plan, source: PartName, sharing: Sharing| {
            if !known.is_required {
                return node;
            }
            let mut shared = known.shared();
            let is_shared = sharing == Sharing::Shared && known.name.is_some();
            if let Some(shared) = shared.filter(|_| is_shared) {
                plan.move_back(shared);
                return shared;
            }
            let (key, value) = serdes.clone();
            let repartition = Repartition::new(key, value);
            let has_serdes = repartition.has_serdes();
            let repartition = repartition.into_node(source, node);
            let added = plan.add(repartition.with_role(Role::Repartitions { has_serdes }));
            if is_shared {
                *shared = Some(added);
            }
            added
        };
        Self {
            builder,
            key,
            value,
            node,
            skips_null_values: false,
            add_parent: Arc::new(add_parent),
            repartitioning,
        }
    }

    /// How an aggregation is named: its store, its node, and the repartitioning before it, whose
    /// topic has the group's name or the store's.
    pub(crate) fn naming(&self, prefix: &'static str, store: Option<Arc<str>>) -> Naming {
        let repartitioning = Arc::clone(&self.repartitioning);
        Naming::Script(Box::new(move |namer, given| {
            let store = namer.store_or(store.as_ref(), prefix);
            let name = namer.given_or(given, prefix);
            let names = Names::of_node(name).with(part::STORE, Arc::clone(&store));
            repartitioning.name(names, namer, 0, &store)
        }))
    }

    /// Names the parts of the repartitioning before one of several aggregations into one store.
    pub(crate) fn repartition_naming(&self, index: usize) -> RepartitionNaming {
        let repartitioning = Arc::clone(&self.repartitioning);
        Box::new(move |names, namer, store| repartitioning.name(names, namer, index, store))
    }

    /// The node whose records the operator is to aggregate.
    pub(crate) fn add_parent(&self, plan: &mut Plan, operator: OperatorId) -> PlanId {
        (self.add_parent)(plan, operator.part(part::SOURCE), Sharing::Shared)
    }

    /// The node whose records one of several aggregations of the operator is for.
    pub(crate) fn add_parent_at(
        &self,
        plan: &mut Plan,
        operator: OperatorId,
        index: usize,
    ) -> PlanId {
        (self.add_parent)(plan, operator.part_at(part::SOURCE, index), Sharing::Own)
    }
}

impl<K: 'static, V: 'static> Grouping<K, Option<V>> {
    /// The same records but for those without a value, which are left out right before an
    /// aggregation, as the JVM's aggregations do.
    pub(crate) fn skip_null_values(self) -> Grouping<K, V> {
        let add_parent = self.add_parent;
        let add_skipping = move |plan: &mut Plan, source: PartName, sharing: Sharing| {
            let parent = add_parent(plan, source, sharing);
            let naming = Naming::Derived(parent, "-skip-null-values");
            let node = processor_node::<K, Option<V>, K, V, _>(naming, parent, || SkipNullValues);
            plan.add_hidden(node)
        };
        Grouping {
            builder: self.builder,
            key: self.key,
            value: self.value.as_ref().and_then(non_null),
            node: self.node,
            skips_null_values: true,
            add_parent: Arc::new(add_skipping),
            repartitioning: self.repartitioning,
        }
    }
}
