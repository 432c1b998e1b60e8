//! A broker that goes away and comes back in the middle of transactions.
//!
//! A Kafka since 4.1 that starts with a transaction whose end it had begun to write may drop that
//! end (KAFKA-20734): as long as the node is not registered again its partitions have no leader,
//! and the coordinator takes them for deleted, leaves the markers out and calls the transaction
//! complete. Then the next transaction of the same producer commits what had been aborted, or the
//! group's offsets stay unstable for ever. No client can tell or mend that, so a test of an
//! outage is made again when the broker's log says that it has happened.

use std::fs;

use crate::error::OrFail as _;
use crate::kafka::{Kafka, KafkaOptions};

/// The broker has ended a transaction without its markers.
#[derive(Debug, Clone, Copy)]
pub struct DroppedMarkers;

/// What Kafka logs then. Only deleted topics may bring the same line, so nothing may be deleted.
const DROPPED: &str = "Couldn't find leader endpoint";

/// How many brokers a test is given. With both cores busy about one restart in a hundred drops
/// markers.
const ATTEMPTS: usize = 5;

impl Kafka {
    /// Runs a test of outages with a broker of its own, and with another one when markers have
    /// been dropped.
    ///
    /// # Panics
    ///
    /// When the broker does not start, or every one has dropped markers.
    #[track_caller]
    pub fn through_outages(mut test: impl FnMut(&mut Self) -> Result<(), DroppedMarkers>) {
        let came_through = (0..ATTEMPTS).any(|_| {
            let mut kafka = Self::temporary(KafkaOptions::shared()).or_fail();
            test(&mut kafka).is_ok()
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
        // The line comes before the node is registered, and so before any client can connect.
        let log = fs::read_to_string(self.directory.join("kafka.log")).unwrap_or_default();
        match log.contains(DROPPED) {
            true => Err(DroppedMarkers),
            false => Ok(()),
        }
    }
}
