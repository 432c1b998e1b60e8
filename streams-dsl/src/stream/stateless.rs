//! Operators that look at one record at a time.

use std::sync::Arc;

use crate::operator::{
    Filter, FlatMap, FlatMapValues, ForEach, Map, MapValues, Peek, Print, SkipNullKeys,
    SkipNullValues,
};
use crate::option::Printed;
use crate::plan::{Naming, Node};
use crate::stream::{KStream, Terminal};

impl<K: 'static, V: 'static> KStream<K, V> {
    /// Keeps the records for which `predicate` holds.
    #[must_use]
    pub fn filter<F>(self, predicate: F) -> Self
    where
        F: Fn(&K, &V) -> bool + Send + Sync + 'static,
    {
        self.filter_to(predicate, true)
    }

    /// Keeps the records for which `predicate` does not hold.
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
    pub fn map<K2, V2, F>(self, map: F) -> KStream<K2, V2>
    where
        F: Fn(K, V) -> (K2, V2) + Send + Sync + 'static,
        K2: 'static,
        V2: 'static,
    {
        let map = Arc::new(map);
        let naming = Naming::Numbered("KSTREAM-MAP-");
        let node = self.add_processor(naming, move || Map::new(Arc::clone(&map)));
        self.after_all(node)
    }

    /// Makes a new value of each record.
    pub fn map_values<V2, F>(self, map: F) -> KStream<K, V2>
    where
        F: Fn(V) -> V2 + Send + Sync + 'static,
        V2: 'static,
    {
        self.map_values_with_key(move |_, value| map(value))
    }

    /// Makes a new value of each record, with its key to read.
    pub fn map_values_with_key<V2, F>(self, map: F) -> KStream<K, V2>
    where
        F: Fn(&K, V) -> V2 + Send + Sync + 'static,
        V2: 'static,
    {
        let map = Arc::new(map);
        let naming = Naming::Numbered("KSTREAM-MAPVALUES-");
        let node = self.add_processor(naming, move || MapValues::new(Arc::clone(&map)));
        self.after_values(node)
    }

    /// Makes any number of records of each, with new keys and values.
    ///
    /// Marks the stream for repartitioning; where the key stays, use [`KStream::flat_map_values`].
    pub fn flat_map<K2, V2, I, F>(self, map: F) -> KStream<K2, V2>
    where
        F: Fn(K, V) -> I + Send + Sync + 'static,
        I: IntoIterator<Item = (K2, V2)> + 'static,
        K2: 'static,
        V2: 'static,
    {
        let map = Arc::new(map);
        let naming = Naming::Numbered("KSTREAM-FLATMAP-");
        let node = self.add_processor(naming, move || FlatMap::new(Arc::clone(&map)));
        self.after_all(node)
    }

    /// Makes any number of records of each, all with its key.
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
    pub fn flat_map_values_with_key<V2, I, F>(self, map: F) -> KStream<K, V2>
    where
        K: Clone,
        F: Fn(&K, V) -> I + Send + Sync + 'static,
        I: IntoIterator<Item = V2> + 'static,
        V2: 'static,
    {
        let map = Arc::new(map);
        let naming = Naming::Numbered("KSTREAM-FLATMAPVALUES-");
        let node = self.add_processor(naming, move || FlatMapValues::new(Arc::clone(&map)));
        self.after_values(node)
    }

    /// Looks at each record on its way: for logs and counters.
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
    /// The JVM does so silently where it groups and joins. The node has the name of the one before
    /// it with `-skip-null-keys`, and takes no number: names after it stay the JVM's.
    pub fn skip_null_keys(self) -> KStream<K, V> {
        let naming = Naming::Derived(self.node, "-skip-null-keys");
        let node = self.add_processor(naming, || SkipNullKeys);
        KStream {
            builder: self.builder,
            node,
            key: None,
            value: self.value,
            repartition_required: self.repartition_required,
        }
    }
}

impl<K: 'static, V: 'static> KStream<K, Option<V>> {
    /// Leaves out records whose value is null, such as tombstones, and counts them as dropped.
    ///
    /// The node has the name of the one before it with `-skip-null-values`, and takes no number.
    pub fn skip_null_values(self) -> KStream<K, V> {
        let naming = Naming::Derived(self.node, "-skip-null-values");
        let node = self.add_processor(naming, || SkipNullValues);
        self.after_values(node)
    }
}
