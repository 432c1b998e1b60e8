//! An application as a program that tests kill: it says what it restores, and when it runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use streams_core::observability::ShutdownSignal;
use streams_core::observability::logging::{self, LogFormat};
use streams_core::{
    KafkaStreams, Result, State, StateRestoreListener, StreamsConfig, TopicPartition, Topology,
};

/// Runs an application until the process is told to end. Prints `BATCH … records=N` for each batch
/// that is restored, and `RUNNING restored=N` when all tasks run.
///
/// # Errors
/// If the settings are not usable or the application fails.
pub fn run(topology: Topology, settings: Vec<(String, String)>) -> Result<()> {
    logging::init(LogFormat::Human)?;
    let shutdown = ShutdownSignal::install()?;
    let config = StreamsConfig::from_map(settings)?;
    let restored = Restored {
        prints: true,
        ..Restored::default()
    };
    let seen = restored.clone();
    KafkaStreams::new(topology, config)?
        .with_state_restore_listener(restored)
        .with_state_listener(move |state, _| {
            if state == State::Running {
                println!("RUNNING restored={}", seen.records());
            }
        })
        .run_until(&shutdown)
}

/// Reads a setting of a command line, `key=value`.
///
/// # Errors
/// If it has no `=`.
pub fn setting(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("must be key=value")?;
    Ok((key.to_owned(), value.to_owned()))
}

/// Counts what is restored; clones count together.
#[derive(Debug, Clone, Default)]
pub struct Restored {
    /// Records that were restored.
    pub records: Arc<AtomicU64>,
    /// Whether each batch is printed.
    pub prints: bool,
}

impl Restored {
    /// The records that were restored so far.
    pub fn records(&self) -> u64 {
        self.records.load(Ordering::SeqCst)
    }
}

impl StateRestoreListener for Restored {
    fn on_batch_restored(&self, partition: &TopicPartition, store: &str, end: i64, records: u64) {
        self.records.fetch_add(records, Ordering::SeqCst);
        if self.prints {
            println!("BATCH store={store} partition={partition} end={end} records={records}");
        }
    }
}
