//! The request to stop, seen by everything that waits.

use tokio::sync::watch;

/// Asks for the stop; dropping it asks too.
#[derive(Debug)]
pub struct ShutdownTrigger {
    sender: watch::Sender<bool>,
}

/// Tells whether the stop was asked for.
#[derive(Debug, Clone)]
pub struct Shutdown {
    receiver: watch::Receiver<bool>,
}

impl ShutdownTrigger {
    /// A trigger and what it triggers.
    pub fn new() -> (Self, Shutdown) {
        let (sender, receiver) = watch::channel(false);
        (Self { sender }, Shutdown { receiver })
    }

    /// Asks for the stop.
    pub fn request(&self) {
        self.sender.send_replace(true);
    }
}

impl Shutdown {
    /// Whether the stop was asked for; for code that waits without async.
    pub fn is_requested(&self) -> bool {
        *self.receiver.borrow() || self.receiver.has_changed().is_err()
    }

    /// Returns once the stop is asked for.
    pub async fn requested(&mut self) {
        // An error means that the trigger is gone, which asks for the stop as well.
        let _ = self.receiver.wait_for(|is_requested| *is_requested).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_seen_by_every_clone() {
        let (trigger, shutdown) = ShutdownTrigger::new();
        let other = shutdown.clone();
        assert!(!shutdown.is_requested() && !other.is_requested());
        trigger.request();
        assert!(shutdown.is_requested() && other.is_requested());
    }

    #[test]
    fn a_lost_trigger_is_a_request() {
        let (trigger, shutdown) = ShutdownTrigger::new();
        drop(trigger);
        assert!(shutdown.is_requested());
    }
}
