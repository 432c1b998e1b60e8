//! Stream threads: polling, processing, committing.
//!
//! A [`StreamThread`] owns its clients and tasks. What belongs to one membership of the group and
//! one transactional producer is a [`Session`](session::Session): when this instance is fenced, or
//! a transaction has to be aborted, the session is dropped as a whole and a new one begins where
//! the last commit ended. So there is one way to recover, and no half-committed state to repair.

mod collector;
mod global;
mod restore;
mod session;
mod state_directory;
#[cfg(test)]
mod state_directory_test;
mod tasks;
mod thread;

pub use restore::StateRestoreListener;

pub(crate) use global::GlobalThread;
pub(crate) use session::SessionSettings;
pub(crate) use state_directory::StateDirectory;
pub(crate) use thread::{StreamThread, ThreadControl, ThreadEvent, ThreadState};
