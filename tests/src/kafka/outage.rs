//! A broker that goes away and comes back in the middle of transactions.
//!
//! Kafka 4.3.1 may drop the end of a transaction (KAFKA-20734): as long as the node is not
//! registered again after a restart its partitions have no leader, and the coordinator takes them
//! for deleted, leaves the markers out and calls the transaction complete. Then the next
//! transaction of the same producer decides what becomes of the records, whatever had been decided
//! for them, and the group's offsets may stay unstable for ever. No client can mend that, as it
//! does not know which end was dropped, so a test of an outage is made again when the broker's log
//! says that it has happened.

use std::fs;
use std::panic::{self, AssertUnwindSafe};

use crate::error::OrFail as _;
use crate::kafka::{Kafka, KafkaOptions};

/// The broker has ended a transaction without its markers.
#[derive(Debug, Clone, Copy)]
pub struct DroppedMarkers;

/// What Kafka logs then. Only deleted topics may bring the same line, so nothing may be deleted.
const DROPPED: &str = "Couldn't find leader endpoint";

/// How many brokers a test is given. On a machine with far more to do than it has cores for, about
/// one restart in ten has dropped markers.
const ATTEMPTS: usize = 8;

impl Kafka {
    /// Runs a test of outages with a broker of its own, and with another one when markers have
    /// been dropped.
    ///
    /// # Panics
    ///
    /// When the broker does not start, every one has dropped markers, or the test fails without.
    #[track_caller]
    pub fn through_outages(mut test: impl FnMut(&mut Self) -> Result<(), DroppedMarkers>) {
        let came_through = (0..ATTEMPTS).any(|_| {
            let mut kafka = Self::temporary(KafkaOptions::shared()).or_fail();
            let tried = panic::catch_unwind(AssertUnwindSafe(|| test(&mut kafka)));
            if kafka.has_dropped_markers() {
                eprintln!("not counted: the broker has dropped markers of a transaction");
                return false;
            }
            tried
                .unwrap_or_else(|failure| panic::resume_unwind(failure))
                .is_ok()
        });
        assert!(
            came_through,
            "{ATTEMPTS} brokers have dropped markers of transactions"
        );
    }

    /// As [`Kafka::restart`], for a broker whose clients have transactions.
    ///
    /// # Errors
    ///
    /// When the broker has dropped markers, before it went away or when it came back.
    ///
    /// # Panics
    ///
    /// When it does not come up.
    #[track_caller]
    pub fn restart_in_transactions(&mut self) -> Result<(), DroppedMarkers> {
        self.restart().or_fail();
        match self.has_dropped_markers() {
            true => Err(DroppedMarkers),
            false => Ok(()),
        }
    }

    /// Since it was first started.
    fn has_dropped_markers(&self) -> bool {
        let log = fs::read_to_string(self.directory.join("kafka.log")).unwrap_or_default();
        log.contains(DROPPED)
    }
}
