//! Stores of a program's own, for its processors.

use std::sync::Arc;

use streams_core::processor::Processor;
use streams_core::store::{StoreAccess, StoreBuilder};
use streams_core::topology::Source;
use streams_core::{Result, Topic};

use crate::builder::StreamsBuilder;
use crate::option::Consumed;
use crate::plan::{Names, Naming, Node, part};

impl StreamsBuilder {
    /// Adds a store for the processors that name it (`StreamsBuilder.addStateStore`).
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use streams_dsl::{KeyValueStore, Processor, ProcessorContext, ProcessorError, Record};
    /// # use streams_dsl::{StreamsBuilder, Topic, TopologyTestDriver, serde::{I64, Utf8}};
    /// use streams_dsl::{StoreBuilder, TaskKeyValueStore};
    ///
    /// const SEEN: KeyValueStore<String, i64> = KeyValueStore::named("seen");
    ///
    /// struct Count(TaskKeyValueStore<String, i64>);
    ///
    /// impl Processor<String, String, String, i64> for Count {
    ///     fn process(
    ///         &mut self,
    ///         context: &mut ProcessorContext<'_, String, i64>,
    ///         record: Record<String, String>,
    ///     ) -> Result<(), ProcessorError> {
    ///         let count = self.0.get(&record.key)?.unwrap_or(0) + 1;
    ///         self.0.put(&record.key, Some(&count))?;
    ///         context.forward(record.with_value(count));
    ///         Ok(())
    ///     }
    /// }
    ///
    /// # let words = Topic::<String, String>::new("words", Utf8, Utf8);
    /// # let out = Topic::<String, i64>::new("out", Utf8, I64);
    /// # let builder = StreamsBuilder::new();
    /// let seen = StoreBuilder::key_value(SEEN.name(), Arc::new(Utf8), Arc::new(I64));
    /// builder.add_state_store(seen);
    /// let count = |stores: &streams_dsl::StoreAccess<'_>| Ok(Count(stores.key_value(&SEEN)?));
    /// builder.stream(&words).process_with(count, [SEEN.name()]).to(&out);
    /// # let mut driver = TopologyTestDriver::new(&builder.build()?)?;
    /// driver.pipe(&words, &"a".into(), &"ash".into(), 0)?;
    /// driver.pipe(&words, &"a".into(), &"oak".into(), 1)?;
    /// assert_eq!(driver.read(&out), Some(("a".into(), 1)));
    /// assert_eq!(driver.read(&out), Some(("a".into(), 2)));
    /// # Ok::<(), streams_dsl::Error>(())
    /// ```
    pub fn add_state_store(&self, store: StoreBuilder) {
        let name = Arc::clone(store.name());
        let naming = Naming::Script(Box::new(move |_, _| Names::of_node(Arc::clone(&name))));
        let node = Node::new(naming, Vec::new(), move |lowering| {
            lowering.topology().add_state_store(store.clone())
        });
        self.plan().add(node);
    }

    /// Adds a store that every instance fills from all partitions of a topic, by a processor that
    /// writes to it (`StreamsBuilder.addGlobalStore`). Every processor may read it, whether or not
    /// it names it.
    ///
    /// It has no changelog: it is filled by reading the topic again, before the first record is
    /// processed. For a store that holds the topic's rows as they are, see
    /// [`StreamsBuilder::global_table`].
    pub fn add_global_store<K, V, P>(
        &self,
        store: StoreBuilder,
        topic: &Topic<K, V>,
        consumed: Consumed<K, V>,
        supplier: impl Fn(&StoreAccess<'_>) -> Result<P> + Send + Sync + 'static,
    ) where
        P: Processor<K, V, (), ()>,
        K: 'static,
        V: 'static,
    {
        let naming = Naming::Script(Box::new(|namer, given| {
            let source = namer.suffixed_or(given, "-source", "KSTREAM-SOURCE-");
            let node = namer.given_or(given, "KTABLE-SOURCE-");
            Names::of_node(node).with(part::SOURCE, source)
        }));
        let (topic, supplier) = (topic.clone(), Arc::new(supplier));
        let node = Node::new(naming, Vec::new(), move |lowering| {
            let topics = [Arc::clone(topic.name())];
            let (key, value) = (topic.key_serde(), topic.value_serde());
            let mut source = Source::topics(topics, Arc::clone(key) as _, Arc::clone(value) as _);
            if let Some(timestamp) = &consumed.timestamp {
                source = source.with_shared_timestamp_extractor(Arc::clone(timestamp));
            }
            let (source_name, name) = (lowering.part(part::SOURCE)?, lowering.name());
            let (store, supplier) = (store.clone(), Arc::clone(&supplier));
            let supplier = move |access: &StoreAccess<'_>| supplier(access);
            let topology = lowering.topology();
            topology.add_global_store(store, &source_name, source, name, supplier)
        });
        self.plan().add(node);
    }
}
