//! Grouped streams in sessions.

use std::borrow::Cow;
use std::sync::Arc;

use streams_core::serde::{I64, SessionWindowed, SharedSerde, non_null};
use streams_core::window::Windowed;

use crate::group::Grouping;
use crate::group::session_store::{Merging, SessionAggregates};
use crate::group::windowed::{AGGREGATE, REDUCE, WindowedTable, add_windowed};
use crate::operator::{Folding, Initial};
use crate::option::{EmitStrategy, Materialized};
use crate::plan::{Lowering, part};
use crate::table::{KTable, StoreDefinition};
use crate::window::SessionWindows;

/// A grouped stream in sessions (`org.apache.kafka.streams.kstream.SessionWindowedKStream`).
///
/// Made by [`KGroupedStream::windowed_by`](crate::KGroupedStream::windowed_by). When a record makes
/// a session grow or joins two, the sessions before are deleted from the table and one is added.
pub struct SessionWindowedKStream<K, V> {
    grouping: Grouping<K, V>,
    windows: SessionWindows,
    emit: EmitStrategy,
}

impl<K, V> std::fmt::Debug for SessionWindowedKStream<K, V> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut debug = formatter.debug_struct("SessionWindowedKStream");
        debug
            .field("windows", &self.windows)
            .finish_non_exhaustive()
    }
}

impl<K, V> SessionWindowedKStream<K, V> {
    pub(crate) fn new(grouping: Grouping<K, V>, windows: SessionWindows) -> Self {
        Self {
            grouping,
            windows,
            emit: EmitStrategy::OnWindowUpdate,
        }
    }

    /// Says when results are emitted: with each change, which is the default, or once, when the
    /// session has closed.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use streams_dsl::{SessionStore, SessionWindows, StreamsBuilder, Topic};
    /// # use streams_dsl::TopologyTestDriver;
    /// # use streams_dsl::serde::{I64, Nullable, SessionWindowed, Utf8};
    /// use streams_dsl::{EmitStrategy, Window, Windowed};
    /// # let clicks = Topic::<String, String>::new("clicks", Utf8, Utf8);
    /// # let key = SessionWindowed(Utf8);
    /// # let out = Topic::<Windowed<String>, Option<i64>>::new("out", key, Nullable(I64));
    /// # const VISITS: SessionStore<String, i64> = SessionStore::named("visits");
    /// # let builder = StreamsBuilder::new();
    /// # let stream = builder.stream(&clicks);
    /// let visits = SessionWindows::of_inactivity_gap_with_no_grace(Duration::from_millis(10));
    /// let windowed = stream.group_by_key().windowed_by(visits);
    /// windowed.emit_strategy(EmitStrategy::OnWindowClose).count(&VISITS).to_stream().to(&out);
    /// # let mut driver = TopologyTestDriver::new(&builder.build()?)?;
    /// driver.pipe(&clicks, &"ada".into(), &"/".into(), 1)?;
    /// driver.pipe(&clicks, &"ada".into(), &"/about".into(), 9)?;
    /// assert_eq!(driver.read(&out), None);
    /// driver.pipe(&clicks, &"bob".into(), &"/".into(), 20)?;
    /// let session = Windowed::new("ada".to_owned(), Window::new(1, 9));
    /// assert_eq!(driver.read(&out), Some((session, Some(2))));
    /// # Ok::<(), streams_dsl::Error>(())
    /// ```
    #[must_use]
    pub fn emit_strategy(mut self, emit: EmitStrategy) -> Self {
        self.emit = emit;
        self
    }
}

impl<K, V> SessionWindowedKStream<K, V>
where
    K: Clone + 'static,
    V: Clone + 'static,
{
    /// The number of records of each session.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use streams_dsl::{SessionStore, StreamsBuilder, Topic, TopologyTestDriver};
    /// # use streams_dsl::serde::{I64, Nullable, SessionWindowed, Utf8};
    /// use streams_dsl::{SessionWindows, Window, Windowed};
    /// # let clicks = Topic::<String, String>::new("clicks", Utf8, Utf8);
    /// # let key = SessionWindowed(Utf8);
    /// # let out = Topic::<Windowed<String>, Option<i64>>::new("out", key, Nullable(I64));
    /// # const VISITS: SessionStore<String, i64> = SessionStore::named("visits");
    /// # let builder = StreamsBuilder::new();
    /// let visits = SessionWindows::of_inactivity_gap_with_no_grace(Duration::from_millis(10));
    /// let windowed = builder.stream(&clicks).group_by_key().windowed_by(visits);
    /// windowed.count(&VISITS).to_stream().to(&out);
    /// # let mut driver = TopologyTestDriver::new(&builder.build()?)?;
    /// driver.pipe(&clicks, &"ada".into(), &"/".into(), 1)?;
    /// driver.pipe(&clicks, &"ada".into(), &"/about".into(), 9)?;
    /// let session = |start, end| Windowed::new("ada".to_owned(), Window::new(start, end));
    /// assert_eq!(driver.read(&out), Some((session(1, 1), Some(1))));
    /// assert_eq!(driver.read(&out), Some((session(1, 1), None)));
    /// assert_eq!(driver.read(&out), Some((session(1, 9), Some(2))));
    /// # Ok::<(), streams_dsl::Error>(())
    /// ```
    pub fn count(self, materialized: impl Into<Materialized<K, i64>>) -> KTable<Windowed<K>, i64> {
        let value: SharedSerde<i64> = Arc::new(I64);
        let initial: Initial<i64> = Some(Arc::new(|| 0));
        let add = |_: &K, _: Cow<'_, V>, so_far: Option<i64>| Some(so_far.unwrap_or(0) + 1);
        let merge = |_: &K, one: Option<i64>, other| Some(one.unwrap_or(0) + other);
        let materialized = materialized.into();
        self.fold(AGGREGATE, materialized, Some(value), initial, (add, merge))
    }

    /// The values of each session, reduced to one (`Reducer`); so are the values of sessions that
    /// become one.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use streams_dsl::{SessionStore, SessionWindows, StreamsBuilder, Topic};
    /// # use streams_dsl::TopologyTestDriver;
    /// # use streams_dsl::serde::{Nullable, SessionWindowed, Utf8};
    /// use streams_dsl::{Window, Windowed};
    /// # let clicks = Topic::<String, String>::new("clicks", Utf8, Utf8);
    /// # let key = SessionWindowed(Utf8);
    /// # let out = Topic::<Windowed<String>, Option<String>>::new("out", key, Nullable(Utf8));
    /// # const PATHS: SessionStore<String, String> = SessionStore::named("paths");
    /// # let builder = StreamsBuilder::new();
    /// # let visits = SessionWindows::of_inactivity_gap_with_no_grace(Duration::from_millis(10));
    /// let windowed = builder.stream(&clicks).group_by_key().windowed_by(visits);
    /// windowed.reduce(|one, other| one + &other, &PATHS).to_stream().to(&out);
    /// # let mut driver = TopologyTestDriver::new(&builder.build()?)?;
    /// driver.pipe(&clicks, &"ada".into(), &"/a".into(), 1)?;
    /// driver.pipe(&clicks, &"ada".into(), &"/b".into(), 9)?;
    /// let session = Windowed::new("ada".to_owned(), Window::new(1, 9));
    /// assert_eq!(driver.read_all(&out).pop(), Some((session, Some("/a/b".into()))));
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

    /// As [`SessionWindowedKStream::reduce`], where `None` deletes the session's row.
    pub fn reduce_or_delete<F>(
        self,
        reduce: F,
        materialized: impl Into<Materialized<K, V>>,
    ) -> KTable<Windowed<K>, V>
    where
        F: Fn(V, V) -> Option<V> + Send + Sync + 'static,
    {
        let value = self.grouping.value.clone();
        let reduce = Arc::new(reduce);
        let reducer = Arc::clone(&reduce);
        let add = move |_: &K, value: Cow<'_, V>, so_far| match so_far {
            None => Some(value.into_owned()),
            Some(so_far) => reducer(so_far, value.into_owned()),
        };
        let merge = move |_: &K, one, other| match one {
            None => Some(other),
            Some(one) => reduce(one, other),
        };
        self.fold(REDUCE, materialized.into(), value, None, (add, merge))
    }

    /// An aggregate of the values of each session: `initialize` makes the first, `add` adds a value
    /// to what there is, and `merge` makes one of what two sessions have that become one
    /// (`Initializer`, `Aggregator`, `Merger`).
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use streams_dsl::{SessionStore, SessionWindows, StreamsBuilder, Topic};
    /// # use streams_dsl::TopologyTestDriver;
    /// # use streams_dsl::serde::{I64, Nullable, SessionWindowed, Utf8};
    /// use streams_dsl::{Materialized, Window, Windowed};
    /// # let words = Topic::<String, String>::new("words", Utf8, Utf8);
    /// # let key = SessionWindowed(Utf8);
    /// # let out = Topic::<Windowed<String>, Option<i64>>::new("out", key, Nullable(I64));
    /// # const LETTERS: SessionStore<String, i64> = SessionStore::named("letters");
    /// # let builder = StreamsBuilder::new();
    /// # let visits = SessionWindows::of_inactivity_gap_with_no_grace(Duration::from_millis(10));
    /// let letters = builder.stream(&words).group_by_key().windowed_by(visits).aggregate(
    ///     || 0,
    ///     |_, word, letters| letters + word.len() as i64,
    ///     |_, one, other| one + other,
    ///     Materialized::from(&LETTERS).with_value_serde(I64),
    /// );
    /// letters.to_stream().to(&out);
    /// # let mut driver = TopologyTestDriver::new(&builder.build()?)?;
    /// driver.pipe(&words, &"a".into(), &"ash".into(), 1)?;
    /// driver.pipe(&words, &"a".into(), &"alder".into(), 9)?;
    /// let session = Windowed::new("a".to_owned(), Window::new(1, 9));
    /// assert_eq!(driver.read_all(&out).pop(), Some((session, Some(8))));
    /// # Ok::<(), streams_dsl::Error>(())
    /// ```
    pub fn aggregate<A, I, F, M>(
        self,
        initialize: I,
        add: F,
        merge: M,
        materialized: impl Into<Materialized<K, A>>,
    ) -> KTable<Windowed<K>, A>
    where
        I: Fn() -> A + Send + Sync + 'static,
        F: Fn(&K, V, A) -> A + Send + Sync + 'static,
        M: Fn(&K, A, A) -> A + Send + Sync + 'static,
        A: Clone + 'static,
    {
        let add = move |key: &K, value, so_far| Some(add(key, value, so_far));
        self.aggregate_or_delete(initialize, add, merge, materialized)
    }

    /// As [`SessionWindowedKStream::aggregate`], where `add` deletes the session's row by `None`.
    pub fn aggregate_or_delete<A, I, F, M>(
        self,
        initialize: I,
        add: F,
        merge: M,
        materialized: impl Into<Materialized<K, A>>,
    ) -> KTable<Windowed<K>, A>
    where
        I: Fn() -> A + Send + Sync + 'static,
        F: Fn(&K, V, A) -> Option<A> + Send + Sync + 'static,
        M: Fn(&K, A, A) -> A + Send + Sync + 'static,
        A: Clone + 'static,
    {
        let initialize = Arc::new(initialize);
        let initial: Initial<A> = Some(Arc::clone(&initialize) as _);
        let add = move |key: &K, value: Cow<'_, V>, so_far: Option<A>| {
            let so_far = so_far.unwrap_or_else(|| initialize());
            add(key, value.into_owned(), so_far)
        };
        let merge = move |key: &K, one: Option<A>, other| match one {
            None => Some(other),
            Some(one) => Some(merge(key, one, other)),
        };
        self.fold(AGGREGATE, materialized.into(), None, initial, (add, merge))
    }

    fn fold<A, F, M>(
        self,
        prefix: &'static str,
        materialized: Materialized<K, A>,
        value: Option<SharedSerde<A>>,
        initial: Initial<A>,
        (add, merge): (F, M),
    ) -> KTable<Windowed<K>, A>
    where
        F: Fn(&K, Cow<'_, V>, Option<A>) -> Option<A> + Send + Sync + 'static,
        M: Merging<K, A>,
        A: Clone + 'static,
    {
        let (grouping, windows) = (self.grouping, self.windows);
        let naming = grouping.naming(prefix, materialized.name.clone());
        let definition = StoreDefinition::new(materialized, grouping.key.clone(), value);
        let key = definition.key.clone();
        let value = definition.value.clone();
        let emits_on_close = self.emit == EmitStrategy::OnWindowClose;
        let sessions = SessionAggregates::new(windows, definition, emits_on_close);
        let table = WindowedTable {
            key: key.map(|key| Arc::new(SessionWindowed(key)) as _),
            value,
            grace_ms: sessions.grace_ms(),
        };
        let (add, merge) = (Arc::new(add), Arc::new(merge));
        let folding = Folding { initial, add };
        let lower = move |lowering: &mut Lowering<'_>| {
            let name = lowering.part(part::STORE)?;
            sessions.add(lowering, &name)?;
            let (folding, merge) = (folding.clone(), Arc::clone(&merge));
            sessions.add_aggregate::<V, F, M>(lowering, name, folding, merge)
        };
        add_windowed(&grouping, naming, table, lower, |lowering, node| {
            let name = lowering.part_of(node, part::STORE)?;
            Ok(SessionAggregates::<K, A>::values(name))
        })
    }
}

impl<K, V> SessionWindowedKStream<K, Option<V>>
where
    K: Clone + 'static,
    V: Clone + 'static,
{
    /// As [`SessionWindowedKStream::reduce_or_delete`], where values may be null, as the JVM's
    /// sessions take them: a null that is the first of its session makes no row.
    pub fn reduce_nullable<F>(
        self,
        reduce: F,
        materialized: impl Into<Materialized<K, V>>,
    ) -> KTable<Windowed<K>, V>
    where
        F: Fn(V, Option<V>) -> Option<V> + Send + Sync + 'static,
    {
        let value = self.grouping.value.as_ref().and_then(non_null);
        let reduce = Arc::new(reduce);
        let reducer = Arc::clone(&reduce);
        let add = move |_: &K, value: Cow<'_, Option<V>>, so_far| match so_far {
            None => value.into_owned(),
            Some(so_far) => reducer(so_far, value.into_owned()),
        };
        let merge = move |_: &K, one, other| match one {
            None => Some(other),
            Some(one) => reduce(one, Some(other)),
        };
        self.fold(REDUCE, materialized.into(), value, None, (add, merge))
    }
}
