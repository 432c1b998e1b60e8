//! Grouped streams in tumbling, hopping, sliding and unlimited windows.

use std::borrow::Cow;
use std::marker::PhantomData;
use std::sync::Arc;

use streams_core::serde::{I64, SharedSerde, TimeWindowed, non_null};
use streams_core::window::Windowed;

use crate::group::Grouping;
use crate::group::time_store::TimeStore;
use crate::group::windowed::{AGGREGATE, ClosingWindows, REDUCE, WindowedTable, add_windowed};
use crate::operator::{Folding, Initial};
use crate::option::{EmitStrategy, Materialized};
use crate::plan::{Lowering, part};
use crate::table::{KTable, StoreDefinition};
use crate::window::{FixedWindows, SlidingWindows, TimeWindows, UnlimitedWindows};

/// The kinds of windows whose aggregates are kept by key and beginning.
#[derive(Debug, Clone, Copy)]
pub(crate) enum TimeKind {
    Time(TimeWindows),
    Sliding(SlidingWindows),
    Unlimited(UnlimitedWindows),
}

impl TimeKind {
    /// How long a window is, in milliseconds.
    pub(super) fn size_ms(self) -> i64 {
        match self {
            Self::Time(windows) => windows.size_ms(),
            Self::Sliding(windows) => windows.time_difference_ms(),
            Self::Unlimited(windows) => windows.size_ms(),
        }
    }

    /// How long a window takes records after its end, in milliseconds.
    pub(super) fn grace_ms(self) -> i64 {
        match self {
            Self::Time(windows) => windows.grace_ms(),
            Self::Sliding(windows) => windows.grace_ms(),
            Self::Unlimited(windows) => windows.grace_ms(),
        }
    }

    /// What keeps these from being windows.
    pub(super) fn mistake(self) -> Option<String> {
        match self {
            Self::Time(windows) => windows.mistake(),
            Self::Sliding(windows) => windows.mistake(),
            Self::Unlimited(windows) => windows.mistake(),
        }
    }
}

/// A grouped stream in windows of time (`org.apache.kafka.streams.kstream.TimeWindowedKStream`).
///
/// Made by [`KGroupedStream::windowed_by`](crate::KGroupedStream::windowed_by).
pub struct TimeWindowedKStream<K, V, W> {
    grouping: Grouping<K, V>,
    windows: TimeKind,
    emit: EmitStrategy,
    kind: PhantomData<fn() -> W>,
}

impl<K, V, W> std::fmt::Debug for TimeWindowedKStream<K, V, W> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut debug = formatter.debug_struct("TimeWindowedKStream");
        debug
            .field("windows", &self.windows)
            .finish_non_exhaustive()
    }
}

impl<K, V, W> TimeWindowedKStream<K, V, W> {
    pub(crate) fn new(grouping: Grouping<K, V>, windows: TimeKind) -> Self {
        Self {
            grouping,
            windows,
            emit: EmitStrategy::OnWindowUpdate,
            kind: PhantomData,
        }
    }
}

impl<K, V, W: ClosingWindows> TimeWindowedKStream<K, V, W> {
    /// Says when results are emitted: with each change, which is the default, or once, when their
    /// window has closed.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use streams_dsl::{StreamsBuilder, TimeWindows, Topic, TopologyTestDriver, WindowStore};
    /// # use streams_dsl::serde::{I64, Nullable, TimeWindowed, Utf8};
    /// use streams_dsl::{EmitStrategy, Window, Windowed};
    /// # let clicks = Topic::<String, String>::new("clicks", Utf8, Utf8);
    /// # let key = TimeWindowed::new(Utf8, 10);
    /// # let out = Topic::<Windowed<String>, Option<i64>>::new("out", key, Nullable(I64));
    /// # const CLICKS: WindowStore<String, i64> = WindowStore::named("clicks");
    /// # let builder = StreamsBuilder::new();
    /// # let stream = builder.stream(&clicks);
    /// let windows = TimeWindows::tumbling(Duration::from_millis(10));
    /// let windowed = stream.group_by_key().windowed_by(windows);
    /// windowed.emit_strategy(EmitStrategy::OnWindowClose).count(&CLICKS).to_stream().to(&out);
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
    /// An unlimited window never closes:
    ///
    /// ```compile_fail,E0599
    /// # use streams_dsl::{EmitStrategy, StreamsBuilder, Topic, UnlimitedWindows, serde::Utf8};
    /// # let clicks = Topic::<String, String>::new("clicks", Utf8, Utf8);
    /// # let stream = StreamsBuilder::new().stream(&clicks);
    /// let windowed = stream.group_by_key().windowed_by(UnlimitedWindows::of());
    /// windowed.emit_strategy(EmitStrategy::OnWindowClose);
    /// ```
    #[must_use]
    pub fn emit_strategy(mut self, emit: EmitStrategy) -> Self {
        self.emit = emit;
        self
    }
}

impl<K, V, W> TimeWindowedKStream<K, V, W>
where
    K: Clone + 'static,
    V: Clone + 'static,
{
    /// The number of records of each key and window.
    ///
    /// See [`KGroupedStream::windowed_by`](crate::KGroupedStream::windowed_by) for an example.
    pub fn count(self, materialized: impl Into<Materialized<K, i64>>) -> KTable<Windowed<K>, i64> {
        let value: SharedSerde<i64> = Arc::new(I64);
        let initial: Initial<i64> = Some(Arc::new(|| 0));
        let add = |_: &K, _: Cow<'_, V>, so_far: Option<i64>| Some(so_far.unwrap_or(0) + 1);
        self.fold(AGGREGATE, materialized.into(), Some(value), initial, add)
    }

    /// The values of each key and window, reduced to one (`Reducer`).
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use streams_dsl::{StreamsBuilder, Topic, TopologyTestDriver, WindowStore};
    /// # use streams_dsl::serde::{I64, Nullable, TimeWindowed, Utf8};
    /// use streams_dsl::{SlidingWindows, Window, Windowed};
    /// # let bids = Topic::<String, i64>::new("bids", Utf8, I64);
    /// # let key = TimeWindowed::new(Utf8, 100);
    /// # let out = Topic::<Windowed<String>, Option<i64>>::new("out", key, Nullable(I64));
    /// # const BEST: WindowStore<String, i64> = WindowStore::named("best");
    /// # let builder = StreamsBuilder::new();
    /// let near = SlidingWindows::of_time_difference_with_no_grace(Duration::from_millis(100));
    /// let windowed = builder.stream(&bids).group_by_key().windowed_by(near);
    /// windowed.reduce(i64::max, &BEST).to_stream().to(&out);
    /// # let mut driver = TopologyTestDriver::new(&builder.build()?)?;
    /// driver.pipe(&bids, &"vase".into(), &7, 1_000)?;
    /// driver.pipe(&bids, &"vase".into(), &9, 1_050)?;
    /// let bids = driver.read_all(&out);
    /// let best = |start_ms, bid| {
    ///     (Windowed::new("vase".to_owned(), Window::new(start_ms, start_ms + 100)), Some(bid))
    /// };
    /// // What ends with each bid, and what begins right after the first.
    /// assert_eq!(bids, [best(900, 7), best(1_001, 9), best(950, 9)]);
    /// # Ok::<(), streams_dsl::Error>(())
    /// ```
    pub fn reduce<F>(
        self,
        reduce: F,
        materialized: impl Into<Materialized<K, V>>,
    ) -> KTable<Windowed<K>, V>
    where
        F: Fn(V, V) -> V + Send + Sync + 'static,
    {
        self.reduce_or_delete(move |one, other| Some(reduce(one, other)), materialized)
    }

    /// As [`TimeWindowedKStream::reduce`], where `None` deletes the window's row.
    pub fn reduce_or_delete<F>(
        self,
        reduce: F,
        materialized: impl Into<Materialized<K, V>>,
    ) -> KTable<Windowed<K>, V>
    where
        F: Fn(V, V) -> Option<V> + Send + Sync + 'static,
    {
        let value = self.grouping.value.clone();
        let add = move |_: &K, value: Cow<'_, V>, so_far| match so_far {
            None => Some(value.into_owned()),
            Some(so_far) => reduce(so_far, value.into_owned()),
        };
        self.fold(REDUCE, materialized.into(), value, None, add)
    }

    /// An aggregate of the values of each key and window: `initialize` makes the first, and `add`
    /// adds a value to what there is (`Initializer`, `Aggregator`).
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use streams_dsl::{StreamsBuilder, Topic, TopologyTestDriver, WindowStore};
    /// # use streams_dsl::serde::{I64, Nullable, TimeWindowed, Utf8};
    /// use streams_dsl::{Materialized, TimeWindows, Window, Windowed};
    /// # let words = Topic::<String, String>::new("words", Utf8, Utf8);
    /// # let key = TimeWindowed::new(Utf8, 10);
    /// # let out = Topic::<Windowed<String>, Option<i64>>::new("out", key, Nullable(I64));
    /// # const LETTERS: WindowStore<String, i64> = WindowStore::named("letters");
    /// # let builder = StreamsBuilder::new();
    /// let hopping = TimeWindows::of_size_with_no_grace(Duration::from_millis(10))
    ///     .advance_by(Duration::from_millis(5));
    /// let letters = builder.stream(&words).group_by_key().windowed_by(hopping).aggregate(
    ///     || 0,
    ///     |_, word, letters| letters + word.len() as i64,
    ///     Materialized::from(&LETTERS).with_value_serde(I64),
    /// );
    /// letters.to_stream().to(&out);
    /// # let mut driver = TopologyTestDriver::new(&builder.build()?)?;
    /// driver.pipe(&words, &"a".into(), &"ash".into(), 7)?;
    /// let row = |start_ms| {
    ///     (Windowed::new("a".to_owned(), Window::new(start_ms, start_ms + 10)), Some(3))
    /// };
    /// assert_eq!(driver.read_all(&out), [row(0), row(5)]);
    /// # Ok::<(), streams_dsl::Error>(())
    /// ```
    pub fn aggregate<A, I, F>(
        self,
        initialize: I,
        add: F,
        materialized: impl Into<Materialized<K, A>>,
    ) -> KTable<Windowed<K>, A>
    where
        I: Fn() -> A + Send + Sync + 'static,
        F: Fn(&K, V, A) -> A + Send + Sync + 'static,
        A: Clone + 'static,
    {
        let add = move |key: &K, value, so_far| Some(add(key, value, so_far));
        self.aggregate_or_delete(initialize, add, materialized)
    }

    /// As [`TimeWindowedKStream::aggregate`], where `None` deletes the window's row.
    pub fn aggregate_or_delete<A, I, F>(
        self,
        initialize: I,
        add: F,
        materialized: impl Into<Materialized<K, A>>,
    ) -> KTable<Windowed<K>, A>
    where
        I: Fn() -> A + Send + Sync + 'static,
        F: Fn(&K, V, A) -> Option<A> + Send + Sync + 'static,
        A: Clone + 'static,
    {
        let initialize = Arc::new(initialize);
        let initial: Initial<A> = Some(Arc::clone(&initialize) as _);
        let add = move |key: &K, value: Cow<'_, V>, so_far: Option<A>| {
            let so_far = so_far.unwrap_or_else(|| initialize());
            add(key, value.into_owned(), so_far)
        };
        self.fold(AGGREGATE, materialized.into(), None, initial, add)
    }

    fn fold<A, F>(
        self,
        prefix: &'static str,
        materialized: Materialized<K, A>,
        value: Option<SharedSerde<A>>,
        initial: Initial<A>,
        add: F,
    ) -> KTable<Windowed<K>, A>
    where
        F: Fn(&K, Cow<'_, V>, Option<A>) -> Option<A> + Send + Sync + 'static,
        A: Clone + 'static,
    {
        let (grouping, windows) = (self.grouping, self.windows);
        let naming = grouping.naming(prefix, materialized.name.clone());
        let definition = StoreDefinition::new(materialized, grouping.key.clone(), value);
        let table = windowed_table(windows, &definition);
        let emits_on_close = self.emit == EmitStrategy::OnWindowClose;
        let store = TimeStore::new(windows, definition, emits_on_close);
        let add = Arc::new(add);
        let folding = Folding { initial, add };
        let lower = move |lowering: &mut Lowering<'_>| {
            let name = lowering.part(part::STORE)?;
            store.add(lowering, &name)?;
            store.add_aggregate::<V, F>(lowering, name, folding.clone())
        };
        add_windowed(&grouping, naming, table, lower, |lowering, node| {
            Ok(TimeStore::<K, A>::values(
                lowering.part_of(node, part::STORE)?,
            ))
        })
    }
}

impl<K, V, W> TimeWindowedKStream<K, Option<V>, W>
where
    K: Clone + 'static,
    V: Clone + 'static,
{
    /// As [`TimeWindowedKStream::reduce_or_delete`], where values may be null, as the JVM's windows
    /// take them: a null that is the first of its window makes no row.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use streams_dsl::{StreamsBuilder, Topic, TopologyTestDriver, WindowStore};
    /// # use streams_dsl::serde::{I64, Nullable, TimeWindowed, Utf8};
    /// use streams_dsl::TimeWindows;
    /// # let bids = Topic::<String, Option<i64>>::new("bids", Utf8, Nullable(I64));
    /// # let key = TimeWindowed::new(Utf8, 10);
    /// # let out = Topic::new("out", key, Nullable(I64));
    /// # const BEST: WindowStore<String, i64> = WindowStore::named("best");
    /// # let builder = StreamsBuilder::new();
    /// let windows = TimeWindows::tumbling(Duration::from_millis(10));
    /// let windowed = builder.stream(&bids).group_by_key().windowed_by(windows);
    /// // A bid that is taken back ends the auction.
    /// let best = windowed.reduce_nullable(|best, bid| bid.map(|bid| bid.max(best)), &BEST);
    /// best.to_stream().to(&out);
    /// # let mut driver = TopologyTestDriver::new(&builder.build()?)?;
    /// driver.pipe(&bids, &"vase".into(), &Some(7), 0)?;
    /// driver.pipe(&bids, &"vase".into(), &None, 1)?;
    /// let best: Vec<_> = driver.read_all(&out).into_iter().map(|(_, best)| best).collect();
    /// assert_eq!(best, [Some(7), None]);
    /// # Ok::<(), streams_dsl::Error>(())
    /// ```
    pub fn reduce_nullable<F>(
        self,
        reduce: F,
        materialized: impl Into<Materialized<K, V>>,
    ) -> KTable<Windowed<K>, V>
    where
        F: Fn(V, Option<V>) -> Option<V> + Send + Sync + 'static,
    {
        let value = self.grouping.value.as_ref().and_then(non_null);
        let add = move |_: &K, value: Cow<'_, Option<V>>, so_far| match so_far {
            None => value.into_owned(),
            Some(so_far) => reduce(so_far, value.into_owned()),
        };
        self.fold(REDUCE, materialized.into(), value, None, add)
    }
}

/// What is known of the table of these windows.
pub(super) fn windowed_table<K: 'static, A: 'static>(
    windows: TimeKind,
    definition: &StoreDefinition<K, A>,
) -> WindowedTable<K, A> {
    let key = definition.key.clone();
    let key = key.map(|key| Arc::new(TimeWindowed::new(key, windows.size_ms())) as _);
    WindowedTable {
        key,
        value: definition.value.clone(),
        grace_ms: windows.grace_ms(),
    }
}
