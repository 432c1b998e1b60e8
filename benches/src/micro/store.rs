//! Single calls of a store on disk, with few and with many uncommitted writes over it.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::Criterion;
use streams_core::serde::{I64, Utf8};
use streams_core::store::{KeyValueStore, StoreBuilder, TaskKeyValueStore};
use streams_core::testing::MockProcessorContext;
use tempfile::TempDir;

use crate::Result;

const COUNTS: KeyValueStore<String, i64> = KeyValueStore::named("counts");
const COMMITTED_KEYS: usize = 200_000;
/// How many writes are uncommitted while a call is measured.
const OVERLAYS: [usize; 3] = [0, 1_000, 100_000];
const RANGE_LENGTH: usize = 100;
/// Keys that are read again and again.
const AGAIN_KEYS: usize = 1_000;
/// A prime: it takes the keys out of their order.
const STRIDE: usize = 7_919;

/// A store with committed entries.
struct Filled {
    context: MockProcessorContext<(), ()>,
    store: TaskKeyValueStore<String, i64>,
    keys: Vec<String>,
    _folder: TempDir,
}

impl Filled {
    fn new() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let (key, value) = (Arc::new(Utf8), Arc::new(I64));
        let builder = StoreBuilder::key_value(COUNTS.name(), key, value).without_logging();
        let mut context = MockProcessorContext::on_disk(0, &[builder], folder.path())?;
        let store = context.stores().key_value(&COUNTS)?;
        let keys: Vec<String> = (0..COMMITTED_KEYS)
            .map(|number| format!("user-{number:07}"))
            .collect();
        for key in &keys {
            store.put(key, Some(&1))?;
        }
        context.commit()?;
        Ok(Self {
            context,
            store,
            keys,
            _folder: folder,
        })
    }

    /// The keys in an order that is not theirs, again and again.
    fn walk(&self) -> impl Iterator<Item = &String> {
        let keys = (0..).map(|step: usize| self.keys.get(step * STRIDE % COMMITTED_KEYS));
        keys.flatten()
    }

    /// Writes this many keys.
    fn write(&self, count: usize) -> Result<()> {
        for key in self.walk().take(count) {
            self.store.put(key, Some(&2))?;
        }
        Ok(())
    }
}

/// Measures get, put, commit and range.
pub(super) fn measure(criterion: &mut Criterion) -> Result<()> {
    let mut filled = Filled::new()?;
    for overlay in OVERLAYS {
        filled.write(overlay)?;
        let name = |call| format!("store/{call}/overlay {overlay}");
        measure_reads(criterion, &filled, overlay)?;
        // Overwrites what is uncommitted, so that the overlay stays as large as it is.
        criterion.bench_function(&name("put"), |bencher| {
            let keys: Vec<&String> = filled.walk().take(overlay.max(1)).collect();
            let mut keys = keys.iter().cycle();
            bencher.iter(|| keys.next().map(|key| filled.store.put(key, Some(&3))));
        });
        criterion.bench_function(&name("range of 100"), |bencher| {
            let mut keys = filled.walk();
            bencher.iter(|| {
                let entries = filled.store.range(keys.next(), None)?;
                Ok::<_, streams_core::Error>(entries.take(RANGE_LENGTH).count())
            });
        });
        filled.context.commit()?;
        if overlay > 0 {
            let mut failure = None;
            criterion.bench_function(&format!("store/commit/{overlay} writes"), |bencher| {
                bencher.iter_custom(|times| {
                    let timed = time_commits(&mut filled, overlay, times);
                    timed.unwrap_or_else(|error| {
                        failure = Some(error);
                        Duration::ZERO
                    })
                });
            });
            failure.map_or(Ok(()), Err)?;
        }
    }
    Ok(())
}

fn measure_reads(criterion: &mut Criterion, filled: &Filled, overlay: usize) -> Result<()> {
    let name = |call| format!("store/{call}/overlay {overlay}");
    // One walk for all rounds: a key that was read lately is not looked up in RocksDB again.
    let mut keys = filled.walk();
    let mut read = || match keys.next() {
        Some(key) => filled.store.get(black_box(key)),
        None => Ok(None),
    };
    read()?;
    criterion.bench_function(&name("get"), |bencher| bencher.iter(&mut read));
    criterion.bench_function(&name("get again"), |bencher| {
        let mut keys = filled.keys.iter().take(AGAIN_KEYS).cycle();
        bencher.iter(|| keys.next().map(|key| filled.store.get(black_box(key))));
    });
    Ok(())
}

fn time_commits(filled: &mut Filled, writes: usize, times: u64) -> Result<Duration> {
    let mut total = Duration::ZERO;
    for _ in 0..times {
        filled.write(writes)?;
        let start = Instant::now();
        filled.context.commit()?;
        total += start.elapsed();
    }
    Ok(total)
}
