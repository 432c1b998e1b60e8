//! A stream that splits into branches.

use std::sync::{Arc, Mutex, PoisonError};

use crate::operator::{Branch, PassThrough, Predicate};
use crate::plan::{Naming, Node, PlanId};
use crate::stream::KStream;

type Predicates<K, V> = Arc<Mutex<Vec<Predicate<K, V>>>>;

/// A stream in the course of being split (`org.apache.kafka.streams.kstream.BranchedKStream`).
///
/// A record goes to the first branch whose predicate holds, so nothing is copied; one that fits
/// none goes to the default branch, or nowhere if there is none.
pub struct BranchedKStream<K, V> {
    stream: KStream<K, V>,
    predicates: Predicates<K, V>,
}

impl<K: 'static, V: 'static> KStream<K, V> {
    /// Splits the stream into branches.
    ///
    /// ```
    /// # use streams_dsl::{StreamsBuilder, Topic, TopologyTestDriver, serde::Utf8};
    /// # let words = Topic::<String, String>::new("words", Utf8, Utf8);
    /// # let out = Topic::<String, String>::new("out", Utf8, Utf8);
    /// # let builder = StreamsBuilder::new();
    /// # let short = Topic::<String, String>::new("short", Utf8, Utf8);
    /// let mut split = builder.stream(&words).split();
    /// split.branch("short", |_, word| word.len() < 4).to(&short);
    /// split.default_branch("other").to(&out);
    /// # let mut driver = TopologyTestDriver::new(&builder.build()?)?;
    /// driver.pipe(&words, &"a".into(), &"ash".into(), 0)?;
    /// driver.pipe(&words, &"b".into(), &"birch".into(), 1)?;
    /// assert_eq!(driver.read(&short), Some(("a".into(), "ash".into())));
    /// assert_eq!(driver.read(&out), Some(("b".into(), "birch".into())));
    /// # Ok::<(), streams_dsl::Error>(())
    /// ```
    pub fn split(self) -> BranchedKStream<K, V> {
        let predicates = Predicates::default();
        let branches = Arc::clone(&predicates);
        let naming = Naming::Numbered("KSTREAM-BRANCH-");
        let node = Node::new(naming, vec![self.node], move |lowering| {
            let branches = branches.lock().unwrap_or_else(PoisonError::into_inner);
            let predicates: Arc<[Predicate<K, V>]> = branches.as_slice().into();
            let name = lowering.name();
            let supplier = move || Branch::new(Arc::clone(&predicates));
            let handle = lowering.add_processor::<K, V, K, V, _>(name, supplier)?;
            lowering.topology().mark_router(handle);
            lowering.set_handle(handle);
            Ok(())
        });
        let node = self.builder.plan().add(node);
        BranchedKStream {
            stream: self.after(node),
            predicates,
        }
    }
}

impl<K: 'static, V: 'static> BranchedKStream<K, V> {
    /// Names the splitter; its branches' names begin with it.
    #[must_use]
    pub fn named(self, name: impl Into<Arc<str>>) -> Self {
        Self {
            stream: self.stream.named(name),
            ..self
        }
    }

    /// The records for which `predicate` holds, and none of the predicates before it.
    ///
    /// The node is called by the splitter's name and `name`. Branches without a name are called
    /// `1`, `2` and so on by the JVM, and the default branch `0`.
    pub fn branch<F>(&mut self, name: &str, predicate: F) -> KStream<K, V>
    where
        F: Fn(&K, &V) -> bool + Send + Sync + 'static,
    {
        let mut predicates = self
            .predicates
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        predicates.push(Arc::new(predicate));
        drop(predicates);
        let node = self.add_branch(name);
        let stream = &self.stream;
        KStream {
            builder: stream.builder.clone(),
            node,
            key: stream.key.clone(),
            value: stream.value.clone(),
            repartition_required: stream.repartition_required,
        }
    }

    /// The records that no branch has taken.
    pub fn default_branch(self, name: &str) -> KStream<K, V> {
        let node = self.add_branch(name);
        self.stream.after(node)
    }

    fn add_branch(&self, name: &str) -> PlanId {
        let naming = Naming::Branch(self.stream.node, name.into());
        self.stream.add_processor::<K, V, _>(naming, || PassThrough)
    }
}
