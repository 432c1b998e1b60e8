//! Steps that may fail: the good stream and the rejected one.

use std::fmt::Display;
use std::sync::Arc;

use streams_core::processor::Processor;

use crate::operator::{
    DeadLetter, Rejected, RetryMapValues, TakeAccepted, TakeRejected, TryMapValues,
    TryMapValuesKeeping,
};
use crate::option::{RetryPolicy, Retryable};
use crate::plan::{Naming, Node, Role};
use crate::stream::KStream;

impl<K: 'static, V: 'static> KStream<K, V> {
    /// Makes a new value of each record, or rejects it: the good stream and the rejected one.
    ///
    /// The JVM has no such step. It takes one number, `KSTREAM-TRYMAPVALUES-…`, and its streams
    /// come from nodes of this name with `-accepted` and `-rejected`.
    ///
    /// The value is given away, so an `Ok` can hold parts of it without a copy, and so can an
    /// `Err`. Where the rejected stream is to have the whole value as it was, use
    /// [`KStream::try_map_values_keeping`].
    ///
    /// ```
    /// # use streams_dsl::{StreamsBuilder, Topic, TopologyTestDriver, serde::{I64, Utf8}};
    /// # let words = Topic::<String, String>::new("words", Utf8, Utf8);
    /// # let out = Topic::<String, String>::new("out", Utf8, Utf8);
    /// # let builder = StreamsBuilder::new();
    /// # let numbers_topic = Topic::<String, i64>::new("numbers", Utf8, I64);
    /// let (numbers, rejected) = builder.stream(&words).try_map_values(|_, word| {
    ///     word.parse::<i64>().map_err(|error| format!("{word}: {error}"))
    /// });
    /// numbers.to(&numbers_topic);
    /// rejected.to(&out);
    /// # let mut driver = TopologyTestDriver::new(&builder.build()?)?;
    /// driver.pipe(&words, &"a".into(), &"12".into(), 0)?;
    /// driver.pipe(&words, &"b".into(), &"birch".into(), 1)?;
    /// assert_eq!(driver.read(&numbers_topic), Some(("a".into(), 12)));
    /// let reason = "birch: invalid digit found in string";
    /// assert_eq!(driver.read(&out), Some(("b".into(), reason.into())));
    /// # Ok::<(), streams_dsl::Error>(())
    /// ```
    pub fn try_map_values<V2, E, F>(self, map: F) -> (KStream<K, V2>, KStream<K, E>)
    where
        F: Fn(&K, V) -> Result<V2, E> + Send + Sync + 'static,
        V2: 'static,
        E: 'static,
    {
        let map = Arc::new(map);
        self.fork(move || TryMapValues::new(Arc::clone(&map)))
    }

    /// Makes a new value of each record, or rejects it with its value as it was: the good stream
    /// and the rejected one, which [`KStream::into_dead_letters`] makes dead letters of.
    ///
    /// ```
    /// # use streams_dsl::{StreamsBuilder, Topic, TopologyTestDriver, serde::Utf8};
    /// # let words = Topic::<String, String>::new("words", Utf8, Utf8);
    /// # let out = Topic::<String, String>::new("out", Utf8, Utf8);
    /// # let builder = StreamsBuilder::new();
    /// let (numbers, rejected) =
    ///     builder.stream(&words).try_map_values_keeping(|_, word| word.parse::<i64>());
    /// numbers.for_each(|key, number| println!("{key}: {number}"));
    /// rejected.map_values(|rejected| format!("{}: {}", rejected.value, rejected.error)).to(&out);
    /// # let mut driver = TopologyTestDriver::new(&builder.build()?)?;
    /// driver.pipe(&words, &"b".into(), &"birch".into(), 1)?;
    /// let reason = "birch: invalid digit found in string";
    /// assert_eq!(driver.read(&out), Some(("b".into(), reason.into())));
    /// # Ok::<(), streams_dsl::Error>(())
    /// ```
    pub fn try_map_values_keeping<V2, E, F>(
        self,
        map: F,
    ) -> (KStream<K, V2>, KStream<K, Rejected<V, E>>)
    where
        F: Fn(&K, &V) -> Result<V2, E> + Send + Sync + 'static,
        V2: 'static,
        E: 'static,
    {
        let map = Arc::new(map);
        self.fork(move || TryMapValuesKeeping::new(Arc::clone(&map)))
    }

    /// As [`KStream::try_map_values_keeping`], and tries again while the failure is temporary.
    ///
    /// The waits block the task, so that records stay in order.
    ///
    /// ```
    /// # use streams_dsl::{StreamsBuilder, Topic, TopologyTestDriver, serde::Utf8};
    /// # use streams_dsl::{RetryPolicy, Retryable};
    /// # let words = Topic::<String, String>::new("words", Utf8, Utf8);
    /// # let out = Topic::<String, String>::new("out", Utf8, Utf8);
    /// # let builder = StreamsBuilder::new();
    /// # use std::{sync::atomic::{AtomicU32, Ordering}, time::Duration};
    /// # let unanswered = Topic::<String, String>::new("unanswered", Utf8, Utf8);
    /// struct Unreachable;
    ///
    /// impl Retryable for Unreachable {
    ///     fn is_temporary(&self) -> bool {
    ///         true
    ///     }
    /// }
    ///
    /// let policy = RetryPolicy::new(2, Duration::from_millis(100));
    /// let calls = AtomicU32::new(0);
    /// let (answered, rejected) =
    ///     builder.stream(&words).try_map_values_retrying(policy, move |_, word| {
    ///         match calls.fetch_add(1, Ordering::Relaxed) {
    ///             0 => Err(Unreachable),
    ///             _ => Ok(word.to_uppercase()),
    ///         }
    ///     });
    /// answered.to(&out);
    /// rejected.map_values(|rejected| rejected.value).to(&unanswered);
    /// # let mut driver = TopologyTestDriver::new(&builder.build()?)?;
    /// driver.pipe(&words, &"a".into(), &"ash".into(), 0)?;
    /// assert_eq!(driver.read(&out), Some(("a".into(), "ASH".into())));
    /// assert_eq!(driver.wall_clock_ms(), 100); // it has waited once
    /// # Ok::<(), streams_dsl::Error>(())
    /// ```
    pub fn try_map_values_retrying<V2, E, F>(
        self,
        policy: RetryPolicy,
        map: F,
    ) -> (KStream<K, V2>, KStream<K, Rejected<V, E>>)
    where
        F: Fn(&K, &V) -> Result<V2, E> + Send + Sync + 'static,
        V2: 'static,
        E: Retryable + 'static,
    {
        let map = Arc::new(map);
        self.fork(move || RetryMapValues::new(Arc::clone(&map), policy))
    }

    fn fork<V2, E, P>(
        self,
        supplier: impl Fn() -> P + Send + Sync + 'static,
    ) -> (KStream<K, V2>, KStream<K, E>)
    where
        P: Processor<K, V, K, Result<V2, E>>,
        V2: 'static,
        E: 'static,
    {
        let naming = Naming::Numbered("KSTREAM-TRYMAPVALUES-");
        let supplier = Arc::new(supplier);
        let node = Node::new(naming, vec![self.node], move |lowering| {
            let supplier = Arc::clone(&supplier);
            let name = lowering.name();
            let supplier = move || supplier();
            let handle = lowering.add_processor::<K, V, K, Result<V2, E>, P>(name, supplier)?;
            lowering.topology().mark_router(handle);
            lowering.set_handle(handle);
            Ok(())
        });
        let node = self.builder.plan().add(node.with_role(Role::ChangesValue));
        let results: KStream<K, Result<V2, E>> = self.after_values(node);
        let accepted = Naming::Derived(node, "-accepted");
        let accepted = results.add_processor::<K, V2, _>(accepted, || TakeAccepted);
        let rejected = Naming::Derived(node, "-rejected");
        let rejected = results.add_processor::<K, E, _>(rejected, || TakeRejected);
        let accepted = KStream {
            builder: results.builder.clone(),
            node: accepted,
            key: results.key.clone(),
            value: None,
            repartition_required: results.repartition_required,
        };
        (accepted, results.after_values(rejected))
    }
}

impl<K: 'static, V: 'static, E: Display + 'static> KStream<K, Rejected<V, E>> {
    /// The values as they were, each with the headers of a dead letter: those of its record, then
    /// KIP-1034's `__streams.errors.*` with the failure's type and text, and the topic, partition
    /// and offset of the source record.
    ///
    /// ```
    /// # use streams_dsl::{StreamsBuilder, Topic, TopologyTestDriver, serde::Utf8};
    /// # let words = Topic::<String, String>::new("words", Utf8, Utf8);
    /// # let out = Topic::<String, String>::new("out", Utf8, Utf8);
    /// # let builder = StreamsBuilder::new();
    /// let (numbers, rejected) =
    ///     builder.stream(&words).try_map_values_keeping(|_, word| word.parse::<i64>());
    /// rejected.into_dead_letters().to(&out);
    /// # numbers.for_each(|_, _| ());
    /// # let mut driver = TopologyTestDriver::new(&builder.build()?)?;
    /// driver.pipe(&words, &"b".into(), &"birch".into(), 7)?;
    /// let letter = driver.read_record(&out)?.expect("a dead letter");
    /// assert_eq!((letter.value.as_str(), letter.timestamp_ms), ("birch", 7));
    /// let message = letter.headers.last("__streams.errors.message").expect("its reason");
    /// assert_eq!(message.value.as_deref(), Some(&b"invalid digit found in string"[..]));
    /// # Ok::<(), streams_dsl::Error>(())
    /// ```
    pub fn into_dead_letters(self) -> KStream<K, V> {
        let naming = Naming::Derived(self.node, "-dead-letters");
        let node = self.add_processor::<K, V, _>(naming, || DeadLetter);
        self.after_values(node)
    }
}
