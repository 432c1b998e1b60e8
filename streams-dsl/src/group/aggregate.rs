//! What every aggregation of a grouped stream is made of (`GroupedStreamAggregateBuilder`).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use streams_core::serde::{SharedSerde, non_null};

use crate::builder::StreamsBuilder;
use crate::operator::SkipNullValues;
use crate::plan::{Names, Naming, OperatorId, Plan, PlanId, Role, part};
use crate::stream::{Repartition, processor_node};

/// Where the records of a grouped stream come from, and what is known of them.
pub(crate) struct Grouping<K, V> {
    pub(crate) builder: StreamsBuilder,
    pub(crate) key: Option<SharedSerde<K>>,
    pub(crate) value: Option<SharedSerde<V>>,
    /// Adds what stands between the grouped stream and one of its aggregations.
    add_parent: Arc<AddParent>,
    repartitioning: Arc<Repartitioning>,
}

type AddParent = dyn Fn(&mut Plan, OperatorId) -> PlanId + Send + Sync;

/// How a group is repartitioned.
struct Repartitioning {
    is_required: bool,
    /// The user's name for the topic.
    name: Option<Arc<str>>,
    /// The repartitioning that aggregations of a named group share, once there is one.
    shared: Mutex<Option<PlanId>>,
}

impl Repartitioning {
    fn shared(&self) -> MutexGuard<'_, Option<PlanId>> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the next aggregation brings a repartitioning of its own.
    fn is_next(&self) -> bool {
        self.is_required && (self.name.is_none() || self.shared().is_none())
    }
}

impl<K, V> Clone for Grouping<K, V> {
    fn clone(&self) -> Self {
        Self {
            builder: self.builder.clone(),
            key: self.key.clone(),
            value: self.value.clone(),
            add_parent: Arc::clone(&self.add_parent),
            repartitioning: Arc::clone(&self.repartitioning),
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
        let add_parent = move |plan: &mut Plan, operator: OperatorId| {
            if !known.is_required {
                return node;
            }
            let mut shared = known.shared();
            if let Some(shared) = shared.filter(|_| known.name.is_some()) {
                plan.move_back(shared);
                return shared;
            }
            let (key, value) = serdes.clone();
            let repartition = Repartition::new(key, value);
            let has_serdes = repartition.has_serdes();
            let repartition = repartition.into_node(operator.part(part::SOURCE), node);
            let added = plan.add(repartition.with_role(Role::Repartitions { has_serdes }));
            *shared = Some(added);
            added
        };
        Self {
            builder,
            key,
            value,
            add_parent: Arc::new(add_parent),
            repartitioning,
        }
    }

    /// How an aggregation is named: its store, its node, and the repartitioning before it, whose
    /// topic has the group's name or the store's.
    pub(crate) fn naming(&self, prefix: &'static str, store: Option<Arc<str>>) -> Naming {
        let group = self.repartitioning.name.clone();
        let repartitions = self.repartitioning.is_next();
        Naming::Script(Box::new(move |namer, given| {
            let store = namer.store_or(store.as_ref(), prefix);
            let name = namer.given_or(given, prefix);
            let base = group.as_ref().unwrap_or(&store);
            let names = Names::of_node(name).with(part::STORE, Arc::clone(&store));
            if repartitions {
                return names.with_repartition(0, namer.repartition(base));
            }
            names
        }))
    }

    /// The node whose records the operator is to aggregate.
    pub(crate) fn add_parent(&self, plan: &mut Plan, operator: OperatorId) -> PlanId {
        (self.add_parent)(plan, operator)
    }
}

impl<K: 'static, V: 'static> Grouping<K, Option<V>> {
    /// The same records but for those without a value, which are left out right before an
    /// aggregation, as the JVM's aggregations do.
    pub(crate) fn skip_null_values(self) -> Grouping<K, V> {
        let add_parent = self.add_parent;
        let add_skipping = move |plan: &mut Plan, operator: OperatorId| {
            let parent = add_parent(plan, operator);
            let naming = Naming::Derived(parent, "-skip-null-values");
            let node = processor_node::<K, Option<V>, K, V, _>(naming, parent, || SkipNullValues);
            plan.add_hidden(node)
        };
        Grouping {
            builder: self.builder,
            key: self.key,
            value: self.value.as_ref().and_then(non_null),
            add_parent: Arc::new(add_skipping),
            repartitioning: self.repartitioning,
        }
    }
}
