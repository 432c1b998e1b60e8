//! Tables whose changes are held back.

use std::sync::Arc;

use streams_core::Result;
use streams_core::store::{
    PriorValue, StoreAccess, StoreBuilder, TaskChangeBuffer, ValueAndTimestamp,
};

use crate::operator::{Change, Suppress, Suppression};
use crate::option::{Suppressed, Wait};
use crate::plan::{Lowering, Names, Naming, Node, Table, part};
use crate::table::{Getter, KTable, TableValues, Values, ValuesSupplier};

const PREFIX: &str = "KTABLE-SUPPRESS-";

/// The time of a value whose time is not known (`RecordQueue.UNKNOWN`).
const UNKNOWN_TIME_MS: i64 = -1;

impl<K: 'static, V: 'static> KTable<K, V> {
    /// Holds changes back, so that of several to one key only the last goes on: until its window
    /// has closed, or for a time (KIP-328).
    ///
    /// What is held back is in a store in memory with a changelog. Its name, and that of its store,
    /// comes from [`KTable::named`].
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use streams_dsl::{StreamsBuilder, TimeWindows, Topic, TopologyTestDriver, WindowStore};
    /// # use streams_dsl::serde::{I64, Nullable, TimeWindowed, Utf8};
    /// use streams_dsl::{BufferConfig, Suppressed, Window, Windowed};
    /// # let clicks = Topic::<String, String>::new("clicks", Utf8, Utf8);
    /// # let key = TimeWindowed::new(Utf8, 10);
    /// # let out = Topic::<Windowed<String>, Option<i64>>::new("out", key, Nullable(I64));
    /// # const CLICKS: WindowStore<String, i64> = WindowStore::named("clicks");
    /// # let builder = StreamsBuilder::new();
    /// let windows = TimeWindows::tumbling(Duration::from_millis(10));
    /// let counts = builder.stream(&clicks).group_by_key().windowed_by(windows).count(&CLICKS);
    /// let last = counts.suppress(Suppressed::until_window_closes(BufferConfig::unbounded()));
    /// last.to_stream().to(&out);
    /// # let mut driver = TopologyTestDriver::new(&builder.build()?)?;
    /// driver.pipe(&clicks, &"ada".into(), &"/".into(), 1)?;
    /// driver.pipe(&clicks, &"ada".into(), &"/about".into(), 9)?;
    /// assert_eq!(driver.read(&out), None);
    /// driver.pipe(&clicks, &"bob".into(), &"/".into(), 10)?;
    /// let window = Windowed::new("ada".to_owned(), Window::new(0, 10));
    /// assert_eq!(driver.read(&out), Some((window, Some(2))));
    /// # Ok::<(), streams_dsl::Error>(())
    /// ```
    ///
    /// For a time, of any table:
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use streams_dsl::{StreamsBuilder, Topic, TopologyTestDriver, serde::{Nullable, Utf8}};
    /// use streams_dsl::{BufferConfig, Suppressed};
    /// # let names = Topic::<String, String>::new("names", Utf8, Utf8);
    /// # let out = Topic::<String, Option<String>>::new("out", Utf8, Nullable(Utf8));
    /// # let builder = StreamsBuilder::new();
    /// let limit = Duration::from_millis(10);
    /// let slow = Suppressed::until_time_limit(limit, BufferConfig::unbounded());
    /// builder.table(&names).suppress(slow).to_stream().to(&out);
    /// # let mut driver = TopologyTestDriver::new(&builder.build()?)?;
    /// driver.pipe(&names, &"1".into(), &"ada".into(), 0)?;
    /// driver.pipe(&names, &"1".into(), &"eve".into(), 5)?;
    /// assert_eq!(driver.read(&out), None);
    /// driver.pipe(&names, &"2".into(), &"bob".into(), 10)?;
    /// assert_eq!(driver.read(&out), Some(("1".into(), Some("eve".into()))));
    /// # Ok::<(), streams_dsl::Error>(())
    /// ```
    ///
    /// A table without windows has none to wait for:
    ///
    /// ```compile_fail,E0271
    /// # use streams_dsl::{BufferConfig, StreamsBuilder, Suppressed, Topic, serde::Utf8};
    /// # let names = Topic::<String, String>::new("names", Utf8, Utf8);
    /// let table = StreamsBuilder::new().table(&names);
    /// table.suppress(Suppressed::until_window_closes(BufferConfig::unbounded()));
    /// ```
    #[must_use]
    pub fn suppress(self, suppressed: Suppressed<K>) -> Self {
        let (key, value) = (self.key.clone(), self.value.clone());
        let logging = suppressed.logging.clone();
        let lower = move |lowering: &mut Lowering<'_>| {
            if lowering.is_input_versioned() {
                return Err(lowering.invalid("suppresses a versioned table"));
            }
            let suppression = suppression(lowering, &suppressed)?;
            let missing = |what| {
                let what = format!("keeps changes back, but has no {what} serde");
                lowering.invalid(&what)
            };
            let key = key.as_ref().ok_or_else(|| missing("key"))?;
            let value = value.as_ref().ok_or_else(|| missing("value"))?;
            let name = lowering.part(part::STORE)?;
            let (key, value) = (Arc::clone(key), Arc::clone(value));
            let store = StoreBuilder::change_buffer(Arc::clone(&name), key, value);
            let store = match &logging {
                Some(topic_config) => store.with_logging(topic_config.clone()),
                None => store.without_logging(),
            };
            lowering.topology().add_state_store(store)?;
            let stores = [Arc::clone(&name)];
            let supplier = move |access: &StoreAccess<'_>| {
                let buffer = access.change_buffer::<K, V>(&name)?;
                Ok(Suppress::new(suppression, buffer))
            };
            let name = lowering.name();
            let handle = lowering
                .add_stateful_processor::<K, Change<V>, K, Change<V>, _>(name, supplier, &stores)?;
            lowering.set_handle(handle);
            Ok(())
        };
        self.after_suppress(lower)
    }

    fn after_suppress(
        self,
        lower: impl Fn(&mut Lowering<'_>) -> Result<()> + Send + Sync + 'static,
    ) -> Self {
        let node = Node::new(naming(), vec![self.node], lower)
            .with_table(Table::of_table(self.node))
            .with_output_versioned(false);
        let mut plan = self.builder.plan();
        // The buffer keeps what those below have seen, which is the value before the first change.
        plan.enable_sending_old_values(self.node, true);
        let node = plan.add(node);
        drop(plan);
        let parent = self.getter;
        let getter: Getter<K, V> = Arc::new(move |lowering| {
            let name = lowering.part_of(node, part::STORE)?;
            let parent = parent(lowering)?;
            let stores = std::iter::once(Arc::clone(&name)).chain(parent.stores.iter().cloned());
            Ok(ValuesSupplier::new(stores.collect(), move |access| {
                let buffer = access.change_buffer::<K, V>(&name)?;
                let parent = parent.make(access)?;
                Ok(Box::new(SuppressedValues { buffer, parent }))
            }))
        });
        Self {
            node,
            getter,
            ..self
        }
    }
}

/// A name of the user's is also that of the store, and takes no number.
fn naming() -> Naming {
    Naming::Script(Box::new(|namer, given| {
        let Some(name) = given else {
            let name = namer.numbered(PREFIX);
            return Names::of_node(name).with(part::STORE, namer.store(PREFIX));
        };
        let store = format!("{name}-store").into();
        Names::of_node(Arc::clone(name)).with(part::STORE, store)
    }))
}

fn suppression<K>(lowering: &Lowering<'_>, suppressed: &Suppressed<K>) -> Result<Suppression<K>> {
    let is_final = suppressed.wait == Wait::UntilWindowCloses;
    let wait_ms = match suppressed.wait {
        Wait::UntilWindowCloses => lowering.window_grace_ms()?,
        Wait::Millis(wait_ms) => wait_ms,
    };
    Ok(Suppression {
        wait_ms,
        buffer_time: suppressed.buffer_time,
        records_max: suppressed.records_max,
        bytes_max: suppressed.bytes_max,
        emits_early: suppressed.emits_early,
        drops_deletions: is_final,
    })
}

/// The values of a suppressed table: what those below it have seen.
struct SuppressedValues<K, V> {
    buffer: TaskChangeBuffer<K, V>,
    parent: Values<K, V>,
}

impl<K: 'static, V: 'static> TableValues<K, V> for SuppressedValues<K, V> {
    fn get(&self, key: &K) -> Result<Option<ValueAndTimestamp<V>>> {
        match self.buffer.prior_value(key)? {
            PriorValue::NotBuffered => self.parent.get(key),
            PriorValue::Before(prior) => {
                Ok(prior.map(|prior| ValueAndTimestamp::new(prior, UNKNOWN_TIME_MS)))
            }
        }
    }

    fn get_as_of(&self, key: &K, _: i64) -> Result<Option<ValueAndTimestamp<V>>> {
        self.get(key)
    }

    fn is_versioned(&self) -> bool {
        false
    }
}
