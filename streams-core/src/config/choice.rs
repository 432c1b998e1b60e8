//! The settings that are a choice among names.

use super::reader::Reader;

/// `processing.guarantee`: what a crash can do to the results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProcessingGuarantee {
    /// Nothing is lost; after a crash some results may come twice.
    AtLeastOnce,
    /// Each input record's results, state and offset are committed in one transaction (KIP-447).
    ExactlyOnceV2,
}

impl ProcessingGuarantee {
    /// Whether results are written in transactions.
    pub fn is_exactly_once(self) -> bool {
        self == Self::ExactlyOnceV2
    }

    /// The `isolation.level` that consumers read by.
    pub(super) fn isolation_level(self) -> &'static str {
        match self {
            Self::AtLeastOnce => "read_uncommitted",
            Self::ExactlyOnceV2 => "read_committed",
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        const KEY: &str = super::key::PROCESSING_GUARANTEE;
        if let Some(old @ ("exactly_once" | "exactly_once_beta")) = reader.text(KEY) {
            let complaint = "must be exactly_once_v2, which replaced the older guarantees";
            reader.problems.value(KEY, old, complaint);
            return Self::ExactlyOnceV2;
        }
        let choices = [
            ("at_least_once", Self::AtLeastOnce),
            ("exactly_once_v2", Self::ExactlyOnceV2),
        ];
        reader.choice(KEY, Self::AtLeastOnce, &choices)
    }
}

/// `default.dsl.store`: where stores are kept that do not say so themselves (KIP-591).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DslStore {
    /// On disk, in RocksDB.
    RocksDb,
    /// In memory.
    InMemory,
}

impl DslStore {
    pub(super) const CHOICES: &[(&str, Self)] =
        &[("rocksDB", Self::RocksDb), ("in_memory", Self::InMemory)];
}

/// `metrics.recording.level`: how detailed the metrics are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RecordingLevel {
    /// Clients, threads, tasks and topics.
    Info,
    /// Processor nodes and stores beside them.
    Debug,
    /// Everything.
    Trace,
}

impl RecordingLevel {
    pub(super) const CHOICES: &[(&str, Self)] = &[
        ("INFO", Self::Info),
        ("DEBUG", Self::Debug),
        ("TRACE", Self::Trace),
    ];
}

/// `default.timestamp.extractor`: where the timestamp of a source record comes from, and what a
/// negative one does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TimestampExtraction {
    /// The record's timestamp; a negative one is an error (`FailOnInvalidTimestamp`).
    Fail,
    /// The record's timestamp; a record with a negative one is skipped
    /// (`LogAndSkipOnInvalidTimestamp`).
    Skip,
    /// The record's timestamp; the partition's time instead of a negative one
    /// (`UsePartitionTimeOnInvalidTimestamp`).
    UsePartitionTime,
    /// The wall clock (`WallclockTimestampExtractor`).
    WallClock,
}

impl TimestampExtraction {
    pub(super) const CHOICES: &[(&str, Self)] = &[
        ("FailOnInvalidTimestamp", Self::Fail),
        ("LogAndSkipOnInvalidTimestamp", Self::Skip),
        ("UsePartitionTimeOnInvalidTimestamp", Self::UsePartitionTime),
        ("WallclockTimestampExtractor", Self::WallClock),
        (
            "org.apache.kafka.streams.processor.FailOnInvalidTimestamp",
            Self::Fail,
        ),
        (
            "org.apache.kafka.streams.processor.LogAndSkipOnInvalidTimestamp",
            Self::Skip,
        ),
        (
            "org.apache.kafka.streams.processor.UsePartitionTimeOnInvalidTimestamp",
            Self::UsePartitionTime,
        ),
        (
            "org.apache.kafka.streams.processor.WallclockTimestampExtractor",
            Self::WallClock,
        ),
    ];
}

/// One way to make a topology smaller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Optimization {
    /// A table's source topic serves as its changelog.
    ReuseKTableSourceTopics,
    /// Repartition topics of the same records become one.
    MergeRepartitionTopics,
    /// A stream joined with itself keeps one store (KIP-862).
    SingleStoreSelfJoin,
}

/// `topology.optimization`: the ways that are taken.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TopologyOptimization(Vec<Optimization>);

impl TopologyOptimization {
    const CHOICES: [(&str, Optimization); 3] = [
        (
            "reuse.ktable.source.topics",
            Optimization::ReuseKTableSourceTopics,
        ),
        (
            "merge.repartition.topics",
            Optimization::MergeRepartitionTopics,
        ),
        ("single.store.self.join", Optimization::SingleStoreSelfJoin),
    ];

    /// Whether this way is taken.
    pub fn contains(&self, optimization: Optimization) -> bool {
        self.0.contains(&optimization)
    }

    /// Every way.
    pub fn all() -> Self {
        Self(
            Self::CHOICES
                .iter()
                .map(|(_, optimization)| *optimization)
                .collect(),
        )
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        const KEY: &str = super::key::TOPOLOGY_OPTIMIZATION;
        let Some(value) = reader.text(KEY) else {
            return Self::default();
        };
        let named = |name: &str| Self::CHOICES.iter().find(|(known, _)| *known == name);
        let names: Vec<_> = value.split(',').map(str::trim).collect();
        match names.as_slice() {
            ["none"] => Self::default(),
            ["all"] => Self::all(),
            names if names.iter().all(|name| named(name).is_some()) => Self(
                names
                    .iter()
                    .filter_map(|name| named(name))
                    .map(|(_, it)| *it)
                    .collect(),
            ),
            _ => {
                let known = Self::CHOICES.map(|(name, _)| name).join(", ");
                let complaint = format!("must be none, all, or a list of {known}");
                reader.problems.value(KEY, value, &complaint);
                Self::default()
            }
        }
    }
}
