//! The series a handle writes to: plain numbers in its thread, brought out by `flush`.

use prometheus::core::{Atomic, GenericCounter, GenericCounterVec, GenericGauge, GenericGaugeVec};
use prometheus::{Gauge, GaugeVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec};

use super::sample::{Sample, Samples};

/// A counter that a thread adds to without synchronisation.
pub(super) struct Count {
    pending: u64,
    counter: IntCounter,
}

impl Count {
    pub(super) fn add(&mut self, by: u64) {
        self.pending += by;
    }

    pub(super) fn flush(&mut self) {
        if self.pending > 0 {
            self.counter.inc_by(self.pending);
            self.pending = 0;
        }
    }
}

/// The minimum, average and maximum of the last minute.
#[derive(Default)]
pub(super) struct Spread {
    pending: Sample,
    samples: Samples,
    min: Option<Gauge>,
    avg: Option<Gauge>,
    max: Option<Gauge>,
}

impl Spread {
    pub(super) fn record(&mut self, value: f64) {
        self.pending.record(value);
    }

    /// Records many values of which only the sum and the largest are known.
    pub(super) fn record_many(&mut self, count: u64, sum: f64, max: f64) {
        self.pending.record_many(count, sum, max);
    }

    /// Brings out what was recorded; `now_ms` is of any clock that does not go back.
    pub(super) fn flush(&mut self, now_ms: u64) {
        if self.pending.is_empty() && !self.samples.age(now_ms) {
            return;
        }
        self.samples.record(now_ms, &self.pending);
        self.pending = Sample::default();
        let sample = self.samples.combined();
        for (gauge, value) in [
            (&self.min, sample.min()),
            (&self.avg, sample.avg()),
            (&self.max, sample.max()),
        ] {
            if let Some(gauge) = gauge {
                gauge.set(value);
            }
        }
    }
}

/// Takes the series of these labels out of its family.
type Removal = Box<dyn Fn(&[&str]) + Send + Sync>;

/// Series of the same labels, taken out of the registry when dropped.
pub(super) struct Series {
    labels: Vec<String>,
    removals: Vec<Removal>,
}

impl Series {
    pub(super) fn new(labels: &[&str]) -> Self {
        let labels = labels.iter().map(|label| (*label).to_owned()).collect();
        Self {
            labels,
            removals: Vec::new(),
        }
    }

    pub(super) fn count(&mut self, family: &IntCounterVec) -> Count {
        Count {
            pending: 0,
            counter: self.counter(family),
        }
    }

    pub(super) fn counter<A: Atomic + 'static>(
        &mut self,
        family: &GenericCounterVec<A>,
    ) -> GenericCounter<A> {
        let counter = family.with_label_values(&self.labels());
        let family = family.clone();
        // Only fails if the series is gone already.
        self.removals.push(Box::new(move |labels| {
            drop(family.remove_label_values(labels));
        }));
        counter
    }

    pub(super) fn int_gauge(&mut self, family: &IntGaugeVec) -> IntGauge {
        self.gauge(family)
    }

    /// A spread without its minimum.
    pub(super) fn spread(&mut self, avg: &GaugeVec, max: &GaugeVec) -> Spread {
        Spread {
            avg: Some(self.empty(avg)),
            max: Some(self.empty(max)),
            ..Spread::default()
        }
    }

    pub(super) fn full_spread(&mut self, min: &GaugeVec, avg: &GaugeVec, max: &GaugeVec) -> Spread {
        Spread {
            min: Some(self.empty(min)),
            ..self.spread(avg, max)
        }
    }

    /// A gauge without a value yet: NaN, as the JVM shows an average of nothing.
    fn empty(&mut self, family: &GaugeVec) -> Gauge {
        let gauge = self.gauge(family);
        gauge.set(f64::NAN);
        gauge
    }

    fn gauge<A: Atomic + 'static>(&mut self, family: &GenericGaugeVec<A>) -> GenericGauge<A> {
        let gauge = family.with_label_values(&self.labels());
        let family = family.clone();
        self.removals.push(Box::new(move |labels| {
            drop(family.remove_label_values(labels));
        }));
        gauge
    }

    fn labels(&self) -> Vec<&str> {
        self.labels.iter().map(String::as_str).collect()
    }
}

impl Drop for Series {
    fn drop(&mut self) {
        let labels = self.labels();
        for remove in &self.removals {
            remove(&labels);
        }
    }
}
