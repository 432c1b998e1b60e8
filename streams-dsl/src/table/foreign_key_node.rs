//! What a foreign-key join is made of (`KTableImpl.doJoinOnForeignKey`).

use std::sync::Arc;

use streams_core::processor::StreamPartitioner;
use streams_core::serde::{ByteSerde, Nullable, SharedSerde};
use streams_core::store::{KeyValueStore, StoreAccess, StoreBuilder};
use streams_core::topology::{InternalTopic, NodeHandle, Source};
use streams_core::{Error, Result};

use crate::operator::{
    Change, ForeignTableJoin, ResponseJoin, Subscription, SubscriptionJoin, SubscriptionReceive,
    SubscriptionResponse, SubscriptionResponseSerde, SubscriptionSend, SubscriptionSerde,
};
use crate::plan::{Lowering, PlanId};
use crate::stream::sink_to;
use crate::table::Getter;
use crate::table::foreign_key::Known;

/// The parts of a foreign-key join, besides its result.
pub(super) mod fk_part {
    /// The topic of subscriptions.
    pub(crate) const TOPIC: &str = "subscription-topic";
    /// Sends subscriptions.
    pub(crate) const SEND: &str = "subscription-send";
    /// Writes subscriptions.
    pub(crate) const SINK: &str = "subscription-sink";
    /// Reads subscriptions.
    pub(crate) const SOURCE: &str = "subscription-source";
    /// Where subscriptions are kept.
    pub(crate) const STORE: &str = "subscription-store";
    /// Keeps subscriptions.
    pub(crate) const RECEIVE: &str = "subscription-receive";
    /// Answers subscriptions.
    pub(crate) const JOIN: &str = "subscription-join";
    /// Tells subscribers of changes.
    pub(crate) const FOREIGN: &str = "foreign-join";
    /// The topic of answers.
    pub(crate) const RESPONSE: &str = "response-topic";
    /// Writes answers.
    pub(crate) const RESPONSE_SINK: &str = "response-sink";
    /// Reads answers.
    pub(crate) const RESPONSE_SOURCE: &str = "response-source";
    /// Joins rows with answers.
    pub(crate) const RESOLVER: &str = "response-resolver";
}

/// Joins a row with the one that it points at, as far as the join has a result.
pub(super) trait JoinRow<V, V2, VO>:
    Fn(&V, Option<&V2>) -> Option<VO> + Send + Sync + 'static
{
}

impl<V, V2, VO, F> JoinRow<V, V2, VO> for F where
    F: Fn(&V, Option<&V2>) -> Option<VO> + Send + Sync + 'static
{
}

/// A foreign-key join that is to become nodes.
pub(super) struct ForeignKeyParts<K, V, KO, V2, X, F> {
    pub(super) is_left: bool,
    pub(super) key: Known<K>,
    pub(super) value: Known<V>,
    pub(super) foreign_key: Known<KO>,
    pub(super) foreign_value: Known<V2>,
    pub(super) rows: Getter<K, V>,
    pub(super) foreign_rows: Getter<KO, V2>,
    pub(super) foreign_node: PlanId,
    pub(super) partitioner: Option<Arc<dyn StreamPartitioner<K, ()>>>,
    pub(super) other_partitioner: Option<Arc<dyn StreamPartitioner<KO, ()>>>,
    pub(super) extract: Arc<X>,
    pub(super) join: Arc<F>,
}

/// All serdes of a join.
struct Serdes<K, V, KO, V2> {
    key: SharedSerde<K>,
    value: SharedSerde<V>,
    foreign_key: SharedSerde<KO>,
    subscription: SharedSerde<Subscription<K>>,
    response: SharedSerde<SubscriptionResponse<V2>>,
}

type Subscriptions<K, KO> = NodeHandle<Option<KO>, Subscription<K>>;
type Responses<K, V2> = NodeHandle<K, SubscriptionResponse<V2>>;

impl<K, V, KO, V2, X, F> ForeignKeyParts<K, V, KO, V2, X, F>
where
    K: Clone + 'static,
    V: 'static,
    KO: 'static,
    V2: 'static,
    X: Fn(&K, &V) -> Option<KO> + Send + Sync + 'static,
{
    pub(super) fn lower<VO>(&self, lowering: &mut Lowering<'_>) -> Result<()>
    where
        F: JoinRow<V, V2, VO>,
        VO: 'static,
    {
        let serdes = self.serdes(lowering)?;
        self.add_send(lowering, &serdes)?;
        let subscriptions = self.add_source(lowering, &serdes)?;
        let answers = [
            self.add_join(lowering, subscriptions)?,
            Self::add_foreign_join(lowering, &serdes)?,
        ];
        self.add_responses(lowering, &serdes, &answers)?;
        self.add_resolver::<VO>(lowering, &serdes)
    }

    fn serdes(&self, lowering: &Lowering<'_>) -> Result<Serdes<K, V, KO, V2>> {
        fn known<T>(
            lowering: &Lowering<'_>,
            serde: Option<&SharedSerde<T>>,
            what: &str,
        ) -> Result<SharedSerde<T>> {
            let what = format!("joins by a foreign key, but has no {what} serde");
            let serde = serde.map(Arc::clone);
            serde.ok_or_else(|| lowering.invalid(&what))
        }
        let key = known(lowering, self.key.as_ref(), "key")?;
        let foreign_value = known(lowering, self.foreign_value.as_ref(), "foreign value")?;
        Ok(Serdes {
            subscription: Arc::new(SubscriptionSerde(Arc::clone(&key))),
            response: Arc::new(SubscriptionResponseSerde(foreign_value)),
            key,
            value: known(lowering, self.value.as_ref(), "value")?,
            foreign_key: known(lowering, self.foreign_key.as_ref(), "foreign key")?,
        })
    }

    fn add_send(&self, lowering: &mut Lowering<'_>, serdes: &Serdes<K, V, KO, V2>) -> Result<()> {
        let (extract, is_left) = (Arc::clone(&self.extract), self.is_left);
        let is_versioned = lowering.is_parent_versioned(0);
        let (foreign_key, value) = (Arc::clone(&serdes.foreign_key), Arc::clone(&serdes.value));
        let supplier = move || SubscriptionSend {
            extract: Arc::clone(&extract),
            foreign_key: Arc::clone(&foreign_key),
            value: Arc::clone(&value),
            is_left,
            is_versioned,
        };
        let (name, sink_name) = (lowering.part(fk_part::SEND)?, lowering.part(fk_part::SINK)?);
        let topic = lowering.part(fk_part::TOPIC)?;
        let parent = lowering.parent::<K, Change<V>>(0)?;
        let topology = lowering.topology();
        topology.add_internal_topic(InternalTopic {
            name: Arc::clone(&topic),
            partitions: None,
        })?;
        let sent: Subscriptions<K, KO> = topology.add_processor(&name, supplier, &[parent])?;
        let key = Arc::new(Nullable(Arc::clone(&serdes.foreign_key))) as SharedSerde<Option<KO>>;
        let mut sink = sink_to(&topic, &key, &serdes.subscription);
        if let Some(partitioner) = self.other_partitioner.clone() {
            let partitioner = move |topic: &str, key: &Option<KO>, _: &Subscription<K>, count| {
                partitioner.partitions(topic, key.as_ref()?, &(), count)
            };
            sink = sink.with_partitioner(Arc::new(partitioner));
        }
        topology.add_sink(&sink_name, sink, &[sent])
    }

    /// Adds what reads subscriptions and keeps them.
    fn add_source(
        &self,
        lowering: &mut Lowering<'_>,
        serdes: &Serdes<K, V, KO, V2>,
    ) -> Result<Subscriptions<K, KO>> {
        let (topic, name) = (
            lowering.part(fk_part::TOPIC)?,
            lowering.part(fk_part::SOURCE)?,
        );
        let key = Arc::new(Nullable(Arc::clone(&serdes.foreign_key)));
        let source = Source::topics([topic], key, Arc::clone(&serdes.subscription) as _);
        let read: Subscriptions<K, KO> = lowering.topology().add_source(&name, source)?;
        lowering.copartition_nodes(&[self.foreign_node], &name);
        let store = lowering.part(fk_part::STORE)?;
        let builder = StoreBuilder::timestamped_key_value(
            Arc::clone(&store),
            Arc::new(ByteSerde) as SharedSerde<Vec<u8>>,
            Arc::clone(&serdes.subscription),
        );
        lowering.topology().add_state_store(builder)?;
        let stores = [Arc::clone(&store)];
        let (key, foreign_key) = (Arc::clone(&serdes.key), Arc::clone(&serdes.foreign_key));
        let supplier = move |access: &StoreAccess<'_>| {
            let store = KeyValueStore::<Vec<u8>, Subscription<K>>::new(&*store);
            Ok::<_, Error>(SubscriptionReceive {
                store: access.timestamped_key_value(&store)?,
                key: Arc::clone(&key),
                foreign_key: Arc::clone(&foreign_key),
            })
        };
        let name = lowering.part(fk_part::RECEIVE)?;
        let topology = lowering.topology();
        topology.add_stateful_processor(&name, supplier, &[read], &stores)
    }

    fn add_join(
        &self,
        lowering: &mut Lowering<'_>,
        subscriptions: Subscriptions<K, KO>,
    ) -> Result<Responses<K, V2>> {
        let rows = (self.foreign_rows)(lowering)?;
        let stores = rows.stores.clone();
        let supplier = move |access: &StoreAccess<'_>| {
            let rows = rows.make(access)?;
            let find = move |key: &KO| rows.get(key);
            Ok::<_, Error>(SubscriptionJoin { find })
        };
        let name = lowering.part(fk_part::JOIN)?;
        let topology = lowering.topology();
        topology.add_stateful_processor(&name, supplier, &[subscriptions], &stores)
    }

    fn add_foreign_join(
        lowering: &mut Lowering<'_>,
        serdes: &Serdes<K, V, KO, V2>,
    ) -> Result<Responses<K, V2>> {
        let is_versioned = lowering.is_parent_versioned(1);
        let store = lowering.part(fk_part::STORE)?;
        let (stores, foreign_key) = ([Arc::clone(&store)], Arc::clone(&serdes.foreign_key));
        let supplier = move |access: &StoreAccess<'_>| {
            let store = KeyValueStore::<Vec<u8>, Subscription<K>>::new(&*store);
            Ok::<_, Error>(ForeignTableJoin {
                store: access.timestamped_key_value(&store)?,
                foreign_key: Arc::clone(&foreign_key),
                is_versioned,
            })
        };
        let name = lowering.part(fk_part::FOREIGN)?;
        let parent = lowering.parent::<KO, Change<V2>>(1)?;
        let topology = lowering.topology();
        topology.add_stateful_processor(&name, supplier, &[parent], &stores)
    }

    fn add_responses(
        &self,
        lowering: &mut Lowering<'_>,
        serdes: &Serdes<K, V, KO, V2>,
        answers: &[Responses<K, V2>],
    ) -> Result<()> {
        let topic = lowering.part(fk_part::RESPONSE)?;
        let name = lowering.part(fk_part::RESPONSE_SINK)?;
        let topology = lowering.topology();
        topology.add_internal_topic(InternalTopic {
            name: Arc::clone(&topic),
            partitions: None,
        })?;
        let given = self.partitioner.clone();
        let partitioner =
            move |topic: &str, key: &K, response: &SubscriptionResponse<V2>, count| match &given {
                Some(given) => given.partitions(topic, key, &(), count),
                None => response.primary_partition.map(|partition| vec![partition]),
            };
        let sink = sink_to(&topic, &serdes.key, &serdes.response);
        let sink = sink.with_partitioner(Arc::new(partitioner));
        topology.add_sink(&name, sink, answers)
    }

    fn add_resolver<VO>(
        &self,
        lowering: &mut Lowering<'_>,
        serdes: &Serdes<K, V, KO, V2>,
    ) -> Result<()>
    where
        F: JoinRow<V, V2, VO>,
        VO: 'static,
    {
        let topic = lowering.part(fk_part::RESPONSE)?;
        let name = lowering.part(fk_part::RESPONSE_SOURCE)?;
        let (key, response) = (Arc::clone(&serdes.key), Arc::clone(&serdes.response));
        let source = Source::topics([topic], key as _, response as _);
        let read: Responses<K, V2> = lowering.topology().add_source(&name, source)?;
        let parent = lowering.parent_node(0)?;
        lowering.copartition_nodes(&[parent], &name);
        let rows = (self.rows)(lowering)?;
        let stores = rows.stores.clone();
        let (value, join) = (Arc::clone(&serdes.value), Arc::clone(&self.join));
        let supplier = move |access: &StoreAccess<'_>| {
            let (rows, join) = (rows.make(access)?, Arc::clone(&join));
            let join = move |row: &V, other: Option<&V2>| join(row, other);
            Ok::<_, Error>(ResponseJoin {
                find: move |key: &K| rows.get(key),
                value: Arc::clone(&value),
                join: Arc::new(join),
            })
        };
        let name = lowering.part(fk_part::RESOLVER)?;
        let topology = lowering.topology();
        let handle = topology.add_stateful_processor(&name, supplier, &[read], &stores)?;
        lowering.set_handle::<K, Option<VO>>(handle);
        Ok(())
    }
}
