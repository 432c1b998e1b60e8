//! The stores of sessions, and the processors that fill them.

use std::borrow::Cow;
use std::sync::Arc;

use streams_core::Result;
use streams_core::store::{
    SessionStore, SessionStoreSettings, StoreAccess, StoreBuilder, TaskSessionStore,
    ValueAndTimestamp,
};
use streams_core::window::Windowed;

use crate::operator::{Change, Folding, Forwarding, SessionAggregate};
use crate::plan::Lowering;
use crate::table::{StoreDefinition, TableValues, ValuesSupplier};
use crate::window::SessionWindows;

/// Makes one aggregate of those of two sessions; `None` stands for Java's null.
pub(super) trait Merging<K, A>:
    Fn(&K, Option<A>, A) -> Option<A> + Send + Sync + 'static
{
}

impl<K, A, M: Fn(&K, Option<A>, A) -> Option<A> + Send + Sync + 'static> Merging<K, A> for M {}

/// How the aggregates of sessions are kept (`SessionStoreMaterializer`).
pub(super) struct SessionAggregates<K, A> {
    windows: SessionWindows,
    definition: StoreDefinition<K, A>,
    emits_on_close: bool,
}

impl<K, A> SessionAggregates<K, A>
where
    K: Clone + 'static,
    A: Clone + 'static,
{
    pub(super) fn new(
        windows: SessionWindows,
        definition: StoreDefinition<K, A>,
        emits_on_close: bool,
    ) -> Self {
        Self {
            windows,
            definition,
            emits_on_close,
        }
    }

    /// How long after its last record a session may still grow, in milliseconds.
    pub(super) fn grace_ms(&self) -> i64 {
        let gap_ms = self.windows.gap_ms();
        gap_ms.saturating_add(self.windows.grace_ms())
    }

    /// Adds the store to the topology.
    ///
    /// # Errors
    /// If a serde is not known, or sessions are to go before they close.
    pub(super) fn add(&self, lowering: &mut Lowering<'_>, name: &Arc<str>) -> Result<()> {
        let (key, value) = self.definition.serdes(lowering)?;
        let retention_ms = self.definition.retention_ms(lowering, self.grace_ms())?;
        let settings = SessionStoreSettings {
            emits_on_close: self.emits_on_close,
            ..SessionStoreSettings::new(retention_ms)
        };
        let store = StoreBuilder::session(Arc::clone(name), key, value, settings);
        let mut store = self.definition.materialized.finish(store);
        if self.emits_on_close {
            // As on the JVM.
            store = store.without_caching();
        }
        lowering.topology().add_state_store(store)
    }

    /// Adds a processor that aggregates values into the store.
    pub(super) fn add_aggregate<V, F, M>(
        &self,
        lowering: &mut Lowering<'_>,
        store: Arc<str>,
        folding: Folding<A, F>,
        merge: Arc<M>,
    ) -> Result<()>
    where
        V: Clone + 'static,
        F: Fn(&K, Cow<'_, V>, Option<A>) -> Option<A> + Send + Sync + 'static,
        M: Merging<K, A>,
    {
        let forwarding = Forwarding {
            on_close: self.emits_on_close,
            sends_old_values: lowering.sends_old_values(),
        };
        let (windows, stores) = (self.windows, [Arc::clone(&store)]);
        let supplier = move |access: &StoreAccess<'_>| {
            let store = access.session(&SessionStore::new(&*store))?;
            let (folding, merge) = (folding.clone(), Arc::clone(&merge));
            Ok(SessionAggregate::new(
                windows, folding, merge, store, forwarding,
            ))
        };
        let name = lowering.name();
        let handle = lowering
            .add_stateful_processor::<K, V, Windowed<K>, Change<A>, _>(name, supplier, &stores)?;
        lowering.set_handle(handle);
        Ok(())
    }

    /// The aggregates of the store of this name, by key and session.
    pub(super) fn values(name: Arc<str>) -> ValuesSupplier<Windowed<K>, A> {
        ValuesSupplier::new(vec![Arc::clone(&name)], move |access| {
            let store = access.session(&SessionStore::<K, A>::new(&*name))?;
            Ok(Box::new(Aggregates(store)))
        })
    }
}

/// The aggregates of sessions, as another table or a join reads them.
struct Aggregates<K, A>(TaskSessionStore<K, A>);

impl<K: 'static, A: 'static> TableValues<Windowed<K>, A> for Aggregates<K, A> {
    fn get(&self, key: &Windowed<K>) -> Result<Option<ValueAndTimestamp<A>>> {
        let window = key.window;
        let found = self
            .0
            .fetch_session(&key.key, window.start_ms, window.end_ms)?;
        Ok(found.map(|value| ValueAndTimestamp::new(value, window.end_ms)))
    }

    fn get_as_of(&self, key: &Windowed<K>, _: i64) -> Result<Option<ValueAndTimestamp<A>>> {
        self.get(key)
    }

    fn is_versioned(&self) -> bool {
        false
    }
}
