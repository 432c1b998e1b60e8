//! Several grouped streams, aggregated together in windows.

use std::marker::PhantomData;
use std::sync::Arc;

use streams_core::serde::SessionWindowed;
use streams_core::window::Windowed;

use crate::group::cogroup::{CogroupedKStream, Initialize};
use crate::group::session_store::SessionAggregates;
use crate::group::time_store::TimeStore;
use crate::group::time_windowed::{TimeKind, windowed_table};
use crate::group::windowed::{WindowedTable, windowed_ktable};
use crate::option::Materialized;
use crate::plan::part;
use crate::table::{KTable, StoreDefinition};
use crate::window::SessionWindows;

/// How streams are aggregated in windows of time.
pub(crate) struct TimeAggregation<K, A> {
    pub(super) initialize: Initialize<A>,
    pub(super) store: Arc<TimeStore<K, A>>,
}

/// Makes one aggregate of those of two sessions.
type Merge<K, A> = Arc<dyn Fn(&K, A, A) -> A + Send + Sync>;

/// How streams are aggregated in sessions.
pub(crate) struct SessionAggregation<K, A> {
    pub(super) initialize: Initialize<A>,
    pub(super) merge: Merge<K, A>,
    pub(super) sessions: Arc<SessionAggregates<K, A>>,
}

/// Cogrouped streams in windows of time
/// (`org.apache.kafka.streams.kstream.TimeWindowedCogroupedKStream`).
///
/// Made by [`CogroupedKStream::windowed_by`].
pub struct TimeWindowedCogroupedKStream<K, A, W> {
    cogrouped: CogroupedKStream<K, A>,
    windows: TimeKind,
    kind: PhantomData<fn() -> W>,
}

impl<K, A, W> std::fmt::Debug for TimeWindowedCogroupedKStream<K, A, W> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut debug = formatter.debug_struct("TimeWindowedCogroupedKStream");
        debug
            .field("windows", &self.windows)
            .finish_non_exhaustive()
    }
}

impl<K: Clone + 'static, A: Clone + 'static, W> TimeWindowedCogroupedKStream<K, A, W> {
    pub(super) fn new(cogrouped: CogroupedKStream<K, A>, windows: TimeKind) -> Self {
        Self {
            cogrouped,
            windows,
            kind: PhantomData,
        }
    }

    /// The aggregate of all streams by key and window; `initialize` makes the first.
    ///
    /// See [`CogroupedKStream::windowed_by`] for an example.
    pub fn aggregate<I>(
        self,
        initialize: I,
        materialized: impl Into<Materialized<K, A>>,
    ) -> KTable<Windowed<K>, A>
    where
        I: Fn() -> A + Send + Sync + 'static,
    {
        let Self {
            cogrouped, windows, ..
        } = self;
        let materialized = materialized.into();
        let naming = cogrouped.naming(materialized.name.clone());
        let definition = StoreDefinition::new(materialized, cogrouped.key.clone(), None);
        let table = windowed_table(windows, &definition);
        let store = Arc::new(TimeStore::new(windows, definition, false));
        let initialize: Initialize<A> = Arc::new(initialize);
        let builder = cogrouped.builder.clone();
        let node = cogrouped.add::<Windowed<K>>(naming, false, |stream, plan, part| {
            let aggregation = TimeAggregation {
                initialize: Arc::clone(&initialize),
                store: Arc::clone(&store),
            };
            stream.add_time_aggregation(plan, part, aggregation)
        });
        windowed_ktable(&builder, node, table, |lowering, node| {
            Ok(TimeStore::<K, A>::values(
                lowering.part_of(node, part::STORE)?,
            ))
        })
    }
}

/// Cogrouped streams in sessions
/// (`org.apache.kafka.streams.kstream.SessionWindowedCogroupedKStream`).
///
/// Made by [`CogroupedKStream::windowed_by`].
#[derive(Debug)]
pub struct SessionWindowedCogroupedKStream<K, A> {
    cogrouped: CogroupedKStream<K, A>,
    windows: SessionWindows,
}

impl<K: Clone + 'static, A: Clone + 'static> SessionWindowedCogroupedKStream<K, A> {
    pub(super) fn new(cogrouped: CogroupedKStream<K, A>, windows: SessionWindows) -> Self {
        Self { cogrouped, windows }
    }

    /// The aggregate of all streams by key and session: `initialize` makes the first, and `merge`
    /// makes one of two when a record brings their sessions together.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use streams_dsl::{StreamsBuilder, Topic, TopologyTestDriver};
    /// # use streams_dsl::serde::{I64, Nullable, SessionWindowed, Utf8};
    /// use streams_dsl::{Materialized, SessionStore, SessionWindows};
    ///
    /// const ACTIONS: SessionStore<String, i64> = SessionStore::named("actions");
    /// # let clicks = Topic::<String, String>::new("clicks", Utf8, Utf8);
    /// # let orders = Topic::<String, String>::new("orders", Utf8, Utf8);
    /// # let out = Topic::new("out", SessionWindowed(Utf8), Nullable(I64));
    /// # let builder = StreamsBuilder::new();
    /// let clicked = builder.stream(&clicks).group_by_key();
    /// let ordered = builder.stream(&orders).group_by_key();
    /// let visits = SessionWindows::of_inactivity_gap_with_no_grace(Duration::from_millis(10));
    /// let actions = clicked
    ///     .cogroup(|_, _, actions| actions + 1)
    ///     .cogroup(ordered, |_, _, actions| actions + 100)
    ///     .windowed_by(visits)
    ///     .aggregate(|| 0, |_, one, other| one + other, Materialized::from(&ACTIONS)
    ///         .with_value_serde(I64));
    /// actions.to_stream().to(&out);
    /// # let mut driver = TopologyTestDriver::new(&builder.build()?)?;
    /// driver.pipe(&clicks, &"ada".into(), &"/".into(), 0)?;
    /// driver.pipe(&orders, &"ada".into(), &"book".into(), 8)?;
    /// let last = driver.read_all(&out).pop().and_then(|(_, actions)| actions);
    /// assert_eq!(last, Some(101));
    /// # Ok::<(), streams_dsl::Error>(())
    /// ```
    pub fn aggregate<I, M>(
        self,
        initialize: I,
        merge: M,
        materialized: impl Into<Materialized<K, A>>,
    ) -> KTable<Windowed<K>, A>
    where
        I: Fn() -> A + Send + Sync + 'static,
        M: Fn(&K, A, A) -> A + Send + Sync + 'static,
    {
        let Self { cogrouped, windows } = self;
        let materialized = materialized.into();
        let naming = cogrouped.naming(materialized.name.clone());
        let definition = StoreDefinition::new(materialized, cogrouped.key.clone(), None);
        let key = definition.key.clone();
        let value = definition.value.clone();
        let sessions = Arc::new(SessionAggregates::new(windows, definition, false));
        let table = WindowedTable {
            key: key.map(|key| Arc::new(SessionWindowed(key)) as _),
            value,
            grace_ms: sessions.grace_ms(),
        };
        let (initialize, merge): (Initialize<A>, Merge<K, A>) =
            (Arc::new(initialize), Arc::new(merge));
        let builder = cogrouped.builder.clone();
        let node = cogrouped.add::<Windowed<K>>(naming, false, |stream, plan, part| {
            let aggregation = SessionAggregation {
                initialize: Arc::clone(&initialize),
                merge: Arc::clone(&merge),
                sessions: Arc::clone(&sessions),
            };
            stream.add_session_aggregation(plan, part, aggregation)
        });
        windowed_ktable(&builder, node, table, |lowering, node| {
            let name = lowering.part_of(node, part::STORE)?;
            Ok(SessionAggregates::<K, A>::values(name))
        })
    }
}
