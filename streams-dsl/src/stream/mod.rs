//! Streams of records: `KStream` and what it branches into and ends in.

mod branch;
mod deduplicate;
mod join;
mod join_global;
mod join_stream;
mod join_stream_node;
mod join_table;
mod key;
mod process;
mod repartition;
mod result;
mod sink;
mod source;
mod stateless;

use std::sync::Arc;

use streams_core::processor::Processor;
use streams_core::serde::SharedSerde;

pub(crate) use repartition::{Repartition, sink_to};

pub use branch::BranchedKStream;
pub use sink::Terminal;

use crate::builder::StreamsBuilder;
use crate::plan::{Naming, Node, PlanId, Role};

/// A stream of records (`org.apache.kafka.streams.kstream.KStream`).
///
/// A stream is a value: its methods take it, and a record moves through a chain of them without
/// being copied. To use a stream twice, clone it; that takes keys and values that are `Clone`, and
/// copies each record once more.
///
/// ```compile_fail,E0382
/// # use streams_dsl::{StreamsBuilder, Topic, serde::Utf8};
/// # let topic = |name: &str| Topic::<String, String>::new(name, Utf8, Utf8);
/// let stream = StreamsBuilder::new().stream(&topic("in"));
/// stream.to(&topic("one"));
/// stream.to(&topic("other")); // it has moved: clone it
/// ```
///
/// ```compile_fail,E0599
/// # use streams_dsl::{Result, StreamsBuilder, Topic, serde::Utf8};
/// struct Unique(String); // not Clone
/// # let topic = |name: &str| Topic::<String, String>::new(name, Utf8, Utf8);
/// let stream = StreamsBuilder::new().stream(&topic("in")).map_values(Unique);
/// let again = stream.clone(); // its values cannot be copied
/// ```
///
/// ```compile_fail,E0382
/// # use streams_dsl::{StreamsBuilder, Topic, serde::Utf8};
/// # let topic = |name: &str| Topic::<String, String>::new(name, Utf8, Utf8);
/// struct Unique(String);
/// let stream = StreamsBuilder::new().stream(&topic("in")).map_values(Unique);
/// let split = stream.split();
/// let again = stream.split(); // it has been split already
/// ```
///
/// ```compile_fail,E0308
/// # use streams_dsl::{StreamsBuilder, Topic, serde::{I64, Utf8}};
/// let words = Topic::<String, String>::new("words", Utf8, Utf8);
/// let counts = Topic::<String, i64>::new("counts", Utf8, I64);
/// let builder = StreamsBuilder::new();
/// builder.stream(&words).merge(builder.stream(&counts)); // they differ in type
/// ```
///
/// ```compile_fail,E0599
/// # use streams_dsl::{StreamsBuilder, Topic, serde::Utf8};
/// let words = Topic::<String, String>::new("words", Utf8, Utf8);
/// StreamsBuilder::new().stream(&words).skip_null_keys(); // its keys are never null
/// ```
pub struct KStream<K, V> {
    pub(crate) builder: StreamsBuilder,
    /// The node that the records come from.
    pub(crate) node: PlanId,
    /// What its keys can be written with, where that is known.
    pub(crate) key: Option<SharedSerde<K>>,
    /// What its values can be written with, where that is known.
    pub(crate) value: Option<SharedSerde<V>>,
    pub(crate) repartition_required: bool,
}

impl<K: Clone + 'static, V: Clone + 'static> Clone for KStream<K, V> {
    /// The same stream again: each record goes to both, the one that was used first coming first.
    fn clone(&self) -> Self {
        self.builder.plan().allow_fan_out::<K, V>(self.node);
        Self {
            builder: self.builder.clone(),
            node: self.node,
            key: self.key.clone(),
            value: self.value.clone(),
            repartition_required: self.repartition_required,
        }
    }
}

impl<K, V> std::fmt::Debug for KStream<K, V> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut debug = formatter.debug_struct("KStream");
        debug.field("node", &self.node).finish_non_exhaustive()
    }
}

impl<K: 'static, V: 'static> KStream<K, V> {
    /// Names the operator that the stream comes from (`Named.as`).
    ///
    /// Without a name it has the JVM's: `KSTREAM-FILTER-0000000003`. A repartitioning names its
    /// topic too: `<application.id>-<name>-repartition`. A name has at most 249 letters, digits,
    /// `.`, `_` and `-`; [`StreamsBuilder::build`] tells if it has not.
    ///
    /// ```
    /// # use streams_dsl::{StreamsBuilder, Topic, serde::Utf8};
    /// # let words = Topic::<String, String>::new("words", Utf8, Utf8);
    /// # let out = Topic::<String, String>::new("out", Utf8, Utf8);
    /// # let builder = StreamsBuilder::new();
    /// builder.stream(&words).filter(|_, word| word.len() > 3).named("long").to(&out);
    /// let text = builder.build()?.describe();
    /// assert!(text.contains("Processor: long (stores: [])\n      --> KSTREAM-SINK-0000000002"));
    /// # Ok::<(), streams_dsl::Error>(())
    /// ```
    #[must_use]
    pub fn named(self, name: impl Into<Arc<str>>) -> Self {
        self.builder.plan().rename(self.node, name.into());
        self
    }

    /// Whether the key may have changed since the records were last read from a topic, so that
    /// records of one key may be in several partitions.
    pub fn is_repartition_required(&self) -> bool {
        self.repartition_required
    }

    /// Adds a processor below the stream's node.
    fn add_processor<K2, V2, P>(
        &self,
        naming: Naming,
        supplier: impl Fn() -> P + Send + Sync + 'static,
    ) -> PlanId
    where
        P: Processor<K, V, K2, V2>,
        K2: 'static,
        V2: 'static,
    {
        let node = processor_node(naming, self.node, supplier);
        self.builder.plan().add(node)
    }

    /// Adds a processor that makes new keys or values.
    fn add_changing_processor<K2, V2, P>(
        &self,
        naming: Naming,
        role: Role,
        supplier: impl Fn() -> P + Send + Sync + 'static,
    ) -> PlanId
    where
        P: Processor<K, V, K2, V2>,
        K2: 'static,
        V2: 'static,
    {
        let node = processor_node(naming, self.node, supplier).with_role(role);
        self.builder.plan().add(node)
    }

    /// Adds a processor for what the JVM does within other nodes.
    fn add_hidden_processor<K2, V2, P>(
        &self,
        naming: Naming,
        supplier: impl Fn() -> P + Send + Sync + 'static,
    ) -> PlanId
    where
        P: Processor<K, V, K2, V2>,
        K2: 'static,
        V2: 'static,
    {
        let node = processor_node(naming, self.node, supplier);
        self.builder.plan().add_hidden(node)
    }

    /// The stream of a node that changes neither keys nor types.
    fn after(self, node: PlanId) -> Self {
        Self { node, ..self }
    }

    /// The stream of a node that makes new values.
    fn after_values<V2>(self, node: PlanId) -> KStream<K, V2> {
        KStream {
            builder: self.builder,
            node,
            key: self.key,
            value: None,
            repartition_required: self.repartition_required,
        }
    }

    /// The stream of a node that makes new keys and values.
    fn after_all<K2, V2>(self, node: PlanId) -> KStream<K2, V2> {
        KStream {
            builder: self.builder,
            node,
            key: None,
            value: None,
            repartition_required: true,
        }
    }
}

/// A node that is one processor.
pub(crate) fn processor_node<K, V, K2, V2, P>(
    naming: Naming,
    parent: PlanId,
    supplier: impl Fn() -> P + Send + Sync + 'static,
) -> Node
where
    P: Processor<K, V, K2, V2>,
    K: 'static,
    V: 'static,
    K2: 'static,
    V2: 'static,
{
    let supplier = Arc::new(supplier);
    Node::new(naming, vec![parent], move |lowering| {
        let supplier = Arc::clone(&supplier);
        let name = lowering.name();
        let handle = lowering.add_processor::<K, V, K2, V2, P>(name, move || supplier())?;
        lowering.set_handle(handle);
        Ok(())
    })
}
