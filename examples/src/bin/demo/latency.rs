//! Latencies of the last seconds and of the whole run.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How far back the window reaches.
const WINDOW: Duration = Duration::from_secs(10);
/// How many latencies the whole run keeps: more would say nothing new.
const KEPT_MAX: usize = 1_000_000;

/// Latencies as they come.
#[derive(Debug, Default)]
pub(crate) struct Latencies {
    recent: VecDeque<(Instant, u64)>,
    all_ms: Vec<u64>,
}

/// The middle and the slow end of some latencies, in ms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Quantiles {
    /// Half are at most this.
    pub(crate) p50_ms: u64,
    /// 99 of 100 are at most this.
    pub(crate) p99_ms: u64,
}

impl Latencies {
    /// Adds one that was seen just now.
    pub(crate) fn add(&mut self, latency_ms: u64) {
        self.forget();
        self.recent.push_back((Instant::now(), latency_ms));
        if self.all_ms.len() < KEPT_MAX {
            self.all_ms.push(latency_ms);
        }
    }

    /// Those of the last 10 s; `None` if there are none.
    pub(crate) fn recent(&mut self) -> Option<Quantiles> {
        self.forget();
        Quantiles::of(
            self.recent
                .iter()
                .map(|(_, latency_ms)| *latency_ms)
                .collect(),
        )
    }

    /// Those of the whole run; `None` if there are none.
    pub(crate) fn overall(&self) -> Option<Quantiles> {
        Quantiles::of(self.all_ms.clone())
    }

    fn forget(&mut self) {
        while self
            .recent
            .front()
            .is_some_and(|(seen, _)| seen.elapsed() > WINDOW)
        {
            self.recent.pop_front();
        }
    }
}

impl Quantiles {
    fn of(mut latencies_ms: Vec<u64>) -> Option<Self> {
        latencies_ms.sort_unstable();
        let count = latencies_ms.len();
        let rank = |share: usize| latencies_ms.get((count * share).div_ceil(100).checked_sub(1)?);
        Some(Self {
            p50_ms: *rank(50)?,
            p99_ms: *rank(99)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_the_nearest_rank() {
        let quantiles = Quantiles::of((1..=200).rev().collect());
        assert_eq!(
            quantiles,
            Some(Quantiles {
                p50_ms: 100,
                p99_ms: 198
            })
        );
        assert_eq!(
            Quantiles::of(vec![7]),
            Some(Quantiles {
                p50_ms: 7,
                p99_ms: 7
            })
        );
        assert_eq!(Quantiles::of(Vec::new()), None);
    }
}
