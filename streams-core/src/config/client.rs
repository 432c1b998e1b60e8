//! The Kafka clients of an application, and which settings reach which of them.

use std::collections::BTreeMap;

use super::reader::Reader;
use super::{java, librdkafka};

/// The clients that take a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Scope(u8);

/// Every client.
pub(super) const ALL: Scope = Scope(0b111);
/// The consumers.
pub(super) const CONSUMER: Scope = Scope(0b001);
/// The producers.
pub(super) const PRODUCER: Scope = Scope(0b010);
/// The admin client.
pub(super) const ADMIN: Scope = Scope(0b100);

impl Scope {
    /// The clients of both.
    pub(super) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether any client is in both.
    pub(super) const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// A client of the application.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Client {
    /// The consumer of a stream thread, member of the group.
    MainConsumer,
    /// The consumer that restores stores from their changelogs.
    RestoreConsumer,
    /// The consumer that fills global stores.
    GlobalConsumer,
    /// The producer of a stream thread.
    Producer,
    /// The client that creates and purges internal topics.
    Admin,
}

/// Every client.
pub(super) const CLIENTS: &[Client] = &[
    Client::MainConsumer,
    Client::RestoreConsumer,
    Client::GlobalConsumer,
    Client::Producer,
    Client::Admin,
];

/// The prefixes and the clients their keys are for.
const PREFIXES: &[(&str, Scope)] = &[
    ("consumer.", CONSUMER),
    ("main.consumer.", CONSUMER),
    ("restore.consumer.", CONSUMER),
    ("global.consumer.", CONSUMER),
    ("producer.", PRODUCER),
    ("admin.", ADMIN),
];

impl Client {
    pub(super) fn scope(self) -> Scope {
        match self {
            Self::MainConsumer | Self::RestoreConsumer | Self::GlobalConsumer => CONSUMER,
            Self::Producer => PRODUCER,
            Self::Admin => ADMIN,
        }
    }

    /// The prefixes whose keys this client takes, those that win last.
    fn prefixes(self) -> &'static [&'static str] {
        match self {
            Self::MainConsumer => &["consumer.", "main.consumer."],
            Self::RestoreConsumer => &["consumer.", "restore.consumer."],
            Self::GlobalConsumer => &["consumer.", "global.consumer."],
            Self::Producer => &["producer."],
            Self::Admin => &["admin."],
        }
    }
}

/// A client setting as the user gave it.
#[derive(Debug, Clone)]
pub(super) struct Given {
    /// The key in the user's spelling, prefix included.
    pub(super) key: String,
    pub(super) value: String,
}

/// The settings that reach a client, by the Java client's name or librdkafka's; a prefixed key
/// wins over a bare one, and `main.consumer.` over `consumer.` (`StreamsConfig`'s order).
pub(super) fn gather(client: Client, reader: &Reader<'_>) -> BTreeMap<String, Given> {
    let mut gathered = BTreeMap::new();
    let bare = reader
        .all()
        .filter(|(key, _)| is_taken_by(key, client.scope()));
    for (key, value) in bare {
        let given = Given {
            key: key.to_owned(),
            value: value.to_owned(),
        };
        gathered.insert(canonical(key).to_owned(), given);
    }
    for prefix in client.prefixes() {
        for (key, value) in reader.all() {
            if let Some(name) = key.strip_prefix(prefix) {
                let given = Given {
                    key: key.to_owned(),
                    value: value.to_owned(),
                };
                gathered.insert(canonical(name).to_owned(), given);
            }
        }
    }
    gathered
}

/// The prefix of a key, the rest of it and the clients it is for.
pub(super) fn split_prefix(key: &str) -> Option<(&'static str, &str, Scope)> {
    PREFIXES
        .iter()
        .find_map(|(prefix, scope)| key.strip_prefix(prefix).map(|rest| (*prefix, rest, *scope)))
}

/// Whether a client of this scope takes the setting, under Java's name or librdkafka's.
pub(super) fn is_taken_by(name: &str, scope: Scope) -> bool {
    let name = canonical(name);
    match java::rule(name) {
        Some((takers, _)) if takers.meets(scope) => true,
        _ => librdkafka::setting(name).is_some_and(|(takers, _)| takers.meets(scope)),
    }
}

/// The names that a client of this scope takes.
pub(super) fn names(scope: Scope) -> impl Iterator<Item = &'static str> {
    java::names()
        .chain(librdkafka::names())
        .filter(move |(_, takers)| takers.meets(scope))
        .map(|(name, _)| name)
}

fn canonical(name: &str) -> &str {
    librdkafka::ALIASES
        .iter()
        .find_map(|(alias, canonical)| (*alias == name).then_some(*canonical))
        .unwrap_or(name)
}
