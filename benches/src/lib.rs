//! Ours and the peers' on the same work, side by side.
//!
//! Each suite is a module with its command line (`Arguments`) and `run`; `main.rs` chooses. What a
//! suite has measured is a [`report::Report`]: printed, kept as JSON and drawn the same way.

pub mod cdc;
mod gauge;
pub mod limit;
pub mod machine;
pub mod micro;
mod page;
pub mod plot;
pub mod report;
pub mod streams;
pub mod workload;

use tikv_jemallocator::Jemalloc;
pub use workload::Workload;

/// For librdkafka and RocksDB too: a record is allocated by one thread and freed by another, for
/// which glibc's allocator locks. The loop that is the limit has it as well.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

/// What jemalloc is told (its `MALLOC_CONF`), as the address of the text's first byte. With an
/// arena for each thread, every one of the clients' and RocksDB's threads keeps memory that the
/// others could use; so does a cache of a thread for what is larger than a page.
#[used]
#[expect(unsafe_code, reason = "jemalloc looks for a symbol of this name")]
#[unsafe(export_name = "malloc_conf")]
static ALLOCATOR_SETTINGS: &u8 =
    &b"narenas:1,dirty_decay_ms:30,muzzy_decay_ms:0,lg_tcache_max:12\0"[0];

/// How a suite ends: what stopped it is told to the user as text.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;
