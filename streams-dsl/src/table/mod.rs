//! Tables: the latest value of each key, and what changes it.

mod foreign_key;
mod foreign_key_node;
mod global;
mod join;
mod source;
mod stateless;
mod store;
mod suppress;
mod transform;
mod values;

use std::sync::Arc;

use streams_core::serde::SharedSerde;

pub(crate) use store::{AskedStore, StoreDefinition, find_results};
pub(crate) use values::{Getter, MappedValues, TableValues, Values, ValuesSupplier};

pub use global::GlobalKTable;

use crate::builder::StreamsBuilder;
use crate::operator::Change;
use crate::plan::{PlanId, part};

/// A table: the latest value of each key (`org.apache.kafka.streams.kstream.KTable`).
///
/// Keys and values are never null: a null in the topic deletes the key's row, and so does an
/// operator that gives `None`. Like a stream a table is a value, and is cloned to be used twice.
///
/// ```compile_fail,E0283
/// # use streams_dsl::{StreamsBuilder, Topic, serde::{Nullable, Utf8}};
/// let unkeyed = Topic::<Option<String>, String>::new("unkeyed", Nullable(Utf8), Utf8);
/// // Its keys may be null: `skip_null_keys()` first.
/// StreamsBuilder::new().stream(&unkeyed).group_by_key();
/// ```
///
/// ```compile_fail,E0308
/// # use streams_dsl::{KeyValueStore, StreamsBuilder, Topic, serde::{Nullable, Utf8}};
/// # let words = Topic::<String, String>::new("words", Utf8, Utf8);
/// let out = Topic::<String, Option<String>>::new("out", Utf8, Nullable(Utf8));
/// const COUNTS: KeyValueStore<String, i64> = KeyValueStore::named("counts");
/// let counts = StreamsBuilder::new().stream(&words).group_by_key().count(&COUNTS);
/// counts.to_stream().to(&out); // a count is no text
/// ```
pub struct KTable<K, V> {
    pub(crate) builder: StreamsBuilder,
    /// The node that the changes come from.
    pub(crate) node: PlanId,
    /// What its keys can be written with, where that is known.
    pub(crate) key: Option<SharedSerde<K>>,
    /// What its values can be written with, where that is known.
    pub(crate) value: Option<SharedSerde<V>>,
    /// How its values can be read by key.
    pub(crate) getter: Getter<K, V>,
}

impl<K: Clone + 'static, V: Clone + 'static> Clone for KTable<K, V> {
    /// The same table again: each change goes to both, the one that was used first coming first.
    fn clone(&self) -> Self {
        self.builder.plan().allow_fan_out::<K, Change<V>>(self.node);
        Self {
            builder: self.builder.clone(),
            node: self.node,
            key: self.key.clone(),
            value: self.value.clone(),
            getter: Arc::clone(&self.getter),
        }
    }
}

impl<K, V> std::fmt::Debug for KTable<K, V> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut debug = formatter.debug_struct("KTable");
        debug.field("node", &self.node).finish_non_exhaustive()
    }
}

impl<K: 'static, V: 'static> KTable<K, V> {
    /// The table of a node, whose values are read from the store of its operator.
    pub(crate) fn in_store(
        builder: &StreamsBuilder,
        node: PlanId,
        (key, value): (Option<SharedSerde<K>>, Option<SharedSerde<V>>),
        is_versioned: bool,
    ) -> Self {
        let getter: Getter<K, V> = Arc::new(move |lowering| {
            let store = lowering.part_of(node, part::STORE)?;
            Ok(ValuesSupplier::of_store(store, is_versioned))
        });
        Self {
            builder: builder.clone(),
            node,
            key,
            value,
            getter,
        }
    }

    /// Names the operator that the table comes from (`Named.as`), as
    /// [`KStream::named`](crate::KStream::named) does; its store has a name of its own
    /// ([`Materialized`](crate::Materialized)).
    #[must_use]
    pub fn named(self, name: impl Into<Arc<str>>) -> Self {
        self.builder.plan().rename(self.node, name.into());
        self
    }
}
