//! Commits: what the tasks have done, from their caches to their stores.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::broker::EndOffsets;
use crate::error::Result;
use crate::id::TopicPartition;
use crate::metrics::ThreadMetrics;
use crate::runtime::session::{STOP_WAIT, Session};
use crate::runtime::thread::ThreadControl;

/// How long brokers may take to tell where the changelogs end; without an answer the stores stay
/// where they stood, and a restore reads a little more.
const ENDS_WAIT: Duration = Duration::from_secs(2);

/// How often tasks without traffic note that their stores hold everything that is committed.
const TOUCH_INTERVAL: Duration = Duration::from_secs(600);

impl Session {
    pub(super) fn commit_if_due(
        &mut self,
        control: &ThreadControl,
        metrics: &mut ThreadMetrics,
    ) -> Result<()> {
        let config = &self.settings.config;
        let interval = Duration::from_millis(config.commit_interval_ms);
        // Each thread has its part of what the process may leave uncommitted.
        let threads = config.num_stream_threads.max(1) as u64;
        let uncommitted_max = config.statestore_uncommitted_max_bytes / threads;
        let due = self.last_commit.elapsed() >= interval
            || self.tasks.commit_requested()
            || self.tasks.uncommitted_bytes() as u64 > uncommitted_max;
        if !due {
            return Ok(());
        }
        if self.tasks.is_dirty() || self.collector.has_uncommitted() {
            self.commit(control, metrics)?;
        } else {
            // There is nothing to commit, whoever has asked for it.
            self.tasks.committed();
        }
        self.last_commit = Instant::now();
        if self.last_touch.elapsed() > TOUCH_INTERVAL {
            self.tasks.touch()?;
            self.last_touch = Instant::now();
        }
        Ok(())
    }

    /// Commits what the tasks have done: their caches are flushed and everything is sent, then the
    /// offsets are committed with it, and at last the stores, each with how far of its changelog it
    /// holds. A crash in between leaves stores behind their changelogs, which are read again.
    pub(super) fn commit(
        &mut self,
        control: &ThreadControl,
        metrics: &mut ThreadMetrics,
    ) -> Result<()> {
        let started = Instant::now();
        let timeout = if control.is_stopping() {
            STOP_WAIT
        } else {
            Duration::from_millis(self.settings.config.task_timeout_ms)
        };
        self.tasks.flush()?;
        let offsets = self.tasks.offsets();
        self.collector.flush(timeout)?;
        let handler = &*self.settings.handlers.production;
        self.collector.check_deliveries(handler)?;
        let ends = self.ask_changelog_ends();
        self.collector.commit(&offsets, &self.consumer, timeout)?;
        self.tasks.commit_stores(&changelog_ends(ends))?;
        self.tasks.committed();
        let internal = offsets.iter().filter(|(partition, ..)| {
            let application_id = &self.environment.application_id;
            self.settings
                .topology
                .is_internal(application_id, &partition.topic)
        });
        control.processed(
            internal
                .map(|(partition, offset, _)| (partition.clone(), *offset))
                .collect(),
        );
        metrics.committed(started.elapsed());
        self.summary.commits += 1;
        self.has_committed = true;
        tracing::debug!(offsets = offsets.len(), took = ?started.elapsed(), "committed");
        Ok(())
    }

    /// Asks where the changelogs end that have been written to. This task alone writes to them, and
    /// the broker has everything: so what they hold is what the stores hold. The answer comes while
    /// the transaction is committed.
    fn ask_changelog_ends(&self) -> Option<EndOffsets> {
        let changelogs = self.tasks.written_changelogs();
        let any = !changelogs.is_empty();
        any.then(|| self.collector.ask_ends(&changelogs, ENDS_WAIT))
    }
}

fn changelog_ends(asked: Option<EndOffsets>) -> BTreeMap<TopicPartition, i64> {
    match asked.map(|asked| asked.wait(ENDS_WAIT)) {
        None => BTreeMap::new(),
        Some(Ok(ends)) => ends,
        Some(Err(error)) => {
            tracing::warn!(%error, "stores do not know how far of their changelogs they hold");
            BTreeMap::new()
        }
    }
}
