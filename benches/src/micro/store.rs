//! Single calls of a store on disk, with few and with many uncommitted writes over it.

use std::hint::black_box;
use std::sync::Arc;

use streams_core::serde::{I64, Utf8};
use streams_core::store::{KeyValueStore, StoreBuilder, TaskKeyValueStore};
use streams_core::testing::MockProcessorContext;
use tempfile::TempDir;

use super::steps::Steps;
use crate::Result;

const COUNTS: KeyValueStore<String, i64> = KeyValueStore::named("counts");
const COMMITTED_KEYS: usize = 200_000;
/// How many writes are uncommitted while a call is measured.
const OVERLAYS: [usize; 3] = [0, 1_000, 100_000];
const RANGE_LENGTH: usize = 100;
/// Keys that are read again and again.
const AGAIN_KEYS: usize = 1_000;
/// Keys that are read and never written; each round reads from another one on.
const READ_KEYS: usize = 100_000;
const READ_STEP: usize = 20_000;
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
        (0..).filter_map(|step| self.key_at(step))
    }

    /// The keys that are never written, in such an order, from the one of a round on.
    fn walk_unwritten(&self, round: usize) -> impl Iterator<Item = &String> {
        let unwritten_from = COMMITTED_KEYS - READ_KEYS;
        let steps = (round * READ_STEP..).map(move |step| unwritten_from + step % READ_KEYS);
        steps.filter_map(|step| self.key_at(step))
    }

    fn key_at(&self, step: usize) -> Option<&String> {
        self.keys.get(step * STRIDE % COMMITTED_KEYS)
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
pub(super) fn measure(steps: &mut Steps) -> Result<()> {
    let mut filled = Filled::new()?;
    for (round, overlay) in OVERLAYS.into_iter().enumerate() {
        filled.write(overlay)?;
        measure_calls(steps, &filled, round, overlay)?;
        filled.context.commit()?;
        if overlay > 0 {
            let name = format!("store/commit/{overlay} writes");
            let write = |filled: &mut Filled| filled.write(overlay);
            steps.step_after(&name, &mut filled, write, |filled| {
                Ok(filled.context.commit()?)
            })?;
        }
    }
    Ok(())
}

fn measure_calls(steps: &mut Steps, filled: &Filled, round: usize, overlay: usize) -> Result<()> {
    let name = |call| format!("store/{call}/overlay {overlay}");
    // A key that was read lately is not looked up in RocksDB again.
    let mut keys = filled.walk_unwritten(round);
    steps.step(&name("get"), || match keys.next() {
        Some(key) => filled.store.get(black_box(key)),
        None => Ok(None),
    })?;
    let mut keys = filled.keys.iter().take(AGAIN_KEYS).cycle();
    steps.step(&name("get again"), || match keys.next() {
        Some(key) => filled.store.get(black_box(key)),
        None => Ok(None),
    })?;
    // Overwrites what is uncommitted, so that the overlay stays as large as it is.
    let written: Vec<&String> = filled.walk().take(overlay.max(1)).collect();
    let mut keys = written.iter().cycle();
    steps.step(&name("put"), || match keys.next() {
        Some(key) => filled.store.put(key, Some(&3)),
        None => Ok(()),
    })?;
    let mut keys = filled.walk();
    steps.step(&name("range of 100"), || {
        let entries = filled.store.range(keys.next(), None)?;
        Ok::<_, streams_core::Error>(entries.take(RANGE_LENGTH).count())
    })
}
