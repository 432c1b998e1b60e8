//! Where a stream begins.

use std::sync::Arc;

use streams_core::topology::Source;

use crate::builder::StreamsBuilder;
use crate::option::Consumed;
use crate::plan::{Naming, Node, SourceTopics};
use crate::stream::KStream;
use crate::subscription::{Subscribed, SubscribedTopics};

impl<K: 'static, V: 'static> KStream<K, V> {
    pub(crate) fn of_source(
        builder: StreamsBuilder,
        subscribed: Subscribed<K, V>,
        consumed: Consumed<K, V>,
    ) -> Self {
        let Subscribed {
            topics,
            key_reader,
            value_reader,
            key,
            value,
        } = subscribed;
        let Consumed { timestamp, reset } = consumed;
        let source = match &topics {
            SubscribedTopics::Named(topics) => SourceTopics::Named(topics.clone(), reset),
            SubscribedTopics::Pattern(pattern) => {
                SourceTopics::Pattern(pattern.as_str().into(), reset)
            }
        };
        let mut node = Node::new(Naming::Numbered("KSTREAM-SOURCE-"), Vec::new(), {
            move |lowering| {
                let (key, value) = (Arc::clone(&key_reader), Arc::clone(&value_reader));
                let mut source = match &topics {
                    SubscribedTopics::Named(topics) => {
                        Source::topics(topics.iter().cloned(), key, value)
                    }
                    SubscribedTopics::Pattern(pattern) => {
                        Source::pattern(pattern.clone(), key, value)
                    }
                };
                if let Some(timestamp) = &timestamp {
                    source = source.with_shared_timestamp_extractor(Arc::clone(timestamp));
                }
                if let Some(reset) = reset {
                    source = source.with_offset_reset(reset);
                }
                let name = lowering.name();
                lowering.add_source(name, source)
            }
        });
        node.source = Some(source);
        let node = builder.plan().add(node);
        Self {
            builder,
            node,
            key,
            value,
            repartition_required: false,
        }
    }
}
