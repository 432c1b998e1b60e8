//! The typed Processor API inside the DSL (KIP-820).

use streams_core::processor::{FixedKey, FixedKeyProcessor, Processor};

use crate::plan::Naming;
use crate::stream::KStream;

impl<K: 'static, V: 'static> KStream<K, V> {
    /// Adds a [`Processor`]; `supplier` makes one for each task.
    ///
    /// It may change the key, which marks the stream for repartitioning; where it does not, use
    /// [`KStream::process_values`].
    pub fn process<K2, V2, P>(
        self,
        supplier: impl Fn() -> P + Send + Sync + 'static,
    ) -> KStream<K2, V2>
    where
        P: Processor<K, V, K2, V2>,
        K2: 'static,
        V2: 'static,
    {
        let naming = Naming::NumberedUnlessNamed("KSTREAM-PROCESSOR-");
        let node = self.add_processor(naming, supplier);
        self.after_all(node)
    }

    /// Adds a [`FixedKeyProcessor`], which cannot change the key; `supplier` makes one for each
    /// task.
    pub fn process_values<V2, P>(
        self,
        supplier: impl Fn() -> P + Send + Sync + 'static,
    ) -> KStream<K, V2>
    where
        P: FixedKeyProcessor<K, V, V2>,
        V2: 'static,
    {
        let naming = Naming::NumberedUnlessNamed("KSTREAM-PROCESSVALUES-");
        let node = self.add_processor::<K, V2, _>(naming, move || FixedKey(supplier()));
        self.after_values(node)
    }
}
