//! What a program shows of itself: logs, health, metrics over HTTP, and how it is asked to stop.

pub mod logging;

mod endpoint;
mod health;
mod shutdown;

pub use endpoint::Endpoint;
pub use health::Health;
pub use shutdown::ShutdownSignal;
