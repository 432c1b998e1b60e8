//! What a join of streams is made of (`KStreamImplJoin`, `StreamStreamJoinNode`).

use std::any::TypeId;
use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::sync::Arc;

use streams_core::serde::{ByteSerde, SharedSerde};
use streams_core::store::{StoreAccess, StoreBuilder, StoreType, WindowStore, WindowStoreSettings};
use streams_core::topology::NodeHandle;
use streams_core::{Error, Result};

use crate::operator::{
    JoinTime, KeyForm, PassThrough, SelfJoin, SideKey, SideKeySerde, SideValue, StreamJoin,
    StreamJoining, StreamWindow, TypedSelfJoin, Unjoined,
};
use crate::plan::{Lowering, PlanId};
use crate::window::JoinWindows;

/// The parts of a join of streams, besides its node, which brings both sides together.
pub(super) mod join_part {
    /// Keeps the records of the left stream.
    pub(crate) const THIS_WINDOWED: &str = "this-windowed";
    /// Keeps the records of the right stream.
    pub(crate) const OTHER_WINDOWED: &str = "other-windowed";
    /// Joins records of the left stream.
    pub(crate) const THIS: &str = "this-join";
    /// Joins records of the right stream.
    pub(crate) const OTHER: &str = "other-join";
    /// The store of the left stream's records.
    pub(crate) const THIS_STORE: &str = "this-store";
    /// The store of the right stream's records.
    pub(crate) const OTHER_STORE: &str = "other-store";
    /// The store of records without a partner.
    pub(crate) const SHARED: &str = "shared-store";
}

/// Of which streams a join keeps records without a partner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Outer {
    pub(super) left: bool,
    pub(super) right: bool,
}

/// Joins values of two streams, as far as the join has a result.
pub(super) trait JoinValues<SK, V, V2, VO>:
    Fn(&SK, Option<&V>, Option<&V2>) -> Option<VO> + Send + Sync + 'static
{
}

impl<SK, V, V2, VO, F> JoinValues<SK, V, V2, VO> for F where
    F: Fn(&SK, Option<&V>, Option<&V2>) -> Option<VO> + Send + Sync + 'static
{
}

/// A join of streams that is to become nodes.
pub(super) struct StreamJoinParts<SK, K, V, V2, F> {
    pub(super) form: KeyForm<SK, K>,
    pub(super) outer: Outer,
    pub(super) windows: JoinWindows,
    pub(super) key: Option<SharedSerde<K>>,
    pub(super) left: Option<SharedSerde<V>>,
    pub(super) right: Option<SharedSerde<V2>>,
    pub(super) store_type: Option<StoreType>,
    pub(super) logging: Option<BTreeMap<String, String>>,
    pub(super) join: Arc<F>,
}

/// The nodes that keep the records of both streams.
#[derive(Debug, Clone, Copy)]
pub(super) struct Windowed {
    pub(super) left: PlanId,
    pub(super) right: PlanId,
}

impl Windowed {
    /// Whether both are one, as a stream is joined with itself.
    fn are_one<V: 'static, V2: 'static>(self, lowering: &Lowering<'_>) -> bool {
        lowering.joins_self_in_one_store()
            && TypeId::of::<V>() == TypeId::of::<V2>()
            && lowering.have_same_parents(self.left, self.right)
    }
}

impl<SK, K, V, V2, F> StreamJoinParts<SK, K, V, V2, F>
where
    SK: Clone + 'static,
    K: Clone + 'static,
    V: 'static,
    V2: 'static,
{
    /// Lowers what keeps the records of the left stream.
    pub(super) fn lower_left(&self, lowering: &mut Lowering<'_>, right: PlanId) -> Result<()> {
        let windowed = Windowed {
            left: lowering.node(),
            right,
        };
        let joins_self = windowed.are_one::<V, V2>(lowering);
        self.lower_window(
            lowering,
            join_part::THIS_STORE,
            self.left.as_ref(),
            joins_self,
        )
    }

    /// Lowers what keeps the records of the right stream.
    pub(super) fn lower_right(&self, lowering: &mut Lowering<'_>, left: PlanId) -> Result<()> {
        let windowed = Windowed {
            left,
            right: lowering.node(),
        };
        if windowed.are_one::<V, V2>(lowering) {
            return Ok(());
        }
        self.lower_window(lowering, join_part::OTHER_STORE, self.right.as_ref(), false)
    }

    fn lower_window<T: 'static>(
        &self,
        lowering: &mut Lowering<'_>,
        store: &'static str,
        value: Option<&SharedSerde<T>>,
        joins_self: bool,
    ) -> Result<()> {
        let store = lowering.part(store)?;
        let missing = |what| lowering.invalid(&format!("keeps records, but has no {what} serde"));
        let key = Arc::clone(self.key.as_ref().ok_or_else(|| missing("key"))?);
        let value = Arc::clone(value.ok_or_else(|| missing("value"))?);
        let size_ms = self.windows.size_ms();
        let retention_ms = size_ms.saturating_add(self.windows.grace_ms);
        let mut settings = WindowStoreSettings::new(retention_ms, size_ms);
        settings.retain_duplicates = true;
        let builder = StoreBuilder::window(Arc::clone(&store), key, value, settings);
        lowering.topology().add_state_store(self.kept(builder))?;
        let (form, stores) = (self.form, [Arc::clone(&store)]);
        let supplier = move |access: &StoreAccess<'_>| {
            let store = access.window::<K, T>(&WindowStore::new(&*store))?;
            Ok(StreamWindow::new(form, (!joins_self).then_some(store)))
        };
        let name = lowering.name();
        let handle = lowering.add_stateful_processor::<SK, T, SK, T, _>(name, supplier, &stores)?;
        lowering.set_handle(handle);
        Ok(())
    }

    fn kept(&self, mut store: StoreBuilder) -> StoreBuilder {
        if let Some(store_type) = self.store_type {
            store = store.with_store_type(store_type);
        }
        match &self.logging {
            Some(topic_config) => store.with_logging(topic_config.clone()),
            None => store.without_logging(),
        }
    }

    /// Lowers what joins, below what keeps.
    pub(super) fn lower_join<VO>(
        &self,
        lowering: &mut Lowering<'_>,
        windowed: Windowed,
    ) -> Result<()>
    where
        F: JoinValues<SK, V, V2, VO>,
        VO: 'static,
    {
        lowering.copartition_with(&[]);
        if windowed.are_one::<V, V2>(lowering) {
            return self.lower_self_join::<VO>(lowering);
        }
        let shared = match self.outer.left || self.outer.right {
            true => Some(self.add_shared(lowering)?),
            false => None,
        };
        let sides = [
            self.add_this::<VO>(lowering, shared.as_ref())?,
            self.add_other::<VO>(lowering, shared.as_ref())?,
        ];
        let name = lowering.name();
        let topology = lowering.topology();
        let handle = topology.add_processor::<SK, VO, SK, VO, _>(name, || PassThrough, &sides)?;
        lowering.set_handle(handle);
        Ok(())
    }

    /// Adds the store of records without a partner.
    fn add_shared(&self, lowering: &mut Lowering<'_>) -> Result<Arc<str>> {
        let name = lowering.part(join_part::SHARED)?;
        let key = self.key.clone();
        let key = key.ok_or_else(|| lowering.invalid("keeps records, but has no key serde"))?;
        let (key, value) = (Arc::new(SideKeySerde(key)), Arc::new(ByteSerde));
        let store = StoreBuilder::list::<SideKey<K>, SideValue>(Arc::clone(&name), key, value);
        lowering.topology().add_state_store(self.kept(store))?;
        Ok(name)
    }

    fn add_this<VO>(
        &self,
        lowering: &mut Lowering<'_>,
        shared: Option<&Arc<str>>,
    ) -> Result<NodeHandle<SK, VO>>
    where
        F: JoinValues<SK, V, V2, VO>,
        VO: 'static,
    {
        let joining = StreamJoining {
            is_left: true,
            is_outer: self.outer.left,
            windows: self.windows,
        };
        let join = Arc::clone(&self.join);
        let join = move |key: &SK, left: Option<&V>, right: Option<&V2>| join(key, left, right);
        let serdes = (self.left.clone(), self.right.clone());
        let side = (join_part::THIS, join_part::OTHER_STORE, 0);
        self.add_side(lowering, side, joining, (shared, serdes), join)
    }

    fn add_other<VO>(
        &self,
        lowering: &mut Lowering<'_>,
        shared: Option<&Arc<str>>,
    ) -> Result<NodeHandle<SK, VO>>
    where
        F: JoinValues<SK, V, V2, VO>,
        VO: 'static,
    {
        let joining = StreamJoining {
            is_left: false,
            is_outer: self.outer.right,
            windows: self.windows,
        };
        let join = Arc::clone(&self.join);
        let join = move |key: &SK, right: Option<&V2>, left: Option<&V>| join(key, left, right);
        let serdes = (self.right.clone(), self.left.clone());
        let side = (join_part::OTHER, join_part::THIS_STORE, 1);
        self.add_side(lowering, side, joining, (shared, serdes), join)
    }

    /// Adds what joins records of one side: its part, the store of the other side, and which of the
    /// parents it is below.
    fn add_side<T, T2, VO>(
        &self,
        lowering: &mut Lowering<'_>,
        (part, others, parent): (&'static str, &'static str, usize),
        joining: StreamJoining,
        (shared, (this, other)): (Option<&Arc<str>>, Serdes<T, T2>),
        join: impl Fn(&SK, Option<&T>, Option<&T2>) -> Option<VO> + Clone + Send + Sync + 'static,
    ) -> Result<NodeHandle<SK, VO>>
    where
        T: 'static,
        T2: 'static,
        VO: 'static,
    {
        let (name, others) = (lowering.part(part)?, lowering.part(others)?);
        let mut stores = vec![Arc::clone(&others)];
        stores.extend(shared.cloned());
        let (form, shared, key) = (self.form, shared.cloned(), self.key.clone());
        let node: Arc<str> = lowering.name().into();
        let supplier = move |access: &StoreAccess<'_>| {
            let others = access.window::<K, T2>(&WindowStore::new(&*others))?;
            let mut unjoined = None;
            if let (Some(shared), Some(key), Some(this), Some(other)) =
                (&shared, &key, &this, &other)
            {
                unjoined = Some(Unjoined {
                    store: access.list(shared)?,
                    key: Arc::clone(key),
                    this: Arc::clone(this),
                    other: Arc::clone(other),
                });
            }
            let time = access.shared::<JoinTime>(&node)?;
            let kept = (unjoined, time);
            Ok(StreamJoin::new(form, others, join.clone(), joining, kept))
        };
        let parent = lowering.parent::<SK, T>(parent)?;
        let topology = lowering.topology();
        topology.add_stateful_processor(&name, supplier, &[parent], &stores)
    }

    fn lower_self_join<VO>(&self, lowering: &mut Lowering<'_>) -> Result<()>
    where
        F: JoinValues<SK, V, V2, VO>,
        VO: 'static,
    {
        let store = lowering.part(join_part::THIS_STORE)?;
        let (form, windows, join) = (self.form, self.windows, Arc::clone(&self.join));
        let stores = [Arc::clone(&store)];
        let supplier = move |access: &StoreAccess<'_>| {
            let store = access.window::<K, V>(&WindowStore::new(&*store))?;
            let join = Arc::clone(&join);
            let join = move |key: &SK, left: Option<&V>, right: Option<&V2>| join(key, left, right);
            Ok::<_, Error>(TypedSelfJoin {
                join: SelfJoin::new(form, store, join, windows),
                right: PhantomData,
            })
        };
        let (name, parent) = (lowering.name(), lowering.parent::<SK, V>(0)?);
        let topology = lowering.topology();
        let handle = topology.add_stateful_processor(name, supplier, &[parent], &stores)?;
        lowering.set_handle::<SK, VO>(handle);
        Ok(())
    }
}

type Serdes<T, T2> = (Option<SharedSerde<T>>, Option<SharedSerde<T2>>);
