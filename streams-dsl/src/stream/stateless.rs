//! Operators that look at one record at a time.

use std::sync::Arc;

use streams_core::serde::non_null;

use crate::operator::{
    Filter, FlatMap, FlatMapValues, ForEach, Map, MapValues, Peek, Print, SkipNullKeys,
    SkipNullValues,
};
use crate::option::Printed;
use crate::plan::{Naming, Node, Role};
use crate::stream::{KStream, Terminal};

impl<K: 'static, V: 'static> KStream<K, V> {
    /// Keeps the records for which `predicate` holds.
    ///
    /// ```
    /// # use streams_dsl::{StreamsBuilder, Topic, TopologyTestDriver, serde::Utf8};
    /// # let words = Topic::<String, String>::new("words", Utf8, Utf8);
    /// # let out = Topic::<String, String>::new("out", Utf8, Utf8);
    /// # let builder = StreamsBuilder::new();
    /// builder.stream(&words).filter(|_, word| word.len() > 3).to(&out);
    /// # let mut driver = TopologyTestDriver::new(&builder.build()?)?;
    /// driver.pipe(&words, &"a".into(), &"ash".into(), 0)?;
    /// driver.pipe(&words, &"b".into(), &"birch".into(), 1)?;
    /// assert_eq!(driver.read(&out), Some(("b".into(), "birch".into())));
    /// # Ok::<(), streams_dsl::Error>(())
    /// ```
    #[must_use]
    pub fn filter<F>(self, predicate: F) -> Self
    where
        F: Fn(&K, &V) -> bool + Send + Sync + 'static,
    {
        self.filter_to(predicate, true)
    }

    /// Keeps the records for which `predicate` does not hold.
    ///
    /// ```
    /// # use streams_dsl::{StreamsBuilder, Topic, TopologyTestDriver, serde::Utf8};
    /// # let words = Topic::<String, String>::new("words", Utf8, Utf8);
    /// # let out = Topic::<String, String>::new("out", Utf8, Utf8);
    /// # let builder = StreamsBuilder::new();
    /// builder.stream(&words).filter_not(|_, word| word.is_empty()).to(&out);
    /// # let mut driver = TopologyTestDriver::new(&builder.build()?)?;
    /// driver.pipe(&words, &"a".into(), &"".into(), 0)?;
    /// driver.pipe(&words, &"b".into(), &"birch".into(), 1)?;
    /// assert_eq!(driver.read(&out), Some(("b".into(), "birch".into())));
    /// # Ok::<(), streams_dsl::Error>(())
    /// ```
    #[must_use]
    pub fn filter_not<F>(self, predicate: F) -> Self
    where
        F: Fn(&K, &V) -> bool + Send + Sync + 'static,
    {
        self.filter_to(predicate, false)
    }

    fn filter_to<F>(self, predicate: F, kept: bool) -> Self
    where
        F: Fn(&K, &V) -> bool + Send + Sync + 'static,
    {
        let predicate = Arc::new(predicate);
        let node = self.add_processor(Naming::Numbered("KSTREAM-FILTER-"), move || {
            Filter::new(Arc::clone(&predicate), kept)
        });
        self.after(node)
    }

    /// Makes a new key and a new value of each record.
    ///
    /// Marks the stream for repartitioning; where the key stays, use [`KStream::map_values`].
    ///
    /// ```
    /// # use streams_dsl::{StreamsBuilder, Topic, TopologyTestDriver, serde::Utf8};
    /// # let words = Topic::<String, String>::new("words", Utf8, Utf8);
    /// # let out = Topic::<String, String>::new("out", Utf8, Utf8);
    /// # let builder = StreamsBuilder::new();
    /// builder.stream(&words).map(|key, word| (word, key)).to(&out);
    /// # let mut driver = TopologyTestDriver::new(&builder.build()?)?;
    /// driver.pipe(&words, &"a".into(), &"ash".into(), 0)?;
    /// assert_eq!(driver.read(&out), Some(("ash".into(), "a".into())));
    /// # Ok::<(), streams_dsl::Error>(())
    /// ```
    pub fn map<K2, V2, F>(self, map: F) -> KStream<K2, V2>
    where
        F: Fn(K, V) -> (K2, V2) + Send + Sync + 'static,
        K2: 'static,
        V2: 'static,
    {
        let map = Arc::new(map);
        let naming = Naming::Numbered("KSTREAM-MAP-");
        let role = Role::ChangesKey;
        let node = self.add_changing_processor(naming, role, move || Map::new(Arc::clone(&map)));
        self.after_all(node)
    }

    /// Makes a new value of each record.
    ///
    /// ```
    /// # use streams_dsl::{StreamsBuilder, Topic, TopologyTestDriver, serde::Utf8};
    /// # let words = Topic::<String, String>::new("words", Utf8, Utf8);
    /// # let out = Topic::<String, String>::new("out", Utf8, Utf8);
    /// # let builder = StreamsBuilder::new();
    /// builder.stream(&words).map_values(|word| word.to_uppercase()).to(&out);
    /// # let mut driver = TopologyTestDriver::new(&builder.build()?)?;
    /// driver.pipe(&words, &"a".into(), &"ash".into(), 0)?;
    /// assert_eq!(driver.read(&out), Some(("a".into(), "ASH".into())));
    /// # Ok::<(), streams_dsl::Error>(())
    /// ```
    pub fn map_values<V2, F>(self, map: F) -> KStream<K, V2>
    where
        F: Fn(V) -> V2 + Send + Sync + 'static,
        V2: 'static,
    {
        self.map_values_with_key(move |_, value| map(value))
    }

    /// Makes a new value of each record, with its key to read.
    ///
    /// ```
    /// # use streams_dsl::{StreamsBuilder, Topic, TopologyTestDriver, serde::Utf8};
    /// # let words = Topic::<String, String>::new("words", Utf8, Utf8);
    /// # let out = Topic::<String, String>::new("out", Utf8, Utf8);
    /// # let builder = StreamsBuilder::new();
    /// builder.stream(&words).map_values_with_key(|key, word| format!("{key}={word}")).to(&out);
    /// # let mut driver = TopologyTestDriver::new(&builder.build()?)?;
    /// driver.pipe(&words, &"a".into(), &"ash".into(), 0)?;
    /// assert_eq!(driver.read(&out), Some(("a".into(), "a=ash".into())));
    /// # Ok::<(), streams_dsl::Error>(())
    /// ```
    pub fn map_values_with_key<V2, F>(self, map: F) -> KStream<K, V2>
    where
        F: Fn(&K, V) -> V2 + Send + Sync + 'static,
        V2: 'static,
    {
        let map = Arc::new(map);
        let naming = Naming::Numbered("KSTREAM-MAPVALUES-");
        let role = Role::ChangesValue;
        let node =
            self.add_changing_processor(naming, role, move || MapValues::new(Arc::clone(&map)));
        self.after_values(node)
    }

    /// Makes any number of records of each, with new keys and values.
    ///
    /// Marks the stream for repartitioning; where the key stays, use [`KStream::flat_map_values`].
    ///
    /// ```
    /// # use streams_dsl::{StreamsBuilder, Topic, TopologyTestDriver, serde::Utf8};
    /// # let words = Topic::<String, String>::new("words", Utf8, Utf8);
    /// # let out = Topic::<String, String>::new("out", Utf8, Utf8);
    /// # let builder = StreamsBuilder::new();
    /// let stream = builder.stream(&words);
    /// stream.flat_map(|key, word| [(word.clone(), key.clone()), (key, word)]).to(&out);
    /// # let mut driver = TopologyTestDriver::new(&builder.build()?)?;
    /// driver.pipe(&words, &"a".into(), &"ash".into(), 0)?;
    /// assert_eq!(driver.read(&out), Some(("ash".into(), "a".into())));
    /// assert_eq!(driver.read(&out), Some(("a".into(), "ash".into())));
    /// # Ok::<(), streams_dsl::Error>(())
    /// ```
    pub fn flat_map<K2, V2, I, F>(self, map: F) -> KStream<K2, V2>
    where
        F: Fn(K, V) -> I + Send + Sync + 'static,
        I: IntoIterator<Item = (K2, V2)> + 'static,
        K2: 'static,
        V2: 'static,
    {
        let map = Arc::new(map);
        let naming = Naming::Numbered("KSTREAM-FLATMAP-");
        let role = Role::ChangesKey;
        let node =
            self.add_changing_processor(naming, role, move || FlatMap::new(Arc::clone(&map)));
        self.after_all(node)
    }

    /// Makes any number of records of each, all with its key.
    ///
    /// ```
    /// # use streams_dsl::{StreamsBuilder, Topic, TopologyTestDriver, serde::Utf8};
    /// # let words = Topic::<String, String>::new("words", Utf8, Utf8);
    /// # let out = Topic::<String, String>::new("out", Utf8, Utf8);
    /// # let builder = StreamsBuilder::new();
    /// let lines = builder.stream(&words);
    /// let split = |line: String| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
    /// lines.flat_map_values(split).to(&out);
    /// # let mut driver = TopologyTestDriver::new(&builder.build()?)?;
    /// driver.pipe(&words, &"a".into(), &"ash tree".into(), 0)?;
    /// assert_eq!(driver.read(&out), Some(("a".into(), "ash".into())));
    /// assert_eq!(driver.read(&out), Some(("a".into(), "tree".into())));
    /// # Ok::<(), streams_dsl::Error>(())
    /// ```
    pub fn flat_map_values<V2, I, F>(self, map: F) -> KStream<K, V2>
    where
        K: Clone,
        F: Fn(V) -> I + Send + Sync + 'static,
        I: IntoIterator<Item = V2> + 'static,
        V2: 'static,
    {
        self.flat_map_values_with_key(move |_, value| map(value))
    }

    /// Makes any number of records of each, all with its key, which can be read.
    ///
    /// ```
    /// # use streams_dsl::{StreamsBuilder, Topic, TopologyTestDriver, serde::Utf8};
    /// # let words = Topic::<String, String>::new("words", Utf8, Utf8);
    /// # let out = Topic::<String, String>::new("out", Utf8, Utf8);
    /// # let builder = StreamsBuilder::new();
    /// builder.stream(&words).flat_map_values_with_key(|key, word| [key.clone(), word]).to(&out);
    /// # let mut driver = TopologyTestDriver::new(&builder.build()?)?;
    /// driver.pipe(&words, &"a".into(), &"ash".into(), 0)?;
    /// assert_eq!(driver.read(&out), Some(("a".into(), "a".into())));
    /// assert_eq!(driver.read(&out), Some(("a".into(), "ash".into())));
    /// # Ok::<(), streams_dsl::Error>(())
    /// ```
    pub fn flat_map_values_with_key<V2, I, F>(self, map: F) -> KStream<K, V2>
    where
        K: Clone,
        F: Fn(&K, V) -> I + Send + Sync + 'static,
        I: IntoIterator<Item = V2> + 'static,
        V2: 'static,
    {
        let map = Arc::new(map);
        let naming = Naming::Numbered("KSTREAM-FLATMAPVALUES-");
        let role = Role::ChangesValue;
        let node =
            self.add_changing_processor(naming, role, move || FlatMapValues::new(Arc::clone(&map)));
        self.after_values(node)
    }

    /// Looks at each record on its way: for logs and counters.
    ///
    /// ```
    /// # use streams_dsl::{StreamsBuilder, Topic, TopologyTestDriver, serde::Utf8};
    /// # let words = Topic::<String, String>::new("words", Utf8, Utf8);
    /// # let out = Topic::<String, String>::new("out", Utf8, Utf8);
    /// # let builder = StreamsBuilder::new();
    /// builder.stream(&words).peek(|key, word| println!("{key}: {word}")).to(&out);
    /// # let mut driver = TopologyTestDriver::new(&builder.build()?)?;
    /// driver.pipe(&words, &"a".into(), &"ash".into(), 0)?;
    /// assert_eq!(driver.read(&out), Some(("a".into(), "ash".into())));
    /// # Ok::<(), streams_dsl::Error>(())
    /// ```
    #[must_use]
    pub fn peek<F>(self, action: F) -> Self
    where
        F: Fn(&K, &V) + Send + Sync + 'static,
    {
        let action = Arc::new(action);
        let naming = Naming::Numbered("KSTREAM-PEEK-");
        let node = self.add_processor(naming, move || Peek::new(Arc::clone(&action)));
        self.after(node)
    }

    /// Does something with each record, which ends there.
    ///
    /// What it does is outside of every transaction: after a crash it may be done again.
    ///
    /// ```
    /// # use streams_dsl::{StreamsBuilder, Topic, TopologyTestDriver, serde::Utf8};
    /// # let words = Topic::<String, String>::new("words", Utf8, Utf8);
    /// # let out = Topic::<String, String>::new("out", Utf8, Utf8);
    /// # let builder = StreamsBuilder::new();
    /// # let (seen, seeing) = std::sync::mpsc::channel();
    /// builder.stream(&words).for_each(move |_, word| {
    ///     let _ = seen.send(word);
    /// });
    /// # let mut driver = TopologyTestDriver::new(&builder.build()?)?;
    /// driver.pipe(&words, &"a".into(), &"ash".into(), 0)?;
    /// assert_eq!(seeing.recv(), Ok("ash".to_owned()));
    /// # Ok::<(), streams_dsl::Error>(())
    /// ```
    pub fn for_each<F>(self, action: F) -> Terminal
    where
        F: Fn(K, V) + Send + Sync + 'static,
    {
        let action = Arc::new(action);
        let naming = Naming::Numbered("KSTREAM-FOREACH-");
        let node = self.add_processor(naming, move || ForEach::new(Arc::clone(&action)));
        Terminal::new(self.builder, node)
    }

    /// Prints each record to standard output.
    ///
    /// ```
    /// # use streams_dsl::{StreamsBuilder, Topic, TopologyTestDriver, serde::Utf8};
    /// # use streams_dsl::Printed;
    /// # let words = Topic::<String, String>::new("words", Utf8, Utf8);
    /// # let out = Topic::<String, String>::new("out", Utf8, Utf8);
    /// # let builder = StreamsBuilder::new();
    /// let printed = Printed::new(|key, word| format!("{key}, {word}")).with_label("words");
    /// builder.stream(&words).print(printed);
    /// # let mut driver = TopologyTestDriver::new(&builder.build()?)?;
    /// driver.pipe(&words, &"a".into(), &"ash".into(), 0)?; // prints `[words]: a, ash`
    /// # Ok::<(), streams_dsl::Error>(())
    /// ```
    pub fn print<F>(self, printed: Printed<F>) -> Terminal
    where
        F: Fn(&K, &V) -> String + Send + Sync + 'static,
    {
        let Printed { format, label } = printed;
        let (format, parent) = (Arc::new(format), self.node);
        let naming = Naming::Numbered("KSTREAM-PRINTER-");
        let node = Node::new(naming, vec![parent], move |lowering| {
            let format = Arc::clone(&format);
            let label: Arc<str> = match &label {
                Some(label) => Arc::clone(label),
                None => lowering.name_of(parent).into(),
            };
            let supplier = move || Print::new(Arc::clone(&format), Arc::clone(&label));
            let name = lowering.name();
            lowering.add_processor::<K, V, (), (), _>(name, supplier)?;
            Ok(())
        });
        let node = self.builder.plan().add(node);
        Terminal::new(self.builder, node)
    }
}

impl<K: 'static, V: 'static> KStream<Option<K>, V> {
    /// Leaves out records whose key is null, and counts them as dropped.
    ///
    /// The JVM does so silently where it groups and joins. The node takes no number, and the
    /// description leaves it out: both stay the JVM's. Its name, which errors tell, is that of the
    /// node before it with `-skip-null-keys`.
    ///
    /// ```
    /// # use streams_dsl::{StreamsBuilder, Topic, TopologyTestDriver, serde::{Nullable, Utf8}};
    /// # let words = Topic::<String, String>::new("words", Utf8, Utf8);
    /// # let out = Topic::<String, String>::new("out", Utf8, Utf8);
    /// # let builder = StreamsBuilder::new();
    /// let unkeyed = Topic::<Option<String>, String>::new("unkeyed", Nullable(Utf8), Utf8);
    /// builder.stream(&unkeyed).skip_null_keys().to(&out);
    /// # let mut driver = TopologyTestDriver::new(&builder.build()?)?;
    /// driver.pipe(&unkeyed, &None, &"ash".into(), 0)?;
    /// driver.pipe(&unkeyed, &Some("b".into()), &"birch".into(), 1)?;
    /// assert_eq!(driver.read(&out), Some(("b".into(), "birch".into())));
    /// assert_eq!(driver.take_counts().dropped, 1);
    /// # Ok::<(), streams_dsl::Error>(())
    /// ```
    pub fn skip_null_keys(self) -> KStream<K, V> {
        let naming = Naming::Derived(self.node, "-skip-null-keys");
        let node = self.add_hidden_processor(naming, || SkipNullKeys);
        KStream {
            builder: self.builder,
            node,
            key: self.key.as_ref().and_then(non_null),
            value: self.value,
            repartition_required: self.repartition_required,
        }
    }
}

impl<K: 'static, V: 'static> KStream<K, Option<V>> {
    /// Leaves out records whose value is null, such as tombstones, and counts them as dropped.
    ///
    /// The node takes no number, and the description leaves it out. Its name, which errors tell, is
    /// that of the node before it with `-skip-null-values`.
    ///
    /// ```
    /// # use streams_dsl::{StreamsBuilder, Topic, TopologyTestDriver, serde::{Nullable, Utf8}};
    /// # let words = Topic::<String, String>::new("words", Utf8, Utf8);
    /// # let out = Topic::<String, String>::new("out", Utf8, Utf8);
    /// # let builder = StreamsBuilder::new();
    /// let rows = Topic::<String, Option<String>>::new("rows", Utf8, Nullable(Utf8));
    /// builder.stream(&rows).skip_null_values().to(&out);
    /// # let mut driver = TopologyTestDriver::new(&builder.build()?)?;
    /// driver.pipe(&rows, &"a".into(), &None, 0)?;
    /// driver.pipe(&rows, &"b".into(), &Some("birch".into()), 1)?;
    /// assert_eq!(driver.read(&out), Some(("b".into(), "birch".into())));
    /// assert_eq!(driver.take_counts().dropped, 1);
    /// # Ok::<(), streams_dsl::Error>(())
    /// ```
    pub fn skip_null_values(self) -> KStream<K, V> {
        let naming = Naming::Derived(self.node, "-skip-null-values");
        let node = self.add_hidden_processor(naming, || SkipNullValues);
        KStream {
            builder: self.builder,
            node,
            key: self.key,
            value: self.value.as_ref().and_then(non_null),
            repartition_required: self.repartition_required,
        }
    }
}
