//! The stores of windows of time, and the processors that fill them.

use std::borrow::Cow;
use std::sync::Arc;

use streams_core::Result;
use streams_core::processor::Processor;
use streams_core::store::{
    StoreAccess, StoreBuilder, TaskTimestampedWindowStore, ValueAndTimestamp, WindowStore,
    WindowStoreSettings,
};
use streams_core::window::Windowed;

use crate::group::time_windowed::TimeKind;
use crate::operator::{Change, Folding, Forwarding, SlidingAggregate, WindowAggregate};
use crate::plan::Lowering;
use crate::table::{StoreDefinition, TableValues, ValuesSupplier};

/// How the aggregates of windows are kept (`WindowStoreMaterializer`,
/// `SlidingWindowStoreMaterializer`).
pub(super) struct TimeStore<K, A> {
    windows: TimeKind,
    definition: StoreDefinition<K, A>,
    emits_on_close: bool,
}

impl<K, A> TimeStore<K, A>
where
    K: Clone + 'static,
    A: Clone + 'static,
{
    pub(super) fn new(
        windows: TimeKind,
        definition: StoreDefinition<K, A>,
        emits_on_close: bool,
    ) -> Self {
        Self {
            windows,
            definition,
            emits_on_close,
        }
    }

    /// How long a window takes records after its end, in milliseconds.
    pub(super) fn grace_ms(&self) -> i64 {
        self.windows.grace_ms()
    }

    /// Adds the store to the topology.
    ///
    /// # Errors
    /// If the windows are impossible, a serde is not known, or windows are to go before they close.
    pub(super) fn add(&self, lowering: &mut Lowering<'_>, name: &Arc<str>) -> Result<()> {
        if let Some(mistake) = self.windows.mistake() {
            return Err(lowering.invalid(&mistake));
        }
        let (key, value) = self.definition.serdes(lowering)?;
        let least_ms = self.retention_least_ms();
        let retention_ms = self.definition.retention_ms(lowering, least_ms)?;
        let settings = WindowStoreSettings {
            emits_on_close: self.emits_on_close,
            ..WindowStoreSettings::new(retention_ms, self.windows.size_ms())
        };
        let store = StoreBuilder::timestamped_window(Arc::clone(name), key, value, settings);
        let mut store = self.definition.materialized.finish(store);
        if self.emits_on_close && matches!(self.windows, TimeKind::Sliding(_)) {
            // As on the JVM.
            store = store.without_caching();
        }
        lowering.topology().add_state_store(store)
    }

    /// How long windows must be kept at least, which is also how long they are unless more is asked
    /// for. A sliding window may be made of one that begins twice the time difference earlier.
    fn retention_least_ms(&self) -> i64 {
        let size_ms = match self.windows {
            TimeKind::Sliding(windows) => windows.time_difference_ms().saturating_mul(2),
            windows => windows.size_ms(),
        };
        size_ms.saturating_add(self.windows.grace_ms())
    }

    /// Adds a processor that aggregates values into the store.
    pub(super) fn add_aggregate<V, F>(
        &self,
        lowering: &mut Lowering<'_>,
        store: Arc<str>,
        folding: Folding<A, F>,
    ) -> Result<()>
    where
        V: Clone + 'static,
        F: Fn(&K, Cow<'_, V>, Option<A>) -> Option<A> + Send + Sync + 'static,
    {
        let forwarding = Forwarding {
            on_close: self.emits_on_close,
            sends_old_values: lowering.sends_old_values(),
        };
        match self.windows {
            TimeKind::Time(windows) => add_processor(lowering, store, move |store| {
                WindowAggregate::new(windows, folding.clone(), store, forwarding)
            }),
            TimeKind::Unlimited(windows) => add_processor(lowering, store, move |store| {
                WindowAggregate::new(windows, folding.clone(), store, forwarding)
            }),
            TimeKind::Sliding(windows) => add_processor(lowering, store, move |store| {
                SlidingAggregate::new(windows, folding.clone(), store, forwarding)
            }),
        }
    }

    /// The aggregates of the store of this name, by key and window.
    pub(super) fn values(name: Arc<str>) -> ValuesSupplier<Windowed<K>, A> {
        ValuesSupplier::new(vec![Arc::clone(&name)], move |access| {
            let store = access.timestamped_window(&WindowStore::<K, A>::new(&*name))?;
            Ok(Box::new(Aggregates(store)))
        })
    }
}

fn add_processor<K, V, A, P>(
    lowering: &mut Lowering<'_>,
    store: Arc<str>,
    make: impl Fn(TaskTimestampedWindowStore<K, A>) -> P + Send + Sync + 'static,
) -> Result<()>
where
    K: 'static,
    V: 'static,
    A: 'static,
    P: Processor<K, V, Windowed<K>, Change<A>>,
{
    let stores = [Arc::clone(&store)];
    let supplier = move |access: &StoreAccess<'_>| {
        let store = access.timestamped_window(&WindowStore::new(&*store))?;
        Ok(make(store))
    };
    let name = lowering.name();
    let handle = lowering
        .add_stateful_processor::<K, V, Windowed<K>, Change<A>, _>(name, supplier, &stores)?;
    lowering.set_handle(handle);
    Ok(())
}

/// The aggregates of windows, as another table or a join reads them.
struct Aggregates<K, A>(TaskTimestampedWindowStore<K, A>);

impl<K: 'static, A: 'static> TableValues<Windowed<K>, A> for Aggregates<K, A> {
    fn get(&self, key: &Windowed<K>) -> Result<Option<ValueAndTimestamp<A>>> {
        self.0.fetch(&key.key, key.window.start_ms)
    }

    fn get_as_of(&self, key: &Windowed<K>, _: i64) -> Result<Option<ValueAndTimestamp<A>>> {
        self.get(key)
    }

    fn is_versioned(&self) -> bool {
        false
    }
}
