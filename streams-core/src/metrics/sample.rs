//! Averages and extremes over the last minute, as `SampledStat` of the Java client keeps them.

/// The JVM's default `metrics.sample.window.ms`.
const WINDOW_MS: u64 = 30_000;
/// The JVM's default `metrics.num.samples`.
const WINDOWS: usize = 2;

/// What was recorded in one window of time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sample {
    count: u64,
    sum: f64,
    min: f64,
    max: f64,
}

impl Default for Sample {
    fn default() -> Self {
        Self {
            count: 0,
            sum: 0.0,
            min: f64::INFINITY,
            max: f64::NEG_INFINITY,
        }
    }
}

impl Sample {
    pub(super) fn record(&mut self, value: f64) {
        self.count += 1;
        self.sum += value;
        self.min = self.min.min(value);
        self.max = self.max.max(value);
    }

    /// Records many values of which only the sum and the largest are known.
    pub(super) fn record_many(&mut self, count: u64, sum: f64, max: f64) {
        if count > 0 {
            self.count += count;
            self.sum += sum;
            self.min = self.min.min(sum / count as f64);
            self.max = self.max.max(max);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub(super) fn min(&self) -> f64 {
        if self.is_empty() { f64::NAN } else { self.min }
    }

    pub(super) fn avg(&self) -> f64 {
        if self.is_empty() {
            f64::NAN
        } else {
            self.sum / self.count as f64
        }
    }

    pub(super) fn max(&self) -> f64 {
        if self.is_empty() { f64::NAN } else { self.max }
    }

    fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.sum += other.sum;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }
}

/// The samples of the last windows.
#[derive(Debug, Default)]
pub(super) struct Samples([Option<(u64, Sample)>; WINDOWS]);

impl Samples {
    /// Adds what was recorded until now.
    pub(super) fn record(&mut self, now_ms: u64, recorded: &Sample) {
        self.age(now_ms);
        if recorded.is_empty() {
            return;
        }
        let window = now_ms / WINDOW_MS;
        match self.0.iter_mut().flatten().find(|(at, _)| *at == window) {
            Some((_, sample)) => sample.merge(recorded),
            None => {
                if let Some(free) = self.0.iter_mut().find(|slot| slot.is_none()) {
                    *free = Some((window, *recorded));
                }
            }
        }
    }

    /// Forgets the windows that have passed; says whether there were any.
    pub(super) fn age(&mut self, now_ms: u64) -> bool {
        let window = now_ms / WINDOW_MS;
        let mut forgot = false;
        for slot in &mut self.0 {
            if slot
                .as_ref()
                .is_some_and(|(at, _)| at + (WINDOWS as u64) <= window)
            {
                *slot = None;
                forgot = true;
            }
        }
        forgot
    }

    pub(super) fn combined(&self) -> Sample {
        let mut combined = Sample::default();
        for (_, sample) in self.0.iter().flatten() {
            combined.merge(sample);
        }
        combined
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(values: &[f64]) -> Sample {
        let mut sample = Sample::default();
        for value in values {
            sample.record(*value);
        }
        sample
    }

    fn shown(samples: &Samples) -> String {
        let combined = samples.combined();
        format!("{} {} {}", combined.min(), combined.avg(), combined.max())
    }

    #[test]
    fn values_of_two_windows_count_and_older_ones_do_not() {
        let mut samples = Samples::default();
        samples.record(0, &sample(&[90.0]));
        samples.record(30_000, &sample(&[10.0, 20.0]));
        assert_eq!(shown(&samples), "10 40 90");
        samples.record(59_999, &sample(&[30.0]));
        assert_eq!(shown(&samples), "10 37.5 90");
        samples.record(60_000, &sample(&[40.0]));
        assert_eq!(shown(&samples), "10 25 40");
    }

    #[test]
    fn nothing_recorded_shows_as_not_a_number() {
        let mut samples = Samples::default();
        assert_eq!(shown(&samples), "NaN NaN NaN");
        samples.record(0, &sample(&[1.0]));
        assert!(samples.age(60_000));
        assert_eq!(shown(&samples), "NaN NaN NaN");
    }
}
