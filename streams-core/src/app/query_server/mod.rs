//! Queries over HTTP, in JSON: read-only, off unless a program starts it.

mod forward;
mod route;
#[cfg(test)]
mod server_test;
mod store;

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::sync::Arc;
use std::thread::JoinHandle;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::oneshot;

use crate::app::query::StreamsQueries;
use crate::app::query_server::store::{
    ExposedKeyValueStore, ExposedSessionStore, ExposedStore, ExposedWindowStore,
};
use crate::error::{Error, ErrorKind, Result};
use crate::serde::Serializer;
use crate::store::{KeyValueStore, SessionStore, WindowStore};

/// Which stores are to be seen over HTTP.
///
/// | `GET` | answer |
/// |---|---|
/// | `/stores` | the stores' names and kinds |
/// | `/stores/{store}/keys/{key}` | `{"key", "value", "timestamp"}`; 404 without a value |
/// | `/stores/{store}/entries?from=&to=&limit=` | the entries of a range of keys |
/// | `/stores/{store}/count` | `{"approximate_count"}` |
/// | `/stores/{store}/windows/{key}?from=&to=&limit=` | the windows of a key |
/// | `/stores/{store}/sessions/{key}?limit=` | the sessions of a key |
/// | `/instances` | the application's instances and what each reads |
///
/// A key is text, or JSON where it is not a string. What concerns one key is answered by the
/// instance that has it, whichever was asked; entries and counts come from all instances. That
/// takes an `application.server` in each instance's configuration; one without it answers for
/// itself alone.
///
/// # Examples
/// ```no_run
/// use streams_core::serde::Utf8;
/// use streams_core::store::KeyValueStore;
/// use streams_core::{KafkaStreams, QueryServer};
///
/// const COUNTS: KeyValueStore<String, i64> = KeyValueStore::named("counts");
///
/// # fn serve(streams: &KafkaStreams) -> streams_core::Result<()> {
/// let server = QueryServer::builder(streams.queries())
///     .key_value(&COUNTS, Utf8)
///     .serve("127.0.0.1:8080")?;
/// # Ok(())
/// # }
/// ```
pub struct QueryServerBuilder {
    queries: StreamsQueries,
    stores: BTreeMap<String, Arc<dyn ExposedStore>>,
}

/// A server of queries in a thread of its own; dropping it stops it.
#[derive(Debug)]
pub struct QueryServer {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl QueryServerBuilder {
    /// Lets a key-value store be seen; `key` writes keys as the store's topics have them, which
    /// tells the instance that has one.
    #[must_use]
    pub fn key_value<K, V>(
        mut self,
        store: &KeyValueStore<K, V>,
        key: impl Serializer<K> + 'static,
    ) -> Self
    where
        K: Serialize + DeserializeOwned + 'static,
        V: Serialize + 'static,
    {
        let exposed = ExposedKeyValueStore::new(store.clone(), Box::new(key));
        self.stores
            .insert(store.name().to_owned(), Arc::new(exposed));
        self
    }

    /// Lets a window store be seen.
    #[must_use]
    pub fn window<K, V>(
        mut self,
        store: &WindowStore<K, V>,
        key: impl Serializer<K> + 'static,
    ) -> Self
    where
        K: Serialize + DeserializeOwned + 'static,
        V: Serialize + 'static,
    {
        let exposed = ExposedWindowStore::new(store.clone(), Box::new(key));
        self.stores
            .insert(store.name().to_owned(), Arc::new(exposed));
        self
    }

    /// Lets a session store be seen.
    #[must_use]
    pub fn session<K, V>(
        mut self,
        store: &SessionStore<K, V>,
        key: impl Serializer<K> + 'static,
    ) -> Self
    where
        K: Serialize + DeserializeOwned + 'static,
        V: Serialize + 'static,
    {
        let exposed = ExposedSessionStore::new(store.clone(), Box::new(key));
        self.stores
            .insert(store.name().to_owned(), Arc::new(exposed));
        self
    }

    /// Listens on `address`; port 0 takes any free one.
    ///
    /// # Errors
    /// If the address cannot be resolved or is taken.
    pub fn serve(self, address: impl ToSocketAddrs + std::fmt::Display) -> Result<QueryServer> {
        let failed = |error: std::io::Error| {
            let message = format!("cannot serve queries on `{address}`");
            Error::with_source(ErrorKind::Config, message, error)
        };
        let listener = TcpListener::bind(&address).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let bound = listener.local_addr().map_err(failed)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(failed)?;
        let (stop, stopped) = oneshot::channel();
        let serve = move || {
            runtime.block_on(async move {
                tokio::select! {
                    outcome = run(listener, self) => {
                        if let Err(error) = outcome {
                            tracing::error!(%error, "stopped serving queries");
                        }
                    }
                    _ = stopped => {}
                }
            });
            // A query that reads a store is not waited for.
            runtime.shutdown_background();
        };
        let thread = std::thread::Builder::new().name("query-server".to_owned());
        let thread = thread.spawn(serve).map_err(failed)?;
        Ok(QueryServer {
            address: bound,
            stop: Some(stop),
            thread: Some(thread),
        })
    }
}

async fn run(listener: TcpListener, builder: QueryServerBuilder) -> std::io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let QueryServerBuilder { queries, stores } = builder;
    axum::serve(listener, route::router(queries, stores)).await
}

impl QueryServer {
    /// A server that shows nothing yet.
    pub fn builder(queries: StreamsQueries) -> QueryServerBuilder {
        QueryServerBuilder {
            queries,
            stores: BTreeMap::new(),
        }
    }

    /// The address that it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for QueryServer {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // A server that has ended hears nothing, and need not.
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
