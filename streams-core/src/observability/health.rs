//! Whether the process is alive and ready, as probes see it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A shared handle to the process's health; clones show the same.
///
/// A process starts alive and not ready. It is ready while it does its work, and dead once it can
/// never do it again, so that whatever runs it starts it anew.
///
/// # Examples
/// ```
/// use streams_core::observability::Health;
///
/// let health = Health::new();
/// assert_eq!(health.ready(), Err("starting".to_owned()));
/// health.set_ready();
/// assert_eq!(health.ready(), Ok(()));
/// health.set_dead("every stream thread has failed");
/// assert_eq!(health.alive(), Err("every stream thread has failed".to_owned()));
/// ```
#[derive(Debug, Clone)]
pub struct Health(Arc<Mutex<State>>);

#[derive(Debug, Clone)]
struct State {
    alive: Result<(), String>,
    ready: Result<(), String>,
}

impl Health {
    /// Alive, and not ready because it is starting.
    pub fn new() -> Self {
        let state = State {
            alive: Ok(()),
            ready: Err("starting".to_owned()),
        };
        Self(Arc::new(Mutex::new(state)))
    }

    /// The process does its work. One that is dead stays so.
    pub fn set_ready(&self) {
        let mut state = self.state();
        let alive = state.alive.clone();
        state.ready = alive;
    }

    /// The process does not do its work at present.
    pub fn set_not_ready(&self, reason: impl Into<String>) {
        self.state().ready = Err(reason.into());
    }

    /// The process will never do its work again.
    pub fn set_dead(&self, reason: impl Into<String>) {
        let reason = reason.into();
        *self.state() = State {
            alive: Err(reason.clone()),
            ready: Err(reason),
        };
    }

    /// Whether the process is alive, else why not.
    ///
    /// # Errors
    /// The reason, if it is dead.
    pub fn alive(&self) -> Result<(), String> {
        self.state().alive.clone()
    }

    /// Whether the process does its work, else why not.
    ///
    /// # Errors
    /// The reason, if it does not.
    pub fn ready(&self) -> Result<(), String> {
        self.state().ready.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Health {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dead_process_is_never_ready_again() {
        let health = Health::new();
        health.set_ready();
        health.clone().set_dead("fenced");
        health.set_ready();
        assert_eq!(health.ready(), Err("fenced".to_owned()));
    }

    #[test]
    fn a_process_that_is_not_ready_is_alive() {
        let health = Health::new();
        health.set_not_ready("rebalancing");
        assert_eq!(health.ready(), Err("rebalancing".to_owned()));
        assert_eq!(health.alive(), Ok(()));
    }
}
