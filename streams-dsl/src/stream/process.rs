//! The typed Processor API inside the DSL (KIP-820).

use std::sync::Arc;

use streams_core::Result;
use streams_core::processor::{FixedKey, FixedKeyProcessor, Processor};
use streams_core::store::StoreAccess;

use crate::plan::{Naming, Node, PlanId};
use crate::stream::KStream;

impl<K: 'static, V: 'static> KStream<K, V> {
    /// Adds a [`Processor`]; `supplier` makes one for each task.
    ///
    /// It may change the key, which marks the stream for repartitioning; where it does not, use
    /// [`KStream::process_values`].
    ///
    /// ```
    /// # use streams_dsl::{StreamsBuilder, Topic, TopologyTestDriver, serde::Utf8};
    /// # use streams_dsl::{Processor, ProcessorContext, ProcessorError, Record};
    /// # let words = Topic::<String, String>::new("words", Utf8, Utf8);
    /// # let out = Topic::<String, String>::new("out", Utf8, Utf8);
    /// # let builder = StreamsBuilder::new();
    /// struct Twice;
    ///
    /// impl Processor<String, String, String, String> for Twice {
    ///     fn process(
    ///         &mut self,
    ///         context: &mut ProcessorContext<'_, String, String>,
    ///         record: Record<String, String>,
    ///     ) -> Result<(), ProcessorError> {
    ///         context.forward(record.clone());
    ///         context.forward(record.with_key("again".to_owned()));
    ///         Ok(())
    ///     }
    /// }
    ///
    /// builder.stream(&words).process(|| Twice).to(&out);
    /// # let mut driver = TopologyTestDriver::new(&builder.build()?)?;
    /// driver.pipe(&words, &"a".into(), &"ash".into(), 0)?;
    /// assert_eq!(driver.read(&out), Some(("a".into(), "ash".into())));
    /// assert_eq!(driver.read(&out), Some(("again".into(), "ash".into())));
    /// # Ok::<(), streams_dsl::Error>(())
    /// ```
    pub fn process<K2, V2, P>(
        self,
        supplier: impl Fn() -> P + Send + Sync + 'static,
    ) -> KStream<K2, V2>
    where
        P: Processor<K, V, K2, V2>,
        K2: 'static,
        V2: 'static,
    {
        self.process_with(move |_| Ok(supplier()), [])
    }

    /// As [`KStream::process`], for a processor that uses the stores of these names, which
    /// [`StreamsBuilder::add_state_store`] adds; it finds them as it is made.
    ///
    /// [`StreamsBuilder::add_state_store`]: crate::StreamsBuilder::add_state_store
    pub fn process_with<'n, K2, V2, P>(
        self,
        supplier: impl Fn(&StoreAccess<'_>) -> Result<P> + Send + Sync + 'static,
        stores: impl IntoIterator<Item = &'n str>,
    ) -> KStream<K2, V2>
    where
        P: Processor<K, V, K2, V2>,
        K2: 'static,
        V2: 'static,
    {
        let naming = Naming::NumberedUnlessNamed("KSTREAM-PROCESSOR-");
        let node = self.add_stateful_processor(naming, supplier, stores);
        self.after_all(node)
    }

    /// Adds a [`FixedKeyProcessor`], which cannot change the key; `supplier` makes one for each
    /// task.
    ///
    /// ```
    /// # use streams_dsl::{StreamsBuilder, Topic, TopologyTestDriver, serde::Utf8};
    /// # use streams_dsl::{FixedKeyProcessor, FixedKeyProcessorContext, FixedKeyRecord};
    /// # use streams_dsl::ProcessorError;
    /// # let words = Topic::<String, String>::new("words", Utf8, Utf8);
    /// # let out = Topic::<String, String>::new("out", Utf8, Utf8);
    /// # let builder = StreamsBuilder::new();
    /// struct Number(u32);
    ///
    /// impl FixedKeyProcessor<String, String, String> for Number {
    ///     fn process(
    ///         &mut self,
    ///         context: &mut FixedKeyProcessorContext<'_, String, String>,
    ///         record: FixedKeyRecord<String, String>,
    ///     ) -> Result<(), ProcessorError> {
    ///         self.0 += 1;
    ///         context.forward(record.map_value(|_, word| format!("{} {word}", self.0)));
    ///         Ok(())
    ///     }
    /// }
    ///
    /// builder.stream(&words).process_values(|| Number(0)).to(&out);
    /// # let mut driver = TopologyTestDriver::new(&builder.build()?)?;
    /// driver.pipe(&words, &"a".into(), &"ash".into(), 0)?;
    /// assert_eq!(driver.read(&out), Some(("a".into(), "1 ash".into())));
    /// # Ok::<(), streams_dsl::Error>(())
    /// ```
    pub fn process_values<V2, P>(
        self,
        supplier: impl Fn() -> P + Send + Sync + 'static,
    ) -> KStream<K, V2>
    where
        P: FixedKeyProcessor<K, V, V2>,
        V2: 'static,
    {
        self.process_values_with(move |_| Ok(supplier()), [])
    }

    /// As [`KStream::process_values`], for a processor that uses the stores of these names, which
    /// [`StreamsBuilder::add_state_store`] adds; it finds them as it is made.
    ///
    /// [`StreamsBuilder::add_state_store`]: crate::StreamsBuilder::add_state_store
    pub fn process_values_with<'n, V2, P>(
        self,
        supplier: impl Fn(&StoreAccess<'_>) -> Result<P> + Send + Sync + 'static,
        stores: impl IntoIterator<Item = &'n str>,
    ) -> KStream<K, V2>
    where
        P: FixedKeyProcessor<K, V, V2>,
        V2: 'static,
    {
        let naming = Naming::NumberedUnlessNamed("KSTREAM-PROCESSVALUES-");
        let supplier = move |access: &StoreAccess<'_>| supplier(access).map(FixedKey);
        let node = self.add_stateful_processor::<K, V2, _>(naming, supplier, stores);
        self.after_values(node)
    }

    /// Adds a processor that uses stores below the stream's node.
    fn add_stateful_processor<'n, K2, V2, P>(
        &self,
        naming: Naming,
        supplier: impl Fn(&StoreAccess<'_>) -> Result<P> + Send + Sync + 'static,
        stores: impl IntoIterator<Item = &'n str>,
    ) -> PlanId
    where
        P: Processor<K, V, K2, V2>,
        K2: 'static,
        V2: 'static,
    {
        let stores: Vec<Arc<str>> = stores.into_iter().map(Arc::from).collect();
        let supplier = Arc::new(supplier);
        let node = Node::new(naming, vec![self.node], move |lowering| {
            let supplier = Arc::clone(&supplier);
            let supplier = move |access: &StoreAccess<'_>| supplier(access);
            let name = lowering.name();
            let handle =
                lowering.add_stateful_processor::<K, V, K2, V2, P>(name, supplier, &stores)?;
            lowering.set_handle(handle);
            Ok(())
        });
        self.builder.plan().add(node)
    }
}
