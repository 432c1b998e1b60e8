//! Streams joined with streams within a time.

use std::sync::Arc;

use streams_core::serde::{Nullable, SharedSerde, non_null};

use crate::operator::KeyForm;
use crate::option::StreamJoined;
use crate::plan::{Namer, Names, Naming, Node, OperatorId, Plan, PlanId, part};
use crate::stream::KStream;
use crate::stream::join::{JoinSide, add_side, named_side};
use crate::stream::join_stream_node::{JoinValues, Outer, StreamJoinParts, Windowed, join_part};
use crate::window::JoinWindows;

const INNER: Outer = Outer {
    left: false,
    right: false,
};
const LEFT: Outer = Outer {
    left: true,
    right: false,
};
const OUTER: Outer = Outer {
    left: true,
    right: true,
};

impl<K: Clone + 'static, V: 'static> KStream<K, V> {
    /// Joins each record with those of another stream that have the same key and a time near
    /// enough, whichever comes first. The result has the later of both times.
    ///
    /// Both streams go through a repartition topic if their keys may have changed; the topics must
    /// have the same number of partitions.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use streams_dsl::{StreamsBuilder, Topic, TopologyTestDriver, serde::Utf8};
    /// use streams_dsl::JoinWindows;
    ///
    /// # let asked = Topic::<String, String>::new("asked", Utf8, Utf8);
    /// # let answered = Topic::<String, String>::new("answered", Utf8, Utf8);
    /// # let out = Topic::<String, String>::new("out", Utf8, Utf8);
    /// # let builder = StreamsBuilder::new();
    /// let soon = JoinWindows::of_time_difference_with_no_grace(Duration::from_secs(5));
    /// let answers = builder.stream(&answered);
    /// let talk = builder.stream(&asked).join(answers, soon, |question, answer| {
    ///     format!("{question} {answer}")
    /// });
    /// talk.to(&out);
    /// # let mut driver = TopologyTestDriver::new(&builder.build()?)?;
    /// driver.pipe(&asked, &"ada".into(), &"who?".into(), 0)?;
    /// driver.pipe(&answered, &"ada".into(), &"me".into(), 5_000)?;
    /// driver.pipe(&answered, &"ada".into(), &"you".into(), 5_001)?; // too late
    /// assert_eq!(driver.read_all(&out), [("ada".into(), "who? me".into())]);
    /// # Ok::<(), streams_dsl::Error>(())
    /// ```
    ///
    /// Streams of different keys cannot be joined:
    ///
    /// ```compile_fail,E0308
    /// # use streams_dsl::{JoinWindows, StreamsBuilder, Topic, serde::{I64, Utf8}};
    /// # let builder = StreamsBuilder::new();
    /// # let soon = JoinWindows::of_time_difference_with_no_grace(std::time::Duration::ZERO);
    /// let words = builder.stream(&Topic::<String, String>::new("words", Utf8, Utf8));
    /// let counts = builder.stream(&Topic::<i64, String>::new("counts", I64, Utf8));
    /// words.join(counts, soon, |word, count| format!("{word}{count}"));
    /// ```
    pub fn join<V2, VO, F>(
        self,
        other: KStream<K, V2>,
        windows: JoinWindows,
        join: F,
    ) -> KStream<K, VO>
    where
        F: Fn(&V, &V2) -> VO + Send + Sync + 'static,
        V2: 'static,
        VO: 'static,
    {
        let join = move |_: &K, left: &V, right: &V2| join(left, right);
        self.join_with(other, windows, StreamJoined::new(), join)
    }

    /// As [`KStream::join`], with names, serdes and stores, and the key to read.
    pub fn join_with<V2, VO, F>(
        self,
        other: KStream<K, V2>,
        windows: JoinWindows,
        joined: StreamJoined<K, V, V2>,
        join: F,
    ) -> KStream<K, VO>
    where
        F: Fn(&K, &V, &V2) -> VO + Send + Sync + 'static,
        V2: 'static,
        VO: 'static,
    {
        let join =
            move |key: &K, left: Option<&V>, right: Option<&V2>| Some(join(key, left?, right?));
        self.joined(other, (INNER, windows), joined, join)
    }

    /// As [`KStream::join`], where a record of this stream without a partner is joined with `None`
    /// once its window has closed.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use streams_dsl::{JoinWindows, StreamsBuilder, Topic, TopologyTestDriver, serde::Utf8};
    /// # let asked = Topic::<String, String>::new("asked", Utf8, Utf8);
    /// # let answered = Topic::<String, String>::new("answered", Utf8, Utf8);
    /// # let out = Topic::<String, String>::new("out", Utf8, Utf8);
    /// # let builder = StreamsBuilder::new();
    /// let soon = JoinWindows::of_time_difference_with_no_grace(Duration::from_secs(5));
    /// let answers = builder.stream(&answered);
    /// let talk = builder.stream(&asked).left_join(answers, soon, |question, answer| {
    ///     format!("{question} {}", answer.map_or("…", String::as_str))
    /// });
    /// talk.to(&out);
    /// # let mut driver = TopologyTestDriver::new(&builder.build()?)?;
    /// driver.pipe(&asked, &"ada".into(), &"who?".into(), 0)?;
    /// assert_eq!(driver.read(&out), None); // an answer may still come
    /// driver.pipe(&asked, &"bob".into(), &"why?".into(), 5_001)?;
    /// assert_eq!(driver.read(&out), Some(("ada".into(), "who? …".into())));
    /// # Ok::<(), streams_dsl::Error>(())
    /// ```
    pub fn left_join<V2, VO, F>(
        self,
        other: KStream<K, V2>,
        windows: JoinWindows,
        join: F,
    ) -> KStream<K, VO>
    where
        F: Fn(&V, Option<&V2>) -> VO + Send + Sync + 'static,
        V2: 'static,
        VO: 'static,
    {
        let join = move |_: &K, left: &V, right: Option<&V2>| join(left, right);
        self.left_join_with(other, windows, StreamJoined::new(), join)
    }

    /// As [`KStream::left_join`], with names, serdes and stores, and the key to read.
    pub fn left_join_with<V2, VO, F>(
        self,
        other: KStream<K, V2>,
        windows: JoinWindows,
        joined: StreamJoined<K, V, V2>,
        join: F,
    ) -> KStream<K, VO>
    where
        F: Fn(&K, &V, Option<&V2>) -> VO + Send + Sync + 'static,
        V2: 'static,
        VO: 'static,
    {
        let join =
            move |key: &K, left: Option<&V>, right: Option<&V2>| Some(join(key, left?, right));
        self.joined(other, (LEFT, windows), joined, join)
    }

    /// As [`KStream::left_join`], for records of both streams; one of both is always there.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use streams_dsl::{JoinWindows, StreamsBuilder, Topic, TopologyTestDriver};
    /// # use streams_dsl::serde::{Bool, Utf8};
    /// # let asked = Topic::<String, String>::new("asked", Utf8, Utf8);
    /// # let answered = Topic::<String, String>::new("answered", Utf8, Utf8);
    /// # let out = Topic::<String, bool>::new("out", Utf8, Bool);
    /// # let builder = StreamsBuilder::new();
    /// let soon = JoinWindows::of_time_difference_with_no_grace(Duration::from_secs(5));
    /// let answers = builder.stream(&answered);
    /// let talk = builder.stream(&asked).outer_join(answers, soon, |question, answer| {
    ///     question.is_some() && answer.is_some()
    /// });
    /// talk.to(&out);
    /// # let mut driver = TopologyTestDriver::new(&builder.build()?)?;
    /// driver.pipe(&answered, &"ada".into(), &"me".into(), 0)?;
    /// driver.pipe(&asked, &"bob".into(), &"why?".into(), 5_001)?;
    /// assert_eq!(driver.read(&out), Some(("ada".into(), false)));
    /// # Ok::<(), streams_dsl::Error>(())
    /// ```
    pub fn outer_join<V2, VO, F>(
        self,
        other: KStream<K, V2>,
        windows: JoinWindows,
        join: F,
    ) -> KStream<K, VO>
    where
        F: Fn(Option<&V>, Option<&V2>) -> VO + Send + Sync + 'static,
        V2: 'static,
        VO: 'static,
    {
        let join = move |_: &K, left: Option<&V>, right: Option<&V2>| join(left, right);
        self.outer_join_with(other, windows, StreamJoined::new(), join)
    }

    /// As [`KStream::outer_join`], with names, serdes and stores, and the key to read.
    pub fn outer_join_with<V2, VO, F>(
        self,
        other: KStream<K, V2>,
        windows: JoinWindows,
        joined: StreamJoined<K, V, V2>,
        join: F,
    ) -> KStream<K, VO>
    where
        F: Fn(&K, Option<&V>, Option<&V2>) -> VO + Send + Sync + 'static,
        V2: 'static,
        VO: 'static,
    {
        let join =
            move |key: &K, left: Option<&V>, right: Option<&V2>| Some(join(key, left, right));
        self.joined(other, (OUTER, windows), joined, join)
    }

    fn joined<V2, VO>(
        self,
        other: KStream<K, V2>,
        kind: (Outer, JoinWindows),
        mut joined: StreamJoined<K, V, V2>,
        join: impl JoinValues<K, V, V2, VO>,
    ) -> KStream<K, VO>
    where
        V2: 'static,
        VO: 'static,
    {
        let form = KeyForm {
            as_key: |key| Some(key),
            of_key: |key| key,
        };
        let key = joined.key.take();
        let key = key
            .or_else(|| self.key.clone())
            .or_else(|| other.key.clone());
        joined.key.clone_from(&key);
        add_join(Sides(self, other, key), kind, joined, form, join)
    }
}

impl<K: Clone + 'static, V: 'static> KStream<Option<K>, V> {
    /// As [`KStream::left_join_with`], of streams whose keys may be null: a record of this one
    /// without a key is joined with `None` at once, as on the JVM (KIP-962); one of the other is
    /// left out.
    pub fn left_join_nullable<V2, VO, F>(
        self,
        other: KStream<Option<K>, V2>,
        windows: JoinWindows,
        joined: StreamJoined<K, V, V2>,
        join: F,
    ) -> KStream<Option<K>, VO>
    where
        F: Fn(&Option<K>, &V, Option<&V2>) -> VO + Send + Sync + 'static,
        V2: 'static,
        VO: 'static,
    {
        let join = move |key: &Option<K>, left: Option<&V>, right: Option<&V2>| {
            Some(join(key, left?, right))
        };
        self.joined_nullable(other, (LEFT, windows), joined, join)
    }

    /// As [`KStream::outer_join_with`], of streams whose keys may be null: a record without a key
    /// is joined with `None` at once, as on the JVM (KIP-962).
    pub fn outer_join_nullable<V2, VO, F>(
        self,
        other: KStream<Option<K>, V2>,
        windows: JoinWindows,
        joined: StreamJoined<K, V, V2>,
        join: F,
    ) -> KStream<Option<K>, VO>
    where
        F: Fn(&Option<K>, Option<&V>, Option<&V2>) -> VO + Send + Sync + 'static,
        V2: 'static,
        VO: 'static,
    {
        let join = move |key: &Option<K>, left: Option<&V>, right: Option<&V2>| {
            Some(join(key, left, right))
        };
        self.joined_nullable(other, (OUTER, windows), joined, join)
    }

    fn joined_nullable<V2, VO>(
        self,
        other: KStream<Option<K>, V2>,
        kind: (Outer, JoinWindows),
        mut joined: StreamJoined<K, V, V2>,
        join: impl JoinValues<Option<K>, V, V2, VO>,
    ) -> KStream<Option<K>, VO>
    where
        V2: 'static,
        VO: 'static,
    {
        let form = KeyForm {
            as_key: Option::as_ref,
            of_key: Some,
        };
        let given = joined.key.take();
        let nullable = given
            .as_ref()
            .map(|key| Arc::new(Nullable(Arc::clone(key))) as SharedSerde<Option<K>>);
        let nullable = nullable
            .or_else(|| self.key.clone())
            .or_else(|| other.key.clone());
        joined.key = given.or_else(|| nullable.as_ref().and_then(non_null));
        add_join(Sides(self, other, nullable), kind, joined, form, join)
    }
}

/// Both streams, and what their keys can be written with.
struct Sides<SK, V, V2>(KStream<SK, V>, KStream<SK, V2>, Option<SharedSerde<SK>>);

fn add_join<SK, K, V, V2, VO, F>(
    Sides(left, right, key): Sides<SK, V, V2>,
    (outer, windows): (Outer, JoinWindows),
    joined: StreamJoined<K, V, V2>,
    form: KeyForm<SK, K>,
    join: F,
) -> KStream<SK, VO>
where
    F: JoinValues<SK, V, V2, VO>,
    SK: Clone + 'static,
    K: Clone + 'static,
    V: 'static,
    V2: 'static,
    VO: 'static,
{
    let builder = left.builder.clone();
    let mut plan = builder.plan();
    if !builder.is(&right.builder) {
        plan.add_mistake("streams of different builders cannot be joined".to_owned());
    }
    if let Some(mistake) = windows.mistake() {
        plan.add_mistake(format!("a stream {mistake}"));
    }
    let mut left = JoinSide::new(
        left,
        joined.name.clone(),
        (key.clone(), joined.left.clone()),
    );
    let mut right = JoinSide::new(
        right,
        joined.name.clone(),
        (key.clone(), joined.right.clone()),
    );
    if outer.left {
        left = left.keeping_null_keys();
        right = right.keeping_null_keys();
    }
    let parts = Arc::new(StreamJoinParts {
        form,
        outer,
        windows,
        key: joined.key.clone(),
        left: left.value.clone(),
        right: right.value.clone(),
        store_type: joined.store_type,
        logging: joined.logging.clone(),
        join: Arc::new(join),
    });
    let operator = plan.name(naming(&left, &right, outer, joined));
    let parents = [
        add_side(&mut plan, left, operator, 0),
        add_side(&mut plan, right, operator, 1),
    ];
    let node = add_join_nodes::<SK, K, V, V2, VO, F>(&mut plan, operator, parents, parts);
    drop(plan);
    KStream {
        builder,
        node,
        key,
        value: None,
        repartition_required: false,
    }
}

/// Adds what keeps the records of both sides, and what joins them.
fn add_join_nodes<SK, K, V, V2, VO, F>(
    plan: &mut Plan,
    operator: OperatorId,
    [parent, other_parent]: [PlanId; 2],
    parts: Arc<StreamJoinParts<SK, K, V, V2, F>>,
) -> PlanId
where
    F: JoinValues<SK, V, V2, VO>,
    SK: Clone + 'static,
    K: Clone + 'static,
    V: 'static,
    V2: 'static,
    VO: 'static,
{
    let left = plan.next_id();
    let right = left.next();
    let windowed = Windowed { left, right };
    let lower = Arc::clone(&parts);
    let part = operator.part(join_part::THIS_WINDOWED);
    plan.add(Node::of_part(part, vec![parent], move |lowering| {
        lower.lower_left(lowering, right)
    }));
    let lower = Arc::clone(&parts);
    let part = operator.part(join_part::OTHER_WINDOWED);
    plan.add(Node::of_part(part, vec![other_parent], move |lowering| {
        lower.lower_right(lowering, left)
    }));
    let node = Node::of_part(operator.node(), vec![left, right], move |lowering| {
        parts.lower_join::<VO>(lowering, windowed)
    });
    plan.add(node)
}

/// Names a join: the repartitionings of both sides, what keeps their records, what joins them, what
/// brings them together, and the stores.
fn naming<SK, K, V, V2>(
    left: &JoinSide<SK, V>,
    right: &JoinSide<SK, V2>,
    outer: Outer,
    joined: StreamJoined<K, V, V2>,
) -> Naming
where
    SK: 'static,
    V: 'static,
    V2: 'static,
{
    let (left, right) = (named_side(left), named_side(right));
    let own = StoreNames {
        base: joined.store_name,
        left: joined.left_store,
        right: joined.right_store,
    };
    let name = joined.name;
    Naming::Script(Box::new(move |namer, given| {
        let given = given.or(name.as_ref());
        let names = left(namer, Names::default(), given, "-left", 0);
        let names = right(namer, names, given, "-right", 1);
        let kind = match outer.right {
            true => ("-outer-this-join", "KSTREAM-OUTERTHIS-"),
            false => ("-this-join", "KSTREAM-JOINTHIS-"),
        };
        let other_kind = match outer.left {
            true => ("-outer-other-join", "KSTREAM-OUTEROTHER-"),
            false => ("-other-join", "KSTREAM-JOINOTHER-"),
        };
        let windowed = "KSTREAM-WINDOWED-";
        let this_windowed = namer.suffixed_or(given, "-this-windowed", windowed);
        let other_windowed = namer.suffixed_or(given, "-other-windowed", windowed);
        let generated = (namer.numbered(kind.1), namer.numbered(other_kind.1));
        let named = |suffix: &str, generated: &Arc<str>| match given {
            Some(given) => format!("{given}{suffix}").into(),
            None => Arc::clone(generated),
        };
        let names = names
            .with(join_part::THIS_WINDOWED, this_windowed)
            .with(join_part::OTHER_WINDOWED, other_windowed)
            .with(join_part::THIS, named(kind.0, &generated.0))
            .with(join_part::OTHER, named(other_kind.0, &generated.1))
            .with(
                part::NODE,
                namer.suffixed_or(given, "-merge", "KSTREAM-MERGE-"),
            );
        own.add_to(namer, names, (kind, other_kind), &generated, outer)
    }))
}

/// The names that the user gives to stores.
struct StoreNames {
    base: Option<Arc<str>>,
    left: Option<Arc<str>>,
    right: Option<Arc<str>>,
}

/// A suffix and a prefix.
type Kind = (&'static str, &'static str);

impl StoreNames {
    fn add_to(
        &self,
        namer: &mut Namer<'_>,
        names: Names,
        (kind, other_kind): (Kind, Kind),
        (this, other): &(Arc<str>, Arc<str>),
        outer: Outer,
    ) -> Names {
        for own in [&self.base, &self.left, &self.right].into_iter().flatten() {
            namer.check(own);
        }
        let store = |own: &Option<Arc<str>>, suffix: &str, generated: &str| -> Arc<str> {
            match (own, &self.base) {
                (Some(own), _) => Arc::clone(own),
                (None, Some(base)) => format!("{base}{suffix}-store").into(),
                (None, None) => format!("{generated}-store").into(),
            }
        };
        let shared = match outer.right {
            true => "-outer-shared-join",
            false => "-left-shared-join",
        };
        let number = this.strip_prefix(kind.1).unwrap_or_default();
        let shared: Arc<str> = match self.left.as_ref().or(self.base.as_ref()) {
            Some(base) => format!("{base}{shared}-store").into(),
            None => format!("KSTREAM-OUTERSHARED-{number}-store").into(),
        };
        names
            .with(join_part::THIS_STORE, store(&self.left, kind.0, this))
            .with(
                join_part::OTHER_STORE,
                store(&self.right, other_kind.0, other),
            )
            .with(join_part::SHARED, shared)
    }
}
