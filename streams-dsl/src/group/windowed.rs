//! What a grouped stream becomes by windows.

use streams_core::Result;
use streams_core::serde::SharedSerde;
use streams_core::window::Windowed;

use crate::builder::StreamsBuilder;
use crate::group::cogroup::CogroupedKStream;
use crate::group::cogroup_windowed::{
    SessionWindowedCogroupedKStream, TimeWindowedCogroupedKStream,
};
use crate::group::session_windowed::SessionWindowedKStream;
use crate::group::time_windowed::{TimeKind, TimeWindowedKStream};
use crate::group::{Grouping, KGroupedStream};
use crate::plan::{Lowering, Naming, Node, PlanId, Table};
use crate::table::{Getter, KTable, ValuesSupplier};
use crate::window::{SessionWindows, SlidingWindows, TimeWindows, UnlimitedWindows};

/// Windows that a grouped stream can be cut into.
pub trait WindowedBy: sealed::Sealed {
    /// What the grouped stream becomes.
    type Stream<K: 'static, V: 'static>;

    /// What cogrouped streams become.
    type Cogrouped<K: Clone + 'static, A: Clone + 'static>;

    /// The stream in these windows.
    fn windowed<K: 'static, V: 'static>(self, grouped: KGroupedStream<K, V>) -> Self::Stream<K, V>;

    /// The cogrouped streams in these windows.
    fn windowed_cogrouped<K: Clone + 'static, A: Clone + 'static>(
        self,
        cogrouped: CogroupedKStream<K, A>,
    ) -> Self::Cogrouped<K, A>;
}

/// Windows that close one day, so that results can wait for it.
pub trait ClosingWindows: WindowedBy {}

impl ClosingWindows for TimeWindows {}
impl ClosingWindows for SlidingWindows {}
impl ClosingWindows for SessionWindows {}

mod sealed {
    use crate::window::{SessionWindows, SlidingWindows, TimeWindows, UnlimitedWindows};

    pub trait Sealed {}
    impl Sealed for TimeWindows {}
    impl Sealed for SlidingWindows {}
    impl Sealed for SessionWindows {}
    impl Sealed for UnlimitedWindows {}
}

impl WindowedBy for TimeWindows {
    type Stream<K: 'static, V: 'static> = TimeWindowedKStream<K, V, Self>;
    type Cogrouped<K: Clone + 'static, A: Clone + 'static> =
        TimeWindowedCogroupedKStream<K, A, Self>;

    fn windowed<K: 'static, V: 'static>(self, grouped: KGroupedStream<K, V>) -> Self::Stream<K, V> {
        TimeWindowedKStream::new(grouped.grouping, TimeKind::Time(self))
    }

    fn windowed_cogrouped<K: Clone + 'static, A: Clone + 'static>(
        self,
        cogrouped: CogroupedKStream<K, A>,
    ) -> Self::Cogrouped<K, A> {
        TimeWindowedCogroupedKStream::new(cogrouped, TimeKind::Time(self))
    }
}

impl WindowedBy for SlidingWindows {
    type Stream<K: 'static, V: 'static> = TimeWindowedKStream<K, V, Self>;
    type Cogrouped<K: Clone + 'static, A: Clone + 'static> =
        TimeWindowedCogroupedKStream<K, A, Self>;

    fn windowed<K: 'static, V: 'static>(self, grouped: KGroupedStream<K, V>) -> Self::Stream<K, V> {
        TimeWindowedKStream::new(grouped.grouping, TimeKind::Sliding(self))
    }

    fn windowed_cogrouped<K: Clone + 'static, A: Clone + 'static>(
        self,
        cogrouped: CogroupedKStream<K, A>,
    ) -> Self::Cogrouped<K, A> {
        TimeWindowedCogroupedKStream::new(cogrouped, TimeKind::Sliding(self))
    }
}

impl WindowedBy for UnlimitedWindows {
    type Stream<K: 'static, V: 'static> = TimeWindowedKStream<K, V, Self>;
    type Cogrouped<K: Clone + 'static, A: Clone + 'static> =
        TimeWindowedCogroupedKStream<K, A, Self>;

    fn windowed<K: 'static, V: 'static>(self, grouped: KGroupedStream<K, V>) -> Self::Stream<K, V> {
        TimeWindowedKStream::new(grouped.grouping, TimeKind::Unlimited(self))
    }

    fn windowed_cogrouped<K: Clone + 'static, A: Clone + 'static>(
        self,
        cogrouped: CogroupedKStream<K, A>,
    ) -> Self::Cogrouped<K, A> {
        TimeWindowedCogroupedKStream::new(cogrouped, TimeKind::Unlimited(self))
    }
}

impl WindowedBy for SessionWindows {
    type Stream<K: 'static, V: 'static> = SessionWindowedKStream<K, V>;
    type Cogrouped<K: Clone + 'static, A: Clone + 'static> = SessionWindowedCogroupedKStream<K, A>;

    fn windowed<K: 'static, V: 'static>(self, grouped: KGroupedStream<K, V>) -> Self::Stream<K, V> {
        SessionWindowedKStream::new(grouped.grouping, self)
    }

    fn windowed_cogrouped<K: Clone + 'static, A: Clone + 'static>(
        self,
        cogrouped: CogroupedKStream<K, A>,
    ) -> Self::Cogrouped<K, A> {
        SessionWindowedCogroupedKStream::new(cogrouped, self)
    }
}

impl<K: 'static, V: 'static> KGroupedStream<K, V> {
    /// Cuts the records of each key into windows, to be aggregated in each: [`TimeWindows`],
    /// [`SlidingWindows`], [`SessionWindows`] or [`UnlimitedWindows`].
    ///
    /// Records without a value are records like any other, so that they can be counted; the JVM
    /// leaves them out of sliding windows, as [`KGroupedStream::skip_null_values`] does of all.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use streams_dsl::{StreamsBuilder, Topic, TopologyTestDriver};
    /// # use streams_dsl::serde::{I64, Nullable, TimeWindowed, Utf8};
    /// use streams_dsl::{TimeWindows, Window, WindowStore, Windowed};
    ///
    /// const SIGNUPS: WindowStore<String, i64> = WindowStore::named("signups-per-country");
    /// # let users = Topic::<String, String>::new("users", Utf8, Utf8);
    ///
    /// fn signups() -> Topic<Windowed<String>, Option<i64>> {
    ///     Topic::new("signups", TimeWindowed::new(Utf8, 60_000), Nullable(I64))
    /// }
    /// # let builder = StreamsBuilder::new();
    ///
    /// builder
    ///     .stream(&users)
    ///     .group_by(Utf8, |_, country| country.clone())
    ///     .windowed_by(TimeWindows::tumbling(Duration::from_secs(60)))
    ///     .count(&SIGNUPS)
    ///     .to_stream()
    ///     .to(&signups());
    /// # let mut driver = TopologyTestDriver::new(&builder.build()?)?;
    /// driver.pipe(&users, &"1".into(), &"UK".into(), 1_000)?;
    /// driver.pipe(&users, &"2".into(), &"UK".into(), 61_000)?;
    /// let first = Windowed::new("UK".to_owned(), Window::new(0, 60_000));
    /// let second = Windowed::new("UK".to_owned(), Window::new(60_000, 120_000));
    /// assert_eq!(driver.read(&signups()), Some((first, Some(1))));
    /// assert_eq!(driver.read(&signups()), Some((second, Some(1))));
    /// # Ok::<(), streams_dsl::Error>(())
    /// ```
    pub fn windowed_by<W: WindowedBy>(self, windows: W) -> W::Stream<K, V> {
        windows.windowed(self)
    }
}

impl<K: Clone + 'static, A: Clone + 'static> CogroupedKStream<K, A> {
    /// Cuts the records of each key into windows, to be aggregated together in each.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use streams_dsl::{StreamsBuilder, Topic, TopologyTestDriver, WindowStore};
    /// # use streams_dsl::serde::{I64, Nullable, TimeWindowed, Utf8};
    /// use streams_dsl::{Materialized, TimeWindows};
    ///
    /// const ACTIONS: WindowStore<String, i64> = WindowStore::named("actions");
    /// # let clicks = Topic::<String, String>::new("clicks", Utf8, Utf8);
    /// # let orders = Topic::<String, String>::new("orders", Utf8, Utf8);
    /// # let out = Topic::new("out", TimeWindowed::new(Utf8, 10), Nullable(I64));
    /// # let builder = StreamsBuilder::new();
    /// let clicked = builder.stream(&clicks).group_by_key();
    /// let ordered = builder.stream(&orders).group_by_key();
    /// let actions = clicked
    ///     .cogroup(|_, _, actions| actions + 1)
    ///     .cogroup(ordered, |_, _, actions| actions + 100)
    ///     .windowed_by(TimeWindows::tumbling(Duration::from_millis(10)))
    ///     .aggregate(|| 0, Materialized::from(&ACTIONS).with_value_serde(I64));
    /// actions.to_stream().to(&out);
    /// # let mut driver = TopologyTestDriver::new(&builder.build()?)?;
    /// driver.pipe(&clicks, &"ada".into(), &"/".into(), 0)?;
    /// driver.pipe(&orders, &"ada".into(), &"book".into(), 9)?;
    /// driver.pipe(&clicks, &"ada".into(), &"/".into(), 10)?;
    /// let actions = driver.read_all(&out).into_iter().map(|(_, actions)| actions);
    /// assert_eq!(actions.collect::<Vec<_>>(), [Some(1), Some(101), Some(1)]);
    /// # Ok::<(), streams_dsl::Error>(())
    /// ```
    pub fn windowed_by<W: WindowedBy>(self, windows: W) -> W::Cogrouped<K, A> {
        windows.windowed_cogrouped(self)
    }
}

/// The name of a windowed aggregation's parts (`KStreamImpl`).
pub(super) const AGGREGATE: &str = "KSTREAM-AGGREGATE-";
/// The same of a reduction.
pub(super) const REDUCE: &str = "KSTREAM-REDUCE-";

/// What is known of a windowed table before it has a node.
pub(super) struct WindowedTable<K, A> {
    pub(super) key: Option<SharedSerde<Windowed<K>>>,
    pub(super) value: Option<SharedSerde<A>>,
    /// How long windows take records after their end, in milliseconds.
    pub(super) grace_ms: i64,
}

/// Adds an aggregation of windows, behind the repartitioning that it needs.
pub(super) fn add_windowed<K: 'static, V: 'static, A: 'static>(
    grouping: &Grouping<K, V>,
    naming: Naming,
    table: WindowedTable<K, A>,
    lower: impl Fn(&mut Lowering<'_>) -> Result<()> + Send + Sync + 'static,
    values: impl Fn(&Lowering<'_>, PlanId) -> Result<ValuesSupplier<Windowed<K>, A>>
    + Send
    + Sync
    + 'static,
) -> KTable<Windowed<K>, A> {
    let mut plan = grouping.builder.plan();
    let operator = plan.name(naming);
    let parent = grouping.add_parent(&mut plan, operator);
    let node = Node::of_part(operator.node(), vec![parent], lower)
        .with_table(Table::of_store())
        .with_output_versioned(false)
        .with_grace_ms(table.grace_ms);
    let node = plan.add(node);
    drop(plan);
    windowed_ktable(&grouping.builder, node, table, values)
}

/// The table of a node whose rows are in the store that `values` finds.
pub(super) fn windowed_ktable<K: 'static, A: 'static>(
    builder: &StreamsBuilder,
    node: PlanId,
    table: WindowedTable<K, A>,
    values: impl Fn(&Lowering<'_>, PlanId) -> Result<ValuesSupplier<Windowed<K>, A>>
    + Send
    + Sync
    + 'static,
) -> KTable<Windowed<K>, A> {
    let getter: Getter<Windowed<K>, A> =
        std::sync::Arc::new(move |lowering| values(lowering, node));
    KTable {
        builder: builder.clone(),
        node,
        key: table.key,
        value: table.value,
        getter,
    }
}
