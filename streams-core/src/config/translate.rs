//! From the Java clients' settings to librdkafka's.

use std::collections::BTreeMap;

use super::client::{Given, Scope};
use super::java::{self, Rule};
use super::reader::Reader;
use super::{librdkafka, security};

/// librdkafka's settings, with the keys they were given by.
pub(super) type Translated = BTreeMap<String, Given>;

/// Translates what was gathered for one client; mistakes and warnings go to the reader.
pub(super) fn translate(
    scope: Scope,
    gathered: &BTreeMap<String, Given>,
    reader: &mut Reader<'_>,
) -> Translated {
    let mut translation = Translation {
        scope,
        gathered,
        reader,
        translated: Translated::new(),
    };
    for (name, given) in gathered {
        match java::rule(name) {
            Some((_, rule)) => translation.apply(name, given, rule),
            None => translation.put(name, given, &given.value),
        }
    }
    translation.translated
}

/// A translation on its way.
pub(super) struct Translation<'g, 'r, 's> {
    scope: Scope,
    gathered: &'g BTreeMap<String, Given>,
    pub(super) reader: &'r mut Reader<'s>,
    translated: Translated,
}

impl Translation<'_, '_, '_> {
    /// Another setting of the same client.
    pub(super) fn other(&self, name: &str) -> Option<&str> {
        self.gathered.get(name).map(|given| given.value.as_str())
    }

    /// Gives librdkafka this setting, if it takes the value.
    pub(super) fn put(&mut self, name: &str, given: &Given, value: &str) {
        let setting = librdkafka::setting(name);
        if setting.is_some_and(|(takers, _)| !takers.meets(self.scope)) {
            return;
        }
        if let Some(complaint) = setting.and_then(|(_, kind)| kind.complaint(value)) {
            self.reader
                .problems
                .value(&given.key, &given.value, &complaint);
            return;
        }
        let flag = setting.is_some_and(|(_, kind)| matches!(kind, librdkafka::Kind::Flag));
        let given = Given {
            key: given.key.clone(),
            value: if flag {
                value.to_lowercase()
            } else {
                value.to_owned()
            },
        };
        self.translated.insert(name.to_owned(), given);
    }

    pub(super) fn refuse(&mut self, given: &Given, complaint: &str) {
        self.reader
            .problems
            .value(&given.key, &given.value, complaint);
    }

    fn apply(&mut self, name: &str, given: &Given, rule: Rule) {
        match rule {
            Rule::Same => self.put(name, given, &given.value),
            Rule::Renamed(other) => self.put(other, given, &given.value),
            Rule::Within(other, min, max) => self.put_within(other, given, min, max),
            Rule::WithinOrDefault(other, _) if given.value == "-1" => self.put(other, given, "0"),
            Rule::WithinOrDefault(other, max) => self.put_within(other, given, 0, max),
            Rule::Kilobytes(other) => self.put_kilobytes(other, given),
            Rule::Ours | Rule::Silent => {}
            Rule::Ignored(remark) => self.reader.warn(&given.key, remark),
            Rule::Refused(_) if given.value.is_empty() => {}
            Rule::Refused(complaint) => self.reader.problems.key(&given.key, complaint),
            Rule::Special => self.special(name, given),
        }
    }

    fn put_within(&mut self, name: &str, given: &Given, min: i64, max: i64) {
        match given.value.parse::<i64>() {
            Ok(number) if number >= 0 => {
                self.put(name, given, &number.clamp(min, max).to_string());
            }
            _ => self.refuse(given, "must be a whole number of at least 0"),
        }
    }

    fn put_kilobytes(&mut self, name: &str, given: &Given) {
        match given.value.parse::<u64>() {
            Ok(bytes) => self.put(name, given, &(bytes / 1024).max(1).to_string()),
            Err(_) => self.refuse(given, "must be a whole number of at least 0"),
        }
    }

    fn special(&mut self, name: &str, given: &Given) {
        let value = given.value.as_str();
        match name {
            "bootstrap.servers" | "client.id" => self.one_for_all(name, given),
            "group.id" => self
                .reader
                .warn(&given.key, "is ignored: application.id is the group"),
            "config.providers" | "interceptor.classes" => self.java_classes(given),
            "metadata.max.age.ms" => self.metadata_age(given),
            "metadata.recovery.strategy" | "isolation.level" | "compression.type" => {
                self.put(name, given, &value.to_lowercase());
            }
            "auto.offset.reset" => self.offset_reset(given),
            "acks" if value.eq_ignore_ascii_case("all") => self.put(name, given, "-1"),
            "acks" if ["-1", "0", "1"].contains(&value) => self.put(name, given, value),
            "acks" => self.refuse(given, "must be all, -1, 0 or 1"),
            "compression.gzip.level" => self.compression_level(given, "gzip"),
            "compression.lz4.level" => self.compression_level(given, "lz4"),
            "compression.zstd.level" => self.compression_level(given, "zstd"),
            // The admin client, which retries within the time of each call, does not take it.
            "retries" => self.put(name, given, value),
            "partitioner.class" => self.partitioner(given),
            "partitioner.ignore.keys" | "transaction.two.phase.commit.enable" => {
                if !value.eq_ignore_ascii_case("false") {
                    self.refuse(given, "can only be false");
                }
            }
            _ => security::translate(self, name, given),
        }
    }

    /// All clients speak to the same cluster under a name of the application.
    fn one_for_all(&mut self, name: &str, given: &Given) {
        if given.key != name {
            self.reader.warn(
                &given.key,
                &format!("is ignored: {name} is the same for all clients"),
            );
        }
    }

    fn java_classes(&mut self, given: &Given) {
        if !given.value.is_empty() {
            self.refuse(given, "is not supported: it names Java classes");
        }
    }

    /// librdkafka refreshes by one setting and forgets by another, best at three times the first.
    fn metadata_age(&mut self, given: &Given) {
        match given.value.parse::<i64>() {
            Ok(age) if age >= 0 => {
                let refresh = age.clamp(10, 3_600_000);
                self.put(
                    "topic.metadata.refresh.interval.ms",
                    given,
                    &refresh.to_string(),
                );
                self.put("metadata.max.age.ms", given, &(refresh * 3).to_string());
            }
            _ => self.refuse(given, "must be a whole number of at least 0"),
        }
    }

    fn offset_reset(&mut self, given: &Given) {
        match given.value.to_lowercase().as_str() {
            "none" | "error" => self.put("auto.offset.reset", given, "error"),
            known @ ("earliest" | "latest" | "smallest" | "largest" | "beginning" | "end") => {
                self.put("auto.offset.reset", given, known);
            }
            _ => self.refuse(given, "must be earliest, latest or none"),
        }
    }

    fn compression_level(&mut self, given: &Given, compression: &str) {
        if self
            .other("compression.type")
            .is_some_and(|chosen| chosen == compression)
        {
            self.put("compression.level", given, &given.value);
        }
    }

    /// Java's default partitioner is librdkafka's `murmur2_random`, which is our default too.
    fn partitioner(&mut self, given: &Given) {
        let simple = given.value.rsplit('.').next().unwrap_or_default();
        if !["", "DefaultPartitioner", "UniformStickyPartitioner"].contains(&simple) {
            self.refuse(
                given,
                "names a Java class: give the sink a partitioner in the topology",
            );
        }
    }
}
