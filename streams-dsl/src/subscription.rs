//! What a stream can be read from.

use std::sync::Arc;

use regex::Regex;
use streams_core::serde::{Deserializer, SerdeError, SharedSerde};
use streams_core::{Error, ErrorKind, Headers, Result, Topic};

/// All topics whose whole name matches a pattern, also those that are made later, and what their
/// keys and values are.
#[derive(Clone)]
pub struct TopicPattern<K, V> {
    pattern: Regex,
    key: SharedSerde<K>,
    value: SharedSerde<V>,
}

impl<K, V> TopicPattern<K, V> {
    /// The topics that match a regular expression, with these serdes.
    ///
    /// # Errors
    /// If the pattern is no regular expression of the `regex` crate.
    pub fn new(
        pattern: &str,
        key: impl streams_core::serde::Serde<K> + 'static,
        value: impl streams_core::serde::Serde<V> + 'static,
    ) -> Result<Self> {
        let pattern = Regex::new(pattern).map_err(|error| {
            let message = format!("topic pattern \"{pattern}\" is no regular expression");
            Error::with_source(ErrorKind::Topology, message, error)
        })?;
        let (key, value) = (Arc::new(key), Arc::new(value));
        Ok(Self {
            pattern,
            key,
            value,
        })
    }
}

/// What a stream can be read from: a [`Topic`], several, or a [`TopicPattern`].
pub trait Subscription {
    /// The type of the keys.
    type Key: 'static;
    /// The type of the values.
    type Value: 'static;

    /// The topics and their serdes.
    fn subscribed(self) -> Subscribed<Self::Key, Self::Value>;
}

/// The topics that a stream is read from, and how.
pub struct Subscribed<K, V> {
    pub(crate) topics: SubscribedTopics,
    pub(crate) key_reader: Arc<dyn Deserializer<K>>,
    pub(crate) value_reader: Arc<dyn Deserializer<V>>,
    /// What the stream's records can be written with.
    pub(crate) key: Option<SharedSerde<K>>,
    pub(crate) value: Option<SharedSerde<V>>,
}

pub(crate) enum SubscribedTopics {
    Named(Vec<Arc<str>>),
    Pattern(Regex),
}

impl<K: 'static, V: 'static> Subscription for &Topic<K, V> {
    type Key = K;
    type Value = V;

    fn subscribed(self) -> Subscribed<K, V> {
        let (key, value) = (self.key_serde(), self.value_serde());
        Subscribed {
            topics: SubscribedTopics::Named(vec![Arc::clone(self.name())]),
            key_reader: Arc::clone(key) as _,
            value_reader: Arc::clone(value) as _,
            key: Some(Arc::clone(key)),
            value: Some(Arc::clone(value)),
        }
    }
}

impl<K: 'static, V: 'static> Subscription for &[Topic<K, V>] {
    type Key = K;
    type Value = V;

    /// Each topic is read with its own serdes; what is repartitioned afterwards is written with
    /// those of the first.
    fn subscribed(self) -> Subscribed<K, V> {
        if let [only] = self {
            return only.subscribed();
        }
        let names = self.iter().map(|topic| Arc::clone(topic.name()));
        let by_topic = |topic: &Topic<K, V>| Arc::clone(topic.name());
        let keys = self
            .iter()
            .map(|topic| (by_topic(topic), Arc::clone(topic.key_serde())));
        let values = self
            .iter()
            .map(|topic| (by_topic(topic), Arc::clone(topic.value_serde())));
        Subscribed {
            topics: SubscribedTopics::Named(names.collect()),
            key_reader: Arc::new(ByTopic(keys.collect())),
            value_reader: Arc::new(ByTopic(values.collect())),
            key: self.first().map(|topic| Arc::clone(topic.key_serde())),
            value: self.first().map(|topic| Arc::clone(topic.value_serde())),
        }
    }
}

impl<K: 'static, V: 'static, const N: usize> Subscription for &[Topic<K, V>; N] {
    type Key = K;
    type Value = V;

    fn subscribed(self) -> Subscribed<K, V> {
        self.as_slice().subscribed()
    }
}

impl<K: 'static, V: 'static> Subscription for &TopicPattern<K, V> {
    type Key = K;
    type Value = V;

    fn subscribed(self) -> Subscribed<K, V> {
        Subscribed {
            topics: SubscribedTopics::Pattern(self.pattern.clone()),
            key_reader: Arc::clone(&self.key) as _,
            value_reader: Arc::clone(&self.value) as _,
            key: Some(Arc::clone(&self.key)),
            value: Some(Arc::clone(&self.value)),
        }
    }
}

/// Reads each topic with its own serde. There are few topics, so they are looked through.
struct ByTopic<T>(Vec<(Arc<str>, SharedSerde<T>)>);

impl<T> Deserializer<T> for ByTopic<T> {
    fn deserialize(
        &self,
        topic: &str,
        headers: &Headers,
        data: Option<&[u8]>,
    ) -> Result<T, SerdeError> {
        let serde = self.0.iter().find(|(name, _)| &**name == topic);
        match serde {
            Some((_, serde)) => serde.deserialize(topic, headers, data),
            None => Err(SerdeError::new(format!(
                "no serde is known for topic {topic}"
            ))),
        }
    }
}
