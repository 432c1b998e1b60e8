//! Punctuations: calls that a processor asks for at intervals of stream time or wall clock
//! (KIP-138, anchored ones KIP-1146).

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet};

/// The clock of a punctuation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PunctuationType {
    /// The largest record timestamp that the task has seen: moves only with records.
    StreamTime,
    /// The wall clock, checked between records.
    WallClockTime,
}

/// A schedule made by a processor, which tells its punctuations apart by it and may cancel it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Punctuation(u64);

/// A punctuation that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DuePunctuation {
    pub(crate) node: usize,
    pub(crate) punctuation: Punctuation,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Schedule {
    due_ms: i64,
    id: u64,
    node: usize,
    interval_ms: i64,
}

/// The schedules of one task, for both clocks.
#[derive(Default)]
pub(crate) struct PunctuationQueue {
    stream_time: BinaryHeap<Reverse<Schedule>>,
    wall_clock: BinaryHeap<Reverse<Schedule>>,
    cancelled: HashSet<u64>,
    last_id: u64,
}

impl PunctuationQueue {
    /// Adds a schedule of `node`, first due at `first_ms`.
    pub(crate) fn schedule(
        &mut self,
        node: usize,
        kind: PunctuationType,
        first_ms: i64,
        interval_ms: i64,
    ) -> Punctuation {
        self.last_id += 1;
        let id = self.last_id;
        self.queue(kind).push(Reverse(Schedule {
            due_ms: first_ms,
            id,
            node,
            interval_ms,
        }));
        Punctuation(id)
    }

    /// Ends a schedule. Does nothing if it has ended already.
    pub(crate) fn cancel(&mut self, punctuation: Punctuation) {
        let mut all = self.stream_time.iter().chain(&self.wall_clock);
        if all.any(|Reverse(schedule)| schedule.id == punctuation.0) {
            self.cancelled.insert(punctuation.0);
        }
    }

    /// Takes the next schedule due at `now_ms` and plans its next time: an interval later, or, if
    /// that has passed already, the next whole interval after now, so that missed times are skipped
    /// (`PunctuationSchedule.next`).
    pub(crate) fn take_due(
        &mut self,
        kind: PunctuationType,
        now_ms: i64,
    ) -> Option<DuePunctuation> {
        loop {
            let queue = self.queue(kind);
            if queue
                .peek()
                .is_none_or(|Reverse(next)| next.due_ms > now_ms)
            {
                return None;
            }
            let Reverse(schedule) = queue.pop()?;
            if self.cancelled.remove(&schedule.id) {
                continue;
            }
            let due = DuePunctuation {
                node: schedule.node,
                punctuation: Punctuation(schedule.id),
            };
            let due_ms = next_due(schedule.due_ms, schedule.interval_ms, now_ms);
            self.queue(kind)
                .push(Reverse(Schedule { due_ms, ..schedule }));
            return Some(due);
        }
    }

    fn queue(&mut self, kind: PunctuationType) -> &mut BinaryHeap<Reverse<Schedule>> {
        match kind {
            PunctuationType::StreamTime => &mut self.stream_time,
            PunctuationType::WallClockTime => &mut self.wall_clock,
        }
    }
}

/// The first time after `now_ms` on the grid of `due_ms` and the interval.
pub(crate) fn next_due(due_ms: i64, interval_ms: i64, now_ms: i64) -> i64 {
    let next = due_ms.saturating_add(interval_ms);
    if now_ms < next {
        return next;
    }
    let missed = now_ms.saturating_sub(due_ms) / interval_ms;
    due_ms.saturating_add((missed + 1).saturating_mul(interval_ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missed_intervals_are_skipped_and_the_grid_is_kept() {
        assert_eq!(next_due(0, 10, 0), 10);
        assert_eq!(next_due(0, 10, 9), 10);
        assert_eq!(next_due(0, 10, 10), 20);
        assert_eq!(next_due(0, 10, 57), 60);
        assert_eq!(next_due(5, 10, 57), 65);
    }

    #[test]
    fn a_cancelled_schedule_is_never_due() {
        let mut queue = PunctuationQueue::default();
        let first = queue.schedule(1, PunctuationType::WallClockTime, 10, 10);
        let second = queue.schedule(2, PunctuationType::WallClockTime, 10, 10);
        queue.cancel(first);
        let due = queue.take_due(PunctuationType::WallClockTime, 10);
        assert_eq!(
            due,
            Some(DuePunctuation {
                node: 2,
                punctuation: second
            })
        );
        assert_eq!(queue.take_due(PunctuationType::WallClockTime, 10), None);
        assert_eq!(queue.take_due(PunctuationType::StreamTime, i64::MAX), None);
    }
}
