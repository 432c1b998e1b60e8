//! Interactive queries: the committed state of the tasks of this instance, from any thread.
//!
//! A view reads what is committed and never waits for a task, nor a task for it. It holds the
//! stores of the tasks that were here when it was made; ask for a new one after a rebalance.

mod bytes;
mod key_value;
mod registry;
mod session;
mod versioned;
#[cfg(test)]
mod view_test;
mod window;

use std::any::{Any, type_name};
use std::sync::Arc;

pub use bytes::StoreEntry;
pub use key_value::ReadOnlyKeyValueStore;
pub use session::ReadOnlySessionStore;
pub use versioned::ReadOnlyVersionedKeyValueStore;
pub use window::ReadOnlyWindowStore;

pub(crate) use registry::StoreRegistry;

use crate::error::{Error, ErrorKind, Result};
use crate::serde::SharedSerde;
use crate::store::codec::Codec;
use crate::store::engine::{Engine, Entry, Span};
use crate::store::entries::StoreIterator;
use crate::store::kind::StoreKind;
use crate::store::name::{KeyValueStore, SessionStore, VersionedKeyValueStore, WindowStore};
use crate::store::position::ObservedTime;

/// The serdes of a store, found again by those who know its types.
pub(crate) struct StoreSerdes<K, V> {
    pub(crate) key: SharedSerde<K>,
    pub(crate) value: SharedSerde<V>,
}

/// The committed entries of one task's store.
#[derive(Clone)]
pub(crate) struct CommittedStore {
    pub(crate) name: Arc<str>,
    pub(crate) kind: StoreKind,
    pub(crate) engine: Engine,
    pub(crate) observed_time: ObservedTime,
    /// How long entries live, in milliseconds; `None` for ever.
    pub(crate) ttl_ms: Option<i64>,
    pub(crate) topic: Arc<str>,
    /// A `StoreSerdes<K, V>`.
    pub(crate) serdes: Arc<dyn Any + Send + Sync>,
}

impl CommittedStore {
    fn codec<K: 'static, V: 'static>(&self) -> Result<Codec<K, V>> {
        let serdes = self.serdes.downcast_ref::<StoreSerdes<K, V>>();
        let serdes = serdes.ok_or_else(|| self.is_no(type_name::<(K, V)>()))?;
        Ok(Codec {
            store: Arc::clone(&self.name),
            topic: Arc::clone(&self.topic),
            key: Arc::clone(&serdes.key),
            value: Arc::clone(&serdes.value),
        })
    }

    /// The error of a query that takes the store for something else.
    fn is_no(&self, what: &str) -> Error {
        let (name, kind) = (&self.name, self.kind.name());
        let message = format!("store={name} is a {kind} store and no store of {what}");
        Error::new(ErrorKind::Topology, message)
    }
}

/// The name of a store that can be queried, and what a query of it sees.
pub trait QueryableStore {
    /// The read-only view.
    type View;

    /// The store's name.
    fn store_name(&self) -> &str;

    #[doc(hidden)]
    fn view(&self, parts: QueryParts) -> Result<Self::View>;
}

/// The stores that a view is made of, one for each task.
#[doc(hidden)]
pub struct QueryParts(pub(crate) Vec<CommittedStore>);

impl<K: 'static, V: 'static> QueryableStore for KeyValueStore<K, V> {
    type View = ReadOnlyKeyValueStore<K, V>;

    fn store_name(&self) -> &str {
        self.name()
    }

    fn view(&self, parts: QueryParts) -> Result<Self::View> {
        ReadOnlyKeyValueStore::new(parts.0)
    }
}

impl<K: 'static, V: 'static> QueryableStore for WindowStore<K, V> {
    type View = ReadOnlyWindowStore<K, V>;

    fn store_name(&self) -> &str {
        self.name()
    }

    fn view(&self, parts: QueryParts) -> Result<Self::View> {
        ReadOnlyWindowStore::new(parts.0)
    }
}

impl<K: 'static, V: 'static> QueryableStore for SessionStore<K, V> {
    type View = ReadOnlySessionStore<K, V>;

    fn store_name(&self) -> &str {
        self.name()
    }

    fn view(&self, parts: QueryParts) -> Result<Self::View> {
        ReadOnlySessionStore::new(parts.0)
    }
}

impl<K: 'static, V: 'static> QueryableStore for VersionedKeyValueStore<K, V> {
    type View = ReadOnlyVersionedKeyValueStore<K, V>;

    fn store_name(&self) -> &str {
        self.name()
    }

    fn view(&self, parts: QueryParts) -> Result<Self::View> {
        ReadOnlyVersionedKeyValueStore::new(parts.0)
    }
}

/// The entries of several tasks' stores, one store after the other.
type InParts<T> = std::iter::Flatten<std::vec::IntoIter<StoreIterator<'static, T>>>;

/// Up to `limit` committed entries of a span.
fn scan(engine: &Engine, span: Span<'_>, limit: usize) -> Result<Vec<Entry>> {
    let mut entries = Vec::new();
    engine.scan(span, |key, value| {
        entries.push((Box::from(key), Box::from(value)));
        entries.len() < limit
    })?;
    Ok(entries)
}
