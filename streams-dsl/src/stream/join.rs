//! What the joins of streams have in common: their records come together by key first.

use std::sync::Arc;

use streams_core::serde::SharedSerde;

use crate::plan::{Namer, Names, OperatorId, Plan, PlanId, Role, part};
use crate::stream::{KStream, Repartition};

/// What keys and values can be written with, where that is known.
pub(crate) type Serdes<K, V> = (Option<SharedSerde<K>>, Option<SharedSerde<V>>);

/// A stream that is about to be joined.
pub(crate) struct JoinSide<K, V> {
    pub(crate) node: PlanId,
    pub(crate) key: Option<SharedSerde<K>>,
    pub(crate) value: Option<SharedSerde<V>>,
    repartition_required: bool,
    is_named: bool,
    keeps_null_keys: bool,
}

impl<K, V> JoinSide<K, V> {
    /// The stream, with the name of the join and the serdes that it asks for.
    pub(crate) fn new(
        stream: KStream<K, V>,
        name: Option<Arc<str>>,
        (key, value): Serdes<K, V>,
    ) -> Self {
        Self {
            node: stream.node,
            key: key.or(stream.key),
            value: value.or(stream.value),
            repartition_required: stream.repartition_required,
            is_named: name.is_some(),
            keeps_null_keys: false,
        }
    }

    /// Lets records without a key through, which an outer join keeps (KIP-962).
    pub(crate) fn keeping_null_keys(mut self) -> Self {
        self.keeps_null_keys = true;
        self
    }
}

/// Names the repartitioning of a side, if it has one: by the join's name and a suffix, or by the
/// stream's. Its numbers are taken also where an earlier one is used.
pub(crate) fn named_side<K, V>(
    side: &JoinSide<K, V>,
) -> impl Fn(&mut Namer<'_>, Names, Option<&Arc<str>>, &str, usize) -> Names + use<K, V> {
    let (node, is_required) = (side.node, side.repartition_required);
    move |namer, names, given, suffix, index| {
        if !is_required {
            return names;
        }
        let base = match given {
            Some(given) => format!("{given}{suffix}").into(),
            None => namer.visible_name_of(node),
        };
        names.with_repartition(index, namer.repartition(&base))
    }
}

/// The node whose records are joined: the stream's, or that of a repartitioning
/// (`KStreamImpl.repartitionForJoin`).
pub(crate) fn add_side<K: 'static, V: 'static>(
    plan: &mut Plan,
    side: JoinSide<K, V>,
    operator: OperatorId,
    index: usize,
) -> PlanId {
    if !side.repartition_required {
        return side.node;
    }
    if let Some(known) = plan
        .joined_repartition(side.node)
        .filter(|_| !side.is_named)
    {
        return known;
    }
    let mut repartition = Repartition::new(side.key, side.value);
    repartition.keeps_null_keys = side.keeps_null_keys;
    let has_serdes = repartition.has_serdes();
    let node = repartition.into_node(operator.part_at(part::SOURCE, index), side.node);
    let added = plan.add(node.with_role(Role::Repartitions { has_serdes }));
    plan.set_joined_repartition(side.node, added);
    added
}
