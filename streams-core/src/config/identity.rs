//! The names an application's clients go by, and their settings with these names.
//!
//! A process is known by an id that the caller gives: one it keeps in `state.dir`, or
//! `group.instance.id`. Threads count from 1, as in the JVM.

use std::collections::BTreeMap;

use super::StreamsConfig;

/// What stands between a consumer's name and its `application.server` in its `client.id`, where
/// there is one: so every instance can tell where the others answer queries.
pub(crate) const SERVER_MARK: char = '@';

impl StreamsConfig {
    /// The name of the instance: `client.id`, else `<application.id>-<process id>`.
    pub fn instance_name(&self, process_id: &str) -> String {
        match &self.client_id {
            Some(client_id) => client_id.clone(),
            None => format!("{}-{process_id}", self.application_id),
        }
    }

    /// The name of a stream thread: `<instance>-StreamThread-<thread>`.
    pub fn thread_name(&self, process_id: &str, thread: usize) -> String {
        format!("{}-StreamThread-{thread}", self.instance_name(process_id))
    }

    /// The transactional id of a thread: `<application.id>-<process id>-<thread>` (KIP-447).
    pub fn transactional_id(&self, process_id: &str, thread: usize) -> String {
        format!("{}-{process_id}-{thread}", self.application_id)
    }

    /// librdkafka's settings for the consumer of a thread, member of the group.
    pub fn consumer_config(&self, process_id: &str, thread: usize) -> BTreeMap<String, String> {
        let mut settings = self.clients.main_consumer.clone();
        let mut client = format!("{}-consumer", self.thread_name(process_id, thread));
        if let Some(server) = &self.application_server {
            // The group tells every instance the names of the others.
            client.push(SERVER_MARK);
            client.push_str(server);
        }
        settings.insert("client.id".to_owned(), client);
        settings.insert("group.id".to_owned(), self.application_id.clone());
        if let Some(instance) = &self.group_instance_id {
            settings.insert(
                "group.instance.id".to_owned(),
                format!("{instance}-{thread}"),
            );
        }
        settings
    }

    /// librdkafka's settings for the consumer that restores the stores of a thread; it has no
    /// group, and an offset that is gone is an error.
    pub fn restore_consumer_config(
        &self,
        process_id: &str,
        thread: usize,
    ) -> BTreeMap<String, String> {
        let mut settings = self.clients.restore_consumer.clone();
        let client = format!("{}-restore-consumer", self.thread_name(process_id, thread));
        settings.insert("client.id".to_owned(), client);
        settings.insert("auto.offset.reset".to_owned(), "error".to_owned());
        settings
    }

    /// librdkafka's settings for the consumer that fills global stores; it has no group, and an
    /// offset that is gone is an error.
    pub fn global_consumer_config(&self, process_id: &str) -> BTreeMap<String, String> {
        let mut settings = self.clients.global_consumer.clone();
        let client = format!(
            "{}-GlobalStreamThread-global-consumer",
            self.instance_name(process_id)
        );
        settings.insert("client.id".to_owned(), client);
        settings.insert("auto.offset.reset".to_owned(), "error".to_owned());
        settings
    }

    /// librdkafka's settings for the producer of a thread; transactional under exactly-once.
    pub fn producer_config(&self, process_id: &str, thread: usize) -> BTreeMap<String, String> {
        let mut settings = self.clients.producer.clone();
        let client = format!("{}-producer", self.thread_name(process_id, thread));
        settings.insert("client.id".to_owned(), client);
        if self.processing_guarantee.is_exactly_once() {
            let transactional_id = self.transactional_id(process_id, thread);
            settings.insert("transactional.id".to_owned(), transactional_id);
        }
        settings
    }

    /// librdkafka's settings for the admin client.
    pub fn admin_config(&self, process_id: &str) -> BTreeMap<String, String> {
        let mut settings = self.clients.admin.clone();
        settings.insert(
            "client.id".to_owned(),
            format!("{}-admin", self.instance_name(process_id)),
        );
        settings
    }
}
