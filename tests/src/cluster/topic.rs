//! Topics: made, listed, deleted.

use std::collections::BTreeSet;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication, TopicResult};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::Consumer;
use rdkafka::error::KafkaError;
use tokio::runtime::Builder;

use super::{Cluster, REQUEST_LIMIT};
use crate::deadline::try_until;
use crate::error::{Error, OrFail};

impl Cluster {
    /// Creates a topic with a unique name that begins with `stem`, and returns that name.
    #[track_caller]
    pub fn topic(&self, stem: &str, partitions: i32) -> String {
        let name = self.unique(stem);
        self.create_topic(&name, partitions, &[]);
        name
    }

    /// Creates a topic by its exact name, with topic configs.
    #[track_caller]
    pub fn create_topic(&self, name: &str, partitions: i32, configs: &[(&str, &str)]) {
        self.try_create_topic(name, partitions, configs).or_fail();
    }

    /// As [`Cluster::create_topic`].
    ///
    /// # Errors
    ///
    /// When the broker refuses, for instance because the topic exists.
    pub fn try_create_topic(
        &self,
        name: &str,
        partitions: i32,
        configs: &[(&str, &str)],
    ) -> Result<(), Error> {
        let mut topic = NewTopic::new(name, partitions, TopicReplication::Fixed(1));
        for (key, value) in configs {
            topic = topic.set(key, value);
        }
        self.admin(&format!("create topic={name}"), async |client, options| {
            client.create_topics([&topic], options).await
        })?;
        self.partitions(name, REQUEST_LIMIT).map(drop)
    }

    /// Deletes a topic.
    #[track_caller]
    pub fn delete_topic(&self, name: &str) {
        let deleted = self.admin(&format!("delete topic={name}"), async |client, options| {
            client.delete_topics(&[name], options).await
        });
        deleted.or_fail();
    }

    /// The names of all topics.
    #[track_caller]
    pub fn topics(&self) -> BTreeSet<String> {
        let metadata = self
            .consumer("read_committed", "topics")
            .and_then(|consumer| {
                consumer
                    .fetch_metadata(None, REQUEST_LIMIT)
                    .map_err(|error| Error::kafka("list the topics", error))
            });
        metadata
            .or_fail()
            .topics()
            .iter()
            .map(|topic| topic.name().to_owned())
            .collect()
    }

    /// How many partitions a topic has, once all have a leader.
    pub(super) fn partitions(&self, topic: &str, limit: Duration) -> Result<i32, Error> {
        let consumer = self.consumer("read_committed", "partitions")?;
        try_until(&format!("topic={topic} was there"), limit, || {
            // A broker that does not answer, or not yet, is asked again.
            let Ok(metadata) = consumer.fetch_metadata(Some(topic), REQUEST_LIMIT) else {
                return Ok(None);
            };
            let found = metadata.topics().iter().find(|found| found.name() == topic);
            let led = found.filter(|found| {
                let mut partitions = found.partitions().iter();
                found.error().is_none() && partitions.all(|partition| partition.leader() >= 0)
            });
            Ok(led
                .map(|found| found.partitions().len() as i32)
                .filter(|count| *count > 0))
        })
    }

    fn admin(
        &self,
        action: &str,
        call: impl AsyncFnOnce(
            &AdminClient<DefaultClientContext>,
            &AdminOptions,
        ) -> Result<Vec<TopicResult>, KafkaError>,
    ) -> Result<(), Error> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(Error::file("make a runtime for", "kafka"))?;
        let client: AdminClient<_> = ClientConfig::new()
            .set("bootstrap.servers", &self.bootstrap)
            .create()
            .map_err(|error| Error::kafka(action, error))?;
        let options = AdminOptions::new()
            .request_timeout(Some(REQUEST_LIMIT))
            .operation_timeout(Some(REQUEST_LIMIT));
        let results = runtime
            .block_on(call(&client, &options))
            .map_err(|error| Error::kafka(action, error))?;
        for result in results {
            result.map_err(|(_, error)| Error::kafka(action, error))?;
        }
        Ok(())
    }
}
