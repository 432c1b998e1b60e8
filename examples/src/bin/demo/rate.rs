//! How fast counts grow.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

/// How far back a rate looks.
const WINDOW: Duration = Duration::from_secs(3);

/// The rates of counts that are known by name.
#[derive(Debug, Default)]
pub(crate) struct Rates {
    counts: BTreeMap<String, VecDeque<(Instant, u64)>>,
}

impl Rates {
    /// Takes the count as it is now, and returns its growth a second over the last 3 s.
    pub(crate) fn per_second(&mut self, name: &str, count: u64) -> u64 {
        self.per_second_at(name, count, Instant::now())
    }

    fn per_second_at(&mut self, name: &str, count: u64, now: Instant) -> u64 {
        let counts = self.counts.entry(name.to_owned()).or_default();
        counts.push_back((now, count));
        while counts
            .get(1)
            .is_some_and(|(taken, _)| now.duration_since(*taken) >= WINDOW)
        {
            counts.pop_front();
        }
        let Some((taken, first)) = counts.front() else {
            return 0;
        };
        let seconds = now.duration_since(*taken).as_secs_f64();
        let growth = count.saturating_sub(*first) as f64;
        if seconds > 0.0 {
            (growth / seconds).round() as u64
        } else {
            0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rate_looks_back_over_the_window_only() {
        let (start, mut rates) = (Instant::now(), Rates::default());
        let mut rate = |count, seconds| {
            rates.per_second_at("rows", count, start + Duration::from_secs(seconds))
        };
        assert_eq!(rate(1_000, 0), 0);
        assert_eq!(rate(1_010, 1), 10);
        assert_eq!(rate(1_100, 4), 30);
        assert_eq!(rate(1_100, 9), 0);
    }
}
