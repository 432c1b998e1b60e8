//! Global stores: whole topics, kept up to date in every instance.

use std::sync::Arc;

use crate::error::Result;
use crate::processor::Processor;
use crate::store::{StoreAccess, StoreBuilder};
use crate::topology::builder::invalid;
use crate::topology::{Source, SourceTopics, Subtopology, Topology, TopologyBuilder};

impl TopologyBuilder {
    /// Adds a store that every instance fills from all partitions of `source`'s topic, by a
    /// processor that writes to it (`Topology.addGlobalStore`). Every processor may read it,
    /// without being connected to it.
    ///
    /// The store is filled before the first task runs, and then kept up to date beside the tasks.
    /// It has no changelog: it is restored by reading the topic again, through the processor.
    ///
    /// # Errors
    /// If a name is taken, or `source` reads anything but one topic of its own.
    pub fn add_global_store<K, V, P>(
        &mut self,
        store: StoreBuilder,
        source_name: &str,
        source: Source<K, V>,
        processor_name: &str,
        supplier: impl Fn(&StoreAccess<'_>) -> Result<P> + Send + Sync + 'static,
    ) -> Result<()>
    where
        P: Processor<K, V, (), ()>,
        K: 'static,
        V: 'static,
    {
        let topic = match &source.topics {
            SourceTopics::Named(topics) => match topics.as_slice() {
                [topic] => Arc::clone(topic),
                _ => return Err(not_one_topic(source_name)),
            },
            SourceTopics::Pattern(_) => return Err(not_one_topic(source_name)),
        };
        let name = Arc::clone(store.name());
        self.add_state_store(store.without_logging().with_source_topic(topic))?;
        self.global_stores.insert(Arc::clone(&name));
        let first = self.nodes.len();
        let source = self.add_source(source_name, source)?;
        self.add_stateful_processor::<K, V, (), (), P>(
            processor_name,
            supplier,
            &[source],
            &[name],
        )?;
        for node in self.nodes.iter_mut().skip(first) {
            node.is_global = true;
        }
        Ok(())
    }
}

fn not_one_topic(source: &str) -> crate::error::Error {
    invalid(format!(
        "source {source} of a global store must read one topic"
    ))
}

impl Topology {
    /// All nodes that fill global stores.
    pub(crate) fn global_part(&self) -> Subtopology {
        let nodes = self.inner.nodes.iter().enumerate();
        let nodes = nodes.filter(|(_, node)| node.is_global);
        Subtopology {
            nodes: nodes.map(|(index, _)| index).collect(),
            is_global: true,
        }
    }

    /// Whether any instance fills global stores.
    pub(crate) fn has_global_stores(&self) -> bool {
        self.inner.nodes.iter().any(|node| node.is_global)
    }
}
