//! What a grouped stream becomes by windows.

use streams_core::Result;
use streams_core::serde::SharedSerde;
use streams_core::window::Windowed;

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

    /// The stream in these windows.
    fn windowed<K: 'static, V: 'static>(self, grouped: KGroupedStream<K, V>) -> Self::Stream<K, V>;
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

    fn windowed<K: 'static, V: 'static>(self, grouped: KGroupedStream<K, V>) -> Self::Stream<K, V> {
        TimeWindowedKStream::new(grouped.grouping, TimeKind::Time(self))
    }
}

impl WindowedBy for SlidingWindows {
    type Stream<K: 'static, V: 'static> = TimeWindowedKStream<K, V, Self>;

    fn windowed<K: 'static, V: 'static>(self, grouped: KGroupedStream<K, V>) -> Self::Stream<K, V> {
        TimeWindowedKStream::new(grouped.grouping, TimeKind::Sliding(self))
    }
}

impl WindowedBy for UnlimitedWindows {
    type Stream<K: 'static, V: 'static> = TimeWindowedKStream<K, V, Self>;

    fn windowed<K: 'static, V: 'static>(self, grouped: KGroupedStream<K, V>) -> Self::Stream<K, V> {
        TimeWindowedKStream::new(grouped.grouping, TimeKind::Unlimited(self))
    }
}

impl WindowedBy for SessionWindows {
    type Stream<K: 'static, V: 'static> = SessionWindowedKStream<K, V>;

    fn windowed<K: 'static, V: 'static>(self, grouped: KGroupedStream<K, V>) -> Self::Stream<K, V> {
        SessionWindowedKStream::new(grouped.grouping, self)
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
    let getter: Getter<Windowed<K>, A> =
        std::sync::Arc::new(move |lowering| values(lowering, node));
    KTable {
        builder: grouping.builder.clone(),
        node,
        key: table.key,
        value: table.value,
        getter,
    }
}
