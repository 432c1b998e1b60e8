//! Operators on where records are: new keys, repartitioning, merging.

use std::sync::Arc;

use crate::operator::{PassThrough, SelectKey};
use crate::option::Repartitioned;
use crate::plan::{Names, Naming, Node, Role, part};
use crate::stream::KStream;
use crate::stream::repartition::Repartition;

impl<K: 'static, V: 'static> KStream<K, V> {
    /// Makes a new key for each record. Marks the stream for repartitioning.
    ///
    /// ```
    /// # use streams_dsl::{StreamsBuilder, Topic, TopologyTestDriver, serde::Utf8};
    /// # let words = Topic::<String, String>::new("words", Utf8, Utf8);
    /// # let out = Topic::<String, String>::new("out", Utf8, Utf8);
    /// # let builder = StreamsBuilder::new();
    /// builder.stream(&words).select_key(|_, word| word.len().to_string()).to(&out);
    /// # let mut driver = TopologyTestDriver::new(&builder.build()?)?;
    /// driver.pipe(&words, &"a".into(), &"ash".into(), 0)?;
    /// assert_eq!(driver.read(&out), Some(("3".into(), "ash".into())));
    /// # Ok::<(), streams_dsl::Error>(())
    /// ```
    pub fn select_key<K2, F>(self, select: F) -> KStream<K2, V>
    where
        F: Fn(&K, &V) -> K2 + Send + Sync + 'static,
        K2: 'static,
    {
        let select = Arc::new(select);
        let naming = Naming::Numbered("KSTREAM-KEY-SELECT-");
        let supplier = move || SelectKey::new(Arc::clone(&select));
        let node = self.add_changing_processor::<K2, V, _>(naming, Role::ChangesKey, supplier);
        KStream {
            builder: self.builder,
            node,
            key: None,
            value: self.value,
            repartition_required: true,
        }
    }

    /// The records of both streams. Nothing is said of the order between the two; each keeps its
    /// own.
    ///
    /// ```
    /// # use streams_dsl::{StreamsBuilder, Topic, TopologyTestDriver, serde::Utf8};
    /// # let words = Topic::<String, String>::new("words", Utf8, Utf8);
    /// # let out = Topic::<String, String>::new("out", Utf8, Utf8);
    /// # let builder = StreamsBuilder::new();
    /// # let names = Topic::<String, String>::new("names", Utf8, Utf8);
    /// builder.stream(&words).merge(builder.stream(&names)).to(&out);
    /// # let mut driver = TopologyTestDriver::new(&builder.build()?)?;
    /// driver.pipe(&names, &"b".into(), &"birch".into(), 0)?;
    /// driver.pipe(&words, &"a".into(), &"ash".into(), 1)?;
    /// assert_eq!(driver.read(&out), Some(("b".into(), "birch".into())));
    /// assert_eq!(driver.read(&out), Some(("a".into(), "ash".into())));
    /// # Ok::<(), streams_dsl::Error>(())
    /// ```
    #[must_use]
    pub fn merge(self, other: Self) -> Self {
        let naming = Naming::Numbered("KSTREAM-MERGE-");
        let parents = vec![self.node, other.node];
        let mut plan = self.builder.plan();
        if !self.builder.is(&other.builder) {
            plan.add_mistake("streams of different builders cannot be merged".to_owned());
            drop(plan);
            return self;
        }
        let node = Node::new(naming, parents, |lowering| {
            let name = lowering.name();
            let handle = lowering.add_processor::<K, V, K, V, _>(name, || PassThrough)?;
            lowering.set_handle(handle);
            Ok(())
        });
        let node = plan.add(node.with_role(Role::Merges));
        drop(plan);
        Self {
            builder: self.builder,
            node,
            key: self.key.or(other.key),
            value: self.value.or(other.value),
            repartition_required: self.repartition_required || other.repartition_required,
        }
    }

    /// Sends the records through a topic of the application's own, so that records of one key come
    /// together in one partition (KIP-221): `<application.id>-<name>-repartition`, where
    /// [`KStream::named`] gives the name.
    ///
    /// The serdes are those of the topic or operator that the keys and values come from. After an
    /// operator that makes new ones they must be given; [`StreamsBuilder::build`] tells if they
    /// are not. Records whose key is null are left out, as in the JVM, and counted as dropped.
    ///
    /// [`StreamsBuilder::build`]: crate::StreamsBuilder::build
    ///
    /// ```
    /// # use streams_dsl::{StreamsBuilder, Topic, TopologyTestDriver, serde::Utf8};
    /// # use streams_dsl::Repartitioned;
    /// # let words = Topic::<String, String>::new("words", Utf8, Utf8);
    /// # let out = Topic::<String, String>::new("out", Utf8, Utf8);
    /// # let builder = StreamsBuilder::new();
    /// let by_length = builder.stream(&words).select_key(|_, word| word.len().to_string());
    /// let repartitioned = Repartitioned::new().with_key_serde(Utf8);
    /// by_length.repartition(repartitioned).named("by-length").to(&out);
    /// # let mut driver = TopologyTestDriver::new(&builder.build()?)?;
    /// driver.pipe(&words, &"a".into(), &"ash".into(), 0)?;
    /// assert_eq!(driver.read(&out), Some(("3".into(), "ash".into())));
    /// assert!(driver.written_topics().contains(&"test-app-by-length-repartition".to_owned()));
    /// # Ok::<(), streams_dsl::Error>(())
    /// ```
    #[must_use]
    pub fn repartition(self, repartitioned: Repartitioned<K, V>) -> Self {
        let Repartitioned {
            key,
            value,
            partitions,
            partitioner,
        } = repartitioned;
        let (key, value) = (key.or(self.key), value.or(self.value));
        let repartition = Repartition {
            key: key.clone(),
            value: value.clone(),
            partitions,
            partitioner,
            keeps_null_keys: false,
        };
        let naming = Naming::Script(Box::new(|namer, given| {
            let base = match given {
                Some(given) => Arc::clone(given),
                None => namer.numbered("KSTREAM-REPARTITION-"),
            };
            Names::default().with_repartition(0, namer.repartition(&base))
        }));
        let mut plan = self.builder.plan();
        let operator = plan.name(naming);
        let node = plan.add(repartition.into_node(operator.part(part::SOURCE), self.node));
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
