//! The metrics of the whole instance.

use prometheus::{IntCounter, IntGauge};

use super::family::Families;
use super::series::Series;

/// The metrics of the whole instance (`stream-metrics`).
pub struct ClientMetrics {
    state: IntGauge,
    alive_threads: IntGauge,
    failed_threads: IntCounter,
    block_cache_usage: IntGauge,
    _series: Series,
}

impl ClientMetrics {
    pub(super) fn new(families: &Families, client_id: &str) -> Self {
        let mut series = Series::new(&[client_id]);
        Self {
            state: series.int_gauge(&families.client_state),
            alive_threads: series.int_gauge(&families.alive_threads),
            failed_threads: series.counter(&families.failed_threads),
            block_cache_usage: series.int_gauge(&families.block_cache_usage),
            _series: series,
        }
    }

    /// The state's ordinal in `KafkaStreams.State` (KIP-1076).
    pub fn set_state(&self, ordinal: i64) {
        self.state.set(ordinal);
    }

    /// How many stream threads run or are starting.
    pub fn set_alive_threads(&self, threads: usize) {
        self.alive_threads.set(threads as i64);
    }

    /// The memory that RocksDB's blocks and write buffers take, in bytes.
    pub fn set_block_cache_usage(&self, bytes: usize) {
        self.block_cache_usage.set(bytes as i64);
    }

    /// A stream thread has failed.
    pub fn thread_failed(&self) {
        self.failed_threads.inc();
    }
}
