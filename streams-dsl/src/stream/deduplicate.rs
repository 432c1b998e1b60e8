//! Streams without their duplicates.

use std::sync::Arc;
use std::time::Duration;

use streams_core::serde::{ByteSerde, SharedSerde};
use streams_core::store::{KeyValueStore, StoreAccess, StoreBuilder};
use streams_core::{Error, Result};

use crate::group::NeverNull;
use crate::operator::{Deduplicate, KeyAndIdSerde};
use crate::option::Deduplicated;
use crate::plan::{Lowering, Names, Naming, Node, Role, part};
use crate::stream::{KStream, Repartition};
use crate::window::millis;

const PREFIX: &str = "KSTREAM-DEDUPLICATE-";

impl<K: 'static, V: 'static> KStream<K, V> {
    /// Lets the first record of each key pass, and leaves out those of the same key whose time is
    /// within `interval` of its own, before or after it; they are counted as dropped (KIP-655,
    /// which no release of the JVM's library has yet).
    ///
    /// - The interval counts from the record that has passed: what is left out does not lengthen
    ///   it. Both of its ends belong to it, and a zero interval leaves out what has the same time.
    ///   Milliseconds count; what is below one does not.
    /// - A record is forgotten, and the next of its key passes, once any record that the operator
    ///   has seen is more than the interval younger. A record that comes late, already older than
    ///   that, passes unless it is within the interval of one that is still known; it is not
    ///   remembered, so that late duplicates of each other all pass.
    /// - Keys are the same if their bytes are.
    ///
    /// Goes through a repartition topic if the keys may have changed. One entry for each key of the
    /// last interval is kept in a key-value store with a changelog; older ones are deleted from
    /// both, some with each commit that has written others.
    ///
    /// Where KIP-655 says nothing, or only its draft does:
    ///
    /// - The time of the youngest record is the operator's own, and is committed with the task's
    ///   offsets, so that a restart changes no result.
    /// - A record that is read again after a failure under `at_least_once` passes again, for what
    ///   was sent of it may be lost. It is told by its topic, its offset, and which of the records
    ///   it is that operators before this one have made of what stands there.
    /// - The store is named as the operator is, and the repartition topic too.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use streams_dsl::{StreamsBuilder, Topic, TopologyTestDriver, serde::Utf8};
    /// # let alarms = Topic::<String, String>::new("alarms", Utf8, Utf8);
    /// # let out = Topic::<String, String>::new("out", Utf8, Utf8);
    /// # let builder = StreamsBuilder::new();
    /// builder.stream(&alarms).deduplicate_by_key(Duration::from_secs(60)).to(&out);
    /// # let mut driver = TopologyTestDriver::new(&builder.build()?)?;
    /// driver.pipe(&alarms, &"pump".into(), &"hot".into(), 0)?;
    /// driver.pipe(&alarms, &"pump".into(), &"hotter".into(), 60_000)?; // left out
    /// driver.pipe(&alarms, &"pump".into(), &"broken".into(), 60_001)?;
    /// assert_eq!(driver.read(&out), Some(("pump".into(), "hot".into())));
    /// assert_eq!(driver.read(&out), Some(("pump".into(), "broken".into())));
    /// # Ok::<(), streams_dsl::Error>(())
    /// ```
    ///
    /// A key that may be null does not tell records apart; [`KStream::skip_null_keys`] leaves such
    /// records out, and [`KStream::split`] lets them go another way:
    ///
    /// ```compile_fail,E0283
    /// # use std::time::Duration;
    /// # use streams_dsl::{StreamsBuilder, Topic, serde::{Nullable, Utf8}};
    /// # let builder = StreamsBuilder::new();
    /// let alarms = Topic::<Option<String>, String>::new("alarms", Nullable(Utf8), Utf8);
    /// builder.stream(&alarms).deduplicate_by_key(Duration::from_secs(60));
    /// ```
    #[must_use]
    pub fn deduplicate_by_key<A>(self, interval: Duration) -> Self
    where
        K: NeverNull<A>,
    {
        self.deduplicate_by_key_with(interval, Deduplicated::new())
    }

    /// As [`KStream::deduplicate_by_key`], with names, serdes and how the store is kept.
    #[must_use]
    pub fn deduplicate_by_key_with<A>(
        self,
        interval: Duration,
        deduplicated: Deduplicated<K, V>,
    ) -> Self
    where
        K: NeverNull<A>,
    {
        let identity = deduplicated.key.clone().or_else(|| self.key.clone());
        self.deduplicated(
            interval,
            deduplicated,
            |key, _: &V| Ok(key),
            |key| key,
            Ok(identity),
        )
    }

    /// As [`KStream::deduplicate_by_key`], where records are the same if both their keys are and
    /// what `select` makes of them, which `id` writes. A record for which that is `None` always
    /// passes.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use streams_dsl::{StreamsBuilder, Topic, TopologyTestDriver, serde::Utf8};
    /// # let orders = Topic::<String, String>::new("orders", Utf8, Utf8);
    /// # let out = Topic::<String, String>::new("out", Utf8, Utf8);
    /// # let builder = StreamsBuilder::new();
    /// let hour = Duration::from_secs(3_600);
    /// let orders_once = builder.stream(&orders).deduplicate_by_key_value(Utf8, hour, |_, order| {
    ///     order.split(' ').next().map(str::to_owned)
    /// });
    /// orders_once.to(&out);
    /// # let mut driver = TopologyTestDriver::new(&builder.build()?)?;
    /// driver.pipe(&orders, &"ada".into(), &"#1 tea".into(), 0)?;
    /// driver.pipe(&orders, &"ada".into(), &"#1 tea, again".into(), 1)?; // left out
    /// driver.pipe(&orders, &"ada".into(), &"#2 milk".into(), 2)?;
    /// driver.pipe(&orders, &"bob".into(), &"#1 bread".into(), 3)?;
    /// assert_eq!(driver.read(&out), Some(("ada".into(), "#1 tea".into())));
    /// assert_eq!(driver.read(&out), Some(("ada".into(), "#2 milk".into())));
    /// assert_eq!(driver.read(&out), Some(("bob".into(), "#1 bread".into())));
    /// # Ok::<(), streams_dsl::Error>(())
    /// ```
    #[must_use]
    pub fn deduplicate_by_key_value<I, A, F>(
        self,
        id: impl streams_core::serde::Serde<I> + 'static,
        interval: Duration,
        select: F,
    ) -> Self
    where
        F: Fn(&K, &V) -> Option<I> + Send + Sync + 'static,
        I: 'static,
        K: NeverNull<A>,
    {
        let deduplicated = Deduplicated::new().with_id_serde(id);
        self.deduplicate_by_key_value_with(interval, deduplicated, select)
    }

    /// As [`KStream::deduplicate_by_key_value`], with names, serdes and how the store is kept.
    /// [`Deduplicated::with_id_serde`] must be given; [`StreamsBuilder::build`] tells if it is not.
    ///
    /// [`StreamsBuilder::build`]: crate::StreamsBuilder::build
    #[must_use]
    pub fn deduplicate_by_key_value_with<I, A, F>(
        self,
        interval: Duration,
        deduplicated: Deduplicated<K, V, I>,
        select: F,
    ) -> Self
    where
        F: Fn(&K, &V) -> Option<I> + Send + Sync + 'static,
        I: 'static,
        K: NeverNull<A>,
    {
        let key = deduplicated.key.clone().or_else(|| self.key.clone());
        let identity = match deduplicated.id.clone() {
            None => Err("id"),
            Some(id) => Ok(key.map(|key| Arc::new(KeyAndIdSerde { key, id }) as _)),
        };
        let identify = move |key, value: &V| match select(&key, value) {
            Some(id) => Ok((key, id)),
            None => Err(key),
        };
        self.deduplicated(interval, deduplicated, identify, |(key, _)| key, identity)
    }

    /// Leaves out what has been seen; see [`Deduplicate`] for `identify` and `into_key`. `identity`
    /// is what identities are written with, or which serde is missing for that.
    fn deduplicated<S, I, F>(
        self,
        interval: Duration,
        deduplicated: Deduplicated<K, V, I>,
        identify: F,
        into_key: fn(S) -> K,
        identity: std::result::Result<Option<SharedSerde<S>>, &'static str>,
    ) -> Self
    where
        F: Fn(K, &V) -> std::result::Result<S, K> + Send + Sync + 'static,
        S: 'static,
        I: 'static,
    {
        let (key, value) = (
            deduplicated.key.clone().or(self.key),
            deduplicated.value.clone().or(self.value),
        );
        let is_required = self.repartition_required;
        let naming = naming(&deduplicated, is_required);
        let mut plan = self.builder.plan();
        let operator = plan.name(naming);
        let mut parent = self.node;
        if is_required {
            let repartition = Repartition::new(key.clone(), value.clone());
            let has_serdes = repartition.has_serdes();
            let node = repartition.into_node(operator.part(part::SOURCE), parent);
            parent = plan.add(node.with_role(Role::Repartitions { has_serdes }));
        }
        let parts = Parts {
            identify: Arc::new(identify),
            into_key,
            identity,
            interval,
            deduplicated,
        };
        let node = Node::of_part(operator.node(), vec![parent], move |lowering| {
            parts.lower(lowering)
        });
        let node = plan.add(node);
        drop(plan);
        Self {
            builder: self.builder,
            node,
            key,
            value,
            repartition_required: false,
        }
    }
}

/// The store, the operator and the repartitioning take their numbers in the order in which those
/// of a grouped stream do.
fn naming<K, V, I>(deduplicated: &Deduplicated<K, V, I>, is_required: bool) -> Naming {
    let (name, store_name) = (deduplicated.name.clone(), deduplicated.store_name.clone());
    Naming::Script(Box::new(move |namer, given| {
        let given = given.or(name.as_ref());
        let store = namer.store_or(store_name.as_ref().or(given), PREFIX);
        let node = namer.given_or(given, PREFIX);
        let base = Arc::clone(given.unwrap_or(&store));
        let names = Names::of_node(node).with(part::STORE, store);
        if !is_required {
            return names;
        }
        names.with_repartition(0, namer.repartition(&base))
    }))
}

/// A deduplication that is to become a node.
struct Parts<K, V, I, S, F> {
    identify: Arc<F>,
    into_key: fn(S) -> K,
    identity: std::result::Result<Option<SharedSerde<S>>, &'static str>,
    interval: Duration,
    deduplicated: Deduplicated<K, V, I>,
}

impl<K, V, I, S, F> Parts<K, V, I, S, F>
where
    F: Fn(K, &V) -> std::result::Result<S, K> + Send + Sync + 'static,
    K: 'static,
    V: 'static,
    S: 'static,
{
    fn lower(&self, lowering: &mut Lowering<'_>) -> Result<()> {
        let missing =
            |what| lowering.invalid(&format!("remembers records, but has no {what} serde"));
        let identity = self.identity.clone().map_err(missing)?;
        let identity = identity.ok_or_else(|| missing("key"))?;
        let store = lowering.part(part::STORE)?;
        let name = Arc::clone(&store);
        let builder = StoreBuilder::timestamped_key_value(name, identity, Arc::new(ByteSerde));
        let builder = self.deduplicated.finish(builder.with_ttl(self.interval));
        lowering.topology().add_state_store(builder)?;
        let (identify, into_key) = (Arc::clone(&self.identify), self.into_key);
        let (interval_ms, stores) = (millis(self.interval), [Arc::clone(&store)]);
        let supplier = move |access: &StoreAccess<'_>| {
            let seen = access.timestamped_key_value(&KeyValueStore::new(&*store))?;
            let identify = Arc::clone(&identify);
            let identify = move |key, value: &V| identify(key, value);
            Ok::<_, Error>(Deduplicate::new(identify, into_key, seen, interval_ms))
        };
        let name = lowering.name();
        let handle = lowering.add_stateful_processor::<K, V, K, V, _>(name, supplier, &stores)?;
        lowering.set_handle(handle);
        Ok(())
    }
}
