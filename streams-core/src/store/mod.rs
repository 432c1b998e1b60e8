//! Stores: the state of a task, by key, window, session or version.
//!
//! A store is named and typed once ([`KeyValueStore`], [`WindowStore`], …), defined by a
//! [`StoreBuilder`] in the topology, and used in a task through a handle ([`TaskKeyValueStore`],
//! …). Each handle is types and a key layout over the same store of bytes: committed entries in
//! RocksDB or in memory, uncommitted writes over them, and a changelog. What the changelog holds is
//! the JVM's, byte for byte; what is on disk is ours.
//!
//! A store knows no topology, no partition but its task's, and never begins or ends a transaction:
//! whoever runs the task commits the producer first and then, in one write for all stores of the
//! task, what they hold and where they stand.

mod buffer;
mod builder;
mod bulk;
mod bytes;
mod cache;
mod codec;
mod context;
mod damage;
mod database;
mod engine;
mod entries;
mod entry_table;
mod expiry;
mod key_table;
mod key_value;
mod key_windows;
mod kind;
mod list;
mod merge;
mod name;
mod overlay;
mod position;
mod query;
mod reader;
mod recency;
mod recent;
mod restore;
mod seen_keys;
mod segment;
mod session;
mod task_state;
#[cfg(test)]
mod task_state_test;
mod task_stores;
mod time_index;
mod versioned;
mod versions;
mod window;
mod write_index;

#[cfg(test)]
mod tests;

pub use buffer::{BufferStatus, Eviction, PriorValue, TaskChangeBuffer, TaskTimeOrderedBuffer};
pub use builder::{StoreBuilder, StoreType};
pub use cache::DirtyEntry;
pub use codec::ValueAndTimestamp;
pub use entries::StoreIterator;
pub use key_value::{TaskKeyValueStore, TaskTimestampedKeyValueStore};
pub use list::TaskListStore;
pub use name::{KeyValueStore, SessionStore, VersionedKeyValueStore, WindowStore};
pub use query::{
    QueryParts, QueryableStore, ReadOnlyKeyValueStore, ReadOnlySessionStore,
    ReadOnlyVersionedKeyValueStore, ReadOnlyWindowStore, StoreEntry,
};
pub use session::{SessionStoreSettings, TaskSessionStore};
pub use task_stores::StoreAccess;
pub use versioned::{TaskVersionedStore, VersionedRecord, VersionedStoreSettings};
pub use versions::VersionedPut;
pub use window::{TaskTimestampedWindowStore, TaskWindowStore, WindowStoreSettings};

pub(crate) use context::{Left, RecordOrigin, StoreContext};
pub(crate) use database::{DatabaseBatch, StoreMemory, TaskDatabase};
pub(crate) use query::{CommittedStore, StoreRegistry};
pub(crate) use restore::{StoreRestorer, TABLE_BYTES_MIN};
pub(crate) use task_state::{TaskState, is_on_disk};
pub(crate) use task_stores::{GlobalStores, TaskStores};
